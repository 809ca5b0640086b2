"""`reassort roll import --update`: what the roll corrects, after it was shown, and never an
identifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reassort.keyed_hash import Purpose
from reassort.register import Change
from reassort.tables import Action, ContentionError, write_all
from reassort.voters import voter_from_item
from reassort_ops.commands import roll as roll_commands
from reassort_ops.roll import update as roll_update

from harness.elections import DATE_OF_BIRTH, write_election
from tests.register_chain import broken_links
from tests.unit.ops.rolls import row, rows, to_csv, with_column, write_roll

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

CORRECTED = [
    row(1, numen=row(99).numen),
    row(2, establishment="Lycée du Morvan"),
    row(3, secretariat=""),
    row(4, numen=row(98).numen, identifier=row(97).identifier),
    row(5, numen=row(96).numen, secretariat="Gestionnaire"),
    row(6),
]


def counts(content: dict[str, Any]) -> list[int]:
    """Return imported, unchanged, updated, changed, rejected."""
    return [content[name] for name in ("imported", "unchanged", "updated", "changed", "rejected")]


@pytest.fixture
def corrected(deployed: OperatedStack, tmp_path: Path) -> Path:
    """A roll that corrects five of six voters who are on the stack."""
    deployed.run("roll", "import", write_roll(tmp_path, rows(6)))
    return write_roll(tmp_path, CORRECTED, "corrected.csv")


def chain(deployed: OperatedStack, number: int) -> list[dict[str, Any]]:
    voter_id = deployed.keyed_hash.voter_id(row(number).email)
    entries = [entry for entry in deployed.items(deployed.stack.register_table) if entry["voter_id"] == voter_id]
    return sorted(entries, key=lambda entry: entry["sequence"])


@pytest.mark.req("I9")
def test_what_differs_is_written_and_a_proof_is_in_the_register(deployed: OperatedStack, corrected: Path) -> None:
    identifiers = deployed.items(deployed.stack.identifiers_table)
    status, content = deployed.run_json("roll", "import", corrected, "--update", "--yes")
    assert (status, counts(content)) == (1, [0, 1, 4, 1, 0])
    voters = [voter_from_item(deployed.voter(row(number).email)) for number in range(1, 7)]
    hashes = [deployed.keyed_hash.hash(Purpose.NUMEN, row(number).numen) for number in (99, 2, 3, 4, 96, 6)]
    assert [voter.numen_hash for voter in voters] == hashes
    assert (voters[1].establishment, voters[2].secretariat, voters[4].secretariat) == (
        "Lycée du Morvan",
        None,
        "Gestionnaire",
    )
    assert [[entry["change"] for entry in chain(deployed, number)] for number in range(1, 7)] == [
        ["issued", "corrected"],
        ["issued"],
        ["issued"],
        ["issued"],
        ["issued", "corrected"],
        ["issued"],
    ]
    entry = chain(deployed, 1)[-1]
    assert (entry["generation"], entry["reference"], entry["actor"].startswith("import:")) == (1, "numen", True)
    for number, voter in enumerate(voters, 1):
        assert broken_links(chain(deployed, number)) == []
        assert voter.chain_head == chain(deployed, number)[-1]["hash"]
    assert deployed.items(deployed.stack.identifiers_table) == identifiers
    assert deployed.run("register", "verify").exit_code == 0
    assert "Liste électorale corrigée (NUMEN) par " in deployed.run("voter", "show", row(1).email).stdout


def test_a_second_update_changes_nothing(deployed: OperatedStack, corrected: Path) -> None:
    deployed.run("roll", "import", corrected, "--update", "--yes")
    before = deployed.everything()
    status, content = deployed.run_json("roll", "import", corrected, "--update", "--yes")
    assert (status, counts(content)) == (1, [0, 5, 0, 1, 0])
    assert deployed.everything() == before


def test_it_is_shown_first_and_nothing_is_written_unless_somebody_agrees(
    deployed: OperatedStack, corrected: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = deployed.everything()
    shown = deployed.run("roll", "import", corrected, "--update")
    assert shown.exit_code == 1
    assert deployed.everything() == before
    asked: list[str] = []
    monkeypatch.setattr(roll_commands, "may_ask", lambda: True)

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(roll_commands, "confirmed", refuse)
    deployed.run("roll", "import", corrected, "--update")
    assert (asked, deployed.everything()) == (["Update 4 voters?"], before)
    monkeypatch.setattr(roll_commands, "confirmed", lambda _: True)
    result = deployed.run("roll", "import", corrected, "--update")
    assert deployed.everything() != before
    assert f"{corrected}:3: p•••@ac-dijon.fr: establishment: Collège Les Trois-Rivières, Auxonne → Lycée du Morvan" in (
        result.stdout
    )
    assert "read 6 = imported 0 + unchanged 1 + updated 4 + changed 1 + rejected 0" in result.stdout


def test_no_proof_is_shown_and_the_identifier_has_another_way(deployed: OperatedStack, corrected: Path) -> None:
    result = deployed.run("roll", "import", corrected, "--update", "--yes")
    assert (
        f"{corrected}:5: p•••@ac-dijon.fr: identifier: differs; an import never changes it: `reassort voter reissue`"
        in (result.stdout)
    )
    for cells in (*CORRECTED, *rows(6)):
        assert not any(secret in result.output for secret in (cells.email, cells.numen, cells.identifier))
    _, content = deployed.run_json("roll", "import", corrected)
    assert content["differences"] == [
        {
            "line": 5,
            "address": "p•••@ac-dijon.fr",
            "outcome": "changed",
            "differing": ["numen", "identifier"],
            "changes": [],
            "reason": "identifier: an import never changes it: `reassort voter reissue` gives the voter the next one",
        }
    ]


def test_a_further_proof_that_is_missing_can_be_given(deployed: OperatedStack, tmp_path: Path) -> None:
    deployed.run("roll", "import", write_roll(tmp_path, rows(2)))
    deployed.elections = write_election(tmp_path, "dijon-2018", extra_proof=DATE_OF_BIRTH).parent
    file = tmp_path / "roll.csv"
    file.write_text(with_column(to_csv(rows(2)), "extra_proof", ["17/03/1968"] * 2), encoding="utf-8")
    status, content = deployed.run_json("roll", "import", file, "--update", "--yes")
    assert (status, counts(content)) == (0, [0, 0, 2, 0, 0])
    voter = voter_from_item(deployed.voter(row(1).email))
    assert voter.extra_proof_hash == deployed.keyed_hash.extra_proof(voter.voter_id, "1968-03-17")
    assert [entry["reference"] for entry in chain(deployed, 1)] == ["", "extra_proof"]
    assert "1968" not in str(deployed.everything())


def test_new_voters_come_with_it_and_votes_and_freezes_stay(deployed: OperatedStack, tmp_path: Path) -> None:
    deployed.run("roll", "import", write_roll(tmp_path, rows(2)))
    deployed.run("voter", "freeze", row(1).email, "--reason", "appel")
    changed = [row(1, numen=row(9).numen), row(2), row(3)]
    status, content = deployed.run_json("roll", "import", write_roll(tmp_path, changed), "--update", "--yes")
    assert (status, counts(content)) == (0, [1, 1, 1, 0, 0])
    assert voter_from_item(deployed.voter(row(1).email)).frozen_at is not None
    assert [entry["change"] for entry in chain(deployed, 1)] == ["issued", "frozen", "corrected"]


@pytest.mark.parametrize("committed", [True, False])
def test_a_write_whose_answer_is_lost_is_made_once(
    deployed: OperatedStack, corrected: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    tries: list[int] = []

    def lose_first(dynamodb: Any, actions: Sequence[Action], token: str | None = None) -> None:
        tries.append(len(actions))
        if len(tries) > 1 or committed:
            write_all(dynamodb, actions, token)
        if len(tries) == 1:
            raise ContentionError("TransactionInProgressException")

    monkeypatch.setattr(roll_update, "write_all", lose_first)
    _, content = deployed.run_json("roll", "import", corrected, "--update", "--yes")
    assert counts(content) == [0, 1, 4, 1, 0]
    assert [entry["change"] for entry in chain(deployed, 1)] == [Change.ISSUED, Change.CORRECTED]
