"""References: derived from voter and idempotency key, and found again however they are dictated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.identifiers import ALPHABET
from reassort.keyed_hash import KeyedHash
from reassort.references import derive_reference, normalise_reference

from harness.fuzz.strategies import FOLDING, any_text

HASH = KeyedHash(b"k" * 32)
keys = st.text("ABCDEFghijkl0123456789_-", min_size=16, max_size=64)
voters = st.text("abcdefghij", min_size=22, max_size=22)


@given(voters, keys)
def test_reference_is_the_same_for_the_same_request(voter: str, key: str) -> None:
    reference = derive_reference(HASH, voter, key)
    assert reference == derive_reference(HASH, voter, key)
    left, _, right = reference.partition("-")
    assert len(left) == len(right) == 5
    assert set(left + right) <= set(ALPHABET)


@given(st.tuples(voters, keys), st.tuples(voters, keys))
def test_other_voter_or_other_key_gives_another_reference(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (derive_reference(HASH, *one) == derive_reference(HASH, *other)) == (one == other)


@given(voters, keys, st.sampled_from(["-", " ", "", " - "]))
def test_reference_is_found_however_it_is_dictated(voter: str, key: str, joint: str) -> None:
    reference = derive_reference(HASH, voter, key)
    assert normalise_reference(reference.lower().replace("-", joint)) == reference


def test_a_reference_may_have_another_sign_beside_each_symbol_and_no_more() -> None:
    reference = derive_reference(HASH, "voter", "0123456789abcdef")
    spelt = "".join(f"/{symbol}" for symbol in reference.replace("-", ""))
    assert len(spelt) == 20
    assert normalise_reference(spelt) == reference
    assert normalise_reference(f"{spelt}/") is None


@given(any_text)
def test_arbitrary_text_is_a_reference_or_none(typed: str) -> None:
    reference = normalise_reference(typed)
    assert reference is None or normalise_reference(reference) == reference


@pytest.mark.req("S29")
@pytest.mark.parametrize("letter", FOLDING)
def test_no_letter_from_elsewhere_stands_for_one_of_the_alphabet(letter: str) -> None:
    assert normalise_reference(letter * 10) is None
    assert normalise_reference(letter * 5) is None
