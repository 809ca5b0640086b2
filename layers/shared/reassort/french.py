"""French texts: dates, times and helpdesk hours in words, and the spaces at which no line may end.

Words come with plain spaces, as terminals, SMS and text parts show them. Pages and HTML parts are
typeset by the rules of the Imprimerie nationale: a narrow no-break space before ; ! ? and in large
numbers, a no-break space everywhere else. `site/scripts/typography.js` has the same rules for the
texts that scripts write; tests/site/test_typography.py compares the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reassort.clock import from_milliseconds
from reassort.local_times import place_of, zone_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, time

    from reassort.election import Election, Opening

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
NO_BREAK = "\u00a0"
NARROW_NO_BREAK = "\u202f"
_UNITS = "ms|s|min|h|j|secondes?|minutes?|heures?|jours?|chiffres?|caractères|essais?"
# What stands before a space at which no line may end, and what follows it.
_KEPT_TOGETHER = tuple(
    (f"({before}) (?={after})", rf"\1{space}")
    for before, after, space in (
        (r"^|\S", "[;!?]", NARROW_NO_BREAK),
        (r"^|\S", "[:»]", NO_BREAK),
        ("«|n°", "", NO_BREAK),
        ("[0-9•]", "[0-9•%$€]", NO_BREAK),
        ("[0-9]", rf"(?:{_UNITS})(?![\w’'])", NO_BREAK),
        ("[0-9]\u00a0(?:h|min|j)", "[0-9]", NO_BREAK),
        ("|".join(_DAYS), "[0-9]", NO_BREAK),
        ("[0-9]|1er", "|".join(_MONTHS), NO_BREAK),
    )
)
# Style sheets are left alone.
_TEXT = r"(?s)<style.*?</style>|(?<=>)[^<>]+"


def typeset(text: str) -> str:
    """Put the no-break spaces of French typography where a text has plain ones."""
    for pattern, replacement in _KEPT_TOGETHER:
        text = re.sub(pattern, replacement, text)
    return text


def typeset_html(html: str) -> str:
    """Do the same to the texts between the tags of a page."""
    return re.sub(_TEXT, lambda found: found[0] if found[0].startswith("<") else typeset(found[0]), html)


def french_date(day: date) -> str:
    """Write `samedi 1er décembre 2018`."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_DAYS[day.weekday()]} {number} {_MONTHS[day.month - 1]} {day.year}"


def french_time(moment: time | datetime) -> str:
    """Write `8 h` or `17 h 30`."""
    return f"{moment.hour} h {moment.minute:02d}" if moment.minute else f"{moment.hour} h"


def french_hours(openings: Sequence[Opening]) -> str:
    """Write `de 8 h à 12 h 30 et de 13 h 30 à 17 h 30`, or nothing when there are none."""
    return " et ".join(f"de {french_time(opening.start)} à {french_time(opening.end)}" for opening in openings)


def french_instant(milliseconds: int, election: Election) -> str:
    """Write a stored time in the election's time zone: `samedi 1er décembre 2018 à 9 h 05`."""
    local = from_milliseconds(milliseconds).astimezone(election.zone)
    return f"{french_date(local.date())} à {french_time(local)}"


def french_hour(milliseconds: int, election: Election) -> str:
    """Write the hour of a stored time in the election's time zone: `14 h 32`."""
    return french_time(from_milliseconds(milliseconds).astimezone(election.zone))


def french_moment(milliseconds: int, election: Election) -> str:
    """Write a stored time without its year, in the election's time zone:
    `jeudi 29 novembre à 9 h 12`.
    """
    local = from_milliseconds(milliseconds).astimezone(election.zone)
    return f"{french_date(local.date()).rpartition(' ')[0]} à {french_time(local)}"


def french_ordinal(number: int) -> str:
    """Write `1er` or `2e`."""
    return "1er" if number == 1 else f"{number}e"


def zone_words(election: Election) -> str:
    """Write `heure de Paris`."""
    return f"heure de {zone_name(election.timezone)}"


def ballot_close(election: Election, phone: str = "") -> str:
    """Write when the ballot closes: `jeudi 6 décembre 2018 à 17 h, heure de Paris`.

    The hour where `phone` (E.164) is at home follows when it is another one:
    `… (12 h aux Antilles)`.
    """
    local = election.windows.voting.closes_at.astimezone(election.zone)
    words = f"{french_date(local.date())} à {french_time(local)}, {zone_words(election)}"
    place = place_of(phone)
    if place is None:
        return words
    there = local.astimezone(ZoneInfo(place.zone))
    if there.utcoffset() == local.utcoffset():
        return words
    day = "" if there.date() == local.date() else f"{french_date(there.date()).rpartition(' ')[0]} à "
    return f"{words} ({day}{french_time(there)} {place.where})"


def short_close(election: Election) -> str:
    """Write the same for an SMS: `6/12 à 17 h (Paris)`."""
    local = election.windows.voting.closes_at.astimezone(election.zone)
    return f"{local.day}/{local.month} à {french_time(local)} ({zone_name(election.timezone)})"


def helpdesk_hours(milliseconds: int, election: Election) -> list[str]:
    """Write the helpdesk's hours in the period a stored time falls in, special dates included: a
    line for each.
    """
    voting = election.windows.voting.contains(from_milliseconds(milliseconds))
    hours = election.helpdesk.during_voting if voting else election.helpdesk.outside_voting
    lines = [f"du lundi au vendredi {french_hours(hours.weekdays)}"]
    lines += [f"le {french_date(day)} {french_hours(spans)}" for day, spans in sorted(hours.dates.items())]
    return lines
