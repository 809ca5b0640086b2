"""How environments start. `ColdStarts`: a stack whose sign-in and reissue are kept ready answers
through their alias, and goes back to plain starts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from harness.stack.deployed import SITE_ORIGIN, DeployedBrowser, Deployment
from local.deploy import deploy

if TYPE_CHECKING:
    from pathlib import Path

STACK = "reassort-ready"


def deployed_with(deployment: Deployment, folder: Path, mode: str) -> Deployment:
    """Deploy the same template once more, under a name of its own."""
    stack = deploy(
        deployment.aws,
        deployment.template,
        folder,
        site_origin=SITE_ORIGIN,
        stack_name=STACK,
        # Another stack has what an account has once, and the sender's domain.
        parameters={
            "ColdStarts": mode,
            "ReadyEnvironments": "2",
            "AccountResources": "shared",
            "SenderIdentity": "shared",
        },
    )
    return replace(deployment, stack=stack)


def answers(deployment: Deployment) -> tuple[int, int]:
    """Return what a stranger is answered by sign-in, and by reissue."""
    browser = DeployedBrowser(deployment)
    asked = browser.call("POST", "/api/login", {"email": "personne@ac-dijon.fr"})
    return asked.status_code, browser.call("GET", "/api/reissue").status_code


@pytest.mark.req("R17", "A5")
def test_a_stack_keeps_environments_ready_and_goes_back(deployment: Deployment, tmp_path: Path) -> None:
    ready = deployed_with(deployment, tmp_path, "provisioned")
    functions = [ready.physical_id(f"{name}Function") for name in ("Login", "Reissue")]
    client = ready.client("lambda")
    for function in functions:
        alias = client.get_alias(FunctionName=function, Name="live")
        assert alias["FunctionVersion"].isdigit()
        kept = client.get_provisioned_concurrency_config(FunctionName=function, Qualifier="live")
        assert kept["RequestedProvisionedConcurrentExecutions"] == 2
    assert answers(ready) == (202, 401)

    plain = deployed_with(deployment, tmp_path, "plain")
    for function in functions:
        with pytest.raises(ClientError, match="ResourceNotFound"):
            client.get_alias(FunctionName=function, Name="live")
    assert answers(plain) == (202, 401)


def test_environments_share_one_copy_of_the_layer(deployment: Deployment) -> None:
    assert answers(deployment) == (202, 401)
    layers = list(deployment.aws.log.parent.glob("aws-*/ministack-lambda-*/layer_0"))
    assert len(layers) >= 2
    (copy,) = {layer.resolve() for layer in layers}
    assert copy.parent.name == "unpacked"
