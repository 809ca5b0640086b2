"""One row of a roll under the rules that the service itself applies: what it says, or every fault it has."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from reassort.addresses import AddressDomainError, AddressFormatError, normalise_address
from reassort.election import Election, ExtraProof
from reassort.extra_proof import ExtraProofFormatError, normalise_extra_proof
from reassort.identifiers import is_well_formed, normalise_identifier
from reassort.numen import NumenFormatError, normalise_numen

from reassort_ops.roll_file import Column, Line, Malformed

_LONGEST_TEXT = 200
# UTF-8 that was read as Windows-1252 somewhere on its way: `Ã©` for é, `â€™` for ’. No French word holds either.
_DAMAGED = re.compile("[ÂÃ][\u0080-\u00bf\u0152-\u0192\u2013-\u203a\u2122]|â€|\ufffd")
_ROW = "row"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Why a row is refused. `code` is stable, for programs; `reason` never repeats what the cell holds."""

    line: int
    column: str
    code: str
    reason: str


@dataclass(slots=True)
class RollRow:
    """One voter of the roll, normalised. A cell that has a fault is the empty string, a further proof None.

    What identifies the voter stays out of the representation, which a traceback may print.
    """

    line: int
    address: str = field(repr=False, default="")
    numen: str = field(repr=False, default="")
    establishment: str = field(repr=False, default="")
    secretariat: str | None = field(repr=False, default=None)
    identifier: str = field(repr=False, default="")
    extra_proof: str | None = field(repr=False, default=None)
    faults: list[Fault] = field(default_factory=list)


class RowRules:
    """The rules of one election for a row of its roll."""

    def __init__(self, election: Election) -> None:
        self._domains = frozenset(election.domain_names)
        self._domain_list = ", ".join(election.domain_names)
        self._shape = election.identifier
        self._extra_proof = election.extra_proof

    def read(self, line: Line) -> RollRow:
        """Normalise every cell and collect every fault of a line that is not blank."""
        row = RollRow(line.number)
        match line.malformed:
            case Malformed.QUOTES:
                self._refuse(
                    row, _ROW, "quotes", "has a quote that is not closed on its line, or one in the wrong place"
                )
                return row
            case Malformed.COLUMNS:
                self._refuse(row, _ROW, "columns", f"has {line.found} cells, which do not match the header")
                return row
        email, numen, establishment, secretariat, identifier, extra_proof = line.cells
        self._read_address(row, email.strip())
        self._read_numen(row, numen.strip())
        row.establishment = self._read_text(row, Column.ESTABLISHMENT, establishment)
        if not row.establishment and not establishment.strip():
            self._refuse(row, Column.ESTABLISHMENT, "empty", "is empty")
        row.secretariat = self._read_text(row, Column.SECRETARIAT, secretariat) or None
        self._read_identifier(row, identifier)
        if self._extra_proof is not None:
            self._read_extra_proof(row, extra_proof.strip(), self._extra_proof)
        return row

    def _read_address(self, row: RollRow, typed: str) -> None:
        if not typed:
            self._refuse(row, Column.EMAIL, "empty", "is empty")
            return
        try:
            row.address = normalise_address(typed, self._domains)
        except AddressDomainError:
            self._refuse(row, Column.EMAIL, "domain", f"is not of a domain of the election ({self._domain_list})")
        except AddressFormatError as error:
            self._refuse(row, Column.EMAIL, "form", f"is {error}")

    def _read_numen(self, row: RollRow, typed: str) -> None:
        if not typed:
            self._refuse(row, Column.NUMEN, "empty", "is empty")
            return
        try:
            row.numen = normalise_numen(typed)
        except NumenFormatError as error:
            self._refuse(row, Column.NUMEN, "form", f"is {error}")

    def _read_identifier(self, row: RollRow, typed: str) -> None:
        identifier = normalise_identifier(typed.strip())
        if not identifier:
            self._refuse(row, Column.IDENTIFIER, "empty", "is empty")
        elif is_well_formed(identifier, self._shape):
            row.identifier = identifier
        else:
            reason = f"is not an identifier of the election ({self._shape.symbols} symbols and a check symbol)"
            self._refuse(row, Column.IDENTIFIER, "form", reason)

    def _read_extra_proof(self, row: RollRow, typed: str, wanted: ExtraProof) -> None:
        if not typed:
            self._refuse(row, Column.EXTRA_PROOF, "empty", "is empty")
            return
        try:
            row.extra_proof = normalise_extra_proof(typed, wanted)
        except ExtraProofFormatError as error:
            self._refuse(row, Column.EXTRA_PROOF, "form", f"is {error}")

    def _read_text(self, row: RollRow, column: Column, typed: str) -> str:
        text, code, reason = _clean_text(typed)
        if code:
            self._refuse(row, column, code, reason)
        return text

    @staticmethod
    def _refuse(row: RollRow, column: str, code: str, reason: str) -> None:
        row.faults.append(Fault(row.line, column, code, reason))


# A roll names the same establishments over and over.
@lru_cache(maxsize=4096)
def _clean_text(typed: str) -> tuple[str, str, str]:
    """Return what voters will read (one blank between words, accents composed), or a code and a reason to refuse it."""
    if not typed.isascii() and _DAMAGED.search(typed):
        return "", "accents", "holds damaged accents: the text was converted with the wrong encoding"
    text = unicodedata.normalize("NFC", " ".join(typed.split()))
    if not text.isprintable():
        return "", "invisible", "holds a control character or an invisible one"
    if len(text) > _LONGEST_TEXT:
        return "", "long", f"has more than {_LONGEST_TEXT} characters"
    return text, "", ""
