"""What follows from a voter's entry: which identifier is valid, and which entry comes next."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from reassort.register import Change
from reassort.voters import IdentifierStatus, Voter, voter_from_item

NOW = datetime(2018, 11, 30, 9, tzinfo=UTC)
ACTIVE, REVOKED, USED, FROZEN = (
    IdentifierStatus.ACTIVE,
    IdentifierStatus.REVOKED,
    IdentifierStatus.USED,
    IdentifierStatus.FROZEN,
)


def voter(**attributes: Any) -> Voter:
    """Return a voter at generation 2."""
    known: dict[str, Any] = {
        "voter_id": "claire",
        "numen_hash": "numen",
        "establishment": "Lycée Carnot",
        "secretariat": None,
        "issued_at": (10, 20),
        "chain_length": 2,
        "chain_head": "head",
    }
    return Voter(**known | attributes)


@pytest.mark.req("I1", "I5", "I12")
@pytest.mark.parametrize(
    ("attributes", "former", "current"),
    [
        ({}, REVOKED, ACTIVE),
        ({"voted_at": 30}, REVOKED, USED),
        ({"frozen_at": 30}, REVOKED, FROZEN),
        ({"disputed": 2}, REVOKED, FROZEN),
        ({"disputed": 1}, REVOKED, ACTIVE),
        ({"left_at": 30}, REVOKED, FROZEN),
        ({"left_at": 30, "moved_to": "paul"}, REVOKED, REVOKED),
        ({"voted_at": 30, "left_at": 40}, REVOKED, USED),
        ({"voted_at": 30, "left_at": 40, "moved_to": "paul"}, REVOKED, USED),
        ({"voted_at": 30, "frozen_at": 30, "disputed": 2}, REVOKED, USED),
        ({"frozen_at": 25, "left_at": 30, "moved_to": "paul"}, REVOKED, REVOKED),
    ],
)
def test_status_of_both_identifiers(
    attributes: dict[str, Any], former: IdentifierStatus, current: IdentifierStatus
) -> None:
    found = voter(**attributes)
    assert found.generation == 2
    assert (found.identifier_status(1), found.identifier_status(2)) == (former, current)


@pytest.mark.req("I1")
def test_since_when_an_identifier_is_replaced() -> None:
    assert (voter().superseded_at(1), voter().superseded_at(2)) == (20, None)
    assert voter(left_at=30).superseded_at(2) is None
    assert voter(left_at=30, moved_to="paul").superseded_at(2) == 30
    assert voter(left_at=30, moved_to="paul").superseded_at(1) == 20


def test_a_status_that_may_change_says_which_change_it_knows() -> None:
    assert [status for status in IdentifierStatus if status.is_final] == [REVOKED, USED]
    assert voter().sequence_of(2) == voter(frozen_at=1).sequence_of(2) == 2
    assert voter().sequence_of(1) is voter(voted_at=1).sequence_of(2) is None


@pytest.mark.req("I9")
def test_the_next_entry_follows_the_last() -> None:
    entry = voter().next_entry(
        Change.REISSUED,
        NOW,
        "voter",
        generation=3,
        reference="note",
        identifier_hash="i",
        numen_hash="n",
        extra_proof_hash="e",
    )
    assert (entry.voter_id, entry.sequence, entry.previous) == ("claire", 3, "head")
    assert (entry.change, entry.at, entry.actor) == (Change.REISSUED, int(NOW.timestamp()) * 1000, "voter")
    assert (entry.generation, entry.reference) == (3, "note")
    assert (entry.identifier_hash, entry.numen_hash, entry.extra_proof_hash) == ("i", "n", "e")


def test_every_attribute_is_read() -> None:
    written = {one.name: [10, 20] if one.name == "issued_at" else f"value of {one.name}" for one in fields(Voter)}
    read = voter_from_item(written)
    assert {one.name: getattr(read, one.name) for one in fields(Voter)} == {**written, "issued_at": (10, 20)}


def test_what_an_item_lacks() -> None:
    needed = ("voter_id", "numen_hash", "establishment", "chain_length", "chain_head")
    item = {**dict.fromkeys(needed, "-"), "issued_at": [10], "numen_failures": 0, "numen_locked_until": 0}
    read = voter_from_item(item)
    assert {getattr(read, name) for name in ("frozen_at", "voted_at", "left_at", "moved_to", "disputed")} == {None}
    assert (read.signed_out_at, read.settled_at) == (0, 0)
    assert {read.secretariat, read.last_reference, read.extra_proof_hash} == {None}


def test_a_voter_of_whom_nothing_else_is_known_has_failed_at_nothing() -> None:
    new = voter()
    assert (new.numen_failures, new.numen_locked_until, new.signed_out_at, new.settled_at) == (0, 0, 0, 0)
