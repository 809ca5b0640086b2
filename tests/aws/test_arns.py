"""What a reference to an ARN becomes: an ARN that AWS's reference knows as one of its kind."""

from __future__ import annotations

import pytest
from deployed.arns import written_out
from deployed.service_reference import resource_types
from deployed.stack import FilledTemplate


def written(text: str, kind: str) -> str:
    """Return a text that may refer to a resource of a type, called It, written out."""
    return written_out(FilledTemplate({"Resources": {"It": {"Type": kind}}}, {}), text)


@pytest.mark.parametrize(
    ("kind", "attribute", "types"),
    [
        ("AWS::DynamoDB::Table", ".Arn", {"dynamodb table"}),
        ("AWS::DynamoDB::Table", ".StreamArn", {"dynamodb stream"}),
        ("AWS::KMS::Key", ".Arn", {"kms key"}),
        ("AWS::Lambda::Function", ".Arn", {"lambda function"}),
        ("AWS::Lambda::Alias", "", {"lambda function alias", "lambda function version"}),
        ("AWS::Lambda::Version", "", {"lambda function alias", "lambda function version"}),
        ("AWS::Lambda::LayerVersion", "", {"lambda layerVersion"}),
        ("AWS::Logs::LogGroup", ".Arn", {"logs log-group", "logs log-stream"}),
        ("AWS::SNS::Topic", "", {"sns topic"}),
        ("AWS::SNS::Topic", ".TopicArn", {"sns topic"}),
        ("AWS::SQS::Queue", ".Arn", {"sqs queue"}),
        ("AWS::S3::Bucket", ".Arn", {"s3 bucket"}),
        ("AWS::SecretsManager::Secret", "", {"secretsmanager Secret"}),
        ("AWS::SecretsManager::Secret", ".Id", {"secretsmanager Secret"}),
        ("AWS::IAM::Role", ".Arn", {"iam role"}),
        ("AWS::IAM::ManagedPolicy", "", {"iam policy"}),
        ("AWS::WAFv2::WebACL", ".Arn", {"wafv2 webacl"}),
        ("AWS::CloudWatch::Alarm", ".Arn", {"cloudwatch alarm"}),
        ("AWS::CloudWatch::CompositeAlarm", ".Arn", {"cloudwatch alarm"}),
        ("AWS::Cognito::UserPool", ".Arn", {"cognito-idp userpool"}),
    ],
)
def test_what_is_written_is_an_arn_of_that_kind(kind: str, attribute: str, types: set[str]) -> None:
    arn = written(f"${{It{attribute}}}", kind)
    assert {" ".join(found) for found in resource_types(arn)} == types
    assert "It" in arn.split(":", 5)[5]


def test_what_is_no_arn_stays_as_it_is() -> None:
    text = "${It.Arn}/index/* ${It} ${It.Name} ${Other.Arn} ${AWS::Region}"
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/It"
    assert written(text, "AWS::DynamoDB::Table") == text.replace("${It.Arn}", arn)
