"""What wakes this function: the outbox's stream, the retry queue, and the sweeper's schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.keys import DUE_INDEX, DUE_SHARDS
from reassort.outbox import delivery_from_item
from reassort.tables import from_stream, to_wire

from notify.delivering import Delivering, deliver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs import SQSClient

# What one sweep of a shard takes; the next sweep is a minute later.
_SWEEP_LIMIT = 500
# SQS takes ten messages in one call.
_SQS_BATCH = 10


@dataclass(frozen=True)
class Triggers:
    """Answers each kind of event."""

    delivering: Delivering
    sqs: SQSClient
    retry_queue: str
    deliveries_table: str

    def on_stream(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Make the first attempt of each new delivery; one that fails goes to the retry queue and holds nobody up.

        Returns the records to bring again: those that could be neither sent nor queued.
        """
        failures = []
        for record in event["Records"]:
            sequence_number = record["dynamodb"]["SequenceNumber"]
            try:
                self._first_attempt(record["dynamodb"]["NewImage"])
            except Exception as error:  # noqa: BLE001 - one record must not fail the others
                self.delivering.journal.fault("record kept in the stream", error)
                failures.append({"itemIdentifier": sequence_number})
        return {"batchItemFailures": failures}

    def on_queue(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Try again. A message that raises comes back until the queue's redrive policy takes it out."""
        failures = []
        for record in event["Records"]:
            try:
                self._attempt_again(json.loads(record["body"])["delivery_id"])
            except Exception as error:  # noqa: BLE001 - one message must not fail the others
                self.delivering.journal.fault("message kept in the queue", error)
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    def on_schedule(self) -> dict[str, Any]:
        """Queue whatever is overdue, whatever became of the event that should have brought it."""
        overdue = list(self._overdue())
        for start in range(0, len(overdue), _SQS_BATCH):
            batch = overdue[start : start + _SQS_BATCH]
            self.sqs.send_message_batch(
                QueueUrl=self.retry_queue,
                Entries=[
                    {"Id": str(position), "MessageBody": json.dumps({"delivery_id": delivery_id})}
                    for position, delivery_id in enumerate(batch)
                ],
            )
        if overdue:
            self.delivering.journal.warn("overdue deliveries queued", count=len(overdue))
        return {"overdue": len(overdue)}

    def _first_attempt(self, image: Mapping[str, Any]) -> None:
        delivery_id = image["delivery_id"]["S"]
        try:
            wait = deliver(delivery_from_item(from_stream(image)), self.delivering)
        except Exception as error:  # noqa: BLE001 - whatever it is, the retry queue has time for it
            self.delivering.journal.fault("first attempt failed", error, delivery=delivery_id)
            wait = 1
        if wait is not None:
            self._queue_again(delivery_id, wait)

    def _attempt_again(self, delivery_id: str) -> None:
        delivery = self.delivering.claims.read(delivery_id)
        if delivery is None:
            return
        wait = deliver(delivery, self.delivering)
        if wait is not None:
            self._queue_again(delivery_id, wait)

    def _queue_again(self, delivery_id: str, wait: int) -> None:
        body = json.dumps({"delivery_id": delivery_id})
        self.sqs.send_message(QueueUrl=self.retry_queue, MessageBody=body, DelaySeconds=wait)

    def _overdue(self) -> Iterator[str]:
        now = epoch_milliseconds(self.delivering.clock())
        for shard in range(DUE_SHARDS):
            answer = self.delivering.dynamodb.query(
                TableName=self.deliveries_table,
                IndexName=DUE_INDEX,
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues=to_wire({":shard": str(shard), ":now": now}),
                Limit=_SWEEP_LIMIT,
            )
            for item in answer["Items"]:
                yield item["delivery_id"]["S"]
