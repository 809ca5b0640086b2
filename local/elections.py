"""The demo election, moved by whole weeks so that today lies in its voting window; production's
clock stays untouched.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from reassort.election import Election
from reassort.election_file import parse_election

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")


class NoFitError(Exception):
    """No shift by whole weeks puts the instant into the election's voting window."""


def write_current_election(source: Path, folder: Path, now: datetime) -> Election:
    """Write to `folder` the election file `source`, with every date in it moved by the same number
    of weeks.

    Whole weeks keep each date on its weekday, which helpdesk hours depend on.

    Args:
        source: an election file.
        folder: receives a file of the same name.
        now: an aware instant, to lie in the moved voting window.

    Raises:
        NoFitError: the voting window is shorter than a week, and `now` falls in the gap.
        ElectionFileError: `source` is not a valid election file.
    """
    content: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    original = parse_election(content, source.name)
    local_now = now.astimezone(ZoneInfo(original.timezone)).replace(tzinfo=None)
    # Wall clocks are compared: a shift keeps local times, whatever daylight saving does in between.
    opens_at = original.windows.voting.opens_at.replace(tzinfo=None)
    moved = shift(content, timedelta(weeks=(local_now - opens_at) // timedelta(weeks=1)))
    election = parse_election(moved, source.name)
    if not (election.windows.voting.contains(now) and election.windows.reissue.contains(now)):
        raise NoFitError(f"{source.name}: its voting window moved by whole weeks does not contain {now:%Y-%m-%d %H:%M}")
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(moved, allow_unicode=True, sort_keys=False)
    (folder / source.name).write_text(text, encoding="utf-8")
    return election


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
