"""A whole roll under a check, from the file to the rows that are read again afterwards."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops.roll.check import _duplicates, check_roll, valid_rows
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.duplicates import SortedRuns
from reassort_ops.roll.faults import FaultCode, RowFault
from reassort_ops.roll.file import RollFileError, open_roll

from harness.elections import DATE_OF_BIRTH, read_election
from tests.unit.ops.rolls import ELECTION, row, rows, to_csv, with_column, write_roll

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reassort.election import Election

    from tests.unit.ops.rolls import Cells

ASKING = read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)


def checked(path: Path, election: Election = ELECTION, *, partial: bool = False) -> tuple[Any, list[RowFault]]:
    """Check a file; return what was found, and the faults as they were told."""
    faults: list[RowFault] = []
    return check_roll(open_roll(path, partial=partial), election, faults.append), faults


def file_of(folder: Path, content: Iterable[Cells], *, blank_after: int = 0) -> Path:
    path = write_roll(folder, content)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines.insert(blank_after, "")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_each_fault_is_told_and_counted_and_its_line_refused(tmp_path: Path) -> None:
    content = [row(1), row(2, email="x@gmail.com", numen="no"), row(3), row(4, establishment=""), row(5)]
    path = file_of(tmp_path, content, blank_after=3)
    found, faults = checked(path)
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [
        (3, "email", FaultCode.DOMAIN),
        (3, "numen", FaultCode.FORM),
        (6, "establishment", FaultCode.EMPTY),
    ]
    assert (found.read, found.faults, found.faulty) == (5, 3, 2)
    assert list(found.refused) == [0, 0, 0, 1, 0, 0, 1, 0]
    assert [one.line for one in valid_rows(open_roll(path), ELECTION, found)] == [2, 5, 7]


def test_a_roll_without_fault_has_none(tmp_path: Path) -> None:
    found, faults = checked(file_of(tmp_path, rows(2), blank_after=0))
    # The header stands on the second line.
    assert (found.read, found.faults, list(found.refused), faults) == (2, 0, [0] * 5, [])


def test_every_row_of_a_duplicate_names_another_one_by_line_and_column(tmp_path: Path) -> None:
    one = row(1)
    content = [
        one, row(2, numen=one.numen), row(3, identifier=one.identifier), row(4, email=one.email),
        row(5, email=one.email, numen=one.numen),
    ]  # fmt: skip
    path = file_of(tmp_path, content, blank_after=1)
    found, faults = checked(path)
    assert faults == [
        RowFault(line, column, FaultCode.DUPLICATE, other)
        for line, column, other in (
            (3, Column.EMAIL, "6"),
            (3, Column.NUMEN, "4"),
            (3, Column.IDENTIFIER, "5"),
            (4, Column.NUMEN, "3"),
            (5, Column.IDENTIFIER, "3"),
            (6, Column.EMAIL, "3"),
            (7, Column.EMAIL, "3"),
            (7, Column.NUMEN, "3"),
        )
    ]
    assert (found.read, found.faults, found.faulty) == (5, 8, 5)
    assert list(valid_rows(open_roll(path), ELECTION, found)) == []


def test_cells_that_are_at_fault_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    content = [row(number, email="", numen="", identifier="") for number in (1, 2)]
    _, faults = checked(file_of(tmp_path, content))
    assert {fault.code for fault in faults} == {FaultCode.EMPTY}


def test_lines_beyond_a_byte_are_named_whole(tmp_path: Path) -> None:
    content = rows(700)
    content[600] = row(601, email=content[300].email)
    _, faults = checked(file_of(tmp_path, content, blank_after=1))
    assert [(fault.line, fault.detail) for fault in faults] == [(303, "603"), (603, "303")]


@pytest.mark.parametrize("change", ["a fault", "a row more", "a row less"])
def test_a_file_that_changed_since_it_was_checked_is_read_no_further(tmp_path: Path, change: str) -> None:
    path = file_of(tmp_path, rows(3), blank_after=2)
    found, _ = checked(path)
    content = {"a fault": [row(1), row(2, numen="x"), row(3)], "a row more": rows(4), "a row less": rows(2)}[change]
    file_of(tmp_path, content, blank_after=2)
    told = {"a fault": ":4: has changed since the file", "a row more": ":6: has changed", "a row less": ": has changed"}
    with pytest.raises(RollFileError) as refused:
        list(valid_rows(open_roll(path), ELECTION, found))
    assert f"{path}{told[change]}" in str(refused.value)


@pytest.mark.parametrize("partial", [False, True])
def test_a_further_proof_stands_in_the_roll_when_the_election_asks_for_it(tmp_path: Path, *, partial: bool) -> None:
    bare, proven = write_roll(tmp_path, rows(1)), tmp_path / "proven.csv"
    proven.write_text(with_column(to_csv(rows(1)), "preuve", ["17/03/1968"]), encoding="utf-8")
    assert checked(bare, partial=partial)[1] == []
    with pytest.raises(
        RollFileError, match=r"proven.csv:1: column extra_proof is there, but the election does not ask"
    ):
        checked(proven, partial=partial)
    found, faults = checked(proven, ASKING, partial=partial)
    assert faults == []
    (one,) = valid_rows(open_roll(proven, partial=partial), ASKING, found)
    assert one.extra_proof == "1968-03-17"
    if partial:
        assert checked(bare, ASKING, partial=True)[1] == []
    else:
        with pytest.raises(RollFileError, match=r"roll.csv:1: column extra_proof is missing: the election asks for it"):
            checked(bare, ASKING)


def test_lines_are_named_whole_up_to_four_bytes() -> None:
    late = (1 << 32) - 1
    found: Any = {Column.NUMEN: SimpleNamespace(parts=lambda: [[[5, late]]])}
    with SortedRuns() as runs:
        faults = list(_duplicates(found, runs))
    assert [(fault.line, fault.detail) for fault in faults] == [(5, str(late)), (late, "5")]
    assert {fault.column for fault in faults} == {Column.NUMEN}
