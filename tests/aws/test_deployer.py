"""What the deployer of `account.yaml`, and CloudFormation in their name, may never do; then every
statement is widened in turn, and something must say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.test_deployment_rights import (
    ACCOUNT,
    BOUNDED,
    DEPLOYMENT,
    HERE,
    OWN,
    REGION,
    VALUES,
    is_allowed,
    statements,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]

pytestmark = pytest.mark.req("O11")
_CODE = f"arn:aws:lambda:{HERE}:function:reassort-NotifyFunction-1"
_TABLE = f"arn:aws:dynamodb:{HERE}:table/reassort-VotersTable-1"
_LOGS = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/reassort-notify:*"
_QUEUE = f"arn:aws:sqs:{HERE}:reassort-DeadLetterQueue-1"
_POOL = f"arn:aws:cognito-idp:{HERE}:userpool/1"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/reassort-NotifyRole-1"
_ITSELF = f"arn:aws:iam::{ACCOUNT}:role/reassort-account-DeploymentRole-1"
# What neither the deployer nor CloudFormation in their name may do: read what the service holds,
# change what watches and bounds them.
NEVER: tuple[tuple[str, str], ...] = (
    *(
        (f"dynamodb:{action}", _TABLE)
        for action in [
            "BatchGetItem",
            "BatchWriteItem",
            "ConditionCheckItem",
            "DeleteItem",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "UpdateItem",
            "PartiQLSelect",
            "PartiQLUpdate",
            "ExportTableToPointInTime",
            "RestoreTableToPointInTime",
            "CreateBackup",
            "PutResourcePolicy",
        ]
    ),
    ("dynamodb:GetRecords", f"{_TABLE}/stream/1"),
    *(
        (f"kms:{action}", f"arn:aws:kms:{HERE}:key/1")
        for action in ["Decrypt", "Encrypt", "GenerateMac", "Sign", "ReEncryptFrom"]
    ),
    *(
        (f"kms:{action}", VALUES["TrailKey"])
        for action in ["Decrypt", "PutKeyPolicy", "ScheduleKeyDeletion", "DisableKey"]
    ),
    ("lambda:InvokeFunction", _CODE),
    ("lambda:InvokeFunctionUrl", _CODE),
    *((f"sqs:{action}", _QUEUE) for action in ["ReceiveMessage", "SendMessage", "DeleteMessage", "PurgeQueue"]),
    *(
        (f"logs:{action}", _LOGS)
        for action in ["GetLogEvents", "FilterLogEvents", "StartQuery", "StartLiveTail", "Unmask"]
    ),
    ("sns:Publish", f"arn:aws:sns:{HERE}:reassort-PlatformTopic-1"),
    ("ses:SendEmail", f"arn:aws:ses:{HERE}:identity/example.fr"),
    ("execute-api:Invoke", f"arn:aws:execute-api:{HERE}:1/v1/POST/helpdesk/look"),
    *((f"cognito-idp:{action}", _POOL) for action in ["AdminCreateUser", "AdminSetUserPassword", "ListUsers"]),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:other-AbCdEf"),
    ("s3:GetObject", f"{VALUES['TrailBucket']}/AWSLogs/1"),
    ("s3:DeleteObject", f"{VALUES['TrailBucket']}/AWSLogs/1"),
    ("s3:PutBucketPolicy", VALUES["TrailBucket"]),
    ("s3:DeleteBucket", VALUES["TrailBucket"]),
    *(
        (f"cloudtrail:{action}", f"arn:aws:cloudtrail:{HERE}:trail/reassort-people")
        for action in ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"]
    ),
    ("iam:CreateRole", _ROLE),
    ("iam:PutRolePolicy", _ROLE),
    ("iam:AttachRolePolicy", _ROLE),
    ("iam:DeleteRolePermissionsBoundary", _ROLE),
    ("iam:CreatePolicyVersion", VALUES["RoleBoundary"]),
    ("iam:UpdateAssumeRolePolicy", _ITSELF),
    ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/other"),
    ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/other"),
    ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/other"),
    ("iam:PassRole", _ROLE),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/other"),
    ("sts:AssumeRole", _ROLE),
    ("sts:AssumeRole", _ITSELF),
    ("cloudformation:DeleteStack", f"arn:aws:cloudformation:{HERE}:stack/reassort-account/1"),
    ("cloudformation:UpdateTerminationProtection", f"arn:aws:cloudformation:{HERE}:stack/reassort/1"),
    ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{HERE}:stack/other/1"),
    ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{HERE}:table/other"),
    ("iam:PassRole", _ITSELF),
    ("kms:CreateGrant", OWN["kms"][0]),
    ("cognito-identity:LookupDeveloperIdentity", OWN["cognito-identity"][0]),
    ("s3:GetObject", "arn:aws:s3:::other/1"),
    ("s3:DeleteBucket", "arn:aws:s3:::other"),
    ("s3:DeleteObject", f"{VALUES['ArtefactBucket']}/code.zip"),
    ("lambda:CreateEventSourceMapping", f"arn:aws:lambda:{HERE}:event-source-mapping:1"),
    ("apigateway:DELETE", f"arn:aws:apigateway:{REGION}::/domainnames/other"),
    ("events:DeleteRule", f"arn:aws:events:{HERE}:rule/other"),
    ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{HERE}:alarm:other"),
    ("cloudfront:CreateInvalidation", OWN["cloudfront"][0]),
    ("wafv2:DeleteWebACL", f"arn:aws:wafv2:{HERE}:regional/webacl/other/1"),
)
# What a deployer does, each with its context.
DEPLOYS: tuple[tuple[str, str, dict[str, str]], ...] = (
    *(
        (f"cloudformation:{action}", f"arn:aws:cloudformation:{HERE}:stack/reassort/1", {})
        for action in [
            "CreateChangeSet",
            "DescribeChangeSet",
            "ExecuteChangeSet",
            "DescribeStacks",
            "DescribeStackEvents",
            "GetTemplate",
            "GetTemplateSummary",
            "DeleteStack",
            "RollbackStack",
            "ListChangeSets",
        ]
    ),
    ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{REGION}:aws:transform/Serverless-2016-10-31", {}),
    ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{REGION}:aws:transform/Include", {}),
    ("iam:PassRole", _ITSELF, {"iam:passedtoservice": "cloudformation.amazonaws.com"}),
    ("s3:PutObject", f"{VALUES['ArtefactBucket']}/1", {}),
    ("s3:ListBucket", VALUES["ArtefactBucket"], {}),
    ("s3:PutObject", "arn:aws:s3:::reassort-edgestack-1-sitebucket-1/index.html", {}),
    ("s3:DeleteObject", "arn:aws:s3:::reassort-edgestack-1-sitebucket-1/index.html", {}),
)
# What CloudFormation may do in a deployer's name and the deployer may not.
HANDED_ON: tuple[tuple[str, str], ...] = (
    ("dynamodb:DeleteTable", _TABLE),
    ("lambda:UpdateFunctionCode", _CODE),
    ("kms:PutKeyPolicy", f"arn:aws:kms:{HERE}:key/1"),
    ("iam:UpdateAssumeRolePolicy", _ROLE),
    ("secretsmanager:GetSecretValue", OWN["secretsmanager"][0]),
    ("cloudformation:CreateStack", OWN["cloudformation"][0]),
)


def wrong(deployer: list[Json], deployment: list[Json]) -> list[str]:
    """Return what the two sets of statements decide otherwise than they should."""
    return [
        *(f"never {action} {resource}" for action, resource in NEVER if is_allowed(deployer, action, resource)),
        *(
            f"never, handed on, {action} {resource}"
            for action, resource in NEVER
            if is_allowed(deployment, action, resource)
        ),
        *(f"deploys {one}" for one in DEPLOYS if not is_allowed(deployer, *one)),
        *(
            f"hands on {one}"
            for one in HANDED_ON
            if is_allowed(deployer, *one) and one[0] != "cloudformation:CreateStack"
        ),
        *(f"hands on {one}" for one in HANDED_ON if not is_allowed(deployment, *one)),
    ]


def test_who_deploys_reads_nothing_and_changes_nothing_that_watches_them() -> None:
    assert wrong(statements("DeployerPolicy"), statements(*DEPLOYMENT)) == []


def test_a_role_is_given_rights_under_the_boundary_alone() -> None:
    found = statements(*DEPLOYMENT)
    other = {"iam:permissionsboundary": f"arn:aws:iam::{ACCOUNT}:policy/mine"}
    for action in ("CreateRole", "PutRolePolicy", "AttachRolePolicy", "PutRolePermissionsBoundary"):
        assert is_allowed(found, f"iam:{action}", _ROLE, BOUNDED)
        assert not is_allowed(found, f"iam:{action}", _ROLE, other)
        assert not is_allowed(found, f"iam:{action}", _ROLE)
    for service, passed in (("lambda.amazonaws.com", True), ("ec2.amazonaws.com", False)):
        assert is_allowed(found, "iam:PassRole", _ROLE, {"iam:passedtoservice": service}) is passed


def _slips() -> Iterator[tuple[str, int, str]]:
    for policy in ("DeployerPolicy", *DEPLOYMENT):
        for number, one in enumerate(statements(policy)):
            if one["Effect"] == "Deny":
                yield policy, number, "no refusal"
            elif "Condition" in one:
                yield policy, number, "no condition"
            if one["Effect"] == "Allow":
                yield policy, number, "every action"


@pytest.mark.parametrize("slip", list(_slips()), ids=lambda slip: "-".join(map(str, slip)))
def test_a_statement_of_the_deployer_that_is_widened_allows_what_it_never_may(slip: tuple[str, int, str]) -> None:
    policy, number, what = slip
    documents = {name: [dict(one) for one in statements(name)] for name in ("DeployerPolicy", *DEPLOYMENT)}
    one = documents[policy][number]
    match what:
        case "no refusal":
            del documents[policy][number]
        case "no condition":
            del one["Condition"]
        case "every action":
            actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
            one["Action"] = sorted({f"{action.partition(':')[0]}:*" for action in actions})
            one.pop("Condition", None)
            one["Resource"] = "*"
    deployment = [part for name in DEPLOYMENT for part in documents[name]]
    assert wrong(documents["DeployerPolicy"], deployment)
