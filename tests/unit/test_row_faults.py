"""What is wrong with a row, in the language of the run and in French."""

from __future__ import annotations

import pytest
from reassort_ops.roll.faults import REFUSED_COLUMNS, FaultCode, RowFault

OF_A_CELL = set(FaultCode) - {FaultCode.FORM}
COLUMNS = ("email", "numen", "identifier", "extra_proof")
COUNTED = {FaultCode.COLUMNS, FaultCode.DOMAIN, FaultCode.LONG, FaultCode.DUPLICATE}
# How the reason begins when it speaks of what a column holds.
OPENINGS = {
    "identifier": ("l’identifiant", "le registre"),
    "numen": ("ce NUMEN",),
    "email": ("cet électeur", "cette adresse", "aucun électeur"),
}
OF_THE_STACK = (
    FaultCode.TAKEN,
    FaultCode.LEFTOVER,
    FaultCode.ELSEWHERE,
    FaultCode.REMOVED,
    FaultCode.FORMER,
    FaultCode.CLAIMED,
    FaultCode.VOTED,
    FaultCode.ABSENT,
)


@pytest.mark.parametrize("code", FaultCode)
@pytest.mark.parametrize("column", ["email", "numen", "identifier", "extra_proof"])
def test_every_fault_is_said_in_both_languages_and_both_encodings(code: FaultCode, column: str) -> None:
    for detail in ("", "12"):
        fault = RowFault(2, column, code, detail)
        assert fault.reason
        assert fault.motif.encode("cp1252")
        assert "{}" not in fault.reason + fault.motif


@pytest.mark.parametrize("code", sorted(OF_A_CELL))
def test_a_reason_is_in_the_language_of_the_run_and_a_motif_in_french(code: FaultCode) -> None:
    fault = RowFault(2, "email", code, "77")
    assert fault.reason.split()[0] in {"is", "has", "holds", "the", "nobody"}
    assert fault.motif.split()[0] not in {"is", "has", "holds", "the", "nobody"}
    assert ("77" in fault.reason, "77" in fault.motif) == (code in COUNTED, code in COUNTED)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_form_is_said_as_that_of_its_column(column: str) -> None:
    faults = {name: RowFault(2, name, FaultCode.FORM, "77") for name in COLUMNS}
    assert len({fault.reason for fault in faults.values()}) == len({fault.motif for fault in faults.values()}) == 4
    told = faults[column]
    assert told.reason.startswith("is not ")
    assert not told.motif.startswith("is not ")
    assert ("77" in told.reason, "77" in told.motif) == (column in ("identifier", "extra_proof"),) * 2


def test_a_further_proof_is_a_day_unless_it_is_counted() -> None:
    day, text = (RowFault(2, "extra_proof", FaultCode.FORM, detail) for detail in ("", "6–6"))
    assert "JJ/MM/AAAA" in day.reason
    assert "JJ/MM/AAAA" in day.motif
    assert "6–6" in text.reason
    assert "6–6" in text.motif
    # A form without a detail, of any other column, is that column's.
    assert "JJ/MM/AAAA" not in RowFault(2, "numen", FaultCode.FORM).reason


@pytest.mark.parametrize("code", OF_THE_STACK)
def test_what_the_stack_refuses_is_shown_at_the_column_that_the_reason_speaks_of(code: FaultCode) -> None:
    column = REFUSED_COLUMNS.get(code, "email")
    assert RowFault(2, column, code).motif.startswith(OPENINGS[column])


def test_faults_come_in_the_order_of_their_lines() -> None:
    faults = [RowFault(line, "numen", FaultCode.EMPTY) for line in (10, 9, 2)]
    assert [fault.line for fault in sorted(faults)] == [2, 9, 10]
