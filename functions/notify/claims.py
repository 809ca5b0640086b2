"""Holding a message while it is sent, and recording that it was.

A claim is a lease: one conditional write, which also counts the attempt. Anyone who holds the lease
makes one wire attempt and records its outcome on condition that the lease is still theirs. A worker
that dies leaves a lease that runs out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from reassort.clock import epoch_milliseconds
from reassort.outbox import OVERDUE_AFTER, TOLD, Channel, Delivery, Message, Status, history_step

from notify.delivery_writes import ROUND_NAMES, STATUS_NAMES, WANTED, idle_condition, write_delivery
from notify.deps import Deps

# A retry may come this much before its time: two workers' clocks differ.
SKEW_MILLISECONDS = 1000
# Longer than a wire attempt may take (2 s to connect, 10 s to answer), so a lease never runs out
# under its holder.
LEASE = timedelta(seconds=30)
# Whose turn a message waits for: the lane's, or the one of the network that asked for a code.
# Names of attributes; `share` is reserved in expressions.
type Whose = Literal["turn", "network_turn"]
_OVERDUE_MILLISECONDS = OVERDUE_AFTER // timedelta(milliseconds=1)


@dataclass(frozen=True)
class Claim:
    """A message that this worker alone may send until `lease_until` (milliseconds since 1970)."""

    delivery: Delivery
    message: Message
    lease_until: int
    attempt: int

    @property
    def tries(self) -> int:
        """Return how often this message was tried, attempts that the provider throttled
        included.
        """
        throttled: int = self.delivery.messages[self.message].get("throttled", 0)
        return self.attempt + throttled


def claim_message(delivery: Delivery, message: Message, now: datetime, deps: Deps) -> Claim | None:
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
        clauses += [WANTED, f"messages.{message}.#round = :round"]
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
    names = STATUS_NAMES
    if message is Message.IDENTIFIER:
        # Queued again by the other channel since it was read: the worker of that round sends it.
        values[":round"] = delivery.round_of(message)
        names = ROUND_NAMES
    item = write_delivery(deps, delivery, expression, " AND ".join(clauses), values, names=names, returns="ALL_NEW")
    if item is None:
        return None
    return Claim(item, message, lease_until, item.messages[message]["attempts"])


def record_sent(claim: Claim, message_id: str, now: datetime, deps: Deps) -> Delivery | None:
    """Record that the provider took a claimed message; None when a receipt or another worker was
    quicker.
    """
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
    return write_delivery(deps, claim.delivery, expression, f"{name}.lease_until = :mine", values, returns="ALL_NEW")


def await_turn(
    delivery: Delivery, message: Message, turn: int, until: int, now: datetime, deps: Deps, *, whose: Whose = "turn"
) -> bool:
    """Let a message wait for its turn in its lane; nobody takes it before `until` (milliseconds
    since 1970).

    `whose` is the member that keeps it: `network_turn` for the turn of a network, which the lane's
    follows.

    False when it waits for something already, or was queued again, or is being sent.
    """
    idle = idle_condition(delivery, message, now)
    name = f"messages.{message}"
    waiting = write_delivery(
        deps,
        delivery,
        f"SET {name}.{whose} = :turn, {name}.not_before = :until, due_at = :due_at REMOVE wake",
        f"{idle.clause} AND {_due(message)} AND attribute_exists(due_shard)",
        {**idle.values, ":turn": turn, ":until": until, ":due_at": until + _OVERDUE_MILLISECONDS},
        names=idle.names,
    )
    return waiting is not None


def release_claim(claim: Claim, now: datetime, wait: int, deps: Deps, *, keeps_budget: bool) -> None:
    """Give a lease back after an attempt that must be repeated in `wait` seconds; a throttled one
    does not count.

    Until then nobody takes the message again, however many events bring its delivery; the sweeper
    stays away too.
    """
    name = f"messages.{claim.message}"
    expression = f"SET {name}.lease_until = :free, {name}.not_before = :not_before, due_at = :due_at"
    retry_at = epoch_milliseconds(now + timedelta(seconds=wait))
    values: dict[str, Any] = {
        ":free": 0,
        ":not_before": retry_at - SKEW_MILLISECONDS,
        ":due_at": retry_at + _OVERDUE_MILLISECONDS,
        ":mine": claim.lease_until,
    }
    if keeps_budget:
        expression += (
            f", {name}.attempts = {name}.attempts - :one"
            f", {name}.throttled = if_not_exists({name}.throttled, :none) + :one"
        )
        values |= {":one": 1, ":none": 0}
    write_delivery(deps, claim.delivery, expression, f"{name}.lease_until = :mine", values, names=None)


def _due(message: Message) -> str:
    """Return the clause that a message is not to wait longer; it uses `:at`."""
    return f"(attribute_not_exists(messages.{message}.not_before) OR messages.{message}.not_before <= :at)"
