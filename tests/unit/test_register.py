"""The register: a chain that anybody can verify, and in which no change, removal or reordering goes
unseen.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.register import COMMITMENTS, GENESIS, ISSUES, Change, Entry, entry_from_item

from tests.register_chain import broken_links

VOTER = "q0Zk3mTn8yVb5sWc1xLd7A"
_IDENTIFIER = {"identifier_hash": "i" * 43}
_PROOFS = {"numen_hash": "n" * 43, "extra_proof_hash": "e" * 43}
COMMITTED: dict[Change, dict[str, str]] = {
    **{change: {} for change in Change},
    Change.ISSUED: _IDENTIFIER | _PROOFS,
    Change.ARRIVED: _IDENTIFIER | _PROOFS,
    Change.REISSUED: _IDENTIFIER,
    Change.VOTED: _IDENTIFIER,
    Change.CORRECTED: _PROOFS,
    Change.DEPARTED: {"numen_hash": "n" * 43},
}


def _chain(changes: list[Change]) -> Iterator[Entry]:
    previous = GENESIS
    for sequence, change in enumerate(changes, start=1):
        at, actor, reference = 1_543_569_327_412 + sequence, "Zoé Ange", "7K3M9-QWX2T"
        entry = Entry(VOTER, sequence, change, sequence, at, actor, reference, previous, **COMMITTED[change])
        yield entry
        previous = entry.hash


chains = st.lists(st.sampled_from(Change), min_size=2, max_size=6).map(
    lambda changes: [entry.to_item() for entry in _chain(changes)]
)
TAMPERED: dict[str, Any] = {
    "voter_id": "AnotherVoter0000000000",
    "sequence": 99,
    "change": "unfrozen-by-nobody",
    "generation": 42,
    "at": 1,
    "actor": "somebody",
    "reference": "22222-22222",
    "previous": "f" * 64,
    "hash": "f" * 64,
    "identifier_hash": "f" * 43,
    "numen_hash": "f" * 43,
    "extra_proof_hash": "f" * 43,
}


@pytest.mark.parametrize("reference", ["7K3M9-QWX2T", "7K3M9-QWX2T lost phone, 2nd time"])
def test_what_stands_before_a_reason_is_the_first_word(reference: str) -> None:
    assert Entry(VOTER, 1, Change.REISSUED, 2, 1, "Zoé Ange", reference, GENESIS).first_word == "7K3M9-QWX2T"


@pytest.mark.req("I9")
@given(chains)
def test_untouched_chain_holds(items: list[dict[str, Any]]) -> None:
    assert broken_links(items) == []


@pytest.mark.req("I9")
@given(chains, st.sampled_from(sorted(TAMPERED)), st.data())
def test_any_changed_member_is_found(items: list[dict[str, Any]], member: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items) - 1))
    items[place] = {**items[place], member: TAMPERED[member]}
    assert place + 1 in broken_links(items)


@pytest.mark.req("I9")
@given(chains, st.data())
def test_rewritten_entry_breaks_the_one_after(items: list[dict[str, Any]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items) - 2))
    forged = entry_from_item({**items[place], "actor": "somebody"})
    items[place] = forged.to_item()
    assert broken_links(items) == [place + 2]


@pytest.mark.req("I9")
@given(chains, st.data())
def test_removed_or_swapped_entries_are_found(items: list[dict[str, Any]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items) - 2))
    assert broken_links(items[:place] + items[place + 1 :])
    items[place], items[place + 1] = items[place + 1], items[place]
    assert broken_links(items)


@pytest.mark.req("I9")
@pytest.mark.parametrize("change", Change)
def test_entry_survives_its_item(change: Change) -> None:
    (entry,) = _chain([change])
    assert entry_from_item(entry.to_item()) == entry


@pytest.mark.req("I9")
@pytest.mark.parametrize("change", Change)
def test_an_entry_names_what_it_commits_to_and_no_other_commitment(change: Change) -> None:
    (entry,) = _chain([change])
    assert {name: value for name, value in entry.to_item().items() if name in COMMITMENTS} == COMMITTED[change]


@pytest.mark.req("I9")
def test_what_gives_an_identifier_commits_to_it_and_so_does_a_vote() -> None:
    assert {change for change, named in COMMITTED.items() if "identifier_hash" in named} == ISSUES | {Change.VOTED}
