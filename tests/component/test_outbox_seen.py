"""The outbox and the dead letters as an operator sees them, and what goes back to the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.outbox import OVERDUE_AFTER, Kind
from reassort.table_keys import DUE_SHARDS
from reassort_ops.account.stack import Stack
from reassort_ops.deliveries import Waiting, dead_letters, redrive, waiting

from harness.service.operated import stack_on

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from harness.service.world import World

OVERDUE_MILLISECONDS = int(OVERDUE_AFTER.total_seconds() * 1000)
IN_HAND_SECONDS = 60


@pytest.fixture
def stack(world: World) -> Stack:
    """The stack that the world would be, with its queues."""
    queues = {"RetryQueueUrl": world.retry_queue, "DeadLetterQueueUrl": world.dead_letter_queue}
    return stack_on({**world.tables, **queues}, world.election.id)


@pytest.fixture
def sqs(world: World) -> SQSClient:
    """Who reads and writes the queues."""
    return world.wire.operator.sqs


def put(sqs: SQSClient, queue: str, *bodies: object) -> None:
    """Send messages."""
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body if isinstance(body, str) else json.dumps(body))


@pytest.mark.req("I2", "R4")
def test_all_that_waits_is_found_in_either_table_and_every_shard(world: World, stack: Stack) -> None:
    """Of a code that was queued before the service said when, the time when it is due is known."""
    item = {"voter_id": "a", "kind": "reissue", "channel": "sms", "due_at": 3000}
    for number, shard in enumerate(DUE_SHARDS):
        name = f"reissue-{99 - number}"
        world.engine.put("DeliveriesTable", {**item, "delivery_id": name, "due_shard": shard, "queued_at": 2000})
    code = {"delivery_id": "code", "voter_id": "a", "kind": "code", "due_shard": DUE_SHARDS[-1], "due_at": 1000}
    world.engine.put("CodeDeliveriesTable", code)
    world.engine.put("DeliveriesTable", {**item, "delivery_id": "first", "due_shard": DUE_SHARDS[0], "queued_at": 500})
    world.engine.put("DeliveriesTable", {"delivery_id": "sent", "voter_id": "a", "kind": "reissue"})
    assert waiting(world.wire.operator.dynamodb, stack) == [
        Waiting("first", Kind.REISSUE, "sms", 500, 3000),
        Waiting("code", Kind.CODE, "email", 1000, 1000),
        *(
            Waiting(f"reissue-{99 - number}", Kind.REISSUE, "sms", 2000, 3000)
            for number in reversed(range(len(DUE_SHARDS)))
        ),
    ]


@pytest.mark.req("R4")
def test_it_waits_since_it_was_queued_and_is_overdue_some_time_after_it_was_due(world: World) -> None:
    now = epoch_milliseconds(world.clock())
    one = Waiting("a", Kind.CODE, "email", now - 2500, now - OVERDUE_MILLISECONDS)
    assert (one.waited(now), one.waited(now - 3000), one.waited(now - 2500 + 999)) == (2, 0, 0)
    assert (one.is_overdue(now), one.is_overdue(now + 1)) == (False, True)


@pytest.mark.req("R14")
def test_dead_letters_go_back_with_their_turns_counted_afresh(world: World, stack: Stack, sqs: SQSClient) -> None:
    names = [f"delivery-{number}" for number in range(11)]
    put(sqs, stack.dead_letter_queue, *({"delivery_id": name, "turns": 96, "tries": 2} for name in names))
    put(sqs, stack.dead_letter_queue, {"receipt": {"outcome": "delivered"}, "turns": 96})
    strange: tuple[object, ...] = (
        "no JSON",
        [],
        {"DDBStreamBatchInfo": {}},
        {"delivery_id": 5},
        {"receipt": "delivered"},
    )
    put(sqs, stack.dead_letter_queue, *strange)
    assert dead_letters(sqs, stack) == 17
    told: list[float] = []
    done = redrive(sqs, stack, told.append)
    assert (done.sent_back, done.left, sum(told)) == (12, 5, 17)
    back = [json.loads(body) for body in world.engine.queued_bodies(stack.retry_queue)]
    assert sorted(body["delivery_id"] for body in back if "delivery_id" in body) == sorted(names)
    assert all(body["tries"] == 2 for body in back if "delivery_id" in body)
    assert {"receipt": {"outcome": "delivered"}} in back
    assert not any("turns" in body for body in back)
    left = world.engine.queued_bodies(stack.dead_letter_queue)
    assert sorted(left) == sorted(one if isinstance(one, str) else json.dumps(one) for one in strange)
    world.clock.move(seconds=IN_HAND_SECONDS + 1)
    again = redrive(sqs, stack, told.append)
    assert (again.sent_back, again.left) == (0, 5)


@pytest.mark.req("R14")
def test_each_is_sent_back_before_it_is_removed_and_none_is_in_two_hands(stack: Stack, sqs: SQSClient) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []

    class Watched:
        """A client whose calls are noted, and whose messages come again though they are in hand."""

        def __getattr__(self, name: str) -> Any:
            def call(**request: Any) -> Any:
                calls.append((name, request))
                if name == "receive_message":
                    request = {**request, "VisibilityTimeout": 0}
                return getattr(sqs, name)(**request)

            return call

    put(sqs, stack.dead_letter_queue, {"delivery_id": "one"}, "no JSON")
    client: Any = Watched()
    done = redrive(client, stack, lambda _: None)
    assert (done.sent_back, done.left) == (1, 1)
    names = [name for name, _ in calls if name != "receive_message"]
    assert names == ["send_message", "delete_message"]
    asked = [request for name, request in calls if name == "receive_message"]
    assert {(one["MaxNumberOfMessages"], one["VisibilityTimeout"]) for one in asked} == {(10, IN_HAND_SECONDS)}


@pytest.mark.req("R14")
def test_without_dead_letters_nothing_is_done(stack: Stack, sqs: SQSClient) -> None:
    told: list[float] = []
    done = redrive(sqs, stack, told.append)
    assert (dead_letters(sqs, stack), done.sent_back, done.left, told) == (0, 0, 0, [])


@pytest.mark.req("R14")
def test_dead_letters_are_counted_by_what_aws_gives_of_those_that_are_asked_for(stack: Stack) -> None:
    class Strict:
        """A client whose AWS gives the attributes that it was asked for, and no others."""

        def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803 - AWS's names
            assert QueueUrl == stack.dead_letter_queue
            return {"Attributes": dict.fromkeys(AttributeNames, "3")}

    client: Any = Strict()
    assert dead_letters(client, stack) == 3
