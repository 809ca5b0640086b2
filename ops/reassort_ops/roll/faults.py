"""What may be wrong with a row, said to the operator in the language of the run, and in French to
the ministry that has to fix it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reassort_ops.language import filled, tr

# The whole row, where no single cell can be identified.
ROW = "row"


class FaultCode(StrEnum):
    """Why a cell or a row is refused. The values are stable, for programs."""

    QUOTES = "quotes"
    COLUMNS = "columns"
    EMPTY = "empty"
    DOMAIN = "domain"
    FORM = "form"
    GIVEN = "given"
    ACCENTS = "accents"
    INVISIBLE = "invisible"
    LONG = "long"
    DUPLICATE = "duplicate"
    TAKEN = "taken"
    LEFTOVER = "leftover"
    ELSEWHERE = "elsewhere"
    REMOVED = "removed"
    FORMER = "former"
    CLAIMED = "claimed"
    VOTED = "voted"
    ABSENT = "absent"


# On the screen, then in the file for the ministry, with the fault's detail. What the cell holds is
# never repeated.
_REASONS = {
    FaultCode.QUOTES: (
        tr("has a quote that is not closed on its line, or one in the wrong place"),
        "guillemet non fermé sur la ligne ou mal placé",
    ),
    FaultCode.COLUMNS: (
        tr("has {detail} cells, which do not match the header"),
        "la ligne compte {} cellules et ne correspond pas à l’en-tête",
    ),
    FaultCode.EMPTY: (tr("is empty"), "cellule vide"),
    FaultCode.DOMAIN: (
        tr("is not of a domain of the election ({detail})"),
        "le domaine de l’adresse n’est pas l’un de ceux de l’élection ({})",
    ),
    FaultCode.GIVEN: (
        tr("holds an identifier, but identifiers are to be issued: all rows bring one, or none does"),
        "contient un identifiant alors que les identifiants sont à créer : toutes les lignes en ont un, ou aucune",
    ),
    FaultCode.ACCENTS: (
        tr("holds damaged accents: the text was converted with the wrong encoding"),
        "accents abîmés : le texte a été converti avec un mauvais encodage",
    ),
    FaultCode.INVISIBLE: (
        tr("holds a control character or an invisible one"),
        "contient un caractère de contrôle ou invisible",
    ),
    FaultCode.LONG: (tr("has more than {detail} characters"), "plus de {} caractères"),
    FaultCode.DUPLICATE: (tr("is also on line {detail}"), "la même valeur est aussi à la ligne {}"),
    FaultCode.TAKEN: (
        tr("the identifier is another voter's on the stack"),
        "l’identifiant est déjà celui d’un autre électeur",
    ),
    FaultCode.ELSEWHERE: (
        tr(
            "the NUMEN is that of a voter with another address: `reassort roll import --move` or `reassort roll move` "
            "changes the address"
        ),
        "ce NUMEN est déjà celui d’un électeur inscrit à une autre adresse",
    ),
    FaultCode.REMOVED: (
        tr("the voter was removed from the roll: `reassort roll restore` puts them back"),
        "cet électeur a été radié de la liste électorale",
    ),
    FaultCode.FORMER: (
        tr("the address is the former one of a voter with another NUMEN"),
        "cette adresse est l’ancienne adresse d’un autre électeur",
    ),
    FaultCode.CLAIMED: (
        tr("the NUMEN is another voter's on the stack: correct that voter first, or in the same file"),
        "ce NUMEN est déjà celui d’un autre électeur",
    ),
    FaultCode.VOTED: (
        tr("the voter has voted: nothing of them is changed any more"),
        "cet électeur a déjà voté : rien n’est plus changé",
    ),
    FaultCode.ABSENT: (
        tr("nobody with this address is on the stack: `reassort roll import` adds voters"),
        "aucun électeur n’est inscrit à cette adresse",
    ),
    FaultCode.LEFTOVER: (
        tr("the register, the identifiers or the NUMENs hold an entry of this voter, who is not on the roll"),
        "le registre connaît déjà cet électeur, qui n’est plus sur la liste : à voir avec l’exploitant du service",
    ),
}

# Which column a refusal of the stack is about; any other is about the address.
REFUSED_COLUMNS = {
    FaultCode.TAKEN: "identifier",
    FaultCode.LEFTOVER: "identifier",
    FaultCode.ELSEWHERE: "numen",
    FaultCode.CLAIMED: "numen",
}
# By column; a further proof without a detail is a day.
_FORMS = {
    "email": (
        tr("is not of the form prenom.nom@domaine.fr"),
        "n’est pas une adresse de la forme prenom.nom@domaine.fr",
    ),
    "numen": (
        tr("is not of the form 09E9900123ABC"),
        "n’est pas un NUMEN : 2 chiffres, 1 lettre, 7 chiffres, 3 lettres",
    ),
    "identifier": (
        tr("is not an identifier of the election ({detail} symbols and a check symbol)"),
        "n’est pas un identifiant de l’élection ({} signes et un signe de contrôle) ; une faute de frappe est possible",
    ),
    "day": (tr("is not a day of the form JJ/MM/AAAA"), "n’est pas une date existante de la forme JJ/MM/AAAA"),
    "extra_proof": (
        tr("is not of {detail} letters without accents and digits"),
        "doit compter {} lettres sans accent ou chiffres",
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class RowFault:
    """Why a row is refused. `detail` is what the reason counts or names, never what the cell
    holds.
    """

    line: int
    column: str
    code: FaultCode
    detail: str = ""

    @property
    def reason(self) -> str:
        """Say why, on the screen."""
        return filled(self._wordings[0], detail=self.detail)

    @property
    def motif(self) -> str:
        """Say why, in French."""
        return self._wordings[1].format(self.detail)

    @property
    def _wordings(self) -> tuple[str, str]:
        if self.code is not FaultCode.FORM:
            return _REASONS[self.code]
        return _FORMS["day" if self.column == "extra_proof" and not self.detail else self.column]
