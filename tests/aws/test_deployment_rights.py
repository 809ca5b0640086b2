"""`account.yaml`: what the deployer, and CloudFormation in their name, may do, decided by the
emulator's evaluator.

What CloudFormation needs is what AWS's registry lists for the types of the stack's resources, as
cfn-lint carries it: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cfnlint
import pytest
import yaml
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from reassort_ops.account.role_rights import ROLES

from harness.engines.template import CloudFormationLoader
from tests.aws.test_role_rights import RESOURCES as OF_STACK
from tests.aws.test_role_rights import all_rights
from tests.aws.test_rules import ROOT, translated

if TYPE_CHECKING:
    pass

type Json = dict[str, Any]

pytestmark = pytest.mark.req("O11")
ACCOUNT = "123456789012"
REGION = "eu-west-3"
HERE = f"{REGION}:{ACCOUNT}"
VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "reassort-account",
    "StackName": "reassort",
    "SenderDomain": "example.fr",
    "RoleBoundary": f"arn:aws:iam::{ACCOUNT}:policy/reassort-account-RoleBoundary-1",
    "TrailKey": f"arn:aws:kms:{HERE}:key/trail",
    "TrailBucket": "arn:aws:s3:::reassort-account-trailbucket-1",
    "ArtefactBucket": "arn:aws:s3:::reassort-account-artefactbucket-1",
    "DeploymentRole": f"arn:aws:iam::{ACCOUNT}:role/reassort-account-DeploymentRole-1",
}
BOUNDED = {"iam:permissionsboundary": VALUES["RoleBoundary"]}
DEPLOYMENT = ("DeploymentOfState", "DeploymentOfCode", "DeploymentOfEdge")


@cache
def account() -> Json:
    """Return the template."""
    read: Json = yaml.load((ROOT / "account.yaml").read_text("utf-8"), CloudFormationLoader)  # noqa: S506 - a safe one
    return read


def resolved(node: Any) -> Any:
    match node:
        case {"Fn::If": [_, whole, _]}:
            return resolved(whole)
        case {"Ref": str(name)}:
            return VALUES[name]
        case {"Fn::GetAtt": str(attribute)}:
            return VALUES[attribute.partition(".")[0]]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)(?:\.Arn)?\}", lambda found: VALUES[found[1]], text)
        case dict():
            return {key: resolved(part) for key, part in node.items()}
        case list():
            return [resolved(part) for part in node]
        case _:
            return node


def statements(*policies: str) -> list[Json]:
    """Return what managed policies of the template say, for the stack `reassort`."""
    resources = account()["Resources"]
    return [
        one for policy in policies for one in resolved(resources[policy]["Properties"]["PolicyDocument"]["Statement"])
    ]


def is_allowed(found: list[Json], action: str, resource: str, context: dict[str, Any] | None = None) -> bool:
    """Tell what IAM would decide."""
    request = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
        service_context=dict(context or {}),
    )
    decision: str = evaluate(request, [parse_policy_document({"Statement": found})]).decision
    return decision == "Allow"


# An ARN of each kind that the stack `reassort` has, by service.
OWN: dict[str, tuple[str, ...]] = {
    "apigateway": tuple(
        f"arn:aws:apigateway:{REGION}::/{path}"
        for path in ("restapis", "restapis/1", "restapis/1/stages/v1", "account", "tags/1")
    ),
    "cloudformation": (f"arn:aws:cloudformation:{HERE}:stack/reassort-EdgeStack-1/1",),
    "cloudfront": (f"arn:aws:cloudfront::{ACCOUNT}:distribution/1", "*"),
    "cloudwatch": (
        f"arn:aws:cloudwatch:{HERE}:alarm:reassort-WaitingAlarm",
        f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/reassort",
        "*",
    ),
    "cognito-identity": (f"arn:aws:cognito-identity:{HERE}:identitypool/1", "*"),
    "cognito-idp": (f"arn:aws:cognito-idp:{HERE}:userpool/1", "*"),
    "dynamodb": (f"arn:aws:dynamodb:{HERE}:table/reassort-VotersTable-1",),
    "events": (f"arn:aws:events:{HERE}:rule/reassort-NotifyFunctionSweeper-1",),
    "iam": (f"arn:aws:iam::{ACCOUNT}:role/reassort-NotifyRole-1", f"arn:aws:iam::{ACCOUNT}:policy/reassort-Policy-1"),
    "kms": (f"arn:aws:kms:{HERE}:key/1", "*"),
    "lambda": (
        f"arn:aws:lambda:{HERE}:function:reassort-NotifyFunction-1",
        f"arn:aws:lambda:{HERE}:layer:SharedLayer",
        f"arn:aws:lambda:{HERE}:layer:SharedLayer:1",
        f"arn:aws:lambda:{HERE}:event-source-mapping:1",
    ),
    "logs": (
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/reassort-notify:*",
        f"arn:aws:logs:{HERE}:log-group:reassort-ApiLogs-1:*",
        f"arn:aws:logs:{HERE}:log-group:sns/{REGION}/{ACCOUNT}/DirectPublishToPhoneNumber:*",
        "*",
    ),
    "s3": ("arn:aws:s3:::reassort-edgestack-1-sitebucket-1", f"{VALUES['ArtefactBucket']}/code.zip"),
    "secretsmanager": (f"arn:aws:secretsmanager:{HERE}:secret:reassort-origin-blue-1-1-AbCdEf", "*"),
    "ses": (
        f"arn:aws:ses:{HERE}:configuration-set/reassort-messages",
        f"arn:aws:ses:{HERE}:identity/example.fr",
        "*",
    ),
    "sns": (f"arn:aws:sns:{HERE}:reassort-AlarmTopic-1", "*"),
    "sqs": (f"arn:aws:sqs:{HERE}:reassort-RetryQueue-1",),
    "wafv2": (f"arn:aws:wafv2:{HERE}:regional/webacl/reassort-api/1", "*"),
}
_CONTEXT = {
    **BOUNDED,
    "iam:passedtoservice": "lambda.amazonaws.com",
    "kms:viaservice": f"dynamodb.{REGION}.amazonaws.com",
    "kms:grantisforawsresource": "true",
    "lambda:functionarn": f"arn:aws:lambda:{HERE}:function:reassort-NotifyFunction-1",
}
# What the registry lists for properties that no resource of the stack has, and why it is left out.
UNUSED = {
    r"dynamodb:(BatchWriteItem|DeleteItem|GetItem|PutItem|Query|Scan|UpdateItem)": "tables in several regions",
    r"dynamodb:(AssociateTableReplica|CreateTableReplica)": "tables in several regions",
    r"dynamodb:(DescribeImport|ImportTable)": "a table that is filled from a bucket",
    r"dynamodb:\w*KinesisStreamingDestination|kinesis:\w+": "changes sent to Kinesis",
    r"dynamodb:(Put|Delete)ResourcePolicy": "another account's rights on a table",
    r"dynamodb:UpdateContributorInsights": "insights",
    r"kms:(ListAliases|RevokeGrant)": "an alias, a table that loses its key",
    r"logs:(CreateLogStream|DescribeLogStreams|PutLogEvents|CreateLogDelivery)": "an import's log, log delivery",
    r"logs:\w*(IndexPolicy|ResourcePolicy|BearerTokenAuthentication|LogGroupDeletionProtection)": "properties of logs",
    r"firehose:\w+": "log delivery",
    r"s3:GetObjectMetadata|s3:REST\.PUT\.OBJECT|s3:ListBucket|s3:DeleteObject|s3:PutObjectAcl": "objects of buckets",
    r"iam:CreateServiceLinkedRole": "roles that AWS makes for a service, once in an account",
    r"iam:(Attach|Detach|Put|Delete|Get)(User|Group)Policy": "policies of users and groups",
    r"iam:DeleteRolePermissionsBoundary": "a role without its boundary",
    r"codedeploy:\w+": "traffic that moves by and by",
    r"ec2:\w+|elasticfilesystem:\w+|s3files:\w+|lambda:PassCapacityProvider": "functions in a network, files",
    r"lambda:\w*(CodeSigningConfig|FunctionScalingConfig)": "signed code, scaling",
    r"cognito-sync:\w+|cognito-idp:AddCustomAttributes": "what the pool does not have",
    r"s3tables:\w+": "tables of S3",
    r"s3:DeleteBucketEncryption": "no action of IAM",
    r"(?i:s3):\w*(Website|Metadata\w*|Analytics\w*|Cors|CORS|Lifecycle\w*|Metrics\w*|Replication\w*|Accelerate\w*"
    r"|Abac|BucketAcl|Logging|Notification|ObjectLock\w*|IntelligentTiering\w*|Inventory\w*)": "properties of buckets",
    r"s3:(ListTagsForResource|TagResource|UntagResource)": "tags of other things than buckets",
    r"ses:PutConfigurationSet(Archiving|Tracking|Vdm)Options|ses:PutEmailIdentityMailFromAttributes": "the rest of SES",
    r"secretsmanager:(RemoveRegionsFromReplication|ReplicateSecretToRegions)": "a secret in several regions",
    r"sns:PutDataProtectionPolicy": "what a topic masks",
    r"cloudfront:(\w*ConnectionGroup|GetVpcOrigin)": "tenants, networks",
    r"cloudfront:(CreateDistributionWithTags|UpdateDistributionWithStagingConfig)": "tags, staging",
    r"cloudformation:(GetStackPolicy|SetStackPolicy|UpdateTerminationProtection)": "protection of nested stacks",
    r"wafv2:(Get|Put)PermissionPolicy": "rule groups that are shared",
    r"(amplify|apprunner|appsync|bedrock-agentcore|cognito-idp|ec2|elasticloadbalancing):\w*(WebA[Cc][Ll]|WebAclForService"
    r"|WebACLAssociation)\w*": "other things than a stage behind the firewall",
}


@cache
def needed() -> dict[str, frozenset[str]]:
    """Return the actions that the registry lists for making, changing and removing each type of
    resource of the stack.
    """
    handlers = {}
    for path in (Path(cfnlint.__file__).parent / "data" / "schemas" / "resources").glob("*.json"):
        schema = json.loads(path.read_text("utf-8"))
        handlers[schema["typeName"]] = schema.get("handlers", {})
    types = {
        part["Type"]
        for name in ("template.yaml", "edge.yaml", "helpdesk.yaml", "observability.yaml", "people.yaml")
        for part in translated(ROOT / name).template["Resources"].values()
    }
    return {
        kind: frozenset(
            action
            for handler in ("create", "read", "update", "delete")
            for action in handlers[kind].get(handler, {}).get("permissions", [])
        )
        for kind in types
    }


@cache
def refused() -> frozenset[str]:
    """Return which of these actions CloudFormation is refused."""
    found = statements(*DEPLOYMENT)
    return frozenset(
        action
        for action in frozenset[str]().union(*needed().values())
        if not any(
            is_allowed(found, action, resource, _CONTEXT) for resource in OWN.get(action.partition(":")[0].lower(), ())
        )
    )


def test_cloudformation_may_do_what_the_stack_is_made_of() -> None:
    assert len(needed()) > 35
    assert [action for action in sorted(refused()) if not any(re.fullmatch(one, action) for one in UNUSED)] == []


def test_every_reason_to_leave_an_action_out_is_one() -> None:
    assert [one for one in UNUSED if not any(re.fullmatch(one, action) for action in refused())] == []


def test_every_role_of_the_stack_takes_the_boundary() -> None:
    roles = [part for part in OF_STACK.values() if part["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 12
    for role in roles:
        boundary = role["Properties"]["PermissionsBoundary"]
        assert boundary == {"Fn::If": ["Bounded", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}


_KINDS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/reassort-",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:/aws/lambda/reassort-",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:reassort-",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:reassort-",
}


def _named(resource: str) -> str:
    """Return an ARN as AWS writes it for what the table of rights names."""
    if resource in {"*", "phone"}:
        return {"*": "*", "phone": "+33612345678"}[resource]
    if resource == "sender":
        return f"arn:aws:ses:{HERE}:identity/example.fr"
    logical_id, _, attribute = resource.partition(".")
    stream = "/stream/1" if attribute == "StreamArn" else ""
    return f"{_KINDS[OF_STACK[logical_id]['Type']]}{logical_id}-1{stream}"


@pytest.mark.parametrize("role", ROLES)
def test_a_function_keeps_all_its_rights_within_the_boundary(role: str) -> None:
    boundary = statements("RoleBoundary")
    allowed = [right for right in all_rights(role) if right.allowed]
    assert len(allowed) > 5
    assert [one for one in allowed if not is_allowed(boundary, one.action, _named(one.resource))] == []


_TABLE = OWN["dynamodb"][0]
_ROLE = OWN["iam"][0]


def test_what_no_role_of_the_stack_may_be_given() -> None:
    boundary = statements("RoleBoundary")
    for action, resource in (
        ("dynamodb:Scan", _TABLE),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/other"),
        ("dynamodb:DeleteTable", _TABLE),
        ("iam:CreateRole", _ROLE),
        ("sts:AssumeRole", _ROLE),
        ("s3:GetObject", f"{VALUES['TrailBucket']}/AWSLogs/1"),
        ("kms:Decrypt", VALUES["TrailKey"]),
        ("kms:Sign", f"arn:aws:kms:{HERE}:key/1"),
        ("lambda:InvokeFunction", OWN["lambda"][0]),
        ("logs:GetLogEvents", OWN["logs"][0]),
        ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{HERE}:stack/reassort/1"),
    ):
        assert not is_allowed(boundary, action, resource)
