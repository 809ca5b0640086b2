"""`reassort register verify`: whatever was done to the register is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort.tables import to_wire

from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

EMAIL = row(1).email


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path) -> OperatedStack:
    """A stack with five voters."""
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(5))).exit_code == 0
    return deployed


@pytest.mark.req("I9", "I10")
def test_a_register_that_holds(enrolled: OperatedStack) -> None:
    enrolled.run("voter", "freeze", EMAIL, "--reason", "x")
    status, content = enrolled.run_json("register", "verify")
    assert status == 0
    assert {name: content[name] for name in ("voters", "entries", "issued", "active", "frozen", "faults")} == {
        "voters": 5,
        "entries": 6,
        "issued": 5,
        "active": 4,
        "frozen": 1,
        "faults": [],
    }
    assert "issued 5 = active 4 + revoked 0 + used 0 + frozen 1" in enrolled.run("register", "verify").stdout


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ({":actor": "somebody"}, "entry 1 was altered"),
        (None, "entry 1 is missing"),
    ],
)
def test_the_first_broken_entry_is_named(enrolled: OperatedStack, tampering: dict[str, str] | None, fault: str) -> None:
    voter_id = enrolled.keyed_hash.voter_id(EMAIL)
    key = to_wire({"voter_id": voter_id, "sequence": 1})
    if tampering is None:
        enrolled.dynamodb.delete_item(TableName=enrolled.stack.register_table, Key=key)
    else:
        enrolled.dynamodb.update_item(
            TableName=enrolled.stack.register_table,
            Key=key,
            UpdateExpression="SET actor = :actor",
            ExpressionAttributeValues=to_wire(tampering),
        )
    status, content = enrolled.run_json("register", "verify")
    assert status == 1
    assert content["faults"][0] == f"voter {voter_id}: {fault}"


def test_an_entry_or_an_identifier_too_many_is_found(enrolled: OperatedStack) -> None:
    enrolled.dynamodb.put_item(
        TableName=enrolled.stack.register_table, Item=to_wire({"voter_id": "nobody", "sequence": 1})
    )
    enrolled.dynamodb.put_item(
        TableName=enrolled.stack.identifiers_table, Item=to_wire({"identifier_hash": "x", "voter_id": "nobody"})
    )
    status, content = enrolled.run_json("register", "verify")
    assert status == 1
    assert content["faults"] == [
        "the register holds 1 entries that belong to no voter's chain",
        "voter nobody: the registry knows an identifier n° None that no entry issued",
    ]


def test_a_generation_that_the_register_does_not_know_is_found(enrolled: OperatedStack) -> None:
    enrolled.dynamodb.update_item(
        TableName=enrolled.stack.voters_table,
        Key={"voter_id": {"S": enrolled.keyed_hash.voter_id(EMAIL)}},
        UpdateExpression="SET issued_at = list_append(issued_at, :at)",
        ExpressionAttributeValues=to_wire({":at": [1]}),
    )
    result = enrolled.run("register", "verify")
    assert result.exit_code == 1
    assert "1 identifiers are in the register, the voter has 2" in result.stdout
    assert "issued 5 ≠ active 5 + revoked 1" in result.stdout
