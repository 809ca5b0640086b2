"""`reassort voter reissue`: who may have it, what is written, and what the operator sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import time_machine
from reassort.caller_codes import current_code
from reassort.tables import to_wire

from tests.register_chain import broken_links
from tests.unit.ops.rolls import row, rows, write_roll
from tests.unit.ops.test_helpdesk import EMAIL, chain, lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AFTER = datetime(2018, 12, 6, 16, 0, tzinfo=UTC)


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path) -> Iterator[OperatedStack]:
    with time_machine.travel(DURING, tick=False):
        assert deployed.run("roll", "import", write_roll(tmp_path, rows(2))).exit_code == 0
        yield deployed


def mark(deployed: OperatedStack, attribute: str) -> None:
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key={"voter_id": {"S": deployed.keyed_hash.voter_id(EMAIL)}},
        UpdateExpression=f"SET {attribute} = :at",
        ExpressionAttributeValues=to_wire({":at": 1}),
    )


@pytest.mark.req("S26", "I9")
def test_next_identifier_is_issued_and_the_register_names_operator_and_reason(enrolled: OperatedStack) -> None:
    lock(enrolled, 10)
    status, issued = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "identité vérifiée")
    assert status == 0
    assert set(issued) == {"voter_id", "reference", "generation", "destination", "operator", "caller_verified"}
    assert (issued["generation"], issued["destination"]) == (2, "p•••@ac-dijon.fr")
    voter = enrolled.voter(EMAIL)
    assert (voter["generation"], voter["numen_failures"]) == (2, 0)
    entries = chain(enrolled)
    assert broken_links(entries) == []
    assert (entries[-1]["change"], entries[-1]["actor"]) == ("reissued", issued["operator"])
    assert entries[-1]["reference"] == f"{issued['reference']} identité vérifiée"
    (delivery,) = enrolled.items(enrolled.stack.deliveries_table)
    assert delivery["delivery_id"] == issued["reference"]
    assert delivery["destinations"] == {"email": "p•••@ac-dijon.fr"}
    assert enrolled.run_json("register", "verify")[0] == 0


@pytest.mark.req("S26", "I9")
def test_register_says_that_the_caller_read_the_code_of_the_site(enrolled: OperatedStack) -> None:
    voter_id = enrolled.keyed_hash.voter_id(EMAIL)
    code = current_code(enrolled.keyed_hash, voter_id, DURING, 15).code
    with_code = ("--caller-code", code, "--reason", "pas de téléphone")
    status, issued = enrolled.run_json("voter", "reissue", EMAIL, *with_code)
    assert (status, issued["caller_verified"]) == (0, True)
    last = chain(enrolled)[-1]
    assert (last["change"], last["actor"]) == ("reissued", issued["operator"])
    assert last["reference"] == f"{issued['reference']} pas de téléphone (appelant vérifié)"


@pytest.mark.req("S26", "I7")
def test_operator_sees_neither_identifier_nor_address(enrolled: OperatedStack) -> None:
    before = {item["identifier_hash"] for item in enrolled.items(enrolled.stack.identifiers_table)}
    result = enrolled.run("voter", "reissue", EMAIL, "--reason", "pas de téléphone")
    assert result.exit_code == 0
    assert "reissue n° 2 is on its way" in result.stdout
    (new,) = {item["identifier_hash"] for item in enrolled.items(enrolled.stack.identifiers_table)} - before
    one = row(1)
    for secret in (one.email, one.numen, one.identifier, new):
        assert secret not in result.stdout + result.stderr
    # Nor does the delivery hold them in the clear: only the role of delivery opens what is sealed.
    kept = json.dumps(enrolled.items(enrolled.stack.deliveries_table), default=lambda value: f"{len(value)} bytes")
    assert one.email not in kept


@pytest.mark.req("S26")
def test_who_has_voted_has_none(enrolled: OperatedStack) -> None:
    mark(enrolled, "voted_at")
    before = enrolled.everything()
    result = enrolled.run("voter", "reissue", EMAIL, "--reason", "x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the voter has voted" in result.stderr
    assert enrolled.everything() == before


@pytest.mark.req("S35")
def test_who_is_frozen_gets_the_next_one_and_is_no_longer_frozen(enrolled: OperatedStack) -> None:
    mark(enrolled, "frozen_at")
    _, done = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "boîte de nouveau sûre")
    assert done["generation"] == 2
    assert "frozen_at" not in enrolled.voter(EMAIL)


@pytest.mark.req("S26")
def test_nothing_is_issued_after_the_window(enrolled: OperatedStack) -> None:
    before = enrolled.everything()
    with time_machine.travel(AFTER, tick=False):
        result = enrolled.run("voter", "reissue", EMAIL, "--reason", "x")
    assert (result.exit_code, "not reissued now" in result.stderr) == (1, True)
    assert enrolled.everything() == before


def test_second_one_supersedes_the_first(enrolled: OperatedStack) -> None:
    _, first = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "x")
    _, second = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "y")
    assert (first["generation"], second["generation"]) == (2, 3)
    deliveries = {item["delivery_id"]: item for item in enrolled.items(enrolled.stack.deliveries_table)}
    assert "superseded_at" in deliveries[first["reference"]]
    assert "superseded_at" not in deliveries[second["reference"]]
