"""The journey of a voter who lost their identifier, over HTTP, on the deployed template with IAM
enforced.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from reassort.caller_codes import SLOT, current_code
from reassort.register import Change
from reassort_ops.cli import app
from typer.testing import CliRunner

from harness import plain_http
from harness.service.reading import dispute_token_in, find_identifier
from harness.stack.deployed import DeployedVoter, Deployment, Platform, wait_for
from local.deploy import write_demo_elections

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.mark.req("I1", "I2", "I4", "S11", "S17", "S28")
def test_a_voter_gets_a_new_identifier_and_the_former_one_stops_working(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    browser = deployment.browser()
    signed_in = browser.sign_in(voter)
    assert signed_in.status_code == 200
    for cookie in signed_in.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    overview = browser.call("GET", "/api/reissue").json()
    assert (overview["generation"], overview["status"], overview["last_reissue"]) == (1, "active", None)

    refused = browser.reissue(voter, numen="99Z9999999ZZZ")
    assert (refused.status_code, refused.json()["code"], refused.json()["attempts_left"]) == (403, "numen-mismatch", 4)
    assert platform.check(voter.identifier)["status"] == "active"

    accepted = browser.reissue(voter)
    assert accepted.status_code == 202
    reissue = accepted.json()
    assert (reissue["generation"], reissue["replaces"], reissue["channel"]) == (2, 1, "sms")
    assert voter.phone[2:6] not in reissue["destination"]
    history = browser.wait_until_sent(reissue["reference"])["history"]
    assert [step["status"] for step in history] == ["queued", "sending", "sent"]

    (text,) = deployment.texts_to(voter.phone)
    identifier = find_identifier(text)
    assert identifier is not None
    assert reissue["reference"] in text
    confirmation = wait_for(
        lambda: [mail for mail in deployment.mails_to(voter.email) if "Confirmation" in mail.subject]
    )
    assert len(confirmation) == 1
    for part in (confirmation[0].subject, confirmation[0].text, confirmation[0].html):
        assert identifier not in part
        assert identifier.replace("-", "") not in part

    first, new = platform.check(voter.identifier), platform.check(identifier)
    assert (first["status"], first["generation"]) == ("revoked", 1)
    assert first["superseded_at"] is not None
    assert new == {"status": "active", "generation": 2, "superseded_at": None}
    assert [entry.change for entry in deployment.chain(voter)] == [Change.ISSUED, Change.REISSUED]


@pytest.mark.req("I1", "R10")
def test_redelivery_sends_the_same_identifier_by_the_other_channel(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    browser = deployment.signed_in(voter)
    reference = browser.reissue(voter).json()["reference"]
    browser.wait_until_sent(reference)
    (text,) = deployment.texts_to(voter.phone)

    again = browser.call("POST", f"/api/reissue/{reference}/redelivery", {"channel": "email"})

    assert (again.status_code, again.json()["generation"], again.json()["channel"]) == (202, 2, "email")
    mails = wait_for(lambda: [mail for mail in deployment.mails_to(voter.email) if find_identifier(mail.text)])
    assert [find_identifier(mail.text) for mail in mails] == [find_identifier(text)]
    assert deployment.voter(voter).generation == 2
    assert len(deployment.mails_to(voter.email)) == 2
    assert platform.check(find_identifier(text) or "")["status"] == "active"


@pytest.mark.req("I5", "S28")
def test_a_vote_counts_once_and_closes_the_way_to_a_reissue(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    assert platform.vote(voter.identifier).json() == {"counted": True}

    again = platform.vote(voter.identifier)

    assert (again.status_code, again.json()["code"]) == (409, "already-voted")
    assert platform.check(voter.identifier)["status"] == "used"
    refused = deployment.signed_in(voter).reissue(voter)
    assert (refused.status_code, refused.json()["code"]) == (409, "already-voted")


@pytest.mark.req("I2", "I10")
def test_a_dispute_freezes_the_new_identifier_and_alerts_the_helpdesk(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    browser = deployment.signed_in(voter)
    reference = browser.reissue(voter).json()["reference"]
    browser.wait_until_sent(reference)
    (text,) = deployment.texts_to(voter.phone)
    (confirmation,) = wait_for(lambda: deployment.mails_to(voter.email))

    disputed = deployment.browser().call("POST", "/api/dispute", {"token": dispute_token_in(confirmation)})

    assert (disputed.status_code, disputed.json()["reference"]) == (202, reference)
    assert platform.check(find_identifier(text) or "")["status"] == "frozen"
    refused = platform.vote(find_identifier(text) or "")
    assert (refused.status_code, refused.json()["code"]) == (409, "frozen")
    assert browser.call("GET", "/api/reissue").json()["code"] == "signed-out"
    again = deployment.signed_in(voter)
    assert again.status(reference)["status"] == "disputed"
    refused = again.reissue(voter)
    assert (refused.status_code, refused.json()["code"]) == (409, "frozen")

    def alert() -> object:
        (delivery,) = [item for item in deployment.scan("DeliveriesTable") if item["delivery_id"] == reference]
        return delivery["messages"]["alert"]["status"] == "sent"

    assert wait_for(alert)


@pytest.mark.req("S28")
@pytest.mark.parametrize("path", ["/registry/check", "/registry/votes"])
def test_the_registry_answers_nobody_who_does_not_sign(deployment: Deployment, voter: DeployedVoter, path: str) -> None:
    answer = plain_http.post(deployment.stack.api_url + path, json={"identifier": voter.identifier}, timeout=60)
    assert answer.status_code == 403
    assert deployment.voter(voter).voted_at is None


@pytest.mark.req("S28")
@pytest.mark.parametrize("path", ["/registry/check", "/registry/votes"])
def test_the_registry_answers_nobody_without_its_permission(
    deployment: Deployment, voter: DeployedVoter, path: str
) -> None:
    iam = deployment.client("iam")
    name = f"stranger-{voter.voter_id}"
    iam.create_user(UserName=name)
    stranger = Platform(deployment, iam.create_access_key(UserName=name)["AccessKey"])

    assert stranger.call(path, {"identifier": voter.identifier}).status_code == 403
    assert deployment.voter(voter).voted_at is None

    iam.attach_user_policy(UserName=name, PolicyArn=deployment.physical_id("VotingPlatformPolicy"))
    assert stranger.call(path, {"identifier": voter.identifier}).status_code == 200


@pytest.mark.req("S26", "I7", "I9")
def test_a_caller_reads_the_code_of_the_site_and_the_agent_reads_their_story(
    deployment: Deployment, platform: Platform, voter: DeployedVoter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elections = write_demo_elections(tmp_path)
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)

    def agent(*arguments: str) -> Result:
        options = ["--stack", deployment.stack.name, "--region", deployment.aws.region, "--elections", str(elections)]
        return CliRunner().invoke(app, ["voter", *arguments, *options])

    browser = deployment.browser()
    browser.sign_in(voter)
    reference = browser.reissue(voter).json()["reference"]
    browser.wait_until_sent(reference)
    code = browser.call("GET", "/api/reissue").json()["caller_code"]["words"]
    other = deployment.signed_in(deployment.enrol()).call("GET", "/api/reissue").json()["caller_code"]["words"]
    idle = deployment.election.limits.session.idle_minutes
    long_ago = datetime.now(UTC) - timedelta(minutes=idle) - 2 * SLOT
    expired = current_code(deployment.keyed_hash, voter.voter_id, long_ago, idle).words
    assert len({code, other, expired}) == 3

    for who in (voter.email, reference):
        shown = agent("show", who, "--caller-code", code)
        assert (shown.exit_code, shown.stderr) == (0, "")
        assert shown.stdout.startswith("Appelant       vérifié")
        place = f"par SMS au •• •• •• {voter.phone[-4:-2]} {voter.phone[-2:]}"
        story = ["Code de connexion envoyé par courriel.", "Connexion au site avec un code."]
        story += [f"Réassort n° 2 demandé {place}", f"Identifiant n° 2 envoyé {place}."]
        places = [shown.stdout.index(words) for words in story]
        assert places == sorted(places)
    (text,) = deployment.texts_to(voter.phone)
    for secret in (voter.email, voter.numen, voter.phone, voter.identifier, find_identifier(text), code):
        assert secret
        assert secret not in shown.stdout
    for wrong in (other, expired):
        refused = agent("show", voter.email, "--caller-code", wrong)
        assert (refused.exit_code, "les deux mots ne correspondent pas" in refused.stdout) == (1, True)
        refused = agent("freeze", voter.email, "--caller-code", wrong, "--reason", "téléphone volé")
        assert (refused.exit_code, refused.stdout) == (1, "")
    assert [entry.change for entry in deployment.chain(voter)] == [Change.ISSUED, Change.REISSUED]

    assert agent("freeze", reference, "--caller-code", code, "--reason", "téléphone volé").exit_code == 0
    assert platform.check(find_identifier(text) or "")["status"] == "frozen"
    assert deployment.chain(voter)[-1].reference == "téléphone volé (appelant vérifié)"
    assert deployment.chain(voter)[-1].actor not in {"", "voter"}


@pytest.mark.req("S16")
def test_signing_out_ends_the_session_on_the_server(deployment: Deployment, voter: DeployedVoter) -> None:
    browser = deployment.signed_in(voter)
    cookies = dict(browser.cookies)
    assert browser.call("DELETE", "/api/login").status_code == 204

    browser.cookies = cookies
    assert browser.call("GET", "/api/reissue").json()["code"] == "signed-out"
