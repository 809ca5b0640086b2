"""Canaries take the way of voters' messages, once each time they are due, and one that does not
arrive is missed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, local
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from notify.canary import Canary, sweep_canaries
from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Kind, Message, Status
from reassort.table_keys import sms_day_attribute

from harness.elections import read_election
from harness.engines.moto import MOTO
from harness.service.events import ses_event, sms_log_event
from harness.service.wire import ProcessDiedError, no_reply
from harness.service.world import START, World
from tests.invariants import SENDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reassort.election_file import ElectionFile

    from harness.service.wire import Call

MAILBOX = "sonde.reassort@ac-dijon.fr"
OTHER_MAILBOX = "sonde.reassort@u-bourgogne.fr"
HANDSET = "+33612340099"
CANARIES = {
    "every_minutes": 15,
    "late_after_minutes": 5,
    "targets": [
        {"domain": "ac-dijon.fr", "mailbox": MAILBOX, "handset": HANDSET},
        {"domain": "u-bourgogne.fr", "mailbox": OTHER_MAILBOX},
    ],
}
# The first that is due once somebody watches, a little after `START`.
DUE = datetime(2018, 11, 30, 9, 30, tzinfo=UTC)
NAMES = {("ac-dijon.fr", Channel.EMAIL), ("ac-dijon.fr", Channel.SMS), ("u-bourgogne.fr", Channel.EMAIL)}


def _election(**replaced: Any) -> ElectionFile:
    return read_election("dijon-2018", canaries=CANARIES, **replaced)


@pytest.fixture
def watched() -> Iterator[World]:
    """A service that was switched on at 9:16, and at which it is 9:30 now."""
    with World(_election()) as world:
        world.clock.move(minutes=1)
        world.sweep()
        world.clock.set(DUE)
        yield world


def _id(domain: str = "ac-dijon.fr", channel: Channel = Channel.EMAIL, at: datetime = DUE) -> str:
    return Canary(domain, channel, epoch_milliseconds(at)).delivery_id


def _minute(world: World) -> None:
    world.sweep()
    world.run_outbox()


def _arrive(world: World) -> None:
    """Let SES and the carrier report every canary that was sent."""
    for email in world.emails:
        world.wake("notify", ses_event("delivery", email.tags["delivery"], "canary", to=email.to, at=world.clock()))
    for item in world.deliveries():
        if "sms_id" in item:
            world.wake("notify", sms_log_event(item["sms_id"], at=world.clock()))


def _missing(world: World) -> dict[tuple[str, ...], float]:
    """Return what the last sweep missed, by channel and domain, or by channel in all."""
    lines = [line for line in world.log_lines if "CanariesMissing" in line]
    return {
        tuple(line[name] for name in ("channel", "domain") if name in line): line["CanariesMissing"][0]
        for line in lines
    }


def test_canary_is_named_by_domain_channel_and_time() -> None:
    canary = Canary("ac-dijon.fr", Channel.SMS, epoch_milliseconds(DUE))
    assert canary.delivery_id == "canary-ac-dijon_fr-sms-25726170"
    assert Canary.of(canary.delivery_id) == canary


def test_no_canary_without_a_word_of_the_election(world: World) -> None:
    before = len(world.calls)
    world.sweep()
    assert world.deliveries() == []
    assert {call.operation for call in world.calls[before:]} == {"Query", "DescribeKey"}
    assert "CanariesMissing" not in world.log_text


@pytest.mark.req("P9")
def test_one_that_arrived_is_not_missed_while_the_next_is_on_its_way(watched: World) -> None:
    _minute(watched)
    _arrive(watched)
    watched.clock.move(minutes=15)
    _minute(watched)
    assert set(_missing(watched).values()) == {0.0}


@pytest.mark.req("P9")
def test_one_that_was_queued_is_not_put_again(watched: World) -> None:
    watched.sweep()
    before = len(watched.calls)
    watched.sweep()
    assert "PutItem" not in {call.operation for call in watched.calls[before:]}


@pytest.mark.req("P9")
def test_one_that_another_sweep_sends_meanwhile_is_sent_once(watched: World) -> None:
    watched.interleave("PutItem", lambda: _minute(watched))
    _minute(watched)
    assert sorted(email.to for email in watched.emails) == [MAILBOX, OTHER_MAILBOX]
    assert len(watched.sms) == 1


@pytest.mark.req("P9", "U12")
def test_each_mailbox_and_handset_gets_one_when_it_is_due(watched: World) -> None:
    assert watched.deliveries() == [], "one that was due before anybody watched"
    for _ in range(15):
        _minute(watched)
        watched.clock.move(minutes=1)
    assert sorted(email.to for email in watched.emails) == [MAILBOX, OTHER_MAILBOX]
    (sms,) = watched.sms
    assert sms.to == HANDSET
    assert {Canary.of(item["delivery_id"]) for item in watched.deliveries()} == {
        Canary(domain, channel, epoch_milliseconds(DUE)) for domain, channel in NAMES
    }
    _minute(watched)
    assert len(watched.emails) == 4
    assert len(watched.sms) == 2


def test_canary_says_that_it_is_a_test_and_holds_nothing_of_a_voter(watched: World) -> None:
    _minute(watched)
    for text in [watched.sms[0].text, *(email.text for email in watched.emails)]:
        assert "est automatique du service" in text
        assert "contestation" not in text
    item = watched.delivery_item(_id())
    assert (item["kind"], item["voter_id"]) == (Kind.CANARY, "canary")
    assert list(item["messages"]) == [Message.CANARY]
    assert not {"generation", "phone_hash", "destinations"} & set(item)


@pytest.mark.req("I7", "S9")
def test_neither_mailbox_nor_handset_stands_anywhere_in_the_clear(watched: World) -> None:
    watched.sweep()
    held = repr([watched.items(table) for table in watched.tables])
    asked = repr([call for call in watched.calls if call.operation not in {"Encrypt", *SENDING}])
    watched.run_outbox()
    _arrive(watched)
    held += repr([watched.items(table) for table in watched.tables])
    for secret in (MAILBOX, OTHER_MAILBOX, HANDSET, HANDSET[3:]):
        assert secret not in held + asked + watched.log_text


def test_what_was_sealed_is_erased_once_it_was_sent_and_the_rest_after_a_day(watched: World) -> None:
    _minute(watched)
    for domain, channel in NAMES:
        item = watched.delivery_item(_id(domain, channel))
        assert not {"payload", "address", "due_shard", "due_at"} & set(item)
        assert item["expires_at"] == int(DUE.timestamp()) + 86_400


def test_canary_counts_against_the_rate_and_the_days_sms(watched: World) -> None:
    watched.sweep()
    before = len(watched.calls)
    watched.run_outbox()
    lanes = [call for call in watched.calls[before:] if call.tables == (watched.tables["PaceTable"],)]
    assert len([call for call in lanes if "pace#email" in str(call.parameters)]) >= 2
    pace = watched.engine.get("PaceTable", {"key": "pace#sms"})
    assert pace is not None
    assert pace[sms_day_attribute(DUE.astimezone(watched.election.zone))] == 1
    assert len(watched.metrics("SmsCapUsed")) == 1


def test_time_to_arrive_is_measured_from_when_it_was_due(watched: World) -> None:
    watched.clock.move(seconds=20)
    _minute(watched)
    watched.clock.move(seconds=22)
    _arrive(watched)
    _arrive(watched)
    assert watched.metrics("CanarySeconds") == [42.0, 42.0, 42.0], "a receipt that comes twice is no second canary"
    measured = {(line["domain"], line["channel"]) for line in watched.log_lines if "CanarySeconds" in line}
    assert measured == NAMES
    assert {watched.delivery(_id(*name)).status_of(Message.CANARY) for name in NAMES} == {Status.DELIVERED}


def test_canary_that_does_not_arrive_is_missed_until_one_does(watched: World) -> None:
    _minute(watched)
    watched.clock.move(minutes=5, seconds=-1)
    watched.sweep()
    assert not any(_missing(watched).values()), "it still has a second"
    watched.clock.move(seconds=1)
    watched.sweep()
    assert _missing(watched) == {
        ("email",): 2, ("email", "ac-dijon.fr"): 1, ("email", "u-bourgogne.fr"): 1,
        ("sms",): 1, ("sms", "ac-dijon.fr"): 1,
    }  # fmt: skip
    _arrive(watched)
    watched.sweep()
    assert not any(_missing(watched).values())


@pytest.mark.parametrize("operation", ["Encrypt", "PutItem", "BatchGetItem", "UpdateItem"])
def test_canary_that_cannot_even_be_queued_is_missed(watched: World, operation: str) -> None:
    watched.fail(operation, "InternalServerError", times=-1)
    for _ in range(6):
        watched.sweep()
        watched.clock.move(minutes=1)
    assert _missing(watched)["email",] == 2
    assert _missing(watched)["sms",] == 1
    watched.repair()
    _minute(watched)
    _arrive(watched)
    watched.sweep()
    assert not any(_missing(watched).values())


@pytest.mark.req("R5", "R13", "R15")
@pytest.mark.parametrize("operation", ["UpdateItem", "BatchGetItem", "Encrypt", "PutItem"])
@pytest.mark.parametrize("how", ["refused", "throttled", "reply lost", "dies before", "dies after"])
def test_fault_of_any_call_leaves_one_canary_of_each(watched: World, operation: str, how: str) -> None:
    match how:
        case "refused":
            watched.fail(operation, "AccessDeniedException")
        case "throttled":
            watched.fail(operation, "ThrottlingException")
        case "reply lost":
            watched.lose_reply(operation, no_reply())
        case "dies before":
            watched.fail(operation, ProcessDiedError())
        case _:
            watched.lose_reply(operation, ProcessDiedError())
    if how.startswith("dies"):
        with pytest.raises(ProcessDiedError):
            watched.sweep()
    else:
        assert watched.sweep() == 0, "what waits is swept all the same"
        told = {line.get("message") for line in watched.log_lines}
        assert ("canary not queued" if operation in {"Encrypt", "PutItem"} else "canaries not swept") in told
    watched.run_outbox()
    watched.repair()
    watched.clock.move(minutes=1)
    _minute(watched)
    assert sorted(email.to for email in watched.emails) == [MAILBOX, OTHER_MAILBOX]
    assert len(watched.sms) == 1


def test_canary_that_is_due_at_the_very_moment_somebody_watches_flies_and_is_missed() -> None:
    with World(_election()) as world:
        world.sweep()
        assert len(world.deliveries()) == len(NAMES)
        assert not any(_missing(world).values())
        world.clock.move(minutes=5)
        world.sweep()
        assert _missing(world)["sms",] == 1


def test_canaries_are_looked_for_where_nothing_is_stale(watched: World) -> None:
    watched.sweep()
    (read,) = [call for call in watched.calls if call.operation == "BatchGetItem"][-1:]
    assert read.parameters["RequestItems"][watched.tables["DeliveriesTable"]]["ConsistentRead"] is True


def test_canaries_of_which_the_table_does_not_tell_are_missed(watched: World) -> None:
    answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {watched.tables["DeliveriesTable"]: {"Keys": []}}}
    dynamodb = Mock(wraps=watched.notify.dynamodb, batch_get_item=Mock(return_value=answer))
    sweep_canaries(replace(watched.notify, dynamodb=dynamodb))
    assert _missing(watched)["email",] == 2
    assert watched.deliveries() == []


def test_a_fault_of_one_keeps_no_other_back(watched: World) -> None:
    watched.fail("PutItem", "InternalServerError", times=-1, matches=lambda call: "u-bourgogne" in str(call.parameters))
    _minute(watched)
    assert [email.to for email in watched.emails] == [MAILBOX]
    assert len(watched.sms) == 1
    (line,) = [line for line in watched.log_lines if line.get("message") == "canary not queued"]
    assert line["delivery"] == _id("u-bourgogne.fr")


@pytest.mark.req("R5")
def test_many_sweeps_at_once_queue_one_of_each() -> None:
    with World(_election()) as world:
        world.clock.move(minutes=1)
        world.sweep()
        world.clock.set(DUE)
        sweepers = [world.notify] * 12
        everybody, here = Barrier(len(sweepers)), local()

        def wait_for_the_others(call: Call) -> None:
            # By then each has seen that there is none.
            if call.operation == "Encrypt" and not hasattr(here, "waited"):
                here.waited = True
                everybody.wait(timeout=120)

        world.wire.interceptors.append(wait_for_the_others)
        with ThreadPoolExecutor(len(sweepers)) as pool:
            list(pool.map(sweep_canaries, sweepers))
        assert len(world.deliveries()) == len(NAMES)
        put = [call for call in world.calls if call.operation == "PutItem"]
        assert len(put) == len(NAMES) * len(sweepers), "nobody raced"
        world.run_outbox()
        assert len(world.emails) + len(world.sms) == len(NAMES)


def test_failed_canary_is_no_failure_of_a_voters_message(watched: World) -> None:
    watched.fail("Publish", "OptedOut")
    _minute(watched)
    watched.wake("notify", ses_event("bounce", _id(), "canary", to=MAILBOX))
    canary = watched.delivery(_id(channel=Channel.SMS))
    assert canary.status_of(Message.CANARY) is Status.FAILED
    assert not canary.fell_back, "a canary that went the other way would hide what it is for"
    assert len(watched.emails) == 2
    for metric in ("Undelivered", "Failed", "FailurePercent", "Delivered", "HandedOverAfter"):
        assert watched.metrics(metric) == [], metric
    watched.clock.move(minutes=5)
    watched.sweep()
    assert _missing(watched)["sms",] == 1
    assert _missing(watched)["email", "ac-dijon.fr"] == 1


def test_nobody_is_a_voter_and_the_register_is_empty(watched: World) -> None:
    _minute(watched)
    _arrive(watched)
    for table in ("VotersTable", "RegisterTable", "IdentifiersTable", "SignInTable"):
        assert watched.items(table) == []
    assert '"reissued"' not in watched.log_text


def test_voters_limits_do_not_know_of_canaries(watched: World) -> None:
    _minute(watched)
    limits = watched.items("PaceTable")
    assert {item["key"] for item in limits} == {"pace#canary", "pace#email", "pace#sms"}
    # As docs/privacy.md says.
    assert {item["expires_at"] for item in limits} == {int((DUE + timedelta(days=3)).timestamp())}


def test_canary_waits_behind_voters_and_is_missed_meanwhile(watched: World) -> None:
    ahead = watched.clock().timestamp() + 600
    watched.engine.put("PaceTable", {"key": "pace#sms", "next_at": round(ahead * 1_000_000)})
    watched.sweep()
    watched.run_outbox()
    assert watched.sms == []
    watched.clock.move(minutes=5)
    watched.sweep()
    assert _missing(watched)["sms",] == 1
    watched.run_for(minutes=6)
    assert len(watched.sms) >= 1


@pytest.mark.parametrize(
    ("at", "watches"),
    [
        ("2018-11-04T06:59:00+00:00", False),
        ("2018-11-04T07:00:00+00:00", True),
        ("2018-12-06T15:59:00+00:00", True),
        ("2018-12-06T16:00:00+00:00", False),
    ],
)
def test_canaries_fly_from_the_day_before_reissues_open_until_they_close(at: str, watches: bool) -> None:
    with World(_election(), at=datetime.fromisoformat(at), engine=MOTO) as world:
        world.sweep()
        assert ("CanariesMissing" in world.log_text) is watches


def test_the_start_of_the_tests_lies_between_two_canaries() -> None:
    assert START.minute % 15 == 0
    assert DUE > START
