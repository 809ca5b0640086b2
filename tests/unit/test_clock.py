"""Instants as the tables, DynamoDB's TTL and the API have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from reassort.clock import epoch_milliseconds, epoch_seconds, from_milliseconds, iso, seconds_until

NINE = datetime(2018, 11, 30, 9, 15, 0, 250_000, tzinfo=UTC)
MILLISECONDS = 1_543_569_300_250


def test_an_instant_is_kept_in_whole_milliseconds_and_read_again() -> None:
    assert epoch_milliseconds(NINE) == MILLISECONDS
    assert epoch_milliseconds(NINE + timedelta(microseconds=999)) == MILLISECONDS
    assert from_milliseconds(MILLISECONDS) == NINE


def test_a_ttl_is_in_whole_seconds() -> None:
    assert epoch_seconds(NINE) == MILLISECONDS // 1000


def test_the_api_writes_whole_seconds_of_utc() -> None:
    assert iso(NINE.astimezone(timezone(timedelta(hours=1)))) == "2018-11-30T09:15:00Z"


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(-5000, 1), (0, 1), (1, 1), (1000, 1), (1001, 2), (2000, 2), (60_000, 60)]
)
def test_who_is_told_when_to_come_again_is_not_too_early_then(milliseconds: int, seconds: int) -> None:
    assert seconds_until(MILLISECONDS + milliseconds, MILLISECONDS) == seconds
