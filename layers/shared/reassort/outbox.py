"""The outbox: what must be sent, committed together with the change that causes it, and sent by `notify` afterwards.

One item is one delivery. A delivery holds one message (a one-time code) or several (the new identifier and the
confirmation of a reissue), each with a status of its own. What the messages say is sealed (see `sealing`) and removed
once nothing can be sent any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.election import Retention
from reassort.keys import due_shard
from reassort.tables import Item

# A delivery that the stream has not brought to `notify` within this time is picked up by the sweeper.
OVERDUE_AFTER = timedelta(seconds=60)
# The value of the attribute `wake`; the event source filters on it, so a worker's own updates do not wake it again.
WAKE = "queued"


class Kind(StrEnum):
    """What a delivery is about."""

    CODE = "code"
    REISSUE = "reissue"


class Message(StrEnum):
    """One message of a delivery."""

    CODE = "code"
    IDENTIFIER = "identifier"
    CONFIRMATION = "confirmation"
    ALERT = "alert"


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


@dataclass(frozen=True)
class Delivery:
    """An item of the deliveries table. Times are milliseconds since 1970."""

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
    redeliveries: int
    superseded_at: int | None
    disputed_at: int | None
    due_at: int | None

    def status_of(self, message: Message) -> Status:
        """Return where one message stands."""
        return Status(self.messages[message]["status"])

    @property
    def status(self) -> Status:
        """Return where a reissue stands, as its voter sees it."""
        if self.disputed_at is not None:
            return Status.DISPUTED
        if self.superseded_at is not None:
            return Status.SUPERSEDED
        return self.status_of(Message.IDENTIFIER)

    def identifier_history(self) -> list[dict[str, Any]]:
        """Return what happened to the identifier, oldest first: `at` in milliseconds, `status`."""
        steps = [
            {"at": step["at"], "status": Status(step["status"])}
            for step in self.history
            if step["message"] == Message.IDENTIFIER
        ]
        if self.superseded_at is not None:
            steps.append({"at": self.superseded_at, "status": Status.SUPERSEDED})
        if self.disputed_at is not None:
            steps.append({"at": self.disputed_at, "status": Status.DISPUTED})
        return sorted(steps, key=lambda step: step["at"])

    @property
    def destination(self) -> str:
        """Return where the identifier goes, masked."""
        return self.destinations[self.channel]

    @property
    def all_settled(self) -> bool:
        """Tell whether no message waits to be sent."""
        return all(self.status_of(message) in SETTLED for message in self.messages)


def delivery_from_item(item: Item) -> Delivery:
    """Read an item of the deliveries table."""
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
        redeliveries=item.get("redeliveries", 0),
        superseded_at=item.get("superseded_at"),
        disputed_at=item.get("disputed_at"),
        due_at=item.get("due_at"),
    )


def code_delivery_item(
    *, delivery_id: str, voter_id: str, address: bytes, payload: bytes, now: datetime, lifetime: timedelta
) -> Item:
    """Return the delivery of a one-time code, which is worthless after `lifetime`."""
    return _delivery_item(
        delivery_id=delivery_id,
        kind=Kind.CODE,
        voter_id=voter_id,
        address=address,
        payload=payload,
        messages=(Message.CODE,),
        now=now,
        expires=now + lifetime + timedelta(days=1),
    )


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
) -> Item:
    """Return the delivery of a reissue: the identifier by the chosen channel, and the confirmation by e-mail."""
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
        ),
        "generation": generation,
        "channel": channel.value,
        "destinations": {channel.value: masked for channel, masked in destinations.items()},
        "phone_hash": phone_hash,
        "request_hash": request_hash,
        "redeliveries": 0,
    }


def _delivery_item(
    *,
    delivery_id: str,
    kind: Kind,
    voter_id: str,
    address: bytes,
    payload: bytes,
    messages: tuple[Message, ...],
    now: datetime,
    expires: datetime,
) -> Item:
    at = epoch_milliseconds(now)
    return {
        "delivery_id": delivery_id,
        "kind": kind.value,
        "voter_id": voter_id,
        "created_at": at,
        "expires_at": epoch_seconds(expires),
        "address": address,
        "payload": payload,
        "messages": {message.value: {"status": Status.QUEUED.value, "attempts": 0} for message in messages},
        "history": [{"at": at, "message": message.value, "status": Status.QUEUED.value} for message in messages],
        "wake": WAKE,
        "due_shard": due_shard(delivery_id),
        "due_at": epoch_milliseconds(now + OVERDUE_AFTER),
    }
