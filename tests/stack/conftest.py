"""One deployed stack for all tests of this folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from reassort.clock import utc_now
from reassort_ops.account.operator import Operator
from reassort_ops.account.stack import Aws
from reassort_ops.commands.target import helpdesk_api as found_api
from reassort_ops.voter.api import HelpdeskApi

from harness.stack.account import AccountStack, deploy_account, person
from harness.stack.actors import Actor
from harness.stack.deployed import DeployedVoter, Deployment, Platform, deployed
from harness.stack.people import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="package")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The template, deployed."""
    with deployed(tmp_path_factory.mktemp("stack")) as deployment:
        yield deployment


@pytest.fixture(scope="package")
def account(deployment: Deployment) -> AccountStack:
    """What an administrator makes in an account."""
    return deploy_account(deployment)


@pytest.fixture(scope="package")
def people(deployment: Deployment, account: AccountStack) -> dict[str, Actor]:
    """Somebody of each role."""
    return {role: person(deployment, account, role) for role in PEOPLE}


@pytest.fixture(scope="package")
def platform(deployment: Deployment) -> Platform:
    """The voting platform."""
    return deployment.platform()


@pytest.fixture
def voter(deployment: Deployment) -> DeployedVoter:
    """A voter of this test's own."""
    return deployment.enrol()


@pytest.fixture
def helpdesk(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Anne, who finds the stack as the helpdesk's commands do."""
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)
    aws = Aws(region=deployment.aws.region)
    return Operator(aws.dynamodb(), aws.find_stack(deployment.stack.name), utc_now, "anne")


@pytest.fixture
def helpdesk_api(deployment: Deployment, helpdesk: Operator) -> HelpdeskApi:
    """The API of the helpdesk, as the commands call it."""
    return found_api(deployment.stack.name, deployment.aws.region, None)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Write a measurement to the terminal, captured or not, and to the test's report."""

    def write(text: str) -> None:
        record_property("measured", text)
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return write
