"""Holding a message while it is sent, and recording what became of it.

A claim is a lease: one conditional write, which also counts the attempt. Whoever holds the lease makes one wire attempt
and records its outcome on condition that the lease is still theirs. A worker that dies leaves a lease that runs out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.outbox import OVERDUE_AFTER, Delivery, Kind, Message, Status, delivery_from_item
from reassort.tables import ConditionFailedError, read_one, to_wire, update_one, update_request

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.election import Election

# A retry may come this much before its time: two workers' clocks differ.
_SKEW_MILLISECONDS = 1000
# Longer than a wire attempt may take (2 s to connect, 10 s to answer), so a lease never runs out under its holder.
LEASE = timedelta(seconds=30)
_NAMES = {"#status": "status"}


@dataclass(frozen=True)
class Claim:
    """A message that this worker alone may send until `lease_until` (milliseconds since 1970)."""

    delivery: Delivery
    message: Message
    lease_until: int
    attempt: int

    @property
    def tries(self) -> int:
        """Return how often this message was tried, attempts that the provider throttled included."""
        throttled: int = self.delivery.messages[self.message].get("throttled", 0)
        return self.attempt + throttled


class Claims:
    """Conditional writes on deliveries."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, election: Election) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._election = election

    def read(self, delivery_id: str) -> Delivery | None:
        """Read a delivery, strongly consistent."""
        item = read_one(self._dynamodb, self._table, {"delivery_id": delivery_id})
        return delivery_from_item(item) if item else None

    def claim_message(self, delivery: Delivery, message: Message, now: datetime) -> Claim | None:
        """Take the lease of a message.

        None when it is settled, held by another, waiting for its next attempt, superseded or disputed.
        """
        at = epoch_milliseconds(now)
        lease_until = epoch_milliseconds(now + LEASE)
        free = f"messages.{message}.#status = :queued"
        lapsed = (
            f"messages.{message}.#status = :sending AND messages.{message}.lease_until <= :at "
            f"AND (attribute_not_exists(messages.{message}.not_before) OR messages.{message}.not_before <= :at)"
        )
        clauses = [f"({free} OR ({lapsed}))"]
        if message is not Message.ALERT:
            # An alert says nothing that is sealed, and a dispute may come when all of that has been erased.
            clauses.append("attribute_exists(payload)")
        if message is Message.IDENTIFIER:
            clauses += ["attribute_not_exists(superseded_at)", "attribute_not_exists(disputed_at)"]
        values: dict[str, Any] = {
            ":at": at,
            ":until": lease_until,
            ":one": 1,
            ":queued": Status.QUEUED.value,
            ":sending": Status.SENDING.value,
        }
        assignments = [
            f"messages.{message}.#status = :sending",
            f"messages.{message}.lease_until = :until",
            f"messages.{message}.attempts = messages.{message}.attempts + :one",
        ]
        if delivery.status_of(message) is Status.QUEUED:
            # A second attempt is no news to the voter: the history tells the first.
            assignments.append("history = list_append(history, :step)")
            values[":step"] = [_step(at, message, Status.SENDING)]
        expression = f"SET {', '.join(assignments)} REMOVE wake"
        item = self._write(delivery, expression, " AND ".join(clauses), values, returns="ALL_NEW")
        if item is None:
            return None
        return Claim(item, message, lease_until, item.messages[message]["attempts"])

    def record_outcome(self, claim: Claim, status: Status, now: datetime, **facts: str) -> Delivery | None:
        """Settle a claimed message as sent or failed; None when the lease had passed to another worker.

        `facts` are kept beside the status, for example the provider's message id.
        """
        at = epoch_milliseconds(now)
        name = f"messages.{claim.message}"
        assignments = [f"{name}.#status = :status", "history = list_append(history, :step)"]
        values: dict[str, Any] = {
            ":status": status.value,
            ":step": [_step(at, claim.message, status)],
            ":mine": claim.lease_until,
        }
        for fact, value in facts.items():
            assignments.append(f"{name}.{fact} = :{fact}")
            values[f":{fact}"] = value
        expression = f"SET {', '.join(assignments)} REMOVE {name}.lease_until"
        return self._write(claim.delivery, expression, f"{name}.lease_until = :mine", values, returns="ALL_NEW")

    def release_claim(self, claim: Claim, now: datetime, wait: int, *, keeps_budget: bool) -> None:
        """Give a lease back after an attempt that must be repeated in `wait` seconds; a throttled one does not count.

        Until then nobody takes the message again, however many events bring its delivery; the sweeper stays away too.
        """
        name = f"messages.{claim.message}"
        expression = f"SET {name}.lease_until = :free, {name}.not_before = :not_before, due_at = :due_at"
        retry_at = epoch_milliseconds(now + timedelta(seconds=wait))
        values: dict[str, Any] = {
            ":free": 0,
            ":not_before": retry_at - _SKEW_MILLISECONDS,
            ":due_at": retry_at + OVERDUE_AFTER // timedelta(milliseconds=1),
            ":mine": claim.lease_until,
        }
        if keeps_budget:
            expression += (
                f", {name}.attempts = {name}.attempts - :one"
                f", {name}.throttled = if_not_exists({name}.throttled, :none) + :one"
            )
            values |= {":one": 1, ":none": 0}
        self._write(claim.delivery, expression, f"{name}.lease_until = :mine", values, names=None)

    def settle_unsent(self, delivery: Delivery, message: Message, status: Status, now: datetime) -> Delivery | None:
        """Settle a message that nobody is sending and nobody will: superseded, too late, or out of attempts."""
        at = epoch_milliseconds(now)
        name = f"messages.{message}"
        idle = f"({name}.#status = :queued OR ({name}.#status = :sending AND {name}.lease_until <= :at))"
        # A redelivery that was asked for meanwhile has started the count anew.
        idle += f" AND {name}.attempts = :attempts"
        values = {
            ":attempts": delivery.messages[message]["attempts"],
            ":status": status.value,
            ":at": at,
            ":queued": Status.QUEUED.value,
            ":sending": Status.SENDING.value,
        }
        if status is Status.SUPERSEDED:
            expression = f"SET {name}.#status = :status REMOVE wake"
            return self._write(delivery, expression, idle, values, returns="ALL_NEW")
        expression = f"SET {name}.#status = :status, history = list_append(history, :step) REMOVE wake"
        return self._write(
            delivery, expression, idle, {**values, ":step": [_step(at, message, status)]}, returns="ALL_NEW"
        )

    def mark_superseded(self, delivery: Delivery, now: datetime) -> None:
        """Record that the voter has a later identifier than the one of this delivery."""
        at = epoch_milliseconds(now)
        condition = "attribute_exists(delivery_id) AND attribute_not_exists(superseded_at)"
        self._write(delivery, "SET superseded_at = :at", condition, {":at": at}, names=None)

    def close_delivery(self, delivery: Delivery, now: datetime) -> None:
        """Once all is settled, erase what was sealed, or plan that for when redelivery is no longer offered.

        A redelivery that was asked for meanwhile has set `wake`, and wins.
        """
        at = epoch_milliseconds(now)
        window = self._election.retention.redelivery_minutes * 60_000
        erase_at = delivery.created_at + window
        no_redelivery = delivery.kind is Kind.CODE or delivery.superseded_at or delivery.disputed_at
        condition = "attribute_exists(delivery_id) AND attribute_not_exists(wake)"
        if no_redelivery or at >= erase_at:
            self._write(delivery, "REMOVE payload, address, due_shard, due_at", condition, {}, names=None)
        elif delivery.due_at != erase_at:
            self._write(delivery, "SET due_at = :erase_at", condition, {":erase_at": erase_at}, names=None)

    def delete(self, delivery: Delivery) -> None:
        """Delete a delivery that goes to nobody."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_wire({"delivery_id": delivery.delivery_id}))

    def _write(  # the parts of an UpdateItem call
        self,
        delivery: Delivery,
        expression: str,
        condition: str,
        values: dict[str, Any],
        *,
        names: dict[str, str] | None = _NAMES,
        returns: str = "NONE",
    ) -> Delivery | None:
        request = update_request(
            self._table, {"delivery_id": delivery.delivery_id}, expression, condition, values, names
        )
        try:
            item = update_one(self._dynamodb, request, returns=returns)
        except ConditionFailedError:
            return None
        return delivery_from_item(item) if item else delivery


def _step(at: int, message: Message, status: Status) -> dict[str, Any]:
    return {"at": at, "message": message.value, "status": status.value}
