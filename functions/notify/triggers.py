"""What wakes this function: the outbox's stream, the retry queue, the sweeper's schedule, and the
providers' receipts.
"""

from collections.abc import Mapping
from typing import Any

from notify.deps import Deps
from notify.receiving import on_email_events, on_sms_log
from notify.retrying import on_queue
from notify.stream import on_stream
from notify.sweeper import on_schedule


def answer(event: Mapping[str, Any], deps: Deps) -> dict[str, Any] | None:
    """Answer a stream, queue, schedule, SNS or log event."""
    if "awslogs" in event:
        on_sms_log(event, deps)
        return None
    records = event.get("Records")
    if not records:
        return on_schedule(deps)
    # SNS alone writes its key with a capital letter.
    match records[0].get("eventSource") or records[0].get("EventSource"):
        case "aws:dynamodb":
            return on_stream(event, deps)
        case "aws:sns":
            on_email_events(event, deps)
            return None
    return on_queue(event, deps)
