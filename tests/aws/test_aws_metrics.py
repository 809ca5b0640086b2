"""Which metrics AWS's services emit, under which dimensions, and what those may be in a stack."""

from __future__ import annotations

import pytest
from deployed.aws_metrics import NAMESPACES
from deployed.stack import FilledTemplate

RESOURCES = {
    "Api": ("AWS::ApiGateway::RestApi", {"Name": "api"}),
    "Unnamed": ("AWS::ApiGateway::RestApi", {}),
    "Stage": ("AWS::ApiGateway::Stage", {"StageName": "v1"}),
    "Table": ("AWS::DynamoDB::Table", {}),
    "Named": ("AWS::DynamoDB::Table", {"TableName": "table"}),
    "Rule": ("AWS::Events::Rule", {"Name": "rule"}),
    "Function": ("AWS::Lambda::Function", {"FunctionName": "function"}),
    "Alias": ("AWS::Lambda::Alias", {"FunctionName": "function", "Name": "live"}),
    "Group": ("AWS::Logs::LogGroup", {"LogGroupName": "group"}),
    "Set": ("AWS::SES::ConfigurationSet", {"Name": "set"}),
    "Topic": ("AWS::SNS::Topic", {"TopicName": "topic"}),
    "Queue": ("AWS::SQS::Queue", {"QueueName": "queue"}),
    "Firewall": (
        "AWS::WAFv2::WebACL",
        {
            "VisibilityConfig": {"MetricName": "firewall"},
            "Rules": [{"VisibilityConfig": {"MetricName": "codes"}}, {"Name": "bare"}, "${Rule}"],
        },
    ),
}


@pytest.mark.parametrize(
    ("namespace", "metric", "sets"),
    [
        ("ApiGateway", "5XXError", ["ApiName", "ApiName Stage", "ApiName Method Resource Stage"]),
        ("DynamoDB", "ReadThrottleEvents", ["TableName", "GlobalSecondaryIndexName TableName"]),
        ("DynamoDB", "TransactionConflict", ["TableName"]),
        ("DynamoDB", "ThrottledRequests", ["Operation TableName"]),
        ("DynamoDB", "UserErrors", [""]),
        ("Events", "FailedInvocations", ["RuleName"]),
        ("Lambda", "Errors", ["", "FunctionName", "FunctionName Resource", "ExecutedVersion FunctionName Resource"]),
        ("Lambda", "ProvisionedConcurrencyUtilization", ["FunctionName Resource"]),
        ("Lambda", "ClaimedAccountConcurrency", [""]),
        ("Logs", "IncomingBytes", ["", "LogGroupName"]),
        ("Logs", "DeliveryErrors", ["DestinationType FilterName LogGroupName"]),
        ("SES", "Bounce", ["", "ses:configuration-set"]),
        ("SES", "Reputation.BounceRate", ["", "ses:configuration-set"]),
        ("SNS", "NumberOfNotificationsFailed", ["TopicName"]),
        ("SNS", "SMSMonthToDateSpentUSD", [""]),
        ("SNS", "SMSSuccessRate", ["", "Country SMSType"]),
        ("SQS", "NumberOfMessagesSent", ["QueueName"]),
        ("WAFV2", "BlockedRequests", ["Region Rule WebACL", "Rule WebACL", "Region Rule RuleGroup"]),
        ("WAFV2", "Errors", []),
    ],
)
def test_a_metric_has_the_dimensions_that_its_page_lists(namespace: str, metric: str, sets: list[str]) -> None:
    found = NAMESPACES[f"AWS/{namespace}"].dimension_sets(metric)
    assert [" ".join(sorted(dimensions)) for dimensions in found] == sets


def test_a_dimension_has_the_values_that_aws_forms() -> None:
    stack = FilledTemplate(
        {"Resources": {name: {"Type": kind, "Properties": given} for name, (kind, given) in RESOURCES.items()}}, {}
    )
    found = {
        f"{namespace} {dimension}": sorted(values(stack))
        for namespace, of_service in NAMESPACES.items()
        for dimension, values in of_service.values.items()
    }
    assert found == {
        "AWS/ApiGateway ApiName": ["api"],
        "AWS/ApiGateway Stage": ["${Stage}", "v1"],
        "AWS/DynamoDB TableName": ["${Named}", "${Table}", "table"],
        "AWS/Events RuleName": ["${Rule}", "rule"],
        "AWS/Lambda FunctionName": ["${Function}", "function"],
        "AWS/Lambda Resource": ["function:live"],
        "AWS/Logs LogGroupName": ["${Group}", "group"],
        "AWS/SES ses:configuration-set": ["${Set}", "set"],
        "AWS/SNS TopicName": ["${Topic.TopicName}", "topic"],
        "AWS/SQS QueueName": ["${Queue.QueueName}", "queue"],
        "AWS/WAFV2 WebACL": ["firewall"],
        "AWS/WAFV2 Rule": ["", "", "ALL", "Default_Action", "codes"],
        "AWS/WAFV2 Region": ["${AWS::Region}"],
    }
