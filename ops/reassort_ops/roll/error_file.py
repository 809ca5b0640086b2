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
_FRENCH = "cp1252"


def raise_if_error_file_exists(path: Path, *, force: bool) -> None:
    """Refuse to overwrite a list of faults unless `force`.

    Raises:
        OperatorError: it is there.
    """
    if path.exists() and not force:
        raise OperatorError(tr("{path}: is there already; --force overwrites it", path=path))


@contextmanager
def error_file(path: Path, roll: RollFile) -> Iterator[Callable[[RowFault], object]]:
    """Write faults to a new file as they are told, in Windows-1252 if the roll is and else in
    UTF-8, with the roll's delimiter: line, column and reason of each.

    A roll without a fault gives the header alone. The file appears once the block has ended well.

    Raises:
        OSError: it cannot be written.
    """
    # The reasons are French: no other code page has all their signs.
    with whole_text(path, _FRENCH if roll.encoding == _FRENCH else _UTF_8) as text:
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
