"""What each report of a provider does to a message, wherever that stands: it moves the message
forward once, is told once, and wakes nobody.
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from notify.receipts import Receipt, ReceiptOutcome
from notify.receiving import receive
from reassort.clock import epoch_milliseconds
from reassort.outbox import Message
from reassort.reasons import Reason

from harness.service.events import ses_event, sms_log_event

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World

# What each kind of report moves on, and what operators read of it.
MOVES = {
    "delivery": ({"sending", "sent"}, {"message": "delivered"}),
    "bounce": ({"sending", "sent", "delivered"}, {"message": "delivery failed", "reason": "no-such-mailbox"}),
    "delay": ({"sending", "sent"}, {"message": "delayed", "reason": "mailbox-full"}),
    "complaint": ({"sending", "sent", "delivered"}, {"message": "marked as spam"}),
}
STANDINGS = ("queued", "sending", "sent", "delivered", "failed")


@pytest.fixture
def reference(world: World, browser: Browser, claire: Enrolled) -> str:
    """A reissue by SMS whose messages were sent."""
    accepted: str = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    return accepted


def _told(world: World, name: str) -> list[dict[str, Any]]:
    """Return the lines of the log that have this message, without when and where they were
    written.
    """
    facts = ("message", "delivery", "message_name", "channel", "reason")
    lines = [line for line in world.log_lines if line.get("message") == name]
    return [{fact: line[fact] for fact in facts if fact in line} for line in lines]


@pytest.mark.req("R11", "R12", "I6")
@pytest.mark.parametrize(("kind", "standing"), list(product(MOVES, STANDINGS)))
def test_a_report_moves_a_message_forward_or_does_nothing(
    world: World, claire: Enrolled, reference: str, kind: str, standing: str
) -> None:
    world.change_message(reference, Message.CONFIRMATION, status=standing)
    before = world.delivery_item(reference)
    from_standings, told = MOVES[kind]
    for _ in range(2):
        world.wake("notify", ses_event(kind, reference, "confirmation", to=claire.email))
    after = world.delivery_item(reference)
    if standing not in from_standings:
        assert after == before
        assert world.metrics("Undelivered") == world.metrics("Complaints") == []
        return
    moved = {"delivery": "delivered", "bounce": "failed"}.get(kind, standing)
    assert after["messages"]["confirmation"]["status"] == moved
    (step,) = after["history"][len(before["history"]) :]
    assert (step["message"], step["status"]) == ("confirmation", moved)
    facts = {"delivery": reference, "message_name": "confirmation", "channel": "email"}
    assert _told(world, told["message"]) == [{**facts, **told}]
    assert world.metrics("Undelivered") == ([1] if kind == "bounce" else [])
    assert world.metrics("Complaints") == ([1] if kind == "complaint" else [])


@pytest.mark.req("R12", "I6")
def test_a_carriers_report_that_two_workers_apply_counts_once(world: World, reference: str) -> None:
    event = sms_log_event(world.delivery_item(reference)["sms_id"])
    world.interleave("UpdateItem", lambda: world.another_worker()(event))
    world.wake("notify", event)
    assert world.metrics("SmsSpend") == [0.07368]
    assert world.metrics("Delivered") == [1]
    (told,) = _told(world, "delivered")
    assert (told["message_name"], told["channel"]) == ("identifier", "sms")


@pytest.mark.req("R5")
def test_a_report_brings_no_delivery_again(world: World, browser: Browser, reference: str) -> None:
    assert browser.redeliver(reference, "email").status == 202
    world.lose_stream()
    world.wake("notify", ses_event("delivery", reference, "confirmation"))
    with world.recorded() as calls:
        world.deliver_stream()
    assert calls == []


# ---------------------------------------------------------------- an SMS that nobody knows yet


def _early(world: World) -> Receipt:
    return Receipt(epoch_milliseconds(world.clock()), ReceiptOutcome.FAILED, Reason.UNKNOWN, sms_id="unknown")


@pytest.mark.req("R12")
def test_an_early_report_waits_longer_each_time_and_six_minutes_in_all(world: World) -> None:
    world.wake("notify", sms_log_event("unknown"))
    world.run_for(minutes=10)
    waits = [call.parameters["DelaySeconds"] for call in world.calls if call.operation == "SendMessage"]
    assert waits == sorted(waits)
    assert (len(waits), waits[0], sum(waits)) == (4, 5, 5 + 15 + 60 + 300)
    assert world.metrics("UnknownReceipts") == [1]
    assert len(_told(world, "receipt of an unknown message")) == 1


@pytest.mark.req("R12", "R16")
def test_an_early_report_keeps_count_of_its_way(world: World) -> None:
    receive(_early(world), 2, 7, world.notify)
    (body,) = map(json.loads, world.queued_bodies())
    assert (body["tries"], body["turns"], body["receipt"]["sms_id"]) == (3, 7, "unknown")


@pytest.mark.req("R15", "R16")
def test_a_report_that_tables_put_off_keeps_count_of_its_way(world: World) -> None:
    world.fail("Query", "ThrottlingException")
    receive(_early(world), 2, 7, world.notify)
    (body,) = map(json.loads, world.queued_bodies())
    assert (body["tries"], body["turns"], body["receipt"]["sms_id"]) == (2, 7, "unknown")
    assert len(_told(world, "receipt put off")) == 1


@pytest.mark.req("R16")
def test_a_report_begins_its_way_with_nothing_counted(world: World) -> None:
    world.fail("Query", "ThrottlingException")
    world.wake("notify", sms_log_event("unknown"))
    (body,) = map(json.loads, world.queued_bodies())
    assert (body["tries"], body["turns"]) == (0, 0)
