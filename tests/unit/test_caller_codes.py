"""The code that a signed-in voter reads to the helpdesk: how long it is good, for whom, and what it
is not.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.caller_codes import SLOT, CallerCode, current_code, is_code_of, normalise_caller_code
from reassort.caller_words import WORDS
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


def letters_of(code: CallerCode) -> str:
    """Return a code as it is compared."""
    typed = normalise_caller_code(code.words)
    assert typed is not None
    return typed


def accepted(code: str, now: datetime, idle_minutes: int = 15, voter_id: str = VOTER) -> bool:
    return is_code_of(KEYED_HASH, voter_id, code, now, idle_minutes)


@given(INSTANTS, IDLE_MINUTES)
def test_code_is_good_until_it_says_and_not_a_moment_longer(now: datetime, idle_minutes: int) -> None:
    code = shown(now, idle_minutes)
    last = code.expires_at - timedelta(milliseconds=1)
    assert accepted(letters_of(code), now, idle_minutes)
    assert accepted(letters_of(code), last, idle_minutes)
    # A later slot has the same two words once in a million.
    later = [shown(code.expires_at + SLOT * age, idle_minutes).words for age in range(-12, 1)]
    assert not accepted(letters_of(code), code.expires_at, idle_minutes) or code.words in later


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
    code = letters_of(shown(NOW))
    assert not accepted(code, NOW, voter_id=OTHER)
    assert not is_code_of(KeyedHash(b"another election's key, 32 bytes"), VOTER, code, NOW, 15)


def test_code_that_is_not_yet_shown_is_not_accepted() -> None:
    assert not accepted(letters_of(shown(NOW + SLOT)), NOW)


def test_every_word_comes_up_in_both_places() -> None:
    codes = [shown(NOW + SLOT * count).words for count in range(20_000)]
    assert len(set(codes)) > 19_000
    pairs = [code.split() for code in codes]
    assert [set(place) for place in zip(*pairs, strict=True)] == [set(WORDS), set(WORDS)]


@pytest.mark.req("U14")
@pytest.mark.parametrize(
    "typed",
    [
        "girafe zèbre",
        "Girafe Zebre",
        "  GIRAFE   ZÈBRE.",
        "girafe-zèbre",
        "girafezèbre",
        "girafe, zèbre",
        "« girafe zèbre »",
        "girafe\u202fze\u0300bre",
        "gir\u00adafe\u200b zèbre",
    ],
)
def test_code_is_read_as_an_agent_types_it(typed: str) -> None:
    assert normalise_caller_code(typed) == "girafezebre"


@pytest.mark.req("U14")
@pytest.mark.parametrize("typed", ["œillet nuage", "Œillet nuage", "oeillet nuage"])
def test_two_letters_in_one_are_read_as_two(typed: str) -> None:
    assert normalise_caller_code(typed) == "oeilletnuage"


@pytest.mark.parametrize("typed", ["", "girafe", "girafe zebr", "zèbre girafe tambour", "482913", "482 913", "x" * 60])
def test_what_can_be_no_code_is_told_apart(typed: str) -> None:
    assert normalise_caller_code(typed) is None


@given(INSTANTS)
def test_code_is_accepted_as_it_is_shown(now: datetime) -> None:
    typed = normalise_caller_code(shown(now).words)
    assert typed is not None
    assert accepted(typed, now)


def letters(word: str) -> str:
    bare = unicodedata.normalize("NFD", word.replace("œ", "oe"))
    return "".join(symbol for symbol in bare if not unicodedata.combining(symbol))


def differ_in_two_letters(one: str, other: str) -> bool:
    """Tell whether more than one letter must be put, taken or changed to make one of the other."""
    if abs(len(one) - len(other)) > 1:
        return True
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) > 1


def test_words_are_enough_and_none_is_taken_for_another() -> None:
    plain = [letters(word) for word in WORDS]
    assert len(set(plain)) == 1024
    assert all(re.fullmatch("[a-z]{4,10}", word) for word in plain)
    alike = [(one, other) for one, other in combinations(plain, 2) if not differ_in_two_letters(one, other)]
    assert alike == []


def test_two_words_without_a_blank_are_one_pair_only() -> None:
    plain = [letters(word) for word in WORDS]
    assert len({first + second for first in plain for second in plain}) == len(WORDS) ** 2
