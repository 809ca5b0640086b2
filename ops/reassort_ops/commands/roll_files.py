"""How the commands of a roll read a file: what names it, where its faults go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from reassort.election import Election

from reassort_ops.language import tr
from reassort_ops.output import progress
from reassort_ops.roll.check import CheckedRoll, check_roll
from reassort_ops.roll.error_file import error_file, write_file_fault
from reassort_ops.roll.faults import RowFault
from reassort_ops.roll.file import RollFile, RollFileError, open_roll
from reassort_ops.roll.report import Lines, Members

RollPath = Annotated[
    Path,
    typer.Argument(
        metavar=tr("FILE"),
        help=tr(
            "CSV with a header, in any order: email, numen, establishment, identifier, optionally secretariat, and "
            "extra_proof if the election asks for it; or what offices call them in French. Other columns are not read"
        ),
    ),
]
ErrorPath = Annotated[
    Path | None,
    typer.Option(
        "--errors",
        metavar=tr("FILE"),
        help=tr(
            "Write each fault to this CSV file, in French, to send back to the ministry: line, column, reason, no "
            "cell of the roll"
        ),
    ),
]
Force = Annotated[bool, typer.Option("--force", help=tr("Overwrite the file of --errors"))]


def open_file(file: Path, errors: Path | None, *, issuing: bool = False, partial: bool = False) -> RollFile:
    """Open a roll; a fault of its header or of the whole file goes to the list of faults too."""
    try:
        return open_roll(file, issuing=issuing, partial=partial)
    except RollFileError as fault:
        if errors is not None:
            write_file_fault(errors, fault)
        raise


def fault_list(path: Path | None, roll: RollFile) -> AbstractContextManager[Callable[[RowFault], object]]:
    """Write the list of faults that was asked for, or none."""
    return nullcontext(_forget) if path is None else error_file(path, roll)


def _forget(_: RowFault) -> None:
    """Write no list of faults."""


def check_file(
    roll: RollFile, election: Election, report: Lines | Members, note: Callable[[RowFault], object]
) -> CheckedRoll:
    """Check a roll; tell faults as they are found."""

    def tell(fault: RowFault) -> None:
        report.fault(fault)
        note(fault)

    with progress(tr("checking"), roll.size, counted=False) as advance:
        return check_roll(roll, election, tell, advance)
