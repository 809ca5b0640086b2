"""Keyed hashes: apart by purpose, apart by value whatever the values hold, and useless without the
key.
"""

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
@given(purposes, any_text)
def test_another_key_gives_another_hash(purpose: Purpose, value: str) -> None:
    assert HASH.hash(purpose, value) != KeyedHash(b"K" * 32).hash(purpose, value)


@pytest.mark.req("S9")
@given(any_text, any_text, any_text)
def test_equal_further_proofs_of_two_voters_do_not_show(one: str, other: str, value: str) -> None:
    assert (HASH.extra_proof(one, value) == HASH.extra_proof(other, value)) == (one == other)


@given(purposes, any_text)
def test_hash_is_43_characters_of_base64url(purpose: Purpose, value: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", HASH.hash(purpose, value))


@given(any_text)
def test_voter_pseudonym_has_128_bits(address: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", HASH.voter_id(address))


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
        with pytest.raises(RuntimeError, match="has not been derived"):
            derived.hash(purpose, "x")
