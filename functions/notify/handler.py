"""Lambda entry point of delivery: the outbox's stream, the retry queue, one sweep a minute, and the
providers' receipts.
"""

from typing import Any

from reassort import start
from reassort.aws import Clients
from reassort.clock import utc_now
from reassort.election import packaged_election
from reassort.settings import read_settings

from notify.triggers import answer
from notify.wiring import Settings, build

_settings = read_settings(Settings)
_deps = build(_settings, Clients(), utc_now, packaged_election(_settings.election))
start.begin()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Answer a stream, queue, schedule, SNS or log event."""
    _deps.event_log.begin(context.aws_request_id)
    return answer(event, _deps)
