"""What an operator's reissue leads to: the voter has the new identifier by e-mail, and it is one
like any other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from reassort.tables import ConditionFailedError, ContentionError
from reassort_ops.failures import OperatorError
from reassort_ops.voter import reissue as voter_reissue

from harness.service.world import dispute_token_in, identifier_in
from tests.component.operators import issue

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.service.world import Enrolled, World


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
    assert status["redelivery"] == {"channels": [], "numen": False}
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


@pytest.mark.req("S35", "I12", "I1", "I10")
def test_frozen_voter_gets_the_next_identifier_in_one_act(world: World, claire: Enrolled) -> None:
    """After a dispute: the stolen identifier is revoked, the voter can vote with the next one, and
    the register tells it so.
    """
    browser = world.signed_in(claire)
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    stolen = identifier_in(world.sms[-1].text)
    world.browser().dispute(dispute_token_in(world.mail_about(reference)[-1]))
    issued = issue(world, claire)
    world.run_outbox()
    (mail,) = [mail for mail in world.mail_about(issued.reference) if mail.tags["message"] == "identifier"]
    assert world.check(stolen)["status"] == "revoked"
    assert world.vote(stolen).code == "revoked"
    assert world.vote(identifier_in(mail.text)).status == 200
    assert [entry["change"] for entry in world.register(claire)] == [
        "issued",
        "reissued",
        "frozen",
        "reissued",
        "voted",
    ]
