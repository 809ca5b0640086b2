"""`reassort election`: what it shows, in every state, and what the register keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import time_machine
from reassort.tables import to_wire

from harness.elections import read_election

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
    # What the same command writes anew.
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
