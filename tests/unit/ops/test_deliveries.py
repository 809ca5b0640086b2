"""`reassort deliveries list` and `redrive` on a stack with an outbox and dead letters."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import time_machine
from reassort.table_keys import due_shard
from reassort.tables import to_wire

from harness.engines.engine import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs import SQSClient

    from tests.unit.ops.conftest import OperatedStack

VOTER = "a-pseudonym"


@pytest.fixture
def _no_time_passes() -> Iterator[None]:
    with time_machine.travel(datetime(2018, 11, 30, 9, 15, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def sqs() -> SQSClient:
    return boto3.client("sqs", region_name=REGION)


def owe(
    deployed: OperatedStack,
    name: str,
    *,
    ago: int,
    kind: str = "reissue",
    channel: str = "sms",
    due_ago: int | None = None,
) -> None:
    """Put a delivery into the outbox that was queued `ago` seconds before now."""
    now = int(time.time() * 1000)
    item = {
        "delivery_id": name,
        "voter_id": VOTER,
        "kind": kind,
        "channel": channel,
        "queued_at": now - ago * 1000,
        "due_shard": due_shard(name),
        "due_at": now - (ago if due_ago is None else due_ago) * 1000,
    }
    deployed.dynamodb.put_item(TableName=deployed.stack.outbox.of(name), Item=to_wire(item))


def bodies(sqs: SQSClient, queue: str) -> list[Any]:
    """Return what a queue holds."""
    found = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


@pytest.mark.usefixtures("_no_time_passes")
@pytest.mark.req("I2", "R4")
def test_what_waits_is_listed_by_lane_and_the_longest_first(deployed: OperatedStack) -> None:
    owe(deployed, "7K3M9-QWX2T", ago=600)
    owe(deployed, "AAAAA-AAAAA", ago=20, channel="email", due_ago=-40)
    owe(deployed, "random-id-of-a-code", ago=5, kind="code", channel="email", due_ago=-55)
    assert deployed.run_json("deliveries", "list") == (
        1,
        {
            "waiting": {"sms": 1, "email": 1, "code": 1},
            "overdue": 1,
            "dead_letters": 0,
            "longest": [
                named("7K3M9-QWX2T", "reissue", "sms", 600, overdue=True),
                named("AAAAA-AAAAA", "reissue", "email", 20, overdue=False),
                named("random-id-of-a-code", "code", "email", 5, overdue=False),
            ],
        },
    )
    listed = [
        "7K3M9-QWX2T             reissue    sms          600 s  overdue",
        "AAAAA-AAAAA             reissue    email         20 s",
        "random-id-of-a-code     code       email          5 s",
    ]
    counted = "3 waiting (code 1, email 1, sms 1), 1 overdue, 0 dead letters"
    assert shown(deployed, "--most", "3") == [*listed, counted]
    assert shown(deployed, "--most", "2") == [*listed[:2], "… and 1 more", counted]
    assert VOTER not in "".join(shown(deployed))


def named(name: str, kind: str, channel: str, waits: int, *, overdue: bool) -> dict[str, Any]:
    """Return what a program reads of a delivery that waits."""
    return {"reference": name, "kind": kind, "channel": channel, "waits_seconds": waits, "overdue": overdue}


def shown(deployed: OperatedStack, *options: str) -> list[str]:
    """Return the list as an operator sees it."""
    return deployed.run("deliveries", "list", *options).stdout.splitlines()


def test_twenty_are_named_unless_more_are_asked_for(deployed: OperatedStack) -> None:
    for number in range(21):
        owe(deployed, f"delivery-{number:02}", ago=number)
    assert shown(deployed)[20:] == ["… and 1 more", "21 waiting (sms 21), 0 overdue, 0 dead letters"]


def test_nothing_waits(deployed: OperatedStack) -> None:
    result = deployed.run("deliveries", "list")
    assert (result.exit_code, result.stdout) == (0, "0 waiting (nothing), 0 overdue, 0 dead letters\n")


@pytest.mark.req("R14")
def test_dead_letters_go_back_and_what_is_the_streams_stays(deployed: OperatedStack, sqs: SQSClient) -> None:
    names = [f"delivery-{number}" for number in range(23)]
    for name in names:
        sqs.send_message(QueueUrl=deployed.stack.dead_letter_queue, MessageBody=json.dumps({"delivery_id": name}))
    receipt = {"receipt": {"outcome": "delivered"}, "tries": 2}
    sqs.send_message(QueueUrl=deployed.stack.dead_letter_queue, MessageBody=json.dumps({**receipt, "turns": 96}))
    sqs.send_message(QueueUrl=deployed.stack.dead_letter_queue, MessageBody=json.dumps({"DDBStreamBatchInfo": {}}))
    sqs.send_message(QueueUrl=deployed.stack.dead_letter_queue, MessageBody="no JSON")
    assert deployed.run_json("deliveries", "list")[1]["dead_letters"] == 26
    status, done = deployed.run_json("deliveries", "redrive")
    assert (status, done) == (0, {"sent_back": 24, "left": 2})
    found = bodies(sqs, deployed.stack.retry_queue)
    assert sorted(body["delivery_id"] for body in found if "delivery_id" in body) == sorted(names)
    assert [body for body in found if "receipt" in body] == [receipt]


@pytest.mark.req("R14")
def test_redrive_is_safe_to_repeat(deployed: OperatedStack, sqs: SQSClient) -> None:
    sqs.send_message(QueueUrl=deployed.stack.dead_letter_queue, MessageBody=json.dumps({"delivery_id": "one"}))
    assert deployed.run_json("deliveries", "redrive")[1] == {"sent_back": 1, "left": 0}
    assert deployed.run_json("deliveries", "redrive")[1] == {"sent_back": 0, "left": 0}
    assert deployed.run("deliveries", "redrive").stdout == "no dead letter: nothing to send back\n"
    assert bodies(sqs, deployed.stack.retry_queue) == [{"delivery_id": "one"}]


@pytest.mark.req("R14")
def test_a_redrive_says_what_it_sent_back_and_what_it_left(deployed: OperatedStack, sqs: SQSClient) -> None:
    for body, said in (('{"delivery_id": "one"}', "1 sent back"), ("no JSON", "0 sent back; 1 left, which are")):
        sqs.send_message(QueueUrl=deployed.stack.dead_letter_queue, MessageBody=body)
        assert deployed.run("deliveries", "redrive").stdout.startswith(said)
