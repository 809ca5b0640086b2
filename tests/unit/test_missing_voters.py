"""Who of the stack is not in a file, and what a roll's rows say of people who moved."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.tables import to_wire
from reassort_ops.roll import moves
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.importing import RowOutcome, Settled
from reassort_ops.roll.missing import MissingVoter, missing_voters
from reassort_ops.roll.moves import RollMoves
from reassort_ops.roll.moving import Arrival, MoveRefusedError
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK: Any = SimpleNamespace(voters_table="voters", numens_table="numens", identifiers_table="identifiers")


class PlainHashes(KeyedHash):
    """Hashes that sort as what they are of."""

    def voter_id(self, address: str) -> str:
        """Return the address, as long as a pseudonym."""
        return address.ljust(22, "0")

    def hash(self, purpose: Purpose, *values: str) -> str:
        """Return the value."""
        assert purpose is Purpose.NUMEN
        return "-".join(values)


class PagesOfVoters:
    """A table of voters, by pages."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = pages

    def get_paginator(self, _: str) -> PagesOfVoters:
        return self

    def paginate(self, **scan: Any) -> Iterator[dict[str, Any]]:
        assert scan == {"TableName": "voters", "ConsistentRead": True}
        return ({"Items": [to_wire(item) for item in page]} for page in self.pages)


def voter(name: str, school: str, numen: str, **more: Any) -> dict[str, Any]:
    return {
        "voter_id": name.ljust(22, "0"), "numen_hash": numen, "establishment": school, "issued_at": [1],
        "generation": 1, "chain_length": 1, "chain_head": "h", "numen_failures": 0, "numen_locked_until": 0, **more,
    }  # fmt: skip


def looked_for(rows: list[RollRow], *pages: list[dict[str, Any]]) -> tuple[int, list[MissingVoter], list[int]]:
    advanced: list[int] = []
    dynamodb: Any = PagesOfVoters(*pages)
    count, found = missing_voters(dynamodb, STACK, PlainHashes(), lambda: iter(rows), advanced.append)
    return count, found, advanced


def test_who_is_not_in_the_file_is_listed_by_establishment_then_pseudonym() -> None:
    rows = [RollRow(2, "here", "n1"), RollRow(3, "other", "n5"), RollRow(4, "nobody", "")]
    count, found, advanced = looked_for(
        rows,
        [voter("left", "A", "n9", left_at=5), voter("here", "A", "n1"), voter("zoe", "B", "n4", frozen_at=3)],
        [voter("anne", "B", "n5"), voter("yves", "A", "n6"), voter("numen-less", "C", "")],
    )
    assert (count, advanced) == (5, [3, 3])
    assert found == [
        MissingVoter("yves".ljust(22, "0"), "A", "active"),
        MissingVoter("anne".ljust(22, "0"), "B", "active", line=3),
        MissingVoter("zoe".ljust(22, "0"), "B", "frozen"),
        MissingVoter("numen-less".ljust(22, "0"), "C", "active"),
    ]


def test_many_voters_are_found_in_any_order_and_a_whole_file_is_read_once() -> None:
    names = [f"v{(number * 37) % 101:03}" for number in range(101)]
    rows = [RollRow(line, name, name) for line, name in enumerate(names, 2)]
    readings = 0

    def read() -> Iterator[RollRow]:
        nonlocal readings
        readings += 1
        return iter(rows)

    dynamodb: Any = PagesOfVoters([voter(name, "A", name) for name in sorted(names)])
    assert missing_voters(dynamodb, STACK, PlainHashes(), read) == (101, [])
    assert readings == 1


class Moving:
    """Remembers who is moved; refuses when it is told to."""

    def __init__(self, refusal: FaultCode | None = None) -> None:
        self.moved: list[tuple[str, Arrival, str]] = []
        self.refusal = refusal

    def move(self, former: str, arrival: Arrival, reason: str) -> None:
        if self.refusal:
            raise MoveRefusedError("no", self.refusal)
        self.moved.append((former, arrival, reason))


class Made:
    """An enrolment of anybody."""

    def enrol(self, _: RollRow) -> Any:
        entry = SimpleNamespace(numen_hash="n", identifier_hash="i", extra_proof_hash="")
        return SimpleNamespace(voter_id="new", entry=entry)


def moved(
    monkeypatch: pytest.MonkeyPatch, change: Moving, owner: str | None, known: dict[str, str] | None = None
) -> Settled:
    def read(_: object, table: str, key: dict[str, str]) -> dict[str, str] | None:
        assert (table, key) == ("identifiers", {"identifier_hash": "i"})
        return known

    monkeypatch.setattr(moves, "numen_owner", lambda *_: owner)
    monkeypatch.setattr(moves, "read_one", read)
    made: Any = RollMoves(
        change,  # type: ignore[arg-type]
        SimpleNamespace(stack=STACK, dynamodb=None),  # type: ignore[arg-type]
        Made(),  # type: ignore[arg-type]
    )
    settled: Settled = made.move(RollRow(7, "new", "n", "School", "Office"), "why")
    return settled


def test_somebody_with_the_numen_of_a_row_comes_to_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    change = Moving()
    assert moved(monkeypatch, change, "former") == Settled(7, RowOutcome.MOVED, current=True)
    assert change.moved == [("former", Arrival("new", "School", "Office", None, "i"), "why")]
    assert moved(monkeypatch, change, "former", {"voter_id": "x"}) == Settled(7, RowOutcome.MOVED, current=False)
    assert change.moved[1][1] == Arrival("new", "School", "Office", None, None)


def test_nobody_is_moved_who_is_absent_there_already_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    change = Moving()
    assert moved(monkeypatch, change, None) == Settled(7, RowOutcome.REJECTED, refusal=FaultCode.ABSENT)
    assert moved(monkeypatch, change, "new") == Settled(7, RowOutcome.MOVED)
    assert change.moved == []
    refused = moved(monkeypatch, Moving(FaultCode.VOTED), "former")
    assert refused == Settled(7, RowOutcome.REJECTED, refusal=FaultCode.VOTED)
