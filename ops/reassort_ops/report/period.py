"""The period of a report, and the hours in it, in the election's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.election import Election

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.moments import moment

HOUR = timedelta(hours=1)
# As a day of --from, --since and --to.
YESTERDAY = frozenset({"yesterday", "hier"})


@dataclass(frozen=True)
class Period:
    """`start` included, `end` excluded; both aware, in `zone`."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the first and the last millisecond since 1970."""
        return epoch_milliseconds(self.start), epoch_milliseconds(self.end) - 1

    @property
    def local_hours(self) -> Iterator[datetime]:
        """Yield the beginning of each local hour; the first may begin before the period."""
        hour = hour_of(self.start, self.zone)
        while hour < self.end.astimezone(UTC):
            yield hour.astimezone(self.zone)
            hour += HOUR

    @property
    def days(self) -> Iterator[date]:
        """Yield each local day that the period touches."""
        day = self.start.date()
        last = (self.end.astimezone(UTC) - timedelta(milliseconds=1)).astimezone(self.zone).date()
        while day <= last:
            yield day
            day += timedelta(days=1)

    def hour_of(self, milliseconds: int) -> datetime:
        """Return the beginning of the local hour of a stored time, UTC."""
        return hour_of(from_milliseconds(milliseconds), self.zone)

    def day_of(self, milliseconds: int) -> date:
        """Return the local day of a stored time."""
        return from_milliseconds(milliseconds).astimezone(self.zone).date()


def hour_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the local hour of an instant, in UTC: local times of an hour that the
    clocks repeat are equal in Python.
    """
    return instant.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def period_of(election: Election, now: datetime, first: str | None, last: str | None) -> Period:
    """Return the period that the options name: else from the opening of the reissues to the close
    of the ballot, or to now.

    `first` and `last` are `2018-11-29`, `2018-11-29T08:00` or a word for the day before
    (`YESTERDAY`), local unless they have an offset; a day is meant whole. Nothing later than `now`
    is in it: what has not happened is not zero.

    Raises:
        OperatorError: an option is not of that form, or nothing lies between them.
    """
    zone = election.zone
    first, last = (_as_day(typed, now.astimezone(zone).date()) for typed in (first, last))
    start = _read("--from", first, zone, whole_day_after=False) if first else election.windows.reissue.opens_at
    end = _read("--to", last, zone, whole_day_after=True) if last else election.windows.voting.closes_at
    end = min(end, now)
    if end.astimezone(UTC) <= start.astimezone(UTC):
        raise OperatorError(
            tr(
                "nothing to report between {start:%Y-%m-%dT%H:%M} and {end:%Y-%m-%dT%H:%M} ({zone}): see --from and "
                "--to",
                start=start.astimezone(zone),
                end=end.astimezone(zone),
                zone=zone.key,
            )
        )
    return Period(start.astimezone(zone), end.astimezone(zone), zone)


def _as_day(typed: str | None, today: date) -> str | None:
    if typed is not None and typed.lower() in YESTERDAY:
        return (today - timedelta(days=1)).isoformat()
    return typed


def _read(option: str, typed: str, zone: ZoneInfo, *, whole_day_after: bool) -> datetime:
    try:
        if len(typed) == len("2018-11-29"):
            day = date.fromisoformat(typed) + timedelta(days=whole_day_after)
            return datetime.combine(day, time(), zone)
        datetime.fromisoformat(typed)
    except (ValueError, OverflowError) as error:
        raise OperatorError(tr("{option} is not of the form 2018-11-29 or 2018-11-29T08:00", option=option)) from error
    return moment(option, typed, zone)
