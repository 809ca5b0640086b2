"""The rules about quotas say nothing of what AWS just takes, and tell of one more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.test_rules import said

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RULE = "Resources/R: R has about {} characters of its rule, and AWS takes 10240"
# How long what stands for them may become: the name of what is made has the stack's before it and a
# random part behind.
PLACEHOLDERS = {
    "AWS::Partition": len("aws-us-gov"),
    "AWS::Region": len("ap-southeast-1"),
    "AWS::AccountId": len("123456789012"),
    "AWS::StackName": 40,
    "AWS::URLSuffix": len("amazonaws.com.cn"),
    "R": 40 + len("-R-") + 12,
    "R.Arn": 40 + len("-R-") + 12,
}


@dataclass(frozen=True)
class Quota:
    """A quota: its rule, what makes a template of a size, the largest, and what is said of more."""

    rule: str
    sized: Callable[[int], dict[str, Any]]
    most: int
    message: str


def many(count: int, one: object) -> dict[str, Any]:
    """Return so many of the same, each under a name."""
    return {f"N{number}": one for number in range(count)}


def resource(kind: str, **properties: object) -> dict[str, Any]:
    """Return a template with one resource."""
    return {"Resources": {"R": {"Type": kind, "Properties": properties}}}


def document(size: int) -> dict[str, str]:
    """Return what has so many characters as JSON."""
    return {"x": "x" * (size - len('{"x":""}'))}


def policy(role: str, size: int) -> dict[str, Any]:
    """Return an inline policy of a role, as a resource of its own."""
    return {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": role}], "PolicyDocument": document(size)}}


def dashboard(*metrics: int) -> dict[str, Any]:
    """Return a template with a dashboard, and so many metrics in each of its widgets."""
    body = {"widgets": [{"properties": {"metrics": [["AWS/SNS", "PublishSize"]] * count}} for count in metrics]}
    return resource("AWS::CloudWatch::Dashboard", DashboardBody=json.dumps(body))


def composite(placeholder: str, length: int) -> Callable[[int], dict[str, Any]]:
    """Return what makes templates with a composite alarm; in its rule stands what may become so
    long.
    """
    return lambda size: resource(
        "AWS::CloudWatch::CompositeAlarm", AlarmRule={"Fn::Sub": "x" * (size - length) + placeholder}
    )


def firewall(units: int) -> dict[str, Any]:
    """Return a template with a web ACL of that capacity."""
    group = {"Statement": {"ManagedRuleGroupStatement": {"Name": "AWSManagedRulesCommonRuleSet"}}}
    country: dict[str, Any] = {"Statement": {"GeoMatchStatement": {}}}
    return resource("AWS::WAFv2::WebACL", Rules=[group] * 7 + [country] * (units - 7 * 700))


def accented(size: int) -> dict[str, Any]:
    """Return a template that is so large with its accents written out, and less than that in its
    file.
    """
    accents = "é" * 100_000
    rest = size - len(json.dumps({"Resources": {}, "Metadata": accents}, separators=(",", ":")))
    return {"Resources": {}, "Metadata": accents + "x" * rest}


QUOTAS = {
    "bytes": Quota(
        "E9013",
        accented,
        1_000_000,
        ": the translated template has {} bytes, and CloudFormation takes 1000000",
    ),
    "resources": Quota(
        "E9013",
        lambda size: {"Resources": many(size, {"Type": "AWS::SNS::Topic"})},
        500,
        "Resources: {} Resources are more than 500",
    ),
    "parameters": Quota(
        "E9013",
        lambda size: {"Resources": {}, "Parameters": many(size, {"Type": "String"})},
        200,
        "Parameters: {} Parameters are more than 200",
    ),
    "outputs": Quota(
        "E9013",
        lambda size: {"Resources": {}, "Outputs": many(size, {"Value": "x"})},
        200,
        "Outputs: {} Outputs are more than 200",
    ),
    "mappings": Quota(
        "E9013",
        lambda size: {"Resources": {}, "Mappings": many(size, {"x": {"x": "x"}})},
        200,
        "Mappings: {} Mappings are more than 200",
    ),
    "keys": Quota(
        "E9013",
        lambda size: {"Resources": {}, "Mappings": {"M": many(size, {"x": "x"})}},
        200,
        "Mappings/M: M has more than 200 keys",
    ),
    "inner keys": Quota(
        "E9013",
        lambda size: {"Resources": {}, "Mappings": {"M": {"x": many(size, "x")}}},
        200,
        "Mappings/M: M has more than 200 keys",
    ),
    "inline policies": Quota(
        "E9113",
        lambda size: {
            "Resources": {
                **resource("AWS::IAM::Role", Policies=[{"PolicyDocument": document(5_000)}])["Resources"],
                "Attached": policy("R", size - 5_000),
                "Elsewhere": policy("Other", 5_000),
            }
        },
        10_240,
        "Resources/R: R has about {} characters of inline policies, and AWS takes 10240",
    ),
    "trust policy": Quota(
        "E9113",
        lambda size: resource("AWS::IAM::Role", AssumeRolePolicyDocument=document(size)),
        2_048,
        "Resources/R: R has about {} characters of its trust policy, and AWS takes 2048",
    ),
    "managed policy": Quota(
        "E9113",
        lambda size: resource("AWS::IAM::ManagedPolicy", PolicyDocument=document(size)),
        6_144,
        "Resources/R: R has about {} characters of its document, and AWS takes 6144",
    ),
    "widgets": Quota(
        "E9213",
        lambda size: dashboard(*[0] * size),
        500,
        "Resources/R/Properties/DashboardBody: {} widgets are more than 500",
    ),
    "metrics of a widget": Quota(
        "E9213",
        lambda size: dashboard(0, size),
        500,
        "Resources/R/Properties/DashboardBody: {} metrics of a widget are more than 500",
    ),
    "metrics": Quota(
        "E9213",
        lambda size: dashboard(*[500] * 4, 250, size - 2_250),
        2_500,
        "Resources/R/Properties/DashboardBody: {} metrics are more than 2500",
    ),
    "metrics of an alarm": Quota(
        "E9313",
        lambda size: resource("AWS::CloudWatch::Alarm", Metrics=[{"MetricStat": {}}] * size + [{"Expression": "x"}]),
        10,
        "Resources/R/Properties/Metrics: {} metrics are more than 10",
    ),
    "rule": Quota("E9313", composite("", 0), 10_240, RULE),
    **{
        f"rule with {name}": Quota("E9313", composite(f"${{{name}}}", length), 10_240, RULE)
        for name, length in PLACEHOLDERS.items()
    },
    "environment": Quota(
        "E9413",
        lambda size: resource("AWS::Lambda::Function", Environment={"Variables": {"NAME": "é" + "x" * (size - 6)}}),
        4_096,
        "Resources/R: R has about {} characters of environment, and AWS takes 4096",
    ),
    "code": Quota(
        "E9513",
        lambda size: resource("AWS::CloudFront::Function", FunctionCode="é" + "x" * (size - 2)),
        10_240,
        "Resources/R: R has about {} characters of code, and AWS takes 10240",
    ),
    "capacity": Quota(
        "E9613",
        firewall,
        5_000,
        "Resources/R/Properties/Rules: {} units of capacity are more than 5000",
    ),
}


@pytest.mark.req("A13")
@pytest.mark.parametrize("name", QUOTAS)
def test_quota_is_met_to_the_last(name: str, tmp_path: Path) -> None:
    quota = QUOTAS[name]
    for size, expected in ((quota.most, []), (quota.most + 1, [quota.message.format(quota.most + 1)])):
        path = tmp_path / f"{size}.json"
        path.write_text(json.dumps(quota.sized(size), ensure_ascii=False), "utf-8")
        assert said(quota.rule, path) == expected


@pytest.mark.req("A13")
def test_file_counts_as_it_lies(tmp_path: Path) -> None:
    too_large = ": the file has 1000001 bytes, and CloudFormation takes 1000000"
    for size, expected in ((1_000_000, []), (1_000_001, [too_large])):
        path = tmp_path / f"{size}.json"
        path.write_text('{"Resources": {}}'.ljust(size), "utf-8")
        assert said("E9013", path) == expected
