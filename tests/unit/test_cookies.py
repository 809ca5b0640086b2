"""Cookies name nobody, and only this service can make one."""

from __future__ import annotations

from string import ascii_letters, digits

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
ALPHABET = ascii_letters + digits + "-_"


def cookie(voter_id: str = VOTER) -> str:
    return write_cookie(NAME, draw_token(voter_id), HASH)


def test_token_survives_its_cookie() -> None:
    token = draw_token(VOTER)
    assert read_cookie(NAME, write_cookie(NAME, token, HASH), HASH) == token


@pytest.mark.req("S32")
def test_cookie_holds_nothing_of_the_pseudonym() -> None:
    cookies = [cookie() for _ in range(200)]
    assert not any(VOTER[start : start + 4] in whole for whole in cookies for start in range(18))
    # What stands at its place is as good as drawn at random: no two cookies of one voter share it.
    assert len({whole[32:54] for whole in cookies}) == len(cookies)


@pytest.mark.req("S32")
@given(place=st.integers(0, 75), symbol=st.sampled_from(ALPHABET))
def test_cookie_that_was_changed_anywhere_is_refused(place: int, symbol: str) -> None:
    own = cookie()
    changed = own[:place] + symbol + own[place + 1 :]
    assert (read_cookie(NAME, changed, HASH) is None) is (changed != own)


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
@given(st.none() | any_text | st.text("Aa0-_", min_size=76, max_size=76))
def test_arbitrary_text_is_no_cookie(text: str | None) -> None:
    assert read_cookie(NAME, text, HASH) is None


@pytest.mark.parametrize("symbol", ["é", "٣", "\ud800", "\x00", " ", '"', "/", "+", "=", "."])
def test_cookie_with_a_foreign_symbol_is_refused(symbol: str) -> None:
    own = cookie()
    assert read_cookie(NAME, symbol + own[1:], HASH) is None
    assert read_cookie(NAME, own[:-1] + symbol, HASH) is None
    assert read_cookie(NAME, own + symbol, HASH) is None
