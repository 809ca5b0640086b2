"""`reassort platform export` and `compare` on a stack with a roll."""

from __future__ import annotations

import csv
import re
import stat
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import time_machine
from reassort.identifiers import normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.tables import to_wire
from reassort.voters import Voter
from reassort_ops.failures import OperatorError
from reassort_ops.platform.export import StatusExport, StatusTally, read_held

from tests.unit.ops.conftest import OperatedStack
from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

VOTERS = 6
COUNTED = {
    "stack": "reassort",
    "election": "dijon-2018",
    "issued": [8, 8],
    "listed": 8,
    "active": 4,
    "revoked": 2,
    "used": 1,
    "frozen": 1,
    "orphans": 0,
    "balances": True,
}
LATER = int(datetime(2018, 11, 30, 9, 15, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path) -> OperatedStack:
    """A stack with six voters: reissued twice, frozen, voted, and three who only have their first
    identifier.
    """
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(VOTERS))).exit_code == 0
    for generation in (2, 3):
        reissue(deployed, 1, generation)
    change(deployed, 2, "frozen_at")
    change(deployed, 3, "voted_at")
    return deployed


def voter_id(deployed: OperatedStack, number: int) -> str:
    """Return a voter's pseudonym."""
    return deployed.keyed_hash.voter_id(row(number).email)


def change(deployed: OperatedStack, number: int, attribute: str) -> None:
    """Set a time of a voter."""
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key=to_wire({"voter_id": voter_id(deployed, number)}),
        UpdateExpression=f"SET {attribute} = :at, chain_length = chain_length + :one",
        ExpressionAttributeValues=to_wire({":at": LATER, ":one": 1}),
    )


def reissue(deployed: OperatedStack, number: int, generation: int, *, known: bool = True) -> None:
    """Give a voter the next identifier; unless it is `known`, the registry does not have it."""
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key=to_wire({"voter_id": voter_id(deployed, number)}),
        UpdateExpression="SET issued_at = list_append(issued_at, :at), generation = :g, "
        "chain_length = chain_length + :one",
        ExpressionAttributeValues=to_wire({":at": [LATER + generation], ":g": generation, ":one": 1}),
    )
    if known:
        put_identifier(deployed, number, generation)


def put_identifier(deployed: OperatedStack, number: int, generation: int) -> None:
    """Let the registry know an identifier of a voter."""
    item = {
        "identifier_hash": f"{number}-{generation}",
        "voter_id": voter_id(deployed, number),
        "generation": generation,
    }
    deployed.dynamodb.put_item(TableName=deployed.stack.identifiers_table, Item=to_wire(item))


def lines(file: Path) -> dict[str, dict[str, str]]:
    """Return the lines of an export by handle."""
    with file.open(encoding="utf-8", newline="") as text:
        found = list(csv.DictReader(text, delimiter=";"))
    by_handle = {line["handle"]: line for line in found}
    assert len(by_handle) == len(found)
    return by_handle


@pytest.mark.req("I10")
def test_every_identifier_has_a_line_that_says_what_the_registry_would(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "statuses.csv"
    result = enrolled.run("platform", "export", "--output", file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "issued 8 = active 4 + revoked 2 + used 1 + frozen 1"
    handle = enrolled.keyed_hash.handle
    found = lines(file)
    assert set(found) == {
        *(handle(voter_id(enrolled, number), 1) for number in range(1, VOTERS + 1)),
        *(handle(voter_id(enrolled, 1), generation) for generation in (2, 3)),
    }
    told = [list(found[handle(voter_id(enrolled, 1), generation)].values())[1:] for generation in (1, 2, 3)]
    assert told == [
        ["1", "revoked", "2018-11-30T09:15:00Z", ""],
        ["2", "revoked", "2018-11-30T09:15:00Z", ""],
        ["3", "active", "", "3"],
    ]
    assert list(found[handle(voter_id(enrolled, 2), 1)].values())[1:] == ["1", "frozen", "", "2"]
    assert list(found[handle(voter_id(enrolled, 3), 1)].values())[1:] == ["1", "used", "", ""]


@pytest.mark.req("I7")
def test_the_file_holds_nothing_of_a_voter_and_is_its_owners(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "statuses.csv"
    enrolled.run("platform", "export", "--output", file)
    text = file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    header, *rest = text.splitlines()
    assert header == "handle;generation;status;superseded_at;sequence"
    form = r"[A-Za-z0-9_-]{22};\d+;(active|revoked|used|frozen);(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?;\d*"
    assert all(re.fullmatch(form, line) for line in rest)
    for number in range(1, VOTERS + 1):
        cells = row(number)
        hashed = enrolled.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(cells.identifier))
        for secret in (voter_id(enrolled, number), cells.email, cells.numen, cells.identifier, hashed):
            assert secret not in text


def test_a_program_gets_the_same_as_json(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "statuses.csv"
    with time_machine.travel(datetime(2018, 11, 30, 12, tzinfo=UTC), tick=False):
        told = enrolled.run_json("platform", "export", "--output", file)
        said = enrolled.run("platform", "export", "--output", file).stdout.splitlines()
    assert told == (0, {**COUNTED, "file": str(file), "started_at": "2018-11-30T12:00:00Z"})
    now = "2018-11-30T12:00:00Z"
    assert said[0] == f"{file}: 8 identifiers, read from {now} to {now}"


@pytest.mark.req("I10")
def test_an_identifier_that_the_registry_lacks_breaks_the_balance(enrolled: OperatedStack, tmp_path: Path) -> None:
    reissue(enrolled, 5, 2, known=False)
    result = enrolled.run("platform", "export", "--output", tmp_path / "statuses.csv")
    assert result.exit_code == 1
    assert "issued 9…9 ≠ active 4 + revoked 2 + used 1 + frozen 1" not in result.stdout
    assert "issued 9…9 ≠ active 3 + revoked 3 + used 1 + frozen 1" in result.stdout


@pytest.mark.req("I10")
@pytest.mark.parametrize("whose", [1, 99])
def test_an_identifier_that_nobody_was_issued_breaks_the_balance(
    enrolled: OperatedStack, tmp_path: Path, whose: int
) -> None:
    put_identifier(enrolled, whose, 4)
    result = enrolled.run("platform", "export", "--output", tmp_path / "statuses.csv")
    assert result.exit_code == 1
    assert "1 identifiers belong to no voter of the roll" in result.stdout


def test_a_broken_off_export_leaves_the_former_file(
    enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "statuses.csv"
    file.write_text("former", encoding="utf-8")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StatusExport, "_voters", interrupt)
    result = enrolled.run("platform", "export", "--output", file)
    assert (result.exit_code, result.stderr) == (130, "reassort: interrupted\n")
    assert file.read_text(encoding="utf-8") == "former"
    assert [path.name for path in tmp_path.iterdir() if "statuses" in path.name] == ["statuses.csv"]


def test_a_folder_that_is_not_there_is_told_in_one_line(enrolled: OperatedStack, tmp_path: Path) -> None:
    result = enrolled.run("platform", "export", "--output", tmp_path / "nowhere" / "statuses.csv")
    assert result.exit_code == 1
    assert result.stderr.startswith("reassort: ")
    assert result.stderr.count("\n") == 1


def test_more_identifiers_take_no_more_memory(deployed: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    voter = Voter("v", "n", "e", None, (1,), 1, "h")

    def peak(pages: int) -> int:
        def scanned(_: StatusExport, table: str, attributes: str) -> object:
            return ([{"voter_id": "v", "generation": 1}] * 1000 for _ in range(pages))

        # Without moto, whose own memory grows with each call.
        monkeypatch.setattr(StatusExport, "_pages", scanned)
        monkeypatch.setattr(StatusExport, "_voters", lambda *_: {"v": voter})
        tally = StatusTally()
        tracemalloc.start()
        assert sum(1 for _ in run.worths(tally, lambda _: None)) == tally.listed == pages * 1000
        assert tally.balances
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    run = StatusExport(deployed.dynamodb, deployed.stack, deployed.keyed_hash, 1)
    # Kept, 200,000 of them would be 20 MB.
    assert peak(200) < 500_000


class TestCompare:
    """What the platform holds, against what the stack says."""

    @pytest.fixture
    def held(self, enrolled: OperatedStack, tmp_path: Path) -> Path:
        """The list of a platform that missed nothing, and knows nothing of the last two voters."""
        exported, file = tmp_path / "statuses.csv", tmp_path / "platform.csv"
        enrolled.run("platform", "export", "--output", exported)
        unheard = {enrolled.keyed_hash.handle(voter_id(enrolled, number), 1) for number in (5, 6)}
        kept = [
            f"{line['handle']};{line['status']}" for line in lines(exported).values() if line["handle"] not in unheard
        ]
        file.write_text("\n".join(["handle;status", *kept]) + "\n", encoding="utf-8")
        return file

    def test_the_same_on_both_sides(self, enrolled: OperatedStack, held: Path) -> None:
        result = enrolled.run("platform", "compare", held)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.splitlines() == [
            f"{held}: 6 compared with 8 of reassort, 0 differences",
            "issued 8 = active 4 + revoked 2 + used 1 + frozen 1",
        ]
        told = {**COUNTED, "file": str(held), "compared": 6, "differences": []}
        assert enrolled.run_json("platform", "compare", held) == (0, told)

    def test_a_quoted_header_is_read_and_all_faults_are_told_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "platform.csv"
        one, other = "A" * 22, f"{'B' * 21}A"
        file.write_text(f'"handle"\t"status"\n{one}\tused\n{other}\tactive\n', encoding="utf-8")
        assert len(read_held(file)) == 2
        file.write_text(f"handle;status\n{one};used\n{one};used\nx;used\n{one};frozen\n", encoding="utf-8")
        with pytest.raises(OperatorError) as refused:
            read_held(file)
        assert str(refused.value).split("; ") == [
            f"{file}:3: the same handle as on line 2",
            f"{file}:4: no handle of 22 characters",
            f"{file}:5: the same handle as on line 2",
        ]

    @pytest.mark.parametrize("delimiter", [";", ","])
    def test_each_difference_is_named(self, enrolled: OperatedStack, held: Path, delimiter: str) -> None:
        handle = enrolled.keyed_hash.handle
        missed, voted = handle(voter_id(enrolled, 1), 1), handle(voter_id(enrolled, 3), 1)
        stranger = "A" * 22
        text = held.read_text(encoding="utf-8").replace(f"{missed};revoked", f"{missed};active")
        text = text.replace(f"{voted};used\n", "") + f"{stranger};used\n"
        held.write_text("\ufeff" + text.replace(";", delimiter).replace("\n", "\r\n"), encoding="utf-8", newline="")
        result = enrolled.run("platform", "compare", held)
        assert result.exit_code == 1
        assert Counter(result.stdout.splitlines()[:3]) == Counter(
            [
                f"{missed}: platform active, stack revoked",
                f"{voted}: platform does not know it, stack used",
                f"{stranger}: platform used, stack never issued it",
            ]
        )
        status, content = enrolled.run_json("platform", "compare", held)
        assert (status, content["compared"]) == (1, 6)
        assert {"handle": missed, "platform": "active", "stack": "revoked"} in content["differences"]
        assert {"handle": stranger, "platform": "used", "stack": None} in content["differences"]
        assert len(content["differences"]) == 3

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("a;b\n", "1: the header must name the columns handle and status"),
            ("handle;status\nshort;used\n", "2: no handle of 22 characters"),
            (f"handle;status\n{'A' * 21}é;used\n", "2: no handle of 22 characters"),
            (f"handle;status\n{'A' * 21}B;used\n", "2: no handle of 22 characters"),
            (f"handle;status\n\n{'A' * 22};voted\n", "3: no status: active, revoked, used, frozen"),
            (f"handle;status\n{'A' * 22};used\n{'A' * 22};used\n", "3: the same handle as on line 2"),
            ("", "1: the header must name the columns handle and status"),
            ('handle;status\n"' + "A" * 200_000, " is no CSV file, one of its cells has no end"),
        ],
    )
    def test_a_list_that_cannot_be_read_is_refused_in_one_line(
        self, deployed: OperatedStack, tmp_path: Path, text: str, reason: str
    ) -> None:
        file = tmp_path / "platform.csv"
        file.write_text(text, encoding="utf-8")
        result = deployed.run("platform", "compare", file)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"reassort: {file}:{reason}\n"
