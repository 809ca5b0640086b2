"""Numbers, times and durations as a French reader expects them; a figure that is not known is a
dash.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from reassort.french import NARROW_NO_BREAK, french_time, typeset

UNKNOWN = "–"
_WEEKDAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_SECOND, _MINUTE, _HOUR = 1000, 60_000, 3_600_000


def number(value: float | None, digits: int = 0) -> str:
    """Write a number: `1 234,5`."""
    if value is None:
        return UNKNOWN
    return f"{value:,.{digits}f}".replace(",", NARROW_NO_BREAK).replace(".", ",")


def some(count: int | None, one: str, more: str) -> str:
    """Write so many of something: `1 réassort`, `2 réassorts`; in French none is one."""
    return f"{number(count)} {one if count in (0, 1) else more}"


def percent(value: float | None) -> str:
    """Write a share of a hundred to one digit: `12,5 %`."""
    return UNKNOWN if value is None else typeset(f"{number(value, 1)} %")


def dollars(value: float | None) -> str:
    """Write US dollars: `1 234,50 $`."""
    return UNKNOWN if value is None else typeset(f"{number(value, 2)} $")


def duration(milliseconds: int | None) -> str:
    """Write a duration, as finely as it deserves: `180 ms`, `4,2 s`, `3 min 20 s`, `2 h 05`,
    `3 j 4 h`.
    """
    if milliseconds is None:
        return UNKNOWN
    return typeset(_duration(milliseconds))


def _duration(milliseconds: int) -> str:
    if milliseconds < _SECOND:
        return f"{milliseconds} ms"
    if milliseconds < 10 * _SECOND:
        return f"{number(milliseconds / _SECOND, 1).removesuffix(',0')} s"
    if milliseconds < _MINUTE:
        return f"{milliseconds // _SECOND} s"
    if milliseconds < _HOUR:
        minutes, rest = divmod(milliseconds // _SECOND, 60)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    if milliseconds < 24 * _HOUR:
        hours, rest = divmod(milliseconds // _MINUTE, 60)
        return f"{hours} h" + (f" {rest:02}" if rest else "")
    days, rest = divmod(milliseconds // _HOUR, 24)
    return f"{days} j" + (f" {rest} h" if rest else "")


def day(value: date) -> str:
    """Write a day: `jeu. 29 nov. 2018`."""
    return f"{short_day(value)} {value.year}"


def short_day(value: date) -> str:
    """Write a day without its year: `jeu. 29 nov.`."""
    return f"{_WEEKDAYS[value.weekday()]} {value.day}{'er' if value.day == 1 else ''} {_MONTHS[value.month - 1]}"


def day_and_time(instant: datetime) -> str:
    """Write a local instant: `jeu. 29 nov. 2018 à 8 h 05`."""
    return f"{day(instant)} à {typeset(french_time(instant))}"


def hour(begin: datetime) -> str:
    """Write a local hour by its beginning: `jeu. 29 nov. 2018, 8 h`; one that the clocks repeat
    says which one it is.
    """
    told = f"{day(begin)}, {typeset(french_time(begin))}"
    return f"{told} ({_season(begin)})" if _is_repeated(begin) else told


def _is_repeated(instant: datetime) -> bool:
    return instant.replace(fold=0).utcoffset() != instant.replace(fold=1).utcoffset()


def _season(instant: datetime) -> str:
    return "heure d’été" if (instant.dst() or timedelta(0)) else "heure d’hiver"
