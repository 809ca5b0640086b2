"""`reassort platform reconcile`: the votes of the platform against those of the register."""

from __future__ import annotations

import csv
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from reassort.identifiers import normalise_identifier
from reassort.keyed_hash import Purpose
from reassort_ops.platform.reconciliation import WITHOUT_A_VOTE, VoteDifference, what_to_look_at

from tests.unit.ops.rolls import row, rows, write_roll
from tests.unit.ops.test_platform_export import change, reissue, voter_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from tests.unit.ops.conftest import OperatedStack

VOTERS = 6
STRANGER = "A" * 22
DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
type Reconcile = Callable[[dict[str, str]], Result]


@pytest.fixture
def voted(deployed: OperatedStack, tmp_path: Path) -> OperatedStack:
    """A stack on which the first has two identifiers, the second is frozen, the third and the
    fourth have voted.
    """
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(VOTERS))).exit_code == 0
    reissue(deployed, 1, 2)
    change(deployed, 2, "frozen_at")
    change(deployed, 3, "voted_at")
    change(deployed, 4, "voted_at")
    return deployed


@pytest.fixture
def statuses(voted: OperatedStack) -> dict[str, str]:
    """What a platform holds that agrees, by handle: it knows nothing of the last voter."""
    known = {handle(voted, 1): "revoked", handle(voted, 1, 2): "active", handle(voted, 2): "frozen"}
    return known | {handle(voted, 3): "used", handle(voted, 4): "used", handle(voted, 5): "active"}


@pytest.fixture
def reconcile(voted: OperatedStack, tmp_path: Path) -> Reconcile:
    """Reconcile a platform's list with the stack."""

    def run(held: dict[str, str]) -> Result:
        file = tmp_path / "platform.csv"
        lines = [f"{one};{status}" for one, status in held.items()]
        file.write_text("\n".join(["handle;status", *lines]) + "\n", encoding="utf-8")
        return voted.run("platform", "reconcile", file, "--output", differences_file(tmp_path))

    return run


def differences_file(folder: Path) -> Path:
    return folder / "differences.csv"


def handle(deployed: OperatedStack, number: int, generation: int = 1) -> str:
    return deployed.keyed_hash.handle(voter_id(deployed, number), generation)


def written(folder: Path) -> list[dict[str, str]]:
    with differences_file(folder).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.req("I10", "O9")
def test_same_votes_on_both_sides_are_one_sentence(
    reconcile: Reconcile, statuses: dict[str, str], tmp_path: Path
) -> None:
    result = reconcile(statuses)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "issued 7 = active 3 + revoked 1 + used 2 + frozen 1",
        "Reconciled: the platform and the register hold the same 2 votes.",
    ]
    assert written(tmp_path) == []


@pytest.mark.req("I10", "O9")
@pytest.mark.parametrize(
    ("number", "status", "kind"),
    [
        (5, "used", VoteDifference.NOT_RECORDED),
        (1, "used", VoteDifference.REPLACED),
        (2, "used", VoteDifference.FROZEN),
        (0, "used", VoteDifference.UNKNOWN),
        (3, "active", VoteDifference.NO_BALLOT),
        (3, "", VoteDifference.NO_BALLOT),
    ],
)
def test_each_vote_that_differs_is_named_by_what_is_wrong(
    voted: OperatedStack,
    reconcile: Reconcile,
    statuses: dict[str, str],
    tmp_path: Path,
    number: int,
    status: str,
    kind: VoteDifference,
) -> None:
    named = handle(voted, number) if number else STRANGER
    result = reconcile({one: said for one, said in (statuses | {named: status}).items() if said})
    assert result.exit_code == 1
    ballots = 3 if status == "used" else 1
    assert result.stdout.splitlines()[-1] == (
        f"NOT reconciled: {ballots} votes of the platform, 2 of the register; {kind} 1."
    )
    (line,) = written(tmp_path)
    assert (line["handle"], line["difference"], line["platform"]) == (named, kind, status)
    assert line["look_at"] == what_to_look_at(kind)
    assert f"1 {kind}: {line['look_at']}" in result.stdout
    assert str(differences_file(tmp_path)) in result.stdout.splitlines()


@pytest.mark.req("I10")
@pytest.mark.parametrize(
    ("number", "status", "kind"), [(1, "active", VoteDifference.OUT_OF_DATE), (0, "active", VoteDifference.STRANGE)]
)
def test_status_without_a_vote_is_in_the_file_and_breaks_nothing(
    voted: OperatedStack,
    reconcile: Reconcile,
    statuses: dict[str, str],
    tmp_path: Path,
    number: int,
    status: str,
    kind: VoteDifference,
) -> None:
    named = handle(voted, number) if number else STRANGER
    result = reconcile(statuses | {named: status})
    assert result.exit_code == 0
    assert result.stdout.endswith("the same 2 votes. 1 identifier without a vote is known otherwise.\n")
    assert [line["difference"] for line in written(tmp_path)] == [kind]
    assert kind in WITHOUT_A_VOTE


@pytest.mark.req("I10")
def test_one_vote_too_many_and_one_too_few_do_not_cancel_out(
    voted: OperatedStack, reconcile: Reconcile, statuses: dict[str, str], tmp_path: Path
) -> None:
    result = reconcile(statuses | {handle(voted, 3): "active", handle(voted, 5): "used"})
    assert result.exit_code == 1
    assert "2 votes of the platform, 2 of the register" in result.stdout
    assert [line["difference"] for line in written(tmp_path)] == [VoteDifference.NOT_RECORDED, VoteDifference.NO_BALLOT]


@pytest.mark.req("I7")
def test_file_holds_no_identifier_and_no_voter_and_is_its_owners(
    voted: OperatedStack, reconcile: Reconcile, statuses: dict[str, str], tmp_path: Path
) -> None:
    reconcile(dict.fromkeys(statuses, "used"))
    text = differences_file(tmp_path).read_text(encoding="utf-8")
    assert stat.S_IMODE(differences_file(tmp_path).stat().st_mode) == 0o600
    assert len(written(tmp_path)) == 4
    for number in range(1, VOTERS + 1):
        cells = row(number)
        hashed = voted.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(cells.identifier))
        for secret in (voter_id(voted, number), cells.email, cells.numen, cells.identifier, hashed):
            assert secret not in text


@pytest.mark.req("I10")
def test_an_open_ballot_is_said(reconcile: Reconcile, statuses: dict[str, str]) -> None:
    assert "the ballot is open" not in reconcile(statuses).stdout
    closes_at = datetime(2018, 12, 6, 16, tzinfo=UTC)
    for instant in (DURING, closes_at - timedelta(milliseconds=1)):
        with time_machine.travel(instant, tick=False):
            assert "the ballot is open until 2018-12-06 17:00" in reconcile(statuses).stdout
    with time_machine.travel(closes_at, tick=False):
        assert "the ballot is open" not in reconcile(statuses).stdout


@pytest.mark.req("I10")
def test_what_belongs_to_no_voter_is_not_reconciled(
    voted: OperatedStack, reconcile: Reconcile, statuses: dict[str, str]
) -> None:
    reissue(voted, 6, 2, known=False)
    assert reconcile(statuses).exit_code == 1


def test_a_program_gets_the_same_as_json(voted: OperatedStack, statuses: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "platform.csv"
    held = statuses | {handle(voted, 5): "used"}
    file.write_text(
        "\n".join(["handle;status", *(f"{one};{status}" for one, status in held.items())]), encoding="utf-8"
    )
    status, content = voted.run_json("platform", "reconcile", file, "--output", differences_file(tmp_path))
    assert status == 1
    assert content == {
        "stack": "reassort",
        "election": "dijon-2018",
        "issued": [7, 7],
        "listed": 7,
        "active": 3,
        "revoked": 1,
        "used": 2,
        "frozen": 1,
        "orphans": 0,
        "balances": True,
        "open": False,
        "file": str(file),
        "output": str(differences_file(tmp_path)),
        "reconciled": False,
        "ballots": 3,
        "votes": 2,
        "differences": {"vote-not-recorded": 1},
    }
