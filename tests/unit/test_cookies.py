"""Cookies name nobody, and only this service can make one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.cookies import read_cookie, write_cookie
from reassort.keyed_hash import KeyedHash
from reassort.sessions import Token, draw_token

from harness.fuzz.strategies import any_text

HASH = KeyedHash(b"k" * 32)
VOTER = HASH.voter_id("claire.martin@ac-dijon.fr")
NAME = "__Host-session"


def cookie(voter_id: str = VOTER) -> str:
    return write_cookie(NAME, draw_token(voter_id), HASH)


def test_token_survives_its_cookie() -> None:
    token = draw_token(VOTER)
    assert read_cookie(NAME, write_cookie(NAME, token, HASH), HASH) == token


@pytest.mark.req("S32")
def test_cookie_holds_nothing_of_the_pseudonym() -> None:
    pseudonym = urlsafe_b64decode(VOTER + "==")
    cookies = [urlsafe_b64decode(cookie() + "=") for _ in range(200)]
    assert not any(pseudonym[start : start + 3] in whole for whole in cookies for start in range(14))
    # What stands at its place is as good as drawn at random: no two cookies of one voter share it.
    assert len({whole[24:40] for whole in cookies}) == len(cookies)


@pytest.mark.req("S32")
@given(place=st.integers(0, 55), mask=st.integers(1, 255))
def test_cookie_that_was_changed_anywhere_is_refused(place: int, mask: int) -> None:
    changed = bytearray(urlsafe_b64decode(cookie() + "="))
    changed[place] ^= mask
    assert read_cookie(NAME, urlsafe_b64encode(changed).rstrip(b"=").decode(), HASH) is None


@pytest.mark.req("S32", "S7")
def test_cookie_is_worth_nothing_elsewhere() -> None:
    mine, others = cookie(), cookie(HASH.voter_id("paul.petit@ac-dijon.fr"))
    assert read_cookie("__Host-challenge", mine, HASH) is None
    assert read_cookie(NAME, mine, KeyedHash(b"another key of 32 bytes, really.")) is None
    assert read_cookie(NAME, mine[:32] + others[32:], HASH) is None
    assert read_cookie(NAME, others[:32] + mine[32:], HASH) is None


@pytest.mark.req("S32")
def test_forged_cookie_of_a_known_pseudonym_is_refused() -> None:
    secret = draw_token(VOTER).secret
    forged = write_cookie(NAME, Token(VOTER, secret), KeyedHash(b"x" * 32))
    assert read_cookie(NAME, forged, HASH) is None
    assert read_cookie(NAME, f"{VOTER}.{secret}", HASH) is None


@pytest.mark.req("S29")
@given(st.none() | any_text | st.text("Aa0-_", min_size=75, max_size=75))
def test_arbitrary_text_is_no_cookie(text: str | None) -> None:
    assert read_cookie(NAME, text, HASH) is None


@pytest.mark.parametrize("symbol", ["é", "٣", "\ud800", "\x00", " ", '"', "/", "+", "=", "."])
def test_cookie_with_a_foreign_symbol_is_refused(symbol: str) -> None:
    own = cookie()
    assert read_cookie(NAME, symbol + own[1:], HASH) is None
    assert read_cookie(NAME, own[:-1] + symbol, HASH) is None
    assert read_cookie(NAME, own + symbol, HASH) is None


def test_one_spelling_of_a_cookie_counts() -> None:
    """56 bytes fill 74 characters and four of the six bits of the last: four last characters spell
    the same bytes.
    """
    own = cookie()
    spellings = {own[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}
    assert [read_cookie(NAME, spelling, HASH) is not None for spelling in spellings].count(True) == 1
