"""The chains of the helpdesk's record, as an operator reads them: where each ends, and the first
entry that is not what it was.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from reassort.register import GENESIS, canonical
from reassort.tables import to_wire
from reassort_ops.register.helpdesk_chains import HelpdeskChains, heads_path, read_helpdesk_chains

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.service.world import Enrolled, World

type Harm = Callable[[World, int], None]
TABLE = "HelpdeskRecordTable"
ENTRIES = 3


@pytest.fixture
def recorded(world: World, claire: Enrolled) -> World:
    """A world in which Anne has three entries, and Marie one."""
    anne = world.agent("anne")
    anne.look(claire.email)
    anne.act("freeze", claire.email)
    anne.look(claire.email)
    world.agent("marie").look(claire.email)
    return world


def read(world: World) -> HelpdeskChains:
    """Read the record as it is."""
    return read_helpdesk_chains(world.wire.operator.dynamodb, world.tables[TABLE])


def entry(world: World, sequence: int) -> dict[str, Any]:
    """Return an item of Anne's chain."""
    found = world.engine.get(TABLE, {"agent": "anne", "sequence": sequence})
    assert found is not None
    return found


def remove(world: World, sequence: int) -> None:
    """Delete an item of Anne's chain."""
    key = to_wire({"agent": "anne", "sequence": sequence})
    world.wire.operator.dynamodb.delete_item(TableName=world.tables[TABLE], Key=key)


def alter(world: World, sequence: int) -> None:
    """Change an entry of Anne's under the hash that it had."""
    world.engine.put(TABLE, {**entry(world, sequence), "reason": "another"})


def replace(world: World, sequence: int) -> None:
    """Put another entry instead of one of Anne's, with a hash that fits it."""
    content = {name: value for name, value in entry(world, sequence).items() if name != "hash"} | {"reason": "another"}
    world.engine.put(TABLE, {**content, "hash": sha256(canonical(content)).hexdigest()})


@pytest.mark.req("S34", "H5")
def test_the_ends_are_told_agent_by_agent(recorded: World) -> None:
    found = read(recorded)
    assert found.faults == []
    assert found.heads.endswith(b"\n")
    ends = [json.loads(line) for line in found.heads.splitlines()]
    assert [(end["agent"], end["length"]) for end in ends] == [("anne", ENTRIES), ("marie", 1)]
    assert ends[0]["hash"] == entry(recorded, ENTRIES)["hash"]
    assert [set(end) for end in ends] == [{"agent", "hash", "length"}] * 2


@pytest.mark.req("S34", "H5")
@pytest.mark.parametrize(
    ("harm", "told"),
    {
        "the first entry is altered": ([(alter, 1)], "entry 1 was altered"),
        "an entry is altered": ([(alter, 2)], "entry 2 was altered"),
        "the last entry is altered": ([(alter, 3)], "entry 3 was altered"),
        "the first entry is removed": ([(remove, 1)], "entry 1 was removed or replaced"),
        "an entry is removed": ([(remove, 2)], "entry 2 was removed or replaced"),
        "the last entry is removed": ([(remove, 3)], "entry 3 was removed or replaced"),
        "an entry is replaced": ([(replace, 2)], "entry 3 was removed or replaced"),
        "the last entry is replaced": ([(replace, 3)], "entry 3 was removed or replaced"),
        "the end is removed": ([(remove, 0)], "the end of the chain was removed"),
        "the first and the last": ([(alter, 1), (remove, 3)], "entry 1 was altered"),
        "the first and the next": ([(alter, 1), (remove, 2)], "entry 1 was altered"),
    }.values(),
)
def test_the_first_entry_that_is_not_what_it_was_is_named(
    recorded: World, harm: list[tuple[Harm, int]], told: str
) -> None:
    for act, sequence in harm:
        act(recorded, sequence)
    assert read(recorded).faults == [f"helpdesk's record, anne: {told}"]


@pytest.mark.req("S34", "H5")
def test_each_agent_whose_chain_is_broken_is_named(recorded: World) -> None:
    remove(recorded, 0)
    marie = recorded.engine.get(TABLE, {"agent": "marie", "sequence": 1})
    recorded.engine.put(TABLE, {**(marie or {}), "reason": "another"})
    assert read(recorded).faults == [
        "helpdesk's record, anne: the end of the chain was removed",
        "helpdesk's record, marie: entry 1 was altered",
    ]


@pytest.mark.req("S34", "H5")
@pytest.mark.parametrize("harm", [alter, replace])
def test_what_was_written_since_the_end_was_read_is_not_looked_at(recorded: World, harm: Harm) -> None:
    harm(recorded, ENTRIES)
    end = entry(recorded, 0)
    before = {"chain_length": ENTRIES - 1, "chain_head": entry(recorded, ENTRIES - 1)["hash"]}
    recorded.engine.put(TABLE, {**end, **before})
    assert read(recorded).faults == []


@pytest.mark.req("S34", "H5")
def test_what_is_beside_the_chains_is_none(recorded: World, claire: Enrolled) -> None:
    assert any(item["agent"].startswith("#") for item in recorded.items(TABLE))
    assert read(recorded).heads.count(b"\n") == 2


@pytest.mark.req("S34", "H5")
def test_a_record_of_nobody_has_no_end(world: World) -> None:
    assert read(world) == HelpdeskChains()


@pytest.mark.req("S34", "H5")
def test_an_end_before_the_first_entry_is_an_end(world: World) -> None:
    world.engine.put(TABLE, {"agent": "anne", "sequence": 0, "chain_length": 0, "chain_head": GENESIS})
    found = read(world)
    assert found.faults == []
    assert json.loads(found.heads) == {"agent": "anne", "hash": GENESIS, "length": 0}


@pytest.mark.req("S34", "H5")
def test_the_ends_lie_beside_the_export_under_its_name(tmp_path: Path) -> None:
    assert heads_path(tmp_path / "register.jsonl") == tmp_path / "register.jsonl.helpdesk.jsonl"
