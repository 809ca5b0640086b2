"""The command itself: help with an example everywhere, one line for each error, nothing but results
on standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reassort.election import ElectionFileError
from reassort.election_file import read_election_file
from reassort_ops.account.stack import Aws
from reassort_ops.cli import app
from reassort_ops.election_files import election_of
from reassort_ops.roll.check import check_roll, valid_rows
from reassort_ops.roll.file import open_roll
from typer.main import get_command
from typer.testing import CliRunner

from harness.elections import FOLDER
from tests.unit.ops.rolls import row, rows, write_roll

ROOT = FOLDER.parent
DIJON = FOLDER / "dijon-2018.yaml"


def _parameters(command: tuple[str, ...]) -> dict[str, Any]:
    """Return the options of a command, by name."""
    found: Any = get_command(app)
    for name in command:
        found = found.commands[name]
    return {option.name: option for option in found.params}


def _commands(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give every command and every group of them, by what is typed after `reassort`."""
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from _commands(command, (*path, name))


COMMANDS = list(_commands(get_command(app)))
# Works on a file of this machine alone.
OFFLINE = {("roll", "check")}
RUNNABLE = [
    command
    for command in COMMANDS
    if not any(other[: len(command)] == command for other in COMMANDS if other != command)
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert f"Example: {' '.join(('reassort', *command))}" in result.stdout


@pytest.mark.parametrize("command", [one for one in RUNNABLE if "threads" in _parameters(one)], ids=" ".join)
@pytest.mark.parametrize("threads", [0, 1, 64, 65])
def test_so_many_threads_as_a_machine_and_dynamodb_bear(command: tuple[str, ...], threads: int) -> None:
    refused = CliRunner().invoke(app, [*command, "--threads", str(threads)]).stderr
    assert ("--threads takes a number from 1 to 64" in refused) == (threads in {0, 65})


@pytest.mark.parametrize("command", RUNNABLE, ids=" ".join)
def test_every_command_names_its_account_and_speaks_to_programs(command: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*command, "--help"]).stdout
    wanted = {"--json"} | ({"--stack", "--region", "--profile"} if command not in OFFLINE else set())
    assert {option for option in wanted if option not in told} == set()


def test_a_valid_roll(tmp_path: Path) -> None:
    file = write_roll(tmp_path, rows(3))
    result = CliRunner().invoke(app, ["roll", "check", str(file), "--election", str(DIJON)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{file}: UTF-8, columns separated by ';': read 3 = valid 3 + rejected 0 (0 faults)\n"


@pytest.mark.req("I7")
def test_a_faulty_roll(tmp_path: Path) -> None:
    broken = [
        row(1),
        row(2, numen=row(2).numen + "X"),
        row(3, identifier=row(3).identifier[:-2]),
        row(4, email=row(1).email),
    ]
    file = write_roll(tmp_path, broken)
    result = CliRunner().invoke(app, ["roll", "check", str(file), "--election", str(DIJON)])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{file}:3: numen: is not of the form 09E9900123ABC",
        f"{file}:4: identifier: is not an identifier of the election (15 symbols and a check symbol)",
        f"{file}:2: email: is also on line 5",
        f"{file}:5: email: is also on line 2",
        f"{file}: UTF-8, columns separated by ';': read 4 = valid 0 + rejected 4 (4 faults)",
    ]
    for cells in broken:
        for secret in (cells.email, cells.numen, cells.identifier):
            assert secret not in result.output
    as_json = CliRunner().invoke(app, ["roll", "check", str(file), "--election", str(DIJON), "--json"])
    content = json.loads(as_json.stdout)
    assert (as_json.exit_code, content["read"], content["valid"], content["rejected"]) == (1, 4, 0, 4)
    assert content["faults"][0] == {
        "line": 3,
        "column": "numen",
        "code": "form",
        "reason": "is not of the form 09E9900123ABC",
    }


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["roll", "check", "no-such.csv", "--election", str(DIJON)], "no-such.csv: No such file or directory"),
        (["roll", "check", str(DIJON), "--election", str(DIJON)], "column email is missing"),
        (["roll", "check", str(DIJON), "--election", "no-such.yaml"], "no-such.yaml: No such file or directory"),
        (["roll", "check", str(DIJON), "--election", str(ROOT / "pyproject.toml")], "pyproject.toml"),
        (["register", "verify", "--stack", "x", "--region", "eu-west-3", "--profile", "no-such"], "no-such"),
    ],
)
def test_an_error_is_one_line(arguments: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("reassort: ")
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr


def test_ctrl_c_ends_it_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Aws, "find_stack", interrupt)
    result = CliRunner().invoke(app, ["register", "verify", "--stack", "x", "--region", "eu-west-3"])
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "reassort: interrupted\n")


@pytest.mark.req("O13", "I7")
def test_an_error_of_its_own_is_one_line_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("prenom.nom@ac-dijon.fr")

    monkeypatch.setattr(Aws, "find_stack", fail)
    result = CliRunner().invoke(app, ["register", "verify", "--stack", "x", "--region", "eu-west-3"])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("reassort: the command failed by its own fault (ValueError, test_command.py:")
    assert "@" not in result.stderr


class TestElectionFiles:
    """The election file that belongs to a stack."""

    def test_the_file_of_a_stack_must_hold_its_election(self, tmp_path: Path) -> None:
        (tmp_path / "normandie-2026.yaml").write_text(DIJON.read_text(encoding="utf-8"), encoding="utf-8")
        with pytest.raises(ElectionFileError, match="holds the election dijon-2018, not normandie-2026"):
            election_of("normandie-2026", tmp_path)
        with pytest.raises(ElectionFileError, match="no such election file"):
            election_of("dijon-2018", tmp_path)


class TestDemoRoll:
    """`data/demo-roll.csv`."""

    def test_it_shows_what_a_demonstration_needs(self) -> None:
        election = read_election_file(DIJON)
        roll = open_roll(ROOT / "data" / "demo-roll.csv")
        checked = check_roll(roll, election, print)
        voters = list(valid_rows(roll, election, checked))
        assert (checked.faults, len(voters) >= 60) == (0, True)
        assert {voter.address.rpartition("@")[2] for voter in voters} == set(election.domain_names)
        assert any(voter.secretariat is None for voter in voters)
        assert any("La Réunion" in voter.establishment for voter in voters)

    def test_it_can_be_made_again(self) -> None:
        made = subprocess.run(
            [sys.executable, "data/make_demo_roll.py"], cwd=ROOT, capture_output=True, check=True, timeout=300
        )
        assert made.stdout == (ROOT / "data" / "demo-roll.csv").read_bytes()
