"""Deliveries that cannot be processed: kept from the sweeper, parked until an operator brings them
back.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.outbox import OVERDUE_AFTER, SETTLED, Delivery, Status, history_step
from reassort.reasons import Reason
from reassort.table_keys import due_shard, erase_shard
from reassort.tables import ConditionFailedError, update_one, update_request

from notify.delivery_writes import STATUS_NAMES, write_delivery
from notify.deps import Deps

# As long as the dead-letter queue keeps its messages: until then an operator may bring a parked
# delivery back.
PARKED_FOR = timedelta(days=14)


def defer_sweep(delivery_id: str, until: datetime, deps: Deps) -> None:
    """Keep the sweeper away until then: the retry queue has a message of this delivery, which
    failed just now.
    """
    request = update_request(
        deps.outbox.of(delivery_id),
        {"delivery_id": delivery_id},
        "SET due_at = :until REMOVE wake",
        "due_at < :until",
        {":until": epoch_milliseconds(until)},
    )
    with suppress(ConditionFailedError):
        update_one(deps.dynamodb, request)


def park(delivery: Delivery, now: datetime, deps: Deps) -> Delivery | None:
    """Record that a delivery cannot be processed: its messages failed, and nothing brings it back
    but an operator.
    """
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
    clauses = []
    values: dict[str, Any] = {
        ":at": at,
        ":shard": erase_shard(delivery.delivery_id),
        ":until": at + PARKED_FOR // timedelta(milliseconds=1),
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
        clauses.append(f"({name}.#status = :queued OR ({name}.#status = :sending AND {name}.lease_until <= :at))")
    expression = f"SET {', '.join(assignments)} REMOVE {', '.join(removals)}"
    return write_delivery(deps, delivery, expression, " AND ".join(clauses), values, returns="ALL_NEW")


def is_abandoned(delivery: Delivery, now: datetime) -> bool:
    """Tell whether a delivery has been parked for so long that its dead letter is gone."""
    return delivery.parked_at is not None and now >= from_milliseconds(delivery.parked_at) + PARKED_FOR


def unpark(delivery: Delivery, now: datetime, deps: Deps) -> Delivery | None:
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
        ":due_at": at + OVERDUE_AFTER // timedelta(milliseconds=1),
        ":steps": [history_step(at, message, Status.QUEUED, delivery.channel) for message in parked],
        **({":queued": Status.QUEUED.value, ":none": 0} if parked else {}),
    }
    return write_delivery(
        deps,
        delivery,
        f"SET {', '.join(assignments)} REMOVE {', '.join(removals)}",
        "parked_at = :read_at",
        values,
        names=STATUS_NAMES if parked else None,
        returns="ALL_NEW",
    )
