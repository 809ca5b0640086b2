"""What was sealed is erased once nothing can be sent any more.

A carrier's word that an SMS arrived is its last. A mail server may take an e-mail and return it
later: until redelivery ends, the identifier that it brought may be needed again.
"""

from datetime import datetime

from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Delivery, Kind, Message, Status
from reassort.table_keys import erase_shard

from notify.delivery_writes import write_delivery
from notify.deps import Deps


def close_delivery(delivery: Delivery, now: datetime, deps: Deps) -> None:
    """Once all is settled, erase what was sealed, or plan that for when redelivery is no longer
    offered.

    A redelivery that was asked for meanwhile has set `wake`, and wins.
    """
    at = epoch_milliseconds(now)
    erase_at = delivery.created_at + deps.election.retention.redelivery_minutes * 60_000
    condition = "attribute_exists(delivery_id) AND attribute_not_exists(wake)"
    if at >= erase_at or not _may_be_redelivered(delivery):
        if delivery.payload is not None or delivery.due_at is not None:
            write_delivery(deps, delivery, "REMOVE payload, address, due_shard, due_at", condition, {}, names=None)
    elif delivery.due_at != erase_at:
        # Apart from what waits to be sent; see `keys`.
        values = {":shard": erase_shard(delivery.delivery_id), ":erase_at": erase_at}
        write_delivery(deps, delivery, "SET due_shard = :shard, due_at = :erase_at", condition, values, names=None)


def _may_be_redelivered(delivery: Delivery) -> bool:
    return not (
        delivery.kind is not Kind.REISSUE
        or delivery.superseded_at
        or delivery.disputed_at
        or (delivery.status_of(Message.IDENTIFIER) is Status.DELIVERED and delivery.channel is Channel.SMS)
    )
