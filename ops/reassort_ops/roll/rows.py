"""One row of a roll under the rules that the service itself applies: what it says, or every fault
it has.
"""

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

from reassort_ops.roll.column_names import Column
from reassort_ops.roll.faults import ROW, FaultCode, RowFault
from reassort_ops.roll.file import Malformed, RollLine

_LONGEST_TEXT = 200
# UTF-8 that was read as Windows-1252 somewhere on its way: `Ã©` for é, `â€™` for ’. No French word
# holds either.
_DAMAGED = re.compile("[ÂÃ][\u0080-\u00bf\u0152-\u0192\u2013-\u203a\u2122]|â€|\ufffd")


@dataclass(slots=True)
class RollRow:
    """One voter of the roll, normalised. A cell that has a fault is the empty string, a further
    proof None.

    What identifies the voter stays out of the representation, which a traceback may print.
    """

    line: int
    address: str = field(repr=False, default="")
    numen: str = field(repr=False, default="")
    establishment: str = field(repr=False, default="")
    secretariat: str | None = field(repr=False, default=None)
    identifier: str = field(repr=False, default="")
    extra_proof: str | None = field(repr=False, default=None)
    # For a letter; no table has them.
    name: str = field(repr=False, default="")
    postal: str = field(repr=False, default="")
    faults: list[RowFault] = field(default_factory=list)


class RowRules:
    """The rules of one election for a row of its roll. When `issuing`, the roll brings no
    identifier: one is a fault. Cells of other columns than `columns` are not read.
    """

    def __init__(
        self, election: Election, *, issuing: bool = False, columns: frozenset[Column] = frozenset(Column)
    ) -> None:
        self._issuing = issuing
        self._columns = columns
        self._domains = frozenset(election.domain_names)
        self._domain_list = ", ".join(election.domain_names)
        self._shape = election.identifier
        self._extra_proof = election.extra_proof

    def read(self, line: RollLine) -> RollRow:
        """Normalise every cell and collect every fault of a line that is not blank."""
        row = RollRow(line.number)
        match line.malformed:
            case Malformed.QUOTES:
                self._refuse(row, ROW, FaultCode.QUOTES)
                return row
            case Malformed.COLUMNS:
                self._refuse(row, ROW, FaultCode.COLUMNS, str(line.found))
                return row
        row.name, row.postal = line.name[:_LONGEST_TEXT], line.postal[:_LONGEST_TEXT]
        email, numen, establishment, secretariat, identifier, extra_proof = line.cells
        self._read_address(row, email.strip())
        if Column.NUMEN in self._columns:
            self._read_numen(row, numen.strip())
        if Column.ESTABLISHMENT in self._columns:
            row.establishment = self._read_text(row, Column.ESTABLISHMENT, establishment)
            if not row.establishment and not establishment.strip():
                self._refuse(row, Column.ESTABLISHMENT, FaultCode.EMPTY)
        row.secretariat = self._read_text(row, Column.SECRETARIAT, secretariat) or None
        if Column.IDENTIFIER in self._columns:
            self._read_identifier(row, identifier)
        if self._extra_proof is not None and Column.EXTRA_PROOF in self._columns:
            self._read_extra_proof(row, extra_proof.strip(), self._extra_proof)
        return row

    def _read_address(self, row: RollRow, typed: str) -> None:
        if not typed:
            self._refuse(row, Column.EMAIL, FaultCode.EMPTY)
            return
        try:
            row.address = normalise_address(typed, self._domains)
        except AddressDomainError:
            self._refuse(row, Column.EMAIL, FaultCode.DOMAIN, self._domain_list)
        except AddressFormatError:
            self._refuse(row, Column.EMAIL, FaultCode.FORM)

    def _read_numen(self, row: RollRow, typed: str) -> None:
        if not typed:
            self._refuse(row, Column.NUMEN, FaultCode.EMPTY)
            return
        try:
            row.numen = normalise_numen(typed)
        except NumenFormatError:
            self._refuse(row, Column.NUMEN, FaultCode.FORM)

    def _read_identifier(self, row: RollRow, typed: str) -> None:
        identifier = normalise_identifier(typed.strip())
        if self._issuing:
            if identifier:
                self._refuse(row, Column.IDENTIFIER, FaultCode.GIVEN)
        elif not identifier:
            self._refuse(row, Column.IDENTIFIER, FaultCode.EMPTY)
        elif is_well_formed(identifier, self._shape):
            row.identifier = identifier
        else:
            self._refuse(row, Column.IDENTIFIER, FaultCode.FORM, str(self._shape.symbols))

    def _read_extra_proof(self, row: RollRow, typed: str, wanted: ExtraProof) -> None:
        if not typed:
            self._refuse(row, Column.EXTRA_PROOF, FaultCode.EMPTY)
            return
        try:
            row.extra_proof = normalise_extra_proof(typed, wanted)
        except ExtraProofFormatError:
            if wanted.kind == "date":
                self._refuse(row, Column.EXTRA_PROOF, FaultCode.FORM)
            else:
                self._refuse(row, Column.EXTRA_PROOF, FaultCode.FORM, f"{wanted.min_length}–{wanted.max_length}")

    def _read_text(self, row: RollRow, column: Column, typed: str) -> str:
        text, code = _clean_text(typed)
        if code is not None:
            self._refuse(row, column, code, str(_LONGEST_TEXT) if code is FaultCode.LONG else "")
        return text

    @staticmethod
    def _refuse(row: RollRow, column: str, code: FaultCode, detail: str = "") -> None:
        row.faults.append(RowFault(row.line, column, code, detail))


# A roll names the same establishments over and over.
@lru_cache(maxsize=4096)
def _clean_text(typed: str) -> tuple[str, FaultCode | None]:
    """Return what voters will read (one blank between words, accents composed), or why it is
    refused.
    """
    if not typed.isascii() and _DAMAGED.search(typed):
        return "", FaultCode.ACCENTS
    text = unicodedata.normalize("NFC", " ".join(typed.split()))
    if not text.isprintable():
        return "", FaultCode.INVISIBLE
    if len(text) > _LONGEST_TEXT:
        return "", FaultCode.LONG
    return text, None
