"""What an operator's reissue leads to: the voter has the new identifier by e-mail, and it is one like any other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from reassort.sealing import Sealer
from reassort.tables import ConditionFailedError, ContentionError
from reassort_ops.account.operator import Operator
from reassort_ops.account.stack import Stack
from reassort_ops.failures import OperatorError
from reassort_ops.voter import reissue as voter_reissue
from reassort_ops.voter.reissue import Issued, reissue

from harness.service.world import identifier_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.service.world import Enrolled, World


def stack_of(world: World) -> Stack:
    """Return the outputs of the stack that a world would be."""
    return Stack(
        name="world",
        election_id=world.election.id,
        voters_table=world.tables["VotersTable"],
        identifiers_table=world.tables["IdentifiersTable"],
        sign_in_table=world.tables["SignInTable"],
        deliveries_table=world.tables["DeliveriesTable"],
        register_table=world.tables["RegisterTable"],
        limits_table=world.tables["LimitsTable"],
        control_table=world.tables["ControlTable"],
        pace_table=world.tables["PaceTable"],
        hmac_key_id=world.engine.stores.hmac_key,
        encryption_key_id=world.encryption_key,
    )


def helpdesk_of(world: World) -> Operator:
    """Return what an operator of the name of Anne works with."""
    return Operator(world.wire.operator.dynamodb, stack_of(world), world.clock, "anne")


def issue(world: World, voter: Enrolled, helpdesk: Operator | None = None) -> Issued:
    """Let Anne give a voter the next identifier."""
    sealer = Sealer(world.wire.operator.kms, world.encryption_key)
    helpdesk = helpdesk or helpdesk_of(world)
    return reissue(voter.email, voter.voter_id, "identity checked", helpdesk, world.election, world.keyed_hash, sealer)


@pytest.mark.req("S26", "I1", "I4")
def test_voter_gets_identifier_and_confirmation_and_the_former_one_is_dead(world: World, claire: Enrolled) -> None:
    issued = issue(world, claire)
    world.run_outbox()
    mails = world.mail_to(claire.email)
    assert len(mails) == 2
    (confirmation,) = [mail for mail in mails if "Confirmation" in mail.subject]
    (message,) = [mail for mail in mails if mail is not confirmation]
    identifier = identifier_in(message.text)
    assert issued.reference in message.text
    assert issued.reference in confirmation.text
    assert identifier not in confirmation.text
    assert world.sms == []
    assert world.check(identifier)["status"] == "active"
    assert world.check(claire.identifier)["status"] == "revoked"


@pytest.mark.req("S26")
def test_voter_follows_it_and_is_told_that_it_cannot_go_by_sms(world: World, claire: Enrolled) -> None:
    issued = issue(world, claire)
    browser = world.browser()
    browser.sign_in(claire.email)
    assert browser.overview().json["last_reissue"]["reference"] == issued.reference
    status = browser.status(issued.reference).json
    assert status["status"] in {"queued", "sent"}
    assert status["only_channel"] is True
    refused = browser.redeliver(issued.reference, "sms")
    assert (refused.status, refused.code) == (409, "redelivery-expired")
    # And asks for another one as everybody may.
    assert browser.reissue(claire.numen).status == 202


@pytest.mark.req("R2", "I1", "S26")
def test_lost_answer_is_found_out_and_issues_nothing_more(world: World, claire: Enrolled) -> None:
    transact: Callable[..., object] = world.wire.operator.dynamodb.transact_write_items
    calls = []

    def lose_the_first_answer(**request: object) -> object:
        calls.append(request)
        answer = transact(**request)
        if len(calls) == 1:
            raise ContentionError("TransactionInProgressException")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            voter_reissue,
            "write_all",
            lambda _dynamodb, actions: lose_the_first_answer(
                TransactItems=[{action.kind: action.request} for action in actions]
            ),
        )
        patch.setattr(time, "sleep", lambda _seconds: None)
        issued = issue(world, claire)
    assert len(calls) == 1
    assert (issued.generation, world.voter(claire).generation) == (2, 2)
    world.run_outbox()
    assert len(world.mail_to(claire.email)) == 2


@pytest.mark.req("I1", "S26")
def test_identifier_that_the_voter_got_meanwhile_is_not_revoked(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)

    def overtaken(*_arguments: object) -> None:
        browser.reissue(claire.numen)
        raise ConditionFailedError(frozenset({"voter"}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voter_reissue, "write_all", overtaken)
        patch.setattr(time, "sleep", lambda _seconds: None)
        with pytest.raises(OperatorError, match="n° 2 a moment ago"):
            issue(world, claire)
    assert world.voter(claire).generation == 2
