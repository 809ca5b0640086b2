"""A roll of any length with invented voters, as a ministry writes it. The same seed gives the same
file, byte for byte.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import TYPE_CHECKING

from reassort.election_file import read_election_file
from reassort.identifiers import ALPHABET, check_symbol, show_identifier

from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ELECTION_FILE = ROOT / "elections" / "dijon-2018.yaml"
HEADER = ("email", "numen", "establishment", "secretariat", "identifier")
_VOTERS_A_SCHOOL = 20
_FIRST_NAMES = [
    "Agnès",
    "Chloé",
    "Élodie",
    "Françoise",
    "Gaël",
    "Hélène",
    "Inès",
    "Jérôme",
    "Loïc",
    "Maël",
    "Noémie",
    "Océane",
    "Rémi",
    "Stéphane",
    "Thaïs",
    "Zoé",
]
_LAST_NAMES = [
    "Andrieu",
    "Bœuf",
    "Carré",
    "Dubois",
    "Évrard",
    "Fèvre",
    "Garçon",
    "Huët",
    "Joliot",
    "L’Hôte",
    "Maréchal",
    "Noël",
    "Pâris",
    "Quénot",
    "Roÿ",
    "Thévenin",
]
_KINDS = ("École élémentaire", "École maternelle", "Collège", "Lycée général et technologique", "Lycée professionnel")
_PLACES = [
    "Auxonne",
    "Beaune",
    "Châtillon-sur-Seine",
    "Decize",
    "Épinac",
    "Föcy",
    "Gueugnon",
    "Joigny",
    "Louhans",
    "Mâcon",
    "Nevers",
    "Sens",
    "Tonnerre",
]
_PLAIN = str.maketrans("àâäéèêëïîôöùûüÿçÀÂÉÈÊËÎÏÔÙÛÇ’œ", "aaaeeeeiioouuuycAAEEEEIIOUUC-o")


def generated_rows(voters: int, seed: int = 20181129) -> Iterator[tuple[str, ...]]:
    """Return the rows of a roll, all of them valid for the election of Dijon: addresses, NUMENs and
    identifiers come once.
    """
    chance = random.Random(seed)  # noqa: S311 - nobody votes with these
    election = read_election_file(ELECTION_FILE)
    shape, domains = election.identifier, election.domain_names
    school = ("", "")
    for number in range(voters):
        if number % _VOTERS_A_SCHOOL == 0:
            place = chance.choice(_PLACES)
            name = f"{chance.choice(_KINDS)} {chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}, {place}"
            school = (name, f"Secrétariat, {place}")
        first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
        email = f"{first}.{last}{number}@{domains[0]}".translate(_PLAIN)
        # 30 symbols to the sixth hold 729 million numbers; the rest is drawn.
        rest, symbols = number, ""
        for _ in range(6):
            rest, value = divmod(rest, len(ALPHABET))
            symbols += ALPHABET[value]
        symbols += "".join(chance.choices(ALPHABET, k=shape.symbols - len(symbols)))
        yield (
            email.upper() if number % 50 == 0 else email.lower(),
            f"{number % 96:02}E{number:07}{''.join(chance.choices('ABCDEFGHJKLMNPRSTVWXYZ', k=3))}",
            *school,
            show_identifier(symbols + check_symbol(symbols), shape),
        )


def write_generated_roll(path: Path, voters: int, encoding: str = "utf-8-sig", *, identifiers: bool = True) -> Path:
    """Write a roll: `;`, CRLF, and the identifiers unless they are to be issued."""
    width = len(HEADER) if identifiers else len(HEADER) - 1
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEADER[:width])
        writer.writerows(row[:width] for row in generated_rows(voters))
    return path
