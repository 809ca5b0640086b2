"""One row under the rules of an election: what it says, or every fault with what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort.identifiers import normalise_identifier
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.faults import ROW, FaultCode
from reassort_ops.roll.file import Malformed, RollLine
from reassort_ops.roll.rows import RollRow, RowRules

from harness.elections import DATE_OF_BIRTH, STAFF_CARD, read_election
from tests.unit.ops.rolls import ELECTION, row

if TYPE_CHECKING:
    from reassort.election import Election

LONGEST_TEXT = 200
OF_DIJON = RowRules(ELECTION)
VOTER = row(1)
DAMAGED = "Ã©cole"


def read(rules: RowRules = OF_DIJON, extra_proof: str = "", **cells: str) -> RollRow:
    """Read the row of a voter with some cells replaced."""
    one = row(1, **cells)
    line = (one.email, one.numen, one.establishment, one.secretariat, one.identifier, extra_proof)
    return rules.read(RollLine(7, line, len(line)))


def faults(found: RollRow) -> list[tuple[str, FaultCode, str]]:
    """Return column, code and detail of each fault."""
    assert {fault.line for fault in found.faults} <= {7}
    return [(str(fault.column), fault.code, fault.detail) for fault in found.faults]


@pytest.mark.req("O6")
def test_a_row_without_a_fault_is_normalised() -> None:
    found = read(email=f" {VOTER.email.upper()} ", numen=f" {VOTER.numen.lower()}", identifier=f" {VOTER.identifier} ")
    assert found == RollRow(
        7,
        VOTER.email,
        VOTER.numen,
        VOTER.establishment,
        VOTER.secretariat,
        normalise_identifier(VOTER.identifier),
    )


@pytest.mark.req("O6")
@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"email": " "}, ("email", FaultCode.EMPTY, "")),
        ({"email": "a@gmail.com"}, ("email", FaultCode.DOMAIN, ", ".join(ELECTION.domain_names))),
        ({"email": "a"}, ("email", FaultCode.FORM, "")),
        ({"numen": " "}, ("numen", FaultCode.EMPTY, "")),
        ({"numen": "1"}, ("numen", FaultCode.FORM, "")),
        ({"establishment": " "}, ("establishment", FaultCode.EMPTY, "")),
        ({"establishment": DAMAGED}, ("establishment", FaultCode.ACCENTS, "")),
        ({"establishment": "x" * (LONGEST_TEXT + 1)}, ("establishment", FaultCode.LONG, str(LONGEST_TEXT))),
        ({"secretariat": "a\u200bb"}, ("secretariat", FaultCode.INVISIBLE, "")),
        ({"identifier": " "}, ("identifier", FaultCode.EMPTY, "")),
        ({"identifier": "7K3M"}, ("identifier", FaultCode.FORM, str(ELECTION.identifier.symbols))),
    ],
)
def test_a_fault_says_what_is_wanted(cells: dict[str, str], fault: tuple[str, FaultCode, str]) -> None:
    found = read(OF_DIJON, **cells)
    assert faults(found) == [fault]
    assert getattr(found, "address" if fault[0] == "email" else fault[0]) in ("", None)


@pytest.mark.req("O6")
def test_the_longest_text_is_taken_whole() -> None:
    found = read(establishment="x" * LONGEST_TEXT, secretariat="é" * LONGEST_TEXT)
    assert (faults(found), found.establishment, found.secretariat) == ([], "x" * LONGEST_TEXT, "é" * LONGEST_TEXT)
    assert (read(secretariat=" ").secretariat, read(establishment="a \t b").establishment) == (None, "a b")


@pytest.mark.req("O6")
@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (RollLine(7, malformed=Malformed.QUOTES), (ROW, FaultCode.QUOTES, "")),
        (RollLine(7, found=3, malformed=Malformed.COLUMNS), (ROW, FaultCode.COLUMNS, "3")),
    ],
)
def test_a_line_that_does_not_fall_into_cells_has_one_fault(line: RollLine, fault: tuple[str, FaultCode, str]) -> None:
    found = OF_DIJON.read(line)
    assert faults(found) == [fault]
    assert found == RollRow(7, faults=found.faults)


@pytest.mark.req("O6")
def test_what_is_for_a_letter_is_cut_where_it_is_long() -> None:
    cells = (VOTER.email, VOTER.numen, VOTER.establishment, "", VOTER.identifier, "")
    found = OF_DIJON.read(RollLine(7, cells, name="n" * 300, postal="p" * 300))
    assert (found.name, found.postal) == ("n" * LONGEST_TEXT, "p" * LONGEST_TEXT)


@pytest.mark.req("O6", "I11")
def test_where_identifiers_are_issued_the_roll_brings_none() -> None:
    rules = RowRules(ELECTION, issuing=True)
    assert faults(read(rules)) == [("identifier", FaultCode.GIVEN, "")]
    found = read(rules, identifier=" ")
    assert (faults(found), found.identifier) == ([], "")


@pytest.mark.req("O5")
@pytest.mark.parametrize("left_out", [Column.NUMEN, Column.ESTABLISHMENT, Column.IDENTIFIER, Column.EXTRA_PROOF])
def test_a_column_that_the_file_does_not_have_is_not_read(left_out: Column) -> None:
    election = read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)
    rules = RowRules(election, columns=frozenset(Column) - {left_out})
    empty = {left_out.value: ""} if left_out is not Column.EXTRA_PROOF else {}
    found = read(rules, "" if left_out is Column.EXTRA_PROOF else "17/03/1968", **empty)
    assert faults(found) == []
    assert getattr(found, left_out.value) in ("", None)
    assert [bool(value) for value in (found.numen, found.establishment, found.identifier, found.extra_proof)] == [
        column is not left_out for column in (Column.NUMEN, Column.ESTABLISHMENT, Column.IDENTIFIER, Column.EXTRA_PROOF)
    ]


DAY = read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)
CARD = read_election("dijon-2018", extra_proof=STAFF_CARD)


@pytest.mark.req("O6")
@pytest.mark.parametrize(
    ("election", "typed", "taken", "told"),
    [
        (DAY, " 17/03/1968 ", "1968-03-17", None),
        (DAY, " ", None, (FaultCode.EMPTY, "")),
        (DAY, "31/02/1968", None, (FaultCode.FORM, "")),
        (CARD, "4821 ab", "4821AB", None),
        (CARD, "4821", None, (FaultCode.FORM, "6–6")),
        (ELECTION, "17/03/1968", None, None),
    ],
    ids=["a day", "no day", "a day that is none", "a card", "a card that is short", "none is asked for"],
)
def test_a_further_proof_is_of_the_kind_that_the_election_asks_for(
    election: Election, typed: str, taken: str | None, told: tuple[FaultCode, str] | None
) -> None:
    found = read(RowRules(election), typed)
    assert found.extra_proof == taken
    assert faults(found) == ([] if told is None else [("extra_proof", *told)])


@pytest.mark.req("I7")
def test_what_identifies_a_voter_is_not_in_the_representation() -> None:
    shown = repr(read(RowRules(DAY), "17/03/1968"))
    for secret in (VOTER.email, VOTER.numen, VOTER.establishment, normalise_identifier(VOTER.identifier), "1968"):
        assert secret not in shown


@pytest.mark.req("I7")
def test_nothing_but_line_and_faults_is_in_the_representation() -> None:
    address, numen, establishment, secretariat = "the address", "the NUMEN", "the school", "the secretariat"
    row = RollRow(
        7, address, numen, establishment, secretariat, "the identifier", "the proof", "the name", "the letter"
    )
    shown = repr(row)
    assert "line=7" in shown
    assert "the " not in shown
