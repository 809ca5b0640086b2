"""Redelivery: the same identifier by the other channel. Nothing is issued, and nothing that arrived
is sent again.
"""

from __future__ import annotations

import pytest
from reassort.clock import epoch_milliseconds
from reassort.outbox import Message
from reassort.table_keys import due_shard

from harness.service.reading import identifier_in
from harness.service.world import Browser, Enrolled, World
from tests.component.voters import reissued


@pytest.mark.req("R10", "U6")
@pytest.mark.parametrize(
    ("first", "other", "destination"), [("sms", "email", "c•••@ac-dijon.fr"), ("email", "sms", "•• •• •• 56 78")]
)
def test_same_identifier_goes_by_the_other_channel(
    world: World, claire: Enrolled, browser: Browser, first: str, other: str, destination: str
) -> None:
    reference = reissued(world, browser, claire, first)
    before = (world.voter(claire), world.register(claire), world.items("IdentifiersTable"))
    answer = browser.redeliver(reference, other)
    assert (answer.status, answer.json) == (
        202,
        {"reference": reference, "generation": 2, "channel": other, "destination": destination},
    )
    assert browser.status(reference).json["status"] == "queued"
    world.run_outbox()
    emails = [email for email in world.emails if email.tags["message"] == "identifier"]
    assert (len(world.sms), len(emails)) == (1, 1)
    assert identifier_in(world.sms[0].text) == identifier_in(emails[0].text)
    assert (world.voter(claire), world.register(claire), world.items("IdentifiersTable")) == before
    shown = browser.status(reference).json
    assert (shown["channel"], shown["destination"], shown["status"]) == (other, destination, "sent")


@pytest.mark.req("I4")
def test_confirmation_is_not_sent_again(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    browser.redeliver(reference, "email")
    world.run_outbox()
    assert [email.tags["message"] for email in world.emails] == ["confirmation", "identifier"]


@pytest.mark.req("R8", "R10")
def test_what_is_sent_again_is_due_at_once_and_waits_from_now_on(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire)
    world.clock.move(minutes=3)
    assert browser.redeliver(reference, "email").status == 202
    item, now = world.delivery_item(reference), epoch_milliseconds(world.clock())
    assert (item["wake"], item["due_shard"], item["due_at"]) == ("queued", due_shard(reference), now)
    assert item["queued_at"] == now


@pytest.mark.req("I6")
def test_asking_twice_sends_once(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    first, again = browser.redeliver(reference, "email"), browser.redeliver(reference, "email")
    assert (first.status, first.json) == (again.status, again.json)
    world.run_outbox()
    assert len([email for email in world.emails if email.tags["message"] == "identifier"]) == 1


@pytest.mark.req("I5", "I6")
def test_asking_twice_is_refused_once_the_identifier_has_voted(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire)
    assert browser.redeliver(reference, "email").status == 202
    world.vote(identifier_in(world.sms[0].text))
    assert browser.redeliver(reference, "email").code == "already-voted"


@pytest.mark.req("I6")
def test_asking_twice_at_once_sends_once(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    cookies = browser.cookies
    body = {"channel": "email"}
    path = f"/api/reissue/{reference}/redelivery"
    world.interleave("TransactWriteItems", lambda: world.call("POST", path, body, cookies))
    assert browser.redeliver(reference, "email").code == "delivery-in-progress"
    world.run_outbox()
    assert len([email for email in world.emails if email.tags["message"] == "identifier"]) == 1


@pytest.mark.req("R2", "I6")
def test_lost_reply_of_a_redelivery(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.lose_reply("TransactWriteItems")
    assert browser.redeliver(reference, "email").status == 503
    assert browser.redeliver(reference, "email").status == 202
    world.run_outbox()
    assert len([email for email in world.emails if email.tags["message"] == "identifier"]) == 1


def test_same_channel_is_a_field_fault(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire, "sms")
    refused = browser.redeliver(reference, "sms")
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert [fault["field"] for fault in refused.json["errors"]] == ["channel"]


@pytest.mark.parametrize("body", [{}, {"channel": "pigeon"}, {"channel": None}, {"channel": ["email"]}])
def test_unknown_channel_is_a_field_fault(world: World, claire: Enrolled, browser: Browser, body: object) -> None:
    reference = reissued(world, browser, claire)
    refused = browser.call("POST", f"/api/reissue/{reference}/redelivery", body)
    assert (refused.status, refused.code) == (422, "invalid-fields")


def test_delivered_identifier_is_not_sent_again(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.change_message(reference, "identifier", status="delivered")
    refused = browser.redeliver(reference, "email")
    assert (refused.status, refused.code) == (409, "already-delivered")


@pytest.mark.req("I3")
def test_replaced_identifier_is_not_sent_again(world: World, claire: Enrolled, browser: Browser) -> None:
    first = reissued(world, browser, claire)
    reissued(world, browser, claire)
    refused = browser.redeliver(first, "email")
    assert (refused.status, refused.code) == (409, "superseded")


@pytest.mark.req("I3")
def test_reissue_that_slips_into_a_redelivery_wins(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    old = identifier_in(world.sms[0].text)
    other = world.signed_in(claire)
    world.interleave("TransactWriteItems", lambda: other.reissue(claire.numen))
    assert browser.redeliver(reference, "email").status == 429
    assert browser.redeliver(reference, "email").code == "superseded"
    world.run_for(minutes=3)
    assert not [email for email in world.emails if old in email.text]


def test_used_identifier_is_not_sent_again(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.vote(identifier_in(world.sms[0].text))
    assert browser.redeliver(reference, "email").code == "already-voted"


def test_frozen_identifier_is_not_sent_again(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.change_voter(claire, frozen_at=1)
    assert browser.redeliver(reference, "email").code == "frozen"
    # One that was disputed neither, whatever became of its voter.
    world.change_voter(claire, frozen_at=None)
    world.change_delivery(reference, disputed_at=1)
    assert browser.redeliver(reference, "email").code == "frozen"


def test_nothing_is_sent_again_once_the_window_has_closed(world: World, claire: Enrolled) -> None:
    world.clock.set(world.election.windows.reissue.closes_at)
    world.clock.move(minutes=-1)
    browser = world.signed_in(claire)
    reference = reissued(world, browser, claire)
    world.clock.move(minutes=1)
    assert browser.redeliver(reference, "email").code == "window-closed"


def test_identifier_that_is_being_sent_waits(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    answers = []
    world.interleave("Publish", lambda: answers.append(browser.redeliver(reference, "email")))
    world.run_outbox()
    assert (answers[0].status, answers[0].code) == (429, "delivery-in-progress")
    assert browser.redeliver(reference, "email").status == 202


@pytest.mark.req("R10", "U6")
def test_identifier_that_waits_for_its_next_attempt_can_go_the_other_way(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    world.fail("Publish", "ThrottledException", times=-1)
    reference = reissued(world, browser, claire)
    assert browser.redeliver(reference, "email").status == 202
    world.run_outbox()
    assert browser.status(reference).json["status"] == "sent"
    world.repair()
    world.run_for(minutes=20)
    assert not world.sms


@pytest.mark.req("R10")
@pytest.mark.parametrize(
    ("reason", "code"), [("no-such-mailbox", "redelivery-expired"), ("mailbox-full", None)], ids=["never", "later"]
)
def test_nothing_goes_where_it_would_fail_again(
    world: World, claire: Enrolled, browser: Browser, reason: str, code: str | None
) -> None:
    reference = reissued(world, browser, claire)
    failed = {"at": 1, "message": "identifier", "status": "failed", "channel": "email", "reason": reason}
    world.change_delivery(reference, history=[*world.delivery_item(reference)["history"], failed])
    assert browser.redeliver(reference, "email").code == code


@pytest.mark.req("R10")
@pytest.mark.parametrize(("status", "code"), [("sending", "delivery-in-progress"), ("sent", None)])
def test_only_a_lease_of_what_is_being_sent_keeps_it(
    world: World, claire: Enrolled, browser: Browser, status: str, code: str | None
) -> None:
    reference = reissued(world, browser, claire)
    world.change_message(reference, "identifier", status=status, lease_until=2**45)
    assert browser.status(reference).json["redelivery"]["channels"] == ([] if code else ["email"])
    assert browser.redeliver(reference, "email").code == code


@pytest.mark.req("R6", "R10")
def test_identifier_that_is_parked_can_go_the_other_way(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.change_delivery(reference, parked_at=7)
    assert browser.redeliver(reference, "email").status == 202
    # It waits for no operator any more.
    assert world.delivery(reference).parked_at is None


@pytest.mark.req("S13")
def test_three_redeliveries(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire, "email")
    for channel in ("sms", "email", "sms"):
        assert browser.redeliver(reference, channel).status == 202
        world.run_outbox()
    refused = browser.redeliver(reference, "email")
    assert (refused.status, refused.code) == (429, "too-many-redeliveries")


def test_erased_identifier_cannot_be_sent_again(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.change_delivery(reference, payload=None)
    refused = browser.redeliver(reference, "email")
    assert (refused.status, refused.code) == (409, "redelivery-expired")


@pytest.mark.req("R8", "I3")
def test_redelivery_that_is_superseded_before_it_is_sent_leaves_nothing_behind(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    first = reissued(world, browser, claire)
    browser.redeliver(first, "email")
    browser.reissue(claire.numen)
    world.run_outbox()
    delivery = world.delivery(first)
    assert delivery.status_of(Message.IDENTIFIER) == "superseded"
    assert (delivery.payload, delivery.address, delivery.due_at) == (None, None, None)


# ------------------------------------------------------------ the mailbox alone is no proof


@pytest.mark.req("S39", "S11")
def test_who_reads_the_mailbox_does_not_get_what_was_asked_for_by_sms(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    """A thief signs in by the mailbox, reads the reference there, and asks for the e-mail."""
    reference = reissued(world, browser, claire)
    thief = world.browser()
    thief.sign_in(claire.email)
    assert thief.status(reference).json["redelivery"] == {"channels": ["email"], "numen": True}
    refused = thief.redeliver(reference, "email")
    assert (refused.status, [fault["field"] for fault in refused.json["errors"]]) == (422, ["numen"])
    world.run_outbox()
    assert not [email for email in world.emails if email.tags["message"] == "identifier"]


@pytest.mark.req("S39")
def test_numen_lets_another_session_send_it_again(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    assert browser.status(reference).json["redelivery"] == {"channels": ["email"], "numen": False}
    world.change_voter(claire, numen_failures=2, numen_locked_until=1)
    answer = world.signed_in(claire).redeliver(reference, "email", numen=f" {claire.numen.lower()}")
    assert (answer.status, answer.json["channel"]) == (202, "email")
    world.run_outbox()
    assert len([email for email in world.emails if email.tags["message"] == "identifier"]) == 1
    voter = world.voter(claire)
    assert (voter.numen_failures, voter.numen_locked_until) == (0, 0)


@pytest.mark.req("S39", "S10")
def test_wrong_numens_of_redeliveries_count_and_lock(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    other = world.signed_in(claire)
    answers = [other.redeliver(reference, "email", numen=f"99Z000000{number}ZZZ") for number in range(5)]
    assert [answer.code for answer in answers] == ["numen-mismatch"] * 4 + ["locked"]
    locked = other.redeliver(reference, "email", numen=claire.numen)
    assert (locked.status, locked.code) == (429, "locked")
    # The form of a new request meets the same lock.
    assert other.reissue(claire.numen).code == "locked"


@pytest.mark.req("S39", "S10")
def test_wrong_numen_that_slips_in_is_not_forgotten(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    other = world.signed_in(claire)
    world.interleave("TransactWriteItems", lambda: world.change_voter(claire, numen_failures=10))
    assert other.redeliver(reference, "email", numen=claire.numen).code == "delivery-in-progress"
    assert other.redeliver(reference, "email", numen=claire.numen).code == "locked"


@pytest.mark.req("S39", "S10")
def test_wrong_numen_over_which_another_slipped_in_is_not_counted_as_the_first(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire)
    world.interleave("UpdateItem", lambda: world.change_voter(claire, numen_failures=3))
    other = world.signed_in(claire)
    assert other.redeliver(reference, "email", numen="99Z0000001ZZZ").code == "delivery-in-progress"
    assert world.voter(claire).numen_failures == 3


@pytest.mark.req("S39")
def test_by_sms_no_numen_is_needed(world: World, claire: Enrolled, browser: Browser) -> None:
    """It goes to the telephone of the request, no matter who asks."""
    reference = reissued(world, browser, claire, "email")
    assert world.signed_in(claire).redeliver(reference, "sms").status == 202


@pytest.mark.req("S29")
@pytest.mark.parametrize("numen", [None, "", 7, "x" * 41, "09E9900123AB"])
def test_numen_that_can_be_none_is_named(world: World, claire: Enrolled, browser: Browser, numen: object) -> None:
    reference = reissued(world, browser, claire)
    refused = world.signed_in(claire).redeliver(reference, "email", numen=numen)
    assert (refused.status, [fault["field"] for fault in refused.json["errors"]]) == (422, ["numen"])
