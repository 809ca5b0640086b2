"""On a terminal: green where all is as it must be, red what somebody has to act on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import time_machine
from reassort.tables import to_wire
from reassort_ops.cli import app
from typer.testing import CliRunner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack, Screen

DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)


def test_whether_reissues_are_open(deployed: OperatedStack, screen: Screen) -> None:
    with time_machine.travel(DURING, tick=False):
        deployed.run("election", "status")
        deployed.run("election", "close", "--reason", "bureau")
    with time_machine.travel(datetime(2019, 1, 1, tzinfo=UTC), tick=False):
        deployed.run("election", "open", "--reason", "bureau")
    deployed.dynamodb.delete_item(TableName=deployed.stack.control_table, Key=to_wire({"key": "control#07"}))
    deployed.run("election", "status")
    assert [screen.colour(f"are {state}") for state in ("open", "stopped", "closed")] == ["green", "red", ""]
    assert screen.colour("something else") == "red"


def test_what_a_register_is_worth(enrolled: OperatedStack, screen: Screen, tmp_path: Path) -> None:
    file, key = tmp_path / "register.jsonl", tmp_path / "register.jsonl.pub.pem"
    enrolled.run("register", "export", "--output", file)
    offline = ["register", "verify", str(file), "--key", str(key)]
    CliRunner().invoke(app, offline)
    assert screen.colour(f"{file}: verified") == "green"
    file.write_bytes(file.read_bytes().replace(b'"issued"', b'"voted"', 1))
    CliRunner().invoke(app, offline)
    assert [screen.colour(part) for part in ("first broken", "NOT VERIFIED")] == ["red", "red"]


def test_whether_votes_agree(enrolled: OperatedStack, screen: Screen, tmp_path: Path) -> None:
    held = tmp_path / "platform.csv"
    reconcile = ("platform", "reconcile", held, "--output", tmp_path / "differences.csv")
    held.write_text("handle;status\n", "utf-8")
    with time_machine.travel(DURING, tick=False):
        enrolled.run(*reconcile)
    assert [screen.colour(part) for part in ("Reconciled", "the ballot is open")] == ["green", "yellow"]
    held.write_text(f"handle;status\n{'A' * 22};used\n{'B' * 21}A;active\n", "utf-8")
    enrolled.run(*reconcile)
    found = ("NOT reconciled", "1 vote-with-an-unknown-identifier", "1 identifier-of-another-stack")
    assert [screen.colour(part) for part in found] == ["red", "red", ""]
