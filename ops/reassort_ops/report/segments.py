"""Reading a whole table in segments, several at once, and only what is asked of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from reassort.tables import PASSING, ContentionError, Item, from_wire, to_wire

from reassort_ops.batch_pool import patient_attempts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Wanted:
    """What of a table is read: paths of attributes (`destinations.email`), and a filter that
    DynamoDB applies before it answers.

    `condition` names attributes of the item by `{name}`, which `paths` must have, values by
    `:name`.
    """

    table: str
    paths: tuple[str, ...]
    condition: str
    values: Mapping[str, Any]

    def request(self) -> dict[str, Any]:
        """Return the arguments of a Scan call. Each part of a path has a name of its own, for many
        are reserved words.
        """
        parts = dict.fromkeys(part for path in self.paths for part in path.split("."))
        names = {part: f"#{number}" for number, part in enumerate(parts)}
        written = {path: ".".join(names[part] for part in path.split(".")) for path in self.paths}
        return {
            "TableName": self.table,
            "ProjectionExpression": ", ".join(written.values()),
            "FilterExpression": self.condition.format_map(written),
            "ExpressionAttributeNames": {name: part for part, name in names.items()},
            "ExpressionAttributeValues": to_wire(self.values),
        }


def scan(
    dynamodb: DynamoDBClient,
    wanted: Wanted,
    segments: int,
    take: Callable[[Item], object],
    advance: Callable[[int], object],
) -> int:
    """Give each item that fulfils the filter to `take`, one at a time, and return how many items
    the table holds.

    No more than a page of each segment is in memory. `advance` is told how many more items were
    looked at.

    Raises:
        ContentionError: the table throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    lock = threading.Lock()
    stopping = threading.Event()

    def read(segment: int) -> int:
        looked_at = 0
        request = {**wanted.request(), "Segment": segment, "TotalSegments": segments}
        while not stopping.is_set():
            page = _page(dynamodb, request)
            with lock:
                for item in page["Items"]:
                    take(from_wire(item))
                advance(page["ScannedCount"])
            looked_at += page["ScannedCount"]
            if "LastEvaluatedKey" not in page:
                break
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return looked_at

    with ThreadPoolExecutor(segments, "report") as pool:
        try:
            return sum(done.result() for done in as_completed([pool.submit(read, n) for n in range(segments)]))
        except BaseException:
            stopping.set()
            raise


def _page(dynamodb: DynamoDBClient, request: Mapping[str, Any]) -> Any:
    for attempt in patient_attempts():
        with attempt:
            try:
                return dynamodb.scan(**request)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in PASSING:
                    raise ContentionError(code) from error
                raise
    raise AssertionError("stamina ends by an exception")
