"""What keeps the register whole when two write at once: each of the two conditions, alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort.register import VOTER_ACTOR, Change, append_entry, read_chain
from reassort.tables import ConditionFailedError, read_partition, write_all
from reassort.voters import change_voter

if TYPE_CHECKING:
    from harness.service.world import Enrolled, World


@pytest.mark.req("R13", "I9")
def test_no_entry_is_written_over_another(world: World, claire: Enrolled) -> None:
    (issued,) = world.register(claire)
    entry = world.voter(claire).next_entry(Change.UNLOCKED, world.clock(), VOTER_ACTOR, generation=1)
    dynamodb, table = world.wire.operator.dynamodb, world.tables["RegisterTable"]
    write_all(dynamodb, [append_entry(table, entry)], token="first")
    other = world.voter(claire).next_entry(Change.FROZEN, world.clock(), VOTER_ACTOR, generation=1)
    with pytest.raises(ConditionFailedError) as refusal:
        write_all(dynamodb, [append_entry(table, other)], token="second")
    assert refusal.value.refused == {"register"}
    assert world.register(claire) == [issued, entry.to_item()]


@pytest.mark.req("R13", "I9")
def test_no_voter_is_changed_by_who_has_read_a_shorter_chain(world: World, claire: Enrolled) -> None:
    read = world.voter(claire)
    entry = read.next_entry(Change.UNLOCKED, world.clock(), VOTER_ACTOR, generation=1)
    dynamodb, table = world.wire.operator.dynamodb, world.tables["VotersTable"]
    write_all(dynamodb, [change_voter(table, read, entry, "", {}, clauses=())], token="first")
    with pytest.raises(ConditionFailedError) as refusal:
        write_all(dynamodb, [change_voter(table, read, entry, "", {}, clauses=())], token="second")
    assert refusal.value.refused == {"voter"}
    assert world.voter(claire).chain_length == entry.sequence


@pytest.mark.req("R13", "I9")
def test_a_change_is_written_with_the_place_and_the_hash_of_its_entry(world: World, claire: Enrolled) -> None:
    world.change_voter(claire, frozen_at=1)
    read = world.voter(claire)
    entry = read.next_entry(Change.UNFROZEN, world.clock(), VOTER_ACTOR, generation=1)
    change = change_voter(
        world.tables["VotersTable"], read, entry, "settled_at = :at", {":at": 7}, removals="frozen_at"
    )
    write_all(world.wire.operator.dynamodb, [change])
    changed = world.voter(claire)
    assert (changed.chain_length, changed.chain_head) == (entry.sequence, entry.hash)
    assert (changed.frozen_at, changed.settled_at) == (None, 7)


@pytest.mark.req("I9")
def test_a_chain_is_read_in_its_order_and_without_those_of_others(world: World, claire: Enrolled) -> None:
    world.enrol("paul.petit@ac-dijon.fr", "09E9900456DEF")
    dynamodb, table = world.wire.operator.dynamodb, world.tables["RegisterTable"]
    (issued,) = world.register(claire)
    entry = world.voter(claire).next_entry(Change.UNLOCKED, world.clock(), VOTER_ACTOR, generation=1)
    write_all(dynamodb, [append_entry(table, entry)])
    read = read_chain(dynamodb, table, claire.voter_id)
    assert [one.to_item() for one in read] == [issued, entry.to_item()]
    for after, expected in ((0, [1, 2]), (1, [2]), (2, [])):
        items = read_partition(dynamodb, table, {"voter_id": claire.voter_id}, after=("sequence", after))
        assert [item["sequence"] for item in items] == expected
