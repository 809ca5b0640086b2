"""What may be wrong with a row, said in English to the operator and in French to the ministry that
has to fix it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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


# English, then French; `{}` is the fault's detail. What the cell holds is never repeated.
_REASONS = {
    FaultCode.QUOTES: (
        "has a quote that is not closed on its line, or one in the wrong place",
        "guillemet non fermé sur la ligne ou mal placé",
    ),
    FaultCode.COLUMNS: (
        "has {} cells, which do not match the header",
        "la ligne compte {} cellules et ne correspond pas à l’en-tête",
    ),
    FaultCode.EMPTY: ("is empty", "cellule vide"),
    FaultCode.DOMAIN: (
        "is not of a domain of the election ({})",
        "le domaine de l’adresse n’est pas l’un de ceux de l’élection ({})",
    ),
    FaultCode.GIVEN: (
        "holds an identifier, but identifiers are to be issued: all rows bring one, or none does",
        "contient un identifiant alors que les identifiants sont à créer : toutes les lignes en ont un, ou aucune",
    ),
    FaultCode.ACCENTS: (
        "holds damaged accents: the text was converted with the wrong encoding",
        "accents abîmés : le texte a été converti avec un mauvais encodage",
    ),
    FaultCode.INVISIBLE: (
        "holds a control character or an invisible one",
        "contient un caractère de contrôle ou invisible",
    ),
    FaultCode.LONG: ("has more than {} characters", "plus de {} caractères"),
    FaultCode.DUPLICATE: ("is also on line {}", "la même valeur est aussi à la ligne {}"),
    FaultCode.TAKEN: (
        "the identifier is another voter's on the stack",
        "l’identifiant est déjà celui d’un autre électeur",
    ),
    FaultCode.ELSEWHERE: (
        "the NUMEN is that of a voter with another address: `reassort roll import --move` or `reassort roll move` "
        "changes the address",
        "ce NUMEN est déjà celui d’un électeur inscrit à une autre adresse",
    ),
    FaultCode.REMOVED: (
        "the voter was removed from the roll: `reassort roll restore` puts them back",
        "cet électeur a été radié de la liste électorale",
    ),
    FaultCode.FORMER: (
        "the address is the former one of a voter with another NUMEN",
        "cette adresse est l’ancienne adresse d’un autre électeur",
    ),
    FaultCode.CLAIMED: (
        "the NUMEN is another voter's on the stack: correct that voter first, or in the same file",
        "ce NUMEN est déjà celui d’un autre électeur",
    ),
    FaultCode.VOTED: (
        "the voter has voted: nothing of them is changed any more",
        "cet électeur a déjà voté : rien n’est plus changé",
    ),
    FaultCode.ABSENT: (
        "nobody with this address is on the stack: `reassort roll import` adds voters",
        "aucun électeur n’est inscrit à cette adresse",
    ),
    FaultCode.LEFTOVER: (
        "the register, the identifiers or the NUMENs hold an entry of this voter, who is not on the roll",
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
        "is not of the form prenom.nom@domaine.fr",
        "n’est pas une adresse de la forme prenom.nom@domaine.fr",
    ),
    "numen": (
        "is not of the form 09E9900123ABC",
        "n’est pas un NUMEN : 2 chiffres, 1 lettre, 7 chiffres, 3 lettres",
    ),
    "identifier": (
        "is not an identifier of the election ({} symbols and a check symbol)",
        "n’est pas un identifiant de l’élection ({} signes et un signe de contrôle) ; une faute de frappe est possible",
    ),
    "day": ("is not a day of the form JJ/MM/AAAA", "n’est pas une date existante de la forme JJ/MM/AAAA"),
    "extra_proof": (
        "is not of {} letters without accents and digits",
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
        """Say why, in English."""
        return self._wordings[0].format(self.detail)

    @property
    def motif(self) -> str:
        """Say why, in French."""
        return self._wordings[1].format(self.detail)

    @property
    def _wordings(self) -> tuple[str, str]:
        if self.code is not FaultCode.FORM:
            return _REASONS[self.code]
        return _FORMS["day" if self.column == "extra_proof" and not self.detail else self.column]
