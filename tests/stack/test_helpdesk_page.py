"""The helpdesk's page behind the local gateway: served with its own headers, and what it asks for
reaches Cognito and the API without leaving its origin.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.testclient import TestClient

from harness.stack.deployed import Deployment
from local.agents import PASSWORD, Agent, make_agents
from local.deploy import ELECTION
from local.desk import Desk
from local.edge import read_security_headers
from local.gateway import create_gateway
from local.processes import ROOT
from local.receipts import Receipts
from local.run import build_pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.req("H1", "H6")
_ORIGIN = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def agents(deployment: Deployment) -> list[Agent]:
    """Somebody who answers the telephone, and somebody who reads the record."""
    return make_agents(deployment.aws, deployment.stack.outputs, {"agent": "page.agent", "auditor": "page.auditor"})


@pytest.fixture(scope="module")
def gateway(
    deployment: Deployment, agents: list[Agent], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """What `make run` serves, without the voter space."""
    folder: Path = tmp_path_factory.mktemp("pages")
    build_pages("build_helpdesk", folder, ELECTION)
    (folder / "site").mkdir()
    (folder / "site" / "404.html").touch()
    app = create_gateway(
        site=folder / "site",
        template=ROOT / "edge.yaml",
        stack=deployment.stack,
        receipts=Receipts(deployment.aws, deployment.stack),
        desk=Desk(folder / "helpdesk", _ORIGIN, deployment.aws, deployment.stack, agents),
    )
    with TestClient(app, base_url=_ORIGIN, follow_redirects=False) as client:
        yield client


def _ask(gateway: TestClient, address: str, target: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    return gateway.post(address.removeprefix(_ORIGIN), headers=headers, content=json.dumps(body))


def _sign_in(gateway: TestClient, name: str) -> dict[str, Any]:
    """Sign in as the page does, with what the inbox shows; return the answer for credentials."""
    config = gateway.get("/helpdesk/config.json").json()
    users, identities = config["cognito_idp_url"], config["cognito_identity_url"]
    shown = next(one for one in gateway.get("/_local/agents").json() if one["name"] == name)
    asked = _ask(
        gateway,
        users,
        "AWSCognitoIdentityProviderService.InitiateAuth",
        {
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": config["client_id"],
            "AuthParameters": {"USERNAME": name, "PASSWORD": shown["password"]},
        },
    ).json()
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    tokens = _ask(
        gateway,
        users,
        "AWSCognitoIdentityProviderService.RespondToAuthChallenge",
        {
            "ChallengeName": "SOFTWARE_TOKEN_MFA",
            "ClientId": config["client_id"],
            "Session": asked["Session"],
            "ChallengeResponses": {"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": shown["code"]},
        },
    ).json()["AuthenticationResult"]
    logins = {f"cognito-idp.{config['region']}.amazonaws.com/{config['user_pool_id']}": tokens["IdToken"]}
    pool = {"IdentityPoolId": config["identity_pool_id"], "Logins": logins}
    identity = _ask(gateway, identities, "AWSCognitoIdentityService.GetId", pool).json()["IdentityId"]
    wanted = {"IdentityId": identity, "Logins": logins}
    answer = _ask(gateway, identities, "AWSCognitoIdentityService.GetCredentialsForIdentity", wanted)
    told: dict[str, Any] = answer.json()
    return told


def _call(deployment: Deployment, gateway: TestClient, keys: dict[str, Any], path: str) -> Any:
    """Sign for the API's own address, and send to the page's origin."""
    url = deployment.stack.api_url + path
    request = AWSRequest("GET", url, headers={"Accept": "application/json"})
    signing = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
    SigV4Auth(signing, "execute-api", deployment.aws.region).add_auth(request)
    return gateway.get(f"/helpdesk-api{path}", headers=dict(request.headers))


def test_the_page_has_headers_of_its_own(gateway: TestClient) -> None:
    page = gateway.get("/helpdesk/")
    assert page.status_code == httpx.codes.OK
    policy = page.headers["content-security-policy"]
    assert f"connect-src 'self' {_ORIGIN};" in policy
    assert "unsafe" not in policy
    of_voters = {header.name: header.value for header in read_security_headers(ROOT / "edge.yaml")}
    assert gateway.get("/_local/").headers["content-security-policy"] == of_voters["Content-Security-Policy"]
    assert gateway.get("/helpdesk").headers["location"] == "/helpdesk/"
    assert gateway.get("/helpdesk/nowhere").status_code == httpx.codes.NOT_FOUND


def test_a_demonstration_account_signs_in_and_gets_the_role_of_its_group(
    deployment: Deployment, gateway: TestClient
) -> None:
    for name, role in (("page.agent", "AgentRole"), ("page.auditor", "AuditorRole")):
        keys = _sign_in(gateway, name)["Credentials"]
        assert time.time() < keys["Expiration"] <= time.time() + 3600
        held = {
            "AccessKeyId": keys["AccessKeyId"],
            "SecretAccessKey": keys["SecretKey"],
            "SessionToken": keys["SessionToken"],
        }
        caller = deployment.client("sts", held).get_caller_identity()["Arn"]
        assert f"{role}-" in caller
        # Signed for the API's own address, and sent to the page's origin.
        assert "signature" not in _call(deployment, gateway, keys, "/helpdesk/me").text.lower()


def test_no_other_route_of_the_api_is_behind_the_page(deployment: Deployment, gateway: TestClient) -> None:
    for path in ("/helpdesk-api/registry/check", "/helpdesk-api/api/election", "/helpdesk-api/helpdeskx"):
        assert gateway.get(path).status_code == httpx.codes.NOT_FOUND


def test_a_refused_token_gives_no_credentials(gateway: TestClient) -> None:
    for body in ({"IdentityId": "eu-west-3:x", "Logins": {"other": "x.y.z"}}, {"IdentityId": "eu-west-3:x"}, {}):
        answer = _ask(
            gateway,
            "/_local/cognito-identity",
            "AWSCognitoIdentityService.GetCredentialsForIdentity",
            body,
        )
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert "Credentials" not in answer.text


def test_the_inbox_shows_who_may_sign_in(gateway: TestClient, agents: list[Agent]) -> None:
    shown = gateway.get("/_local/agents").json()
    assert [(one["group"], one["name"], one["password"]) for one in shown] == [
        (agent.group, agent.name, PASSWORD) for agent in agents
    ]
    assert all(len(one["code"]) == 6 for one in shown)
