"""Who may come to a topic, a key, a bucket or a role, and from where: each condition is taken away
in turn, and a stranger must then get in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from deployed.scenarios import defaults
from deployed.stack import FilledTemplate
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from reassort_ops.account.role_rights import Context

from tests.aws.test_deployment_rights import account
from tests.aws.test_template_values import filled

HERE, OTHER = "123456789012", "210987654321"
STRANGER = "999999999999"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-3", "AWS::AccountId": HERE, "AWS::StackName": "reassort"}
STACK = filled(
    **PSEUDO,
    DomainName="vote.example.fr",
    VotingPlatformAccount=OTHER,
    VotingPlatformPrincipal=f"arn:aws:iam::{OTHER}:role/platform",
)
# What an administrator makes beside it, with the trail of its own that is the default.
BESIDE = FilledTemplate(account(), defaults(account()) | PSEUDO)
# Where a policy stands in a resource of each type.
PLACES = {
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
}
_ALARM: Context = {
    "aws:SourceAccount": (HERE,),
    "aws:SourceArn": (f"arn:aws:cloudwatch:eu-west-3:{HERE}:alarm:reassort-DeadLetterAlarm",),
}
_PAGES: Context = {"aws:SourceArn": (f"arn:aws:cloudfront::{HERE}:distribution/${{Distribution}}",)}
_TRAIL: Context = {"aws:SourceArn": (f"arn:aws:cloudtrail:eu-west-3:{HERE}:trail/reassort-people",)}
_COGNITO = "cognito-identity.amazonaws.com"
_SIGNED_IN: Context = {f"{_COGNITO}:aud": ("${HelpdeskIdentities}",), f"{_COGNITO}:amr": ("authenticated",)}
# Who is let in, by resource and number of the statement: what AWS says of them.
LET_IN: dict[tuple[str, int], Context] = {
    ("EncryptionKey", 1): {
        "kms:EncryptionContext:aws:logs:arn": (f"arn:aws:logs:eu-west-3:{HERE}:log-group:/aws/lambda/reassort-login",)
    },
    ("EncryptionKey", 2): _ALARM,
    ("ReceiptsTopicPolicy", 0): {
        "aws:SourceAccount": (HERE,),
        "aws:SourceArn": (f"arn:aws:ses:eu-west-3:{HERE}:configuration-set/${{ConfigurationSet}}",),
    },
    ("AlarmTopicPolicy", 0): _ALARM,
    ("PlatformTopicPolicy", 1): {
        "sns:Protocol": ("sqs",),
        "sns:Endpoint": (f"arn:aws:sqs:eu-west-3:{OTHER}:events",),
    },
    ("SiteBucketPolicy", 0): _PAGES,
    ("HelpdeskBucketPolicy", 0): _PAGES,
    ("VotingPlatformRole", 0): {"aws:PrincipalArn": (f"arn:aws:iam::{OTHER}:role/platform",)},
    ("SmsStatusRole", 0): {"aws:SourceAccount": (HERE,)},
    ("AgentRole", 0): _SIGNED_IN,
    ("SupervisorRole", 0): _SIGNED_IN,
    ("AuditorRole", 0): _SIGNED_IN,
    ("DeploymentRole", 0): {"aws:SourceAccount": (HERE,)},
    ("TrailKey", 1): {
        **_TRAIL,
        "kms:EncryptionContext:aws:cloudtrail:arn": (f"arn:aws:cloudtrail:eu-west-3:{HERE}:trail/reassort-people",),
    },
    ("TrailKey", 2): _TRAIL,
    ("TrailBucketPolicy", 0): _TRAIL,
    ("TrailBucketPolicy", 1): {**_TRAIL, "s3:x-amz-acl": ("bucket-owner-full-control",)},
}
# The same of somebody else, by key.
ELSEWHERE = {
    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-3:{STRANGER}:log-group:/aws/lambda/reassort-login",
    "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:eu-west-3:{STRANGER}:trail/reassort-people",
    "s3:x-amz-acl": "public-read",
    "aws:SourceAccount": STRANGER,
    "aws:SourceArn": f"arn:aws:lambda:eu-west-3:{STRANGER}:function:other",
    "sns:Protocol": "email",
    "sns:Endpoint": f"arn:aws:sqs:eu-west-3:{STRANGER}:events",
    "aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/other",
    f"{_COGNITO}:aud": "another pool",
    f"{_COGNITO}:amr": "unauthenticated",
}

type Json = dict[str, Any]


def statements() -> Iterator[tuple[str, int, Json]]:
    """Yield what a policy of a resource allows, with its resource and its number there."""
    for name, resource in [*STACK.resources.items(), *BESIDE.resources.items()]:
        policy = resource.properties.get(PLACES.get(resource.type, ""), {})
        for number, one in enumerate(policy.get("Statement", [])):
            if one["Effect"] == "Allow":
                yield name, number, one


CONDITIONED = {(name, number): one for name, number, one in statements() if "Condition" in one}


def gets_in(statement: Json, context: Context) -> bool:
    """Tell whether the principal of a statement is allowed what it says, from somewhere."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    alone = {key: value for key, value in statement.items() if key != "Principal"} | {"Resource": "*"}
    return decided([alone], actions[0].replace("*", ""), "*", context) == "Allow"


def decided(statements: list[Json], action: str, resource: str, context: Context, *, encrypted: bool = True) -> str:
    """Return what policies say of a request, over TLS if it is `encrypted`."""
    request = EvalContext(
        principal_arn=context.get("aws:PrincipalArn", ("arn:aws:iam::123456789012:role/any",))[0],
        principal_type="AssumedRole",
        principal_account=HERE,
        action=action,
        resource_arn=resource,
        region="eu-west-3",
        secure_transport=encrypted,
        service_context={key.lower(): values[0] for key, values in context.items()},
    )
    decision: str = evaluate(request, [parse_policy_document({"Statement": statements})]).decision
    return decision


def strangers(statement: Json, context: Context) -> list[str]:
    """Return the keys by which somebody else gets in."""
    return [key for key in context if gets_in(statement, {**context, key: (ELSEWHERE[key],)})]


def test_who_is_let_in_on_a_condition_is_said_here() -> None:
    assert set(CONDITIONED) == set(LET_IN)


@pytest.mark.req("S28", "A12")
@pytest.mark.parametrize("place", LET_IN, ids=str)
def test_the_one_it_is_for_gets_in_and_nobody_from_elsewhere(place: tuple[str, int]) -> None:
    assert gets_in(CONDITIONED[place], LET_IN[place])
    assert strangers(CONDITIONED[place], LET_IN[place]) == []


def neighbour(value: str) -> str:
    """Return what stands beside it in the same account: of another stack, or of no stack."""
    return re.sub(r"\$\{\w+\}", "neighbour", value.replace("reassort", "neighbour"))


@pytest.mark.req("S28")
@pytest.mark.parametrize("place", LET_IN, ids=str)
def test_nothing_beside_it_in_the_same_account_gets_in(place: tuple[str, int]) -> None:
    context = LET_IN[place]
    beside = {key: neighbour(values[0]) for key, values in context.items() if neighbour(values[0]) != values[0]}
    let_in = {key for key, value in beside.items() if gets_in(CONDITIONED[place], {**context, key: (value,)})}
    assert let_in == ACCOUNT_WIDE.get(place, set())


# SNS names the log groups of its reports itself. The other key says that it is the stack's trail.
ACCOUNT_WIDE = {
    ("EncryptionKey", 1): {"kms:EncryptionContext:aws:logs:arn"},
    ("TrailKey", 1): {"kms:EncryptionContext:aws:cloudtrail:arn"},
}
BUCKETS = [(stack, bucket.id) for stack in (STACK, BESIDE) for bucket in stack.of_type("AWS::S3::Bucket")]


@pytest.mark.req("S28")
@pytest.mark.parametrize(("stack", "bucket"), BUCKETS, ids=[bucket for _, bucket in BUCKETS])
def test_no_bucket_answers_without_encryption(stack: FilledTemplate, bucket: str) -> None:
    arn = f"${{{bucket}.Arn}}"
    (policy,) = [
        one.properties["PolicyDocument"]
        for one in stack.of_type("AWS::S3::BucketPolicy")
        if one.properties["Bucket"] == f"${{{bucket}}}"
    ]
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    statements = [{key: value for key, value in one.items() if key != "Principal"} for one in policy["Statement"]]
    (denied,) = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
    assert denied["Principal"] == "*"
    for resource in (arn, f"{arn}/index.html"):
        for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket"):
            decisions = {
                encrypted: decided([anything, *statements], action, resource, {}, encrypted=encrypted)
                for encrypted in (True, False)
            }
            assert decisions == {True: "Allow", False: "Deny"}, (action, resource)


def _keys() -> Iterator[tuple[str, int, str, str]]:
    for (name, number), one in CONDITIONED.items():
        yield from ((name, number, operator, key) for operator, keys in one["Condition"].items() for key in keys)


@pytest.mark.parametrize("slip", list(_keys()), ids=lambda slip: "-".join(map(str, slip)))
def test_a_condition_that_is_taken_away_lets_a_stranger_in(slip: tuple[str, int, str, str]) -> None:
    name, number, operator, key = slip
    widened = deepcopy(CONDITIONED[name, number])
    del widened["Condition"][operator][key]
    widened["Condition"] = {part: keys for part, keys in widened["Condition"].items() if keys}
    assert strangers(widened, LET_IN[name, number])


# Where each service that calls a function says that it comes from.
CALLERS = {
    "apigateway.amazonaws.com": f"arn:aws:execute-api:eu-west-3:{HERE}:${{Api}}/v1/",
    "sns.amazonaws.com": "${ReceiptsTopic}",
    "logs.amazonaws.com": f"arn:aws:logs:eu-west-3:{HERE}:log-group:sns/eu-west-3/{HERE}/DirectPublishToPhoneNumber",
}


@pytest.mark.req("S28")
def test_a_function_is_called_for_this_stack_alone() -> None:
    permissions: dict[str, Any] = {one.id: one.properties for one in STACK.of_type("AWS::Lambda::Permission")}
    assert {one["Principal"] for one in permissions.values()} == set(CALLERS)
    for name, one in permissions.items():
        assert one["Action"] == "lambda:InvokeFunction", name
        assert one["SourceArn"].startswith(CALLERS[one["Principal"]]), name
        # The name of that group is the same in every account.
        assert one.get("SourceAccount") == (HERE if one["Principal"] == "logs.amazonaws.com" else None), name
