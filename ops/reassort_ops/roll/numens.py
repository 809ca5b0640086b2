"""Whose each NUMEN is: one voter's on the whole stack, so that a person is one voter.

The table has the keyed hash that the voters' items have, and the pseudonym. An import puts it with
the voter, a correction and a change of address write it with what they change. No function of the
service has a right on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort.tables import Action, read_one, to_wire, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NUMEN = "numen"
_FREE_OR_OWN = "attribute_not_exists(numen_hash) OR voter_id = :voter"


def numen_owner(dynamodb: DynamoDBClient, table: str, numen_hash: str) -> str | None:
    """Read whose a NUMEN is, None when it is nobody's.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    item = read_one(dynamodb, table, {"numen_hash": numen_hash})
    return None if item is None else str(item["voter_id"])


def keep_numen(table: str, numen_hash: str, voter_id: str) -> Action:
    """Return the write that makes a NUMEN a voter's, refused as `NUMEN` when it is another's."""
    key = {"numen_hash": numen_hash}
    return update(NUMEN, table, key, "SET voter_id = :voter", _FREE_OR_OWN, {":voter": voter_id})


def release_numen(table: str, numen_hash: str, voter_id: str) -> Action:
    """Return the write that makes a voter's former NUMEN nobody's."""
    request = {
        "TableName": table,
        "Key": to_wire({"numen_hash": numen_hash}),
        "ConditionExpression": _FREE_OR_OWN,
        "ExpressionAttributeValues": to_wire({":voter": voter_id}),
    }
    return Action(NUMEN, "Delete", request)


def hand_over_numen(table: str, numen_hash: str, former_id: str, voter_id: str) -> Action:
    """Return the write that makes one voter's NUMEN another's, refused as `NUMEN` when it is not
    the first one's.
    """
    return update(
        NUMEN,
        table,
        {"numen_hash": numen_hash},
        "SET voter_id = :voter",
        "voter_id = :former",
        {":voter": voter_id, ":former": former_id},
    )
