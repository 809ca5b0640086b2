"""`reassort helpdesk`: who may come, and what the page must know."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from reassort.agent_names import agent_name
from reassort_ops.cli import app
from reassort_ops.failures import OperatorError
from reassort_ops.helpdesk.people import Group, checked_name, draw_password, invite
from typer.testing import CliRunner, Result

from harness.engines.engine import REGION
from harness.engines.template import read_template
from tests.unit.ops.conftest import make_stack
from tests.unit.ops.helpdesk_api import OPERATOR

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

    from tests.unit.ops.conftest import OperatedStack

pytestmark = pytest.mark.req("H1", "H6")
_NAME = "claire.martin"


@dataclass(frozen=True)
class HelpdeskPool:
    """A stack with a user pool as the template has it."""

    cognito: CognitoIdentityProviderClient
    pool: str
    client: str
    page: str
    stack: OperatedStack

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(
            app, ["helpdesk", *map(str, arguments), "--stack", "reassort-desk", "--region", REGION]
        )

    def run_json(self, *arguments: object) -> dict[str, Any]:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        content: dict[str, Any] = json.loads(result.stdout)
        return content

    def groups(self, name: str = _NAME) -> list[str]:
        found = self.cognito.admin_list_groups_for_user(UserPoolId=self.pool, Username=name)["Groups"]
        return [group["GroupName"] for group in found]

    def choose_password(self, name: str) -> str:
        """Let somebody sign in with a password of their own; return what renews their session."""
        password = "Un mot de passe 2018!"
        self.cognito.admin_set_user_password(UserPoolId=self.pool, Username=name, Password=password, Permanent=True)
        signed_in = self.cognito.admin_initiate_auth(
            UserPoolId=self.pool,
            ClientId=self.client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )
        return signed_in["AuthenticationResult"]["RefreshToken"]


@pytest.fixture
def desk(deployed: OperatedStack) -> HelpdeskPool:
    """A stack whose page has a place."""
    cognito = boto3.client("cognito-idp", region_name=REGION)
    properties = read_template()["Resources"]["HelpdeskUsers"]["Properties"]
    policy: Any = {
        name: value
        for name, value in properties["Policies"]["PasswordPolicy"].items()
        # moto has no other.
        if name.startswith("Require") or name in ("MinimumLength", "TemporaryPasswordValidityDays")
    }
    pool = cognito.create_user_pool(
        PoolName="desk",
        Policies={"PasswordPolicy": policy},
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        UsernameConfiguration={"CaseSensitive": False},
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="page")["UserPoolClient"]["ClientId"]
    for group in Group:
        cognito.create_group(UserPoolId=pool, GroupName=group.value)
    page = urljoin(deployed.stack.api_url, "/helpdesk/")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in _outputs(deployed.stack.name)}
    make_stack(
        "reassort-desk",
        {
            **outputs,
            "ApiUrl": "https://abcdef.execute-api.eu-west-3.amazonaws.com/v1",
            "HelpdeskUserPoolId": pool,
            "HelpdeskClientId": client,
            "HelpdeskIdentityPoolId": "eu-west-3:3e7f",
            "HelpdeskUrl": page,
        },
    )
    return HelpdeskPool(cognito, pool, client, page, deployed)


def _outputs(name: str) -> Any:
    return boto3.client("cloudformation", region_name=REGION).describe_stacks(StackName=name)["Stacks"][0]["Outputs"]


def test_whoever_is_invited_has_one_group_and_a_password_for_once(desk: HelpdeskPool) -> None:
    told = desk.run_json("invite", "Claire.Martin", "--group", "agent")
    number = told["agent"]
    assert told == {
        "stack": "reassort-desk",
        "name": _NAME,
        "agent": number,
        "shown_as": agent_name(number),
        "group": "agent",
        "left": [],
        "temporary_password": told["temporary_password"],
        "valid_days": 3,
        "page": desk.page,
    }
    assert desk.groups() == ["agent"]
    user = desk.cognito.admin_get_user(UserPoolId=desk.pool, Username=_NAME)
    assert user["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert {attribute["Name"] for attribute in user["UserAttributes"]} == {"sub"}
    asked = desk.cognito.admin_initiate_auth(
        UserPoolId=desk.pool,
        ClientId=desk.client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": _NAME, "PASSWORD": told["temporary_password"]},
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_the_password_is_printed_once(desk: HelpdeskPool) -> None:
    welcome, password, page = desk.run("invite", _NAME, "--group", "supervisor").stdout.splitlines()
    said = desk.run_json("list")["people"][0]["shown_as"]
    assert welcome == f"claire.martin may come as supervisor; page and register say: {said}"
    assert re.fullmatch("temporary password, shown this once and valid for 3 days: [A-Za-z0-9-]{14,}", password)
    assert page == f"page: {desk.page}"
    again = desk.run("invite", _NAME, "--group", "supervisor")
    assert (again.exit_code, again.stdout) == (0, "claire.martin was invited before: supervisor\n")
    assert desk.run_json("invite", _NAME, "--group", "supervisor")["temporary_password"] is None


def test_another_group_takes_the_place_of_the_former(desk: HelpdeskPool) -> None:
    desk.run_json("invite", _NAME, "--group", "agent")
    told = desk.run("invite", _NAME, "--group", "auditor").stdout
    assert told == "claire.martin was invited before: auditor, no longer agent; sessions are ended\n"
    assert desk.groups() == ["auditor"]


def test_an_invitation_that_cannot_be_completed_leaves_nobody(desk: HelpdeskPool) -> None:
    desk.cognito.delete_group(UserPoolId=desk.pool, GroupName="auditor")
    result = desk.run("invite", _NAME, "--group", "auditor")
    assert result.exit_code == 1
    assert result.stderr.startswith("reassort: AWS does not find what AdminAddUserToGroup is about ")
    assert result.stderr.count("\n") == 1
    assert desk.cognito.list_users(UserPoolId=desk.pool)["Users"] == []


def test_a_removal_may_be_repeated(desk: HelpdeskPool) -> None:
    desk.run_json("invite", _NAME, "--group", "agent")
    assert desk.run("remove", _NAME).stdout == "claire.martin is removed\n"
    assert desk.run("remove", _NAME).stdout == "claire.martin was not there\n"
    assert desk.run_json("remove", _NAME) == {"stack": "reassort-desk", "name": _NAME, "removed": False}
    with pytest.raises(ClientError):
        desk.cognito.admin_get_user(UserPoolId=desk.pool, Username=_NAME)


@time_machine.travel("2018-11-20T09:00Z", tick=False)
def test_everybody_is_listed_by_name(desk: HelpdeskPool) -> None:
    desk.run_json("invite", "zoe.petit", "--group", "agent")
    desk.run_json("invite", _NAME, "--group", "supervisor")
    # Somebody whom another hand put there.
    desk.cognito.admin_create_user(UserPoolId=desk.pool, Username="nobodys", MessageAction="SUPPRESS")
    listed = desk.run_json("list")["people"]
    named = [(_NAME, ["supervisor"]), ("nobodys", []), ("zoe.petit", ["agent"])]
    assert [(one["name"], one["groups"]) for one in listed] == named
    lines = [
        f"{name:40}  {one['shown_as']}  {', '.join(groups) or 'no group':14}{'invited':20}2018-11-20"
        for (name, groups), one in zip(named, listed, strict=True)
    ]
    assert desk.run("list").stdout.splitlines() == [*lines, "3 may come"]
    whole = listed[0] | {"status": "FORCE_CHANGE_PASSWORD", "enabled": True, "invited_at": "2018-11-20T09:00:00Z"}
    assert desk.run_json("list") == {"stack": "reassort-desk", "people": [whole, *listed[1:]]}
    assert whole.keys() == {"name", "agent", "shown_as", "groups", "status", "enabled", "invited_at"}


def test_who_has_signed_in_and_who_may_not_come_is_said(desk: HelpdeskPool) -> None:
    for name in (_NAME, "zoe.petit"):
        desk.run_json("invite", name, "--group", "agent")
        desk.choose_password(name)
    desk.cognito.admin_disable_user(UserPoolId=desk.pool, Username="zoe.petit")
    first, second, _ = desk.run("list").stdout.splitlines()
    assert ("signed in before" in first, "disabled" in second) == (True, True)


def test_whose_sessions_are_ended_is_signed_out(desk: HelpdeskPool) -> None:
    number = desk.run_json("invite", _NAME, "--group", "agent")["agent"]
    end = ("end", _NAME, "--reason", "compte volé")
    token = desk.choose_password(_NAME)
    assert desk.run(*end).stdout == f"claire.martin ({agent_name(number)}): sessions are ended\n"
    with pytest.raises(desk.cognito.exceptions.NotAuthorizedException):
        desk.cognito.admin_initiate_auth(
            UserPoolId=desk.pool,
            ClientId=desk.client,
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": token},
        )
    assert desk.run_json(*end) == {"stack": "reassort-desk", "name": _NAME, "agent": number, "ended": True}


@pytest.mark.req("S34")
@pytest.mark.parametrize("command", [("end", _NAME, "--reason", "compte volé"), ("remove", _NAME)])
def test_whoever_is_ended_or_removed_is_refused_by_the_function_too(
    desk: HelpdeskPool, command: tuple[str, ...]
) -> None:
    """Asked where the firewall lets it come: behind the page."""
    number = desk.run_json("invite", _NAME, "--group", "agent")["agent"]
    desk.run_json(*command)
    kept = desk.stack.items("HelpdeskRecordTable")
    (entry,) = [item for item in kept if item.get("action") == "ended-sessions"]
    assert (entry["agent"], entry["reference"]) == (OPERATOR, number)
    assert [item["agent"] for item in kept if "ended_until" in item] == [f"#ended {number}"]


def test_whoever_is_removed_comes_no_more_though_the_api_does_not_answer(desk: HelpdeskPool) -> None:
    desk.run_json("invite", _NAME, "--group", "agent")
    desk.stack.dynamodb.delete_table(TableName="HelpdeskRecordTable")
    result = desk.run("remove", _NAME)
    assert (result.exit_code, "is removed, but" in result.stderr) == (1, True)
    assert desk.run_json("list")["people"] == []


def test_who_is_not_there_has_no_sessions_to_end(desk: HelpdeskPool) -> None:
    result = desk.run("end", _NAME, "--reason", "x")
    assert (result.exit_code, "is not there" in result.stderr) == (1, True)


def test_who_is_who_is_told_to_the_lead_alone(desk: HelpdeskPool) -> None:
    """Tables, register and page have a number; the pool has the name."""
    invited = desk.run_json("invite", _NAME, "--group", "agent")
    (listed,) = desk.run_json("list")["people"]
    number = desk.cognito.admin_get_user(UserPoolId=desk.pool, Username=_NAME)["UserAttributes"][0]["Value"]
    assert {invited["agent"], listed["agent"], desk.run_json("invite", _NAME, "--group", "agent")["agent"]} == {number}
    short = number[:6].upper()
    assert invited["shown_as"] == listed["shown_as"] == f"agent {short[:3]}-{short[3:]}"
    assert listed["shown_as"] in desk.run("list").stdout


@pytest.mark.parametrize(
    "typed", ["claire.martin@ac-dijon.fr", "", "claire martin", "éva", "09E9900123ABC", "a" * 41, "-x", "agent.0612345"]
)
def test_a_name_is_no_address_and_no_number(typed: str) -> None:
    with pytest.raises(OperatorError, match="a name is letters"):
        checked_name(typed)


def test_a_refused_name_costs_no_call(deployed: OperatedStack) -> None:
    result = deployed.run("helpdesk", "invite", "a@b.fr", "--group", "agent")
    assert result.exit_code != 0


def test_passwords_keep_the_policy_and_differ() -> None:
    policy = read_template()["Resources"]["HelpdeskUsers"]["Properties"]["Policies"]["PasswordPolicy"]
    drawn = [draw_password() for _ in range(200)]
    assert len(set(drawn)) == len(drawn)
    for password in drawn:
        assert len(password) >= policy["MinimumLength"]
        assert any(sign.isupper() for sign in password)
        assert any(sign.islower() for sign in password)
        assert any(sign.isdigit() for sign in password)
        assert "-" in password
        assert not set(password) & set("Il1O0")


def test_a_group_is_given_before_anybody_sees_a_password(desk: HelpdeskPool) -> None:
    done = invite(desk.cognito, desk.pool, "marc", Group.AGENT)
    assert done.temporary_password is not None
    assert desk.groups("marc") == ["agent"]


def test_a_stack_without_a_helpdesk_says_so(deployed: OperatedStack) -> None:
    result = CliRunner().invoke(app, ["helpdesk", "list", "--stack", deployed.stack.name, "--region", REGION])
    assert (result.exit_code, result.stderr) == (
        1,
        "reassort: stack reassort has no output HelpdeskUserPoolId: deploy this version first\n",
    )


def test_the_page_is_told_of_its_stack(desk: HelpdeskPool, tmp_path: Path) -> None:
    refused = desk.run("config", tmp_path)
    assert refused.exit_code == 1
    assert "no page was built there" in refused.stderr
    (tmp_path / "index.html").touch()
    said = f"{tmp_path / 'config.json'}: written; {desk.page} once it is published\n"
    assert desk.run("config", tmp_path).stdout == said
    told = desk.run_json("config", tmp_path)
    assert told == json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert told == {
        "region": REGION,
        "api_url": "https://abcdef.execute-api.eu-west-3.amazonaws.com/v1",
        "api_via": "/helpdesk-api",
        "user_pool_id": desk.pool,
        "client_id": desk.client,
        "identity_pool_id": "eu-west-3:3e7f",
    }
