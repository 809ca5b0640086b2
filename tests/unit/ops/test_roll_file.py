"""A roll is read the same whichever way a ministry writes it, and no line of it is lost."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reassort.election import Election
from reassort_ops.roll.check import CheckedRoll, check_roll, valid_rows
from reassort_ops.roll.faults import RowFault
from reassort_ops.roll.file import RollFileError, open_roll
from reassort_ops.roll.rows import RollRow

from harness.elections import DATE_OF_BIRTH, STAFF_CARD, read_election
from tests.unit.ops.rolls import ELECTION, Cells, identifier, row, rows, to_csv, with_column

# What a French establishment may be called, in both encodings.
WORDS = st.text("abcÀÉÈÊËÇÔàâéèêëïîôùûüçŒœ’'-. 0123456789;,\"&()", max_size=60)
BLANKS = st.sampled_from(["", " ", "\t", "  ", "\u00a0"])


def read(content: bytes, election: Election = ELECTION) -> tuple[list[RollRow], list[RowFault], CheckedRoll]:
    """Check a file that holds `content`; return its valid rows and its faults."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roll.csv"
        path.write_bytes(content)
        roll = open_roll(path)
        faults: list[RowFault] = []
        checked = check_roll(roll, election, faults.append)
        return list(valid_rows(roll, election, checked)), faults, checked


def faults_of(*content: Cells) -> list[tuple[int, str, str]]:
    """Return line, column and code of every fault of these rows."""
    return [(fault.line, str(fault.column), fault.code) for fault in read(to_csv(content).encode())[1]]


def plain(valid: list[RollRow]) -> list[tuple[str, str, str, str | None, str]]:
    return [(one.address, one.numen, one.establishment, one.secretariat, one.identifier) for one in valid]


EXPECTED = plain(read(to_csv(rows(3)).encode())[0])


class TestWaysToWrite:
    """One roll, many files."""

    @given(
        encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252"]),
        delimiter=st.sampled_from(";,"),
        end=st.sampled_from(["\n", "\r\n", "\r"]),
        quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        before=BLANKS,
        after=BLANKS,
        upper=st.booleans(),
        empty_lines=st.integers(0, 3),
    )
    def test_the_same_rows_come_out(
        self,
        encoding: str,
        delimiter: str,
        end: str,
        quoting: Literal[0, 1],
        before: str,
        after: str,
        upper: bool,
        empty_lines: int,
    ) -> None:
        written = [
            Cells(
                email=before + (cells.email.upper() if upper else cells.email) + after,
                numen=before + (cells.numen.lower() if upper else cells.numen) + after,
                establishment=before + cells.establishment + after,
                secretariat=before + cells.secretariat + after,
                identifier=before + (cells.identifier.replace("-", " ").lower() if upper else cells.identifier) + after,
            )
            for cells in rows(3)
        ]
        text = to_csv(written, delimiter=delimiter, end=end, quoting=quoting)
        valid, faults, checked = read((text + (delimiter * 4 + end) * empty_lines).encode(encoding))
        assert (plain(valid), faults, checked.read) == (EXPECTED, [], 3)

    @pytest.mark.parametrize(
        "header",
        [
            "EMAIL;Numen; establishment ;secretariat;identifier",
            '"email";"numen";"establishment";"secretariat";"identifier";;',
        ],
    )
    def test_names_of_columns_may_be_in_any_case_and_quoted(self, header: str) -> None:
        text = to_csv(rows(3)).replace("email;numen;establishment;secretariat;identifier", header)
        assert plain(read(text.encode())[0]) == EXPECTED

    def test_columns_may_come_in_any_order_and_the_secretariat_may_be_left_out(self) -> None:
        lines = [f"{one.identifier};{one.email};{one.establishment};{one.numen}" for one in rows(2)]
        valid = read("\n".join(["identifier;email;establishment;numen", *lines]).encode())[0]
        assert [(one.line, one.address, one.secretariat) for one in valid] == [
            (2, "prenom.nom1@ac-dijon.fr", None),
            (3, "prenom.nom2@ac-dijon.fr", None),
        ]

    def test_cells_that_a_spreadsheet_drops_at_the_end_are_empty(self) -> None:
        one = row(1)
        cells = f"{one.email};{one.numen};{one.establishment};{one.identifier}"
        text = f"email;numen;establishment;identifier;secretariat\n{cells}\n"
        assert [valid.secretariat for valid in read(text.encode())[0]] == [None]

    @given(establishment=WORDS, secretariat=WORDS, encoding=st.sampled_from(["utf-8", "cp1252"]))
    def test_texts_keep_their_accents(self, establishment: str, secretariat: str, encoding: str) -> None:
        # As many ordinary names as tell the code page.
        text = to_csv([row(1, establishment=establishment, secretariat=secretariat), *rows(60)[1:]])
        # What is UTF-8 by chance, and all that there is, can only be read as that.
        assume(text.isascii() or text.encode(encoding).decode("utf-8", "ignore").encode() != text.encode("cp1252"))
        valid, faults, _ = read(text.encode(encoding))
        if establishment.strip():
            assert faults == []
            assert valid[0].establishment == " ".join(establishment.split())
            assert valid[0].secretariat == (" ".join(secretariat.split()) or None)
        else:
            assert [(fault.column, fault.code) for fault in faults] == [("establishment", "empty")]

    @pytest.mark.parametrize("by_chance", ["ÇŒ", "Ëœ", "Ë†", "Æ’"])
    def test_a_line_that_is_utf_8_by_chance_does_not_decide(self, by_chance: str) -> None:
        # ÇŒ is C7 8C in Windows-1252, which is ǌ in UTF-8; the others are ˜, ˆ and ƒ.
        text = to_csv([row(1, establishment=by_chance), row(2, establishment="Chénôve"), row(3)])
        valid, faults, _ = read(text.encode("cp1252"))
        assert faults == []
        assert [one.establishment for one in valid[:2]] == [by_chance, "Chénôve"]

    def test_decomposed_accents_are_composed(self) -> None:
        valid = read(to_csv([row(1, establishment="E\u0301cole")]).encode())[0]
        assert valid[0].establishment == "École"


class TestFaults:
    """Every fault has its line, its column and a reason, in one pass."""

    @pytest.mark.parametrize(
        ("replaced", "column", "code"),
        [
            ({"email": ""}, "email", "empty"),
            ({"email": "prenom.nom"}, "email", "form"),
            ({"email": "prenom.nom@gmail.com"}, "email", "domain"),
            ({"numen": " "}, "numen", "empty"),
            ({"numen": "09E99X0123ABC"}, "numen", "form"),
            ({"establishment": "\u00a0"}, "establishment", "empty"),
            ({"establishment": "x" * 201}, "establishment", "long"),
            ({"establishment": "Ã‰cole"}, "establishment", "accents"),
            ({"establishment": "L\u2019\ufffdcole"}, "establishment", "accents"),
            ({"secretariat": "Secr\u0007"}, "secretariat", "invisible"),
            ({"secretariat": "zero\u200bwidth"}, "secretariat", "invisible"),
            ({"identifier": ""}, "identifier", "empty"),
            ({"identifier": "7K3M-9QWX"}, "identifier", "form"),
            ({"identifier": identifier(1)[:-1] + ("2" if identifier(1)[-1] != "2" else "3")}, "identifier", "form"),
        ],
    )
    def test_a_cell_that_is_wrong(self, replaced: dict[str, str], column: str, code: str) -> None:
        assert faults_of(row(2), row(1, **replaced)) == [(3, column, code)]

    def test_all_faults_of_a_row_and_of_a_file_come_at_once(self) -> None:
        assert faults_of(row(1, email="x", numen="y"), row(2), row(3, identifier="z", establishment="")) == [
            (2, "email", "form"),
            (2, "numen", "form"),
            (4, "establishment", "empty"),
            (4, "identifier", "form"),
        ]

    def test_what_comes_twice_is_refused_on_each_line_however_it_is_written(self) -> None:
        again = row(4, email=row(1).email.upper(), identifier=row(2).identifier.replace("-", ""))
        assert faults_of(row(1), row(2), row(3), again, row(5, numen=row(3).numen.lower())) == [
            (2, "email", "duplicate"),
            (3, "identifier", "duplicate"),
            (4, "numen", "duplicate"),
            (5, "email", "duplicate"),
            (5, "identifier", "duplicate"),
            (6, "numen", "duplicate"),
        ]

    def test_a_duplicate_of_a_row_that_is_refused_for_something_else_is_found(self) -> None:
        assert (3, "numen", "duplicate") in faults_of(row(1, email="x"), row(2, numen=row(1).numen))

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("a;b;c", "columns"),
            ("a;b;c;d;e;f", "columns"),
            ('"a;b;c;d;e', "quotes"),
            ('"a"x;b;c;d;e', "quotes"),
        ],
    )
    def test_a_line_that_does_not_fall_into_columns(self, line: str, code: str) -> None:
        first, second = to_csv(rows(1)).splitlines()
        valid, faults, _ = read(f"{first}\n{line}\n{second}\n".encode())
        assert [(fault.line, fault.column, fault.code) for fault in faults] == [(2, "row", code)]
        # An open quote does not swallow the rows below.
        assert [one.line for one in valid] == [3]

    @given(st.lists(st.text(st.characters(codec="cp1252", exclude_characters="\r\n"), max_size=40), max_size=8))
    def test_no_line_is_lost_whatever_it_holds(self, lines: list[str]) -> None:
        valid, faults, checked = read(("\n".join([to_csv([]).strip(), *lines])).encode("utf-8").replace(b"\0", b""))
        filled = [line for line in lines if line.replace("\0", "").strip(' \t\u00a0";')]
        assert checked.read == len(filled) == len(valid) + checked.faulty
        assert checked.faulty == len({fault.line for fault in faults})

    @given(st.text(min_size=6, max_size=30), st.sampled_from(["email", "numen", "identifier"]))
    def test_no_reason_repeats_what_a_cell_holds(self, content: str, column: str) -> None:
        cell = f"SECRET{content.encode().hex()}"
        faults = read(to_csv([row(1, **{column: cell})]).encode())[1]
        assert faults
        assert not any(cell in str(fault) for fault in faults)

    def test_what_identifies_a_voter_is_not_in_the_representation_of_a_row(self) -> None:
        valid = read(to_csv(rows(1)).encode())[0]
        assert row(1).numen not in repr(valid)
        assert row(1).email not in repr(valid)


class TestExtraProof:
    """The further proof, in a column of its own when the election asks for one."""

    BORN = read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)
    CARD = read_election("dijon-2018", extra_proof=STAFF_CARD)

    @staticmethod
    def with_proofs(*proofs: str) -> bytes:
        """Write a roll with one voter for each of the proofs."""
        return with_column(to_csv(rows(len(proofs))), "extra_proof", proofs).encode()

    def test_a_day_is_read_in_the_forms_of_ministries_and_may_come_twice(self) -> None:
        valid, faults, _ = read(self.with_proofs("17/03/1968", "1968-03-17", " 17.03.1968 "), self.BORN)
        assert ([one.extra_proof for one in valid], faults) == (["1968-03-17"] * 3, [])

    def test_a_text_is_compared_without_blanks_and_case(self) -> None:
        valid, faults, _ = read(self.with_proofs("4821 ab", "4821-AB"), self.CARD)
        assert ([one.extra_proof for one in valid], faults) == (["4821AB"] * 2, [])

    @pytest.mark.parametrize(
        ("typed", "code"), [("", "empty"), ("\u00a0", "empty"), ("31/02/1968", "form"), ("x", "form")]
    )
    def test_a_cell_that_is_wrong_has_its_line_and_column(self, typed: str, code: str) -> None:
        valid, faults, _ = read(self.with_proofs("17/03/1968", typed), self.BORN)
        assert [one.line for one in valid] == [2]
        assert [(fault.line, str(fault.column), fault.code) for fault in faults] == [(3, "extra_proof", code)]

    def test_a_reason_does_not_repeat_the_cell_and_a_row_does_not_show_it(self) -> None:
        valid, faults, _ = read(self.with_proofs("17/03/1968", "30/02/1971"), self.BORN)
        assert "1971" not in str(faults)
        assert "1968" not in repr(valid)

    def test_an_election_that_asks_for_it_needs_the_column(self) -> None:
        with pytest.raises(RollFileError, match=r":1: column extra_proof is missing: the election asks for it"):
            read(to_csv(rows(1)).encode(), self.BORN)

    def test_an_election_that_does_not_ask_for_it_refuses_the_column(self) -> None:
        with pytest.raises(RollFileError, match=r":1: column extra_proof is there, but the election does not ask"):
            read(self.with_proofs("17/03/1968"))


class TestChanged:
    """A file is imported as it was checked, or not at all."""

    def test_a_file_that_changes_between_check_and_import_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "roll.csv"
        path.write_text(to_csv(rows(2)), encoding="utf-8")
        roll = open_roll(path)
        checked = check_roll(roll, ELECTION, print)
        for changed in ([row(1), row(2, numen="x")], rows(3), rows(1)):
            path.write_text(to_csv(changed), encoding="utf-8")
            with pytest.raises(RollFileError, match="has changed"):
                list(valid_rows(roll, ELECTION, checked))
