"""Dates and helpdesk hours as French text writes them, in the election's own time zone."""

from datetime import UTC, date, datetime, time

import pytest
from reassort.french import french_date, french_instant, french_time, helpdesk_hours

from harness.elections import read_election

DIJON = read_election("dijon-2018")
NORMANDIE = read_election("normandie-2026")


def _milliseconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2018, 12, 1), "samedi 1er décembre 2018"),
        (date(2018, 11, 29), "jeudi 29 novembre 2018"),
        (date(2026, 2, 2), "lundi 2 février 2026"),
        (date(2026, 8, 31), "lundi 31 août 2026"),
    ],
)
def test_date(day: date, written: str) -> None:
    assert french_date(day) == written


@pytest.mark.parametrize(
    ("moment", "written"),
    [(time(8), "8 h"), (time(17, 30), "17 h 30"), (time(9, 5), "9 h 05"), (time(0), "0 h")],
)
def test_time(moment: time, written: str) -> None:
    assert french_time(moment) == written


@pytest.mark.parametrize(
    ("instant", "written"),
    [
        (_milliseconds(2018, 11, 30, 9, 15), "vendredi 30 novembre 2018 à 10 h 15"),
        (_milliseconds(2018, 11, 30, 23, 30), "samedi 1er décembre 2018 à 0 h 30"),
        (_milliseconds(2018, 7, 1, 10), "dimanche 1er juillet 2018 à 12 h"),
    ],
)
def test_instant_is_local(instant: int, written: str) -> None:
    assert french_instant(instant, DIJON) == written


@pytest.mark.req("U8")
def test_hours_depend_on_the_period() -> None:
    before = _milliseconds(2018, 11, 20, 9)
    during = _milliseconds(2018, 11, 30, 9)
    assert helpdesk_hours(before, DIJON) == ["du lundi au vendredi de 8 h à 12 h 30 et de 13 h 30 à 17 h 30"]
    assert helpdesk_hours(during, DIJON) == [
        "du lundi au vendredi de 8 h à 20 h",
        "le samedi 1er décembre 2018 de 9 h à 17 h",
    ]


@pytest.mark.req("U8")
def test_hours_are_the_elections_own() -> None:
    during = _milliseconds(2026, 12, 4, 9)
    assert helpdesk_hours(during, NORMANDIE) == [
        "du lundi au vendredi de 8 h à 19 h",
        "le samedi 5 décembre 2026 de 9 h à 17 h",
        "le dimanche 6 décembre 2026 de 9 h à 12 h",
    ]
