"""Establishments of a report: named from a floor on, and the others never fewer than that."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from reassort_ops.report.establishments import FLOOR, EstablishmentsTally
from reassort_ops.report.figures import Establishments, ReissuesOfEstablishment
from reassort_ops.report.period import Period

PERIOD = Period(datetime(2018, 11, 29, tzinfo=UTC), datetime(2018, 11, 30, tzinfo=UTC), ZoneInfo("UTC"))
FIRST, LAST = PERIOD.bounds

pytestmark = pytest.mark.req("I7")


def told(voters: dict[str, int], *, each: int = 2) -> Establishments:
    """Tell establishments of so many voters, who were each given so many identifiers."""
    tally = EstablishmentsTally(PERIOD)
    for name, number in voters.items():
        for _ in range(number):
            tally.take({"establishment": name, "issued_at": [FIRST, *[LAST] * each]})
    return tally.figures()


@pytest.mark.parametrize(
    ("voters", "named", "others", "others_voters"),
    [
        ({}, [], 0, 0),
        ({"a": 10}, ["a"], 0, 0),
        # The largest first, and those of one size by name.
        ({"b": 10, "c": 11, "a": 10}, ["c", "a", "b"], 0, 0),
        # Too few, so that even their number would tell of somebody.
        ({"a": 9}, [], 1, None),
        ({"a": 1, "b": 8}, [], 2, None),
        ({"a": 1, "b": 9}, [], 2, 10),
        ({"a": 20, "b": 1, "c": 9}, ["a"], 2, 10),
        # The smallest of the named makes the others enough, and no more go with it.
        ({"a": 12, "b": 11, "c": 1}, ["a"], 2, 12),
        ({"a": 10, "b": 10, "c": 9}, ["a"], 2, 19),
        ({"a": 20, "b": 30, "c": 9, "d": 9}, ["b", "a"], 2, 18),
    ],
)
def test_no_number_is_told_of_fewer_voters_than_the_floor(
    voters: dict[str, int], named: list[str], others: int, others_voters: int | None
) -> None:
    assert told(voters) == Establishments(
        floor=10,
        named=tuple(ReissuesOfEstablishment(name, voters[name], 2 * voters[name]) for name in named),
        others=others,
        others_voters=others_voters,
        others_reissues=None if others_voters is None else 2 * others_voters,
    )


@pytest.mark.parametrize(
    ("issued_at", "counted"),
    [
        # The first is that of the first mailing.
        ([FIRST], 0),
        ([FIRST, FIRST], 1),
        ([FIRST, LAST], 1),
        ([FIRST, FIRST - 1, LAST + 1], 0),
        ([FIRST - 1, FIRST, LAST, LAST + 1], 2),
    ],
)
def test_an_identifier_that_was_given_again_counts_from_the_first_to_the_last_millisecond(
    issued_at: list[int], counted: int
) -> None:
    tally = EstablishmentsTally(PERIOD)
    for _ in range(FLOOR):
        tally.take({"establishment": "a", "issued_at": issued_at})
    assert [one.reissues for one in tally.figures().named] == ([FLOOR * counted] if counted else [])
