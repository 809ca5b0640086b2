"""What follows from an item of the outbox, and what an item holds when it is first written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.outbox import (
    Channel,
    Delivery,
    HistoryStep,
    Kind,
    Message,
    OutboxTables,
    Status,
    canary_delivery_item,
    code_delivery_item,
    delivery_from_item,
    history_step,
    reissue_delivery_item,
)
from reassort.reasons import Reason
from reassort.table_keys import CODE_PREFIX

from harness.elections import read_election

NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AT = epoch_milliseconds(NOW)
RETENTION = read_election("dijon-2018").retention
DAY = 86_400
SMS, EMAIL = Channel.SMS, Channel.EMAIL
QUEUED = {"status": "queued", "attempts": 0, "round": 0}


def reissue_item(channel: Channel = SMS) -> dict[str, Any]:
    return reissue_delivery_item(
        reference="7K3M9-QWX2T",
        voter_id="claire",
        generation=2,
        channel=channel,
        destinations={SMS: "•• 78", EMAIL: "c•••@ac-dijon.fr"},
        phone_hash="phone",
        address=b"address",
        payload=b"payload",
        request_hash="request",
        session="session",
        now=NOW,
        retention=RETENTION,
    )


def code_item() -> dict[str, Any]:
    return code_delivery_item(
        delivery_id=f"{CODE_PREFIX}1",
        voter_id="claire",
        address=b"address",
        payload=b"payload",
        source="network",
        now=NOW,
        lifetime=timedelta(minutes=10),
    )


def canary_item(address: bytes | None = b"address") -> dict[str, Any]:
    return canary_delivery_item(delivery_id="canary-1", channel=SMS, address=address, payload=b"payload", now=NOW)


def reissue(history: tuple[dict[str, Any], ...] = (), **attributes: Any) -> Delivery:
    item = reissue_item()
    return delivery_from_item({**item, "history": [*item["history"], *history], **attributes})


def identifier(**state: Any) -> dict[str, Any]:
    return {"messages": {"identifier": QUEUED | state, "confirmation": QUEUED}}


def failed(channel: Channel, reason: Reason | None, at: int = AT + 1) -> dict[str, Any]:
    return history_step(at, Message.IDENTIFIER, Status.FAILED, channel, reason)


# ---------------------------------------------------------------- items


def test_a_reissue_waits_to_be_sent_with_all_that_is_known_of_it() -> None:
    item = reissue_item()
    assert (
        item.items()
        >= {
            "delivery_id": "7K3M9-QWX2T",
            "kind": "reissue",
            "voter_id": "claire",
            "generation": 2,
            "channel": "sms",
            "destinations": {"sms": "•• 78", "email": "c•••@ac-dijon.fr"},
            "phone_hash": "phone",
            "request_hash": "request",
            "session": "session",
            "redeliveries": 0,
            "address": b"address",
            "payload": b"payload",
            "messages": {"identifier": QUEUED, "confirmation": QUEUED},
            "history": [{"at": AT, "message": "identifier", "status": "queued", "channel": "sms"}],
            "created_at": AT,
            "queued_at": AT,
            "wake": "queued",
            "due_at": AT + 60_000,
        }.items()
    )
    assert item["expires_at"] == AT // 1000 + RETENTION.deliveries_days * DAY
    assert reissue_item(EMAIL)["history"][0]["channel"] == "email"


def test_a_code_goes_in_turn_with_its_network_and_is_kept_a_day_longer_than_it_works() -> None:
    item = code_item()
    assert (item["kind"], item["source"], item["messages"]) == ("code", "network", {"code": QUEUED})
    assert item["expires_at"] == AT // 1000 + 600 + DAY
    assert item["history"] == [{"at": AT, "message": "code", "status": "queued"}]


def test_a_canary_is_nobodys_and_is_kept_a_day() -> None:
    item = canary_item()
    assert (item["kind"], item["voter_id"], item["channel"]) == ("canary", "canary", "sms")
    assert item["messages"] == {"canary": QUEUED}
    assert item["expires_at"] == AT // 1000 + DAY
    assert item["address"] == b"address"
    assert "address" not in canary_item(None)


@pytest.mark.parametrize("item", [reissue_item(), code_item(), canary_item()], ids=["reissue", "code", "canary"])
def test_a_delivery_is_read_as_it_was_written(item: dict[str, Any]) -> None:
    read = vars(delivery_from_item(item))
    for name, value in item.items():
        if name in {"wake", "due_shard", "messages", "history"}:
            continue
        assert read[name] == value
    assert read["messages"] == item["messages"]
    assert list(read["history"]) == item["history"]
    nothing = (None, None, None, False)
    assert tuple(read[name] for name in ("superseded_at", "disputed_at", "parked_at", "fell_back")) == nothing


def test_a_delivery_is_read_with_what_came_later() -> None:
    later: dict[str, Any] = {
        "superseded_at": 1,
        "disputed_at": 2,
        "parked_at": 3,
        "due_at": 4,
        "fell_back": True,
        "redeliveries": 5,
    }
    read = vars(reissue(**later))
    assert {name: read[name] for name in later} == later


def test_what_a_code_does_not_have_reads_as_nothing() -> None:
    item = {name: value for name, value in code_item().items() if name not in {"address", "payload", "due_at"}}
    read = delivery_from_item(item)
    assert (read.address, read.payload, read.due_at) == (None, None, None)
    assert (read.generation, read.channel, read.destinations) == (0, EMAIL, {})
    assert (read.phone_hash, read.request_hash, read.session, read.redeliveries) == ("", "", "", 0)
    assert reissue().source == ""


def test_only_the_identifiers_line_tells_a_channel() -> None:
    assert history_step(1, Message.CONFIRMATION, Status.SENT, EMAIL, Reason.UNKNOWN) == {
        "at": 1,
        "message": "confirmation",
        "status": "sent",
        "reason": "unknown",
    }
    assert history_step(1, Message.IDENTIFIER, Status.SENT) == {"at": 1, "message": "identifier", "status": "sent"}


# ---------------------------------------------------------------- tables


@pytest.mark.req("S28")
@pytest.mark.parametrize(
    ("item", "changed", "expected"),
    [
        (code_item(), {}, True),
        (code_item(), {"messages": {"code": QUEUED, "identifier": QUEUED}}, False),
        (code_item(), {"kind": "reissue"}, False),
        (code_item(), {"delivery_id": "7K3M9-QWX2T"}, False),
        (reissue_item(), {}, True),
        (reissue_item(), {"kind": "code"}, False),
        (reissue_item(), {"messages": {"identifier": QUEUED, "code": QUEUED}}, False),
        (reissue_item(), {"delivery_id": f"{CODE_PREFIX}1"}, False),
        (canary_item(), {}, True),
    ],
)
def test_what_a_table_may_hold(item: dict[str, Any], changed: dict[str, Any], expected: bool) -> None:
    assert delivery_from_item(item | changed).is_in_its_table is expected


@pytest.mark.req("S28")
def test_codes_lie_apart() -> None:
    tables = OutboxTables("Codes", "Deliveries")
    assert [tables.of(one) for one in (f"{CODE_PREFIX}1", "7K3M9-QWX2T", "canary-1")] == [
        *("Codes", "Deliveries", "Deliveries")
    ]
    assert tables.all == ("Codes", "Deliveries")


# ---------------------------------------------------------------- messages


def test_all_but_identifier_and_canary_go_by_email() -> None:
    by_sms = [message for message in Message if reissue().channel_of(message) is SMS]
    assert by_sms == [Message.IDENTIFIER, Message.CANARY]
    assert (SMS.other, EMAIL.other) == (EMAIL, SMS)


@pytest.mark.parametrize(
    ("state", "at", "expected"),
    [
        ({"status": "sending", "lease_until": AT + 1}, AT, True),
        ({"status": "sending", "lease_until": AT}, AT, False),
        ({"status": "sent", "lease_until": AT + 1}, AT, False),
        ({}, 0, False),
    ],
    ids=["leased", "lease ran out", "sent", "queued"],
)
def test_a_message_is_being_sent_as_long_as_its_lease_holds(state: dict[str, Any], at: int, expected: bool) -> None:
    assert reissue(**identifier(**state)).is_being_sent(Message.IDENTIFIER, at) is expected
    without_lease = reissue(**identifier(status="sending"))
    assert not without_lease.is_being_sent(Message.IDENTIFIER, 0)


def test_a_message_has_a_turn_while_it_waits() -> None:
    waiting, sent = reissue(**identifier(turn=7)), reissue(**identifier(turn=7, status="sent"))
    assert [one.turn_of(Message.IDENTIFIER) for one in (waiting, sent, reissue())] == [7, None, None]


def test_a_message_of_before_rounds_is_in_the_first() -> None:
    delivery = reissue(messages={"identifier": {"status": "sent"}, "confirmation": QUEUED | {"round": 3}})
    assert [delivery.round_of(one) for one in (Message.IDENTIFIER, Message.CONFIRMATION)] == [0, 3]


def test_a_reason_is_told_where_there_is_one() -> None:
    delivery = reissue(**identifier(reason="no-answer"))
    assert delivery.reason_of(Message.IDENTIFIER) is Reason.NO_ANSWER
    assert delivery.reason_of(Message.CONFIRMATION) is None


@pytest.mark.parametrize("status", Status)
def test_nothing_is_left_to_do_once_all_messages_have_ended(status: Status) -> None:
    ended = status in {Status.SENT, Status.DELIVERED, Status.FAILED, Status.SUPERSEDED}
    both = {"identifier": QUEUED | {"status": status.value}, "confirmation": QUEUED | {"status": "sent"}}
    assert reissue(messages=both).all_settled is ended
    assert not reissue(messages=both | {"confirmation": QUEUED}).all_settled


# ---------------------------------------------------------------- what became of a reissue


@pytest.mark.req("R5")
def test_a_channel_has_failed_by_the_history_whatever_came_after() -> None:
    delivery = reissue((failed(SMS, Reason.PHONE_UNREACHABLE), history_step(AT + 2, Message.IDENTIFIER, Status.QUEUED)))
    assert (delivery.has_failed_by(SMS), delivery.has_failed_by(EMAIL)) == (True, False)
    assert not reissue().has_failed_by(SMS)
    assert not reissue((history_step(AT, Message.CONFIRMATION, Status.FAILED, EMAIL),)).has_failed_by(EMAIL)


@pytest.mark.req("R5")
@pytest.mark.parametrize(
    ("reasons", "lasts"),
    [
        ((Reason.UNKNOWN_NUMBER,), True),
        ((Reason.PHONE_UNREACHABLE,), False),
        ((None,), False),
        ((Reason.UNKNOWN_NUMBER, Reason.PHONE_UNREACHABLE), True),
    ],
)
def test_a_channel_has_failed_for_good_by_a_reason_that_lasts(reasons: tuple[Reason | None, ...], lasts: bool) -> None:
    delivery = reissue(tuple(failed(SMS, reason, AT + place) for place, reason in enumerate(reasons)))
    assert delivery.has_failed_for_good(SMS) is lasts
    assert not delivery.has_failed_for_good(EMAIL)


def test_a_confirmation_tells_what_it_told_first() -> None:
    told = reissue(messages={"identifier": QUEUED, "confirmation": QUEUED | {"channel": "email", "fell_back": True}})
    assert (told.as_told().channel, told.as_told().fell_back) == (EMAIL, True)
    # Before its first attempt it tells what holds now.
    assert (reissue(fell_back=True).as_told().channel, reissue(fell_back=True).as_told().fell_back) == (SMS, True)


@pytest.mark.req("I12")
@pytest.mark.parametrize(
    ("ends", "status", "steps"),
    [
        ({}, "sent", ["queued", "sent"]),
        ({"superseded_at": AT + 5}, "superseded", ["queued", "superseded", "sent"]),
        ({"superseded_at": AT + 10}, "superseded", ["queued", "sent", "superseded"]),
        ({"disputed_at": AT + 20}, "disputed", ["queued", "sent", "disputed"]),
        ({"disputed_at": AT + 30, "superseded_at": AT + 20}, "disputed", ["queued", "sent", "superseded", "disputed"]),
        ({"disputed_at": AT + 5, "superseded_at": AT + 20}, "disputed", ["queued", "disputed", "sent", "superseded"]),
    ],
)
def test_what_ends_a_reissue_stands_in_its_history_when_it_was(
    ends: dict[str, int], status: str, steps: list[str]
) -> None:
    sent = history_step(AT + 10, Message.IDENTIFIER, Status.SENT, SMS)
    told = history_step(AT + 11, Message.CONFIRMATION, Status.SENT)
    delivery = reissue((sent, told), **identifier(status="sent"), **ends)
    assert (delivery.status, [step.status for step in delivery.identifier_history()]) == (status, steps)


def test_times_of_a_history_never_run_backwards() -> None:
    """A provider's clock may be behind ours."""
    history = (history_step(AT - 5, Message.IDENTIFIER, Status.SENT, SMS), failed(EMAIL, Reason.MAILBOX_FULL, AT + 3))
    assert reissue(history).identifier_history() == [
        HistoryStep(AT, Status.QUEUED, SMS),
        HistoryStep(AT, Status.SENT, SMS),
        HistoryStep(AT + 3, Status.FAILED, EMAIL, Reason.MAILBOX_FULL),
    ]
    assert delivery_from_item(code_item()).identifier_history() == []


def test_an_identifier_goes_where_its_channel_leads() -> None:
    assert reissue().destination == "•• 78"
    assert reissue(channel="email").destination == "c•••@ac-dijon.fr"
    assert reissue().kind is Kind.REISSUE
