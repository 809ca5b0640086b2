"""Keyed hashes: apart by purpose, apart by value whatever the values hold, and useless without the
key.
"""

import hmac
import re
from hashlib import sha256
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.keyed_hash import PURPOSES, HashKey, KeyedHash, Purpose, derive_keyed_hash, same

from harness.engines.template import read_template
from harness.fuzz.strategies import any_text

HASH = KeyedHash(b"k" * 32)
purposes = st.sampled_from(Purpose)
values = st.lists(any_text, min_size=1, max_size=4)


@pytest.mark.req("S9")
@given(purposes, purposes, values)
def test_two_purposes_never_share_a_hash(one: Purpose, other: Purpose, parts: list[str]) -> None:
    assert (HASH.hash(one, *parts) == HASH.hash(other, *parts)) == (one is other)


@pytest.mark.req("S9")
@given(purposes, values, values)
def test_values_stay_apart_whatever_they_hold(purpose: Purpose, one: list[str], other: list[str]) -> None:
    assert (HASH.hash(purpose, *one) == HASH.hash(purpose, *other)) == (one == other)


@pytest.mark.req("S9")
@given(purposes, any_text.filter(bool), st.data())
def test_moving_the_border_between_two_values_changes_the_hash(
    purpose: Purpose, text: str, data: st.DataObject
) -> None:
    cut, other = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True))
    digest = HASH.hash(purpose, text[:cut], text[cut:])
    assert digest != HASH.hash(purpose, text[:other], text[other:])
    assert digest != HASH.hash(purpose, text)


@pytest.mark.req("S9")
@pytest.mark.parametrize("text", ["a:b", "1:a1:b", ":::", "2:2:2:"])
def test_values_stay_apart_that_hold_what_stands_between_two(text: str) -> None:
    split = [(text[:cut], text[cut:]) for cut in range(len(text) + 1)]
    without = [(text[:cut], text[cut + 1 :]) for cut in range(len(text))]
    different = {(text,), *split, *without}
    assert len({HASH.hash(Purpose.CODE, *parts) for parts in different}) == len(different)


@pytest.mark.req("S9")
def test_a_hash_that_is_stored_is_found_by_a_later_version() -> None:
    """Purpose and values, each behind its length, under HMAC-SHA-256."""
    expected = hmac.new(b"k" * 32, b"10:identifier3:abc0:", sha256).digest()
    assert HASH.digest(Purpose.IDENTIFIER, "abc", "") == expected


@pytest.mark.req("S9")
@given(purposes, any_text)
def test_another_key_gives_another_hash(purpose: Purpose, value: str) -> None:
    assert HASH.hash(purpose, value) != KeyedHash(b"K" * 32).hash(purpose, value)


@pytest.mark.req("S9")
@given(any_text, any_text, any_text)
def test_equal_further_proofs_of_two_voters_do_not_show(one: str, other: str, value: str) -> None:
    assert (HASH.extra_proof(one, value) == HASH.extra_proof(other, value)) == (one == other)


@pytest.mark.req("S9")
@given(any_text, any_text, any_text)
def test_another_further_proof_of_a_voter_is_another(voter: str, one: str, other: str) -> None:
    assert (HASH.extra_proof(voter, one) == HASH.extra_proof(voter, other)) == (one == other)


@given(purposes, any_text)
def test_hash_is_43_characters_of_base64url(purpose: Purpose, value: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", HASH.hash(purpose, value))


@given(any_text, st.integers(1, 99))
def test_what_names_a_voter_or_an_identifier_has_128_bits(voter: str, generation: int) -> None:
    for name in (HASH.voter_id(voter), HASH.handle(voter, generation), HASH.revision(voter, generation)):
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", name)


@given(st.tuples(any_text, st.integers(1, 9)), st.tuples(any_text, st.integers(1, 9)))
def test_each_generation_of_each_voter_has_its_own_names(one: tuple[str, int], other: tuple[str, int]) -> None:
    assert (HASH.handle(*one) == HASH.handle(*other)) == (one == other)
    assert (HASH.revision(*one) == HASH.revision(*other)) == (one == other)


@given(st.text("abc-_", max_size=5), st.text("abc-_", max_size=5))
def test_comparison_tells_equal_from_different(one: str, other: str) -> None:
    assert same(one, other) == (one == other)


@pytest.mark.req("S36")
def test_each_purpose_is_hashed_under_one_key_and_each_key_is_in_the_template() -> None:
    assert sorted(purpose for some in PURPOSES.values() for purpose in some) == sorted(Purpose)
    resources = read_template()["Resources"]
    keys = {name for name, one in resources.items() if one.get("Properties", {}).get("KeySpec") == "HMAC_256"}
    assert keys == {key.logical_id for key in HashKey}


def test_comparison_takes_as_long_whatever_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Mock(return_value=False)
    monkeypatch.setattr("reassort.keyed_hash.hmac.compare_digest", compared)
    assert not same("one", "one")
    compared.assert_called_once_with(b"one", b"one")


@pytest.mark.req("S36")
def test_two_elections_under_one_key_share_no_hash() -> None:
    kms = Mock()
    kms.generate_mac.side_effect = lambda **asked: {"Mac": sha256(asked["Message"]).digest()}
    hashes = {derive_keyed_hash(kms, {HashKey.HANDLE: "id"}, name).handle("voter", 1) for name in ("one", "other")}
    assert len(hashes) == 2


@pytest.mark.req("S36")
def test_a_key_that_was_not_derived_hashes_nothing() -> None:
    kms = Mock()
    kms.generate_mac.return_value = {"Mac": b"m" * 32}
    derived = derive_keyed_hash(kms, {HashKey.HANDLE: "id"}, "dijon-2018")
    assert derived.handle("voter", 1)
    for purpose in set(Purpose) - {Purpose.HANDLE}:
        with pytest.raises(RuntimeError, match=f"^the key of {purpose} hashes has not been derived"):
            derived.hash(purpose, "x")
