"""Who helps voters may call the helpdesk's routes, each group its own, and reaches nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from helpdesk.ended_sessions import LONGEST_SESSION

from harness.engines.template import TEMPLATE, read_template
from harness.stack.helpdesk_calls import ALL, CALLS, GROUPS

_RESOURCE = re.compile(
    r"^arn:\$\{AWS::Partition\}:execute-api:\$\{AWS::Region\}:\$\{AWS::AccountId\}:\$\{Api\}/v1/([A-Z]+)(/helpdesk/.+)$"
)
_POOL = {"Fn::GetAtt": "HelpdeskUsers.Arn"}
pytestmark = pytest.mark.req("H6", "S34")


def _statements(policy: str) -> list[dict[str, Any]]:
    document = read_template()["Resources"][policy]["Properties"]["PolicyDocument"]
    found: list[dict[str, Any]] = document["Statement"]
    return found


def _routes(policy: str) -> set[tuple[str, str]]:
    """Return what a policy lets call; a path's variable is any one thing."""
    (resources,) = (one["Resource"] for one in _statements(policy) if one["Action"] == "execute-api:Invoke")
    matches = [_RESOURCE.match(resource["Fn::Sub"]) for resource in resources]
    return {(match[1], match[2]) for match in matches if match is not None}


@pytest.mark.parametrize("policy", CALLS)
def test_each_policy_allows_the_calls_of_the_table_and_no_other(policy: str) -> None:
    assert _routes(policy) == {(method, re.sub(r"\{\w+\}", "*", path)) for method, path in CALLS[policy]}


@pytest.mark.parametrize("policy", CALLS)
def test_whoever_helps_holds_no_right_on_a_table_or_a_key(policy: str) -> None:
    for statement in _statements(policy):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        services = {action.partition(":")[0] for action in actions}
        assert services in ({"execute-api"}, {"cloudformation"}, {"cognito-idp"})
        assert not any("*" in action for action in actions)
        if services == {"cognito-idp"}:
            assert policy == "HelpdeskLeadPolicy"
            assert statement["Resource"] == _POOL
        if services == {"cloudformation"}:
            assert actions == ["cloudformation:DescribeStacks"]


def test_the_role_of_a_group_has_that_policy_alone() -> None:
    resources = read_template()["Resources"]
    for group, policy in GROUPS.items():
        role = f"{group.capitalize()}Role"
        assert resources[f"{group.capitalize()}Group"]["Properties"]["RoleArn"] == {"Fn::GetAtt": f"{role}.Arn"}
        assert not {"Policies", "ManagedPolicyArns"} & resources[role]["Properties"].keys()
        attached = {
            name
            for name, part in resources.items()
            if part["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
            and {"Ref": role} in [*part["Properties"].get("Roles", []), part["Properties"].get("RoleName")]
        }
        assert attached == {policy}


def test_every_call_of_the_helpdesk_that_is_described_is_somebodys() -> None:
    paths = yaml.load(TEMPLATE.with_name("openapi.yaml").read_text("utf-8"), yaml.CSafeLoader)["paths"]
    described = {
        (method.upper(), path)
        for path, item in paths.items()
        if path.startswith("/helpdesk/")
        for method in ("get", "post", "put", "delete")
        if method in item
    }
    assert {("POST", "/helpdesk/look"), ("POST", "/helpdesk/acts")} <= described <= ALL


@pytest.mark.req("H1")
def test_a_session_ends_with_the_shift() -> None:
    client = read_template()["Resources"]["HelpdeskClient"]["Properties"]
    assert client["TokenValidityUnits"] == {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"}
    assert max(client["AccessTokenValidity"], client["IdTokenValidity"]) <= 60
    assert client["RefreshTokenValidity"] <= 10
    tokens = timedelta(hours=client["RefreshTokenValidity"], minutes=client["IdTokenValidity"])
    assert tokens + timedelta(hours=1) <= LONGEST_SESSION
    assert client["GenerateSecret"] is False
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


@pytest.mark.req("H1")
def test_a_password_is_long_and_no_message_leaves_the_pool() -> None:
    pool = read_template()["Resources"]["HelpdeskUsers"]
    assert pool["UpdateReplacePolicy"] == "Retain"
    properties = pool["Properties"]
    assert properties["Policies"]["PasswordPolicy"]["MinimumLength"] >= 14
    assert properties["AccountRecoverySetting"] == {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    assert not {"AutoVerifiedAttributes", "UsernameAttributes", "AliasAttributes", "SmsConfiguration"} & set(properties)
