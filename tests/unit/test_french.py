"""Dates and helpdesk hours as French text writes them, in the election's own time zone."""

from datetime import UTC, date, datetime, time

import pytest
from reassort.french import (
    ballot_close,
    french_date,
    french_hour,
    french_instant,
    french_moment,
    french_ordinal,
    french_time,
    helpdesk_hours,
    short_close,
    typeset,
    typeset_html,
)

from harness.elections import read_election
from tests.typography_cases import TYPESET

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


def test_moment_of_the_election_has_no_year_and_its_hour_no_day() -> None:
    late = _milliseconds(2018, 11, 30, 23, 30)
    assert french_moment(late, DIJON) == "samedi 1er décembre à 0 h 30"
    assert french_hour(late, DIJON) == "0 h 30"


def test_only_the_first_is_not_written_with_an_e() -> None:
    assert [french_ordinal(number) for number in (1, 2, 21)] == ["1er", "2e", "21e"]


@pytest.mark.req("U9")
@pytest.mark.parametrize(
    ("phone", "there"),
    [
        ("", ""),
        ("+33612345678", ""),
        ("+590690123456", " (12 h aux Antilles)"),
        ("+262639012345", " (19 h à Mayotte)"),
        ("+687751234", " (vendredi 7 décembre à 3 h en Nouvelle-Calédonie)"),
    ],
)
def test_close_of_the_ballot_is_told_in_the_hour_of_where_the_phone_is_at_home(phone: str, there: str) -> None:
    assert ballot_close(DIJON, phone) == f"jeudi 6 décembre 2018 à 17 h, heure de Paris{there}"


@pytest.mark.req("U9")
def test_a_phone_where_the_hour_is_the_elections_is_told_none_beside() -> None:
    noumea = read_election("nouvelle-caledonie-2026")
    assert ballot_close(noumea, "+687751234") == ballot_close(noumea)
    assert ballot_close(noumea) == "jeudi 10 décembre 2026 à 16 h 30, heure de Nouvelle-Calédonie"
    assert short_close(noumea) == "10/12 à 16 h 30 (Nouvelle-Calédonie)"
    assert short_close(DIJON) == "6/12 à 17 h (Paris)"


@pytest.mark.parametrize(("plain", "kept"), TYPESET.items())
def test_text_keeps_together_what_a_line_must_not_part(plain: str, kept: str) -> None:
    assert typeset(plain) == kept


def test_texts_of_a_page_are_typeset_and_neither_its_tags_nor_its_style() -> None:
    style, tag = "<style>a { b : c ; }</style>", '<a title="Oui ?">'
    assert typeset_html(f"<p>{style}{tag}Non ?</a></p>") == f"<p>{style}{tag}Non\u202f?</a></p>"


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
