"""The outbox: what must be sent, committed together with the change that causes it, and sent by
`notify` afterwards.

One item is one delivery. A delivery holds one message (a one-time code) or several (the new
identifier and the confirmation of a reissue), each with a status of its own. What the messages say
is sealed (see `sealing`) and removed once nothing can be sent any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.election import Retention
from reassort.reasons import Reason
from reassort.table_keys import CODE_PREFIX, due_shard
from reassort.tables import Item

# A delivery that the stream has not brought to `notify` within this time is picked up by the
# sweeper.
OVERDUE_AFTER = timedelta(seconds=60)
# The value of the attribute `wake`; the event source filters on it, so a worker's own updates do
# not wake it again.
WAKE = "queued"


class Kind(StrEnum):
    """What a delivery is about."""

    CODE = "code"
    REISSUE = "reissue"
    CANARY = "canary"


@dataclass(frozen=True)
class OutboxTables:
    """The two tables of the outbox: sign-in writes `codes` and has no right on `deliveries`, which
    reissues write.
    """

    codes: str
    deliveries: str

    def of(self, delivery_id: str) -> str:
        """Return the table of a delivery, which its id tells."""
        return self.codes if delivery_id.startswith(CODE_PREFIX) else self.deliveries

    @property
    def all(self) -> tuple[str, str]:
        """Return both tables."""
        return self.codes, self.deliveries


class Message(StrEnum):
    """One message of a delivery."""

    CODE = "code"
    IDENTIFIER = "identifier"
    CONFIRMATION = "confirmation"
    ALERT = "alert"
    CANARY = "canary"


class Channel(StrEnum):
    """How the voter chose to receive the identifier."""

    SMS = "sms"
    EMAIL = "email"

    @property
    def other(self) -> Channel:
        """Return the channel that redelivery goes by."""
        return Channel.EMAIL if self is Channel.SMS else Channel.SMS


class Status(StrEnum):
    """Where a message stands. `SUPERSEDED` and `DISPUTED` are what a whole reissue can become."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    DISPUTED = "disputed"


# Nothing more will be done for a message that stands so, unless somebody asks.
SETTLED = frozenset({Status.SENT, Status.DELIVERED, Status.FAILED, Status.SUPERSEDED})


# What stands instead of a voter in a canary's delivery. No pseudonym looks like it.
CANARY_VOTER = "canary"
# A canary is of no use once the next but one is due; a day is enough to look at one that failed.
_CANARY_KEPT = timedelta(days=1)

# What a confirmation tells of its delivery, kept with the message from the first attempt on.
TOLD = ("channel", "fell_back")


@dataclass
class HistoryStep:
    """One line of a history. `at` is milliseconds since 1970; `channel` is how an identifier
    went.
    """

    at: int
    status: Status
    channel: Channel | None = None
    reason: Reason | None = None

    @classmethod
    def read(cls, step: Item) -> HistoryStep:
        """Read a line as it is stored."""
        channel, reason = step.get("channel"), step.get("reason")
        return cls(
            step["at"],
            Status(step["status"]),
            Channel(channel) if channel else None,
            Reason(reason) if reason else None,
        )


@dataclass(frozen=True)
class Delivery:
    """An item of the outbox. Times are milliseconds since 1970."""

    delivery_id: str
    kind: Kind
    voter_id: str
    created_at: int
    expires_at: int
    messages: dict[Message, dict[str, Any]]
    history: tuple[dict[str, Any], ...]
    address: bytes | None
    payload: bytes | None
    generation: int
    channel: Channel
    destinations: dict[str, str]
    phone_hash: str
    request_hash: str
    session: str
    redeliveries: int
    queued_at: int
    fell_back: bool
    superseded_at: int | None
    disputed_at: int | None
    parked_at: int | None
    due_at: int | None
    source: str

    def status_of(self, message: Message) -> Status:
        """Return where one message stands."""
        return Status(self.messages[message]["status"])

    def reason_of(self, message: Message) -> Reason | None:
        """Return why a message failed or is late, None when it did not."""
        reason = self.messages[message].get("reason")
        return Reason(reason) if reason else None

    def channel_of(self, message: Message) -> Channel:
        """Return how a message goes: everything but an identifier and a canary goes by e-mail."""
        return self.channel if message in {Message.IDENTIFIER, Message.CANARY} else Channel.EMAIL

    def round_of(self, message: Message) -> int:
        """Return how often a message was queued again; a receipt for an earlier round says nothing
        about this one.
        """
        number: int = self.messages[message].get("round", 0)
        return number

    def is_being_sent(self, message: Message, at: int) -> bool:
        """Tell whether a worker holds the lease of a message at `at` (milliseconds since 1970)."""
        lease_until: int = self.messages[message].get("lease_until", 0)
        return self.status_of(message) is Status.SENDING and lease_until > at

    def has_failed_by(self, channel: Channel) -> bool:
        """Tell whether the identifier could not be brought by a channel, whatever came after."""
        return any(True for _ in self._failures_by(channel))

    def has_failed_for_good(self, channel: Channel) -> bool:
        """Tell whether the identifier could not be brought by a channel, and never will."""
        return any(step.reason is not None and step.reason.is_lasting for step in self._failures_by(channel))

    def _failures_by(self, channel: Channel) -> Iterator[HistoryStep]:
        steps = self.identifier_history()
        return (step for step in steps if step.status is Status.FAILED and step.channel is channel)

    def as_told(self) -> Delivery:
        """Return the delivery as its confirmation told it first, so that it tells the same if it
        must be sent again.
        """
        told = self.messages[Message.CONFIRMATION]
        channel, fell_back = (told.get(name) for name in TOLD)
        if channel is None:
            return self
        return replace(self, channel=Channel(channel), fell_back=bool(fell_back))

    def turn_of(self, message: Message) -> int | None:
        """Return when it is the turn of a message that waits in its lane (milliseconds since 1970),
        None if it does not.
        """
        state = self.messages[message]
        turn: int | None = state.get("turn") if state["status"] == Status.QUEUED else None
        return turn

    @property
    def status(self) -> Status:
        """Return where a reissue stands, as its voter sees it."""
        if self.disputed_at is not None:
            return Status.DISPUTED
        if self.superseded_at is not None:
            return Status.SUPERSEDED
        return self.status_of(Message.IDENTIFIER)

    def identifier_history(self) -> list[HistoryStep]:
        """Return what happened to the identifier, oldest first; times never run backwards."""
        steps = [HistoryStep.read(step) for step in self.history if step["message"] == Message.IDENTIFIER]
        ends = [(self.superseded_at, Status.SUPERSEDED), (self.disputed_at, Status.DISPUTED)]
        for at, status in sorted((at, status) for at, status in ends if at is not None):
            place = next((index for index, step in enumerate(steps) if step.at > at), len(steps))
            steps.insert(place, HistoryStep(at, status))
        latest = 0
        for step in steps:
            # A provider's clock may be behind ours; the order in which things were recorded counts.
            latest = max(latest, step.at)
            step.at = latest
        return steps

    @property
    def destination(self) -> str:
        """Return where the identifier goes, masked."""
        return self.destinations[self.channel]

    @property
    def is_in_its_table(self) -> bool:
        """Tell whether kind and messages are those of its id, and so what its table's writers may
        put.
        """
        is_code = self.delivery_id.startswith(CODE_PREFIX)
        if is_code:
            return self.kind is Kind.CODE and set(self.messages) == {Message.CODE}
        return self.kind is not Kind.CODE and Message.CODE not in self.messages

    @property
    def all_settled(self) -> bool:
        """Tell whether no message waits to be sent."""
        return all(self.status_of(message) in SETTLED for message in self.messages)


def delivery_from_item(item: Item) -> Delivery:
    """Read an item of the outbox."""
    return Delivery(
        delivery_id=item["delivery_id"],
        kind=Kind(item["kind"]),
        voter_id=item["voter_id"],
        created_at=item["created_at"],
        expires_at=item["expires_at"],
        messages={Message(name): state for name, state in item["messages"].items()},
        history=tuple(item["history"]),
        address=item.get("address"),
        payload=item.get("payload"),
        generation=item.get("generation", 0),
        channel=Channel(item.get("channel", Channel.EMAIL)),
        destinations=item.get("destinations", {}),
        phone_hash=item.get("phone_hash", ""),
        request_hash=item.get("request_hash", ""),
        session=item.get("session", ""),
        redeliveries=item.get("redeliveries", 0),
        queued_at=item["queued_at"],
        fell_back=item.get("fell_back", False),
        superseded_at=item.get("superseded_at"),
        disputed_at=item.get("disputed_at"),
        parked_at=item.get("parked_at"),
        due_at=item.get("due_at"),
        source=item.get("source", ""),
    )


def code_delivery_item(
    *, delivery_id: str, voter_id: str, address: bytes, payload: bytes, source: str, now: datetime, lifetime: timedelta
) -> Item:
    """Return the delivery of a one-time code, which is worthless after `lifetime`.

    `source` is the keyed hash of the network that asked: codes of one network wait in turn with
    those of the others.
    """
    item = _delivery_item(
        delivery_id=delivery_id,
        kind=Kind.CODE,
        voter_id=voter_id,
        address=address,
        payload=payload,
        messages=(Message.CODE,),
        now=now,
        expires=now + lifetime + timedelta(days=1),
    )
    return {**item, "source": source}


def reissue_delivery_item(
    *,
    reference: str,
    voter_id: str,
    generation: int,
    channel: Channel,
    destinations: dict[Channel, str],
    phone_hash: str,
    address: bytes,
    payload: bytes,
    request_hash: str,
    now: datetime,
    retention: Retention,
    session: str = "",
) -> Item:
    """Return the delivery of a reissue: the identifier by the chosen channel, and the confirmation
    by e-mail.
    """
    return {
        **_delivery_item(
            delivery_id=reference,
            kind=Kind.REISSUE,
            voter_id=voter_id,
            address=address,
            payload=payload,
            messages=(Message.IDENTIFIER, Message.CONFIRMATION),
            now=now,
            expires=now + timedelta(days=retention.deliveries_days),
            channel=channel,
        ),
        "generation": generation,
        "channel": channel.value,
        "destinations": {channel.value: masked for channel, masked in destinations.items()},
        "phone_hash": phone_hash,
        "request_hash": request_hash,
        "session": session,
        "redeliveries": 0,
    }


def canary_delivery_item(
    *, delivery_id: str, channel: Channel, address: bytes | None, payload: bytes, now: datetime
) -> Item:
    """Return the delivery of a canary: nobody's, with an address when it goes by e-mail."""
    return {
        **_delivery_item(
            delivery_id=delivery_id,
            kind=Kind.CANARY,
            voter_id=CANARY_VOTER,
            address=address,
            payload=payload,
            messages=(Message.CANARY,),
            now=now,
            expires=now + _CANARY_KEPT,
        ),
        "channel": channel.value,
    }


def history_step(
    at: int, message: Message, status: Status, channel: Channel | None = None, reason: Reason | None = None
) -> Item:
    """Return a line of a delivery's history as it is stored; `at` is milliseconds since 1970."""
    step: Item = {"at": at, "message": message.value, "status": status.value}
    if message is Message.IDENTIFIER and channel is not None:
        step["channel"] = channel.value
    if reason is not None:
        step["reason"] = reason.value
    return step


def queued_message(number: int = 0) -> Item:
    """Return the state of a message that waits to be sent, in its `number`th round."""
    return {"status": Status.QUEUED.value, "attempts": 0, "round": number}


@dataclass(frozen=True)
class QueueAgain:
    """The part of an UpdateItem call that queues an identifier again, by `channel`, whatever became
    of it before.

    `steps` are the lines that the history gains. The clauses beside it are the caller's.
    """

    assignments: str
    values: dict[str, Any]

    @classmethod
    def identifier(cls, delivery: Delivery, channel: Channel, at: int, steps: tuple[Item, ...] = ()) -> QueueAgain:
        """Queue the identifier of a delivery; `at` is now, in milliseconds since 1970."""
        queued = history_step(at, Message.IDENTIFIER, Status.QUEUED, channel)
        return cls(
            "channel = :channel, messages.identifier = :again, history = list_append(history, :steps), "
            "wake = :wake, due_shard = :shard, due_at = :now, queued_at = :now",
            {
                ":channel": channel.value,
                ":again": queued_message(delivery.round_of(Message.IDENTIFIER) + 1),
                ":steps": [*steps, queued],
                ":wake": WAKE,
                ":shard": due_shard(delivery.delivery_id),
                ":now": at,
            },
        )


def _delivery_item(
    *,
    delivery_id: str,
    kind: Kind,
    voter_id: str,
    address: bytes | None,
    payload: bytes,
    messages: tuple[Message, ...],
    now: datetime,
    expires: datetime,
    channel: Channel = Channel.EMAIL,
) -> Item:
    at = epoch_milliseconds(now)
    return {
        "delivery_id": delivery_id,
        "kind": kind.value,
        "voter_id": voter_id,
        "created_at": at,
        "expires_at": epoch_seconds(expires),
        **({} if address is None else {"address": address}),
        "payload": payload,
        "messages": {message.value: queued_message() for message in messages},
        # History does not note that a confirmation was queued. The item stays below one kilobyte,
        # and its write units at two.
        "history": [history_step(at, messages[0], Status.QUEUED, channel)],
        "queued_at": at,
        "wake": WAKE,
        "due_shard": due_shard(delivery_id),
        "due_at": epoch_milliseconds(now + OVERDUE_AFTER),
    }
