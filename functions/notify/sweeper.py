"""The sweeper: once a minute, queue whatever is overdue, and measure what waits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.table_keys import DUE_INDEX, DUE_SHARDS, ERASE_SHARDS
from reassort.tables import to_wire

from notify.canary import sweep_canaries
from notify.deps import Deps
from notify.pacing import Lane
from notify.watching_keys import measure_keys

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

# What one sweep of a shard queues; the next sweep is a minute later. Eight shards make 4,000
# deliveries of a table a minute.
_SWEEP_LIMIT = 500
# What one sweep looks at in a shard, to measure what waits: some ten thousand deliveries.
_SWEEP_PAGES = 4
# SQS takes ten messages in one call.
_SQS_BATCH = 10


def on_schedule(deps: Deps) -> dict[str, Any]:
    """Queue whatever is overdue, whatever became of the event that should have brought it, and
    measure what waits, and whether the keys can be used.
    """
    try:
        return _sweep(deps)
    finally:
        # Without the key of the tables nothing above can be done, and just that must be told.
        measure_keys(deps)


def _sweep(deps: Deps) -> dict[str, Any]:
    sweep_canaries(deps)
    now = epoch_milliseconds(deps.clock())
    overdue = [*_overdue_sending(now, deps), *_overdue_erasure(now, deps)]
    for start in range(0, len(overdue), _SQS_BATCH):
        batch = overdue[start : start + _SQS_BATCH]
        deps.sqs.send_message_batch(
            QueueUrl=deps.retry_queue,
            Entries=[
                {"Id": str(position), "MessageBody": json.dumps({"delivery_id": delivery_id})}
                for position, delivery_id in enumerate(batch)
            ],
        )
    if overdue:
        deps.event_log.warn("overdue deliveries queued", count=len(overdue))
    return {"overdue": len(overdue)}


def _overdue_sending(now: int, deps: Deps) -> Iterator[str]:
    """Give the deliveries whose time to be sent has passed, and measure all that wait."""
    waiting: dict[str, list[int]] = {lane.value: [] for lane in Lane}
    most_overdue = 0
    for table, shard in product(deps.outbox.all, DUE_SHARDS):
        queued = 0
        for item in _due(table, shard, None, _SWEEP_PAGES, deps):
            waiting[_lane_of(item)].append(int(item["queued_at"]["N"]))
            late = now - int(item["due_at"]["N"])
            most_overdue = max(most_overdue, late)
            if late >= 0 and queued < _SWEEP_LIMIT:
                queued += 1
                yield item["delivery_id"]["S"]
    meters = deps.meters
    for lane, queued_at in waiting.items():
        meters.measure_waiting(lane, len(queued_at), (now - min(queued_at, default=now)) / 1000)
    meters.measure_overdue(most_overdue / 1000)


def _overdue_erasure(now: int, deps: Deps) -> Iterator[str]:
    # A code is erased as soon as it is settled, and one that is parked is gone before its erasure.
    for shard in ERASE_SHARDS:
        for item in _due(deps.outbox.deliveries, shard, now, 1, deps):
            yield item["delivery_id"]["S"]


def _due(table: str, shard: str, until: int | None, pages: int, deps: Deps) -> Iterator[Mapping[str, Any]]:
    request: QueryInputTypeDef = {
        "TableName": table,
        "IndexName": DUE_INDEX,
        "KeyConditionExpression": "due_shard = :shard",
        "ExpressionAttributeValues": to_wire({":shard": shard}),
    }
    if until is not None:
        request["KeyConditionExpression"] = "due_shard = :shard AND due_at <= :until"
        request["ExpressionAttributeValues"] = to_wire({":shard": shard, ":until": until})
        request["Limit"] = _SWEEP_LIMIT
    for _ in range(pages):
        answer = deps.dynamodb.query(**request)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _lane_of(item: Mapping[str, Any]) -> str:
    kind, channel = item["kind"]["S"], item.get("channel", {}).get("S")
    return Lane.CODE.value if kind == "code" else Lane(channel).value
