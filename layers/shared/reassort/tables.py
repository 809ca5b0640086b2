"""Reading and writing DynamoDB: plain values in and out, and the one way to write several items at
once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]

_CONDITION_FAILED = "ConditionalCheckFailed"
# A write that meets a transaction on its item. The SDK does not try it again by itself.
_CONFLICT = "TransactionConflictException"
_CONFLICT_ATTEMPTS = 3
_LONGEST_PAUSE_SECONDS = 0.04
# DynamoDB gives a hundred items at most in one call, and may leave some for the next.
_ITEMS_A_READ = 100
_ROUNDS = 8


def to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write plain values as DynamoDB's typed attributes.

    Raises:
        TypeError: a value of a kind that no item holds: a float, an empty set, anything but text in
            a set.
    """
    return {name: _typed(value) for name, value in values.items()}


def from_wire(attributes: Mapping[str, Any]) -> Item:
    """Read DynamoDB's typed attributes as plain values: numbers as int, binary as bytes.

    Raises:
        ValueError: a number is none of the whole ones that the items here hold.
        TypeError: a value of a kind that no item here holds.
    """
    return {name: _plain(value) for name, value in attributes.items()}


# The SDK's own (boto3.dynamodb.types) brings all of boto3, and takes every number through Decimal.
# tests/unit/test_tables.py holds these two against it.
def _typed(value: Any) -> dict[str, Any]:
    # Most of what is written: a comparison of types takes half as long as the patterns below.
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int:
        return {"N": str(value)}
    if kind is list:
        return {"L": [_typed(element) for element in value]}
    match value:
        case str():
            return {"S": value}
        # A bool is an int as well.
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [_typed(element) for element in value]}
        case Mapping():
            return {"M": to_wire(value)}
        case set() | frozenset() if value and all(isinstance(element, str) for element in value):
            return {"SS": sorted(value)}
    raise TypeError(f"DynamoDB holds no {type(value).__name__} here")


def _plain(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "B" | "BOOL":
            return value
        case "N":
            return int(value)
        case "NULL":
            return None
        case "L":
            return [_plain(element) for element in value]
        case "M":
            return from_wire(value)
        case "SS":
            return set(value)
    raise TypeError(f"no item here holds a {kind}")


class ConditionFailedError(Exception):
    """The write's condition did not hold; nothing was written. `refused` names the actions whose
    condition failed.

    `item` is what was found instead of what the condition wants, where that was asked for.
    """

    def __init__(self, refused: frozenset[str], item: Item | None = None) -> None:
        super().__init__(", ".join(sorted(refused)))
        self.refused = refused
        self.item = item


class ContentionError(Exception):
    """Another transaction held an item, or the table throttled. Nothing was written; it can be
    tried again.
    """


# What a call to a table raises when the table is busy or cannot be reached. It can be tried again.
BUSY_OR_UNREACHABLE = (ContentionError, ClientError, BotoCoreError)


@dataclass(frozen=True)
class Action:
    """One write of a transaction. `name` identifies a refusal; `kind` is DynamoDB's
    member name.
    """

    name: str
    kind: str
    request: Mapping[str, Any]


def put_if_absent(name: str, table: str, item: Item, key: str) -> Action:
    """Put an item unless one of that `key` attribute exists."""
    return Action(
        name,
        "Put",
        {"TableName": table, "Item": to_wire(item), "ConditionExpression": f"attribute_not_exists({key})"},
    )


def update(
    name: str,
    table: str,
    key: Item,
    expression: str,
    condition: str,
    values: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
    *,
    tells: bool = False,
) -> Action:
    """Update one item under a condition. `tells`: a refusal comes with the item as it stands."""
    request = update_request(table, key, expression, condition, values, names)
    if tells:
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return Action(name, "Update", request)


def add(name: str, table: str, key: Item, expression: str, values: Mapping[str, Any]) -> Action:
    """Update one item, or make it, under no condition."""
    request = {
        "TableName": table,
        "Key": to_wire(key),
        "UpdateExpression": expression,
        "ExpressionAttributeValues": to_wire(values),
    }
    return Action(name, "Update", request)


def update_request(
    table: str,
    key: Item,
    expression: str,
    condition: str,
    values: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the arguments of an UpdateItem call."""
    request: dict[str, Any] = {
        "TableName": table,
        "Key": to_wire(key),
        "UpdateExpression": expression,
        "ConditionExpression": condition,
    }
    if values:
        request["ExpressionAttributeValues"] = to_wire(values)
    if names:
        request["ExpressionAttributeNames"] = dict(names)
    return request


def require(name: str, table: str, key: Item, condition: str, values: Mapping[str, Any]) -> Action:
    """Require that a condition holds of an item that is not written; of one that is not there,
    too.
    """
    return Action(
        name,
        "ConditionCheck",
        {
            "TableName": table,
            "Key": to_wire(key),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_wire(values),
        },
    )


def exists(name: str, table: str, key: Item, also: str) -> Action:
    """Require that an item exists, and a further clause of its condition."""
    attribute = next(iter(key))
    return Action(
        name,
        "ConditionCheck",
        {"TableName": table, "Key": to_wire(key), "ConditionExpression": f"attribute_exists({attribute}) AND {also}"},
    )


def write_all(dynamodb: DynamoDBClient, actions: Sequence[Action], token: str | None = None) -> None:
    """Write all actions or none. `token` (at most 36 characters) makes a repeated call within ten
    minutes a no-op.

    Raises:
        ConditionFailedError: names each action whose condition failed.
        ContentionError: a conflict or a throttle; can be tried again.
        botocore.exceptions.ClientError: anything else.
    """
    request: dict[str, Any] = {"TransactItems": [{action.kind: action.request} for action in actions]}
    if token is not None:
        request["ClientRequestToken"] = token
    try:
        dynamodb.transact_write_items(**request)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "TransactionCanceledException":
            reasons = error.response.get("CancellationReasons", [])
            refused = {
                action.name: reason.get("Item")
                for action, reason in zip(actions, reasons, strict=False)
                if reason.get("Code") == _CONDITION_FAILED
            }
            if refused:
                told: Any = next(filter(None, refused.values()), None)
                raise ConditionFailedError(frozenset(refused), from_wire(told) if told else None) from error
            raise ContentionError(code) from error
        # The first call of a token that carried another random identifier is in flight, or has
        # committed.
        if code in PASSING or code == "IdempotentParameterMismatchException":
            raise ContentionError(code) from error
        raise


def _call(operation: Callable[..., Any], **request: Any) -> Any:
    """Make one call about one item, or one read of several.

    Raises:
        ContentionError: a throttle, or a conflict with transactions that outlasts a few tries;
            nothing was written.
        botocore.exceptions.ClientError: anything else.
    """
    for attempt in range(1, _CONFLICT_ATTEMPTS + 1):
        try:
            return operation(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in PASSING:
                raise
            if code != _CONFLICT or attempt == _CONFLICT_ATTEMPTS:
                raise ContentionError(code) from error
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS * attempt))  # noqa: S311 - jitter
    raise AssertionError  # pragma: no cover - the last attempt returns or raises


def update_one(dynamodb: DynamoDBClient, request: Mapping[str, Any], *, returns: str = "NONE") -> Item:
    """Run one conditional update and return what `returns` (DynamoDB's ReturnValues) asks for.

    Raises:
        ConditionFailedError: with the item as it stands, or without one when there is none.
        ContentionError: a conflict or a throttle; can be tried again.
        botocore.exceptions.ClientError: anything else.
    """
    try:
        answer = _call(
            dynamodb.update_item,
            **{**request, "ReturnValues": returns, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item: Any = error.response.get("Item")
        raise ConditionFailedError(frozenset({"update"}), from_wire(item) if item else None) from error
    return from_wire(answer.get("Attributes", {}))


def read_one(dynamodb: DynamoDBClient, table: str, key: Item) -> Item | None:
    """Read one item, strongly consistent.

    Raises:
        ContentionError: a throttle; can be tried again.
        botocore.exceptions.ClientError: anything else.
    """
    item = _call(dynamodb.get_item, TableName=table, Key=to_wire(key), ConsistentRead=True).get("Item")
    return from_wire(item) if item else None


def read_partition(
    dynamodb: DynamoDBClient, table: str, key: Item, *, after: tuple[str, int] | None = None
) -> list[Item]:
    """Read all items of a partition in the order of their sort key, strongly consistent. `after`
    names the sort key, and leaves out what is not greater.

    Raises:
        ContentionError: a throttle; can be tried again.
        botocore.exceptions.ClientError: anything else.
    """
    ((name, value),) = to_wire(key).items()
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#key = :key",
        "ExpressionAttributeNames": {"#key": name},
        "ExpressionAttributeValues": {":key": value},
        "ConsistentRead": True,
    }
    if after is not None:
        request["KeyConditionExpression"] += " AND #sort > :after"
        request["ExpressionAttributeNames"]["#sort"] = after[0]
        request["ExpressionAttributeValues"] |= to_wire({":after": after[1]})
    items: list[Item] = []
    while True:
        answer = _call(dynamodb.query, **request)
        items += map(from_wire, answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return items
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def delete_one(dynamodb: DynamoDBClient, table: str, key: Item) -> None:
    """Delete one item; one that is not there is no fault.

    Raises:
        ContentionError: a conflict or a throttle; can be tried again.
        botocore.exceptions.ClientError: anything else.
    """
    _call(dynamodb.delete_item, TableName=table, Key=to_wire(key))


def read_many(dynamodb: DynamoDBClient, keys: Mapping[str, Item]) -> dict[str, Item | None]:
    """Read one item from each table in one round trip, strongly consistent.

    Raises:
        ContentionError: a throttle, of all keys or of one that was left unprocessed; can be tried
            again.
        botocore.exceptions.ClientError: anything else.
    """
    answer = _call(
        dynamodb.batch_get_item,
        RequestItems={table: {"Keys": [to_wire(key)], "ConsistentRead": True} for table, key in keys.items()},
    )
    if answer.get("UnprocessedKeys"):
        raise ContentionError("UnprocessedKeys")
    found: Mapping[str, Sequence[Mapping[str, Any]]] = answer["Responses"]
    return {table: from_wire(found[table][0]) if found.get(table) else None for table in keys}


def read_items(dynamodb: DynamoDBClient, table: str, keys: Sequence[Item]) -> list[Item]:
    """Read those of many items of one table that are there, in no order, strongly
    consistent. What a busy table leaves out is asked for again at once, a few times.

    Raises:
        ContentionError: a throttle, or keys are left after the last call; can be tried again.
        botocore.exceptions.ClientError: anything else.
    """
    wanted, found = list(map(to_wire, keys)), list[Item]()
    for _ in range(_ROUNDS + len(keys) // _ITEMS_A_READ):
        if not wanted:
            return found
        batch, rest = wanted[:_ITEMS_A_READ], wanted[_ITEMS_A_READ:]
        answer = _call(dynamodb.batch_get_item, RequestItems={table: {"Keys": batch, "ConsistentRead": True}})
        found += map(from_wire, answer["Responses"].get(table, []))
        left = answer.get("UnprocessedKeys", {}).get(table)
        wanted = [*(left["Keys"] if left else []), *rest]
    raise ContentionError("UnprocessedKeys")


# Codes of refusals that pass by themselves: nothing was written, and the call can be made again.
PASSING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
