"""What was sealed opens nowhere else, and is erased once nothing can be sent any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from notify.erasure import close_delivery
from reassort.outbox import Message, Status
from reassort.tables import to_wire

from tests.component.voters import ask_reissue

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


@pytest.mark.req("R13", "I2")
def test_without_kms_nothing_is_sent_and_nothing_lost(world: World, claire: Enrolled, browser: Browser) -> None:
    ask_reissue(browser, claire)
    world.fail("Decrypt", "KMSInternalException", times=-1)
    world.run_for(minutes=2)
    assert not world.sms + world.emails
    world.repair()
    world.run_for(minutes=3)
    assert (len(world.sms), len(world.emails)) == (1, 1)


@pytest.mark.req("S23", "S25")
@pytest.mark.parametrize("moved", ["payload", "address"])
def test_what_was_sealed_for_one_delivery_opens_in_no_other(
    world: World, claire: Enrolled, paul: Enrolled, moved: str
) -> None:
    hers = ask_reissue(world.signed_in(claire), claire, "email")
    his = ask_reissue(world.signed_in(paul), paul, "email")
    world.lose_stream()
    world.change_delivery(his, **{moved: world.delivery_item(hers)[moved]})
    world.run_for(minutes=3)
    # His would say hers, or hers would come to him.
    assert {(email.to, email.tags["delivery"]) for email in world.emails} == {(claire.email, hers)}


def _sealed(world: World, reference: str) -> tuple[Any, ...]:
    item = world.delivery_item(reference)
    return tuple(name for name in ("payload", "address", "due_at", "due_shard", "wake") if name in item)


@pytest.mark.req("S23")
def test_code_is_erased_as_soon_as_it_is_sent(world: World, claire: Enrolled) -> None:
    world.browser().ask_code(claire.email)
    world.run_outbox()
    (delivery,) = world.deliveries()
    assert _sealed(world, delivery["delivery_id"]) == ()


@pytest.mark.req("S5", "S23")
def test_code_that_is_too_late_is_not_sent_and_is_erased(world: World, claire: Enrolled) -> None:
    world.browser().ask_code(claire.email)
    world.clock.move(minutes=10)
    world.run_outbox()
    assert not world.emails
    (delivery,) = world.deliveries()
    assert _sealed(world, delivery["delivery_id"]) == ()
    world.clock.move(minutes=10)
    assert world.sweep() == 0


@pytest.mark.req("S23")
@pytest.mark.parametrize("outcome", ["sent", "failed", "superseded"])
def test_identifier_is_erased_when_it_can_be_sent_no_more(
    world: World, claire: Enrolled, browser: Browser, outcome: str
) -> None:
    reference = ask_reissue(browser, claire, "email" if outcome == "failed" else "sms")
    if outcome == "failed":
        world.fail("SendEmail", "MessageRejected")
        world.fail("Publish", "OptedOut", times=-1)
    if outcome == "superseded":
        ask_reissue(browser, claire)
    # Twice: whichever way fails, the other follows.
    for _ in range(2):
        world.run_outbox()
    assert world.delivery(reference).status == outcome
    if outcome != "superseded":
        assert "payload" in _sealed(world, reference)
    world.run_for(minutes=3)
    world.clock.move(minutes=world.election.retention.redelivery_minutes)
    world.sweep()
    world.run_outbox()
    assert _sealed(world, reference) == ()
    world.clock.move(minutes=5)
    assert world.sweep() == 0


def _close(world: World, reference: str) -> None:
    close_delivery(world.delivery(reference), world.clock(), world.notify)


@pytest.mark.req("S23", "I2")
def test_erasure_is_planned_for_the_moment_when_redelivery_ends_and_nothing_happens_before(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = ask_reissue(browser, claire)
    world.run_outbox()
    world.clock.move(minutes=world.election.retention.redelivery_minutes, milliseconds=-1)
    assert world.sweep() == 0
    assert world.metrics("Waiting") == [0, 0, 0], "nothing of it waits to be sent"
    assert "payload" in _sealed(world, reference)
    world.clock.move(milliseconds=1)
    assert world.sweep() == 1
    world.run_outbox()
    assert _sealed(world, reference) == ()


@pytest.mark.req("R4", "S23")
def test_identifier_that_goes_neither_way_waits_for_nothing_but_its_erasure(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = ask_reissue(browser, claire, "email")
    world.run_outbox()
    assert browser.redeliver(reference, "sms").status == 202
    world.change_delivery(reference, fell_back=True)
    world.fail("Publish", "OptedOut")
    world.run_outbox()
    assert world.delivery(reference).status == "failed"
    world.clock.move(minutes=2)
    assert world.sweep() == 0
    assert world.metrics("Waiting") == [0, 0, 0]


@pytest.mark.req("S23", "I2")
@pytest.mark.parametrize(
    ("channel", "status", "attributes", "is_kept"),
    [
        ("sms", "sent", {}, True),
        ("sms", "delivered", {}, False),
        # A mail server may return what it took.
        ("email", "delivered", {}, True),
        ("sms", "sent", {"superseded_at": 1}, False),
        ("sms", "sent", {"disputed_at": 1}, False),
    ],
)
def test_what_nobody_can_ask_for_again_is_erased_at_once(
    world: World,
    claire: Enrolled,
    browser: Browser,
    channel: str,
    status: str,
    attributes: dict[str, int],
    is_kept: bool,
) -> None:
    reference = ask_reissue(browser, claire, channel)
    world.change_message(reference, Message.IDENTIFIER, status=status)
    world.change_delivery(reference, wake=None, **attributes)
    _close(world, reference)
    assert ("payload" in _sealed(world, reference)) is is_kept


@pytest.mark.req("S23")
@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"payload": None}, id="it is due"),
        pytest.param({"due_shard": None, "due_at": None}, id="it is sealed"),
    ],
)
def test_whatever_is_left_of_a_delivery_is_erased(
    world: World, claire: Enrolled, browser: Browser, left: dict[str, None]
) -> None:
    reference = ask_reissue(browser, claire)
    world.change_delivery(reference, wake=None, superseded_at=1, **left)
    _close(world, reference)
    assert _sealed(world, reference) == ()
    with world.recorded() as calls:
        _close(world, reference)
    assert calls == [], "nothing is left to erase"


@pytest.mark.req("I2")
def test_reissue_of_a_voter_who_left_the_roll_is_not_dropped_in_silence(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = ask_reissue(browser, claire)
    world.wire.operator.dynamodb.delete_item(
        TableName=world.tables["VotersTable"], Key=to_wire({"voter_id": claire.voter_id})
    )
    world.run_outbox()
    assert world.delivery(reference).status in {Status.SENT, Status.FAILED}
