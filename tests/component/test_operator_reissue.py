"""What an operator's reissue leads to: the voter has the new identifier by e-mail, and it is one
like any other.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from reassort.clock import epoch_milliseconds
from reassort.table_keys import CONTROL_KEY
from reassort_ops.election_control import close_reissues

from harness.service.reading import dispute_token_in, identifier_in
from tests.component.operators import issue, operator_of

if TYPE_CHECKING:
    from harness.service.world import Enrolled, World

KEY = "operator-reissue-key"


@pytest.mark.req("S26", "I1", "I4")
def test_voter_gets_identifier_and_confirmation_and_the_former_one_is_dead(world: World, claire: Enrolled) -> None:
    reference = issue(world, claire)
    world.run_outbox()
    mails = world.mail_to(claire.email)
    assert len(mails) == 2
    (confirmation,) = [mail for mail in mails if "Confirmation" in mail.subject]
    (message,) = [mail for mail in mails if mail is not confirmation]
    identifier = identifier_in(message.text)
    assert reference in message.text
    assert reference in confirmation.text
    assert identifier not in confirmation.text
    # Nobody is told that they asked for what the helpdesk did.
    for mail in mails:
        assert "L’assistance" in mail.text
        assert "ous avez demandé" not in mail.text
        assert "Votre demande" not in mail.text
        assert "Votre demande" not in mail.html
    assert world.sms == []
    assert world.check(identifier)["status"] == "active"
    assert world.check(claire.identifier)["status"] == "revoked"


@pytest.mark.req("S26")
def test_voter_follows_it_and_is_told_that_it_cannot_go_by_sms(world: World, claire: Enrolled) -> None:
    reference = issue(world, claire)
    browser = world.browser()
    browser.sign_in(claire.email)
    assert browser.overview().json["last_reissue"]["reference"] == reference
    status = browser.status(reference).json
    assert status["status"] in {"queued", "sent"}
    assert status["redelivery"] == {"channels": [], "numen": False}
    refused = browser.redeliver(reference, "sms")
    assert (refused.status, refused.code) == (409, "redelivery-expired")
    # And asks for another one as everybody may.
    assert browser.reissue(claire.numen).status == 202


@pytest.mark.req("R2", "I1", "S26")
def test_lost_answer_is_found_out_and_issues_nothing_more(world: World, claire: Enrolled) -> None:
    world.lose_reply("TransactWriteItems")
    agent = world.agent()
    assert agent.act("reissue", claire.email, key=KEY).status == 503
    again = agent.act("reissue", claire.email, key=KEY)
    assert again.status == 200
    assert world.voter(claire).generation == 2
    world.run_outbox()
    assert len(world.mail_to(claire.email)) == 2


@pytest.mark.req("I1", "S26")
def test_identifier_that_the_voter_got_meanwhile_is_not_revoked(world: World, claire: Enrolled) -> None:
    browser = world.signed_in(claire)
    world.interleave("TransactWriteItems", lambda: browser.reissue(claire.numen))
    assert world.agent().act("reissue", claire.email).code == "stale-page"
    assert world.voter(claire).generation == 2


@pytest.mark.req("S35", "I12", "I1", "I10")
def test_frozen_voter_gets_the_next_identifier_in_one_act(world: World, claire: Enrolled) -> None:
    """After a dispute: the stolen identifier is revoked, the voter can vote with the next one, and
    the register tells it so.
    """
    browser = world.signed_in(claire)
    disputed = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    stolen = identifier_in(world.sms[-1].text)
    world.browser().dispute(dispute_token_in(world.mail_about(disputed)[-1]))
    reference = issue(world, claire)
    world.run_outbox()
    (mail,) = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "identifier"]
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


@pytest.mark.req("R2", "I1", "S26")
def test_a_request_that_comes_again_after_a_later_identifier_is_told_so(world: World, claire: Enrolled) -> None:
    agent = world.agent()
    given = agent.act("reissue", claire.email, key=KEY)
    assert (given.status, given.json["generation"]) == (200, 2)
    world.run_outbox()
    assert world.signed_in(claire).reissue(claire.numen).status == 202
    assert agent.act("reissue", claire.email, key=KEY).code == "stale-page"
    assert world.voter(claire).generation == 3


@pytest.mark.req("I3", "S26")
def test_no_identifier_is_revoked_while_it_is_being_sent(
    world: World, claire: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    reference = issue(world, claire)
    world.change_message(reference, "identifier", status="sending", lease_until=2**45)
    refused = world.agent().act("reissue", claire.email)
    assert refused.code == "delivery-in-progress"
    assert int(refused.headers["retry-after"]) > 0
    assert world.voter(claire).generation == 2


@pytest.mark.req("S26")
@pytest.mark.parametrize("stopped", [True, False])
def test_the_helpdesk_gives_nothing_while_reissues_are_stopped_or_the_record_closed_them(
    world: World, claire: Enrolled, *, stopped: bool
) -> None:
    if stopped:
        close_reissues(world.election, "leak", operator_of(world))
    else:
        closed = {"opens_at": 1, "closes_at": epoch_milliseconds(world.clock())}
        world.engine.put("ControlTable", {"key": CONTROL_KEY} | closed)
    code = world.agent().act("reissue", claire.email).code
    assert code == ("reissues-stopped" if stopped else "window-closed")
    assert world.voter(claire).generation == 1


@pytest.mark.req("S13", "S26")
def test_the_helpdesk_gives_as_many_again_and_no_more(world: World, claire: Enrolled) -> None:
    limits = world.election.limits.reissues
    for _ in range(2 * limits.per_day):
        issue(world, claire)
        world.run_outbox()
        world.clock.move(minutes=10)
    refused = world.agent().act("reissue", claire.email)
    assert (refused.status, refused.code) == (429, "too-many-reissues")
    assert "assistance" not in refused.json["detail"]
    assert world.voter(claire).generation == 1 + 2 * limits.per_day
    # When the first of them is a day old, and no second before.
    wait = int(refused.headers["retry-after"])
    assert timedelta(seconds=wait) == timedelta(days=1) - 2 * limits.per_day * timedelta(minutes=10)
    world.clock.move(seconds=wait - 1)
    assert world.agent().act("reissue", claire.email).code == "too-many-reissues"
    world.clock.move(seconds=1)
    assert world.agent().act("reissue", claire.email).status == 200


@pytest.mark.req("S13", "S26")
def test_the_helpdesk_gives_no_more_until_the_window_closes_than_as_many_again_in_all(
    world: World, claire: Enrolled
) -> None:
    most, closes_at = 2 * world.election.limits.reissues.in_all, world.election.windows.reissue.closes_at
    world.change_voter(claire, generation=most, issued_at=list(range(most)))
    issue(world, claire)
    world.run_outbox()
    refused = world.agent().act("reissue", claire.email)
    assert (refused.status, refused.code) == (429, "too-many-reissues")
    assert int(refused.headers["retry-after"]) == (closes_at - world.clock()).total_seconds()
    world.clock.set(closes_at - timedelta(milliseconds=1))
    assert world.agent().act("reissue", claire.email).headers["retry-after"] == "1"
    assert world.voter(claire).generation == most + 1


@pytest.mark.req("S10", "S26")
@pytest.mark.parametrize("tries", [5, 10])
def test_locked_voter_who_was_given_the_next_identifier_is_not_locked_any_more(
    world: World, claire: Enrolled, tries: int
) -> None:
    world.change_voter(claire, numen_failures=tries, numen_locked_until=2**45)
    issue(world, claire)
    world.run_outbox()
    browser = world.signed_in(claire)
    assert browser.overview().json["lock"] is None
    assert browser.reissue("99Z9999999ZZZ").json["attempts_left"] == 4
    assert browser.reissue(claire.numen).status == 202
