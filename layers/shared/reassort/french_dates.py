"""Dates, times and helpdesk hours as French text writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort.clock import from_milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, time

    from reassort.election import Election, Opening

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def french_date(day: date) -> str:
    """Write `samedi 1er décembre 2018`."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_DAYS[day.weekday()]} {number} {_MONTHS[day.month - 1]} {day.year}"


def french_time(moment: time | datetime) -> str:
    """Write `8 h` or `17 h 30`."""
    return f"{moment.hour} h {moment.minute:02d}" if moment.minute else f"{moment.hour} h"


def french_instant(milliseconds: int, election: Election) -> str:
    """Write a stored time in the election's time zone: `samedi 1er décembre 2018 à 9 h 05`."""
    local = from_milliseconds(milliseconds).astimezone(election.zone)
    return f"{french_date(local.date())} à {french_time(local)}"


def french_moment(milliseconds: int, election: Election) -> str:
    """Write a stored time without its year, in the election's time zone: `jeudi 29 novembre à 9 h 12`."""
    local = from_milliseconds(milliseconds).astimezone(election.zone)
    return f"{french_date(local.date()).rpartition(' ')[0]} à {french_time(local)}"


def helpdesk_hours(milliseconds: int, election: Election) -> list[str]:
    """Write the helpdesk's hours in the period a stored time falls in, special dates included: a line for each."""
    voting = election.windows.voting.contains(from_milliseconds(milliseconds))
    hours = election.helpdesk.during_voting if voting else election.helpdesk.outside_voting
    lines = [f"du lundi au vendredi {_spans(hours.weekdays)}"]
    lines += [f"le {french_date(day)} {_spans(spans)}" for day, spans in sorted(hours.dates.items())]
    return lines


def _spans(openings: Sequence[Opening]) -> str:
    return " et ".join(f"de {french_time(opening.start)} à {french_time(opening.end)}" for opening in openings)
