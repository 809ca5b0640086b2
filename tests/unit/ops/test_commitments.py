"""Identifiers by their keyed hashes: what was added is known, and nothing else."""

from __future__ import annotations

import pytest
from reassort_ops.register.commitments import IdentifierSet

from tests.unit.ops.registers import made_up_hash

ONE, TWO, THREE = (made_up_hash(name) for name in ("one", "two", "three"))


def set_of(*hashes: str) -> IdentifierSet:
    """Return a set that is closed."""
    found = IdentifierSet()
    for one in hashes:
        found.add(one)
    found.close()
    return found


@pytest.mark.req("I11")
def test_only_what_was_added_is_in_the_set() -> None:
    found = set_of(TWO, ONE)
    assert (ONE in found, TWO in found, THREE in found) == (True, True, False)
    assert not set_of()


@pytest.mark.req("I11")
def test_hashes_with_seven_characters_in_common_are_of_two_identifiers() -> None:
    other = f"{ONE[:7]}{'A' if ONE[7] != 'A' else 'B'}{ONE[8:]}"
    assert other not in set_of(ONE)
    assert not set_of(ONE, other).repeated


@pytest.mark.req("S33")
def test_what_was_added_twice_is_told_but_for_what_is_known_already() -> None:
    found = set_of(ONE, TWO, ONE, THREE, TWO).repeated
    assert (ONE in found, TWO in found, THREE in found) == (True, True, False)
    left = found.without([ONE])
    assert (ONE in left, TWO in left) == (False, True)
    assert not left.without([TWO])
