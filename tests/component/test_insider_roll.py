"""What an insider could do to the roll who may write the tables: each is found and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.register import Change
from reassort.tables import to_wire
from reassort_ops.register import check
from reassort_ops.register.chains import read_chains
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress

from tests.component.test_insider import Insider, faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reassort_ops.account.operator import Operator
    from reassort_ops.register.chains import Chain

    from harness.service.world import Enrolled, World

NEW = "claire.durand@u-bourgogne.fr"


@pytest.fixture
def insider(world: World) -> Insider:
    """Somebody who may write every table."""
    return Insider(world)


def moved_to(world: World, operator: Operator, voter: Enrolled) -> str:
    """Move a voter, and return the pseudonym that they have then."""
    present = world.keyed_hash.voter_id(NEW)
    ChangeOfAddress(operator, world.election, world.keyed_hash).move(voter.voter_id, Arrival(present), "test")
    return present


@pytest.mark.req("O4", "S33")
def test_a_second_voter_with_the_numen_of_another_is_named(world: World, claire: Enrolled) -> None:
    twin = world.enrol(NEW, claire.numen)
    (fault,) = faults(world)
    assert fault == f"voter {claire.voter_id}: the NUMEN is kept for voter {twin.voter_id}"


@pytest.mark.req("O4", "S33")
def test_a_numen_that_was_freed_is_named(world: World, claire: Enrolled, insider: Insider) -> None:
    key = {"numen_hash": world.voter(claire).numen_hash}
    insider.dynamodb.delete_item(TableName=world.tables["NumensTable"], Key=to_wire(key))
    assert faults(world) == [f"voter {claire.voter_id}: the NUMEN is kept for nobody"]


@pytest.mark.req("O4", "S33")
def test_a_voter_who_is_brought_back_beside_the_new_one_is_named(
    world: World, claire: Enrolled, operator: Operator, insider: Insider
) -> None:
    moved_to(world, operator, claire)
    insider.forget(claire, "left_at")
    insider.forget(claire, "moved_to")
    (fault,) = faults(world)
    assert fault.startswith(f"voter {claire.voter_id}: the voter's identifier is active")


@pytest.mark.req("O4", "S33")
def test_an_arrival_from_a_voter_who_never_left_is_named(
    world: World, claire: Enrolled, paul: Enrolled, operator: Operator, insider: Insider
) -> None:
    """A second identifier for a person who keeps the first."""
    chosen = generate_identifier(world.election.identifier)
    hashed = world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(chosen))
    present = world.keyed_hash.voter_id(NEW)
    known = world.engine.get("VotersTable", {"voter_id": claire.voter_id})
    assert known
    item = {**known, "voter_id": present}
    entry = world.voter(claire).next_entry(Change.ARRIVED, world.clock(), "anne", generation=1)
    arrived = type(entry)(
        **{
            **{name: getattr(entry, name) for name in ("change", "generation", "at", "actor")},
            "voter_id": present,
            "sequence": 1,
            "reference": f"{claire.voter_id} test",
            "previous": "0" * 64,
            "identifier_hash": hashed,
            "numen_hash": world.voter(claire).numen_hash,
        }
    )
    insider.put("RegisterTable", arrived.to_item())
    insider.put("VotersTable", {**item, "chain_head": arrived.hash, "chain_length": 1})
    insider.put("IdentifiersTable", {"identifier_hash": hashed, "voter_id": present, "generation": 1})
    found = faults(world)
    assert f"voter {present}: the NUMEN is kept for voter {claire.voter_id}" in found
    assert f"voter {present}: arrived from voter {claire.voter_id}, who has no such departure" in found


@pytest.mark.req("O5", "S33")
@pytest.mark.parametrize("act", ["removed", "restored"])
def test_a_standing_that_was_changed_without_an_entry_is_named(
    world: World, claire: Enrolled, operator: Operator, insider: Insider, act: str
) -> None:
    if act == "removed":
        world.change_voter(claire, left_at=1)
    else:
        Leaving(operator, world.election).remove(claire.voter_id, "test")
        insider.forget(claire, "left_at")
    (fault,) = faults(world)
    assert fault.startswith(f"voter {claire.voter_id}: the voter's identifier is ")


@pytest.mark.req("O5", "S33")
def test_a_removal_that_is_hidden_by_a_freeze_is_named(world: World, claire: Enrolled, operator: Operator) -> None:
    world.agent().act("freeze", claire.email)
    world.change_voter(claire, left_at=1)
    told = "the voter is on the roll, or off it, without an entry"
    assert faults(world) == [f"voter {claire.voter_id}: {told}"]


@pytest.mark.req("O4", "S33")
@pytest.mark.parametrize("when", ["between the chains", "before the first"])
def test_a_move_while_it_is_verified_is_no_fault(
    world: World, claire: Enrolled, paul: Enrolled, operator: Operator, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def read_around(*arguments: Any) -> Iterator[Chain]:
        if when == "before the first":
            moved_to(world, operator, claire)
        for chain in list(read_chains(*arguments)):
            yield chain
            if when == "between the chains" and world.voter(claire).left_at is None:
                moved_to(world, operator, claire)

    monkeypatch.setattr(check, "read_chains", read_around)
    assert faults(world) == []
