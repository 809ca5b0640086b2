"""What comes out of the retry queue: deliveries to be tried again, and receipts that could not be
applied.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from reassort.clock import from_milliseconds
from reassort.outbox import OVERDUE_AFTER
from reassort.tables import BUSY_OR_UNREACHABLE

from notify.delivering import deliver, find
from notify.delivery_writes import read_delivery
from notify.deps import Deps
from notify.erasure import close_delivery
from notify.parking import PARKED_FOR, defer_sweep, is_abandoned, park, unpark
from notify.receipt_events import receipt_from_json
from notify.receiving import receive
from notify.retry_queue import RECEPTIONS, VISIBILITY, after_outage, queue_delivery


def on_queue(event: Mapping[str, Any], deps: Deps) -> dict[str, Any]:
    """Try again. A message that raises comes back until the queue's redrive policy takes it out."""
    failures = []
    for record in event["Records"]:
        try:
            _from_queue(json.loads(record["body"]), record["attributes"], deps)
        except Exception as error:  # noqa: BLE001 - one message must not fail the others
            deps.event_log.fault("message kept in the queue", error)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _from_queue(body: Mapping[str, Any], attributes: Mapping[str, str], deps: Deps) -> None:
    turns = body.get("turns", 0) + 1
    if "receipt" in body:
        receive(receipt_from_json(body["receipt"]), body.get("tries", 0), turns, deps)
        return
    delivery_id = body["delivery_id"]
    until = from_milliseconds(body.get("until", 0))
    if until > deps.clock():
        # Further away than SQS delays a message: another leg of the way.
        queue_delivery(delivery_id, until, turns, deps)
        return
    try:
        _attempt_again(delivery_id, int(attributes["SentTimestamp"]), turns, deps)
    except BUSY_OR_UNREACHABLE as error:
        # Tables that do not answer are nothing that a dead-letter queue could help with.
        deps.event_log.fault("attempt put off", error, delivery=delivery_id)
        until = after_outage(deps)
        queue_delivery(delivery_id, until, turns, deps)
        with suppress(*BUSY_OR_UNREACHABLE):
            # Or the sweeper would queue it a second time, every minute that this lasts.
            defer_sweep(delivery_id, until + OVERDUE_AFTER, deps)
    except Exception:
        _keep_poison(delivery_id, int(attributes["ApproximateReceiveCount"]), deps)
        raise


def _attempt_again(delivery_id: str, sent_at: int, turns: int, deps: Deps) -> None:
    delivery = read_delivery(delivery_id, deps)
    if delivery is not None and is_abandoned(delivery, deps.clock()):
        close_delivery(delivery, deps.clock(), deps)
        return
    if delivery is not None and delivery.parked_at is not None:
        # Only an operator brings a parked delivery back, from the dead letters: SQS then gives the
        # message a new time. One that was on its way before is as late as the one that parked it.
        fresh = sent_at > delivery.parked_at
        delivery = unpark(delivery, deps.clock(), deps) if fresh else None
    if delivery is None:
        return
    for until in deliver(find(delivery_id, delivery.voter_id, deps), deps):
        queue_delivery(delivery_id, until, turns, deps)


def _keep_poison(delivery_id: str, reception: int, deps: Deps) -> None:
    """Keep the sweeper away from a delivery that the queue will bring again, and park it when it
    will not.
    """
    now = deps.clock()
    # Should it not be possible to park it now, the sweeper brings it once more: its voter must not
    # wait for that for as long as dead letters are kept.
    defer_sweep(delivery_id, now + 2 * VISIBILITY, deps)
    if reception < RECEPTIONS:
        return
    try:
        delivery = read_delivery(delivery_id, deps)
    except BUSY_OR_UNREACHABLE:
        raise
    except Exception:
        # Not even its state makes sense, so that nothing can be recorded in it.
        defer_sweep(delivery_id, now + PARKED_FOR, deps)
        raise
    if delivery is not None and park(delivery, now, deps) is not None:
        deps.meters.count_parked()
        deps.event_log.warn("delivery parked", delivery=delivery_id)
