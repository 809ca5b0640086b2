"""`reassort election`, word for word: what it prints as text and as JSON, from which instant, and
what it asks on a terminal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from reassort.tables import to_wire
from reassort_ops.cli import app
from reassort_ops.commands import election as command
from typer.testing import CliRunner, Result

from harness.elections import FOLDER, election_content, read_election, write_election
from harness.engines.engine import REGION
from tests.unit.ops.conftest import answering_no

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

pytestmark = pytest.mark.req("O2")

DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
WINDOWS = read_election("dijon-2018").windows
DEPLOYED = [
    "reissues     2018-11-05 08:00 CET to 2018-12-06 17:00 CET  (deployed)",
    "voting       2018-11-29 08:00 CET to 2018-12-06 17:00 CET  (deployed)",
]
CLOSE = "2018-12-06T16:00:00Z"
# The name that moto's own credentials have.
BY = {"operator": "moto", "reason": "bureau"}


@pytest.fixture(autouse=True)
def _during() -> Iterator[None]:
    with time_machine.travel(DURING, tick=False):
        yield


def lines(stack: OperatedStack, *arguments: str, status: int = 0) -> list[str]:
    """Return what a command of the group prints."""
    result = stack.run("election", *arguments)
    assert result.exit_code == status, result.stderr
    return result.stdout.splitlines()


def test_each_act_shows_what_came_of_it(deployed: OperatedStack) -> None:
    open_now, stopped = "reassort (dijon-2018): reissues are open", "reassort (dijon-2018): reissues are stopped"
    reason = ("--reason", "bureau")
    assert lines(deployed, "status") == [open_now, *DEPLOYED]
    closed = "closed 2018-11-30 10:15 CET by moto: bureau"
    assert lines(deployed, "close", *reason) == lines(deployed, "status") == [stopped, *DEPLOYED, closed]
    opened = "opened 2018-11-30 10:15 CET by moto: bureau"
    assert lines(deployed, "open", *reason) == lines(deployed, "status") == [open_now, *DEPLOYED, opened]
    early = "closes early 2018-12-05 12:00 CET"
    until = "closed 2018-11-30 10:15 CET by moto: 2018-12-05T11:00:00Z bureau"
    at = ("--at", "2018-12-05T12:00")
    assert lines(deployed, "close", *at, *reason) == [open_now, *DEPLOYED, early, until]


def test_what_a_program_reads_is_whole(deployed: OperatedStack) -> None:
    shown: dict[str, Any] = {
        "stack": "reassort",
        "election": "dijon-2018",
        "reissues": "open",
        "windows": {
            "reissue": {"opens_at": "2018-11-05T07:00:00Z", "closes_at": CLOSE},
            "voting": {"opens_at": "2018-11-29T07:00:00Z", "closes_at": CLOSE},
        },
        "closes_early_at": None,
        "recorded_close": None,
        "latest": None,
        "differing": [],
    }
    assert deployed.run_json("election", "status") == (0, shown)
    shown["recorded_close"] = CLOSE
    shown["latest"] = {"at": "2018-11-30T09:15:00Z", "change": "opened", **BY}
    assert deployed.run_json("election", "open", "--reason", "bureau") == (0, shown)
    shown |= {"reissues": "stopped", "latest": {"at": "2018-11-30T09:15:00Z", "change": "closed", **BY}}
    assert deployed.run_json("election", "close", "--reason", "bureau") == (0, shown)


def test_a_close_of_the_window_itself_is_not_early(deployed: OperatedStack) -> None:
    at = ("--at", "2018-12-06T17:00", "--reason", "bureau")
    assert deployed.run_json("election", "close", *at)[1]["closes_early_at"] is None
    assert not any("closes early" in line for line in lines(deployed, "status"))


@pytest.mark.parametrize("recorded", [False, True], ids=["by the file alone", "by a record too"])
@pytest.mark.parametrize(
    ("instant", "state"),
    [
        (WINDOWS.reissue.opens_at - timedelta(milliseconds=1), "not open yet"),
        (WINDOWS.reissue.opens_at, "open"),
        (WINDOWS.reissue.closes_at - timedelta(milliseconds=1), "open"),
        (WINDOWS.reissue.closes_at, "closed"),
    ],
)
def test_the_state_changes_with_the_instant(
    deployed: OperatedStack, recorded: bool, instant: datetime, state: str
) -> None:
    if recorded:
        lines(deployed, "close", "--at", "2018-12-06T17:00", "--reason", "bureau")
    with time_machine.travel(instant, tick=False):
        assert deployed.run_json("election", "status")[1]["reissues"] == state


def test_items_that_say_something_else_are_named(deployed: OperatedStack) -> None:
    lines(deployed, "open", "--reason", "bureau")
    for key in ("control#07", "control#11"):
        deployed.dynamodb.delete_item(TableName=deployed.stack.control_table, Key=to_wire({"key": key}))
    said = "says something else than the record"
    assert lines(deployed, "status", status=1)[-2:] == [f"control#07 {said}", f"control#11 {said}"]


def prolong(stack: OperatedStack, folder: Path, *options: str) -> Result:
    """Prolong the ballot by two days."""
    place = ["--stack", stack.stack.name, "--region", REGION, "--reason", "outage"]
    return CliRunner().invoke(app, ["election", "prolong", str(two_days_later(folder, 8)), *place, *options])


def two_days_later(folder: Path, day: int) -> Path:
    """Write the election with both closes on a later day of December."""
    windows = election_content("dijon-2018")["windows"]
    windows["voting"]["closes_at"] = windows["reissue"]["closes_at"] = f"2018-12-{day:02}T17:00"
    return write_election(folder, "dijon-2018", windows=windows)


def test_a_close_that_is_not_the_deployed_one_is_told(deployed: OperatedStack, tmp_path: Path) -> None:
    lines(deployed, "open", "--reason", "bureau")
    said = "recorded close of the ballot: 2018-12-08 17:00 CET; deployed: 2018-12-06 17:00 CET"
    shown = prolong(deployed, tmp_path).stdout.splitlines()
    assert shown[-1] == f"{said}: not prolonged yet, build and deploy the election file with that close"
    deployed.elections = two_days_later(tmp_path, 10).parent
    said = "recorded close of the ballot: 2018-12-08 17:00 CET; deployed: 2018-12-10 17:00 CET"
    shown = lines(deployed, "status", status=1)
    assert shown[-1] == f"{said}: nobody recorded why; reassort election prolong would have"


def test_the_file_of_another_election_prolongs_nothing(deployed: OperatedStack) -> None:
    place = ["--stack", deployed.stack.name, "--region", REGION, "--reason", "outage", "--yes"]
    result = CliRunner().invoke(app, ["election", "prolong", str(FOLDER / "normandie-2026.yaml"), *place])
    said = f"{FOLDER / 'normandie-2026.yaml'} is the election normandie-2026, and reassort runs dijon-2018"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"reassort: {said}\n")
    assert deployed.items(deployed.stack.control_table) == []


class TestAsking:
    """What cannot be taken back at once is said back; on a terminal, somebody says yes."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The questions that were answered with no."""
        return answering_no(monkeypatch, command)

    def test_no_closes_nothing(self, deployed: OperatedStack, asked: list[str]) -> None:
        assert lines(deployed, "close", "--at", "2018-12-05T12:00", "--reason", "bureau", status=3) == []
        assert (asked, deployed.items(deployed.stack.control_table)) == (["Is that what you mean?"], [])

    def test_a_time_that_cannot_be_is_not_asked_about(self, deployed: OperatedStack, asked: list[str]) -> None:
        assert lines(deployed, "close", "--at", "2018-11-30T10:00", "--reason", "bureau", status=1) == []
        assert asked == []

    def test_no_prolongs_nothing(self, deployed: OperatedStack, asked: list[str], tmp_path: Path) -> None:
        assert prolong(deployed, tmp_path).exit_code == 3
        assert (asked, deployed.items(deployed.stack.control_table)) == (["Is that what you mean?"], [])

    @pytest.mark.usefixtures("asked")
    def test_yes_closes(self, deployed: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(command, "confirmed", lambda _: True)
        assert lines(deployed, "close", "--at", "2018-12-05T12:00", "--reason", "bureau")

    def test_who_has_said_yes_is_not_asked(self, deployed: OperatedStack, asked: list[str], tmp_path: Path) -> None:
        assert lines(deployed, "close", "--at", "2018-12-05T12:00", "--reason", "bureau", "--yes")
        assert prolong(deployed, tmp_path, "--yes").exit_code == 0
        assert asked == []

    def test_a_stop_at_once_does_not_ask(self, deployed: OperatedStack, asked: list[str]) -> None:
        assert lines(deployed, "close", "--reason", "bureau")
        assert asked == []
