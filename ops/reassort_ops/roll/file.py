"""An electoral roll as offices produce it: CSV in UTF-8, UTF-16 or the code page of their machine;
`;`, `,`, tab or `|`; with or without BOM, quotes and `sep=`; rows that end in LF, CRLF or CR.

One line is one row: a cell never spans lines. A quote that is left open would otherwise swallow the
rows after it.
"""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from reassort_ops.failures import OperatorError
from reassort_ops.language import joined, tr
from reassort_ops.roll.code_pages import CODE_PAGES, LetterCount
from reassort_ops.roll.column_names import Column, Letter, meaning_of, place_in_letter

# Whether the further proof is one is the election's to say.
OPTIONAL = frozenset({Column.SECRETARIAT, Column.EXTRA_PROOF})
_HINTS = {Column.IDENTIFIER: tr(", and --issue, which issues identifiers, is not given")}
_UTF_8 = "utf-8-sig"
_WINDOWS = "cp1252"
_IN_NO_NAME = frozenset("ˆ˜ƒ")
_BLANKS = ' \t\r\n\u00a0"'
# The first of those that come equally often in the header.
_DELIMITERS = ";,\t|"
# What Excel writes, and takes, as the first line.
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
# A NUMEN, with letters of any case.
_NUMEN = re.compile(r"\d{2}[A-Za-z]\d{7}[A-Za-z]{3}")
_LONGEST_LINE = 65_536
_LINES_A_STEP = 1000
# By so many bytes UTF-16 without a BOM is told.
_SHOWN_BY = 40
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A zip archive (xlsx, ods) and an OLE document (xls).
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class RollFileError(OperatorError):
    """The file cannot be read as a roll at all. `line` and `motif`, in French, are for the list of
    faults.
    """

    def __init__(self, message: str, line: int = 1, motif: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.motif = motif or "le fichier ne peut pas être lu comme une liste électorale"


class Malformed(StrEnum):
    """Why a line does not fall into the columns of the header."""

    COLUMNS = "columns"
    QUOTES = "quotes"


@dataclass(frozen=True, slots=True)
class RollLine:
    """One line of the file, split into the cells of `Column` in that order, or why it cannot be.

    `found` is how many cells there are; a blank line has none. `name` and `postal` are for a
    letter alone.
    """

    number: int
    cells: tuple[str, ...] = ()
    found: int = 0
    malformed: Malformed | None = None
    name: str = ""
    postal: str = ""

    @property
    def is_blank(self) -> bool:
        """Tell whether the line is no row."""
        return not self.cells and self.malformed is None


@dataclass(frozen=True)
class RollFile:
    """A file whose encoding, delimiter and header are known. `size` is in bytes, `header` the
    number of its line.

    `positions` says for each column of `Column` which cell holds it, `letters` for each of `Letter`
    which cells; `unused` counts the columns that nothing needs; `issuing` says that identifiers are
    issued, so none need be there; `partial` that the addresses are enough.
    """

    path: Path
    size: int
    encoding: str
    delimiter: str
    header: int
    width: int
    positions: tuple[int | None, ...]
    issuing: bool
    letters: tuple[tuple[int, ...], ...]
    unused: int
    partial: bool

    @property
    def encoding_name(self) -> str:
        """Return the encoding as people call it."""
        return CODE_PAGES.get(self.encoding) or ("UTF-8" if self.encoding == _UTF_8 else "UTF-16")

    def has(self, column: Column) -> bool:
        """Tell whether the header names a column."""
        return self.positions[list(Column).index(column)] is not None

    @property
    def columns(self) -> frozenset[Column]:
        """Return the columns whose cells are read: of a partial file those that it has, and never
        an identifier.
        """
        if not self.partial:
            return frozenset(Column)
        return frozenset(column for column in Column if self.has(column)) - {Column.IDENTIFIER}

    def lines(self, advance: Callable[[int], object] | None = None) -> Iterator[RollLine]:
        """Read every line below the header, blank ones too.

        `advance` is told from time to time how many more bytes have been read.
        """
        optional = _optional(issuing=self.issuing, partial=self.partial)
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
        name, postal = (
            " ".join(" ".join(cells[place] for place in places if place < found).split()) for places in self.letters
        )
        return RollLine(number, tuple(wanted), found, name=name, postal=postal)


def open_roll(path: Path, *, issuing: bool = False, partial: bool = False) -> RollFile:
    """Find out how a file is written: encoding, delimiter, columns. When `issuing`, identifiers may
    be absent; when `partial`, all but the addresses.

    Raises:
        RollFileError: it is no text, mixes encodings, or its header is not a roll's; names the line
            and the reason.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        encoding = _find_encoding(path, file)
        size = file.seek(0, os.SEEK_END)
    given: str | None = None
    with path.open(encoding=encoding) as text:
        for number, line in enumerate(text, 1):
            if is_blank(line, _DELIMITERS):
                continue
            if given is None and (separator := _SEPARATOR.fullmatch(line)):
                given = separator[1]
                continue
            delimiter, names = _split_header(line, given)
            positions, letters, unused = _find_columns(path, number, names, _optional(issuing=issuing, partial=partial))
            return RollFile(
                path, size, encoding, delimiter, number, len(names), positions, issuing, letters, unused, partial
            )
    raise RollFileError(tr("{path}: is empty", path=path), motif="le fichier est vide")


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
    """Read the whole file: one line that is not UTF-8 puts it into a code page, unless another one
    clearly is UTF-8.
    """
    start = file.read(_LONGEST_LINE)
    file.seek(0)
    _raise_if_no_csv(path, start)
    if wide := _utf_16(start):
        _raise_if_not_in(path, wide)
        return wide
    utf_8 = other = 0
    letters = LetterCount()
    ends_in_cr = b"\n" not in start and b"\r" in start
    for number, line in enumerate(_raw_lines(file, ends_in_cr=ends_in_cr), 1):
        if len(line) >= _LONGEST_LINE:
            raise RollFileError(
                tr(
                    "{path}:{number}: the line has more than {most} bytes: is it a CSV file?",
                    path=path,
                    number=number,
                    most=_LONGEST_LINE,
                ),
                number,
            )
        if b"\0" in line:
            raise RollFileError(
                tr("{path}:{number}: holds a NUL byte: is it a CSV file?", path=path, number=number), number
            )
        if line.isascii():
            continue
        as_utf_8, as_windows = _decoded(line, "utf-8"), _decoded(line, _WINDOWS)
        if as_utf_8 is None:
            other = other or number
            letters.add(line)
        elif as_windows is None or _is_western(as_utf_8):
            utf_8 = utf_8 or number
        # Else it is Windows-1252 that is UTF-8 by chance, as ÇŒ is, or a rare letter: the other
        # lines decide.
        if utf_8 and other:
            raise RollFileError(
                tr(
                    "{path}:{other}: is not UTF-8, but line {utf_8} is: the file mixes encodings",
                    path=path,
                    other=other,
                    utf_8=utf_8,
                ),
                other,
                f"la ligne n’est pas en UTF-8, alors que la ligne {utf_8} l’est : le fichier mêle deux encodages",
            )
    if not other:
        return _UTF_8
    page = letters.code_page()
    if page is None:
        raise RollFileError(
            tr(
                "{path}:{other}: is not UTF-8, and its letters do not tell which code page it is in: "
                "save it as CSV in UTF-8",
                path=path,
                other=other,
            ),
            other,
            "l’encodage ne peut pas être reconnu : enregistrez le fichier en « CSV UTF-8 »",
        )
    file.seek(0)
    for number, line in enumerate(_raw_lines(file, ends_in_cr=ends_in_cr), 1):
        if _decoded(line, page) is None:
            raise RollFileError(
                tr(
                    "{path}:{number}: holds a byte that {encoding} has no letter for: the line is damaged",
                    path=path,
                    number=number,
                    encoding=CODE_PAGES[page],
                ),
                number,
                f"la ligne contient un octet qui n’est pas une lettre en {CODE_PAGES[page]} : elle est abîmée",
            )
    return page


def _raw_lines(file: BinaryIO, *, ends_in_cr: bool) -> Iterator[bytes]:
    """Give the lines as they are; those of an old Mac end in CR alone."""
    if not ends_in_cr:
        yield from iter(partial(file.readline, _LONGEST_LINE), b"")
        return
    rest = b""
    for block in iter(partial(file.read, _LONGEST_LINE), b""):
        *whole, rest = (rest + block).split(b"\r")
        yield from whole
        if len(rest) >= _LONGEST_LINE:
            break
    if rest:
        yield rest


def _utf_16(start: bytes) -> str | None:
    """Return the encoding when it is UTF-16, which ASCII shows by every other byte."""
    if start.startswith(_UTF_16):
        return "utf-16"
    even, odd = start[:_SHOWN_BY:2], start[1:_SHOWN_BY:2]
    if odd and all(even) and not any(odd):
        return "utf-16-le"
    if odd and not any(even) and all(odd):
        return "utf-16-be"
    return None


def _raise_if_not_in(path: Path, encoding: str) -> None:
    number = 1
    try:
        with path.open(encoding=encoding) as text:
            for number, line in enumerate(text, 1):
                if len(line) > _LONGEST_LINE:
                    raise RollFileError(
                        tr("{path}:{number}: the line is too long: is it a CSV file?", path=path, number=number), number
                    )
    except UnicodeError as error:
        raise RollFileError(
            tr("{path}: is not whole UTF-16 after line {number}", path=path, number=number), number
        ) from error


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
    if start.startswith(_SPREADSHEETS):
        raise RollFileError(tr("{path}: is a spreadsheet; save it as CSV in UTF-8", path=path))


def _split_header(line: str, given: str | None) -> tuple[str, list[str]]:
    delimiter = given or max(_DELIMITERS, key=line.count)
    cells = split_cells(line, delimiter) or []
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    return delimiter, names


def _optional(*, issuing: bool, partial: bool) -> frozenset[Column]:
    if partial:
        return frozenset(Column) - {Column.EMAIL}
    return OPTIONAL | {Column.IDENTIFIER} if issuing else OPTIONAL


def _find_columns(
    path: Path, line: int, names: list[str], optional: frozenset[Column]
) -> tuple[tuple[int | None, ...], tuple[tuple[int, ...], ...], int]:
    """Return where each column is, where the parts of a letter are, and how many columns are of no
    use. No name is repeated in a fault: without a header it would be somebody's address.
    """
    meanings = [meaning_of(name) for name in names]
    if not {Column.EMAIL, Column.NUMEN} & set(meanings) and any("@" in name or _NUMEN.search(name) for name in names):
        raise RollFileError(
            tr(
                "{path}:{line}: is a row and not a header: the first line must name the columns "
                "({columns}, or their French names)",
                path=path,
                line=line,
                columns=", ".join(Column),
            ),
            line,
            "la première ligne n’est pas un en-tête : elle doit nommer les colonnes",
        )
    twice = [column for column in Column if meanings.count(column) > 1]
    missing = [column for column in Column if column not in meanings and column not in optional]
    if twice or missing:
        faults = [tr("column {column} is there twice", column=column) for column in twice]
        faults += [
            tr("column {column} is missing{hint}", column=column, hint=_HINTS.get(column, "")) for column in missing
        ]
        motifs = [f"la colonne « {column} » figure deux fois" for column in twice]
        motifs += [f"il manque la colonne « {column} »" for column in missing]
        raise RollFileError(
            tr(
                "{path}:{line}: {faults} (the header names {columns}, or what offices call them in French)",
                path=path,
                line=line,
                faults=joined("; ", faults),
                columns=", ".join(Column),
            ),
            line,
            " ; ".join(motifs),
        )
    positions = tuple(meanings.index(column) if column in meanings else None for column in Column)
    letters = tuple(
        tuple(
            sorted(
                (place for place, meaning in enumerate(meanings) if meaning is part),
                key=lambda place: place_in_letter(names[place]),
            )
        )
        for part in Letter
    )
    return positions, letters, meanings.count(None)
