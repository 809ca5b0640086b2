"""An electoral roll as ministries produce it: CSV in UTF-8 or Windows-1252, `;` or `,`, with or
without BOM and quotes.

One line is one row: a cell never spans lines. A quote that is left open would otherwise swallow the
rows after it.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from reassort_ops.failures import OperatorError


class Column(StrEnum):
    """The columns of a roll, in any order; their names may be in any case."""

    EMAIL = "email"
    NUMEN = "numen"
    ESTABLISHMENT = "establishment"
    SECRETARIAT = "secretariat"
    IDENTIFIER = "identifier"
    EXTRA_PROOF = "extra_proof"


# Whether the further proof is one is the election's to say.
OPTIONAL = frozenset({Column.SECRETARIAT, Column.EXTRA_PROOF})
_HINTS = {Column.IDENTIFIER: ", and --issue, which issues identifiers, is not given"}
_UTF_8 = "utf-8-sig"
_WINDOWS = "cp1252"
_IN_NO_NAME = frozenset("ˆ˜ƒ")
_BLANKS = ' \t\r\n\u00a0"'
_LONGEST_LINE = 65_536
_LINES_A_STEP = 1000
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A zip archive (xlsx, ods) and an OLE document (xls).
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class RollFileError(OperatorError):
    """The file cannot be read as a roll at all."""


class Malformed(StrEnum):
    """Why a line does not fall into the columns of the header."""

    COLUMNS = "columns"
    QUOTES = "quotes"


@dataclass(frozen=True, slots=True)
class RollLine:
    """One line of the file, split into the cells of `Column` in that order, or why it cannot be.

    `found` is how many cells there are; a blank line has none.
    """

    number: int
    cells: tuple[str, ...] = ()
    found: int = 0
    malformed: Malformed | None = None

    @property
    def is_blank(self) -> bool:
        """Tell whether the line is no row."""
        return not self.cells and self.malformed is None


@dataclass(frozen=True)
class RollFile:
    """A file whose encoding, delimiter and header are known. `size` is in bytes, `header` the
    number of its line.

    `positions` says for each column of `Column` which cell holds it; `issuing`, that identifiers
    are issued, so none need be there.
    """

    path: Path
    size: int
    encoding: str
    delimiter: str
    header: int
    width: int
    positions: tuple[int | None, ...]
    issuing: bool = False

    @property
    def encoding_name(self) -> str:
        """Return the encoding as people call it."""
        return "Windows-1252" if self.encoding == _WINDOWS else "UTF-8"

    def has(self, column: Column) -> bool:
        """Tell whether the header names a column."""
        return self.positions[list(Column).index(column)] is not None

    def lines(self, advance: Callable[[int], object] | None = None) -> Iterator[RollLine]:
        """Read every line below the header, blank ones too.

        `advance` is told from time to time how many more bytes have been read.
        """
        optional = _optional(issuing=self.issuing)
        needed = 1 + max(self.positions[place] or 0 for place, column in enumerate(Column) if column not in optional)
        told = 0
        with self.path.open("rb") as raw, TextIOWrapper(raw, encoding=self.encoding) as text:
            for number, line in enumerate(text, 1):
                if advance is not None and number % _LINES_A_STEP == 0:
                    position = raw.tell()
                    advance(position - told)
                    told = position
                if number > self.header:
                    yield self._split(number, line, needed)

    def _split(self, number: int, line: str, needed: int) -> RollLine:
        if is_blank(line, self.delimiter):
            return RollLine(number)
        cells = split_cells(line, self.delimiter)
        if cells is None:
            return RollLine(number, malformed=Malformed.QUOTES)
        found = len(cells)
        # Spreadsheets drop empty cells at the end of a line, or add some.
        if found < needed or any(cell.strip() for cell in cells[self.width :]):
            return RollLine(number, found=found, malformed=Malformed.COLUMNS)
        wanted = (cells[place] if place is not None and place < found else "" for place in self.positions)
        return RollLine(number, tuple(wanted), found)


def open_roll(path: Path, *, issuing: bool = False) -> RollFile:
    """Find out how a file is written: encoding, delimiter, columns. When `issuing`, identifiers may
    be absent.

    Raises:
        RollFileError: it is no text, mixes encodings, or its header is not a roll's; names the line
            and the reason.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        encoding = _find_encoding(path, file)
        size = file.tell()
    with path.open(encoding=encoding) as text:
        for number, line in enumerate(text, 1):
            if not is_blank(line, ";,"):
                delimiter, names = _split_header(line)
                positions = _find_columns(f"{path}:{number}", names, issuing=issuing)
                return RollFile(path, size, encoding, delimiter, number, len(names), positions, issuing)
    raise RollFileError(f"{path}: is empty")


def split_cells(line: str, delimiter: str) -> list[str] | None:
    """Split one line into cells, or return None when its quotes do not match."""
    text = line.rstrip("\r\n")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


def is_blank(line: str, delimiters: str) -> bool:
    """Tell whether a line holds nothing but blanks, delimiters and quotes, as spreadsheets leave at
    the end.
    """
    return not line.strip(_BLANKS + delimiters)


def _find_encoding(path: Path, file: BinaryIO) -> str:
    """Read the whole file: one line that is not UTF-8 makes it Windows-1252, unless another one
    clearly is UTF-8.
    """
    utf_8 = other = 0
    for number, line in enumerate(iter(partial(file.readline, _LONGEST_LINE), b""), 1):
        if number == 1:
            _raise_if_no_csv(path, line)
        if len(line) == _LONGEST_LINE:
            raise RollFileError(f"{path}:{number}: the line has more than {_LONGEST_LINE} bytes: is it a CSV file?")
        if b"\0" in line:
            raise RollFileError(f"{path}:{number}: holds a NUL byte: is it a CSV file?")
        if line.isascii():
            continue
        as_utf_8, as_windows = _decoded(line, "utf-8"), _decoded(line, _WINDOWS)
        if as_utf_8 is None and as_windows is None:
            raise RollFileError(f"{path}:{number}: is neither UTF-8 nor Windows-1252")
        if as_utf_8 is None:
            other = other or number
        elif as_windows is None or _is_western(as_utf_8):
            utf_8 = utf_8 or number
        # Else it is Windows-1252 that is UTF-8 by chance, as ÇŒ is, or a rare letter: the other
        # lines decide.
        if utf_8 and other:
            raise RollFileError(f"{path}:{other}: is not UTF-8, but line {utf_8} is: the file mixes encodings")
    return _WINDOWS if other else _UTF_8


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_western(text: str) -> bool:
    """Tell whether every character is one of Windows-1252 that names have, leaving a BOM aside.

    Without the accents that stand alone, and the guilder: in UTF-8 they are what `Ëœ`, `Ë†` and
    `Æ’` are in Windows-1252.
    """
    try:
        text.removeprefix("\ufeff").encode(_WINDOWS)
    except UnicodeEncodeError:
        return False
    return not _IN_NO_NAME & set(text)


def _raise_if_no_csv(path: Path, start: bytes) -> None:
    if start.startswith(_UTF_16):
        raise RollFileError(f"{path}: is UTF-16; save it as CSV in UTF-8")
    if start.startswith(_SPREADSHEETS):
        raise RollFileError(f"{path}: is a spreadsheet; save it as CSV in UTF-8")


def _split_header(line: str) -> tuple[str, list[str]]:
    delimiter = max(";,", key=line.count)
    cells = split_cells(line, delimiter) or []
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return delimiter, names


def _optional(*, issuing: bool) -> frozenset[Column]:
    return OPTIONAL | {Column.IDENTIFIER} if issuing else OPTIONAL


def _find_columns(where: str, names: list[str], *, issuing: bool) -> tuple[int | None, ...]:
    known, optional = set(Column), _optional(issuing=issuing)
    faults = [f"column {name!r} is not of a roll" for name in names if name not in known]
    faults += [f"column {column} is there twice" for column in Column if names.count(column) > 1]
    missing = [column for column in Column if column not in names and column not in optional]
    faults += [f"column {column} is missing{_HINTS.get(column, '')}" for column in missing]
    if faults:
        raise RollFileError(f"{where}: {'; '.join(faults)} (the header names {', '.join(Column)})")
    return tuple(names.index(column) if column in names else None for column in Column)
