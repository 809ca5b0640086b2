"""What the template protects, and that a slip in it is seen: each protection is taken away in turn
from a copy.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.engines.template import read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]

_KEY = {"Fn::GetAtt": "EncryptionKey.Arn"}
# What each resource of a type has, and what it says there.
_PROTECTED: dict[str, dict[str, Any]] = {
    "AWS::DynamoDB::Table": {
        "DeletionProtectionEnabled": {"Fn::If": ["Protected", True, False]},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": _KEY},
    },
    "AWS::SQS::Queue": {"SqsManagedSseEnabled": True},
    "AWS::SNS::Topic": {"KmsMasterKeyId": _KEY},
    "AWS::Logs::LogGroup": {"KmsKeyId": _KEY, "RetentionInDays": {"Ref": "LogRetentionDays"}},
    "AWS::S3::Bucket": {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
    },
}
# They hold telephone numbers: a day, whatever the other logs have.
_EXCEPT = {("SmsDeliveredLogs", "RetentionInDays"), ("SmsFailedLogs", "RetentionInDays")}
_STREAM_SOURCE = ("FilterCriteria", "DestinationConfig", "MaximumRecordAgeInSeconds", "FunctionResponseTypes")
_OUTBOX = {"Filters": [{"Pattern": '{"dynamodb": {"NewImage": {"wake": {"S": ["queued"]}}}}'}]}


def faults(template: Json) -> list[str]:
    """Return what the template does not protect."""
    resources: dict[str, Json] = template["Resources"]
    found = []
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        for key, value in _PROTECTED.get(resource["Type"], {}).items():
            if (name, key) not in _EXCEPT and properties.get(key) != value:
                found.append(f"{name}.{key}")
        if resource["Type"] == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" not in properties:
            kept = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            found += [f"{name} is not kept"] if kept != ("RetainExceptOnCreate", "Retain") else []
        if resource["Type"] == "AWS::Serverless::Function":
            found += [f"{name}: {fault}" for fault in _function_faults(properties, resources)]
        if resource["Type"] in {"AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}:
            statements = properties["PolicyDocument"]["Statement"]
            found += [f"{name}: {fault}" for one in statements for fault in _statement_faults(_whole(one))]
    protected = template["Conditions"]["Protected"]
    return found + ([] if protected == {"Fn::Equals": [{"Ref": "DeletionProtection"}, "true"]} else ["Protected"])


def _function_faults(properties: Json, resources: dict[str, Json]) -> Iterator[str]:
    variables = properties.get("Environment", {}).get("Variables", {})
    for variable, value in variables.items():
        named = value.get("Ref") if isinstance(value, dict) else None
        if named in resources and re.sub(r"(?<=[a-z])(?=[A-Z])", "_", named).upper() != variable:
            yield f"{variable} is {named}"
        if variable.endswith(("_TABLE", "_KEY")) and named not in resources:
            yield f"{variable} is no resource"
    for source in properties.get("Events", {}).values():
        given = source["Properties"]
        if source["Type"] == "DynamoDB":
            yield from (f"{given['Stream']} without {key}" for key in _STREAM_SOURCE if key not in given)
            if "Deliveries" in str(given["Stream"]) and given.get("FilterCriteria") != _OUTBOX:
                yield f"{given['Stream']} wakes for something else"


def _whole(statement: Json) -> Json:
    whole: Json = statement["Fn::If"][1] if "Fn::If" in statement else statement
    return whole


def _statement_faults(statement: Json) -> Iterator[str]:
    who, condition = statement["Principal"], statement.get("Condition", {})
    # A role of this template is named whole; a service or an account acts for many.
    if not ("AWS" in who and "Fn::GetAtt" in who["AWS"]) and not condition:
        yield f"{who} without a condition"
    if statement["Action"] == "sns:Subscribe" and condition.get("StringEquals", {}).get("sns:Protocol") != "sqs":
        yield "other protocols than SQS"


def test_template_protects_what_it_holds() -> None:
    assert faults(read_template()) == []


@dataclass(frozen=True)
class TemplateSlip:
    """What stands at a place of the template, changed; taken away when `value` is None."""

    place: tuple[str | int, ...]
    value: Any = None

    def __str__(self) -> str:
        return ".".join(map(str, self.place)) + (f"={self.value}" if self.value else "")

    def make(self, template: Json) -> None:
        """Change a template."""
        part: Any = template["Resources"]
        for step in self.place[:-1]:
            part = part[step]
        if self.value is None:
            del part[self.place[-1]]
        else:
            part[self.place[-1]] = self.value


def slips(name: str, resource: Json) -> Iterator[TemplateSlip]:
    """Yield every slip in a resource that the rules above are about."""
    kind, properties = resource["Type"], resource.get("Properties", {})
    for key in _PROTECTED.get(kind, {}):
        if (name, key) not in _EXCEPT:
            yield TemplateSlip((name, "Properties", key))
    if kind == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" not in properties:
        yield from (TemplateSlip((name, key), "Delete") for key in ("DeletionPolicy", "UpdateReplacePolicy"))
    function = properties if kind == "AWS::Serverless::Function" else {}
    for variable in function.get("Environment", {}).get("Variables", {}):
        place = (name, "Properties", "Environment", "Variables", variable)
        if variable.endswith("_TABLE"):
            yield TemplateSlip(place, {"Ref": "PaceTable" if variable != "PACE_TABLE" else "LimitsTable"})
        if variable.endswith("_KEY"):
            yield TemplateSlip(place, {"Ref": "RegisterKey"})
    for event, source in function.get("Events", {}).items():
        place = (name, "Properties", "Events", event, "Properties")
        if source["Type"] == "DynamoDB":
            yield from (TemplateSlip((*place, key)) for key in _STREAM_SOURCE)
    if kind in {"AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}:
        for number, one in enumerate(properties["PolicyDocument"]["Statement"]):
            within = ("Fn::If", 1) if "Fn::If" in one else ()
            if "Condition" in _whole(one):
                yield TemplateSlip((name, "Properties", "PolicyDocument", "Statement", number, *within, "Condition"))


SLIPS = [slip for name, resource in read_template()["Resources"].items() for slip in slips(name, resource)]


@pytest.mark.parametrize("slip", SLIPS, ids=str)
def test_a_slip_is_seen(slip: TemplateSlip) -> None:
    template = deepcopy(read_template())
    slip.make(template)
    assert faults(template)


def test_every_kind_of_slip_is_tried() -> None:
    assert len(SLIPS) > 100
