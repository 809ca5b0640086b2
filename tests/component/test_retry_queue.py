"""What goes into the retry queue, when it comes out, and what is done with it then."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from notify.parking import PARKED_FOR, park
from notify.retry_queue import MOST_TURNS, RECEPTIONS, VISIBILITY, after_outage, put_back, queue_delivery
from reassort.clock import epoch_milliseconds
from reassort.outbox import OVERDUE_AFTER, Message

from harness.service.events import queue_event

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


@pytest.fixture
def reference(world: World, browser: Browser, claire: Enrolled) -> str:
    """A reissue by SMS that its event has not brought to delivery, and will not."""
    accepted: str = browser.reissue(claire.numen).json["reference"]
    world.lose_stream()
    return accepted


def _now(world: World) -> int:
    return epoch_milliseconds(world.clock())


def _bring(world: World, body: dict[str, Any], *, sent_at: int | None = None, reception: int = 1) -> bool:
    """Let a message come out of the queue; tell whether it was done with."""
    attributes = {"SentTimestamp": str(sent_at or _now(world)), "ApproximateReceiveCount": str(reception)}
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(body), "MD5OfBody": "d"}
    event = queue_event([{**message, "Attributes": attributes}], "arn:aws:sqs:eu-west-3:111122223333:retries")
    failures: list[dict[str, str]] = world.wake("notify", event)["batchItemFailures"]
    assert failures in ([], [{"itemIdentifier": "m"}])
    return not failures


def _break(world: World, reference: str, **attributes: Any) -> None:
    """Make a delivery one that cannot be processed."""
    world.change_delivery(reference, **(attributes or {"payload": b"not a ciphertext"}))


def _queued(world: World) -> list[dict[str, Any]]:
    return [json.loads(body) for body in world.queued_bodies()]


# ---------------------------------------------------------------- into the queue


@pytest.mark.req("R9")
@pytest.mark.parametrize(
    ("seconds", "delay"), [(-5, 0), (0, 0), (0.2, 1), (1, 1), (899.5, 900), (900, 900), (1200, 900)]
)
def test_a_message_comes_out_at_its_time_and_not_before_as_far_as_sqs_delays_it(
    world: World, seconds: float, delay: int
) -> None:
    with world.recorded() as calls:
        put_back({}, world.clock() + timedelta(seconds=seconds), world.notify)
    assert [call.parameters["DelaySeconds"] for call in calls] == [delay]


@pytest.mark.req("R16")
def test_a_delivery_goes_round_for_a_day_of_the_longest_delays(world: World) -> None:
    assert timedelta(minutes=15) * MOST_TURNS == timedelta(days=1)
    until = world.clock() + timedelta(minutes=1)
    for turns in (MOST_TURNS - 1, MOST_TURNS):
        queue_delivery("22222-22222", until, turns, world.notify)
    assert _queued(world) == [
        {"delivery_id": "22222-22222", "until": epoch_milliseconds(until), "turns": MOST_TURNS - 1}
    ]
    left = [line["delivery"] for line in world.log_lines if line["message"] == "delivery left to the sweeper"]
    assert left == ["22222-22222"]


@pytest.mark.req("R15")
def test_after_an_outage_not_everybody_comes_back_at_once(world: World) -> None:
    waits = [(after_outage(world.notify) - world.clock()).total_seconds() for _ in range(300)]
    assert 20 <= min(waits) < 30
    assert 50 < max(waits) <= 60


@pytest.mark.req("R13", "R16")
def test_a_first_attempt_that_ends_in_a_fault_is_made_again_a_second_later(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    browser.reissue(claire.numen)
    world.fail("BatchGetItem", "InternalServerError")
    with world.recorded() as calls:
        world.deliver_stream()
    (queued,) = [call.parameters for call in calls if call.operation == "SendMessage"]
    assert (queued["DelaySeconds"], json.loads(queued["MessageBody"])["turns"]) == (1, 0)
    assert "first attempt failed" in world.log_text


@pytest.mark.req("R13")
def test_a_record_that_can_be_neither_processed_nor_queued_is_named_and_told(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    browser.reissue(claire.numen)
    world.fail("BatchGetItem", "InternalServerError")
    world.fail("SendMessage", "InternalError")
    (record, *_) = world.new_records()
    answer = world.wake("notify", world.stream_event([record]))
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    assert "record kept in the stream" in world.log_text


# ---------------------------------------------------------------- out of the queue


@pytest.mark.req("R9")
def test_what_comes_out_before_its_time_goes_back_and_at_its_time_it_is_sent(world: World, reference: str) -> None:
    until = _now(world) + 1000
    body = {"delivery_id": reference, "until": until}
    assert _bring(world, body)
    assert world.sms == []
    assert _queued(world) == [{**body, "turns": 1}]
    world.clock.move(seconds=1)
    assert _bring(world, {**body, "turns": 1})
    assert len(world.sms) == 1


@pytest.mark.req("R12")
def test_a_report_that_was_never_tried_waits_from_the_start(world: World) -> None:
    receipt = {"at": _now(world), "outcome": "delivered", "sms_id": "unknown"}
    assert _bring(world, {"receipt": receipt})
    assert _queued(world) == [{"receipt": receipt, "tries": 1, "turns": 1}]


@pytest.mark.req("R15")
def test_the_sweeper_leaves_what_an_outage_put_off_until_a_minute_after_its_time(world: World, reference: str) -> None:
    world.fail("BatchGetItem", "ThrottlingException")
    assert _bring(world, {"delivery_id": reference, "turns": 4})
    (body,) = _queued(world)
    assert (body["delivery_id"], body["turns"]) == (reference, 5)
    assert world.delivery_item(reference)["due_at"] == body["until"] + OVERDUE_AFTER // timedelta(milliseconds=1)
    assert "attempt put off" in world.log_text


@pytest.mark.req("R6", "R15")
def test_the_sweeper_leaves_poison_while_the_queue_will_bring_it(world: World, reference: str) -> None:
    _break(world, reference)
    for reception in range(1, RECEPTIONS):
        assert not _bring(world, {"delivery_id": reference}, reception=reception)
        item = world.delivery_item(reference)
        assert item["due_at"] == _now(world) + 2 * VISIBILITY // timedelta(milliseconds=1)
        assert "parked_at" not in item
        world.clock.move(seconds=360)
    assert not _bring(world, {"delivery_id": reference}, reception=RECEPTIONS)
    assert world.delivery(reference).parked_at == _now(world)
    assert [line["delivery"] for line in world.log_lines if line.get("message") == "delivery parked"] == [reference]
    assert "message kept in the queue" in world.log_text


@pytest.mark.req("R6", "R15")
def test_poison_that_was_not_parked_because_of_an_outage_is_not_left_for_two_weeks(
    world: World, reference: str
) -> None:
    _break(world, reference)
    world.fail("GetItem", "ThrottlingException", skip=1)
    assert not _bring(world, {"delivery_id": reference}, reception=RECEPTIONS)
    assert world.delivery_item(reference)["due_at"] == _now(world) + 2 * VISIBILITY // timedelta(milliseconds=1)


@pytest.mark.req("R6")
def test_the_sweeper_leaves_what_cannot_even_be_read_as_long_as_its_dead_letter_is_kept(
    world: World, reference: str
) -> None:
    _break(world, reference, kind="no such kind")
    assert not _bring(world, {"delivery_id": reference}, reception=RECEPTIONS)
    assert world.delivery_item(reference)["due_at"] == _now(world) + PARKED_FOR // timedelta(milliseconds=1)


@pytest.mark.req("R14")
@pytest.mark.parametrize(("later", "comes_back"), [(-1, False), (0, False), (1, True)])
def test_only_what_was_queued_after_the_parking_brings_a_delivery_back(
    world: World, reference: str, later: int, comes_back: bool
) -> None:
    parked_at = _now(world)
    assert park(world.delivery(reference), world.clock(), world.notify) is not None
    world.clock.move(minutes=1)
    assert _bring(world, {"delivery_id": reference}, sent_at=parked_at + later)
    assert bool(world.sms) is comes_back
    assert world.delivery(reference).status_of(Message.IDENTIFIER) == ("sent" if comes_back else "failed")
