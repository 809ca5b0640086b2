"""What operators hand over, on the deployed template: minutes of a signed register, a voter's own
data, the list of those whom nothing reached.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops.cli import app
from typer.testing import CliRunner

from harness.stack.deployed import wait_for
from local.deploy import write_demo_elections

if TYPE_CHECKING:
    from pathlib import Path

    from harness.stack.deployed import Deployment


@pytest.mark.req("O8", "O9", "O10")
def test_minutes_a_voters_data_and_the_unreached_of_a_deployed_stack(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voter = deployment.enrol()
    browser = deployment.signed_in(voter)
    reference = browser.reissue(voter, channel="email").json()["reference"]
    wait_for(lambda: browser.status(reference)["status"] == "sent")
    deployment.report_email("bounce", voter.email, reference, "identifier")
    (sms_id,) = wait_for(lambda: deployment.sms_ids(voter.phone))
    wait_for(lambda: browser.status(reference)["status"] == "sent")
    deployment.report_sms(sms_id, "FAILURE", "Phone carrier has blocked this message")
    wait_for(lambda: browser.status(reference)["status"] == "failed")

    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)
    elections = ["--elections", str(write_demo_elections(tmp_path))]
    stack = ["--stack", deployment.stack.name, "--region", deployment.aws.region]

    def run(*arguments: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, [*arguments, *stack, *elections, "--json"])
        assert result.stdout, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    listed = run("deliveries", "unreached")
    assert reference in [one["reference"] for one in listed["voters"]]
    run("voter", "settle", reference, "--reason", "rappelé par le lycée")
    assert reference not in [one["reference"] for one in run("deliveries", "unreached")["voters"]]

    page = tmp_path / "data.html"
    told = run("voter", "data", voter.email, "--reason", "demande 12", "--out", str(page))
    assert [one["reference"] for one in told["deliveries"]] == [reference]
    for secret in (voter.email, voter.numen, voter.phone, voter.voter_id, voter.identifier):
        assert secret not in page.read_text("utf-8")

    file, minutes = tmp_path / "register.jsonl", tmp_path / "minutes.html"
    assert run("register", "export", "--output", str(file))["written"]
    signed = ["--register", str(file), "--key", f"{file}.pub.pem"]
    found = run("minutes", *signed, "--output", str(minutes), "--pdf", str(tmp_path / "minutes.pdf"))
    assert (found["holds"], found["checked"]) == (True, "signed-file")
    assert found["by_hand"]["voter"] >= 1
    assert found["incidents"]["undelivered"] >= 1
    assert found["versions"]["layer_sha256"]
    assert found["seal"]["merkle_root"] in minutes.read_text("utf-8")
    assert voter.voter_id not in minutes.read_text("utf-8")
