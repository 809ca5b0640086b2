"""`reassort roll check` and `import`, word for word: as text and as JSON, and what an import asks
on a terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pyrage import x25519
from reassort_ops.cli import app
from reassort_ops.commands import roll as command
from reassort_ops.commands.target import Target
from typer.testing import CliRunner

from harness.elections import FOLDER
from tests.unit.ops.conftest import answering_no
from tests.unit.ops.rolls import identifier, row, rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.unit.ops.conftest import OperatedStack, Screen

pytestmark = [pytest.mark.req("O4"), pytest.mark.usefixtures("before_the_close")]

NONE = dict.fromkeys(("imported", "unchanged", "updated", "moved", "changed", "rejected"), 0)
NO_ROW = "the header has no row below it: nobody is on this roll"
NEW = "prenom.nom1@u-bourgogne.fr"
# An address, and a cell that may be corrected.
CHANGED = [row(1, email=NEW, identifier=identifier(50)), row(2, establishment="Rectorat")]
KEY = str(x25519.Identity.generate().to_public())


def check(file: Path, *flags: str) -> Result:
    return CliRunner().invoke(app, ["roll", "check", str(file), "--election", str(FOLDER / "dijon-2018.yaml"), *flags])


def about(file: Path, **told: Any) -> dict[str, Any]:
    """Return what a program reads of a roll, and what was told of it besides."""
    named = {"file": str(file), "encoding": "UTF-8", "delimiter": ";", "election": "dijon-2018"}
    return {**named, "faults": [], **told}


def balance(file: Path, read: int, **told: Any) -> dict[str, Any]:
    """Return what a program reads of an import."""
    rest = {"not_reached": 0, "faulty": 0, "issued": 0, "differences": []}
    return about(file, stack="reassort", read=read, **(NONE | rest | told))


def summary(file: Path, read: int, **told: int) -> str:
    """Return the line that ends an import."""
    counts = {name: count for name, count in (NONE | told).items() if count or name != "moved"}
    return f"{file} → reassort: read {read} = " + " + ".join(f"{name} {count}" for name, count in counts.items())


class TestChecked:
    """A roll by itself."""

    def test_what_a_program_reads_is_whole(self, tmp_path: Path) -> None:
        file = write_roll(tmp_path, rows(2))
        assert json.loads(check(file, "--json").stdout) == about(file, read=2, valid=2, rejected=0)

    def test_a_header_without_rows_is_red(self, tmp_path: Path, screen: Screen) -> None:
        assert check(write_roll(tmp_path, [])).exit_code == 1
        assert screen.colour(NO_ROW) == "red"


class TestImported:
    """A roll on a stack."""

    def test_what_a_program_reads_is_whole(self, deployed: OperatedStack, tmp_path: Path) -> None:
        file = write_roll(tmp_path, rows(2))
        assert deployed.run_json("roll", "import", file) == (0, balance(file, 2, imported=2))
        later = write_roll(tmp_path, [row(1, establishment="Rectorat"), row(2)], "later.csv")
        change = {"column": "establishment", "old": row(1).establishment, "new": "Rectorat"}
        told = {"line": 2, "address": "p•••@ac-dijon.fr", "outcome": "changed", "differing": ["establishment"]}
        differences = [{**told, "changes": [change], "reason": ""}]
        wanted = balance(later, 2, unchanged=1, changed=1, differences=differences)
        assert deployed.run_json("roll", "import", later) == (1, wanted)

    def test_it_ends_green_when_every_row_is_on_the_stack(
        self, deployed: OperatedStack, tmp_path: Path, screen: Screen
    ) -> None:
        file = write_roll(tmp_path, rows(2))
        said = summary(file, 2, imported=2)
        assert (deployed.run("roll", "import", file).stdout, screen.colour(said)) == (f"{said}\n", "green")

    def test_a_roll_with_a_fault_says_that_nothing_was_imported(
        self, deployed: OperatedStack, tmp_path: Path, screen: Screen
    ) -> None:
        file = write_roll(tmp_path, [row(1), row(2, numen="x")])
        result = deployed.run("roll", "import", file)
        fault = f"{file}:3: numen: is not of the form 09E9900123ABC"
        nothing = "nothing imported: 1 of 2 rows have faults; --skip-invalid imports the others"
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [fault, nothing, summary(file, 2, rejected=2)]
        assert [screen.colour(part) for part in (nothing, "read 2 =")] == ["red", ""]
        skipped = deployed.run("roll", "import", file, "--skip-invalid")
        assert skipped.exit_code == 1
        assert skipped.stdout.splitlines() == [fault, summary(file, 2, imported=1, rejected=1)]

    def test_a_header_without_rows_is_no_import(self, deployed: OperatedStack, tmp_path: Path, screen: Screen) -> None:
        file = write_roll(tmp_path, [])
        result = deployed.run("roll", "import", file)
        assert (result.exit_code, result.stdout.splitlines()) == (1, [summary(file, 0), NO_ROW])
        assert screen.colour(NO_ROW) == "red"

    def test_a_roll_without_a_valid_row_asks_for_no_key(
        self, deployed: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(Target, "keyed_hash")
        file = write_roll(tmp_path, [row(1, numen="x")])
        result = deployed.run("roll", "import", file, "--skip-invalid")
        assert (result.exit_code, result.stderr) == (1, "")
        assert result.stdout.splitlines()[-1] == summary(file, 1, rejected=1)

    def test_a_former_list_of_faults_is_not_overwritten(self, deployed: OperatedStack, tmp_path: Path) -> None:
        errors = tmp_path / "erreurs.csv"
        errors.touch()
        result = deployed.run("roll", "import", write_roll(tmp_path, rows(1)), "--errors", errors)
        said = f"reassort: {errors}: is there already; --force overwrites it\n"
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)
        assert deployed.everything() == [[], [], []]

    def test_identifiers_are_issued_to_new_voters_alone(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        mailing = tmp_path / "mailing.age"
        file = write_roll(tmp_path, [row(2, identifier="", establishment="Rectorat"), row(4, identifier="")])
        result = enrolled.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
        assert (result.exit_code, result.stdout.splitlines()) == (
            1,
            [
                f"{file}:2: p•••@ac-dijon.fr: establishment: {row(2).establishment} → Rectorat",
                f"{mailing}: 1 identifiers, for 1 public keys; the only copy there is",
                summary(file, 2, imported=1, changed=1),
            ],
        )


class TestAsked:
    """What changes somebody who is there waits for a yes."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The questions that were answered with no."""
        return answering_no(monkeypatch, command)

    def test_no_moves_nobody(self, enrolled: OperatedStack, tmp_path: Path, asked: list[str]) -> None:
        before = enrolled.everything()
        file = write_roll(tmp_path, [row(1, email=NEW, identifier=identifier(50))], "later.csv")
        result = enrolled.run("roll", "import", file, "--move")
        assert (result.exit_code, asked) == (1, ["Change the address of 1 voter?"])
        assert result.stdout.splitlines()[-1] == summary(file, 1, rejected=1)
        assert enrolled.everything() == before

    @pytest.mark.usefixtures("asked")
    def test_yes_moves(
        self, enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: Screen
    ) -> None:
        monkeypatch.setattr(command, "confirmed", lambda _: True)
        file = write_roll(tmp_path, [row(1, email=NEW, identifier=identifier(50))], "later.csv")
        said = summary(file, 1, moved=1)
        result = enrolled.run("roll", "import", file, "--move")
        assert (result.exit_code, result.stdout, screen.colour(said)) == (0, f"{said}\n", "green")

    def test_who_cannot_be_moved_holds_up_nobody_else(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        enrolled.dynamodb.update_item(
            TableName=enrolled.stack.voters_table,
            Key={"voter_id": {"S": enrolled.keyed_hash.voter_id(row(1).email)}},
            UpdateExpression="SET voted_at = :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
        taken = row(9, identifier=row(3).identifier)
        voted = row(1, email=NEW, identifier=identifier(50))
        moved = row(2, email=NEW.replace("1", "2"), identifier=identifier(51))
        file = write_roll(tmp_path, [taken, voted, moved], "later.csv")
        result = enrolled.run("roll", "import", file, "--move", "--yes")
        assert (result.exit_code, result.stdout.splitlines()) == (
            1,
            [
                f"{file}:2: p•••@ac-dijon.fr: rejected: the identifier is another voter's on the stack",
                f"{file}:3: p•••@u-bourgogne.fr: rejected: the voter has voted: nothing of them is changed any more",
                summary(file, 3, moved=1, rejected=2),
            ],
        )

    @pytest.mark.parametrize(
        ("option", "cells"),
        [
            ("--move", row(9, identifier=row(1).identifier)),
            ("--update", row(1, identifier=identifier(50))),
        ],
        ids=["nobody elsewhere", "an identifier alone"],
    )
    def test_what_cannot_be_done_is_not_asked(
        self, enrolled: OperatedStack, tmp_path: Path, asked: list[str], option: str, cells: Any
    ) -> None:
        assert enrolled.run("roll", "import", write_roll(tmp_path, [cells], "later.csv"), option).exit_code == 1
        assert asked == []

    @pytest.mark.parametrize("option", ["--move", "--update"])
    def test_a_program_is_not_asked(
        self, enrolled: OperatedStack, tmp_path: Path, asked: list[str], option: str
    ) -> None:
        file = write_roll(tmp_path, CHANGED, "later.csv")
        assert enrolled.run_json("roll", "import", file, option)[0] == 1
        assert asked == []

    def test_an_import_alone_only_compares(self, enrolled: OperatedStack, tmp_path: Path, asked: list[str]) -> None:
        file = write_roll(tmp_path, CHANGED, "later.csv")
        result = enrolled.run("roll", "import", file)
        assert (result.exit_code, asked) == (1, [])
        assert result.stdout.splitlines() == [
            f"{file}:2: p•••@u-bourgogne.fr: rejected: the NUMEN is that of a voter with another address: "
            "`reassort roll import --move` or `reassort roll move` changes the address",
            f"{file}:3: p•••@ac-dijon.fr: establishment: {row(2).establishment} → Rectorat",
            summary(file, 2, changed=1, rejected=1),
        ]
