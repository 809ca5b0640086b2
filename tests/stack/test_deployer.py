"""`sam deploy` by a deployer, with what is attached to them and nothing else, and what the role
that they hand on is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from reassort.keyed_hash import HashKey, derive_keyed_hash
from reassort_ops.account.role_rights import ROLES

from harness.stack.account import AccountStack, assume
from harness.stack.actors import KEYS, Actor
from harness.stack.deployed import SITE_ORIGIN, Deployment
from local.deploy import deploy
from local.processes import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.req("O11")
# Another stack has what an account has once, and the sender's domain.
_SHARED = {"AccountResources": "shared", "SenderIdentity": "shared"}


def _deploy(deployment: Deployment, account: AccountStack, person: Actor, folder: Path, name: str) -> Deployment:
    """Deploy the built template as somebody, under a name."""
    outputs = account.outputs
    stack = deploy(
        deployment.aws,
        deployment.template,
        folder,
        site_origin=SITE_ORIGIN,
        stack_name=name,
        parameters={**_SHARED, "PermissionsBoundary": outputs["RoleBoundaryArn"]},
        options=["--s3-bucket", outputs["ArtefactBucketName"], "--role-arn", outputs["DeploymentRoleArn"]],
        environment=person.environment(),
    )
    ids = {key: stack.outputs[f"{key.logical_id}Id"] for key in HashKey}
    hashes = derive_keyed_hash(deployment.client("kms"), ids, stack.outputs["ElectionId"])
    return replace(deployment, stack=stack, keyed_hash=hashes)


def test_a_deployer_deploys_a_stack_that_serves_voters_within_the_boundary(
    deployment: Deployment, account: AccountStack, people: Mapping[str, Actor], tmp_path: Path
) -> None:
    deployed = _deploy(deployment, account, people["deployer"], tmp_path, "reassort-second")
    artefacts = deployment.client("s3").list_objects_v2(Bucket=account.outputs["ArtefactBucketName"])
    assert artefacts["KeyCount"] > 5
    # The embedded CloudFormation makes roles without it.
    for role in ROLES:
        deployment.client("iam").put_role_permissions_boundary(
            RoleName=deployed.physical_id(role), PermissionsBoundary=account.outputs["RoleBoundaryArn"]
        )
    voter, browser = deployed.enrol(), deployed.browser()
    assert browser.sign_in(voter).status_code == httpx.codes.OK
    assert browser.wait_until_sent(browser.reissue(voter).json()["reference"])["status"] == "sent"


def test_a_deployer_deploys_no_other_stack_and_an_operator_none(
    deployment: Deployment, account: AccountStack, people: Mapping[str, Actor], tmp_path: Path
) -> None:
    for role, name in (("deployer", "other"), ("operator", "reassort-third"), ("purger", "reassort-third")):
        with pytest.raises(CommandError):
            _deploy(deployment, account, people[role], tmp_path, name)
        log = (tmp_path / f"sam-deploy-{name}.log").read_text("utf-8")
        assert "AccessDenied" in log or "not authorized" in log
    stacks = deployment.client("cloudformation").list_stacks()["StackSummaries"]
    assert not {"other", "reassort-third"} & {one["StackName"] for one in stacks}


def test_what_cloudformation_works_under_reads_nothing(deployment: Deployment, account: AccountStack) -> None:
    name = account.outputs["DeploymentRoleArn"].rpartition("/")[2]
    role = assume(deployment, deployment.client("iam").get_role(RoleName=name)["Role"])
    outputs = deployment.stack.outputs
    voters, queue = outputs["VotersTable"], outputs["DeadLetterQueueUrl"]
    sealed = deployment.client("kms").encrypt(KeyId=outputs["EncryptionKeyId"], Plaintext=b"x")["CiphertextBlob"]
    function = deployment.physical_id("HelpdeskFunction")
    logs = deployment.physical_id("ReissueLogs")
    passed = [
        call
        for call, refused in {
            "get": role.is_refused("dynamodb", "get_item", TableName=voters, Key=KEYS["VotersTable"]),
            "scan": role.is_refused("dynamodb", "scan", TableName=voters),
            "put": role.is_refused("dynamodb", "put_item", TableName=voters, Item=KEYS["VotersTable"]),
            "delete": role.is_refused("dynamodb", "delete_item", TableName=voters, Key=KEYS["VotersTable"]),
            "open": role.is_refused("kms", "decrypt", CiphertextBlob=sealed, KeyId=outputs["EncryptionKeyId"]),
            "invoke": role.is_refused("lambda", "invoke", FunctionName=function, Payload=b"{}"),
            "receive": role.is_refused("sqs", "receive_message", QueueUrl=queue),
            "log": role.is_refused("logs", "get_log_events", logGroupName=logs, logStreamName="nobody"),
            "people": role.is_refused("cognito-idp", "list_users", UserPoolId=outputs["HelpdeskUserPoolId"]),
            "publish": role.is_refused("sns", "publish", TopicArn=outputs["PlatformTopicArn"], Message="{}"),
            "trail": role.is_refused("cloudtrail", "stop_logging", Name="reassort-people"),
            "other table": role.is_refused("dynamodb", "describe_table", TableName="other"),
            "other role": role.is_refused("iam", "delete_role", RoleName="other"),
            "itself": role.is_refused("iam", "delete_role", RoleName=name),
        }.items()
        if not refused
    ]
    assert passed == []
    # A refusal proves nothing if every call is refused.
    assert not role.is_refused("dynamodb", "describe_table", TableName=voters)
    assert not role.is_refused("lambda", "get_function", FunctionName=function)
    assert not role.is_refused("sqs", "get_queue_attributes", QueueUrl=queue)
