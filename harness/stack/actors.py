"""Anyone who holds the credentials of one role, and the calls on a table that they may try. None
touches a voter's items.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.stack.deployed import Deployment

_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
NOBODY = "nobody"
KEYS = {
    "VotersTable": {"voter_id": {"S": NOBODY}},
    "IdentifiersTable": {"identifier_hash": {"S": NOBODY}},
    "NumensTable": {"numen_hash": {"S": NOBODY}},
    "SignInTable": {"voter_id": {"S": NOBODY}, "key": {"S": NOBODY}},
    "CodeDeliveriesTable": {"delivery_id": {"S": NOBODY}},
    "DeliveriesTable": {"delivery_id": {"S": NOBODY}},
    "RegisterTable": {"voter_id": {"S": NOBODY}, "sequence": {"N": "1"}},
    "LimitsTable": {"key": {"S": NOBODY}},
    "ControlTable": {"key": {"S": NOBODY}},
    "PaceTable": {"key": {"S": NOBODY}},
    "HelpdeskRecordTable": {"agent": {"S": NOBODY}, "sequence": {"N": "1"}},
}


@dataclass(frozen=True)
class Actor:
    """Anyone who holds the credentials of one role."""

    deployment: Deployment
    credentials: Mapping[str, str]
    clients: dict[str, Any] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment in which every AWS tool and SDK calls as they do."""
        keys = self.credentials
        return self.deployment.aws.environment() | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def is_refused(self, service: str, operation: str, **parameters: Any) -> bool:
        """Tell whether IAM refuses a call; any other error means that IAM let it pass."""
        if service not in self.clients:
            self.clients[service] = self.deployment.client(service, self.credentials)
        try:
            getattr(self.clients[service], operation)(**parameters)
        except ClientError as error:
            return error.response["Error"]["Code"] in _REFUSALS
        return False

    def is_refused_on(self, table: str, operation: str) -> bool:
        """Tell whether IAM refuses an operation on a table; it would touch nobody's items."""
        return self.is_refused("dynamodb", operation, **call_parameters(table, operation, self.deployment.table(table)))


def call_parameters(table: str, operation: str, name: str) -> dict[str, Any]:
    """Return what an operation on a table is called with."""
    key = KEYS[table]
    match operation:
        case "put_item":
            return {"TableName": name, "Item": key, "ConditionExpression": "attribute_exists(never)"}
        case "update_item":
            # The condition never holds, so that an allowed write leaves no item behind.
            return {
                "TableName": name,
                "Key": key,
                "UpdateExpression": "SET never = :never",
                "ConditionExpression": "attribute_exists(never)",
                "ExpressionAttributeValues": {":never": {"N": "1"}},
            }
        case "query":
            attribute, value = next(iter(key.items()))
            return {
                "TableName": name,
                "KeyConditionExpression": "#key = :value",
                "ExpressionAttributeNames": {"#key": attribute},
                "ExpressionAttributeValues": {":value": value},
            }
        case "scan":
            return {"TableName": name}
        case "batch_get_item":
            return {"RequestItems": {name: {"Keys": [key]}}}
        case _:
            return {"TableName": name, "Key": key}


def reaching_calls(table: str, name: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return the calls by which an item can be read, replaced or removed beside the plain reads:
    the action that IAM asks for, the operation, and its parameters.

    A write gives back what it replaced, and one whose condition fails what it met.
    """
    key = KEYS[table]
    one, never = {"TableName": name, "Key": key}, {"ConditionExpression": "attribute_exists(never)"}
    put = {"TableName": name, "Item": {**key, "diverted": {"S": "yes"}}}
    change = {
        "UpdateExpression": "SET diverted = :yes",
        "ExpressionAttributeValues": {":yes": {"S": "yes"}},
    }
    tells = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    old, new = {"ReturnValues": "ALL_OLD"}, {"ReturnValues": "ALL_NEW"}
    alone: dict[str, tuple[str, str, dict[str, Any]]] = {
        "put over": ("PutItem", "put_item", {**put, **old}),
        "put refused": ("PutItem", "put_item", {**put, **never, **tells}),
        "update, old": ("UpdateItem", "update_item", {**one, **change, **old}),
        "update, new": ("UpdateItem", "update_item", {**one, **change, **new}),
        "update refused": ("UpdateItem", "update_item", {**one, **change, **never, **tells}),
        "delete refused": ("DeleteItem", "delete_item", {**one, **never, **tells}),
        "delete": ("DeleteItem", "delete_item", {**one, **old}),
        "get in a transaction": ("GetItem", "transact_get_items", {"TransactItems": [{"Get": one}]}),
    }
    together = {
        "Put": ("PutItem", {**put, **never}),
        "Update": ("UpdateItem", {**one, **change, **never}),
        "Delete": ("DeleteItem", {**one, **never}),
        "ConditionCheck": ("ConditionCheckItem", {**one, **never}),
    }
    return alone | {
        f"{kind} in a transaction": (action, "transact_write_items", {"TransactItems": [{kind: {**request, **tells}}]})
        for kind, (action, request) in together.items()
    }
