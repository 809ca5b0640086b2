"""The voting platform's own program (examples/voting_platform.py) on the deployed template: what it
asks and what it hears of.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from reassort_ops.voter.api import HelpdeskApi

from examples.voting_platform import Events, KeptAnswers, RefusedCallError, Registry, UnavailableError, assumed
from harness.service.openapi import description
from harness.service.reading import dispute_token_in, find_identifier
from harness.stack.deployed import DeployedVoter, Deployment, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.stack.deployed import DeployedBrowser

NEVER = "7K3M-9QWX-2TBD-HV5Z"


@pytest.fixture
def session(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """The SDK as the platform's engineers have it, on this AWS."""
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)
    return boto3.Session(region_name=deployment.aws.region)


@pytest.fixture
def registry(deployment: Deployment, session: boto3.Session) -> Registry:
    """The example's client, in the role that the template gives the platform."""
    role = deployment.stack.outputs["VotingPlatformRoleArn"]
    return Registry(deployment.stack.api_url, deployment.aws.region, assumed(session, role))


def reissued(browser: DeployedBrowser, voter: DeployedVoter, deployment: Deployment) -> str:
    """Reissue by SMS and return the new identifier."""
    seen = len(deployment.texts_to(voter.phone))
    browser.wait_until_sent(browser.reissue(voter).json()["reference"])
    identifier = find_identifier(deployment.texts_to(voter.phone)[seen])
    assert identifier is not None
    return identifier


@pytest.mark.req("I5", "I6", "I7")
def test_a_subscribed_queue_gets_one_event_for_each_change_and_nothing_else(
    deployment: Deployment, registry: Registry, helpdesk_api: HelpdeskApi, tell: Callable[[str], None]
) -> None:
    queue = deployment.subscribed("platform-each-change")
    disputed, frozen, voted = (deployment.enrol() for _ in range(3))
    browser = deployment.signed_in(disputed)
    second = reissued(browser, disputed, deployment)
    mail = wait_for(lambda: deployment.mails_to(disputed.email))[-1]
    assert browser.call("POST", "/api/dispute", {"token": dispute_token_in(mail)}).status_code == 202
    helpdesk_api.act("freeze", frozen.email, "mailbox stolen")
    helpdesk_api.act("unfreeze", frozen.email, "voter called")
    assert registry.vote(voted.identifier).counts
    assert registry.vote(voted.identifier).refusal == "already-voted"
    # The last of all: what comes before it has come, and what should not has had its time.
    assert registry.vote(frozen.identifier).counts
    expected = [
        (deployment.handle(disputed), "revoked", 1, 2),
        (deployment.handle(disputed, 2), "frozen", 2, 3),
        (deployment.handle(frozen), "frozen", 1, 2),
        (deployment.handle(frozen), "active", 1, 3),
        (deployment.handle(voted), "used", 1, 2),
        (deployment.handle(frozen), "used", 1, 4),
    ]

    events = queue.until(lambda events: len(events) >= len(expected))

    told = Counter((event["handle"], event["status"], event["generation"], event["sequence"]) for event in events)
    assert told == Counter(expected)
    assert {event["election"] for event in events} == {deployment.stack.outputs["ElectionId"]}
    assert len({event["event_id"] for event in events}) == len(expected)
    members = set(description()["components"]["schemas"]["ChangedStatus"]["properties"])
    assert all(set(event) == members for event in events)
    secrets = [second, *(getattr(voter, name) for voter in (disputed, frozen, voted) for name in vars(voter))]
    assert not any(str(secret) in json.dumps(events) for secret in secrets)
    tell(f"{len(expected)} changes, {len(events)} events, each as expected")


@pytest.mark.req("I5")
def test_a_kept_answer_is_corrected_by_an_event(
    deployment: Deployment, registry: Registry, session: boto3.Session, helpdesk_api: HelpdeskApi, voter: DeployedVoter
) -> None:
    answers = KeptAnswers()
    events = Events(session.client("sqs"), deployment.subscribed("platform-kept-answers").url, answers)
    for identifier in (voter.identifier, NEVER):
        assert answers.status(identifier) is None
        answers.keep(identifier, registry.check(identifier))
    assert answers.status(voter.identifier.replace("-", " ").lower()) == "active"
    assert answers.status(NEVER) is None

    def heard(status: str) -> bool:
        events.take(wait_seconds=1)
        return answers.status(voter.identifier) == status

    helpdesk_api.act("freeze", voter.email, "mailbox stolen")
    assert wait_for(lambda: heard("frozen"))
    early = registry.check(voter.identifier)
    helpdesk_api.act("unfreeze", voter.email, "voter called")
    assert wait_for(lambda: heard("active"))
    # A check that was answered before the event and kept after it.
    answers.keep(voter.identifier, early)
    assert answers.status(voter.identifier) == "active"
    second = reissued(deployment.signed_in(voter), voter, deployment)
    assert wait_for(lambda: heard("revoked"))
    assert registry.vote(voter.identifier).refusal == "revoked"
    answers.keep(second, registry.check(second))
    assert answers.status(second) == "active"


def test_the_example_tells_each_answer_apart(
    deployment: Deployment, registry: Registry, helpdesk_api: HelpdeskApi, session: boto3.Session
) -> None:
    frozen, other = deployment.enrol(), deployment.enrol()
    helpdesk_api.act("freeze", frozen.email, "mailbox stolen")
    answer = registry.check(frozen.identifier)
    assert (answer.status, answer.generation, answer.superseded_at) == ("frozen", 1, None)
    assert (answer.handle, answer.sequence) == (deployment.handle(frozen), 2)
    assert registry.vote(frozen.identifier).refusal == "frozen"
    assert registry.check(NEVER).status == "unknown"
    assert registry.vote(NEVER).refusal == "unknown-identifier"
    with pytest.raises(RefusedCallError, match="422 invalid-fields"):
        registry.check("x" * 200)
    nobody = boto3.Session("unknown-key", "secret").get_credentials()
    assert nobody is not None
    with pytest.raises(RefusedCallError, match="403"):
        Registry(deployment.stack.api_url, deployment.aws.region, nobody).check(other.identifier)
    closed = Registry("http://127.0.0.1:9", deployment.aws.region, nobody)
    with pytest.raises(UnavailableError):
        closed.vote(other.identifier)
    assert deployment.voter(other).voted_at is None


@pytest.mark.req("R9", "R4")
def test_what_the_topic_refuses_is_announced_once_it_takes_it(
    deployment: Deployment, registry: Registry, voter: DeployedVoter
) -> None:
    queue = deployment.subscribed("platform-refusing-topic")
    iam, role = deployment.client("iam"), deployment.physical_id("AnnounceRole")
    denied = {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=role, PolicyName="taken-away", PolicyDocument=policy)
    try:
        assert registry.vote(voter.identifier).counts
        wait_for(lambda: "event kept in the stream" in deployment.logged("AnnounceLogs"))
        assert queue.events == []
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="taken-away")
    (event,) = queue.until(len)
    assert (event["handle"], event["status"]) == (deployment.handle(voter), "used")
    assert "is not authorized" not in deployment.logged("AnnounceLogs")


def test_the_platform_may_not_publish_to_the_topic(deployment: Deployment) -> None:
    credentials: Any = deployment.platform().credentials
    topic = deployment.stack.outputs["PlatformTopicArn"]
    with pytest.raises(ClientError, match=r"AuthorizationError|AccessDenied"):
        deployment.client("sns", credentials).publish(TopicArn=topic, Message="{}")
