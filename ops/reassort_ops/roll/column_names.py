"""What offices call the columns of a roll: in French, with accents or without, in any case."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Column(StrEnum):
    """The columns of a roll that the service needs, in any order."""

    EMAIL = "email"
    NUMEN = "numen"
    ESTABLISHMENT = "establishment"
    SECRETARIAT = "secretariat"
    IDENTIFIER = "identifier"
    EXTRA_PROOF = "extra_proof"


class Letter(StrEnum):
    """What only a letter needs: the mailing file has it, and no table."""

    NAME = "name"
    POSTAL = "postal"


_MAIL = ("email", "mail", "mel", "courriel", "adresse electronique", "adresse e-mail", "adresse mail", "adresse mel")
_OF_WORK = ("", " professionnel", " professionnelle", " pro", " academique", " de l'agent", " agent")
_NAMES: dict[Column | Letter, tuple[str, ...]] = {
    Column.EMAIL: (
        *(name + of for name in _MAIL for of in _OF_WORK),
        "adresse courriel",
        "adresse professionnelle",
        "adresse de messagerie",
        "adresse messagerie",
        "messagerie",
        "boite mail",
    ),
    Column.NUMEN: ("numen", "n° numen", "numero numen", "code numen"),
    Column.ESTABLISHMENT: (
        "establishment",
        "etablissement",
        "nom etablissement",
        "nom de l'etablissement",
        "libelle etablissement",
        "etablissement d'affectation",
        "ecole",
        "ecole ou etablissement",
        "etablissement ou service",
        "affectation",
        "lieu d'affectation",
        "service",
    ),
    Column.SECRETARIAT: ("secretariat", "secretariat de l'etablissement", "secretariat etablissement"),
    Column.IDENTIFIER: ("identifier", "identifiant", "identifiant de vote", "identifiant vote"),
    Column.EXTRA_PROOF: ("extra_proof", "preuve", "preuve supplementaire", "autre preuve"),
    Letter.NAME: (
        "civilite",
        "prenom",
        "prenoms",
        "prenom usuel",
        "nom",
        "nom d'usage",
        "nom usuel",
        "nom de famille",
        "nom et prenom",
        "nom prenom",
        "prenom et nom",
        "prenom nom",
        "name",
        "first name",
        "last name",
    ),
    Letter.POSTAL: (
        "adresse",
        "adresse postale",
        "adresse personnelle",
        "adresse 1",
        "adresse 2",
        "adresse 3",
        "adresse ligne 1",
        "adresse ligne 2",
        "complement d'adresse",
        "complement adresse",
        "rue",
        "voie",
        "lieu-dit",
        "code postal",
        "cp",
        "ville",
        "commune",
        "localite",
        "pays",
        "postal address",
    ),
}


def plain(name: str) -> str:
    """Return a name without accents, case, blanks and signs: « Adresse électronique » and
    ADRESSE_ELECTRONIQUE are the same.
    """
    letters = unicodedata.normalize("NFKD", name.replace("°", "o")).casefold()
    return re.sub(r"[^a-z0-9]", "", letters)


_KNOWN = {plain(name): meaning for meaning, names in _NAMES.items() for name in names}
# The order in which parts of a name, and lines of an address, stand on an envelope.
_ORDER = {plain(name): place for names in _NAMES.values() for place, name in enumerate(names)}


def meaning_of(name: str) -> Column | Letter | None:
    """Return what a column is for, None when the service has no use for it."""
    return _KNOWN.get(plain(name))


def place_in_letter(name: str) -> int:
    """Return where a part of a name or of an address stands among the others."""
    return _ORDER[plain(name)]
