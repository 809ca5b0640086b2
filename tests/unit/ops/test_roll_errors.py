"""`--errors FILE`: what goes back to the ministry, in its own encoding and in French, without a
cell of its roll.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from reassort_ops.cli import app
from reassort_ops.roll.duplicates import SortedRuns
from typer.testing import CliRunner, Result

from harness.elections import FOLDER
from tests.unit.ops.rolls import Cells, row, to_csv, with_column, write_roll

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

BROKEN = [
    row(1, email="prenom.nom@gmail.com"),
    row(2, numen="SECRET0000000"),
    row(3, identifier="SECR-ETSE-CRET-SECR", establishment=""),
    row(4, email=row(5).email),
    row(5, secretariat="SecrÃ©tariat"),
]


def check(file: Path, errors: Path, *flags: str) -> Result:
    arguments = ["roll", "check", str(file), "--election", str(FOLDER / "dijon-2018.yaml"), "--errors", str(errors)]
    return CliRunner().invoke(app, [*arguments, *flags])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ","])
def test_it_is_written_as_the_roll_is(tmp_path: Path, encoding: str, delimiter: str) -> None:
    file, errors = tmp_path / "roll.csv", tmp_path / "erreurs.csv"
    # Without the line whose damaged accents no Windows-1252 file can be told from.
    file.write_bytes(to_csv(BROKEN[:4], delimiter=delimiter).encode(encoding))
    assert check(file, errors).exit_code == 1
    text = errors.read_bytes().decode("cp1252" if encoding == "cp1252" else "utf-8-sig")
    assert text.count("\r\n") == len(text.splitlines())
    found = list(csv.reader(text.splitlines(), delimiter=delimiter))
    assert found[0] == ["ligne", "colonne", "motif"]
    assert [(line, column) for line, column, _ in found[1:]] == [
        ("2", "email"),
        ("3", "numen"),
        ("4", "establishment"),
        ("4", "identifier"),
    ]
    assert found[1][2] == (
        "le domaine de l’adresse n’est pas l’un de ceux de l’élection (ac-dijon.fr, u-bourgogne.fr, crous-dijon.fr)"
    )
    assert found[2][2] == "n’est pas un NUMEN : 2 chiffres, 1 lettre, 7 chiffres, 3 lettres"
    assert found[3][2] == "cellule vide"


def test_every_fault_has_one_line_and_no_cell_is_repeated(tmp_path: Path) -> None:
    file, errors = write_roll(tmp_path, [*BROKEN, row(6, numen=row(7).numen), row(7)]), tmp_path / "erreurs.csv"
    result = check(file, errors)
    assert "(9 faults)" in result.stdout
    text = errors.read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == 1 + 9
    assert "7;numen;la même valeur est aussi à la ligne 8" in text.splitlines()
    for cells in BROKEN:
        assert not any(cell in text for cell in (cells.email, cells.numen, cells.identifier))
    assert not re.search("SECR|gmail", text)


def test_a_roll_without_fault_gives_the_header_alone(tmp_path: Path) -> None:
    errors = tmp_path / "erreurs.csv"
    assert check(write_roll(tmp_path, [row(1)]), errors).exit_code == 0
    assert errors.read_text(encoding="utf-8-sig").splitlines() == ["ligne;colonne;motif"]


def test_a_former_list_is_overwritten_only_on_request(tmp_path: Path) -> None:
    file, errors = write_roll(tmp_path, BROKEN), tmp_path / "erreurs.csv"
    errors.write_text("mine", encoding="utf-8")
    refused = check(file, errors)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"reassort: {errors}: is there already; --force overwrites it\n"
    assert errors.read_text(encoding="utf-8") == "mine"
    check(file, errors, "--force")
    assert errors.read_text(encoding="utf-8-sig").startswith("ligne;colonne;motif")
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["erreurs.csv", "roll.csv"]


def test_an_import_that_refuses_the_roll_writes_it(deployed: OperatedStack, tmp_path: Path) -> None:
    errors = tmp_path / "erreurs.csv"
    result = deployed.run("roll", "import", write_roll(tmp_path, BROKEN), "--errors", errors)
    assert result.exit_code == 1
    assert "nothing imported" in result.stdout
    assert "3;numen;" in errors.read_text(encoding="utf-8-sig")


def test_an_import_adds_the_rows_that_the_stack_refuses(deployed: OperatedStack, tmp_path: Path) -> None:
    deployed.run("roll", "import", write_roll(tmp_path, [row(1)]))
    errors = tmp_path / "erreurs.csv"
    more: list[Cells] = [row(2, identifier=row(1).identifier), row(3, numen="x")]
    deployed.run("roll", "import", write_roll(tmp_path, more, "more.csv"), "--skip-invalid", "--errors", errors)
    assert errors.read_text(encoding="utf-8-sig").splitlines()[1:] == [
        "3;numen;n’est pas un NUMEN : 2 chiffres, 1 lettre, 7 chiffres, 3 lettres",
        "2;identifier;l’identifiant est déjà celui d’un autre électeur",
    ]


def test_a_check_that_is_interrupted_leaves_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reassort_ops.roll.check._note", interrupt)
    assert check(write_roll(tmp_path, BROKEN), tmp_path / "erreurs.csv").exit_code == 130
    assert [path.name for path in tmp_path.iterdir()] == ["roll.csv"]


def test_faults_of_a_file_that_was_joined_with_itself_come_by_line(tmp_path: Path) -> None:
    errors = tmp_path / "erreurs.csv"
    rows = [row(number) for number in range(1, 401)]
    check(write_roll(tmp_path, rows + rows), errors)
    lines = [line.split(";") for line in errors.read_text(encoding="utf-8-sig").splitlines()[1:]]
    assert [(int(line), column) for line, column, _ in lines] == [
        (line, column) for line in range(2, 802) for column in ("email", "numen", "identifier")
    ]


def test_portions_are_merged_in_order() -> None:
    with SortedRuns() as runs:
        assert list(runs.merged()) == []
        for portion in range(7):
            runs.add((number * 7 + portion).to_bytes(3, "big") for number in reversed(range(1000)))
        assert [int.from_bytes(record, "big") for record in runs.merged()] == list(range(7000))


class TestWithoutIdentifiers:
    """A roll for which identifiers will be issued."""

    def test_the_column_may_be_absent_or_empty(self, tmp_path: Path) -> None:
        absent = "".join(f"{line.rpartition(';')[0]}\n" for line in to_csv([row(1), row(2)]).splitlines())
        empty = to_csv([row(1, identifier=""), row(2, identifier=" ")])
        file = tmp_path / "roll.csv"
        for text in (absent, empty, with_column(absent, "Identifier", ["", ""])):
            file.write_text(text, encoding="utf-8")
            result = check(file, tmp_path / "erreurs.csv", "--issue", "--force")
            assert (result.exit_code, "read 2 = valid 2" in result.stdout) == (0, True)

    def test_a_roll_that_brings_some_is_refused_either_way(self, tmp_path: Path) -> None:
        file, errors = write_roll(tmp_path, [row(1), row(2, identifier="")]), tmp_path / "erreurs.csv"
        assert f"{file}:2: identifier: holds an identifier" in check(file, errors, "--issue").stdout
        assert f"{file}:3: identifier: is empty" in check(file, errors, "--force").stdout

    def test_the_missing_column_says_what_to_do(self, tmp_path: Path) -> None:
        file = tmp_path / "roll.csv"
        file.write_text("email;numen;establishment\n", encoding="utf-8")
        assert "column identifier is missing, and --issue" in check(file, tmp_path / "erreurs.csv").stderr
