"""Checking a whole roll in one pass: every fault of every row, and what comes twice anywhere in the
file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from reassort.election import Election

from reassort_ops.language import tr
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.duplicates import DuplicateSearch, SortedRuns
from reassort_ops.roll.faults import FaultCode, RowFault
from reassort_ops.roll.file import RollFile, RollFileError
from reassort_ops.roll.rows import RollRow, RowRules

# In the order in which the faults of one line are told.
_UNIQUE = (Column.EMAIL, Column.NUMEN, Column.IDENTIFIER)


@dataclass(frozen=True)
class CheckedRoll:
    """What a check found.

    `refused` has one byte a line, 1 where its row has a fault: a roll of a million rows takes a
    megabyte.
    """

    read: int
    faults: int
    refused: bytearray

    @property
    def faulty(self) -> int:
        """Return how many rows have at least one fault."""
        return sum(self.refused)


def check_roll(
    roll: RollFile,
    election: Election,
    report: Callable[[RowFault], object],
    advance: Callable[[int], object] | None = None,
) -> CheckedRoll:
    """Check every row and report each fault: those of single rows as they are read, then what comes
    twice, by line.

    Every row of a duplicate is refused: which one is right only the ministry can tell. Equal
    further proofs are no duplicates.

    Raises:
        RollFileError: the election asks for a further proof and the roll has no column for it, or
            the other way round.
    """
    _raise_if_unfit(roll, election)
    rules = RowRules(election, issuing=roll.issuing, columns=roll.columns)
    refused = bytearray(roll.header + 1)
    read = faults = 0
    with ExitStack() as opened:
        searches = {column: opened.enter_context(DuplicateSearch()) for column in _UNIQUE}
        for line in roll.lines(advance):
            refused.append(0)
            if line.is_blank:
                continue
            read += 1
            row = rules.read(line)
            for fault in row.faults:
                refused[row.line] = 1
                faults += 1
                report(fault)
            _note(row, searches)
        for fault in _duplicates(searches, opened.enter_context(SortedRuns())):
            refused[fault.line] = 1
            faults += 1
            report(fault)
    return CheckedRoll(read, faults, refused)


def valid_rows(roll: RollFile, election: Election, checked: CheckedRoll) -> Iterator[RollRow]:
    """Read the rows that a check found without fault.

    Raises:
        RollFileError: the file is not what it was when it was checked.
    """
    rules = RowRules(election, issuing=roll.issuing, columns=roll.columns)
    read = 0
    for line in roll.lines():
        if line.is_blank:
            continue
        read += 1
        row = rules.read(line)
        if row.line >= len(checked.refused) or (row.faults and not checked.refused[row.line]):
            raise RollFileError(
                tr("{path}:{line}: has changed since the file was checked", path=roll.path, line=row.line)
            )
        if not checked.refused[row.line]:
            yield row
    if read != checked.read:
        raise RollFileError(tr("{path}: has changed since it was checked", path=roll.path))


def _raise_if_unfit(roll: RollFile, election: Election) -> None:
    """Refuse a column that is missing, and one whose contents nobody has asked for: they stay where
    they are.
    """
    column = Column.EXTRA_PROOF
    if election.extra_proof is not None and not roll.has(column) and not roll.partial:
        raise RollFileError(
            tr(
                "{path}:{header}: column {column} is missing: the election asks for it",
                path=roll.path,
                header=roll.header,
                column=column,
            )
        )
    if election.extra_proof is None and roll.has(column):
        raise RollFileError(
            tr(
                "{path}:{header}: column {column} is there, but the election does not ask for it",
                path=roll.path,
                header=roll.header,
                column=column,
            )
        )


def _note(row: RollRow, searches: dict[Column, DuplicateSearch]) -> None:
    if row.address:
        searches[Column.EMAIL].add(row.address, row.line)
    if row.numen:
        searches[Column.NUMEN].add(row.numen, row.line)
    if row.identifier:
        searches[Column.IDENTIFIER].add(row.identifier, row.line)


def _duplicates(searches: dict[Column, DuplicateSearch], runs: SortedRuns) -> Iterator[RowFault]:
    """Return the faults by line. A file that was joined with itself has millions, so they are
    sorted outside of memory.
    """
    for column, search in searches.items():
        place = bytes([_UNIQUE.index(column)])
        for groups in search.parts():
            runs.add(
                line.to_bytes(4, "big") + place + (lines[0] if index else lines[1]).to_bytes(4, "big")
                for lines in groups
                for index, line in enumerate(lines)
            )
    for record in runs.merged():
        line, other = int.from_bytes(record[:4], "big"), int.from_bytes(record[5:], "big")
        yield RowFault(line, _UNIQUE[record[4]], FaultCode.DUPLICATE, str(other))
