"""What `register verify` counts on a stack, and to whom it gives the chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.register import Entry, entry_from_item
from reassort.tables import to_wire
from reassort.voters import IdentifierStatus
from reassort_ops.register.check import Reconciliation, verify_register
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress

from harness.service.operated import stack_of
from tests.component.test_insider import Insider, faults

if TYPE_CHECKING:
    from datetime import datetime

    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, Enrolled, World

NEW, LATER = "claire.durand@u-bourgogne.fr", "claire.durand@ac-dijon.fr"


@pytest.fixture
def insider(world: World) -> Insider:
    """Somebody who may write every table."""
    return Insider(world)


def verified(
    world: World, since: datetime | None = None, taken: dict[str, list[Entry]] | None = None
) -> tuple[Reconciliation, int]:
    """Verify the register; return what was counted, and how many chains were told to be done."""
    done: list[int] = []
    found = verify_register(
        world.wire.dynamodb,
        stack_of(world),
        done.append,
        ({} if taken is None else taken).__setitem__,
        reissued_since=since or world.election.retention.deliveries_since(world.clock()),
    )
    return found, sum(done)


def move(world: World, operator: Operator, former_id: str, address: str) -> str:
    """Move a voter to another address, and return the pseudonym that they have then."""
    present = world.keyed_hash.voter_id(address)
    ChangeOfAddress(operator, world.election, world.keyed_hash).move(former_id, Arrival(present), "test")
    return present


@pytest.mark.req("I9", "I10")
def test_every_identifier_is_counted_by_what_became_of_it(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser, operator: Operator
) -> None:
    browser.reissue(claire.numen)
    assert world.vote(paul.identifier).status == 200
    frozen, removed, gone, moved = (
        world.enrol(f"{name}@ac-dijon.fr", f"09E990012{number}ABC") for number, name in enumerate("abcd", 4)
    )
    world.agent().act("freeze", frozen.email)
    for voter in (removed, gone):
        Leaving(operator, world.election).remove(voter.voter_id, "test")
    move(world, operator, moved.voter_id, NEW)
    taken: dict[str, list[Entry]] = {}
    with world.recorded() as calls:
        found, done = verified(world, taken=taken)
    assert found.equation == "issued 8 = active 2 + revoked 2 + used 1 + frozen 3"
    assert (found.voters, found.removed, found.entries, found.issued) == (6, 2, 13, 8)
    assert (found.balances, found.holds, found.faults) == (True, True, [])
    entries = [entry_from_item(item) for item in world.items("RegisterTable")]
    assert sorted(map(hash, entries)) == sorted(hash(entry) for chain in taken.values() for entry in chain)
    assert {voter_id: {entry.voter_id for entry in chain} for voter_id, chain in taken.items()} == {
        voter_id: {voter_id} for voter_id in taken
    }
    assert done == len(taken) == 7
    # Nobody is read a second time without need.
    assert not [call for call in calls if call.operation in {"GetItem", "Query"} and "VotersTable" in call.tables]


@pytest.mark.req("I9", "I10")
@pytest.mark.parametrize(
    ("issued", "active", "told", "holds"),
    [(3, 2, [], True), (3, 2, ["a fault"], False), (4, 2, [], False), (2, 2, [], False), (4, 2, ["a fault"], False)],
)
def test_a_register_holds_when_it_balances_and_has_no_fault(
    issued: int, active: int, told: list[str], holds: bool
) -> None:
    found = Reconciliation(issued=issued, faults=told)
    found.by_status |= {IdentifierStatus.ACTIVE: active, IdentifierStatus.USED: 1}
    assert found.balances == (issued == active + 1)
    assert found.holds == holds
    sign = "=" if issued == active + 1 else "≠"
    assert found.equation == f"issued {issued} {sign} active {active} + revoked 0 + used 1 + frozen 0"


@pytest.mark.req("I9")
def test_a_chain_that_is_broken_is_given_to_nobody(world: World, claire: Enrolled, paul: Enrolled) -> None:
    world.change_voter(claire, voted_at=1)
    taken: dict[str, list[Entry]] = {}
    found, done = verified(world, taken=taken)
    assert (list(taken), done, len(found.faults), found.holds) == ([paul.voter_id], 2, 1, False)


@pytest.mark.req("I9", "I10")
def test_entries_of_nobody_are_counted(world: World, claire: Enrolled, insider: Insider) -> None:
    for sequence in (1, 2):
        insider.put("RegisterTable", {"voter_id": "nobody", "sequence": sequence})
    assert faults(world) == ["the register holds 2 entries that belong to no voter's chain"]


@pytest.mark.req("S33", "I2")
def test_a_delivery_must_be_there_from_the_first_instant_on_that_it_is_kept(
    world: World, claire: Enrolled, browser: Browser, insider: Insider
) -> None:
    """Behind an entry of another kind, too."""
    world.agent().act("freeze", claire.email)
    world.agent().act("unfreeze", claire.email)
    reference = browser.reissue(claire.numen).json["reference"]
    key = to_wire({"delivery_id": reference})
    insider.dynamodb.delete_item(TableName=world.tables["DeliveriesTable"], Key=key)
    at = epoch_milliseconds(world.clock())
    told = f"voter {claire.voter_id}: entry 4 (reissued) has no delivery"
    assert verified(world, from_milliseconds(at))[0].faults == [told]
    assert verified(world, from_milliseconds(at + 1))[0].faults == []


@pytest.mark.req("O4", "S33")
@pytest.mark.parametrize("broken", ["first", "second"])
def test_of_two_moves_only_the_one_that_misses_a_side_is_named(
    world: World, claire: Enrolled, operator: Operator, broken: str
) -> None:
    present = move(world, operator, claire.voter_id, NEW)
    later = move(world, operator, present, LATER)
    lost = (claire.voter_id, 2) if broken == "first" else (later, 1)
    key = to_wire({"voter_id": lost[0], "sequence": lost[1]})
    operator.dynamodb.delete_item(TableName=world.tables["RegisterTable"], Key=key)
    told = (
        f"voter {present}: arrived from voter {claire.voter_id}, who has no such departure"
        if broken == "first"
        else f"voter {present}: departed to voter {later}, who has no such arrival"
    )
    sides = [fault for fault in faults(world) if "who has no such" in fault]
    assert sides == [told]


@pytest.mark.req("I9")
@pytest.mark.parametrize("harm", [{"actor": None}, {"change": "counted"}], ids=["an attribute", "a change"])
def test_what_is_no_entry_at_all_is_named(
    world: World, claire: Enrolled, insider: Insider, harm: dict[str, str | None]
) -> None:
    (entry,) = world.register(claire)
    item = {name: value for name, value in (entry | harm).items() if value is not None}
    insider.put("RegisterTable", item)
    assert f"voter {claire.voter_id}: entry 1 was altered" in faults(world)
