"""The list of faults that goes back to the ministry: CSV as it writes its own roll, in French,
without a cell of the roll.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.roll.faults import ROW, RowFault
from reassort_ops.roll.file import RollFile, RollFileError
from reassort_ops.whole_file import whole_text

_HEADER = ("ligne", "colonne", "motif")
_WHOLE_ROW = "(ligne entière)"
_WHOLE_FILE = "(en-tête ou fichier entier)"
_UTF_8 = "utf-8-sig"
_OF_THE_ROLL = (_UTF_8, "cp1252")


def raise_if_error_file_exists(path: Path, *, force: bool) -> None:
    """Refuse to overwrite a list of faults unless `force`.

    Raises:
        OperatorError: it is there.
    """
    if path.exists() and not force:
        raise OperatorError(tr("{path}: is there already; --force overwrites it", path=path))


@contextmanager
def error_file(path: Path, roll: RollFile) -> Iterator[Callable[[RowFault], object]]:
    """Write faults to a new file as they are told, in the roll's encoding and with its delimiter:
    line, column and reason of each.

    A roll without a fault gives the header alone. The file appears once the block has ended well.

    Raises:
        OSError: it cannot be written.
    """
    # The reasons are French: not every code page has their signs.
    with whole_text(path, roll.encoding if roll.encoding in _OF_THE_ROLL else _UTF_8) as text:
        writer = csv.writer(text, delimiter=roll.delimiter)
        writer.writerow(_HEADER)
        yield lambda fault: writer.writerow(
            (fault.line, _WHOLE_ROW if fault.column == ROW else fault.column, fault.motif)
        )


def write_file_fault(path: Path, fault: RollFileError) -> None:
    """Write the one fault of a file that is no roll: of its header, its encoding or as a whole.

    Raises:
        OSError: it cannot be written.
    """
    with whole_text(path, _UTF_8) as text:
        writer = csv.writer(text, delimiter=";")
        writer.writerow(_HEADER)
        writer.writerow((fault.line, _WHOLE_FILE, fault.motif))
