"""Session tokens: at least 128 random bits, read strictly; lifetimes bounded by idleness and by
age.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.clock import epoch_seconds
from reassort.keyed_hash import KeyedHash
from reassort.sessions import Session, Token, draw_token, live_session, session_item, session_item_key

from harness.elections import read_election

HASH = KeyedHash(b"k" * 32)
LIMITS = read_election("dijon-2018").limits.session
VOTER = HASH.voter_id("claire.martin@ac-dijon.fr")
NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)


@pytest.mark.req("S16", "S4")
def test_secret_carries_at_least_128_bits_and_never_repeats() -> None:
    tokens = [draw_token(VOTER) for _ in range(1000)]
    # 6 bits a character of base64url.
    assert min(len(token.secret) for token in tokens) * 6 >= 128
    assert len({token.secret for token in tokens}) == len(tokens)


@pytest.mark.req("S9", "S16")
def test_stored_session_does_not_hold_its_secret() -> None:
    token = draw_token(VOTER)
    item = session_item(HASH, token, address=b"sealed", masked_address="c•••@ac-dijon.fr", now=NOW, limits=LIMITS)
    assert token.secret not in repr(item)


@pytest.mark.req("S9", "S16")
def test_what_is_kept_of_a_session_is_bound_to_its_secret_and_its_voter() -> None:
    tokens = (Token(VOTER, "secret"), Token(VOTER, "another"), Token("paul", "secret"))
    assert len({session_item_key(HASH, token)["key"] for token in tokens}) == 3


def _session_at(token: Token, later: timedelta) -> Session | None:
    item = session_item(HASH, token, address=b"sealed", masked_address="c•••@ac-dijon.fr", now=NOW, limits=LIMITS)
    return live_session(item, NOW + later, LIMITS)


@pytest.mark.req("S16")
def test_session_ends_when_it_was_idle_for_too_long() -> None:
    token = draw_token(VOTER)
    assert _session_at(token, timedelta(minutes=LIMITS.idle_minutes, milliseconds=-1)) is not None
    assert _session_at(token, timedelta(minutes=LIMITS.idle_minutes)) is None


@pytest.mark.req("S16", "S35")
def test_sessions_that_began_before_all_were_ended_have_ended() -> None:
    item = session_item(HASH, draw_token(VOTER), address=b"", masked_address="", now=NOW, limits=LIMITS)
    assert live_session(item, NOW, LIMITS, signed_out_at=item["created_at"]) is not None
    assert live_session(item, NOW, LIMITS, signed_out_at=item["created_at"] + 1) is None


@pytest.mark.req("S16", "S23")
def test_session_is_kept_until_it_cannot_be_prolonged_any_more() -> None:
    item = session_item(HASH, draw_token(VOTER), address=b"", masked_address="", now=NOW, limits=LIMITS)
    assert item["expires_at"] == epoch_seconds(NOW + timedelta(minutes=LIMITS.absolute_minutes))


@pytest.mark.req("S16")
@given(st.integers(0, 90))
def test_no_prolonging_outlives_the_absolute_limit(minutes: int) -> None:
    session = Session(VOTER, "session#x", b"", "c•••@ac-dijon.fr", int(NOW.timestamp() * 1000), 0)
    prolonged = session.prolonged(NOW + timedelta(minutes=minutes))
    assert prolonged.ends_at(LIMITS) <= session.created_at + LIMITS.absolute_minutes * 60_000


def test_no_item_is_no_session() -> None:
    assert live_session(None, NOW, LIMITS) is None
