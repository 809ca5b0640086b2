"""The code that a signed-in voter reads to the helpdesk: how long it is good, for whom, and what it
is not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.caller_codes import SLOT, CallerCode, current_code, is_code_of, normalise_caller_code
from reassort.keyed_hash import KeyedHash

from harness.elections import IDS, read_election

KEYED_HASH = KeyedHash(b"k" * 32)
VOTER = KEYED_HASH.voter_id("claire.martin@ac-dijon.fr")
OTHER = KEYED_HASH.voter_id("paul.petit@u-bourgogne.fr")
NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2018, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware by `timezones`
IDLE_MINUTES = st.integers(2, 60)


def shown(now: datetime, idle_minutes: int = 15, voter_id: str = VOTER) -> CallerCode:
    return current_code(KEYED_HASH, voter_id, now, idle_minutes)


def accepted(code: str, now: datetime, idle_minutes: int = 15, voter_id: str = VOTER) -> bool:
    return is_code_of(KEYED_HASH, voter_id, code, now, idle_minutes)


@given(INSTANTS, IDLE_MINUTES)
def test_code_is_good_until_it_says_and_not_a_moment_longer(now: datetime, idle_minutes: int) -> None:
    code = shown(now, idle_minutes)
    last = code.expires_at - timedelta(milliseconds=1)
    assert accepted(code.code, now, idle_minutes)
    assert accepted(code.code, last, idle_minutes)
    # A later slot has the same six digits once in a million.
    later = [shown(code.expires_at + SLOT * age, idle_minutes).code for age in range(-12, 1)]
    assert not accepted(code.code, code.expires_at, idle_minutes) or code.code in later


@given(INSTANTS, IDLE_MINUTES)
def test_code_outlives_an_idle_session_by_two_slots_at_most(now: datetime, idle_minutes: int) -> None:
    idle = timedelta(minutes=idle_minutes)
    assert idle <= shown(now, idle_minutes).expires_at - now < idle + 2 * SLOT


@pytest.mark.parametrize("election_id", IDS)
def test_in_these_elections_it_lives_for_fifteen_to_twenty_minutes(election_id: str) -> None:
    idle = read_election(election_id).limits.session.idle_minutes
    lives = {shown(NOW + timedelta(seconds=second), idle).expires_at for second in range(0, 300, 10)}
    assert {end - NOW for end in lives} == {timedelta(minutes=20)}


def test_code_is_one_voters_own() -> None:
    code = shown(NOW).code
    assert not accepted(code, NOW, voter_id=OTHER)
    assert not is_code_of(KeyedHash(b"another election's key, 32 bytes"), VOTER, code, NOW, 15)


def test_code_that_is_not_yet_shown_is_not_accepted() -> None:
    assert not accepted(shown(NOW + SLOT).code, NOW)


def test_every_digit_comes_up_in_every_place() -> None:
    codes = [shown(NOW + SLOT * count).code for count in range(400)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(set(codes)) > 390
    assert all({code[place] for code in codes} == set("0123456789") for place in range(6))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("482913", "482913"),
        ("482 913", "482913"),
        (" 4 8 2 9 1 3 ", "482913"),
        ("482\u202f913", "482913"),
        ("000007", "000007"),
        ("48291", None),
        ("4829130", None),
        ("48291a", None),
        ("٤٨٢٩١٣", None),
        ("", None),
        ("-482913", None),
    ],
)
def test_code_is_read_as_an_agent_types_it(typed: str, read: str | None) -> None:
    assert normalise_caller_code(typed) == read
