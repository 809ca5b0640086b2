"""Secrets that nothing else holds go through the deployed stack, faults included; then everything
that it keeps is searched for them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from harness.service.reading import code_in, dispute_token_in, find_identifier
from harness.stack.deployed import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.stack.deployed import DeployedVoter, Deployment, Platform

WRONG_NUMEN = "09E9977123QZX"
LOGS = ("LoginLogs", "ReissueLogs", "NotifyLogs", "RegistryLogs", "AnnounceLogs", "ApiLogs")
TABLES = (
    "VotersTable",
    "IdentifiersTable",
    "NumensTable",
    "SignInTable",
    "CodeDeliveriesTable",
    "DeliveriesTable",
    "RegisterTable",
    "LimitsTable",
    "ControlTable",
    "PaceTable",
)
QUEUES = ("RetryQueue", "DeadLetterQueue", "PlatformDeadLetters")


def forms_of(secret: str) -> set[str]:
    """Return a secret as it might be kept by mistake: in another spelling, encoded, or as a hash
    without a key.
    """
    plain = secret.encode()
    spelt = {secret, secret.lower(), secret.upper(), secret.replace("-", ""), secret.replace(" ", "")}
    encoded = {
        base64.b64encode(plain).decode().rstrip("="),
        base64.urlsafe_b64encode(plain).decode().rstrip("="),
        plain.hex(),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        secret[::-1],
    }
    hashed = {hashlib.new(name, plain).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
    return spelt | encoded | hashed


def kept(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Give each place where the stack keeps something, with all that it holds as text."""
    for table in TABLES:
        yield table, json.dumps(deployment.scan(table), default=_text)
    for group in LOGS:
        yield group, deployment.logged(group)
    sqs = deployment.client("sqs")
    for queue in QUEUES:
        url = deployment.physical_id(queue)
        yield (
            queue,
            json.dumps(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0), default=str),
        )


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return sorted(map(str, value)) if isinstance(value, set) else str(value)


@pytest.mark.req("S9", "S23", "I7")
def test_nothing_of_a_voter_is_kept_in_the_clear(
    deployment: Deployment, platform: Platform, voter: DeployedVoter, tell: Callable[[str], None]
) -> None:
    answers: list[str] = []
    browser = deployment.browser()
    answers.append(browser.call("POST", "/api/login", {"email": "canary.stranger@ac-dijon.fr"}).text)
    browser = deployment.browser()
    answers.append(browser.call("POST", "/api/login", {"email": voter.email}).text)
    code = code_in(wait_for(lambda: deployment.mails_to(voter.email))[-1])
    answers.append(browser.call("POST", "/api/login/code", {"code": code}).text)
    session = next(value for name, value in browser.cookies.items() if "session" in name)[:32]
    answers.append(browser.reissue(voter, numen=WRONG_NUMEN).text)
    answers.append(browser.reissue(voter, phone="+44 7911 123456").text)
    issued = browser.reissue(voter)
    answers.append(issued.text)
    reference = issued.json()["reference"]
    browser.wait_until_sent(reference)
    new = find_identifier(deployment.texts_to(voter.phone)[-1])
    confirmation = wait_for(
        lambda: [mail for mail in deployment.mails_to(voter.email) if "contestation.html#" in mail.text]
    )[-1]
    token = dispute_token_in(confirmation)
    answers.append(json.dumps([platform.check(voter.identifier), platform.check(new or "")]))
    answers.append(browser.call("POST", "/api/dispute", {"token": token}).text)
    answers.append(platform.vote(new or "").text)
    # The dispute has ended the session that asked.
    for signed_in in (browser, deployment.signed_in(voter)):
        answers.append(signed_in.call("GET", "/api/reissue").text)
        answers.append(signed_in.call("GET", f"/api/reissue/{reference}").text)
    secrets = {
        "address": voter.email,
        "name in an address": "canary.stranger",
        "NUMEN": voter.numen,
        "wrong NUMEN": WRONG_NUMEN,
        "phone": voter.phone,
        "phone with its country": f"+33{voter.phone[1:]}",
        "foreign phone": "447911123456",
        "identifier": voter.identifier,
        "new identifier": new or "",
        "session": session,
        "dispute token": token.partition(".")[2],
    }
    assert all(secrets.values())

    places = [*kept(deployment), ("answers", "\n".join(answers))]
    assert all(text for place, text in places if place in TABLES[:5] or place in LOGS[:4])
    searched = {(name, form) for name, secret in secrets.items() for form in forms_of(secret)}
    hits = [(place, name) for place, text in places for name, form in searched if form in text]
    size = sum(len(text) for _, text in places)
    tell(
        f"{len(secrets)} canaries in {len(searched)} forms, searched for in {len(places)} places of {size:,} "
        f"characters: {len(hits)} hits"
    )
    assert hits == []


@pytest.mark.req("S23")
def test_search_finds_what_is_planted(deployment: Deployment, voter: DeployedVoter) -> None:
    deployment.client("dynamodb").update_item(
        TableName=deployment.table("VotersTable"),
        Key={"voter_id": {"S": voter.voter_id}},
        UpdateExpression="SET planted = :leak",
        ExpressionAttributeValues={":leak": {"S": hashlib.sha256(voter.numen.encode()).hexdigest()}},
    )
    try:
        hits = {place for place, text in kept(deployment) for form in forms_of(voter.numen) if form in text}
        assert hits == {"VotersTable"}
    finally:
        deployment.client("dynamodb").update_item(
            TableName=deployment.table("VotersTable"),
            Key={"voter_id": {"S": voter.voter_id}},
            UpdateExpression="REMOVE planted",
        )
