"""Conditional writes on one delivery, and the conditions that several of them share."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reassort.clock import epoch_milliseconds
from reassort.outbox import Delivery, Message, Status, delivery_from_item
from reassort.tables import ConditionFailedError, read_one, update_one, update_request

from notify.deps import Deps

STATUS_NAMES = {"#status": "status"}
ROUND_NAMES = {"#status": "status", "#round": "round"}
# An identifier that somebody still wants to have: the voter has no later one and did not dispute
# it.
WANTED = "attribute_not_exists(superseded_at) AND attribute_not_exists(disputed_at)"


@dataclass(frozen=True)
class Condition:
    """A clause of a conditional write, with the values and names that it uses."""

    clause: str
    values: dict[str, Any]
    names: dict[str, str] = field(default_factory=dict)


def read_delivery(delivery_id: str, deps: Deps) -> Delivery | None:
    """Read a delivery, strongly consistent."""
    item = read_one(deps.dynamodb, deps.outbox.of(delivery_id), {"delivery_id": delivery_id})
    return delivery_from_item(item) if item else None


def write_delivery(  # the parts of an UpdateItem call
    deps: Deps,
    delivery: Delivery,
    expression: str,
    condition: str,
    values: dict[str, Any],
    *,
    names: dict[str, str] | None = STATUS_NAMES,
    returns: str = "NONE",
) -> Delivery | None:
    """Update a delivery and return it as `returns` says; None when the condition did not hold."""
    key = {"delivery_id": delivery.delivery_id}
    try:
        request = update_request(deps.outbox.of(delivery.delivery_id), key, expression, condition, values, names)
        item = update_one(deps.dynamodb, request, returns=returns)
    except ConditionFailedError:
        return None
    return delivery_from_item(item) if item else delivery


def idle_condition(delivery: Delivery, message: Message, now: datetime) -> Condition:
    """Return the condition that nobody is sending a message and that it was not queued again since
    it was read.
    """
    name = f"messages.{message}"
    clause = (
        f"({name}.#status = :queued OR ({name}.#status = :sending AND {name}.lease_until <= :at)) "
        # Queued again it starts another round with no attempt made, just as it was in an event that
        # comes late.
        f"AND {name}.attempts = :attempts AND {name}.#round = :round"
    )
    values = {
        ":at": epoch_milliseconds(now),
        ":attempts": delivery.messages[message]["attempts"],
        ":round": delivery.round_of(message),
        ":queued": Status.QUEUED.value,
        ":sending": Status.SENDING.value,
    }
    return Condition(clause, values, ROUND_NAMES)
