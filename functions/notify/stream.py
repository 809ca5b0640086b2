"""The outbox's stream: the first attempt of each new delivery."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from notify.delivering import deliver, find
from notify.deps import Deps
from notify.retry_queue import queue_delivery


def on_stream(event: Mapping[str, Any], deps: Deps) -> dict[str, Any]:
    """Make the first attempt of each new delivery; one that fails goes to the retry queue and holds
    nobody up.

    Returns the records to bring again: those that could be neither sent nor queued.
    """
    failures = []
    for record in event["Records"]:
        sequence_number = record["dynamodb"]["SequenceNumber"]
        try:
            _first_attempt(record["dynamodb"]["NewImage"], deps)
        except Exception as error:  # noqa: BLE001 - one record must not fail the others
            deps.event_log.fault("record kept in the stream", error)
            failures.append({"itemIdentifier": sequence_number})
    return {"batchItemFailures": failures}


def _first_attempt(image: Mapping[str, Any], deps: Deps) -> None:
    delivery_id = image["delivery_id"]["S"]
    try:
        again = deliver(find(delivery_id, image["voter_id"]["S"], deps), deps)
    except Exception as error:  # noqa: BLE001 - whatever it is, the retry queue has time for it
        deps.event_log.fault("first attempt failed", error, delivery=delivery_id)
        again = [deps.clock() + timedelta(seconds=1)]
    for until in again:
        queue_delivery(delivery_id, until, 0, deps)
