"""An identifier that nobody needs any more: its voter has a later one, disputed it, or left
the roll.
"""

from datetime import datetime

from reassort.clock import epoch_milliseconds
from reassort.outbox import Delivery, Message, Status

from notify.delivery_writes import idle_condition, write_delivery
from notify.deps import Deps


def mark_superseded(delivery: Delivery, now: datetime, deps: Deps) -> None:
    """Record that the voter has a later identifier than the one of this delivery, or left the
    roll.
    """
    values = {":at": epoch_milliseconds(now)}
    new = "attribute_exists(delivery_id) AND attribute_not_exists(superseded_at)"
    write_delivery(deps, delivery, "SET superseded_at = :at", new, values, names=None)


def settle_superseded(delivery: Delivery, message: Message, now: datetime, deps: Deps) -> Delivery | None:
    """Settle an identifier that nobody is sending and nobody will send: its voter has a later one,
    or disputed it.
    """
    idle = idle_condition(delivery, message, now)
    name = f"messages.{message}"
    return write_delivery(
        deps,
        delivery,
        f"SET {name}.#status = :status REMOVE wake, {name}.turn",
        idle.clause,
        {**idle.values, ":status": Status.SUPERSEDED.value},
        names=idle.names,
        returns="ALL_NEW",
    )
