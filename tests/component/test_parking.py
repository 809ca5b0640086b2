"""A delivery that cannot be processed ends among the dead letters: its voter sees that, an alarm
rings, an operator brings it back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from notify.parking import PARKED_FOR, defer_sweep, park, unpark
from notify.retry_queue import RECEPTIONS, VISIBILITY
from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.outbox import OVERDUE_AFTER
from reassort.table_keys import DUE_SHARDS, ERASE_SHARDS

from harness.engines.template import read_template

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def _redrive(world: World) -> None:
    """Move every dead letter back, as `StartMessageMoveTask` does."""
    sqs = world.wire.operator.sqs
    while messages := sqs.receive_message(QueueUrl=world.dead_letter_queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.send_message(QueueUrl=world.retry_queue, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=world.dead_letter_queue, ReceiptHandle=message["ReceiptHandle"])


def _damage(world: World, reference: str) -> bytes:
    """Seal something else in a delivery; return what it was."""
    payload: bytes = world.delivery_item(reference)["payload"]
    sealed = world.wire.operator.kms.encrypt(KeyId=world.encryption_key, Plaintext=b"{}")["CiphertextBlob"]
    world.change_delivery(reference, payload=sealed)
    return payload


def test_limits_are_those_of_the_queue() -> None:
    queue = read_template()["Resources"]["RetryQueue"]["Properties"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == RECEPTIONS
    assert queue["VisibilityTimeout"] == VISIBILITY.total_seconds()
    dead_letters = read_template()["Resources"]["DeadLetterQueue"]["Properties"]
    assert dead_letters["MessageRetentionPeriod"] == PARKED_FOR.total_seconds()


@pytest.mark.req("R6", "I2")
def test_poison_is_parked_once_and_holds_nobody(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    _damage(world, reference)
    other = world.signed_in(paul)
    healthy = other.reissue(paul.numen, "06 98 76 54 32").json["reference"]
    world.run_outbox()
    assert other.status(healthy).json["status"] == "sent"
    world.run_for(minutes=45)
    assert len(world.queued_bodies(world.dead_letter_queue)) == 1
    assert not world.queued_bodies()
    shown = world.signed_in(claire).status(reference).json
    assert (shown["status"], shown["reason"]["code"]) == ("failed", "internal")
    assert shown["confirmation"]["status"] == "failed"
    assert world.metrics("Parked") == [1]
    # Nobody comes for it by himself any more.
    world.run_for(minutes=60)
    assert len(world.queued_bodies(world.dead_letter_queue)) == 1
    assert not world.sms[1:]


@pytest.mark.req("R6", "R15", "I2")
def test_parking_that_fails_is_made_up_for_within_the_hour(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    _damage(world, reference)
    # The sweeper brings it once; the stream would bring it twice, and the second message would park
    # it.
    world.lose_stream()
    world.fail("UpdateItem", "ThrottlingException", matches=lambda call: "parked_at" in str(call.parameters))
    world.run_for(minutes=45)
    assert world.queued_bodies(world.dead_letter_queue)
    world.run_for(minutes=45)
    assert world.signed_in(claire).status(reference).json["status"] == "failed"


@pytest.mark.req("R14", "I2", "I6")
def test_redrive_brings_it_back_and_may_be_repeated(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    payload = _damage(world, reference)
    world.run_for(minutes=45)
    # Redriven while still broken: it goes the same way again.
    _redrive(world)
    world.run_for(minutes=45)
    (body,) = world.queued_bodies(world.dead_letter_queue)
    world.change_delivery(reference, payload=payload)
    for _ in range(3):
        world.wire.operator.sqs.send_message(QueueUrl=world.retry_queue, MessageBody=body)
    _redrive(world)
    world.run_for(minutes=5)
    assert len(world.sms) == 1
    assert len(world.mail_about(reference)) == 1
    shown = world.signed_in(claire).status(reference).json
    assert (shown["status"], shown["confirmation"]) == ("sent", {"status": "sent"})
    assert "reason" not in shown
    assert not world.queued_bodies(world.dead_letter_queue)


@pytest.mark.req("S23", "R6")
def test_what_lies_parked_is_erased_with_its_dead_letter_and_sent_no_more(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    payload = _damage(world, reference)
    world.run_for(minutes=45)
    # Somebody removed the cause, and nobody brought it back.
    world.change_delivery(reference, payload=payload)
    parked_at = world.delivery(reference).parked_at
    assert parked_at is not None
    world.clock.set(from_milliseconds(parked_at) + PARKED_FOR - timedelta(milliseconds=1))
    assert world.sweep() == 0
    world.clock.move(milliseconds=1)
    assert world.sweep() == 1
    world.run_outbox()
    world.run_for(minutes=45)
    item = world.delivery_item(reference)
    assert not {"payload", "address", "due_shard", "due_at"} & set(item)
    assert (world.sms, world.emails) == ([], [])
    assert world.delivery(reference).status == "failed"


@pytest.mark.req("R6", "R14", "R4")
def test_what_lies_parked_owes_its_erasure_alone_until_it_is_brought_back_as_new(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.lose_stream()
    later = epoch_milliseconds(world.clock()) + 3_600_000
    for message in ("identifier", "confirmation"):
        world.change_message(reference, message, attempts=5, lease_until=0, not_before=later, turn=later)
    parked = park(world.delivery(reference), world.clock(), world.notify)
    assert parked is not None
    item = world.delivery_item(reference)
    assert item["due_shard"] in ERASE_SHARDS
    assert "wake" not in item
    world.clock.move(minutes=1)
    back = unpark(parked, world.clock(), world.notify)
    assert back is not None
    new = {"status": "queued", "attempts": 0, "round": 0}
    assert (back.queued_at, list(back.messages.values())) == (epoch_milliseconds(world.clock()), [new, new])
    assert [step.status for step in back.identifier_history()] == ["queued", "failed", "queued"]
    assert world.delivery_item(reference)["due_shard"] in DUE_SHARDS
    # Should the worker that brought it back die, the sweeper comes.
    world.clock.set(world.clock() + OVERDUE_AFTER - timedelta(milliseconds=1))
    assert world.sweep() == 0
    world.clock.move(milliseconds=1)
    assert world.sweep() == 1


@pytest.mark.req("R15")
def test_the_sweeper_leaves_what_the_queue_will_bring(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    until = world.clock() + timedelta(minutes=5)
    defer_sweep(reference, until, world.notify)
    assert "wake" not in world.delivery_item(reference), "its own write does not bring it"
    world.clock.set(until - timedelta(milliseconds=1))
    assert world.sweep() == 0
    world.clock.move(milliseconds=1)
    assert world.sweep() == 1


@pytest.mark.req("R13", "I2")
def test_kms_that_is_down_for_hours_loses_nothing_and_counts_nothing(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.fail("Decrypt", "KMSInternalException", times=-1)
    world.run_for(minutes=180)
    assert not world.sms
    assert not world.emails
    assert not world.queued_bodies(world.dead_letter_queue)
    assert world.delivery_item(reference)["messages"]["identifier"]["attempts"] <= 1
    world.repair()
    world.run_for(minutes=20)
    assert len(world.sms) == 1
    assert len(world.emails) == 1


@pytest.mark.req("R15", "I2")
def test_tables_that_are_down_for_hours_lose_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    world.fail("GetItem", "ThrottlingException", times=-1)
    world.run_for(minutes=90)
    assert not world.queued_bodies(world.dead_letter_queue)
    world.repair()
    world.run_for(minutes=5)
    assert len(world.sms) == 1
    assert len(world.emails) == 1


@pytest.mark.req("R4")
def test_what_waits_is_measured_by_lane(world: World, claire: Enrolled, paul: Enrolled, browser: Browser) -> None:
    world.lose_stream()
    browser.reissue(claire.numen)
    world.clock.move(seconds=30)
    world.browser().ask_code(paul.email)
    world.lose_stream()
    world.clock.move(seconds=60)
    world.sweep()
    lines = {line["lane"]: line for line in world.log_lines if "OldestWaiting" in line}
    assert [lines[lane]["OldestWaiting"] for lane in ("sms", "code", "email")] == [[90], [60], [0]]
    assert [lines[lane]["Waiting"] for lane in ("sms", "code", "email")] == [[1], [1], [0]]
    assert world.metrics("OldestOverdue") == [30]
    world.run_for(minutes=1)
    world.sweep()
    assert world.metrics("OldestWaiting")[-3:] == [0, 0, 0]
    assert world.metrics("OldestOverdue")[-1] == 0
