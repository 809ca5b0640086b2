"""What is kept of a one-time code, and what a typed one is to it."""

from datetime import UTC, datetime, timedelta

import pytest
from login.challenge import challenge_item_key
from login.codes import CODE_DIGITS, CodeState, draw_code, state_of, stored_code
from reassort.keyed_hash import KeyedHash
from reassort.sessions import Token

HASH = KeyedHash(b"k" * 32)
NOW = datetime(2018, 11, 30, 9, tzinfo=UTC)
MINE, MINE_ELSEWHERE, OTHERS = Token("claire", "secret"), Token("claire", "another"), Token("paul", "secret")
CODE = "048213"


def _kept(code: str = CODE, holder: Token = MINE, until: datetime = NOW + timedelta(minutes=10)) -> dict[str, object]:
    return stored_code(code, holder, until, "code-1", HASH)


@pytest.mark.req("S4")
def test_a_code_is_six_digits_the_first_of_them_too() -> None:
    drawn = [draw_code() for _ in range(500)]
    assert all(len(code) == CODE_DIGITS and code.isdigit() for code in drawn)
    # One in ten begins with a zero: none of 500 does once in 10**22.
    assert any(code.startswith("0") for code in drawn)
    assert any(code.startswith("9") for code in drawn)


@pytest.mark.req("S7", "S9")
def test_what_is_kept_of_a_code_is_bound_to_its_browser_and_its_voter() -> None:
    kept = {str(_kept(code, holder)["code"]) for code in (CODE, "048214") for holder in (MINE, MINE_ELSEWHERE, OTHERS)}
    assert len(kept) == 6


@pytest.mark.req("S7", "S9")
def test_what_is_kept_of_a_challenge_is_bound_to_its_browser_and_its_voter() -> None:
    kept = {challenge_item_key(HASH, holder)["key"] for holder in (MINE, MINE_ELSEWHERE, OTHERS)}
    assert len(kept) == 3


@pytest.mark.req("S7")
@pytest.mark.parametrize("holder", [MINE_ELSEWHERE, OTHERS], ids=["another browser", "another voter"])
def test_a_code_of_one_browser_is_none_of_another(holder: Token) -> None:
    assert state_of(CODE, holder, {"codes_1": _kept()}, NOW, HASH) is CodeState.UNKNOWN


@pytest.mark.req("S5")
@pytest.mark.parametrize(
    ("milliseconds", "state"), [(1, CodeState.VALID), (0, CodeState.EXPIRED), (-1, CodeState.EXPIRED)]
)
def test_a_code_ends_at_its_end(milliseconds: int, state: CodeState) -> None:
    kept = _kept(until=NOW + timedelta(milliseconds=milliseconds))
    assert state_of(CODE, MINE, {"codes_1": kept}, NOW, HASH) is state


@pytest.mark.req("S5")
@pytest.mark.parametrize("place", ["codes_1", "codes_2", "codes_3"])
def test_each_of_the_three_latest_codes_is_looked_at(place: str) -> None:
    challenge = {name: _kept(f"00000{name[-1]}") for name in ("codes_1", "codes_2", "codes_3")} | {place: _kept()}
    assert state_of(CODE, MINE, challenge, NOW, HASH) is CodeState.VALID
    assert state_of("999999", MINE, challenge, NOW, HASH) is CodeState.UNKNOWN


def test_a_valid_code_counts_though_the_same_digits_ended_before() -> None:
    challenge = {"codes_1": _kept(), "codes_2": _kept(until=NOW)}
    assert state_of(CODE, MINE, challenge, NOW, HASH) is CodeState.VALID


def test_which_delivery_brought_it_is_kept_beside_it() -> None:
    assert _kept()["delivery"] == "code-1"
