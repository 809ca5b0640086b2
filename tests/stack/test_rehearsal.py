"""`reassort rehearse` on the deployed template: fictional voters play a morning, what they got is
in the tables, and they leave no trace.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort.outbox import Kind
from reassort_ops.cli import app
from reassort_ops.rehearsal.roll import SOURCE
from typer.testing import CliRunner

from harness.stack.deployed import SITE_ORIGIN, Deployment
from local.deploy import deploy, write_demo_elections

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_VOTERS = 30


@pytest.mark.req("I2", "I3", "I10")
def test_thirty_voters_play_a_morning(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    # A second stack of the same build, without the voters of the other tests.
    stack = deploy(
        deployment.aws,
        deployment.template,
        tmp_path / "stack",
        site_origin=SITE_ORIGIN,
        stack_name="rehearsal",
        parameters={"AccountResources": "shared", "SenderIdentity": "shared"},
    )
    elections = write_demo_elections(tmp_path)
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)

    def rehearse(name: str, *flags: str) -> tuple[int, str, str]:
        options = ["--stack", name, "--region", deployment.aws.region, "--elections", str(elections)]
        result = CliRunner().invoke(app, ["rehearse", *options, *flags])
        return result.exit_code, result.stdout, result.stderr

    def held(table: str) -> list[dict[str, Any]]:
        pages = deployment.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs[table])
        return [item for page in pages for item in page["Items"]]

    # The other stack has voters whom no rehearsal made.
    deployment.enrol()
    voters = len(deployment.scan("VotersTable"))
    refused = rehearse(deployment.stack.name, "--voters", "3", "--url", deployment.stack.api_url)
    assert (refused[0], "no rehearsal made" in refused[2]) == (1, True)
    assert len(deployment.scan("VotersTable")) == voters

    morning = [
        "--voters",
        str(_VOTERS),
        "--share",
        "60",
        "--minutes",
        "0.1",
        "--clients",
        "4",
        "--seed",
        "11",
        "--haste",
        "50",
    ]
    status, said, complained = rehearse("rehearsal", *morning, "--url", stack.api_url, "--json")
    outcome = json.loads(said)
    assert (status, outcome["broken"]) == (0, []), complained
    asked = round(_VOTERS * 0.6)
    assert outcome["signed_in"] == asked
    assert outcome["reissues"]["reissues"] == outcome["reissues"]["handed_over"] >= asked
    assert outcome["calls"]["POST reissue"]["number"] >= asked
    assert (outcome["register"]["voters"], outcome["register"]["holds"]) == (_VOTERS, True)
    assert outcome["register"]["issued"] == _VOTERS + outcome["reissues"]["reissues"]
    assert outcome["register"]["used"] == outcome["votes"] > 0
    actors = {item["actor"]["S"] for item in held("RegisterTable") if item["sequence"]["N"] == "1"}
    assert {actor.partition(":")[0] for actor in actors} == {SOURCE}
    reissues = [item for item in held("DeliveriesTable") if item["kind"]["S"] == Kind.REISSUE]
    assert len(reissues) == outcome["reissues"]["reissues"]
    tell(f"rehearsal of {_VOTERS} voters: {outcome['reissues']['reissues']} reissues in {outcome['lasted']} s")

    status, said, _ = rehearse("rehearsal", "--clean", "--yes", "--json")
    assert (status, json.loads(said)["voters"]) == (0, _VOTERS)
    for table in ("VotersTable", "IdentifiersTable", "NumensTable", "RegisterTable", "DeliveriesTable"):
        assert held(table) == []
