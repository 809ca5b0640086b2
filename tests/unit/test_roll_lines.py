"""The lines of a roll, split into the cells of its columns, or why one cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.file import Malformed, RollLine, open_roll, split_cells

if TYPE_CHECKING:
    from pathlib import Path

    from reassort_ops.roll.file import RollFile

HEADER = "email;numen;establishment;identifier;secretariat"
CELLS = "a@b.fr;N;École;I;S"


def roll_of(folder: Path, *lines: str, partial: bool = False) -> RollFile:
    """Open a file of these lines."""
    path = folder / "roll.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return open_roll(path, partial=partial)


def lines_of(folder: Path, *lines: str, header: str = HEADER) -> list[RollLine]:
    """Return what stands below a header."""
    return list(roll_of(folder, header, *lines).lines())


def test_cells_come_in_the_order_of_the_columns(tmp_path: Path) -> None:
    (found,) = lines_of(tmp_path, "x;S;I;École;N;a@b.fr", header="Grade;secretariat;identifiant;ecole;numen;courriel")
    assert found == RollLine(2, ("a@b.fr", "N", "École", "S", "I", ""), 6)
    assert not found.is_blank


def test_lines_above_the_header_are_none(tmp_path: Path) -> None:
    roll = roll_of(tmp_path, "sep=;", "", HEADER, CELLS)
    assert [line.number for line in roll.lines()] == [4]


def test_a_line_of_blanks_delimiters_and_quotes_is_blank(tmp_path: Path) -> None:
    found = lines_of(tmp_path, "", ' ;"";\t;\u00a0', CELLS)
    assert found == [RollLine(2, (), 0), RollLine(3, (), 0), RollLine(4, ("a@b.fr", "N", "École", "S", "I", ""), 5)]
    assert [line.is_blank for line in found] == [True, True, False]


@pytest.mark.parametrize("line", ['"a;b;c;d', '"a"x;b;c;d', 'a;b;c;d"e"f;"'])
def test_quotes_that_do_not_match_are_told(tmp_path: Path, line: str) -> None:
    (found,) = lines_of(tmp_path, line)
    assert (found, found.is_blank) == (RollLine(2, (), 0, Malformed.QUOTES), False)


def test_quotes_keep_a_delimiter_in_its_cell() -> None:
    assert split_cells('"a;b";"c ""d""";e\r\n', ";") == ["a;b", 'c "d"', "e"]
    assert split_cells("a;b\n", ";") == ["a", "b"]


@pytest.mark.parametrize(("line", "count"), [("a@b.fr;N;École", 3), (f"{CELLS};;x", 7)])
def test_too_few_cells_or_too_many_are_counted(tmp_path: Path, line: str, count: int) -> None:
    (found,) = lines_of(tmp_path, line)
    assert (found, found.is_blank) == (RollLine(2, (), count, Malformed.COLUMNS), False)


def test_empty_cells_at_the_end_may_be_left_out_or_added(tmp_path: Path) -> None:
    found = lines_of(tmp_path, "a@b.fr;N;École;I", f"{CELLS}; ;")
    assert [(line.malformed, line.cells[3], line.found) for line in found] == [(None, "", 4), (None, "S", 7)]


def test_of_a_partial_file_one_cell_is_enough(tmp_path: Path) -> None:
    roll = roll_of(tmp_path, "email;establishment;identifier", "a@b.fr", partial=True)
    assert list(roll.lines()) == [RollLine(2, ("a@b.fr", "", "", "", "", ""), 1)]


def test_a_partial_file_is_read_of_what_it_has_and_never_an_identifier(tmp_path: Path) -> None:
    roll = roll_of(tmp_path, "email;establishment;identifier", partial=True)
    assert roll.columns == {Column.EMAIL, Column.ESTABLISHMENT}
    assert [roll.has(column) for column in Column] == [True, False, True, False, True, False]
    assert roll_of(tmp_path, HEADER).columns == set(Column)


def test_a_letter_has_the_parts_that_the_line_has(tmp_path: Path) -> None:
    header = f"{HEADER};Nom;Ville;Prénom;Adresse"
    whole, short = lines_of(tmp_path, f"{CELLS};Martin;Dijon; Claire ;3  rue", f"{CELLS};Martin", header=header)
    assert (whole.name, whole.postal) == ("Claire Martin", "3 rue Dijon")
    assert (short.name, short.postal) == ("Martin", "")


def test_progress_is_told_now_and_then_in_bytes(tmp_path: Path) -> None:
    roll = roll_of(tmp_path, HEADER, *[CELLS] * 1999)
    told: list[int] = []
    assert len(list(roll.lines(told.append))) == 1999
    assert len(told) == 2
    assert (sum(told), min(told) > 0) == (roll.size, True)
    assert len(list(roll.lines())) == 1999
