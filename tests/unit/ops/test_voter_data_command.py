"""`reassort voter data` on a stack with a roll: the page is written through the helpdesk's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.ops.helpdesk_api import OPERATOR
from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

EMAIL = row(1).email


@pytest.mark.req("O10", "H8")
def test_the_page_is_written_for_its_owner_alone_and_is_on_record(deployed: OperatedStack, tmp_path: Path) -> None:
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(2))).exit_code == 0
    page = tmp_path / "data.html"
    result = deployed.run("voter", "data", EMAIL, "--reason", "droit d’accès", "--out", page)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{page} written: for the voter alone\n"
    shown = page.read_text("utf-8")
    assert "p•••@ac-dijon.fr" in shown
    for secret in (EMAIL, row(1).numen, row(1).identifier, deployed.keyed_hash.voter_id(EMAIL)):
        assert str(secret) not in shown
    assert page.stat().st_mode & 0o777 == 0o600
    (entry,) = [one for one in deployed.items("HelpdeskRecordTable") if one.get("action") == "data-given"]
    assert (entry["agent"], entry["reason"]) == (OPERATOR, "droit d’accès")
    status, told = deployed.run_json("voter", "data", EMAIL, "--reason", "droit d’accès", "--out", page)
    assert (status, told["identifiers"], told["deliveries"]) == (0, 1, [])


@pytest.mark.req("O10")
def test_who_is_not_on_the_roll_has_no_page(deployed: OperatedStack, tmp_path: Path) -> None:
    page = tmp_path / "data.html"
    result = deployed.run("voter", "data", "personne@ac-dijon.fr", "--reason", "droit d’accès", "--out", page)
    assert (result.exit_code, result.stdout, page.exists()) == (1, "", False)
    assert "no-such-voter" in result.stderr
