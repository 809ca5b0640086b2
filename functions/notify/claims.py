"""Holding a message while it is sent, and recording what became of it.

A claim is a lease: one conditional write, which also counts the attempt. Whoever holds the lease makes one wire attempt
and records its outcome on condition that the lease is still theirs. A worker that dies leaves a lease that runs out.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.keys import due_shard, erase_shard
from reassort.outbox import (
    OVERDUE_AFTER,
    SETTLED,
    TOLD,
    Channel,
    Delivery,
    Kind,
    Message,
    QueueAgain,
    Status,
    delivery_from_item,
    history_step,
)
from reassort.reasons import Reason
from reassort.tables import ConditionFailedError, delete_one, read_one, update_one, update_request

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.election import Election

# A retry may come this much before its time: two workers' clocks differ.
SKEW_MILLISECONDS = 1000
# Longer than a wire attempt may take (2 s to connect, 10 s to answer), so a lease never runs out under its holder.
LEASE = timedelta(seconds=30)
# As long as the dead-letter queue keeps its messages: until then an operator may bring a parked delivery back.
PARKED_FOR = timedelta(days=14)
_NAMES = {"#status": "status"}
_ROUND_NAMES = {"#status": "status", "#round": "round"}
# An identifier that somebody still wants to have: the voter has no later one and did not dispute it.
_WANTED = "attribute_not_exists(superseded_at) AND attribute_not_exists(disputed_at)"


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


@dataclass(frozen=True)
class Condition:
    """A clause of a conditional write, with the values and names that it uses."""

    clause: str
    values: dict[str, Any]
    names: dict[str, str] = field(default_factory=dict)


class Claims:
    """Conditional writes on deliveries."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, election: Election) -> None:
        self._dynamodb = dynamodb
        self.table = table
        self._election = election

    def read(self, delivery_id: str) -> Delivery | None:
        """Read a delivery, strongly consistent."""
        item = read_one(self._dynamodb, self.table, {"delivery_id": delivery_id})
        return delivery_from_item(item) if item else None

    def claim_message(self, delivery: Delivery, message: Message, now: datetime) -> Claim | None:
        """Take the lease of a message.

        None when it is settled, held by another, waiting for its next attempt, superseded or disputed.
        """
        at = epoch_milliseconds(now)
        lease_until = epoch_milliseconds(now + LEASE)
        free = f"messages.{message}.#status = :queued"
        lapsed = f"messages.{message}.#status = :sending AND messages.{message}.lease_until <= :at"
        clauses = [f"({free} OR ({lapsed}))", _due(message)]
        if message is not Message.ALERT:
            # An alert says nothing that was sealed; a dispute may come long after the erasure.
            clauses.append("attribute_exists(payload)")
        if message is Message.IDENTIFIER:
            clauses += [_WANTED, f"messages.{message}.#round = :round"]
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
        if message is Message.CONFIRMATION:
            # A second attempt says what the first one said, wherever the identifier has gone since.
            assignments += [
                f"messages.{message}.{told} = if_not_exists(messages.{message}.{told}, :{told})" for told in TOLD
            ]
            values |= {":channel": delivery.channel.value, ":fell_back": delivery.fell_back}
        if delivery.status_of(message) is Status.QUEUED:
            # A second attempt is no news to the voter: the history tells the first.
            assignments.append("history = list_append(history, :step)")
            values[":step"] = [history_step(at, message, Status.SENDING, delivery.channel)]
        expression = f"SET {', '.join(assignments)} REMOVE wake, messages.{message}.turn"
        names = _NAMES
        if message is Message.IDENTIFIER:
            # Queued anew by the other channel since it was read: whoever comes for that round sends it.
            values[":round"] = delivery.round_of(message)
            names = _ROUND_NAMES
        item = self._write(delivery, expression, " AND ".join(clauses), values, names=names, returns="ALL_NEW")
        if item is None:
            return None
        return Claim(item, message, lease_until, item.messages[message]["attempts"])

    def record_sent(self, claim: Claim, message_id: str, now: datetime) -> Delivery | None:
        """Record that the provider took a claimed message; None when a receipt or another worker was quicker."""
        at = epoch_milliseconds(now)
        name = f"messages.{claim.message}"
        channel = claim.delivery.channel_of(claim.message)
        values: dict[str, Any] = {
            ":status": Status.SENT.value,
            ":step": [history_step(at, claim.message, Status.SENT, channel)],
            ":mine": claim.lease_until,
            ":id": message_id,
        }
        expression = (
            f"SET {name}.#status = :status, {name}.message_id = :id, history = list_append(history, :step)"
            # By this an SMS is found again when the carrier reports on it; an e-mail carries tags.
            f"{', sms_id = :id' if channel is Channel.SMS else ''} REMOVE {name}.lease_until, {name}.not_before"
        )
        return self._write(claim.delivery, expression, f"{name}.lease_until = :mine", values, returns="ALL_NEW")

    def record_failed(self, claim: Claim, reason: Reason, now: datetime) -> Delivery | None:
        """Record that a claimed message will not be sent; an identifier by SMS is queued by e-mail in the same write.

        None when the lease had passed to another worker.
        """
        mine = Condition(f"messages.{claim.message}.lease_until = :mine", {":mine": claim.lease_until})
        return self.fail(claim.delivery, claim.message, reason, now, mine)

    def fail(  # what failed, why and when
        self,
        delivery: Delivery,
        message: Message,
        reason: Reason,
        now: datetime,
        condition: Condition,
        *,
        happened_at: int | None = None,
    ) -> Delivery | None:
        """Record under a condition that a message failed; None when the condition did not hold.

        An identifier that was to go by SMS is queued by e-mail in the same write, once, as long as it is sealed in the delivery
        and still wanted. `happened_at` is when it failed, now unless given.
        """
        at = epoch_milliseconds(now)
        channel = delivery.channel_of(message)
        step = history_step(happened_at or at, message, Status.FAILED, channel, reason)
        if may_fall_back(delivery, message):
            anew = QueueAgain.identifier(delivery, Channel.EMAIL, at, (step,))
            failed = self._write(
                delivery,
                f"SET {anew.assignments}, fell_back = :yes",
                f"{condition.clause} AND attribute_exists(payload) AND attribute_not_exists(fell_back) AND {_WANTED} "
                "AND messages.identifier.#round = :read_round",
                {**condition.values, **anew.values, ":yes": True, ":read_round": delivery.round_of(message)},
                names={"#round": "round", **condition.names},
                returns="ALL_NEW",
            )
            if failed is not None:
                return failed
        name = f"messages.{message}"
        return self._write(
            delivery,
            f"SET {name}.#status = :failed, {name}.reason = :reason, history = list_append(history, :step) "
            f"REMOVE wake, {name}.lease_until, {name}.not_before, {name}.turn",
            condition.clause,
            {**condition.values, ":failed": Status.FAILED.value, ":reason": reason.value, ":step": [step]},
            names={**_NAMES, **condition.names},
            returns="ALL_NEW",
        )

    def record_arrival(
        self, delivery: Delivery, message: Message, condition: Condition, happened_at: int
    ) -> Delivery | None:
        """Record under a condition that a message arrived, at `happened_at` (milliseconds since 1970).

        A worker that is about to record the sending, or to send again, finds its lease gone.
        """
        name = f"messages.{message}"
        step = history_step(happened_at, message, Status.DELIVERED, delivery.channel_of(message))
        return self._write(
            delivery,
            f"SET {name}.#status = :status, history = list_append(history, :step) "
            f"REMOVE wake, {name}.reason, {name}.lease_until, {name}.not_before, {name}.turn",
            condition.clause,
            {**condition.values, ":status": Status.DELIVERED.value, ":step": [step]},
            names=condition.names,
            returns="ALL_NEW",
        )

    def record_remark(
        self, delivery: Delivery, message: Message, reason: Reason, condition: Condition, happened_at: int
    ) -> Delivery | None:
        """Note under a condition what a provider said of a message without changing its status.

        The same thing is noted once, and nothing that is older than what was noted last.
        """
        name = f"messages.{message}"
        status = delivery.status_of(message)
        step = history_step(happened_at, message, status, delivery.channel_of(message), reason)
        is_news = (
            f"(attribute_not_exists({name}.reason) OR {name}.reason <> :reason) "
            f"AND (attribute_not_exists({name}.noted_at) OR {name}.noted_at < :happened_at)"
        )
        return self._write(
            delivery,
            f"SET {name}.reason = :reason, {name}.noted_at = :happened_at, history = list_append(history, :step)",
            f"{condition.clause} AND {name}.#status = :read_status AND {is_news}",
            {
                **condition.values,
                ":reason": reason.value,
                ":happened_at": happened_at,
                ":read_status": status.value,
                ":step": [step],
            },
            names=condition.names,
            returns="ALL_NEW",
        )

    def await_turn(self, delivery: Delivery, message: Message, turn: int, until: int, now: datetime) -> bool:
        """Let a message wait for its turn in its lane; nobody takes it before `until` (milliseconds since 1970).

        False when it waits for something already, or was queued anew, or is being sent.
        """
        idle = _idle(delivery, message, now)
        name = f"messages.{message}"
        waiting = self._write(
            delivery,
            f"SET {name}.turn = :turn, {name}.not_before = :until, due_at = :due_at REMOVE wake",
            f"{idle.clause} AND {_due(message)} AND attribute_exists(due_shard)",
            {**idle.values, ":turn": turn, ":until": until, ":due_at": until + _milliseconds(OVERDUE_AFTER)},
            names=idle.names,
        )
        return waiting is not None

    def release_claim(self, claim: Claim, now: datetime, wait: int, *, keeps_budget: bool) -> None:
        """Give a lease back after an attempt that must be repeated in `wait` seconds; a throttled one does not count.

        Until then nobody takes the message again, however many events bring its delivery; the sweeper stays away too.
        """
        name = f"messages.{claim.message}"
        expression = f"SET {name}.lease_until = :free, {name}.not_before = :not_before, due_at = :due_at"
        retry_at = epoch_milliseconds(now + timedelta(seconds=wait))
        values: dict[str, Any] = {
            ":free": 0,
            ":not_before": retry_at - SKEW_MILLISECONDS,
            ":due_at": retry_at + _milliseconds(OVERDUE_AFTER),
            ":mine": claim.lease_until,
        }
        if keeps_budget:
            expression += (
                f", {name}.attempts = {name}.attempts - :one"
                f", {name}.throttled = if_not_exists({name}.throttled, :none) + :one"
            )
            values |= {":one": 1, ":none": 0}
        self._write(claim.delivery, expression, f"{name}.lease_until = :mine", values, names=None)

    def fail_unsent(self, delivery: Delivery, message: Message, reason: Reason, now: datetime) -> Delivery | None:
        """Record the failure of a message that nobody is sending: too late, out of attempts, over the day's cap."""
        return self.fail(delivery, message, reason, now, _idle(delivery, message, now))

    def settle_superseded(self, delivery: Delivery, message: Message, now: datetime) -> Delivery | None:
        """Settle an identifier that nobody is sending and nobody will, for its voter has a later one or disputed it."""
        idle = _idle(delivery, message, now)
        name = f"messages.{message}"
        return self._write(
            delivery,
            f"SET {name}.#status = :status REMOVE wake, {name}.turn",
            idle.clause,
            {**idle.values, ":status": Status.SUPERSEDED.value},
            names=idle.names,
            returns="ALL_NEW",
        )

    def defer_sweep(self, delivery_id: str, until: datetime) -> None:
        """Keep the sweeper away until then: the retry queue has a message of this delivery, which failed just now."""
        request = update_request(
            self.table,
            {"delivery_id": delivery_id},
            "SET due_at = :until REMOVE wake",
            "attribute_exists(due_shard) AND due_at < :until",
            {":until": epoch_milliseconds(until)},
        )
        with suppress(ConditionFailedError):
            update_one(self._dynamodb, request)

    def park(self, delivery: Delivery, now: datetime) -> Delivery | None:
        """Record that a delivery cannot be processed: its messages failed, and nothing brings it back but an operator."""
        at = epoch_milliseconds(now)
        unsettled = [message for message in delivery.messages if delivery.status_of(message) not in SETTLED]
        if not unsettled:
            return None
        assignments = [
            "parked_at = :at",
            "due_shard = :shard",
            "due_at = :until",
            "history = list_append(history, :steps)",
        ]
        removals = ["wake"]
        clauses = ["attribute_exists(delivery_id)"]
        values: dict[str, Any] = {
            ":at": at,
            ":shard": erase_shard(delivery.delivery_id),
            ":until": at + _milliseconds(PARKED_FOR),
            ":failed": Status.FAILED.value,
            ":reason": Reason.INTERNAL.value,
            ":queued": Status.QUEUED.value,
            ":sending": Status.SENDING.value,
            ":steps": [
                history_step(at, message, Status.FAILED, delivery.channel, Reason.INTERNAL) for message in unsettled
            ],
        }
        for message in unsettled:
            name = f"messages.{message}"
            assignments += [f"{name}.#status = :failed", f"{name}.reason = :reason"]
            removals += [f"{name}.lease_until", f"{name}.not_before", f"{name}.turn"]
            clauses.append(
                f"({name}.#status = :queued OR ({name}.#status = :sending "
                f"AND (attribute_not_exists({name}.lease_until) OR {name}.lease_until <= :at)))"
            )
        expression = f"SET {', '.join(assignments)} REMOVE {', '.join(removals)}"
        return self._write(delivery, expression, " AND ".join(clauses), values, returns="ALL_NEW")

    def unpark(self, delivery: Delivery, now: datetime) -> Delivery | None:
        """Queue again what was parked, at an operator's wish; None when it is not parked any more."""
        at = epoch_milliseconds(now)
        parked = [message for message in delivery.messages if delivery.reason_of(message) is Reason.INTERNAL]
        assignments = [
            "due_shard = :shard",
            "due_at = :due_at",
            "queued_at = :at",
            "history = list_append(history, :steps)",
        ]
        removals = ["parked_at"]
        for message in parked:
            assignments += [f"messages.{message}.#status = :queued", f"messages.{message}.attempts = :none"]
            removals.append(f"messages.{message}.reason")
        values: dict[str, Any] = {
            ":at": at,
            ":read_at": delivery.parked_at,
            ":shard": due_shard(delivery.delivery_id),
            ":due_at": at + _milliseconds(OVERDUE_AFTER),
            ":steps": [history_step(at, message, Status.QUEUED, delivery.channel) for message in parked],
            **({":queued": Status.QUEUED.value, ":none": 0} if parked else {}),
        }
        return self._write(
            delivery,
            f"SET {', '.join(assignments)} REMOVE {', '.join(removals)}",
            "parked_at = :read_at",
            values,
            names=_NAMES if parked else None,
            returns="ALL_NEW",
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
        erase_at = delivery.created_at + self._election.retention.redelivery_minutes * 60_000
        condition = "attribute_exists(delivery_id) AND attribute_not_exists(wake)"
        if at >= erase_at or not _may_be_redelivered(delivery):
            if delivery.payload is not None or delivery.due_at is not None:
                self._write(delivery, "REMOVE payload, address, due_shard, due_at", condition, {}, names=None)
        elif delivery.due_at != erase_at:
            # Apart from what waits to be sent; see `keys`.
            values = {":shard": erase_shard(delivery.delivery_id), ":erase_at": erase_at}
            self._write(delivery, "SET due_shard = :shard, due_at = :erase_at", condition, values, names=None)

    def delete(self, delivery: Delivery) -> None:
        """Delete a delivery that goes to nobody."""
        delete_one(self._dynamodb, self.table, {"delivery_id": delivery.delivery_id})

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
            self.table, {"delivery_id": delivery.delivery_id}, expression, condition, values, names
        )
        try:
            item = update_one(self._dynamodb, request, returns=returns)
        except ConditionFailedError:
            return None
        return delivery_from_item(item) if item else delivery


def may_fall_back(delivery: Delivery, message: Message) -> bool:
    """Tell whether a message that fails can be queued by e-mail instead, as far as the delivery was read."""
    by_sms = message is Message.IDENTIFIER and delivery.channel_of(message) is Channel.SMS
    return by_sms and delivery.payload is not None and not delivery.fell_back


def _idle(delivery: Delivery, message: Message, now: datetime) -> Condition:
    """Return the condition that nobody is sending a message and that it was not queued anew since it was read."""
    name = f"messages.{message}"
    clause = (
        f"({name}.#status = :queued OR ({name}.#status = :sending AND {name}.lease_until <= :at)) "
        # Queued anew it starts another round with no attempt made, just as it was in an event that comes late.
        f"AND {name}.attempts = :attempts AND {name}.#round = :round"
    )
    values = {
        ":at": epoch_milliseconds(now),
        ":attempts": delivery.messages[message]["attempts"],
        ":round": delivery.round_of(message),
        ":queued": Status.QUEUED.value,
        ":sending": Status.SENDING.value,
    }
    return Condition(clause, values, _ROUND_NAMES)


def _due(message: Message) -> str:
    """Return the clause that a message is not to wait longer; it uses `:at`."""
    return f"(attribute_not_exists(messages.{message}.not_before) OR messages.{message}.not_before <= :at)"


def _may_be_redelivered(delivery: Delivery) -> bool:
    return not (
        delivery.kind is not Kind.REISSUE
        or delivery.superseded_at
        or delivery.disputed_at
        or delivery.status_of(Message.IDENTIFIER) is Status.DELIVERED
    )


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
