"""Rolls for tests: rows of the Dijon election, written the ways in which ministries write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Literal

from reassort.identifiers import ALPHABET, check_symbol, show_identifier

from harness.elections import read_election

if TYPE_CHECKING:
    from pathlib import Path

ELECTION = read_election("dijon-2018")
HEADER = ("email", "numen", "establishment", "secretariat", "identifier")


@dataclass(frozen=True)
class Cells:
    """The cells of one row, in the order of `HEADER`."""

    email: str
    numen: str
    establishment: str
    secretariat: str
    identifier: str


def identifier(number: int) -> str:
    """Return a well-formed identifier of the Dijon election, another one for each number."""
    symbols = ""
    for _ in range(ELECTION.identifier.symbols):
        number, value = divmod(number, len(ALPHABET))
        symbols += ALPHABET[value]
    return show_identifier(symbols + check_symbol(symbols), ELECTION.identifier)


def row(number: int, **replaced: str) -> Cells:
    """Return a valid row, another voter for each number, with some cells replaced."""
    cells = Cells(
        email=f"prenom.nom{number}@ac-dijon.fr",
        numen=f"00E{number:07}ABC",
        establishment="Collège Les Trois-Rivières, Auxonne",
        secretariat="Secrétariat de la principale",
        identifier=identifier(number),
    )
    return replace(cells, **replaced)


def rows(count: int) -> list[Cells]:
    """Return valid rows of as many voters."""
    return [row(number) for number in range(1, count + 1)]


def to_csv(
    content: Iterable[Cells],
    *,
    delimiter: str = ";",
    end: str = "\n",
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL,
    header: Sequence[str] = HEADER,
) -> str:
    """Write rows as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(header)
    writer.writerows(astuple(cells) for cells in content)
    return text.getvalue()


def with_column(text: str, name: str, cells: Sequence[str]) -> str:
    """Return a CSV file with one more column, at the end."""
    return "".join(f"{line};{cell}\n" for line, cell in zip(text.splitlines(), (name, *cells), strict=True))


def write_roll(folder: Path, content: Iterable[Cells], name: str = "roll.csv") -> Path:
    """Write rows to a file as the demo roll is written."""
    path = folder / name
    path.write_text(to_csv(content), encoding="utf-8", newline="")
    return path
