"""What goes wrong on the way to a provider: tried again at growing intervals, never in parallel,
never forever.
"""

from __future__ import annotations

import json

import pytest
from notify.delivering import MAX_ATTEMPTS
from notify.retry_queue import MOST_TURNS
from reassort.outbox import Message, Status
from reassort.tables import to_wire

from harness.service.events import load_event
from harness.service.reading import dispute_token_in, identifier_in
from harness.service.wire import ProcessDiedError, aws_error, no_reply
from harness.service.world import Browser, Enrolled, World
from tests.component.voters import ask_reissue

PROVIDERS = [pytest.param("sms", "Publish", id="SNS"), pytest.param("email", "SendEmail", id="SES")]


def _sent_identifiers(world: World) -> list[str]:
    emails = [email.text for email in world.emails if email.tags["message"] == "identifier"]
    return [sms.text for sms in world.sms] + emails


def _attempts(world: World, operation: str) -> int:
    return len([call for call in world.calls if call.operation == operation])


# ---------------------------------------------------------------- outcomes


@pytest.mark.req("R10", "R11", "I2")
@pytest.mark.parametrize(("channel", "operation"), PROVIDERS)
@pytest.mark.parametrize("code", ["MessageRejected", "InvalidParameter", "OptedOutException", "BadRequestException"])
def test_refusal_is_final_and_seen(
    world: World, claire: Enrolled, browser: Browser, channel: str, operation: str, code: str
) -> None:
    reference = ask_reissue(browser, claire, channel)
    world.fail(operation, code)
    world.run_for(minutes=3)
    shown = browser.status(reference).json
    (failed,) = [step for step in shown["history"] if step["status"] == "failed"]
    assert failed["channel"] == channel
    refused = [line for line in world.log_lines if line.get("message") == "delivery refused"]
    assert [(line["delivery"], line["reason"]) for line in refused] == [(reference, failed["reason"]["code"])]
    (counted,) = [line for line in world.log_lines if "Failed" in line]
    assert (counted["channel"], counted["reason"]) == (channel, failed["reason"]["code"])
    # What cannot go one way goes the other, by itself.
    assert (shown["status"], shown["channel"]) == ("sent", "email" if channel == "sms" else "sms")
    assert len(_sent_identifiers(world)) == 1


@pytest.mark.req("R11", "I2", "I4")
def test_confirmation_that_is_refused_does_not_hold_the_identifier(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = ask_reissue(browser, claire)
    world.fail("SendEmail", "MessageRejected")
    world.run_outbox()
    assert len(world.sms) == 1
    assert browser.status(reference).json["status"] == "sent"
    assert world.delivery(reference).status_of(Message.CONFIRMATION) is Status.FAILED
    assert world.metrics("Undelivered") == [1]


@pytest.mark.req("I2")
def test_alert_that_is_refused_must_be_looked_at(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = ask_reissue(browser, claire, "email")
    world.run_outbox()
    (confirmation,) = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "confirmation"]
    browser.dispute(dispute_token_in(confirmation))
    world.fail("Publish", "InvalidParameter")
    world.run_outbox()
    assert world.delivery(reference).status_of(Message.ALERT) is Status.FAILED
    assert world.metrics("Undelivered") == [1]


@pytest.mark.req("R9")
@pytest.mark.parametrize(("channel", "operation"), PROVIDERS)
@pytest.mark.parametrize("code", ["Throttling", "TooManyRequestsException", "LimitExceededException"])
def test_throttling_delays_and_loses_nothing(
    world: World, claire: Enrolled, browser: Browser, channel: str, operation: str, code: str
) -> None:
    reference = ask_reissue(browser, claire, channel)
    world.fail(operation, code, times=3)
    world.run_for(minutes=4)
    assert len(_sent_identifiers(world)) == 1
    assert world.delivery(reference).messages[Message.IDENTIFIER]["attempts"] == 1


@pytest.mark.req("R7", "I6")
@pytest.mark.parametrize(("channel", "operation"), PROVIDERS)
@pytest.mark.parametrize("error", [no_reply(), aws_error("InternalFailure"), aws_error("ServiceUnavailable")])
def test_unknown_outcome_repeats_the_same_text(
    world: World, claire: Enrolled, browser: Browser, channel: str, operation: str, error: Exception
) -> None:
    ask_reissue(browser, claire, channel)
    world.lose_reply(operation, error)
    world.run_for(minutes=2)
    first, second = _sent_identifiers(world)
    assert first == second
    assert world.check(identifier_in(first))["status"] == "active"


@pytest.mark.req("R7", "I2", "I3")
@pytest.mark.parametrize(("channel", "operation"), PROVIDERS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_process_that_dies_while_sending_leaves_a_lease_that_runs_out(
    world: World, claire: Enrolled, browser: Browser, channel: str, operation: str, when: str
) -> None:
    reference = ask_reissue(browser, claire, channel)
    (world.fail if when == "before" else world.lose_reply)(operation, ProcessDiedError())
    with pytest.raises(ProcessDiedError):
        world.run_outbox()
    world.clock.move(seconds=29)
    # The stream brings the record again; the lease of the dead worker still holds.
    world.run_outbox()
    assert len(_sent_identifiers(world)) == (0 if when == "before" else 1)
    world.run_for(minutes=2)
    texts = _sent_identifiers(world)
    assert len(texts) == (1 if when == "before" else 2)
    assert len(set(texts)) == 1
    assert browser.status(reference).json["status"] == "sent"


@pytest.mark.req("R7", "I2")
def test_process_that_dies_before_it_records_finds_out_later(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = ask_reissue(browser, claire)
    # Turn, claim, outcome: the last of these writes does not happen.
    world.fail("UpdateItem", ProcessDiedError(), skip=2)
    with pytest.raises(ProcessDiedError):
        world.run_outbox()
    world.run_for(minutes=3)
    assert {sms.text for sms in world.sms} == {world.sms[0].text}
    assert len(world.sms) == 2
    assert browser.status(reference).json["status"] == "sent"


@pytest.mark.req("R7", "R5")
def test_worker_whose_lease_ran_out_does_not_overwrite_the_next(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = ask_reissue(browser, claire)
    record = world.new_records()

    def slow_first_worker() -> None:
        # While the first worker waits for SNS, its lease runs out and another worker sends.
        world.clock.move(seconds=31)
        world.another_worker()(world.stream_event(record))

    world.interleave("Publish", slow_first_worker)
    world.fail("Publish", no_reply(), skip=1)
    world.run_outbox()
    assert browser.status(reference).json["status"] == "sent"
    world.run_for(minutes=20)
    assert len(world.sms) == 1
    assert world.delivery(reference).status is Status.SENT


# ---------------------------------------------------------------- intervals and budget


@pytest.mark.req("R9", "I2")
def test_attempts_end_and_the_voter_is_told(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = ask_reissue(browser, claire)
    world.fail("Publish", "InternalError", times=-1)
    waits = []
    for _ in range(MAX_ATTEMPTS + 3):
        sent_before = _attempts(world, "SendMessage")
        world.run_outbox()
        waits += [call.parameters["DelaySeconds"] for call in world.calls if call.operation == "SendMessage"][
            sent_before:
        ]
        world.clock.move(minutes=15)
    assert _attempts(world, "Publish") == MAX_ATTEMPTS
    assert all(0 < wait <= 900 for wait in waits)
    # Half to the whole of a wait that doubles from 5 seconds.
    longest = [min(900, 5 * 2**n) for n in range(MAX_ATTEMPTS)]
    assert all(most / 2 - 1 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert waits != longest, "or all that failed together would come again together"
    assert 60 <= sum(longest[:-1]) / 60 <= 70, "about an hour from the first to the last"
    shown = world.signed_in(claire).status(reference).json
    (failed,) = [step for step in shown["history"] if step["status"] == "failed"]
    assert (failed["channel"], failed["reason"]["code"]) == ("sms", "no-answer")
    assert (shown["status"], shown["channel"]) == ("sent", "email")
    assert world.metrics("Failed") == [1]
    assert "delivery failed" in {line.get("message") for line in world.log_lines}
    assert world.queued_bodies() == []


@pytest.mark.req("R9")
@pytest.mark.parametrize("code", ["Throttling", "InternalError"])
def test_sweeper_neither_hurries_nor_multiplies_what_waits(
    world: World, claire: Enrolled, browser: Browser, code: str
) -> None:
    ask_reissue(browser, claire)
    world.fail("Publish", code, times=-1)
    world.run_for(minutes=12)
    # 5 s, 10 s, 20 s … : some eight attempts in that time, and one message that waits for the next.
    assert 5 <= _attempts(world, "Publish") <= 9
    assert len(world.queued_bodies()) == 1


@pytest.mark.req("R9", "R5")
def test_event_that_comes_again_does_not_hurry_a_retry(world: World, claire: Enrolled, browser: Browser) -> None:
    ask_reissue(browser, claire)
    records = world.new_records()
    world.fail("Publish", "Throttling", times=-1)
    for _ in range(5):
        world.wake("notify", world.stream_event(records))
    assert _attempts(world, "Publish") == 1
    assert len(world.queued_bodies()) == 1


@pytest.mark.req("R9")
def test_waits_are_scattered(world: World) -> None:
    voters = [world.enrol(f"agent{number}@ac-dijon.fr", f"09E990{number:04d}ABC") for number in range(8)]
    world.fail("SendEmail", "Throttling", times=4 * len(voters))
    for number, voter in enumerate(voters):
        ask_reissue(world.signed_in(voter), voter, "email", f"06 12 34 56 {number:02d}")
    world.run_outbox()
    world.clock.move(seconds=5)
    world.run_outbox()
    waits = [call.parameters["DelaySeconds"] for call in world.calls if call.operation == "SendMessage"]
    assert len(set(waits)) > 1


# ---------------------------------------------------------------- order, duplicates, lost events


@pytest.mark.req("R5", "I6")
def test_event_that_comes_again_changes_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = ask_reissue(browser, claire)
    records = world.new_records()
    world.run_outbox()
    before = world.delivery_item(reference)
    world.clock.move(hours=1)
    for _ in range(2):
        world.wake("notify", world.stream_event(records))
    world.run_outbox()
    assert world.delivery_item(reference) == before
    assert (len(world.sms), len(world.emails)) == (1, 1)


@pytest.mark.req("R5", "R8", "I3")
def test_events_out_of_order_send_the_last_identifier_only(world: World, claire: Enrolled, browser: Browser) -> None:
    for _ in range(3):
        ask_reissue(browser, claire)
    records = [record for record in world.new_records() if "wake" in record["dynamodb"]["NewImage"]]
    world.lose_stream()
    for record in reversed(records):
        world.wake("notify", world.stream_event([record]))
    world.run_for(minutes=3)
    assert len(world.sms) == 1
    assert world.check(identifier_in(world.sms[0].text))["generation"] == 4
    assert len([email for email in world.emails if email.tags["message"] == "confirmation"]) == 3


@pytest.mark.req("R8", "I3")
def test_operators_reissue_supersedes_a_delivery_that_waits(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = ask_reissue(browser, claire)
    voter = world.voter(claire)
    world.change_voter(claire, generation=3, issued_at=[*voter.issued_at, voter.issued_at[-1] + 1])
    world.run_outbox()
    assert not world.sms
    assert browser.status(reference).json["status"] == "superseded"


@pytest.mark.req("R4", "I2")
def test_sweeper_brings_what_the_stream_lost_after_a_minute(world: World, claire: Enrolled, browser: Browser) -> None:
    ask_reissue(browser, claire)
    world.lose_stream()
    world.clock.move(seconds=59)
    assert world.sweep() == 0
    world.clock.move(seconds=1)
    assert world.sweep() == 1
    world.run_outbox()
    assert (len(world.sms), len(world.emails)) == (1, 1)
    world.clock.move(minutes=5)
    assert world.sweep() == 0


@pytest.mark.req("R4")
def test_sweeper_takes_more_than_one_batch(world: World) -> None:
    voters = [world.enrol(f"agent{number}@ac-dijon.fr", f"09E990{number:04d}ABC") for number in range(12)]
    browsers = [world.browser() for _ in voters]
    for voter, browser in zip(voters, browsers, strict=True):
        browser.ask_code(voter.email)
    world.lose_stream()
    world.clock.move(minutes=1)
    assert world.sweep() == 12
    world.run_outbox()
    # Each has their own code, which nobody else's browser takes.
    for voter, browser in zip(voters, browsers, strict=True):
        assert browser.redeem(world.code_for(voter.email)).status == 200
    assert len(world.emails) == 12


@pytest.mark.req("R4", "R13")
def test_queue_that_is_down_leaves_the_record_in_the_stream(world: World, claire: Enrolled, browser: Browser) -> None:
    ask_reissue(browser, claire)
    world.fail("Publish", "InternalError")
    world.fail("SendMessage", "ServiceUnavailable")
    world.run_outbox()
    assert not world.sms
    world.clock.move(seconds=10)
    # Lambda brings the record again, since the function has named it.
    world.run_outbox()
    assert len(world.sms) == 1


# ---------------------------------------------------------------- poison


def _poison(world: World, delivery_id: str) -> None:
    image = load_event("outbox-stream")["Records"][0]["dynamodb"]["NewImage"]
    item = {**image, "delivery_id": {"S": delivery_id}, "kind": {"S": "no such kind"}}
    item |= to_wire({"address": b"x", "payload": b"x"})
    world.wire.operator.dynamodb.put_item(TableName=world.tables["DeliveriesTable"], Item=item)


@pytest.mark.req("R6")
def test_poison_item_goes_to_the_dead_letters_and_the_others_are_sent(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    ask_reissue(world.signed_in(claire), claire)
    _poison(world, "22222-22222")
    ask_reissue(world.signed_in(paul), paul)
    world.run_outbox()
    assert len(world.sms) == 2
    (waiting,) = world.queued_bodies()
    assert json.loads(waiting)["delivery_id"] == "22222-22222"
    for _ in range(7):
        world.clock.move(seconds=361)
        world.run_outbox()
    assert world.queued_bodies() == []
    assert world.queued_bodies(world.dead_letter_queue) == [waiting]


@pytest.mark.req("R6")
def test_message_that_is_no_message_holds_nobody_up(world: World, claire: Enrolled, browser: Browser) -> None:
    world.fail("Publish", "InternalError")
    ask_reissue(browser, claire)
    world.run_outbox()
    for body in ("", "not json", "[]", '{"delivery_id": "33333-33333"}'):
        world.wire.operator.sqs.send_message(QueueUrl=world.retry_queue, MessageBody=body or " ")
    world.clock.move(seconds=10)
    world.drain_retries()
    assert len(world.sms) == 1
    assert len(world.queued_bodies()) == 3


# ---------------------------------------------------------------- the loop through the queue


@pytest.mark.req("R16", "A8")
def test_a_message_goes_round_the_queue_no_more_often_than_a_loop_may(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    """The sweeper starts another round: neither a table that is down for long nor a long wait makes
    an endless chain.
    """
    ask_reissue(browser, claire)
    world.fail("BatchGetItem", "ThrottlingException", times=-1)
    world.run_outbox()
    turns = set()
    for _ in range(2 * MOST_TURNS):
        turns |= {json.loads(body).get("turns", 0) for body in world.queued_bodies()}
        world.clock.move(minutes=1)
        world.drain_retries()
    assert max(turns) == MOST_TURNS - 1
    assert world.queued_bodies() == []
    world.repair()
    world.run_for(minutes=3)
    assert (len(world.sms), len(world.emails)) == (1, 1)


@pytest.mark.req("R15")
@pytest.mark.parametrize("code", ["ThrottlingException", "TransactionConflictException"])
def test_busy_tables_park_no_delivery(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """However long they are busy: only what makes no sense is given up."""
    # Thousands of pauses of some milliseconds: in this time, which is virtual, nobody waits.
    monkeypatch.setattr("reassort.tables.time.sleep", lambda _: None)
    with World() as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        reference = ask_reissue(world.signed_in(claire), claire)
        world.fail("UpdateItem", code, times=-1)
        world.run_for(minutes=30)
        assert world.queued_bodies(world.dead_letter_queue) == []
        assert "parked_at" not in world.delivery_item(reference)
        world.repair()
        world.run_for(minutes=3)
        assert (len(world.sms), len(world.emails)) == (1, 1)
