"""`account.yaml` on the embedded AWS, and people with the policies that are attached to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.stack.actors import Actor
from harness.stack.people import ATTACHED
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.stack.deployed import Deployment

TEMPLATE = ROOT / "account.yaml"
STACK = "account"


@dataclass(frozen=True)
class AccountStack:
    """What an administrator made before the service's stack: its outputs."""

    outputs: Mapping[str, str]


def deploy_account(deployment: Deployment) -> AccountStack:
    """Make it for the deployed stack, without the trail, which the embedded AWS cannot make."""
    cloudformation = deployment.client("cloudformation")
    values = {"StackName": deployment.stack.name, "SenderDomain": "elections.example", "Trail": "none"}
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=TEMPLATE.read_text("utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    described = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    # The embedded AWS speaks plain HTTP, which the bucket refuses.
    deployment.client("s3").delete_bucket_policy(Bucket=outputs["ArtefactBucketName"])
    return AccountStack(outputs)


def assume(deployment: Deployment, role: Mapping[str, Any]) -> Actor:
    """Take a role that only others may take. The tests let the account's root take it, too."""
    iam, sts = deployment.client("iam"), deployment.client("sts")
    trust = role["AssumeRolePolicyDocument"]
    root = f"arn:aws:iam::{sts.get_caller_identity()['Account']}:root"
    trust["Statement"].append({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(trust))
    return Actor(deployment, sts.assume_role(RoleArn=role["Arn"], RoleSessionName="tests")["Credentials"])


def person(deployment: Deployment, account: AccountStack, role: str) -> Actor:
    """Return somebody who has the policies of a role and nothing else."""
    iam = deployment.client("iam")
    made = iam.create_role(
        RoleName=f"people-{role}", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )["Role"]
    for policy in ATTACHED[role]:
        arn = account.outputs.get(f"{policy}Arn") or deployment.physical_id(policy)
        iam.attach_role_policy(RoleName=made["RoleName"], PolicyArn=arn)
    return assume(deployment, {**made, "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}})
