"""What `reassort roll` tells of a roll as it goes: lines for a person, or one JSON object for a
program.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import Any

from reassort_ops.language import tr
from reassort_ops.output import JsonObject, say
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.enrolment import Difference
from reassort_ops.roll.faults import RowFault
from reassort_ops.roll.file import RollFile
from reassort_ops.roll.importing import RowOutcome
from reassort_ops.roll.update import ChangedRow

_SHOWN = (Column.ESTABLISHMENT, Column.SECRETARIAT)
_NEVER_CHANGED = tr("an import never changes it: `reassort voter reissue` gives the voter the next one")


class Lines:
    """Tells it to a person."""

    def __init__(self, roll: RollFile) -> None:
        self._path = roll.path

    def fault(self, fault: RowFault) -> None:
        """Tell a fault that the check found."""
        say(
            tr(
                "{path}:{line}: {column}: {reason}",
                path=self._path,
                line=fault.line,
                column=fault.column,
                reason=fault.reason,
            )
        )

    def changed(self, row: ChangedRow) -> None:
        """Tell a row that the stack differs from."""
        for difference in row.differences:
            say(
                tr(
                    "{path}:{line}: {masked_address}: {column}: {difference}",
                    path=self._path,
                    line=row.line,
                    masked_address=row.masked_address,
                    column=difference.column,
                    difference=_told(difference),
                )
            )

    def rejected(self, fault: RowFault, masked_address: str) -> None:
        """Tell a row that the stack refuses."""
        say(
            tr(
                "{path}:{line}: {masked_address}: rejected: {reason}",
                path=self._path,
                line=fault.line,
                masked_address=masked_address,
                reason=fault.reason,
            )
        )


class Members:
    """Tells it to a program."""

    def __init__(self, roll: RollFile, election_id: str) -> None:
        self._roll = roll
        self._election_id = election_id

    @cached_property
    def object(self) -> JsonObject:
        """Return the object, begun when the first thing is told: nothing is, of a roll that cannot
        be checked at all.
        """
        begun = JsonObject()
        begun.put("file", str(self._roll.path))
        begun.put("encoding", self._roll.encoding_name)
        begun.put("delimiter", self._roll.delimiter)
        begun.put("election", self._election_id)
        begun.append("faults")
        return begun

    def fault(self, fault: RowFault) -> None:
        """Tell a fault that the check found."""
        self.object.append("faults", _fault_json(fault))

    def changed(self, row: ChangedRow) -> None:
        """Tell a row that the stack differs from."""
        self.object.append(
            "differences",
            {
                "line": row.line,
                "address": row.masked_address,
                "outcome": RowOutcome.CHANGED.value,
                "differing": [one.column.value for one in row.differences],
                "changes": [asdict(one) for one in row.differences if one.column in _SHOWN],
                "reason": ""
                if row.may_be_updated
                else tr("{column}: {why}", column=Column.IDENTIFIER, why=_NEVER_CHANGED),
            },
        )

    def rejected(self, fault: RowFault, masked_address: str) -> None:
        """Tell a row that the stack refuses."""
        self.object.append(
            "differences",
            {
                "line": fault.line,
                "address": masked_address,
                "outcome": RowOutcome.REJECTED.value,
                "differing": [],
                "changes": [],
                "reason": fault.reason,
            },
        )


def _told(difference: Difference) -> str:
    """Say what differs; of what identifies a voter, only that it does."""
    if difference.column in _SHOWN:
        return tr("{old} → {new}", old=difference.old or tr("(none)"), new=difference.new or tr("(none)"))
    if difference.column is Column.IDENTIFIER:
        return tr("differs; {why}", why=_NEVER_CHANGED)
    return tr("differs")


def _fault_json(fault: RowFault) -> dict[str, Any]:
    return {"line": fault.line, "column": str(fault.column), "code": str(fault.code), "reason": fault.reason}
