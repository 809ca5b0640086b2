"""What one sweep takes: so much of each shard, ten to a call, and all of it by the next sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.table_keys import DUE_SHARDS, ERASE_SHARDS

if TYPE_CHECKING:
    from harness.service.world import World

TAKEN = 3


@pytest.fixture(autouse=True)
def _small_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify.sweeper._SWEEP_LIMIT", TAKEN)


def _put(world: World, shard: str, number: int, **attributes: Any) -> list[str]:
    """Put deliveries that have been due for a second."""
    at = epoch_milliseconds(world.clock())
    item = {"kind": "reissue", "channel": "sms", "queued_at": at, "due_at": at - 1000, "due_shard": shard}
    ids = [f"{shard}-{position}" for position in range(number)]
    for delivery_id in ids:
        world.engine.put("DeliveriesTable", {"delivery_id": delivery_id, **item, **attributes})
    return ids


@pytest.mark.req("R4")
@pytest.mark.parametrize("shards", [DUE_SHARDS, ERASE_SHARDS], ids=["to be sent", "to be erased"])
def test_one_sweep_takes_so_much_of_each_shard(world: World, shards: tuple[str, ...]) -> None:
    ids = [delivery_id for shard in shards[:2] for delivery_id in _put(world, shard, TAKEN + 2)]
    with world.recorded() as calls:
        assert world.sweep() == 2 * TAKEN
    assert len(world.queued_bodies()) == 2 * TAKEN
    assert all(any(delivery_id in body for delivery_id in ids) for body in world.queued_bodies())
    (told,) = [line for line in world.log_lines if line.get("message") == "overdue deliveries queued"]
    assert told["count"] == 2 * TAKEN
    assert [call.operation for call in calls].count("SendMessageBatch") == 1


@pytest.mark.req("R4")
def test_what_is_not_due_takes_nobodys_place(world: World) -> None:
    at = epoch_milliseconds(world.clock())
    _put(world, DUE_SHARDS[0], TAKEN)
    _put(world, DUE_SHARDS[1], TAKEN, due_at=at + 1)
    assert world.sweep() == TAKEN
    assert world.metrics("OldestOverdue") == [1]


@pytest.mark.req("R4")
def test_ten_at_most_go_into_the_queue_in_one_call(world: World) -> None:
    ids = [delivery_id for shard in DUE_SHARDS[:4] for delivery_id in _put(world, shard, TAKEN)]
    with world.recorded() as calls:
        assert world.sweep() == len(ids) == 12
    sizes = [len(call.parameters["Entries"]) for call in calls if call.operation == "SendMessageBatch"]
    assert max(sizes) <= 10
    assert sum(sizes) == len(set(world.queued_bodies())) == 12
