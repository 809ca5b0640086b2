"""`reassort report` on the deployed template, after real sign-ins, reissues, receipts and a
dispute.

The local AWS counts nothing from logs, so what only CloudWatch knows is unknown until a test writes
it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops import cli
from typer.testing import CliRunner

from harness.service.reading import dispute_token_in
from harness.stack.deployed import DeployedBrowser, DeployedVoter, Deployment, wait_for
from local.deploy import write_demo_elections
from tests.report_history import measure

if TYPE_CHECKING:
    from pathlib import Path


def reissue(deployment: Deployment, browser: DeployedBrowser, voter: DeployedVoter, channel: str) -> str:
    """Ask for an identifier and wait until both of its messages have left; return the reference."""
    reference: str = browser.reissue(voter, channel=channel).json()["reference"]
    wait_for(
        lambda: (found := browser.status(reference))["status"] == found["confirmation"]["status"] == "sent" and found
    )
    return reference


def test_a_report_of_what_has_just_happened(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever other tests left on this stack came before.
    begin = datetime.now(UTC)
    arrived, bounced, unreachable, disputed = (deployment.enrol() for _ in range(4))

    browser = deployment.browser()
    browser.sign_in(arrived)
    reference = reissue(deployment, browser, arrived, "sms")
    (sms_id,) = deployment.sms_ids(arrived.phone)
    deployment.report_sms(sms_id, "SUCCESS", "Message has been accepted by phone carrier")
    wait_for(lambda: browser.status(reference)["status"] == "delivered")

    browser = deployment.signed_in(bounced)
    reference = reissue(deployment, browser, bounced, "email")
    deployment.report_email(
        "bounce", bounced.email, reference, "identifier", bounceType="Transient", bounceSubType="MailboxFull"
    )
    # The SMS that follows is refused as well.
    (sms_id,) = wait_for(lambda: deployment.sms_ids(bounced.phone))
    wait_for(lambda: browser.status(reference)["status"] == "sent")
    deployment.report_sms(sms_id, "FAILURE", "Phone carrier has blocked this message")
    wait_for(lambda: browser.status(reference)["status"] == "failed")

    browser = deployment.signed_in(unreachable)
    reference = reissue(deployment, browser, unreachable, "sms")
    (sms_id,) = deployment.sms_ids(unreachable.phone)
    deployment.report_sms(sms_id, "FAILURE", "Phone is currently unreachable/unavailable")
    wait_for(lambda: (found := browser.status(reference))["channel"] == "email" and found["status"] == "sent")

    browser = deployment.signed_in(disputed)
    reissue(deployment, browser, disputed, "sms")
    (confirmation,) = deployment.mails_to(disputed.email)
    token = dispute_token_in(confirmation)
    assert deployment.browser().call("POST", "/api/dispute", {"token": token}).status_code == 202

    elections = write_demo_elections(tmp_path)
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)
    page, picture = tmp_path / "report.html", tmp_path / "report.png"

    def told(*options: str) -> dict[str, Any]:
        stack = ["--stack", deployment.stack.name, "--region", deployment.aws.region, "--elections", str(elections)]
        result = CliRunner().invoke(cli.app, ["report", *stack, "--from", begin.isoformat(), "--json", *options])
        assert (result.exit_code, result.stderr) == (0, "")
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    found = told("--output", str(page), "--png", str(picture))
    reissues = found["reissues"]
    assert (reissues["total"], reissues["sms"], reissues["email"], reissues["unknown"]) == (4, 3, 1, 0)
    assert (reissues["by_voters"], reissues["by_helpdesk"], reissues["by_operators"]) == (4, 0, 0)
    assert sum(hour["sms"] + hour["email"] for hour in reissues["by_hour"]) == 4
    assert [step["count"] for step in found["funnel"]] == [1, None, 4, 4, 1]
    assert found["outcomes"] == {
        "known": 4,
        "asked_by_voters": 4,
        "waiting": 0,
        "sent": 2,
        "delivered": 1,
        "failed": 1,
        "superseded_unsent": 0,
        "disputed": 1,
    }
    assert {(row["channel"], row["domain"], row["reason"], row["count"]) for row in found["failures"]["by_reason"]} == {
        ("sms", None, "phone-unreachable", 1),
        ("sms", None, "carrier-refused", 1),
        ("email", "ac-dijon.fr", "mailbox-full", 1),
    }
    assert (found["failures"]["fell_back"], found["failures"]["undelivered"]) == (2, 1)
    # By SMS: three identifiers, one that followed an e-mail. By e-mail: one, one that followed an
    # SMS, four confirmations.
    assert [row["queued"] for row in found["failures"]["by_domain"]][:2] == [4, 6]
    assert [times["count"] for times in found["times"]] == [4, 1, 2, 0, 1]
    assert all(times["p50"] <= times["longest"] < 180_000 for times in found["times"] if times["count"])
    assert (found["disputes"]["total"], found["disputes"]["froze"]) == (1, 1)
    assert found["disputes"]["frozen_now"] >= 1
    # The counter is the whole day's, other tests' SMS included.
    assert sum(day["counted"] or 0 for day in found["sms"]["by_day"]) >= 3
    assert found["sms"]["handed_over"] == 4
    sources = {source["name"]: source["available"] for source in found["sources"]}
    assert sources == {"register": True, "deliveries": True, "voters": True, "limits": True, "metrics": False}
    assert found["locks"]["wrong"] is None
    assert found["failures"]["mail"] is None

    markup = page.read_text("utf-8")
    assert "CloudWatch n’a aucune mesure" in markup
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    for voter in (arrived, bounced, unreachable, disputed):
        for secret in (voter.email, voter.numen, voter.phone, voter.voter_id, voter.identifier):
            assert secret not in markup

    measure(
        deployment.client("cloudwatch"),
        deployment.stack.name,
        [("SignedIn", datetime.now(UTC) - timedelta(seconds=1), 5, {}), ("CodesQueued", datetime.now(UTC), 7, {})],
    )
    again = told()
    assert [(step["count"], step["source"]) for step in again["funnel"]][:2] == [(7, "metrics"), (5, "metrics")]
    assert {source["name"]: source["available"] for source in again["sources"]}["metrics"] is True
