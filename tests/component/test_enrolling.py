"""A row of the roll as the tables hold it, what the stack has of it, and in what they differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from reassort.clock import epoch_milliseconds
from reassort.identifiers import normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.register import GENESIS, Change
from reassort_ops.batch_pool import BatchPool
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.enrolment import (
    VOTERS_A_READ,
    Difference,
    Enroller,
    Enrolment,
    OnStack,
    differences,
    holds_identifier,
    read_enrolled,
)
from reassort_ops.roll.rows import RollRow

from harness.service.operated import stack_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.service.world import Enrolled, World

ROW = RollRow(2, "claire.martin@ac-dijon.fr", "09E9900123ABC", "Lycée Carnot, Dijon", "Secrétariat", "7K3M9QWX2TBDHV5S")


@pytest.fixture
def at_once() -> Iterator[None]:
    """Let nobody wait before another attempt."""
    stamina.set_testing(True, attempts=5, cap=True)
    yield
    stamina.set_testing(False)


def enrol(world: World, row: RollRow = ROW, **changes: Any) -> Enrolment:
    """Return what is written of a row."""
    at = epoch_milliseconds(world.clock())
    return Enroller(world.keyed_hash, "import:anne", at).enrol(replace(row, **changes))


def row_of(voter: Enrolled, **changes: Any) -> RollRow:
    """Return the row by which somebody was enrolled."""
    identifier = normalise_identifier(voter.identifier)
    establishment, secretariat = "Lycée Carnot, Dijon", "Secrétariat du lycée Carnot"
    return replace(RollRow(2, voter.email, voter.numen, establishment, secretariat, identifier), **changes)


def read(world: World, *enrolments: Enrolment, client: Any = None) -> OnStack:
    """Read what the stack has of them."""
    return read_enrolled(client or world.wire.dynamodb, stack_of(world), enrolments, BatchPool(1))


@pytest.mark.req("I9", "I11")
@pytest.mark.parametrize("proof", [None, "1968-03-17"])
@pytest.mark.parametrize("secretariat", [None, "Secrétariat"])
def test_a_voter_comes_with_identifier_entry_and_numen(
    world: World, proof: str | None, secretariat: str | None
) -> None:
    found, hashes, at = enrol(world, extra_proof=proof, secretariat=secretariat), world.keyed_hash, 1543569300000
    voter_id = hashes.voter_id(ROW.address)
    numen, identifier = hashes.hash(Purpose.NUMEN, ROW.numen), hashes.hash(Purpose.IDENTIFIER, ROW.identifier)
    further = {} if proof is None else {"extra_proof_hash": hashes.extra_proof(voter_id, proof)}
    assert found.voter_id == voter_id
    assert found.voter == {
        "voter_id": voter_id,
        "numen_hash": numen,
        "establishment": ROW.establishment,
        "issued_at": [at],
        "generation": 1,
        "chain_length": 1,
        "chain_head": found.entry.hash,
        "numen_failures": 0,
        "numen_locked_until": 0,
        **({} if secretariat is None else {"secretariat": secretariat}),
        **further,
    }
    assert found.identifier == {"identifier_hash": identifier, "voter_id": voter_id, "generation": 1}
    assert found.numen == {"numen_hash": numen, "voter_id": voter_id}
    entry = found.entry.to_item()
    assert entry == {
        "voter_id": voter_id,
        "sequence": 1,
        "change": Change.ISSUED,
        "generation": 1,
        "at": at,
        "actor": "import:anne",
        "reference": "",
        "previous": GENESIS,
        "identifier_hash": identifier,
        "numen_hash": numen,
        "hash": found.entry.hash,
        **further,
    }
    assert dict(found.items) == {
        "VotersTable": found.voter,
        "IdentifiersTable": found.identifier,
        "NumensTable": found.numen,
        "RegisterTable": entry,
    }


@pytest.mark.req("I9")
def test_a_row_of_corrections_without_numen_and_identifier_leaves_no_hash(world: World) -> None:
    found = enrol(world, numen="", identifier="")
    assert (found.entry.numen_hash, found.entry.identifier_hash) == ("", "")
    with world.recorded() as calls:
        assert read(world, found) == OnStack({}, {}, {})
    (call,) = calls
    assert list(call.parameters["RequestItems"]) == [world.tables["VotersTable"]]


@pytest.mark.req("I11")
def test_the_stack_is_read_consistently_and_each_key_once(world: World, claire: Enrolled, paul: Enrolled) -> None:
    """Two rows that are corrected apart may name one NUMEN, or one identifier."""
    one, other = enrol(world, row_of(claire)), enrol(world, row_of(paul, numen=claire.numen))
    with world.recorded() as calls:
        found = read(world, one, other)
    (call,) = calls
    for asked in call.parameters["RequestItems"].values():
        assert asked["ConsistentRead"] is True
    assert (found.voter(one) or {})["chain_length"] == 1
    assert found.identifier(other) == {
        "identifier_hash": other.identifier["identifier_hash"],
        "voter_id": paul.voter_id,
        "generation": 1,
    }
    assert (found.has_another(one), found.has_another(other)) == (False, True)
    stranger = enrol(world, address="new.one@ac-dijon.fr", numen="21G0100456XYY", identifier="X")
    there = read(world, stranger)
    assert (there.voter(stranger), there.identifier(stranger), there.has_another(stranger)) == (None, None, False)


@pytest.mark.req("I11")
def test_a_whole_read_has_no_more_keys_than_aws_takes(world: World) -> None:
    rows = [
        enrol(world, address=f"v{number}@ac-dijon.fr", numen=f"09E99{number:05}ABC", identifier=f"{number}")
        for number in range(VOTERS_A_READ)
    ]
    with world.recorded() as calls:
        read(world, *rows)
    (call,) = calls
    assert 96 < sum(len(asked["Keys"]) for asked in call.parameters["RequestItems"].values()) <= 100


class OneTableAtATime:
    """A client whose AWS gives the items of one table, and leaves the others."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - AWS's name
        """Give the items of the first table."""
        (table, asked), *others = RequestItems.items()
        answer = self._client.batch_get_item(RequestItems={table: asked})
        return {**answer, "UnprocessedKeys": dict(others)}


@pytest.mark.req("I11")
@pytest.mark.usefixtures("at_once")
def test_what_aws_leaves_for_another_call_is_read_too(world: World, claire: Enrolled) -> None:
    one = enrol(world, row_of(claire))
    found = read(world, one, client=OneTableAtATime(world.wire.operator.dynamodb))
    assert found == read(world, one)
    assert (found.voter(one) is None, found.identifier(one) is None, len(found.numens)) == (False, False, 1)


@pytest.mark.req("I11")
def test_an_identifier_is_a_rows_when_it_is_the_first_of_its_voter(world: World) -> None:
    one = enrol(world)
    assert holds_identifier(one, one.identifier)
    for another in (None, {**one.identifier, "generation": 2}, {**one.identifier, "voter_id": "A" * 22}):
        assert not holds_identifier(one, another)


CHANGED: dict[str, tuple[dict[str, Any], Difference]] = {
    "NUMEN": ({"numen": "21G0100456XYZ"}, Difference(Column.NUMEN)),
    "establishment": (
        {"establishment": "Rectorat"},
        Difference(Column.ESTABLISHMENT, "Lycée Carnot, Dijon", "Rectorat"),
    ),
    "secretariat": ({"secretariat": "Bureau"}, Difference(Column.SECRETARIAT, "Secrétariat", "Bureau")),
    "no secretariat": ({"secretariat": None}, Difference(Column.SECRETARIAT, "Secrétariat", None)),
    "further proof": ({"extra_proof": "1968-03-17"}, Difference(Column.EXTRA_PROOF)),
}


@pytest.mark.req("I7", "I9")
@pytest.mark.parametrize(("cells", "difference"), CHANGED.values(), ids=CHANGED)
def test_each_difference_is_told_of_the_columns_that_the_file_has(
    world: World, cells: dict[str, Any], difference: Difference
) -> None:
    there, row = enrol(world), enrol(world, **cells)
    assert differences(row, there.voter, there.identifier, issuing=False) == (difference,)
    others = frozenset(Column) - {difference.column}
    assert differences(row, there.voter, there.identifier, issuing=False, columns=others) == ()


@pytest.mark.req("I11")
def test_an_identifier_differs_unless_it_is_the_voters_or_was_before_their_move(world: World) -> None:
    row = enrol(world)
    strange = {**row.identifier, "voter_id": "A" * 22}
    told = (Difference(Column.IDENTIFIER),)
    assert differences(row, row.voter, row.identifier, issuing=False) == ()
    assert differences(row, row.voter, strange, issuing=False) == told
    assert differences(row, row.voter, None, issuing=False) == told
    assert differences(row, row.voter, None, issuing=True) == ()
    moved = {**row.voter, "moved_from": "A" * 22}
    assert differences(row, moved, strange, issuing=False) == ()
    assert differences(row, moved, None, issuing=False) == told
    assert differences(row, {**moved, "moved_from": "B" * 22}, strange, issuing=False) == told
