"""Rolls as offices write them: every encoding with every delimiter, header and row end gives the
same voters; what cannot be told is refused, and nothing of a person is on the screen.
"""

from __future__ import annotations

import csv
import io
from itertools import product
from pathlib import Path

import pytest
from reassort_ops.cli import app
from reassort_ops.roll.check import check_roll, valid_rows
from reassort_ops.roll.code_pages import CODE_PAGES, LetterCount
from reassort_ops.roll.file import RollFileError, open_roll
from reassort_ops.roll.mailing_file import MailingRow, _CsvSource
from reassort_ops.roll.rows import RollRow
from typer.testing import CliRunner

from harness.elections import FOLDER
from harness.roll.generated import generated_rows
from tests.unit.ops.rolls import ELECTION, row, rows, to_csv

DIJON = FOLDER / "dijon-2018.yaml"
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
    "iso8859-15": "ISO-8859-15",
    "cp850": "CP850",
    "mac-roman": "Mac Roman",
}
DELIMITERS = {";": "", ",": "", "\t": "", "|": "", "; after sep=": "sep=;", "^ after sep=": "sep=^"}
HEADERS = {
    "ours": ("email", "numen", "establishment", "secretariat", "identifier"),
    "French": ("Adresse électronique", "NUMEN", "Établissement", "Secrétariat", "Identifiant de vote"),
    "capitals": ("ADRESSE_ELECTRONIQUE", "N° NUMEN", "ETABLISSEMENT", "SECRETARIAT", "IDENTIFIANT"),
}
ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}
# As many as tell a code page: œ is where ISO-8859-15 and Windows-1252 differ.
CELLS = [row(number, establishment=f"Collège Sacré-Cœur, Chénôve, n° {number}") for number in range(1, 13)]
PLAIN = str.maketrans({"œ": "oe"})


def written(folder: Path, encoding: str, delimiter: str, header: str, end: str, *, extra: bool = False) -> Path:
    sign = delimiter[0]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sign, lineterminator=ENDS[end])
    writer.writerow([*HEADERS[header], *(["Code UAI", "Corps"] if extra else [])])
    for cells in CELLS:
        establishment = (
            cells.establishment.translate(PLAIN) if encoding in ("cp850", "mac-roman") else cells.establishment
        )
        kept = [cells.email, cells.numen, establishment, cells.secretariat, cells.identifier]
        writer.writerow([*kept, *(["0210001A", "Agrégés"] if extra else [])])
    first = DELIMITERS[delimiter] + ENDS[end] if DELIMITERS[delimiter] else ""
    path = folder / "roll.csv"
    path.write_bytes((first + text.getvalue()).encode(encoding))
    return path


def read(path: Path) -> tuple[list[RollRow], int]:
    roll = open_roll(path)
    checked = check_roll(roll, ELECTION, print)
    return list(valid_rows(roll, ELECTION, checked)), checked.faults


@pytest.mark.req("O6")
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_every_way_gives_the_same_voters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    for header, end, extra in product(HEADERS, ENDS, (False, True)):
        path = written(tmp_path, encoding, delimiter, header, end, extra=extra)
        assert open_roll(path).encoding_name == ENCODINGS[encoding]
        found, faults = read(path)
        assert (len(found), faults) == (len(CELLS), 0), (header, end)
        for one, cells in zip(found, CELLS, strict=True):
            assert (one.address, one.numen) == (cells.email, cells.numen)
            assert one.establishment.translate(PLAIN) == cells.establishment.translate(PLAIN)
            assert one.secretariat == "Secrétariat de la principale"


@pytest.mark.req("O6")
@pytest.mark.parametrize("end", ENDS)
def test_a_thousand_rows_are_read_as_ten_are(tmp_path: Path, end: str) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes(to_csv(rows(2000), end=ENDS[end]).encode("cp1252"))
    assert len(read(path)[0]) == 2000


@pytest.mark.req("O6")
@pytest.mark.parametrize("damaged", [1, 3, 13])
def test_a_byte_that_is_no_letter_of_the_code_page_is_named_by_its_line(tmp_path: Path, damaged: int) -> None:
    path = written(tmp_path, "cp1252", ";", "French", "LF")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[damaged - 1] = b"\x81" + lines[damaged - 1]
    path.write_bytes(b"".join(lines))
    with pytest.raises(RollFileError, match=f"roll.csv:{damaged}: .* is damaged") as refusal:
        open_roll(path)
    assert refusal.value.line == damaged


@pytest.mark.req("O6")
@pytest.mark.parametrize("page", CODE_PAGES)
def test_code_pages_are_told_by_a_few_names(page: str) -> None:
    """A general guesser was wrong for most of the same samples."""
    lines = [";".join(cells).replace("’", "'").replace("œ", "oe") for cells in generated_rows(3000)]
    for place in range(0, 3000, 150):
        count = LetterCount()
        text = "\n".join(lines[place : place + 3]) + "\nÉcole élémentaire"
        for line in text.encode(page).splitlines():
            count.add(line)
        found = count.code_page()
        assert found is not None
        assert text.encode(page).decode(found) == text


@pytest.mark.req("O6", "I7")
def test_nothing_of_a_person_is_shown_of_a_roll_without_a_header(tmp_path: Path) -> None:
    file = tmp_path / "roll.csv"
    file.write_text("".join(to_csv(rows(2)).splitlines(keepends=True)[1:]), encoding="utf-8")
    errors = tmp_path / "erreurs.csv"
    options = ["--election", str(DIJON), "--errors", str(errors)]
    result = CliRunner().invoke(app, ["roll", "check", str(file), *options])
    assert (result.exit_code, result.stdout) == (1, "")
    assert ":1: is a row and not a header" in result.stderr
    told = errors.read_text(encoding="utf-8-sig")
    assert told.splitlines()[1].startswith("1;(en-tête ou fichier entier);la première ligne n’est pas un en-tête")
    for secret in (row(1).email, row(1).numen, row(1).identifier):
        assert secret not in result.output + told


@pytest.mark.req("O6")
def test_faults_of_the_header_go_to_the_list_of_faults(tmp_path: Path) -> None:
    file, errors = tmp_path / "roll.csv", tmp_path / "erreurs.csv"
    file.write_text("Courriel;Établissement;Identifiant\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["roll", "check", str(file), "--election", str(DIJON), "--errors", str(errors)])
    assert "column numen is missing" in result.stderr
    assert errors.read_bytes().startswith(b"\xef\xbb\xbf")
    assert (
        errors.read_text("utf-8-sig").splitlines()[1] == "1;(en-tête ou fichier entier);il manque la colonne « numen »"
    )


@pytest.mark.req("O6")
def test_a_header_without_rows_is_no_roll(tmp_path: Path) -> None:
    file = tmp_path / "roll.csv"
    file.write_text("email;numen;establishment;identifier\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["roll", "check", str(file), "--election", str(DIJON)])
    assert result.exit_code == 1
    assert "the header has no row below it" in result.stdout


def test_columns_that_are_not_used_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path, "utf-8", ";", "French", "LF", extra=True)
    result = CliRunner().invoke(app, ["roll", "check", str(path), "--election", str(DIJON)])
    assert (result.exit_code, result.stdout.rstrip().endswith("; 2 columns not used")) == (0, True)


class TestLetters:
    """What those who print the letters are given."""

    @pytest.mark.req("O6")
    def test_name_and_postal_address_come_in_the_order_of_an_envelope(self, tmp_path: Path) -> None:
        header = "Ville;Nom;Code postal;Adresse;Prénom;Civilité;Courriel;NUMEN;Établissement;Identifiant"
        cells = (
            f"Dijon;Martin;21000;3 rue des Forges;Claire;Mme;{row(1).email};{row(1).numen};Lycée;{row(1).identifier}"
        )
        path = tmp_path / "roll.csv"
        path.write_text(f"{header}\n{cells}\n", encoding="utf-8")
        (found,), faults = read(path)
        assert (faults, found.name, found.postal) == (0, "Mme Claire Martin", "3 rue des Forges 21000 Dijon")
        assert "Martin" not in repr(found)

    @pytest.mark.req("O6")
    def test_it_opens_in_a_spreadsheet_as_it_is_meant_and_computes_nothing(self) -> None:
        cells = ["=cmd|' /C calc'!A0", "+33", "-2+3", "@SUM(A1)", "Lycée", "École"]
        content = _CsvSource([MailingRow(*cells)]).read()
        assert content.startswith(b"\xef\xbb\xbf")
        header, line = csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")
        assert header == ["email", "establishment", "secretariat", "identifier", "name", "postal_address"]
        assert line == [*(f"'{cell}" for cell in cells[:4]), "Lycée", "École"]
