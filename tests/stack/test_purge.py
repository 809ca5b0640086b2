"""`reassort purge` on the deployed template: what has ended goes, from every segment, and the
registry knows nobody then. The purger does it, with the policy that is attached to them.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops import cli
from reassort_ops.commands import purge as command
from typer.testing import CliRunner

from harness.service.reading import find_identifier
from harness.stack.deployed import DeployedVoter, Deployment, Platform
from local.deploy import write_demo_elections

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from typer.testing import Result

    from harness.stack.actors import Actor

_OWN_END = ("SignInTable", "CodeDeliveriesTable", "DeliveriesTable", "LimitsTable", "PaceTable")
_ROLL = ("VotersTable", "IdentifiersTable", "NumensTable")
# More than one transaction in each segment.
_VOTERS = 300


@pytest.mark.req("I10", "O11")
def test_each_table_is_emptied_at_its_end_and_not_a_second_before(
    deployment: Deployment,
    platform: Platform,
    voter: DeployedVoter,
    people: Mapping[str, Actor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = deployment.browser()
    browser.sign_in(voter)
    browser.wait_until_sent(browser.reissue(voter).json()["reference"])
    (text,) = deployment.texts_to(voter.phone)
    identifier = find_identifier(text) or ""
    for _ in range(_VOTERS):
        deployment.enrol()
    elections = write_demo_elections(tmp_path)
    for name, value in people["purger"].environment().items():
        monkeypatch.setenv(name, value)

    def purge(at: datetime | None, *flags: str) -> Result:
        if at is not None:
            monkeypatch.setattr(command, "utc_now", lambda: at.astimezone(UTC))
        options = ["--stack", deployment.stack.name, "--region", deployment.aws.region, "--elections", str(elections)]
        return CliRunner().invoke(cli.app, ["purge", *options, "--threads", "2", *flags])

    def held() -> dict[str, int]:
        found = {table: deployment.scan(table) for table in (*_OWN_END, *_ROLL, "RegisterTable")}
        return {table: len(items) for table, items in found.items()}

    before = held()
    assert min(before.values()) > 0
    refused = purge(None, "--yes")
    assert (refused.exit_code, "under way" in refused.stderr) == (1, True)
    assert held() == before

    roll_ends_at, register_ends_at = deployment.election.roll_ends_at, deployment.election.register_ends_at
    steps: list[tuple[datetime, Any]] = [
        (roll_ends_at - timedelta(seconds=1), _OWN_END),
        (roll_ends_at, (*_OWN_END, *_ROLL)),
        (register_ends_at - timedelta(seconds=1), (*_OWN_END, *_ROLL)),
        (register_ends_at, tuple(before)),
    ]
    for at, emptied in steps:
        there = sum(held().values())
        shown = purge(at)
        assert sum(held().values()) == there
        expected = {table: 0 if table in emptied else count for table, count in before.items()}
        assert shown.exit_code == (0 if sum(expected.values()) == there else 3)
        done = purge(at, "--yes")
        assert (done.exit_code, done.stderr) == (0, "")
        assert held() == expected
        assert platform.check(identifier)["status"] == ("active" if at < roll_ends_at else "unknown")
