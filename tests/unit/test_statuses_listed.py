"""What every identifier is worth, from tables of a few made-up voters, and the lists that a
platform sends to be compared with it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from reassort.keyed_hash import KeyedHash
from reassort.tables import ContentionError, to_wire
from reassort.voters import IdentifierStatus
from reassort_ops.failures import OperatorError
from reassort_ops.platform.export import (
    STATUSES,
    Disagreement,
    StatusExport,
    StatusTally,
    Worth,
    differences,
    read_held,
    status_names,
    write_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACTIVE, REVOKED, USED, FROZEN = STATUSES
ONE, OTHER, THIRD = "A" * 22, f"{'B' * 21}A", f"{'C' * 21}A"


def voter(voter_id: str, generations: int = 1, **more: int) -> dict[str, Any]:
    """Return the item of a voter of as many generations."""
    issued = [1000 * number for number in range(1, generations + 1)]
    return {
        "voter_id": voter_id, "numen_hash": "n", "establishment": "e", "issued_at": issued,
        "generation": generations, "chain_length": generations, "chain_head": "h",
        "numen_failures": 0, "numen_locked_until": 0, **more,
    }  # fmt: skip


class RememberedTables:
    """Tables in memory. Of the keys of a read the first is left for the next one while `busy`."""

    def __init__(self, voters: list[dict[str, Any]], identifiers: list[list[dict[str, Any]]]) -> None:
        self.voters = {one["voter_id"]: one for one in voters}
        self.pages = {"voters": [voters], "identifiers": identifiers}
        self.reads: list[int] = []
        self.busy = 0
        self.issued_between = 0

    def get_paginator(self, name: str) -> RememberedTables:
        assert name == "scan"
        return self

    def paginate(self, **scan: Any) -> Iterator[dict[str, Any]]:
        assert scan["ConsistentRead"] is True
        names = scan["ProjectionExpression"].split(", ")
        for page in self.pages[scan["TableName"]]:
            yield {"Items": [to_wire({name: item[name] for name in names}) for item in page]}

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        ((table, request),) = call["RequestItems"].items()
        assert request["ConsistentRead"] is True
        keys = request["Keys"]
        self.reads.append(len(keys))
        assert len(keys) <= 100
        left: dict[str, Any] = {}
        if self.busy:
            self.busy -= 1
            keys, left = keys[1:], {table: {**request, "Keys": keys[:1]}}
        found = [to_wire(self.voters[key["voter_id"]["S"]]) for key in keys if key["voter_id"]["S"] in self.voters]
        return {"Responses": {table: found}, "UnprocessedKeys": left}


class PlainHash(KeyedHash):
    """Handles that can be read."""

    def handle(self, voter_id: str, generation: int) -> str:
        """Return both."""
        return f"{voter_id}/{generation}"


def export(tables: RememberedTables) -> StatusExport:
    stack: Any = type("Names", (), {"voters_table": "voters", "identifiers_table": "identifiers"})
    dynamodb: Any = tables
    return StatusExport(dynamodb, stack, PlainHash(), 1)


def identifiers(*pairs: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"voter_id": voter_id, "generation": generation} for voter_id, generation in pairs]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.mark.req("I10")
def test_each_identifier_is_listed_once_with_what_it_is_worth() -> None:
    tables = RememberedTables(
        [voter("a", 2), voter("b", frozen_at=5), voter("c", voted_at=6)],
        [identifiers(("x", 1), ("a", 3), ("a", 2), ("a", 1)), identifiers(("b", 1), ("c", 1))],
    )
    tally, advanced = StatusTally(), list[int]()
    found = list(export(tables).worths(tally, advanced.append))
    assert found == [
        Worth("a/2", 2, ACTIVE, None, 2),
        Worth("a/1", 1, REVOKED, 2000, None),
        Worth("b/1", 1, FROZEN, None, 1),
        Worth("c/1", 1, USED, None, None),
    ]
    assert advanced == [4, 2]
    assert tally == StatusTally({ACTIVE: 1, REVOKED: 1, USED: 1, FROZEN: 1}, (4, 4), 2)
    assert (tally.listed, tally.balances) == (4, False)
    file = io.StringIO()
    write_rows(file, iter(found[:2]))
    assert file.getvalue() == (
        "handle;generation;status;superseded_at;sequence\na/2;2;active;;2\na/1;1;revoked;1970-01-01T00:00:02Z;\n"
    )
    assert status_names(tally.by_status) == "active 1 + revoked 1 + used 1 + frozen 1"


def test_a_hundred_voters_are_read_at_once_and_what_is_left_is_asked_for_again() -> None:
    names = [f"v{number:03}" for number in range(150)]
    tables = RememberedTables([voter(name) for name in names], [identifiers(*((name, 1) for name in names))])
    tables.busy = 1
    tally = StatusTally()
    found = list(export(tables).worths(tally, lambda _: None))
    assert [worth.handle for worth in found] == [f"{name}/1" for name in names]
    assert tables.reads == [100, 1, 50]
    assert tally.balances
    tables.busy = 9
    with pytest.raises(ContentionError, match="UnprocessedKeys"):
        list(export(tables).worths(StatusTally(), lambda _: None))


@pytest.mark.req("I10")
@pytest.mark.parametrize(
    ("issued", "orphans", "balances"),
    [((2, 2), 0, True), ((1, 3), 0, True), ((3, 3), 0, False), ((1, 1), 0, False), ((2, 2), 1, False)],
)
def test_what_was_issued_meanwhile_may_be_listed_or_not(
    issued: tuple[int, int], orphans: int, *, balances: bool
) -> None:
    tally = StatusTally({ACTIVE: 1, REVOKED: 1}, issued, orphans)
    assert (tally.listed, tally.balances) == (2, balances)


def test_what_is_issued_while_identifiers_are_read_is_counted_afterwards() -> None:
    tables = RememberedTables([voter("a")], [identifiers(("a", 1))])
    tally = StatusTally()

    def issue(_: int) -> None:
        tables.pages["voters"].append([voter("b", 2)])

    assert list(export(tables).worths(tally, issue)) == [Worth("a/1", 1, ACTIVE, None, 1)]
    assert (tally.issued, tally.balances) == ((1, 3), True)
    assert (StatusTally().listed, StatusTally().issued, StatusTally().orphans) == (0, (0, 0), 0)
    assert set(StatusTally().by_status) == {ACTIVE, REVOKED, USED, FROZEN}


@pytest.mark.req("I10")
@pytest.mark.parametrize(
    ("theirs", "ours", "differs"),
    [
        (ACTIVE, ACTIVE, False), (ACTIVE, REVOKED, True), (USED, ACTIVE, True), (None, ACTIVE, False),
        (None, USED, True), (USED, USED, False),
    ],
)  # fmt: skip
def test_what_the_platform_never_heard_of_differs_only_when_it_voted(
    theirs: IdentifierStatus | None, ours: IdentifierStatus, *, differs: bool
) -> None:
    held = {} if theirs is None else {bytes(16): theirs}
    found = list(differences(held, iter([Worth(ONE, 1, ours, None, None)])))
    assert found == ([Disagreement(ONE, theirs, ours)] if differs else [])
    assert held == {}


def test_what_the_stack_never_issued_comes_last(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_text(f"Status ,handle,more\nUSED, {ONE},x\n\nactive,{OTHER}\nfrozen,{THIRD},y,z\n", encoding="utf-8")
    held = read_held(file)
    assert list(held.values()) == [USED, ACTIVE, FROZEN]
    found = list(differences(held, iter([Worth(OTHER, 1, ACTIVE, None, 1)])))
    assert found == [Disagreement(ONE, USED, None), Disagreement(THIRD, FROZEN, None)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"status\nused;{ONE}\n", "1: the header must name the columns handle and status"),
        ("handle\n", "1: the header must name the columns handle and status"),
        ("", "1: the header must name the columns handle and status"),
        (f"handle;status\n{'A' * 21}B;used\n{'A' * 20};used\n", "2: no handle of 22 characters"),
        (f"handle;status\nA;used\né{'A' * 21};used\n", "2: no handle of 22 characters"),
        (f"handle;status\n{'A' * 43};used\n;used\n", "2: no handle of 22 characters"),
        (f"handle;status\n{ONE}\n", "2: no status: active, revoked, used, frozen"),
        (f"handle;status\n\n{ONE};used\n{ONE};used\n", "4: the same handle as on line 3"),
    ],
)
def test_a_list_is_refused_by_its_first_line_that_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "held.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        read_held(file)
    assert str(refused.value).split("; ")[0] == f"{file}:{told}"


def test_a_list_that_is_no_text_or_no_csv_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "held.csv"
    file.write_bytes(b"handle;status\n\xff;used\n")
    with pytest.raises(OperatorError, match=r"held.csv: is not UTF-8"):
        read_held(file)
    file.write_text('handle;status\n"' + "A" * 200_000, encoding="utf-8")
    with pytest.raises(OperatorError, match="is no CSV file"):
        read_held(file)


@pytest.mark.parametrize(("wrong", "more"), [(20, ""), (21, "; and 1 more"), (25, "; and 5 more")])
def test_twenty_faults_are_named_and_the_others_counted(tmp_path: Path, wrong: int, more: str) -> None:
    file = tmp_path / "held.csv"
    file.write_text("handle;status\n" + "x;used\n" * wrong, encoding="utf-8")
    with pytest.raises(OperatorError) as refused:
        read_held(file)
    named = [f"{file}:{number}: no handle of 22 characters" for number in range(2, 22)]
    assert str(refused.value) == "; ".join(named) + more
