"""Which actions a text of a policy names, on what and when, by AWS's service reference."""

from __future__ import annotations

import pytest
from deployed.service_reference import KnownAction, actions, overlap, resource_types

REST = {"Account", "Resources", "RestApi", "RestApis", "RestApiStage", "Tags"}


def action(pattern: str) -> KnownAction:
    """Return the one action that a text names."""
    (found,) = actions(pattern)
    return found


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("sqs:SendMessage", {"SendMessage"}),
        ("SQS:sendmessage", {"SendMessage"}),
        ("sqs:Get*", {"GetQueueAttributes", "GetQueueUrl"}),
        ("sqs:Send", set()),
        ("nothing:Send", set()),
    ],
)
def test_a_text_names_the_actions_that_there_are(pattern: str, names: set[str]) -> None:
    assert {found.name for found in actions(pattern)} == names
    assert {found.service for found in actions(pattern)} <= {"sqs"}


@pytest.mark.parametrize(
    ("pattern", "types"),
    [
        ("sqs:SendMessage", {"queue"}),
        ("sqs:ListQueues", set()),
        ("cloudformation:CreateChangeSet", {"stack", "transform"}),
        ("apigateway:SetWebACL", {"Stage", "Stages", "RestApiStage"}),
        ("apigateway:PUT", {"Api", "Apis"} | REST),
    ],
)
def test_an_action_can_be_limited_to_its_types_of_resource(pattern: str, types: set[str]) -> None:
    assert action(pattern).resource_types == types


@pytest.mark.parametrize("verb", ["DELETE", "GET", "PATCH", "POST", "PUT"])
def test_a_verb_of_api_gateway_is_of_both_its_versions(verb: str) -> None:
    assert action(f"apigateway:{verb}").resource_types > REST


@pytest.mark.parametrize(
    ("pattern", "key", "supported"),
    [
        ("sqs:ListQueues", "aws:SourceIp", True),
        ("sqs:ListQueues", "AWS:sourceip", True),
        ("sqs:ListQueues", "aws:ResourceTag/a", False),
        ("sqs:ListQueues", "aws:RequestTag/a", False),
        ("sqs:ListQueues", "aws:TagKeys", False),
        ("sns:Publish", "aws:ResourceTag/a", True),
        ("sns:Publish", "aws:ResourceTag/", False),
        ("sqs:CreateQueue", "aws:TagKeys", True),
        ("dynamodb:GetItem", "dynamodb:leadingkeys", True),
        ("dynamodb:GetItem", "kms:ViaService", False),
        ("apigateway:PUT", "apigateway:Resource/SecurityPolicy", True),
    ],
)
def test_a_request_has_the_condition_keys_of_its_action(pattern: str, key: str, supported: bool) -> None:
    assert action(pattern).supports(key) is supported


@pytest.mark.parametrize(
    ("arn", "types"),
    [
        ("*", set()),
        ("arn:aws:sqs:r:1", set()),
        ("arn:aws:nothing:r:1:a", set()),
        ("arn:aws:sqs:r:1:a", {"queue"}),
        ("arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Queue}", {"queue"}),
        ("arn:aws:s3:::a", {"bucket"}),
        ("arn:aws:s3:r::a", set()),
        ("arn:aws:s3::1:a", set()),
        ("arn:aws:cloudformation:r:aws:transform/a", {"transform"}),
        ("arn:aws:cloudformation:r:*:transform/a", {"transform"}),
        ("arn:aws:cloudformation:r:1:transform/a", set()),
        ("arn:aws:lambda:r:1:function:a", {"function"}),
        ("arn:aws:lambda:r:1:function:a:1", {"function alias", "function version"}),
        ("arn:aws:dynamodb:r:1:table/a", {"table"}),
        ("arn:aws:dynamodb:r:1:table/a/index/b", {"index"}),
        ("arn:aws:dynamodb:r:1:table/a/in?ex/b", {"table", "index"}),
        ("arn:aws:dynamodb:r:1:*/index/b", {"table", "index", "stream", "backup", "export", "import"}),
        ("arn:aws:apigateway:r::/restapis/a/stages/b", {"RestApiStage"}),
    ],
)
def test_an_arn_is_of_the_type_whose_form_says_most(arn: str, types: set[str]) -> None:
    found = resource_types(arn)
    assert {kind for _, kind in found} == types
    assert all(f":{service}:" in arn for service, _ in found)


@pytest.mark.parametrize(
    ("pattern", "form", "meet"),
    [
        ("", "", True),
        ("a", "", False),
        ("ab", "ab", True),
        ("ab", "ac", False),
        ("ab", "a", False),
        ("*", "", True),
        ("*b", "b", True),
        ("*b", "ab", True),
        ("*b", "a", False),
        ("b*", "ab", False),
        ("a*", "a", True),
        ("a*c", "abbc", True),
        ("?", "", False),
        ("?", "a", True),
        ("?", "ab", False),
        ("a?", "bc", False),
        ("", "${A}", False),
        ("a", "${A}", True),
        ("ab", "${A}", True),
        ("a", "${A}a", False),
        ("ba", "${A}a", True),
        ("b", "a${A}", False),
        ("*", "${A}/${B}", True),
        ("a/*", "${A}/b", True),
        ("a/*/c", "${A}/b", False),
    ],
)
def test_a_pattern_and_a_form_meet_when_a_text_fits_both(pattern: str, form: str, meet: bool) -> None:
    assert overlap(pattern, form) is meet
