"""Times that are typed after an option: an offset or `Z` is taken as given, and without one the
election's zone holds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

_DATE_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-?W\d{2}(?:-?\d)?")
_FORMS = tr("2018-12-06T12:00 in the election's time zone, 2018-12-06T12:00+11:00 or 2018-12-06T01:00Z")


def moment(option: str, typed: str, zone: ZoneInfo) -> datetime:
    """Return the aware time that was typed.

    Raises:
        OperatorError: it is none, a date without a time, or an hour that the clocks of `zone` skip
            or repeat.
    """
    text = typed.strip()
    if _DATE_ALONE.fullmatch(text):
        raise OperatorError(
            tr("{option} {text} is a date without a time: {forms}", option=option, text=text, forms=_FORMS)
        )
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(tr("{option} is not a time: {forms}", option=option, forms=_FORMS)) from error
    return found if found.tzinfo is not None else local_moment(option, found, zone)


def local_moment(option: str, naive: datetime, zone: ZoneInfo) -> datetime:
    """Return a time on the clocks of `zone`.

    Raises:
        OperatorError: they skip it or show it twice.
    """
    local = naive.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise OperatorError(
            tr("{option}: the clocks of {zone} skip {naive:%Y-%m-%d %H:%M}", option=option, zone=zone.key, naive=naive)
        )
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise OperatorError(
            tr(
                "{option}: the clocks of {zone} show {naive:%Y-%m-%d %H:%M} twice: give an offset, {first} or {second}",
                option=option,
                zone=zone.key,
                naive=naive,
                first=local.isoformat(timespec="minutes"),
                second=local.replace(fold=1).isoformat(timespec="minutes"),
            )
        )
    return local


def said_back(instant: datetime, zone: ZoneInfo) -> str:
    """Say a time so that nobody takes it for another: on the clocks of `zone`, and in UTC."""
    local = instant.astimezone(zone)
    return tr(
        "{local:%A %Y-%m-%d %H:%M} in {zone} ({UTC:%Y-%m-%dT%H:%MZ})",
        local=local,
        zone=zone.key,
        UTC=instant.astimezone(UTC),
    )
