"""The outbox and the dead letters, as an operator sees them: what waits to be sent, what was given
up, and how to bring it back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from reassort.outbox import OVERDUE_AFTER, Kind
from reassort.table_keys import DUE_INDEX, DUE_SHARDS
from reassort.tables import from_wire, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from reassort_ops.account.stack import Stack
    from reassort_ops.output import Advance

# SQS gives ten messages at most in one call, and hides them from others for so many seconds.
_BATCH = 10
_HIDDEN_SECONDS = 60


@dataclass(frozen=True)
class Waiting:
    """A delivery that owes a message. `name` is a reissue's reference, or the random id of a code;
    times are milliseconds since 1970.
    """

    name: str
    kind: Kind
    channel: str
    queued_at: int
    due_at: int

    def waited(self, now: int) -> int:
        """Return the seconds since it was queued; `now` is milliseconds since 1970."""
        return max(0, (now - self.queued_at) // 1000)

    def is_overdue(self, now: int) -> bool:
        """Tell whether the sweeper should have taken it by now."""
        return now - self.due_at > OVERDUE_AFTER.total_seconds() * 1000


@dataclass
class Redriven:
    """What became of the dead letters: sent back, or left because they are the stream's, which the
    sweeper has in hand.
    """

    sent_back: int = 0
    left: int = 0


def waiting(dynamodb: DynamoDBClient, stack: Stack) -> list[Waiting]:
    """Return every delivery that owes a message, the one that waits longest first. Reads the
    sweeper's index, not the table.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    found = [
        _waiting(item)
        for table, shard in product(stack.outbox.all, DUE_SHARDS)
        for item in _shard(dynamodb, table, shard)
    ]
    return sorted(found, key=lambda one: (one.queued_at, one.name))


def dead_letters(sqs: SQSClient, stack: Stack) -> int:
    """Return how many dead letters there are, as SQS counts them: about so many."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=stack.dead_letter_queue, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def redrive(sqs: SQSClient, stack: Stack, advance: Advance) -> Redriven:
    """Send the dead letters back to the retry queue, each before it is removed: one may be sent
    twice, none is lost.

    May be repeated, and broken off: what has been sent is not sent again by the service. What is
    neither a delivery's nor a receipt's stays where it is.

    Raises:
        botocore.exceptions.ClientError: AWS refuses; what was sent back stays so.
    """
    done = Redriven()
    seen: set[str] = set()
    while messages := sqs.receive_message(
        QueueUrl=stack.dead_letter_queue, MaxNumberOfMessages=_BATCH, VisibilityTimeout=_HIDDEN_SECONDS
    ).get("Messages"):
        fresh = [message for message in messages if message["MessageId"] not in seen]
        if not fresh:
            break
        for message in fresh:
            seen.add(message["MessageId"])
            body = _again(message["Body"])
            if body is None:
                done.left += 1
                continue
            sqs.send_message(QueueUrl=stack.retry_queue, MessageBody=body)
            sqs.delete_message(QueueUrl=stack.dead_letter_queue, ReceiptHandle=message["ReceiptHandle"])
            done.sent_back += 1
        advance(len(fresh))
    return done


def _again(body: str) -> str | None:
    """Return a delivery's or a receipt's message with its turns in the retry queue counted afresh;
    None for any other message.
    """
    try:
        content = json.loads(body)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    if not isinstance(content.get("delivery_id"), str) and not isinstance(content.get("receipt"), dict):
        return None
    content.pop("turns", None)
    return json.dumps(content)


def _shard(dynamodb: DynamoDBClient, table: str, shard: str) -> Iterator[dict[str, Any]]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        IndexName=DUE_INDEX,
        KeyConditionExpression="due_shard = :shard",
        ExpressionAttributeValues=to_wire({":shard": shard}),
    )
    for page in pages:
        yield from map(from_wire, page["Items"])


def _waiting(item: dict[str, Any]) -> Waiting:
    kind = Kind(item["kind"])
    return Waiting(
        item["delivery_id"], kind, item.get("channel", "email"), item.get("queued_at", item["due_at"]), item["due_at"]
    )
