"""What the people of the helpdesk may do, with the credentials that signing in gives them, while
IAM is enforced: the calls of their group, and nothing on any table or key.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from reassort.keyed_hash import HashKey
from reassort_ops.account.role_rights import TABLES

from harness import plain_http
from harness.stack.deployed import PATIENCE_SECONDS, Deployment
from harness.stack.helpdesk_calls import ALL, CALLS, GROUPS
from local.agents import PASSWORD, Agent, anonymous, make_agents, totp
from local.identity_pool import IdentityPool

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.req("H1", "H6", "S34")
_REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
_NAMES = {group: f"tests.{group}" for group in GROUPS}


@dataclass(frozen=True)
class SignedInAgent:
    """Somebody with two factors and the credentials of their group."""

    deployment: Deployment
    group: str
    credentials: Mapping[str, str]

    def call(self, method: str, path: str) -> httpx.Response:
        """Make a signed call, as the page does. The body fits no route."""
        url = self.deployment.stack.api_url + re.sub(r"\{\w+\}", "nobody", path)
        content = b"{}" if method == "POST" else None
        request = AWSRequest(method, url, data=content, headers={"Content-Type": "application/json"})
        keys = self.credentials
        signing = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        SigV4Auth(signing, "execute-api", self.deployment.aws.region).add_auth(request)
        return plain_http.request(method, url, content=content, headers=dict(request.headers), timeout=PATIENCE_SECONDS)

    def is_refused(self, service: str, operation: str, **parameters: Any) -> bool:
        """Tell whether IAM refuses a call; any other end means that IAM let it pass."""
        try:
            getattr(self.deployment.client(service, self.credentials), operation)(**parameters)
        except ClientError as error:
            return error.response["Error"]["Code"] in _REFUSALS
        return False


@pytest.fixture(scope="module")
def agents(deployment: Deployment) -> list[Agent]:
    """Somebody of each group."""
    return make_agents(deployment.aws, deployment.stack.outputs, _NAMES)


def _sign_in(deployment: Deployment, agent: Agent) -> str:
    """Sign in with both factors, and return the token of who it is."""
    page, client = anonymous(deployment.aws, "cognito-idp"), deployment.stack.outputs["HelpdeskClientId"]
    asked = page.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": agent.name, "PASSWORD": PASSWORD},
    )
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    answer = page.respond_to_auth_challenge(
        ClientId=client,
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=asked["Session"],
        ChallengeResponses={
            "USERNAME": agent.name,
            "SOFTWARE_TOKEN_MFA_CODE": totp(agent.secret, time.time()),
        },
    )
    return str(answer["AuthenticationResult"]["IdToken"])


def _identity_pool(deployment: Deployment) -> IdentityPool:
    outputs = deployment.stack.outputs
    return IdentityPool(deployment.aws, outputs["HelpdeskIdentityPoolId"], outputs["HelpdeskUserPoolId"])


def _credentials(deployment: Deployment, token: str) -> dict[str, str]:
    """Exchange a token for credentials, as the page does."""
    pool = _identity_pool(deployment)
    logins = {pool.provider: token}
    identity = anonymous(deployment.aws, "cognito-identity").get_id(
        IdentityPoolId=deployment.stack.outputs["HelpdeskIdentityPoolId"], Logins=logins
    )["IdentityId"]
    keys = pool.credentials(identity, logins)["Credentials"]
    return {
        "AccessKeyId": keys["AccessKeyId"],
        "SecretAccessKey": keys["SecretKey"],
        "SessionToken": keys["SessionToken"],
    }


@pytest.fixture(scope="module")
def people(deployment: Deployment, agents: list[Agent]) -> dict[str, SignedInAgent]:
    """Everybody, signed in, by group."""
    return {
        agent.group: SignedInAgent(deployment, agent.group, _credentials(deployment, _sign_in(deployment, agent)))
        for agent in agents
    }


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_makes_its_calls_and_no_other(people: dict[str, SignedInAgent], group: str) -> None:
    known = {call for call in ALL if people[group].call(*call).status_code != httpx.codes.FORBIDDEN}
    # A route that is not deployed is refused to everybody.
    described = {call for call in ALL if call in _deployed(people[group].deployment)}
    assert known == CALLS[GROUPS[group]] & described


def _deployed(deployment: Deployment) -> set[tuple[str, str]]:
    """Return the calls of the helpdesk that the deployed API has."""
    api = deployment.client("apigateway")
    (found,) = (one for one in api.get_rest_apis()["items"] if one["id"] in deployment.stack.api_url)
    return {
        (method, resource["path"])
        for page in api.get_paginator("get_resources").paginate(restApiId=found["id"])
        for resource in page["items"]
        for method in resource.get("resourceMethods", {})
    }


@pytest.mark.parametrize("group", GROUPS)
def test_nobody_of_the_helpdesk_calls_what_is_not_the_helpdesks(people: dict[str, SignedInAgent], group: str) -> None:
    for path in ("/registry/check", "/registry/votes"):
        assert people[group].call("POST", path).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("group", GROUPS)
def test_not_one_call_on_a_table_succeeds(people: dict[str, SignedInAgent], group: str) -> None:
    person, outputs = people[group], people[group].deployment.stack.outputs
    passed = []
    for table in TABLES:
        name = outputs[table]
        description = person.deployment.client("dynamodb").describe_table(TableName=name)["Table"]
        types = {one["AttributeName"]: one["AttributeType"] for one in description["AttributeDefinitions"]}
        key = {one["AttributeName"]: {types[one["AttributeName"]]: "1"} for one in description["KeySchema"]}
        never = {"ConditionExpression": "attribute_exists(never)"}
        calls: dict[str, dict[str, Any]] = {
            "get_item": {"Key": key},
            "put_item": {"Item": key, **never},
            "update_item": {"Key": key, "UpdateExpression": "REMOVE never", **never},
            "delete_item": {"Key": key, **never},
            "scan": {},
            "describe_table": {},
            "delete_table": {},
        }
        passed += [
            (table, operation)
            for operation, parameters in calls.items()
            if not person.is_refused("dynamodb", operation, TableName=name, **parameters)
        ]
        together = {"TransactItems": [{"Put": {"TableName": name, "Item": key, **never}}]}
        if not person.is_refused("dynamodb", "transact_write_items", **together):
            passed.append((table, "transact_write_items"))
        if not person.is_refused("dynamodb", "batch_get_item", RequestItems={name: {"Keys": [key]}}):
            passed.append((table, "batch_get_item"))
    assert passed == []


@pytest.mark.parametrize("group", GROUPS)
def test_not_one_call_on_a_key_succeeds(people: dict[str, SignedInAgent], group: str) -> None:
    person, outputs = people[group], people[group].deployment.stack.outputs
    mac: dict[str, Any] = {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    sealed = person.deployment.client("kms").encrypt(KeyId=outputs["EncryptionKeyId"], Plaintext=b"x")
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        key.logical_id: ("generate_mac", {"KeyId": outputs[f"{key.logical_id}Id"], **mac}) for key in HashKey
    }
    calls["seal"] = ("encrypt", {"KeyId": outputs["EncryptionKeyId"], "Plaintext": b"x"})
    calls["open"] = ("decrypt", {"KeyId": outputs["EncryptionKeyId"], "CiphertextBlob": sealed["CiphertextBlob"]})
    signing = {"KeyId": outputs["RegisterKeyId"], "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    calls["sign"] = ("sign", signing)
    calls["delete"] = ("schedule_key_deletion", {"KeyId": outputs["RegisterKeyId"]})
    calls["describe"] = ("describe_key", {"KeyId": outputs["EncryptionKeyId"]})
    passed = [
        name for name, (operation, parameters) in calls.items() if not person.is_refused("kms", operation, **parameters)
    ]
    assert passed == []


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_else_of_the_account_is_reached(people: dict[str, SignedInAgent], group: str) -> None:
    person, outputs = people[group], people[group].deployment.stack.outputs
    pool = outputs["HelpdeskUserPoolId"]
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "tables": ("dynamodb", "list_tables", {}),
        "queue": ("sqs", "send_message", {"QueueUrl": outputs["RetryQueueUrl"], "MessageBody": "{}"}),
        "topic": ("sns", "publish", {"TopicArn": outputs["PlatformTopicArn"], "Message": "{}"}),
        "sms": ("sns", "publish", {"PhoneNumber": "+33600000000", "Message": "x"}),
        "logs": ("logs", "describe_log_groups", {}),
        "functions": ("lambda", "list_functions", {}),
        "roles": ("iam", "list_roles", {}),
        "buckets": ("s3", "list_buckets", {}),
        "invite": ("cognito-idp", "admin_create_user", {"UserPoolId": pool, "Username": "eve"}),
        "promote": (
            "cognito-idp",
            "admin_add_user_to_group",
            {"UserPoolId": pool, "Username": _NAMES[group], "GroupName": "supervisor"},
        ),
        "people": ("cognito-idp", "list_users", {"UserPoolId": pool}),
        "platform": (
            "sts",
            "assume_role",
            {"RoleArn": outputs["VotingPlatformRoleArn"], "RoleSessionName": "tests"},
        ),
    }
    passed = [name for name, (service, call, given) in calls.items() if not person.is_refused(service, call, **given)]
    assert passed == []


def test_a_call_that_nobody_signed_is_refused(people: dict[str, SignedInAgent]) -> None:
    deployment = people["agent"].deployment
    for method, path in ALL:
        answer = plain_http.request(method, deployment.stack.api_url + path, timeout=PATIENCE_SECONDS)
        assert answer.status_code == httpx.codes.FORBIDDEN


def test_a_password_alone_brings_no_token(deployment: Deployment, agents: list[Agent]) -> None:
    page, client = anonymous(deployment.aws, "cognito-idp"), deployment.stack.outputs["HelpdeskClientId"]
    asked = page.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": agents[0].name, "PASSWORD": PASSWORD},
    )
    assert "AuthenticationResult" not in asked
    with pytest.raises(ClientError) as refused:
        page.respond_to_auth_challenge(
            ClientId=client,
            ChallengeName="SOFTWARE_TOKEN_MFA",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": agents[0].name, "SOFTWARE_TOKEN_MFA_CODE": totp(agents[0].secret, 0)},
        )
    assert refused.value.response["Error"]["Code"] == "CodeMismatchException"


def test_who_is_there_and_who_is_not_get_the_same_answer(deployment: Deployment, agents: list[Agent]) -> None:
    page, client = anonymous(deployment.aws, "cognito-idp"), deployment.stack.outputs["HelpdeskClientId"]
    told = []
    for name in (agents[0].name, "nobody.there"):
        with pytest.raises(ClientError) as refused:
            page.initiate_auth(
                ClientId=client,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": name, "PASSWORD": "Une-autre-phrase-2018"},
            )
        told.append(refused.value.response["Error"])
    assert told[0] == told[1]


def test_whoever_is_in_no_group_or_not_signed_in_gets_no_credentials(
    deployment: Deployment, agents: list[Agent]
) -> None:
    auditor = next(agent for agent in agents if agent.group == "auditor")
    administrator, pool = deployment.client("cognito-idp"), deployment.stack.outputs["HelpdeskUserPoolId"]
    named = {"UserPoolId": pool, "Username": auditor.name, "GroupName": "auditor"}
    administrator.admin_remove_user_from_group(**named)
    try:
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            _credentials(deployment, _sign_in(deployment, auditor))
    finally:
        administrator.admin_add_user_to_group(**named)
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        _identity_pool(deployment).credentials("eu-west-3:nobody", {})
