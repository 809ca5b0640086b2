"""What an import does with the rows of a roll, on tables that remember what was put."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.tables import ConditionFailedError, ContentionError, from_wire, to_wire
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.importing import Balance, RollImport, RowOutcome, Settled
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK: Any = SimpleNamespace(
    voters_table="voters", identifiers_table="identifiers", register_table="register", numens_table="numens"
)
BEFORE, NOW = 1000, 2000


class EchoedHashes(KeyedHash):
    """Hashes that are what they are of."""

    def voter_id(self, address: str) -> str:
        """Return the address."""
        return address

    def hash(self, purpose: Purpose, *values: str) -> str:  # noqa: ARG002 - of any purpose
        """Return the value."""
        return "-".join(values)


class TablesThatRemember:
    """Reader and writer of the four tables. `behind` is done once, before the write of that
    number.
    """

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, dict[str, Any]]] = {
            name: {} for name in ("voters", "identifiers", "register", "numens")
        }
        self.reads = 0
        self.writes: list[tuple[int, str]] = []
        self.before: dict[int, Any] = {}

    def write(self, actions: Any, token: str) -> None:
        """Put all or none."""
        self.writes.append((len(actions), token))
        if todo := self.before.pop(len(self.writes), None):
            todo()
        put = []
        for action in actions:
            key = action.request["ConditionExpression"].removeprefix("attribute_not_exists(").removesuffix(")")
            item = from_wire(action.request["Item"])
            if item[key] in self.kept[action.request["TableName"]]:
                raise ConditionFailedError(frozenset({action.name}))
            put.append((action.request["TableName"], item[key], item))
        for table, key, item in put:
            self.kept[table][key] = item

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        """Read consistently."""
        self.reads += 1
        found: dict[str, Any] = {}
        for table, request in call["RequestItems"].items():
            keys = [next(iter(from_wire(key).values())) for key in request["Keys"]]
            found[table] = [to_wire(self.kept[table][key]) for key in keys if key in self.kept[table]]
        return {"Responses": found}


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


def row(number: int, **more: Any) -> RollRow:
    named = {"address": f"v{number}", "numen": f"n{number}", "identifier": f"i{number}", "establishment": "School"}
    return RollRow(number, **{**named, **more})


def imported(
    tables: TablesThatRemember, rows: list[RollRow], at: int = NOW, *, issuing: bool | None = None
) -> list[list[Settled]]:
    """Import rows; return what was told of each batch, in the order of the roll."""
    there: Any = tables
    more: dict[str, Any] = {} if issuing is None else {"issuing": issuing}
    run = RollImport(reader=there, writer=there, stack=STACK, enroller=Enroller(EchoedHashes(), "anne", at), **more)
    told: list[list[Settled]] = []
    run.run(rows, lambda batch: told.append(list(batch)), 1)
    return sorted(told, key=lambda batch: min(settled.line for settled in batch))


def one(tables: TablesThatRemember, wanted: RollRow, **how: Any) -> Settled:
    ((settled,),) = imported(tables, [wanted], **how)
    return settled


def with_rows(*rows: RollRow) -> TablesThatRemember:
    """Return tables that had these rows before."""
    tables = TablesThatRemember()
    imported(tables, list(rows), BEFORE)
    tables.reads, tables.writes = 0, []
    return tables


def test_a_new_roll_is_put_in_transactions_of_a_hundred_without_reading() -> None:
    tables = TablesThatRemember()
    rows = [row(number) for number in range(60)]
    told = imported(tables, rows)
    assert told == [
        [Settled(number, RowOutcome.IMPORTED, current=True) for number in numbers]
        for numbers in (range(25), range(25, 50), range(50, 60))
    ]
    assert ([count for count, _ in tables.writes], tables.reads) == ([100, 100, 40], 0)
    assert len({token for _, token in tables.writes}) == 3
    assert {name: len(items) for name, items in tables.kept.items()} == dict.fromkeys(tables.kept, 60)


def test_a_roll_that_was_imported_before_is_read_and_refused_but_once() -> None:
    rows = [row(number) for number in range(60)]
    tables = with_rows(*rows)
    told = imported(tables, rows)
    assert [one for batch in told for one in batch] == [
        Settled(n, RowOutcome.UNCHANGED, current=True) for n in range(60)
    ]
    assert (len(tables.writes), tables.reads) == (1, 3)


def test_what_lies_behind_the_rows_of_before_is_written_without_reading_again() -> None:
    tables = with_rows(*(row(number) for number in range(20)))
    told = imported(tables, [row(number) for number in range(100)])
    outcomes = [[settled.outcome for settled in batch] for batch in told]
    assert outcomes[0] == [RowOutcome.UNCHANGED] * 20 + [RowOutcome.IMPORTED] * 5
    assert outcomes[1:] == [[RowOutcome.IMPORTED] * 25] * 3
    assert [settled.line for batch in told for settled in batch] == list(range(100))
    # Of the second batch nobody was there, so the third is not read.
    assert ([count for count, _ in tables.writes], tables.reads) == ([100, 20, 100, 100, 100], 2)


@pytest.mark.parametrize(
    ("changed", "outcome", "current"),
    [
        ({"establishment": "Other"}, RowOutcome.CHANGED, True),
        ({"identifier": "i9"}, RowOutcome.CHANGED, False),
        ({}, RowOutcome.UNCHANGED, True),
    ],
)
def test_a_voter_who_is_there_is_compared_and_left_as_they_are(
    changed: dict[str, str], outcome: RowOutcome, *, current: bool
) -> None:
    tables = with_rows(row(1))
    kept = {name: dict(items) for name, items in tables.kept.items()}
    assert one(tables, row(1, **changed)) == Settled(1, outcome, current)
    assert tables.kept == kept
    # An import that issues brings an identifier that is nobody's.
    issued = one(with_rows(row(1)), row(1, **changed), issuing=True)
    assert issued.outcome is (RowOutcome.CHANGED if "establishment" in changed else RowOutcome.UNCHANGED)


def test_an_identifier_is_current_until_the_next_one() -> None:
    tables = with_rows(row(1))
    tables.kept["voters"]["v1"].update(generation=2, issued_at=[BEFORE, NOW])
    assert one(tables, row(1)) == Settled(1, RowOutcome.UNCHANGED, current=False)
    tables.kept["voters"]["v1"].update(generation=1, issued_at=[NOW, BEFORE])
    # This very run wrote it.
    assert one(tables, row(1)) == Settled(1, RowOutcome.IMPORTED, current=True)
    tables.kept["voters"]["v1"].update(issued_at=[NOW])
    assert one(tables, row(1)).outcome is RowOutcome.IMPORTED


def rejected(tables: TablesThatRemember, wanted: RollRow) -> FaultCode | None:
    settled = one(tables, wanted)
    assert settled == Settled(wanted.line, RowOutcome.REJECTED, current=False, refusal=settled.refusal)
    return settled.refusal


def test_who_cannot_be_enrolled_is_rejected_with_the_reason() -> None:
    assert rejected(with_rows(row(1)), row(2, numen="n1")) is FaultCode.ELSEWHERE
    assert rejected(with_rows(row(1)), row(2, identifier="i1")) is FaultCode.TAKEN
    left = with_rows(row(1))
    left.kept["voters"]["v1"]["left_at"] = 5
    assert rejected(left, row(1)) is FaultCode.REMOVED
    left.kept["voters"]["v1"]["moved_to"] = "v2"
    assert rejected(left, row(1)) is FaultCode.FORMER
    for table in ("identifiers", "numens", "register"):
        tables = TablesThatRemember()
        tables.kept[table] = with_rows(row(1)).kept[table]
        assert rejected(tables, row(1)) is FaultCode.LEFTOVER


def test_what_is_refused_leaves_the_rows_beside_it_alone() -> None:
    tables = with_rows(row(1), row(4))
    told = imported(tables, [row(1), row(2, numen="n1"), row(3), row(4), row(5)])
    assert [(one.line, one.outcome) for one in told[0]] == [
        (1, RowOutcome.UNCHANGED),
        (2, RowOutcome.REJECTED),
        (4, RowOutcome.UNCHANGED),
        (3, RowOutcome.IMPORTED),
        (5, RowOutcome.IMPORTED),
    ]


def test_what_somebody_else_wrote_meanwhile_is_found_row_by_row() -> None:
    tables = with_rows(row(1))
    other = with_rows(row(3)).kept

    def interfere() -> None:
        for name, items in other.items():
            tables.kept[name].update(items)

    # The first write is refused for row 1, then somebody else is quicker.
    tables.before[2] = interfere
    told = imported(tables, [row(number) for number in (1, 2, 3, 4)])
    assert [(one.line, one.outcome) for one in told[0]] == [
        (1, RowOutcome.UNCHANGED),
        (2, RowOutcome.IMPORTED),
        (3, RowOutcome.UNCHANGED),
        (4, RowOutcome.IMPORTED),
    ]
    assert [count for count, _ in tables.writes] == [16, 12, 4, 4, 4]
    assert set(tables.kept["register"]) == {"v1", "v2", "v3", "v4"}


def test_a_busy_table_is_written_again_under_the_same_token() -> None:
    tables = TablesThatRemember()

    def busy() -> None:
        raise ContentionError("busy")

    tables.before[1] = busy
    assert one(tables, row(1)).outcome is RowOutcome.IMPORTED
    (first, second) = tables.writes
    assert first == second


def test_a_balance_accounts_for_every_row() -> None:
    balance = Balance(7)
    assert (balance.not_reached, balance.is_complete) == (7, False)
    assert set(balance.counts.values()) == {0}
    for outcome in (RowOutcome.IMPORTED, RowOutcome.UNCHANGED, RowOutcome.UPDATED, RowOutcome.MOVED):
        balance.counts[outcome] += 1
    balance.counts[RowOutcome.IMPORTED] += 2
    assert (balance.not_reached, balance.is_complete) == (1, False)
    balance.counts[RowOutcome.REJECTED] += 1
    assert (balance.not_reached, balance.is_complete) == (0, False)
    balance.counts[RowOutcome.REJECTED] -= 1
    balance.counts[RowOutcome.UPDATED] += 1
    assert (balance.not_reached, balance.is_complete) == (0, True)
    assert Settled(1, RowOutcome.CHANGED) == Settled(1, RowOutcome.CHANGED, current=False, refusal=None)
