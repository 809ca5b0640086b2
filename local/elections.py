"""An election moved to today: by whole weeks so that today lies in its voting window, if one so
short can be moved that way; production's clock stays untouched.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from reassort.election import Election, Window
from reassort.election_file import parse_election, read_election_file

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")


class NoFitError(Exception):
    """No shift by whole weeks puts the instant into the election's voting window."""


def write_current_election(source: Path, folder: Path, now: datetime) -> Election:
    """Write to `folder` the election file `source`, with every date in it moved by the same number
    of days.

    Whole weeks keep each date on its weekday, which helpdesk hours depend on. A ballot of less than
    a week may need other days. While none puts `now` into the ballot, as at night for one of a day,
    reissues are open at least.

    Args:
        source: an election file.
        folder: receives a file of the same name.
        now: an aware instant, to lie in the moved windows.

    Raises:
        NoFitError: reissues cannot be open at that time of day.
        ElectionFileError: `source` is not a valid election file.
    """
    original = read_election_file(source)
    content: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    both = ("reissue", "voting")
    for anchor, open_ones in (("voting", both), ("reissue", ("reissue",))):
        for step in (timedelta(weeks=1), timedelta(days=1)):
            moved = shift(content, _passed(getattr(original.windows, anchor), now, original.zone) // step * step)
            election = parse_election(moved, source.name)
            if all(getattr(election.windows, name).contains(now) for name in open_ones):
                folder.mkdir(parents=True, exist_ok=True)
                text = yaml.safe_dump(moved, allow_unicode=True, sort_keys=False)
                (folder / source.name).write_text(text, encoding="utf-8")
                return election
    raise NoFitError(f"{source.name}: its windows, moved by whole days, do not contain {now:%Y-%m-%d %H:%M}")


def _passed(window: Window, now: datetime, zone: ZoneInfo) -> timedelta:
    """Return the time since a window opened, by the clocks on the wall: a shift keeps local times,
    whatever daylight saving does in between.
    """
    local_now, opens_at = (instant.astimezone(zone).replace(tzinfo=None) for instant in (now, window.opens_at))
    return local_now - opens_at


def shift(part: Any, by: timedelta) -> Any:
    """Move every date and date-time in a parsed YAML document, keys included; strings that start
    with one too.
    """
    if isinstance(part, Mapping):
        return {shift(key, by): shift(value, by) for key, value in part.items()}
    if isinstance(part, list):
        return [shift(item, by) for item in part]
    if isinstance(part, date):
        return part + by
    if isinstance(part, str) and _DATE.fullmatch(part):
        moved = date.fromisoformat(part[:10]) + by
        return moved.isoformat() + part[10:]
    return part
