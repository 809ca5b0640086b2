"""`reassort check` on the deployed template: what the local AWS shows is judged, what it cannot
show is told as unseen.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops import cli
from typer.testing import CliRunner

from harness.elections import FOLDER
from harness.stack.deployed import Deployment, wait_for
from local.deploy import write_demo_elections

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.req("S28")]
# The whole of it: a check that is added, or that ends otherwise, is to be looked at.
STATES = {
    "Stack: deployed whole": "passed",
    # The local stack is deployed with DeletionProtection=false.
    "Stack: termination protection": "unseen",
    "API: no method asks for an API key": "passed",
    "API: one stage": "passed",
    "API: access log": "unseen",
    "API: throttle": "passed",
    "API: firewall on the stage": "unseen",
    "Site: API called around CloudFront": "unseen",
    "Site: API called through CloudFront": "unseen",
    "Site: refusals of the API are French JSON": "unseen",
    "Site: missing page": "unseen",
    "Site: security headers": "unseen",
    "Site: uploaded, of the stack's election": "unseen",
    "Site: DNS of the domain": "unseen",
    "Alarms: each watches something of this stack": "passed",
    "Alarms: each metric is emitted": "unseen",
    "Alarms: each tells somebody": "passed",
    "Alarms: CloudWatch could tell them": "unseen",
    "Alarms: subscriptions confirmed": "passed",
    "Messages: DKIM": "unseen",
    "Messages: SPF": "unseen",
    "Messages: DMARC": "unseen",
    "Messages: SNS logs what became of SMS": "unseen",
    "Messages: these logs reach the stack": "passed",
    "Protection: keys enabled": "passed",
    "Protection: keys rotated where KMS can": "passed",
    "Protection: tables refuse to be deleted": "unseen",
    "Protection: tables under the stack's key": "unseen",
    "Protection: tables recoverable to any second": "unseen",
    "Roles: LoginRole": "passed",
    "Roles: ReissueRole": "passed",
    "Roles: NotifyRole": "passed",
    "Roles: RegistryRole": "passed",
    "Roles: AnnounceRole": "passed",
    "Roles: HelpdeskRole": "passed",
    "Functions: active": "passed",
    "Functions: one architecture, layer included": "passed",
    "Functions: triggers enabled": "passed",
    "Functions: delivery may call itself": "unseen",
    "Functions: reserved concurrency of the registry": "passed",
    # Its election has none.
    "Canaries: email": "unseen",
    "Canaries: sms": "unseen",
}


class LocalCommand:
    """The command as an operator of the local stack runs it."""

    def __init__(self, deployment: Deployment, elections: Path) -> None:
        self._deployment = deployment
        self._elections = elections

    def run(self, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return the exit status and each check by group and title."""
        options = ["--region", self._deployment.aws.region, "--elections", str(self._elections), "--json"]
        result = CliRunner().invoke(cli.app, ["check", *arguments, *options])
        assert result.stderr == ""
        checks = {f"{one['group']}: {one['title']}": one for one in json.loads(result.stdout)["checks"]}
        return result.exit_code, checks

    def stack(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """Look at the deployed stack."""
        return self.run("--stack", self._deployment.stack.name)


@pytest.fixture
def command(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalCommand:
    """The command, with the local AWS for AWS."""
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)
    return LocalCommand(deployment, write_demo_elections(tmp_path))


def test_the_deployed_stack_is_as_it_must_be_as_far_as_it_can_be_seen(command: LocalCommand) -> None:
    status, checks = command.stack()
    assert {name: one["state"] for name, one in checks.items()} == STATES
    assert status == ("failed" in STATES.values())
    why = {name: one["found"] for name, one in checks.items() if one["state"] == "unseen"}
    assert "stands in for AWS" in why["Messages: DKIM"]
    assert "no DomainName" in why["Site: missing page"]
    assert "GetSMSAttributes is not answered" in why["Messages: SNS logs what became of SMS"]


def test_what_somebody_changes_shows(deployment: Deployment, command: LocalCommand) -> None:
    """The counterproof: the roles are simulated, and keys and subscriptions read, on the stack
    itself.
    """
    iam, kms, role = deployment.client("iam"), deployment.client("kms"), deployment.physical_id("RegistryRole")
    key = deployment.stack.outputs["RegisterKeyId"]
    wide = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    iam.put_role_policy(RoleName=role, PolicyName="too-wide", PolicyDocument=policy)
    kms.disable_key(KeyId=key)
    try:
        status, checks = command.stack()
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="too-wide")
        kms.enable_key(KeyId=key)
    assert status == 1
    changed = {name for name, one in checks.items() if one["state"] != STATES[name]}
    assert changed == {"Roles: RegistryRole", "Protection: keys enabled"}
    assert "dynamodb:Scan on VotersTable is allowed" in checks["Roles: RegistryRole"]["found"]
    assert checks["Protection: keys enabled"]["found"] == "RegisterKey is Disabled"
    assert wait_for(lambda: command.stack()[1]["Roles: RegistryRole"]["state"] == "passed")


def test_a_second_stack_is_told_what_it_must_share(command: LocalCommand) -> None:
    status, checks = command.run(
        "--before",
        "--config-file",
        str(FOLDER.parent / "samconfig.toml"),
        "--config-env",
        "production",
        "--voters",
        "500",
    )
    assert status == 1
    states = {name: one["state"] for name, one in checks.items() if not name.startswith("Certificate")}
    # The file of the repository is not filled in, and its stack has the name of the local one: what
    # is shared is its own.
    assert {name for name, state in states.items() if state == "failed"} == {
        "Parameters: filled in",
        "Parameters: election file",
        "Parameters: alarm thresholds of the election",
        "Parameters: where the site is",
    }
    assert {name for name, state in states.items() if name.startswith("Shared") and state == "passed"} == {
        "Shared in the account: other stacks of this service",
        "Shared in the account: API Gateway's role for logs",
        "Shared in the account: SNS's log groups of SMS",
        "Shared in the account: subscription filters of these groups",
    }
    _, beside = command.run("--before", "--config-file", str(FOLDER.parent / "samconfig.toml"), "--stack", "another")
    assert "AccountResources=shared" in beside["Shared in the account: other stacks of this service"]["expected"]
