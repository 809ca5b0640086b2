"""Creates the tables that `template.yaml` describes, so that tests run on the same keys, indexes,
stream and TTL as a deploy.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from deployed.nested import whole
from reassort.outbox import OutboxTables

from local.processes import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TEMPLATE = ROOT / "template.yaml"
# The two tables of the outbox, by logical id.
OUTBOX = OutboxTables("CodeDeliveriesTable", "DeliveriesTable")
_TABLE_TYPE = "AWS::DynamoDB::Table"


class CloudFormationLoader(yaml.CSafeLoader):
    """Reads `!Ref X` as `{"Ref": "X"}` and any other tag `!Name …` as `{"Fn::Name": …}`, as
    CloudFormation does.
    """


def _construct_tag(loader: CloudFormationLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TypeError(f"unexpected YAML node {node!r}")
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


CloudFormationLoader.add_multi_constructor("!", _construct_tag)


@cache
def read_template(template_path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template with its nested stacks, as plain dicts. The result is shared: do not
    change it.
    """
    template: dict[str, Any] = whole(_read(template_path), template_path.parent, _read)
    return template


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), CloudFormationLoader)  # noqa: S506 - a safe one


def table_definitions(template_path: Path = TEMPLATE) -> dict[str, dict[str, Any]]:
    """Return the properties of every table of the template by logical id."""
    resources = read_template(template_path)["Resources"]
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in resources.items()
        if resource["Type"] == _TABLE_TYPE
    }


def create_tables(dynamodb_client: DynamoDBClient, template_path: Path = TEMPLATE) -> dict[str, str]:
    """Create every table of the template; return logical id → table name (the logical id
    itself).
    """
    for logical_id, properties in table_definitions(template_path).items():
        _create_table(dynamodb_client, logical_id, properties)
    return {logical_id: logical_id for logical_id in table_definitions(template_path)}


def _create_table(dynamodb: DynamoDBClient, name: str, properties: dict[str, Any]) -> None:
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": properties["BillingMode"],
        "AttributeDefinitions": properties["AttributeDefinitions"],
        "KeySchema": properties["KeySchema"],
    }
    for indexes in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if indexes in properties:
            request[indexes] = properties[indexes]
    if "StreamSpecification" in properties:
        request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    dynamodb.create_table(**request)
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
