"""What wakes this function: the outbox's stream, the retry queue, the sweeper's schedule, and the providers' receipts."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.keys import DUE_INDEX, DUE_SHARDS, ERASE_SHARDS
from reassort.outbox import OVERDUE_AFTER
from reassort.tables import BUSY_OR_UNREACHABLE, to_wire

from notify.claims import PARKED_FOR
from notify.delivering import Delivering, deliver, find
from notify.pacing import Lane
from notify.receipt_events import ReceiptFormatError, receipt_from_json, receipt_to_json, ses_receipts, sms_receipts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef
    from mypy_boto3_sqs import SQSClient

    from notify.canary import Canaries
    from notify.receipts import Receipt
    from notify.receiving import Receiving

# What one sweep of a shard queues; the next sweep is a minute later. Eight shards make 4,000 deliveries a minute.
_SWEEP_LIMIT = 500
# What one sweep looks at in a shard, to measure what waits: some ten thousand deliveries.
_SWEEP_PAGES = 4
# SQS takes ten messages in one call, and delays one by 15 minutes at most.
_SQS_BATCH = 10
_LONGEST_DELAY_SECONDS = 900
# The retry queue of template.yaml gives a message to the dead letters after this many receptions, this far apart.
RECEPTIONS = 5
VISIBILITY = timedelta(seconds=360)
# A message that this function puts back into its own queue is a loop to Lambda, which is told to let it run (`RecursiveLoop` in
# template.yaml): a day of the longest delays, and no further. The sweeper and the dead letters have what is longer under way.
MOST_TURNS = 96
# When tables or KMS do not answer, everything waits about this long before it is tried again.
_OUTAGE_WAIT_SECONDS = (20, 60)
# The record of a sending comes moments after it. A receipt of an SMS that is unknown for longer is of nobody's.
_EARLY_WAITS_SECONDS = (5, 15, 60, 300)


@dataclass(frozen=True)
class Triggers:
    """Answers each kind of event."""

    delivering: Delivering
    receiving: Receiving
    canaries: Canaries
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
                self._from_queue(json.loads(record["body"]), record["attributes"])
            except Exception as error:  # noqa: BLE001 - one message must not fail the others
                self.delivering.journal.fault("message kept in the queue", error)
                failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    def on_schedule(self) -> dict[str, Any]:
        """Queue whatever is overdue, whatever became of the event that should have brought it, and measure what waits."""
        self.canaries.sweep()
        now = epoch_milliseconds(self.delivering.clock())
        overdue = [*self._overdue_sending(now), *self._overdue_erasure(now)]
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

    def on_email_events(self, event: Mapping[str, Any]) -> None:
        """Apply what SES reports of e-mails; SNS brings one event in each record.

        Raises:
            ExceptionGroup: receipts that could be neither applied nor queued; Lambda brings the event again.
        """
        domains = self.delivering.election.domain_names
        read = partial(ses_receipts, domains=domains)
        self._receive_all(
            [receipt for record in event["Records"] for receipt in self._read(read, record["Sns"]["Message"])]
        )

    def on_sms_log(self, event: Mapping[str, Any]) -> None:
        """Apply what the carriers report of SMS, from SNS's delivery log. Raises as `on_email_events`."""
        self._receive_all(self._read(sms_receipts, event["awslogs"]["data"]))

    # ------------------------------------------------------------ deliveries

    def _first_attempt(self, image: Mapping[str, Any]) -> None:
        delivery_id = image["delivery_id"]["S"]
        try:
            again = deliver(find(delivery_id, image["voter_id"]["S"], self.delivering), self.delivering)
        except Exception as error:  # noqa: BLE001 - whatever it is, the retry queue has time for it
            self.delivering.journal.fault("first attempt failed", error, delivery=delivery_id)
            again = [self.delivering.clock() + timedelta(seconds=1)]
        for until in again:
            self._queue_delivery(delivery_id, until, 0)

    def _from_queue(self, body: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        turns = body.get("turns", 0) + 1
        if "receipt" in body:
            self._receive(receipt_from_json(body["receipt"]), body.get("tries", 0), turns)
            return
        delivery_id = body["delivery_id"]
        until = from_milliseconds(body.get("until", 0))
        if until > self.delivering.clock():
            # Further away than SQS delays a message: another leg of the way.
            self._queue_delivery(delivery_id, until, turns)
            return
        try:
            self._attempt_again(delivery_id, int(attributes["SentTimestamp"]), turns)
        except BUSY_OR_UNREACHABLE as error:
            # Tables that do not answer are nothing that a dead-letter queue could help with.
            self.delivering.journal.fault("attempt put off", error, delivery=delivery_id)
            until = self._after_outage()
            self._queue_delivery(delivery_id, until, turns)
            with suppress(*BUSY_OR_UNREACHABLE):
                # Or the sweeper would queue it a second time, every minute that this lasts.
                self.delivering.claims.defer_sweep(delivery_id, until + OVERDUE_AFTER)
        except Exception:
            self._keep_poison(delivery_id, int(attributes["ApproximateReceiveCount"]))
            raise

    def _attempt_again(self, delivery_id: str, sent_at: int, turns: int) -> None:
        claims = self.delivering.claims
        delivery = claims.read(delivery_id)
        if delivery is not None and delivery.parked_at is not None:
            # Only an operator brings a parked delivery back, from the dead letters: SQS then gives the message a new time. One that
            # was on its way before is as late as the one that parked it.
            fresh = sent_at > delivery.parked_at
            delivery = claims.unpark(delivery, self.delivering.clock()) if fresh else None
        if delivery is None:
            return
        for until in deliver(find(delivery_id, delivery.voter_id, self.delivering), self.delivering):
            self._queue_delivery(delivery_id, until, turns)

    def _keep_poison(self, delivery_id: str, reception: int) -> None:
        """Keep the sweeper away from a delivery that the queue will bring again, and park it when it will not."""
        claims, now = self.delivering.claims, self.delivering.clock()
        # Should it not be possible to park it now, the sweeper brings it once more: its voter must not wait for that for as long as
        # dead letters are kept.
        claims.defer_sweep(delivery_id, now + 2 * VISIBILITY)
        if reception < RECEPTIONS:
            return
        try:
            delivery = claims.read(delivery_id)
        except BUSY_OR_UNREACHABLE:
            raise
        except Exception:
            # Not even its state makes sense, so that nothing can be recorded in it.
            claims.defer_sweep(delivery_id, now + PARKED_FOR)
            raise
        if delivery is not None and claims.park(delivery, now) is not None:
            self.delivering.meters.count_parked()
            self.delivering.journal.warn("delivery parked", delivery=delivery_id)

    def _queue_delivery(self, delivery_id: str, until: datetime, turns: int) -> None:
        if turns >= MOST_TURNS:
            # It is in the sweeper's index, which queues it anew.
            self.delivering.journal.warn("delivery left to the sweeper", delivery=delivery_id)
            return
        self._queue({"delivery_id": delivery_id, "until": epoch_milliseconds(until), "turns": turns}, until)

    def _queue(self, body: Mapping[str, Any], until: datetime) -> None:
        wait = -((self.delivering.clock() - until) // timedelta(seconds=1))
        self.sqs.send_message(
            QueueUrl=self.retry_queue,
            MessageBody=json.dumps(body),
            DelaySeconds=min(max(wait, 0), _LONGEST_DELAY_SECONDS),
        )

    def _after_outage(self) -> datetime:
        return self.delivering.clock() + timedelta(seconds=random.uniform(*_OUTAGE_WAIT_SECONDS))  # noqa: S311 - jitter

    # ------------------------------------------------------------ the sweeper

    def _overdue_sending(self, now: int) -> Iterator[str]:
        """Give the deliveries whose time to be sent has passed, and measure all that wait."""
        waiting: dict[str, list[int]] = {lane.value: [] for lane in Lane}
        most_overdue = 0
        for shard in DUE_SHARDS:
            queued = 0
            for item in self._due(shard, None, _SWEEP_PAGES):
                waiting[_lane_of(item)].append(int(item["queued_at"]["N"]))
                late = now - int(item["due_at"]["N"])
                most_overdue = max(most_overdue, late)
                if late >= 0 and queued < _SWEEP_LIMIT:
                    queued += 1
                    yield item["delivery_id"]["S"]
        meters = self.delivering.meters
        for lane, queued_at in waiting.items():
            meters.measure_waiting(lane, len(queued_at), (now - min(queued_at, default=now)) / 1000)
        meters.measure_overdue(most_overdue / 1000)

    def _overdue_erasure(self, now: int) -> Iterator[str]:
        for shard in ERASE_SHARDS:
            for position, item in enumerate(self._due(shard, now, 1)):
                if position < _SWEEP_LIMIT:
                    yield item["delivery_id"]["S"]

    def _due(self, shard: str, until: int | None, pages: int) -> Iterator[Mapping[str, Any]]:
        request: QueryInputTypeDef = {
            "TableName": self.deliveries_table,
            "IndexName": DUE_INDEX,
            "KeyConditionExpression": "due_shard = :shard",
            "ExpressionAttributeValues": to_wire({":shard": shard}),
        }
        if until is not None:
            request["KeyConditionExpression"] = "due_shard = :shard AND due_at <= :until"
            request["ExpressionAttributeValues"] = to_wire({":shard": shard, ":until": until})
            request["Limit"] = _SWEEP_LIMIT
        for _ in range(pages):
            answer = self.delivering.dynamodb.query(**request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    # ------------------------------------------------------------ receipts

    def _read(self, read: Callable[[str], list[Receipt]], report: str) -> Sequence[Receipt]:
        """Read the receipts of a report. One that nobody can read is not brought again: it would be no clearer then."""
        try:
            return read(report)
        except ReceiptFormatError as error:
            self.delivering.journal.fault("receipt not understood", error)
            self.delivering.meters.count_unknown_receipt()
            return error.readable

    def _receive_all(self, receipts: Sequence[Receipt]) -> None:
        faults = []
        for receipt in receipts:
            try:
                self._receive(receipt, 0, 0)
            except Exception as error:  # noqa: BLE001 - one receipt must not fail the others
                self.delivering.journal.fault("receipt not applied", error)
                faults.append(error)
        if faults:
            raise ExceptionGroup("receipts not applied", faults)

    def _receive(self, receipt: Receipt, tries: int, turns: int) -> None:
        """Apply a receipt. What cannot be applied now waits in the retry queue, where it holds nobody's data.

        Raises:
            ContentionError, botocore.exceptions.ClientError, BotoCoreError: it has waited as long as may be: the queue gives it to the
                dead letters, and an operator's redrive brings it back.
        """
        try:
            known = self.receiving.apply(receipt)
        except BUSY_OR_UNREACHABLE as error:
            self.delivering.journal.fault("receipt put off", error)
            if turns >= MOST_TURNS:
                raise
            body = {"receipt": receipt_to_json(receipt), "tries": tries, "turns": turns}
            self._queue(body, self._after_outage())
            return
        if known:
            return
        if tries < len(_EARLY_WAITS_SECONDS):
            later = self.delivering.clock() + timedelta(seconds=_EARLY_WAITS_SECONDS[tries])
            body = {"receipt": receipt_to_json(receipt), "tries": tries + 1, "turns": turns}
            self._queue(body, later)
            return
        self.delivering.journal.warn("receipt of an unknown message")
        self.delivering.meters.count_unknown_receipt()


def _lane_of(item: Mapping[str, Any]) -> str:
    kind, channel = item["kind"]["S"], item.get("channel", {}).get("S")
    return Lane.CODE.value if kind == "code" else Lane(channel).value
