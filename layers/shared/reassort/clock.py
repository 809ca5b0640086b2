"""The clock, passed to every rule so that a test can set it. All instants are aware UTC."""

from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current instant, aware, UTC."""
    return datetime.now(UTC)


def epoch_seconds(instant: datetime) -> int:
    """Return whole seconds since 1970 of an aware instant, as DynamoDB's TTL wants them."""
    return int(instant.timestamp())


def epoch_milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since 1970 of an aware instant, the unit of every time in the
    tables but TTL.
    """
    return int(instant.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """Return the aware UTC instant of a stored time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def iso(instant: datetime) -> str:
    """Write an aware instant as the API shows it: `2018-11-29T07:00:00Z`, whole seconds, UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_until(later: int, at: int) -> int:
    """Return the whole seconds, one at least, from one time in milliseconds to a later one: when a
    client may come back.
    """
    return max(1, -((at - later) // 1000))
