"""`reassort election`: what it shows, in every state, and what the register keeps of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import time_machine
from reassort.tables import to_wire
from reassort_ops.account.deployed_election import deployed_election
from reassort_ops.account.stack import Aws
from reassort_ops.cli import app
from reassort_ops.failures import OperatorError
from reassort_ops.moments import moment
from typer.testing import CliRunner, Result

from harness.elections import FOLDER, election_content, read_election, write_election
from harness.engines.engine import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.ops.conftest import OperatedStack

DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
ELECTION = read_election("dijon-2018")


@pytest.fixture
def stack(deployed: OperatedStack) -> Iterator[OperatedStack]:
    with time_machine.travel(DURING, tick=False):
        yield deployed


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (datetime(2018, 1, 1, tzinfo=UTC), "not open yet"),
        (DURING, "open"),
        (datetime(2019, 1, 1, tzinfo=UTC), "closed"),
    ],
)
def test_without_a_record_the_election_file_says(deployed: OperatedStack, at: datetime, state: str) -> None:
    with time_machine.travel(at, tick=False):
        status, shown = deployed.run_json("election", "status")
    assert status == 0
    assert (shown["reissues"], shown["latest"], shown["differing"]) == (state, None, [])
    assert shown["windows"]["reissue"]["closes_at"] == "2018-12-06T16:00:00Z"


@pytest.mark.req("S24", "I9")
def test_close_and_open(stack: OperatedStack) -> None:
    status, closed = stack.run_json("election", "close", "--reason", "fuite chez un opérateur")
    assert (status, closed["reissues"], closed["latest"]["change"]) == (0, "stopped", "closed")
    assert closed["latest"]["reason"] == "fuite chez un opérateur"
    assert closed["latest"]["operator"]
    shown = stack.run("election", "status").stdout
    assert "reissues are stopped" in shown
    assert "2018-12-06 17:00 CET" in shown
    assert "fuite chez un opérateur" in shown
    assert stack.run_json("election", "open", "--reason", "bureau")[1]["reissues"] == "open"
    _, verified = stack.run_json("register", "verify")
    assert (verified["entries"], verified["faults"]) == (2, [])


def test_close_early(stack: OperatedStack) -> None:
    status, shown = stack.run_json("election", "close", "--at", "2018-12-05T12:00", "--reason", "bureau")
    assert (status, shown["reissues"], shown["closes_early_at"]) == (0, "open", "2018-12-05T11:00:00Z")
    assert shown["latest"]["reason"] == "2018-12-05T11:00:00Z bureau"
    assert "closes early" in stack.run("election", "status").stdout
    with time_machine.travel(datetime(2018, 12, 5, 11, 0, tzinfo=UTC), tick=False):
        assert stack.run_json("election", "status")[1]["reissues"] == "closed"


@pytest.mark.parametrize(
    ("at", "reason"), [("2018-11-30T10:00", "has passed"), ("2018-12-24T12:00", "not within the window")]
)
def test_close_at_a_time_that_cannot_be(stack: OperatedStack, at: str, reason: str) -> None:
    result = stack.run("election", "close", "--at", at, "--reason", "bureau")
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert stack.items(stack.stack.control_table) == []


def test_a_reason_with_personal_data_is_refused(stack: OperatedStack) -> None:
    result = stack.run("election", "close", "--reason", "claire.martin@ac-dijon.fr")
    assert result.exit_code == 1
    assert stack.items(stack.stack.register_table) == []


def test_items_that_do_not_agree_are_named(stack: OperatedStack) -> None:
    stack.run("election", "close", "--reason", "leak")
    stack.dynamodb.delete_item(TableName=stack.stack.control_table, Key=to_wire({"key": "control#07"}))
    status, shown = stack.run_json("election", "status")
    assert (status, shown["differing"]) == (1, ["control#07"])
    # What the same command writes again.
    assert stack.run_json("election", "close", "--reason", "again")[1]["differing"] == []


@pytest.mark.req("I9")
def test_a_tampered_entry_of_the_election_is_found(stack: OperatedStack) -> None:
    stack.run("election", "close", "--reason", "leak")
    stack.run("election", "open", "--reason", "bureau")
    stack.dynamodb.update_item(
        TableName=stack.stack.register_table,
        Key=to_wire({"voter_id": "election", "sequence": 1}),
        UpdateExpression="SET actor = :other",
        ExpressionAttributeValues=to_wire({":other": "somebody"}),
    )
    status, verified = stack.run_json("register", "verify")
    assert (status, verified["faults"]) == (1, ["election: entry 1 was altered"])


# -------------------------------------------------------- another file than the deployed one


class TestTheStackKnowsItsElection:
    """What a folder holds is never taken for what is deployed."""

    COMMANDS = (
        ("election", "status"),
        ("election", "open", "--reason", "bureau"),
        ("election", "close", "--reason", "bureau"),
        ("purge", "--yes"),
        ("report", "--json"),
        ("register", "verify"),
        ("roll", "import", "data/demo-roll.csv"),
        ("rehearse", "--yes"),
    )

    @pytest.fixture
    def moved(self, tmp_path: Path) -> Path:
        """A folder with other dates than the stack's."""
        windows = election_content("dijon-2018")["windows"]
        windows["voting"]["closes_at"] = windows["reissue"]["closes_at"] = "2018-12-08T17:00"
        return write_election(tmp_path, "dijon-2018", windows=windows).parent

    @pytest.mark.req("O1")
    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
    def test_another_file_is_refused_with_what_differs(
        self, stack: OperatedStack, moved: Path, command: tuple[str, ...]
    ) -> None:
        stack.built_from = FOLDER
        options = ["--stack", stack.stack.name, "--region", REGION, "--elections", str(moved)]
        result = CliRunner().invoke(app, [*command, *options])
        assert (result.exit_code, result.stdout) == (1, "")
        assert "is not the election that stack reassort runs with; nothing was done" in result.stderr
        assert "windows.voting.closes_at is 2018-12-08 17:00 +0100 there, 2018-12-06 17:00 +0100 here" in result.stderr
        assert stack.items(stack.stack.control_table) == []
        assert stack.items(stack.stack.register_table) == []

    @pytest.mark.req("O1", "O13")
    def test_a_list_that_differs_is_named_without_what_it_holds(self, stack: OperatedStack, tmp_path: Path) -> None:
        helpdesk = election_content("dijon-2018")["helpdesk"] | {"networks": ["192.0.2.0/24"]}
        folder = write_election(tmp_path, "dijon-2018", helpdesk=helpdesk).parent
        stack.built_from = FOLDER
        options = ["--stack", stack.stack.name, "--region", REGION, "--elections", str(folder)]
        result = CliRunner().invoke(app, ["election", "status", *options])
        assert "helpdesk.networks is another value there, another value here" in result.stderr

    @pytest.mark.req("O1")
    def test_a_folder_nearby_is_not_looked_at(
        self, stack: OperatedStack, moved: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack.built_from = moved
        monkeypatch.chdir(FOLDER.parent)
        options = ["--stack", stack.stack.name, "--region", REGION, "--json"]
        shown = json.loads(CliRunner().invoke(app, ["election", "status", *options]).stdout)
        assert shown["windows"]["voting"]["closes_at"] == "2018-12-08T16:00:00Z"

    @pytest.mark.req("O1")
    def test_opening_follows_the_file_that_is_deployed_later(self, stack: OperatedStack, moved: Path) -> None:
        stack.run("election", "open", "--reason", "bureau")
        stack.elections = moved
        with time_machine.travel(datetime(2018, 12, 7, tzinfo=UTC), tick=False):
            assert stack.run_json("election", "status")[1]["reissues"] == "open"

    @pytest.mark.req("O1")
    @pytest.mark.usefixtures("stack")
    def test_a_stack_that_does_not_say_is_not_guessed(self) -> None:
        with pytest.raises(OperatorError, match="deploy this version"):
            deployed_election(Aws(region=REGION), "dijon-2018", "")
        with pytest.raises(OperatorError, match="does not hold the election lyon-2026"):
            deployed_election(Aws(region=REGION), "lyon-2026", "layer:1")


@pytest.mark.req("O2")
@pytest.mark.parametrize(
    ("typed", "closes"),
    [
        ("2018-12-05T12:00", "2018-12-05T11:00:00Z"),
        ("2018-12-05T12:00Z", "2018-12-05T12:00:00Z"),
        ("2018-12-05T12:00+11:00", "2018-12-05T01:00:00Z"),
        ("2018-12-05 12:00:30-03:30", "2018-12-05T15:30:30Z"),
    ],
)
def test_times_are_taken_as_given_and_said_back(stack: OperatedStack, typed: str, closes: str) -> None:
    result = stack.run("election", "close", "--at", typed, "--reason", "bureau", "--json")
    assert json.loads(result.stdout)["closes_early_at"] == closes
    assert f"({closes[:16]}Z)" in result.stderr
    assert "in Europe/Paris" in result.stderr


@pytest.mark.req("O2")
@pytest.mark.parametrize("typed", ["2018-12-05", "20181205", "2018-W49-3", "tomorrow", "12:00", "2018-12-05T25:00"])
def test_a_time_that_is_none_closes_nothing(stack: OperatedStack, typed: str) -> None:
    result = stack.run("election", "close", "--at", typed, "--reason", "bureau")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "2018-12-06T01:00Z" in result.stderr
    assert stack.items(stack.stack.control_table) == []


@pytest.mark.req("O2")
def test_an_hour_that_the_clocks_repeat_or_skip_needs_an_offset() -> None:
    paris = ZoneInfo("Europe/Paris")
    with pytest.raises(OperatorError, match=r"twice: give an offset, 2018-10-28T02:30\+02:00 or .*\+01:00"):
        moment("--at", "2018-10-28T02:30", paris)
    with pytest.raises(OperatorError, match="skip 2018-03-25 02:30"):
        moment("--at", "2018-03-25T02:30", paris)
    assert moment("--at", "2018-10-28T02:30+02:00", paris).astimezone(UTC).hour == 0


# ---------------------------------------------------------------- prolonging


def prolonged_file(folder: Path, **replaced: object) -> Path:
    windows = election_content("dijon-2018")["windows"]
    windows["voting"]["closes_at"] = windows["reissue"]["closes_at"] = "2018-12-08T17:00"
    return write_election(folder, "dijon-2018", windows=windows, **replaced)


class TestProlonging:
    """One act, with who and why; then the deploy of the same file."""

    @pytest.mark.req("O3")
    def test_from_record_to_deploy(self, stack: OperatedStack, tmp_path: Path) -> None:
        stack.run("election", "open", "--reason", "bureau")
        file = prolonged_file(tmp_path)
        result = self.prolong(stack, file)
        assert result.exit_code == 0, result.stderr
        assert "The ballot closes Saturday 2018-12-08 17:00 in Europe/Paris" in result.stderr
        assert "not prolonged yet" in result.stdout
        status, shown = stack.run_json("election", "status")
        assert (status, shown["recorded_close"]) == (1, "2018-12-08T16:00:00Z")
        assert shown["latest"]["change"] == "prolonged"
        assert shown["latest"]["reason"] == "2018-12-08T16:00:00Z outage of the night"
        assert shown["latest"]["operator"]
        stack.elections = file.parent
        with time_machine.travel(datetime(2018, 12, 7, tzinfo=UTC), tick=False):
            status, shown = stack.run_json("election", "status")
        assert (status, shown["reissues"]) == (0, "open")
        assert stack.run_json("register", "verify")[1]["faults"] == []

    @pytest.mark.req("O3")
    def test_again_records_nothing_twice(self, stack: OperatedStack, tmp_path: Path) -> None:
        file = prolonged_file(tmp_path)
        for _ in range(2):
            assert self.prolong(stack, file).exit_code == 0
        assert len(stack.items(stack.stack.register_table)) == 1

    @pytest.mark.req("O3")
    def test_a_deploy_that_nobody_recorded_is_told_and_can_be_recorded(
        self, stack: OperatedStack, tmp_path: Path
    ) -> None:
        stack.run("election", "open", "--reason", "bureau")
        file = prolonged_file(tmp_path)
        stack.elections = file.parent
        shown = stack.run("election", "status")
        assert (shown.exit_code, "nobody recorded why" in shown.stdout) == (1, True)
        assert stack.run("election", "open", "--reason", "again").exit_code == 1
        assert self.prolong(stack, file).exit_code == 0
        assert stack.run("election", "status").exit_code == 0

    @pytest.mark.req("O3")
    def test_a_stop_stays(self, stack: OperatedStack, tmp_path: Path) -> None:
        stack.run("election", "close", "--reason", "leak")
        assert self.prolong(stack, prolonged_file(tmp_path)).exit_code == 0
        assert stack.run_json("election", "status")[1]["reissues"] == "stopped"

    @pytest.mark.req("O3")
    @pytest.mark.parametrize(
        ("replaced", "at", "reason"),
        [
            ({"name": "Autre"}, DURING, "changes more than the two closes"),
            ({}, datetime(2018, 12, 6, 16, tzinfo=UTC), "a closed ballot is not prolonged"),
        ],
    )
    def test_what_is_no_prolongation(
        self, stack: OperatedStack, tmp_path: Path, replaced: dict[str, str], at: datetime, reason: str
    ) -> None:
        with time_machine.travel(at, tick=False):
            result = self.prolong(stack, prolonged_file(tmp_path, **replaced))
        assert (result.exit_code, reason in result.stderr) == (1, True)
        assert stack.items(stack.stack.register_table) == []

    @pytest.mark.req("O3")
    @pytest.mark.parametrize(
        ("voting", "reissue", "reason"),
        [
            (6, 6, "nothing to prolong"),
            (5, 5, "nothing to prolong"),
            (8, 6, "windows.reissue.closes_at is not later too"),
        ],
    )
    def test_both_closes_must_be_later(
        self, stack: OperatedStack, tmp_path: Path, voting: int, reissue: int, reason: str
    ) -> None:
        windows = election_content("dijon-2018")["windows"]
        windows["voting"]["closes_at"] = f"2018-12-0{voting}T17:00"
        windows["reissue"]["closes_at"] = f"2018-12-0{reissue}T17:00"
        result = self.prolong(stack, write_election(tmp_path, "dijon-2018", windows=windows))
        assert (result.exit_code, reason in result.stderr) == (1, True)

    @staticmethod
    def prolong(stack: OperatedStack, file: Path) -> Result:
        arguments = ["election", "prolong", str(file), "--stack", stack.stack.name, "--region", REGION]
        return CliRunner().invoke(app, [*arguments, "--reason", "outage of the night"])
