"""What lies in another kind's table is never sent: who may write there may not put that kind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort.outbox import Channel, code_delivery_item, reissue_delivery_item
from reassort.sealing import Sealer

from harness.engines.template import OUTBOX

if TYPE_CHECKING:
    from harness.service.world import Enrolled, World

pytestmark = pytest.mark.req("S28")
_CODE, _REFERENCE = "code-Hd7kWm3pZt9vRc2xNb6yQs", "7K3M9-QWX2T"


def _sealer(world: World) -> Sealer:
    return Sealer(world.wire.operator.kms, world.encryption_key)


def _reissue(world: World, voter: Enrolled, delivery_id: str) -> dict[str, Any]:
    said = {"identifier": voter.identifier, "dispute": "x", "phone": "+33612345678"}
    return reissue_delivery_item(
        reference=delivery_id,
        voter_id=voter.voter_id,
        generation=1,
        channel=Channel.SMS,
        destinations={Channel.SMS: "•• •• •• 56 78", Channel.EMAIL: "c•••@ac-dijon.fr"},
        phone_hash="phone",
        address=_sealer(world).seal_address(voter.voter_id, voter.email),
        payload=_sealer(world).seal_payload(delivery_id, said),
        request_hash="request",
        now=world.clock(),
        retention=world.election.retention,
    )


def _code(world: World, voter: Enrolled, delivery_id: str) -> dict[str, Any]:
    return code_delivery_item(
        delivery_id=delivery_id,
        voter_id=voter.voter_id,
        address=_sealer(world).seal_address(voter.voter_id, voter.email),
        payload=_sealer(world).seal_payload(delivery_id, {"code": "123456"}),
        source="network",
        now=world.clock(),
        lifetime=timedelta(minutes=10),
    )


def _put(world: World, item: dict[str, Any]) -> None:
    world.engine.put(OUTBOX.of(item["delivery_id"]), item)
    # The engine's own writes wake nobody: the sweeper brings it.
    world.run_for(minutes=5)


def _left(world: World, delivery_id: str) -> set[str]:
    return {"payload", "address", "due_shard", "due_at", "wake"} & set(world.delivery_item(delivery_id))


def _ends(world: World, delivery_id: str) -> set[tuple[str, str]]:
    """Return how each message of a delivery ended, and why."""
    return {(state["status"], state["reason"]) for state in world.delivery_item(delivery_id)["messages"].values()}


def test_each_kind_is_sent_from_its_own_table(world: World, claire: Enrolled) -> None:
    _put(world, _reissue(world, claire, _REFERENCE))
    assert (len(world.sms), len(world.emails)) == (1, 1)
    _put(world, _code(world, claire, _CODE))
    assert len(world.emails) == 2


def test_a_reissue_among_codes_is_not_sent_and_is_erased(world: World, claire: Enrolled) -> None:
    _put(world, _reissue(world, claire, _CODE))
    assert world.sms + world.emails == []
    assert _left(world, _CODE) == set()
    assert _ends(world, _CODE) == {("failed", "internal")}
    assert [line["delivery"] for line in world.log_lines if "another kind" in line.get("message", "")] == [_CODE]


def test_a_code_that_brings_an_identifier_is_not_sent(world: World, claire: Enrolled) -> None:
    _put(world, _reissue(world, claire, _CODE) | {"kind": "code"})
    assert world.sms + world.emails == []
    assert _left(world, _CODE) == set()


@pytest.mark.parametrize("on_the_roll", [True, False])
def test_a_code_among_reissues_as_before_an_update_ends_unsent(
    world: World, claire: Enrolled, on_the_roll: bool
) -> None:
    owner = {} if on_the_roll else {"voter_id": "q0Zk3mTn8yVb5sWc1xLd7A"}
    _put(world, _code(world, claire, "Hd7kWm3pZt9vRc2xNb6yQs") | owner)
    assert world.sms + world.emails == []
    assert _left(world, "Hd7kWm3pZt9vRc2xNb6yQs") == set()
    assert _ends(world, "Hd7kWm3pZt9vRc2xNb6yQs") == {("failed", "code-expired")}


def test_what_is_deleted_meanwhile_is_over(world: World, claire: Enrolled) -> None:
    def delete() -> None:
        key = {"delivery_id": {"S": _CODE}}
        world.wire.operator.dynamodb.delete_item(TableName=world.tables[OUTBOX.of(_CODE)], Key=key)

    world.interleave("UpdateItem", delete)
    _put(world, _reissue(world, claire, _CODE))
    assert world.items(OUTBOX.of(_CODE)) == []
    assert world.queued_bodies() == []
