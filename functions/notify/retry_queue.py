"""Putting what must be done later into the retry queue."""

import json
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reassort.clock import epoch_milliseconds

from notify.deps import Deps

# SQS delays a message by 15 minutes at most.
_LONGEST_DELAY_SECONDS = 900
# The retry queue of template.yaml gives a message to the dead letters after this many receptions,
# this far apart.
RECEPTIONS = 5
VISIBILITY = timedelta(seconds=360)
# A message that this function puts back into its own queue is a loop to Lambda, which is told to
# let it run (`RecursiveLoop` in template.yaml): a day of the longest delays, and no further. The
# sweeper and the dead letters have what is longer under way.
MOST_TURNS = 96
# When tables or KMS do not answer, everything waits about this long before it is tried again.
_OUTAGE_WAIT_SECONDS = (20, 60)


def queue_delivery(delivery_id: str, until: datetime, turns: int, deps: Deps) -> None:
    """Bring a delivery again at `until`, for the `turns`-th time."""
    if turns >= MOST_TURNS:
        # It is in the sweeper's index, which queues it again.
        deps.event_log.warn("delivery left to the sweeper", delivery=delivery_id)
        return
    put_back({"delivery_id": delivery_id, "until": epoch_milliseconds(until), "turns": turns}, until, deps)


def put_back(body: Mapping[str, Any], until: datetime, deps: Deps) -> None:
    """Put a message into the queue that comes out at `until`, or after as long as SQS delays it."""
    wait = -((deps.clock() - until) // timedelta(seconds=1))
    deps.sqs.send_message(
        QueueUrl=deps.retry_queue,
        MessageBody=json.dumps(body),
        DelaySeconds=min(max(wait, 0), _LONGEST_DELAY_SECONDS),
    )


def after_outage(deps: Deps) -> datetime:
    """Return when to try again what tables or KMS did not let be done."""
    return deps.clock() + timedelta(seconds=random.uniform(*_OUTAGE_WAIT_SECONDS))  # noqa: S311 - jitter
