"""`reassort roll import --issue FILE`: identifiers for a roll that brings none, to a file that only
its recipient can read.
"""

from __future__ import annotations

import csv
import json
import os
import stat
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pyrage import DecryptError, decrypt, x25519
from reassort.identifiers import ALPHABET, is_well_formed, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort_ops.roll.first_identifiers import IdentifierDraw
from reassort_ops.roll.mailing_file import MailingRow, write_mailing
from reassort_ops.roll.writes import TransactionWriter

from tests.unit.ops.rolls import ELECTION, Cells, row, rows, write_roll

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reassort.tables import Action

    from tests.unit.ops.conftest import OperatedStack

IDENTITY = x25519.Identity.generate()
KEY = str(IDENTITY.to_public())


def bare(count: int, start: int = 1) -> list[Cells]:
    """Return rows without identifiers."""
    return [row(number, identifier="") for number in range(start, start + count)]


def opened(mailing: Path) -> list[dict[str, str]]:
    """Decrypt a mailing file as its recipient does."""
    text = decrypt(mailing.read_bytes(), [IDENTITY]).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def raise_unless_accepted(deployed: OperatedStack, letters: Sequence[dict[str, str]]) -> None:
    """Compare a mailing with the table of identifiers: each of the one is one of the other, and of
    its voter.
    """
    issued = {
        item["identifier_hash"]: (item["voter_id"], item["generation"])
        for item in deployed.items(deployed.stack.identifiers_table)
    }
    hashes = deployed.keyed_hash
    mailed = {
        hashes.hash(Purpose.IDENTIFIER, normalise_identifier(one["identifier"])): (hashes.voter_id(one["email"]), 1)
        for one in letters
    }
    assert (len(letters), mailed) == (len(issued), issued)


def test_each_voter_gets_one_and_it_is_in_the_file_alone(deployed: OperatedStack, tmp_path: Path) -> None:
    mailing = tmp_path / "mailing.age"
    file = write_roll(tmp_path, bare(80))
    result = deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
    assert result.exit_code == 0
    letters = opened(mailing)
    assert list(letters[0]) == ["email", "establishment", "secretariat", "identifier", "name", "postal_address"]
    assert [one["email"] for one in letters] == [cells.email for cells in bare(80)]
    assert (letters[0]["establishment"], letters[0]["secretariat"]) == (row(1).establishment, row(1).secretariat)
    assert all(is_well_formed(normalise_identifier(one["identifier"]), ELECTION.identifier) for one in letters)
    raise_unless_accepted(deployed, letters)
    assert f"{mailing}: 80 identifiers" in result.stdout
    assert stat.S_IMODE(mailing.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mailing.age", "roll.csv"]
    everywhere = result.output + str(deployed.everything()) + mailing.read_bytes().decode("latin-1")
    assert not any(
        one["identifier"] in everywhere or one["identifier"].replace("-", "") in everywhere for one in letters
    )


def test_who_has_another_key_cannot_read_it(deployed: OperatedStack, tmp_path: Path) -> None:
    mailing, keys = tmp_path / "mailing.age", tmp_path / "keys.txt"
    second = x25519.Identity.generate()
    keys.write_text(f"# imprimeur\n{second.to_public()}\n", encoding="utf-8")
    options = ("--issue", mailing, "--recipient", KEY, "--recipients-file", keys)
    assert deployed.run("roll", "import", write_roll(tmp_path, bare(1)), *options).exit_code == 0
    assert decrypt(mailing.read_bytes(), [second]) == decrypt(mailing.read_bytes(), [IDENTITY])
    with pytest.raises(DecryptError):
        decrypt(mailing.read_bytes(), [x25519.Identity.generate()])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "--issue needs --recipient"),
        (["--recipient", "age1xyz"], "--recipient: is not a public key of age"),
        (["--recipient", str(IDENTITY)], "--recipient: is a secret key"),
    ],
)
def test_a_file_that_nobody_could_read_is_refused_first(
    deployed: OperatedStack, tmp_path: Path, options: list[str], reason: str
) -> None:
    result = deployed.run("roll", "import", write_roll(tmp_path, bare(1)), "--issue", tmp_path / "m.age", *options)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert reason in result.stderr
    assert str(IDENTITY) not in result.output
    assert deployed.everything() == [[], [], []]


def test_a_file_of_identifiers_is_never_overwritten(deployed: OperatedStack, tmp_path: Path) -> None:
    mailing = tmp_path / "mailing.age"
    file = write_roll(tmp_path, bare(2))
    deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
    content = mailing.read_bytes()
    result = deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
    assert (result.exit_code, "is there already" in result.stderr) == (1, True)
    assert mailing.read_bytes() == content


def test_a_second_import_issues_nothing_and_latecomers_get_a_file_of_their_own(
    deployed: OperatedStack, tmp_path: Path
) -> None:
    first, second, third = (tmp_path / name for name in ("first.age", "second.age", "third.age"))
    deployed.run("roll", "import", write_roll(tmp_path, bare(40)), "--issue", first, "--recipient", KEY)
    before = deployed.everything()
    status, content = deployed.run_json(
        "roll", "import", write_roll(tmp_path, bare(40)), "--issue", second, "--recipient", KEY
    )
    assert (status, content["unchanged"], content["issued"], second.exists()) == (0, 40, 0, False)
    assert deployed.everything() == before
    status, content = deployed.run_json(
        "roll", "import", write_roll(tmp_path, bare(43)), "--issue", third, "--recipient", KEY
    )
    assert (status, content["imported"], content["unchanged"], content["issued"]) == (0, 3, 40, 3)
    assert [one["email"] for one in opened(third)] == [cells.email for cells in bare(3, start=41)]
    raise_unless_accepted(deployed, opened(first) + opened(third))


class TestInterrupted:
    """An import that stops midway loses no identifier."""

    @pytest.fixture
    def stopped(self, deployed: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
        """A roll of 100 of whom some are on the stack, and the mailing file that is not there
        yet.
        """
        mailing, file = tmp_path / "mailing.age", write_roll(tmp_path, bare(100))
        write, writes = TransactionWriter.write, Counter[str]()

        def interrupt(writer: TransactionWriter, actions: Sequence[Action], token: str) -> None:
            write(writer, actions, token)
            writes["all"] += 1
            if writes["all"] == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(TransactionWriter, "write", interrupt)
            result = deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
        assert result.exit_code == 130
        assert "run the same command again" in result.stdout
        assert f"keep {mailing}.resume" in result.stdout
        assert 0 < len(deployed.items(deployed.stack.identifiers_table)) < 100
        assert not mailing.exists()
        return file, mailing

    def test_the_next_run_writes_all_of_them(self, deployed: OperatedStack, stopped: tuple[Path, Path]) -> None:
        file, mailing = stopped
        there = deployed.items(deployed.stack.identifiers_table)
        status, content = deployed.run_json("roll", "import", file, "--issue", mailing, "--recipient", KEY)
        assert (status, content["imported"] + content["unchanged"], content["issued"]) == (0, 100, 100)
        assert content["unchanged"] == len(there)
        raise_unless_accepted(deployed, opened(mailing))
        assert not mailing.with_name("mailing.age.resume").exists()

    def test_what_it_leaves_is_no_key_and_readable_by_its_owner_alone(self, stopped: tuple[Path, Path]) -> None:
        resume = stopped[1].with_name("mailing.age.resume")
        assert stat.S_IMODE(resume.stat().st_mode) == 0o600
        content: dict[str, Any] = json.loads(resume.read_text(encoding="utf-8"))
        assert set(content) == {"version", "stack", "election", "roll", "key"}
        assert len(content["key"]) > 2 * 32

    def test_another_roll_is_refused(self, deployed: OperatedStack, stopped: tuple[Path, Path]) -> None:
        file, mailing = stopped
        write_roll(file.parent, bare(99))
        before = deployed.everything()
        result = deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
        assert (result.exit_code, "is not the roll whose import was interrupted" in result.stderr) == (1, True)
        # One advice, on one of the two outputs.
        assert "run the same command again" not in result.stdout
        assert deployed.everything() == before

    def test_a_voter_who_was_reissued_meanwhile_gets_no_letter(
        self, deployed: OperatedStack, stopped: tuple[Path, Path]
    ) -> None:
        file, mailing = stopped
        voter = deployed.items(deployed.stack.voters_table)[0]
        deployed.dynamodb.update_item(
            TableName=deployed.stack.voters_table,
            Key={"voter_id": {"S": voter["voter_id"]}},
            UpdateExpression="SET generation = :two",
            ExpressionAttributeValues={":two": {"N": "2"}},
        )
        deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
        mailed = {deployed.keyed_hash.voter_id(one["email"]) for one in opened(mailing)}
        assert (len(mailed), voter["voter_id"] in mailed) == (99, False)

    def test_a_disk_that_is_full_at_the_end_loses_nothing(
        self, deployed: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mailing, file = tmp_path / "mailing.age", write_roll(tmp_path, bare(3))

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("reassort_ops.whole_file.os.replace", full, raising=False)
            patched.setattr("pathlib.Path.replace", lambda *_: full(0))
            result = deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY)
        assert (result.exit_code, mailing.exists()) == (1, False)
        assert deployed.run("roll", "import", file, "--issue", mailing, "--recipient", KEY).exit_code == 0
        raise_unless_accepted(deployed, opened(mailing))


@pytest.mark.req("S4")
def test_symbols_are_uniform_and_depend_on_the_key_and_the_voter() -> None:
    draw = IdentifierDraw(bytes(range(32)), ELECTION.identifier)
    drawn = [draw.draw(f"voter{number}@ac-dijon.fr") for number in range(6000)]
    assert len(set(drawn)) == len(drawn)
    counted = Counter("".join(identifier[:-1] for identifier in drawn))
    expected = sum(counted.values()) / len(ALPHABET)
    # 29 degrees of freedom: chi-squared exceeds 70 once in 30,000 keys, and this one is fixed.
    assert set(counted) == set(ALPHABET)
    assert sum((count - expected) ** 2 / expected for count in counted.values()) < 70
    assert IdentifierDraw(os.urandom(32), ELECTION.identifier).draw("a@b.fr") != draw.draw("a@b.fr")
    assert draw.draw("voter1@ac-dijon.fr") == drawn[1]


def test_rows_are_taken_as_they_are_encrypted_and_an_interruption_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "mailing.age"

    def interrupted() -> Iterator[MailingRow]:
        for number in range(50_000):
            if number == 40_000:
                raise KeyboardInterrupt
            yield MailingRow(f"v{number}@ac-dijon.fr", "École", "", "X")

    with pytest.raises(KeyboardInterrupt):
        write_mailing(path, [IDENTITY.to_public()], interrupted())
    assert list(tmp_path.iterdir()) == []


def test_a_roll_with_identifiers_needs_no_issue(deployed: OperatedStack, tmp_path: Path) -> None:
    result = deployed.run("roll", "import", write_roll(tmp_path, rows(1)), "--recipient", KEY)
    assert (result.exit_code, "are for the file of --issue" in result.stderr) == (1, True)
