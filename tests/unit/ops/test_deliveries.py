"""`reassort deliveries list` and `redrive` on a stack with an outbox and dead letters."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from reassort.table_keys import due_shard
from reassort.tables import to_wire

from harness.engines.engine import REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from tests.unit.ops.conftest import OperatedStack

VOTER = "a-pseudonym"


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


@pytest.mark.req("I2", "R4")
def test_what_waits_is_listed_by_lane_and_the_longest_first(deployed: OperatedStack) -> None:
    owe(deployed, "7K3M9-QWX2T", ago=600)
    owe(deployed, "AAAAA-AAAAA", ago=20, channel="email", due_ago=-40)
    owe(deployed, "random-id-of-a-code", ago=5, kind="code", channel="email", due_ago=-55)
    status, told = deployed.run_json("deliveries", "list")
    assert status == 1
    assert told["waiting"] == {"sms": 1, "email": 1, "code": 1}
    assert (told["overdue"], told["dead_letters"]) == (1, 0)
    assert [one["reference"] for one in told["longest"]] == ["7K3M9-QWX2T", "AAAAA-AAAAA", "random-id-of-a-code"]
    assert [one["overdue"] for one in told["longest"]] == [True, False, False]
    assert 600 <= told["longest"][0]["waits_seconds"] <= 660
    printed = deployed.run("deliveries", "list", "--most", "1").stdout
    assert "7K3M9-QWX2T" in printed
    assert "… and 2 more" in printed
    assert "3 waiting (code 1, email 1, sms 1), 1 overdue, 0 dead letters" in printed
    assert VOTER not in printed


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
