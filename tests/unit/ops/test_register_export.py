"""`reassort register export` and `register verify FILE`: from the tables to a file that is checked
with nothing but a key.

More than 400 lines, because one register is lived once for all of them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError
from reassort.event_log import EventLog
from reassort.register import ELECTION_CHAIN
from reassort.tables import to_wire
from reassort_ops.cli import app
from reassort_ops.register.export import KmsSigner, export_register
from reassort_ops.register.file_check import check_register_file, read_public_key
from reassort_ops.register.helpdesk_chains import heads_path
from registry.deps import Deps
from registry.rules import record_vote
from typer.testing import CliRunner

from harness.elections import read_election
from harness.engines.engine import REGION
from harness.engines.template import TEMPLATE
from tests.unit.ops.conftest import OperatedStack
from tests.unit.ops.registers import NOW, SIGNER
from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

DOCUMENT = TEMPLATE.parent / "docs" / "register.md"
DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
VOTERS = 6


@pytest.fixture
def lived(deployed: OperatedStack, tmp_path: Path) -> Iterator[OperatedStack]:
    """A stack whose voters were enrolled, reissued, frozen, unfrozen; one has voted."""
    with time_machine.travel(DURING, tick=False):
        assert deployed.run("roll", "import", write_roll(tmp_path, rows(VOTERS))).exit_code == 0
        for command, number in (("reissue", 1), ("freeze", 1), ("freeze", 2), ("unfreeze", 2), ("reissue", 3)):
            assert deployed.run("voter", command, row(number).email, "--reason", "vérifié au guichet").exit_code == 0
        stack = deployed.stack
        deps = Deps(
            dynamodb=deployed.dynamodb,
            keyed_hash=deployed.keyed_hash,
            election=read_election("dijon-2018"),
            clock=lambda: DURING,
            event_log=EventLog("registry"),
            identifiers_table=stack.identifiers_table,
            voters_table=stack.voters_table,
            register_table=stack.register_table,
        )
        record_vote(row(4).identifier, deps)
        yield deployed


def verify(file: Path, key: Path, *flags: str) -> Result:
    """Check a file as the election bureau does."""
    return CliRunner().invoke(app, ["register", "verify", str(file), "--key", str(key), *flags])


def exported(deployed: OperatedStack, folder: Path, name: str = "register.jsonl") -> tuple[Path, Path]:
    """Export, and return the file and its key."""
    file = folder / name
    result = deployed.run("register", "export", "--output", file)
    assert (result.exit_code, result.stderr) == (0, "")
    return file, folder / f"{name}.pub.pem"


def tamper(deployed: OperatedStack, voter_id: str, sequence: int, actor: str) -> None:
    """Alter an entry in the table."""
    deployed.dynamodb.update_item(
        TableName=deployed.stack.register_table,
        Key=to_wire({"voter_id": voter_id, "sequence": sequence}),
        UpdateExpression="SET actor = :actor",
        ExpressionAttributeValues=to_wire({":actor": actor}),
    )


@pytest.mark.req("I9", "I10")
def test_what_is_exported_verifies_without_the_stack(lived: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "register.jsonl"
    status, content = lived.run_json("register", "export", "--output", file)
    counts = {"voters": 6, "entries": 12, "issued": 8, "active": 4, "revoked": 2, "used": 1, "frozen": 1}
    counted = {"stack": "reassort", "election": "dijon-2018", **counts, "removed": 0, "balances": True, "faults": []}
    signed = {name: content.pop(name) for name in ("merkle_root", "public_key_sha256")}
    assert (status, content) == (0, {"file": str(file), "written": True, **counted})
    assert lived.run_json("register", "verify") == (0, counted)
    result = verify(file, tmp_path / "register.jsonl.pub.pem", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verified"], found["signed"], found["first_broken"]) == (0, True, True, None)
    assert {name: found[name] for name in counts} == counts
    assert {name: found["statement"][name] for name in signed} == signed
    said = verify(file, tmp_path / "register.jsonl.pub.pem").stdout
    assert "issued 8 = active 4 + revoked 2 + used 1 + frozen 1\n" in said
    assert said.endswith(f"{file}: verified\n")


def test_an_export_says_what_it_wrote_and_where_it_is_verified(lived: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "register.jsonl"
    result = lived.run("register", "export", "--output", file)
    statement = json.loads(file.read_text("utf-8").splitlines()[-2])
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "6 voters, 12 entries, 0 faults",
            "issued 8 = active 4 + revoked 2 + used 1 + frozen 1",
            f"{file}: Merkle root {statement['merkle_root']}",
            f"{file}.helpdesk.jsonl: ends of 1 chains of the helpdesk's record",
            f"{file}.pub.pem: public key {statement['public_key_sha256']}",
            "the bureau can verify it offline, in a browser, with the page of `make verifier` (docs/register.md)",
        ],
    )


@pytest.mark.req("I7")
def test_the_file_has_nothing_that_identifies_a_voter(lived: OperatedStack, tmp_path: Path) -> None:
    file, _ = exported(lived, tmp_path)
    content = file.read_text(encoding="utf-8")
    assert "@" not in content
    for number in range(1, VOTERS + 1):
        one = row(number)
        for secret in (one.email.partition("@")[0], one.numen, one.identifier, one.establishment):
            assert secret not in content
    # What may be in it, and no more.
    names = {name for line in content.splitlines()[1:] if "voter_id" in line for name in json.loads(line)}
    facts = {"voter_id", "sequence", "change", "generation", "at", "actor", "reference", "previous"}
    assert names == facts | {"identifier_hash", "numen_hash"}


@pytest.mark.req("I9")
def test_a_tampered_register_is_not_signed(lived: OperatedStack, tmp_path: Path) -> None:
    voter_id = lived.keyed_hash.voter_id(row(1).email)
    tamper(lived, voter_id, 2, "somebody")
    file = tmp_path / "register.jsonl"
    result = lived.run("register", "export", "--output", file)
    assert result.exit_code == 1
    assert f"voter {voter_id}: entry 2 was altered" in result.stdout
    assert "nothing was signed or written" in result.stdout
    status, content = lived.run_json("register", "export", "--output", file)
    assert (status, content["written"], content["merkle_root"]) == (1, False, None)
    assert [path.name for path in tmp_path.iterdir()] == ["roll.csv"]


@pytest.mark.req("I9")
def test_a_tampered_file_is_found_and_the_entry_named(lived: OperatedStack, tmp_path: Path) -> None:
    file, key = exported(lived, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    entry = json.loads(lines[4])
    lines[4] = lines[4].replace(b'"at":1', b'"at":2')
    file.write_bytes(b"".join(lines))
    result = verify(file, key)
    assert result.exit_code == 1
    assert result.stdout.startswith(
        f"first broken: line 5, voter {entry['voter_id']}, entry {entry['sequence']}: is not the line that was signed\n"
    )
    assert result.stdout.endswith(f"{file}: NOT VERIFIED\n")
    broken = json.loads(verify(file, key, "--json").stdout)["first_broken"]
    assert (broken["line"], broken["voter_id"], broken["sequence"]) == (5, entry["voter_id"], entry["sequence"])


@pytest.mark.req("I9")
def test_a_key_that_came_with_another_file_does_not_do(lived: OperatedStack, tmp_path: Path) -> None:
    file, _ = exported(lived, tmp_path)
    key = tmp_path / "other.pem"
    key.write_bytes(SIGNER.pem)
    result = verify(file, key)
    assert result.exit_code == 1
    assert "the file was signed by another key" in result.stdout


def test_two_exports_have_the_same_entries_and_a_later_one_has_more(lived: OperatedStack, tmp_path: Path) -> None:
    def entries(file: Path) -> list[bytes]:
        return [line for line in file.read_bytes().splitlines() if b'"voter_id"' in line]

    (one, _), (two, _) = (exported(lived, tmp_path, name) for name in ("one", "two"))
    assert entries(one) == entries(two)
    assert entries(one) == sorted(entries(one), key=lambda line: (json.loads(line)["voter_id"], json.loads(line)["at"]))
    assert lived.run("voter", "freeze", row(5).email, "--reason", "x").exit_code == 0
    three, _ = exported(lived, tmp_path, "three")
    assert set(entries(one)) < set(entries(three))


@pytest.mark.req("I9", "I10")
def test_it_may_run_while_the_service_writes(lived: OperatedStack, tmp_path: Path) -> None:
    """Each time that a chain has been read, some voter is frozen or unfrozen again: some were read,
    some come later.
    """
    kms = boto3.client("kms", region_name=REGION)
    signer = KmsSigner.of(kms, lived.stack.register_key_id)
    written: list[int] = []

    def meanwhile(_: int) -> None:
        email = row(1 + len(written) % 3).email
        command = "unfreeze" if "frozen_at" in lived.voter(email) else "freeze"
        assert lived.run("voter", command, email, "--reason", "x").exit_code == 0
        written.append(1)

    path = tmp_path / "register.jsonl"
    export = export_register(
        path,
        dynamodb=lived.dynamodb,
        stack=lived.stack,
        signer=signer,
        clock=lambda: NOW,
        advance=meanwhile,
        reissued_since=NOW - timedelta(days=60),
    )
    assert (len(written), export.counted.faults) == (VOTERS, [])
    assert check_register_file(path, read_public_key(tmp_path / "register.jsonl.pub.pem")).holds


@pytest.mark.req("I9")
def test_the_chain_of_the_election_is_exported_too(lived: OperatedStack, tmp_path: Path) -> None:
    for command in ("close", "open"):
        assert lived.run("election", command, "--reason", "x").exit_code == 0
    file, key = exported(lived, tmp_path)
    assert file.read_bytes().count(b'"voter_id":"election"') == 2
    assert verify(file, key).exit_code == 0
    tamper(lived, ELECTION_CHAIN, 1, "somebody")
    result = lived.run("register", "export", "--output", tmp_path / "again.jsonl")
    assert (result.exit_code, "election: entry 1 was altered" in result.stdout) == (1, True)


@pytest.mark.req("S34", "H5")
def test_the_ends_of_the_helpdesks_record_are_signed(lived: OperatedStack, tmp_path: Path) -> None:
    file, key = exported(lived, tmp_path)
    ends = tmp_path / "register.jsonl.helpdesk.jsonl"
    (line,) = ends.read_bytes().splitlines()
    kept = sorted(
        (item for item in lived.items(lived.stack.helpdesk_record_table) if item["sequence"]),
        key=lambda item: int(item["sequence"]),
    )
    assert json.loads(line) == {"agent": "anne", "length": len(kept), "hash": kept[-1]["hash"]}
    assert "1 chains of the helpdesk's record; their ends: checked" in verify(file, key).stdout
    ends.write_bytes(line.replace(b'"length":', b'"length":1') + b"\n")
    assert "is not what was signed" in verify(file, key).stdout
    ends.unlink()
    assert verify(file, key).exit_code == 0


@pytest.mark.req("S34", "H5")
@pytest.mark.parametrize("harm", ["altered", "removed", "cut off", "end removed"])
def test_a_tampered_record_of_the_helpdesk_is_found_and_nothing_is_signed(
    lived: OperatedStack, tmp_path: Path, harm: str
) -> None:
    table, at = lived.stack.helpdesk_record_table, {"agent": {"S": "anne"}, "sequence": {"N": "2"}}
    if harm == "altered":
        lived.dynamodb.update_item(
            TableName=table, Key=at, UpdateExpression="SET reason = :r", ExpressionAttributeValues={":r": {"S": "x"}}
        )
    elif harm == "end removed":
        lived.dynamodb.delete_item(TableName=table, Key={**at, "sequence": {"N": "0"}})
    elif harm == "removed":
        lived.dynamodb.delete_item(TableName=table, Key=at)
    else:
        last = max(int(item["sequence"]) for item in lived.items(table))
        lived.dynamodb.delete_item(TableName=table, Key={**at, "sequence": {"N": str(last)}})
    found = lived.run("register", "verify")
    assert (found.exit_code, "helpdesk's record, anne: " in found.stdout) == (1, True)
    refused = lived.run("register", "export", "--output", tmp_path / "register.jsonl")
    assert (refused.exit_code, sorted(tmp_path.glob("register.jsonl*"))) == (1, [])


def test_an_export_replaces_no_file(lived: OperatedStack, tmp_path: Path) -> None:
    file, key = exported(lived, tmp_path)
    heads = heads_path(file)
    for there in (file, key, heads):
        before = there.read_bytes()
        result = lived.run("register", "export", "--output", file)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"reassort: {there} exists: an export replaces no file\n"
        assert there.read_bytes() == before
        there.unlink()


def test_a_folder_that_is_not_there_shows_before_anything_is_read(
    lived: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reassort_ops.register.export.verify_register", pytest.fail)
    result = lived.run("register", "export", "--output", tmp_path / "no-such" / "register.jsonl")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "No such file or directory" in result.stderr


@pytest.mark.req("I9", "I10")
@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("voted_at", "the voter has voted without an entry"),
        ("frozen_at", "the voter's identifier is frozen, and the register does not say so"),
    ],
    ids=["voted", "frozen"],
)
def test_a_voter_whose_item_tells_another_story_is_found(
    lived: OperatedStack, tmp_path: Path, attribute: str, told: str
) -> None:
    voter_id = lived.keyed_hash.voter_id(row(5).email)
    lived.dynamodb.update_item(
        TableName=lived.stack.voters_table,
        Key={"voter_id": {"S": voter_id}},
        UpdateExpression=f"SET {attribute} = :at",
        ExpressionAttributeValues=to_wire({":at": 1}),
    )
    result = lived.run("register", "export", "--output", tmp_path / "register.jsonl")
    assert result.exit_code == 1
    assert f"voter {voter_id}: {told}" in result.stdout


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), ClientError({"Error": {"Code": "AccessDenied"}}, "Sign")])
def test_an_export_that_ends_early_leaves_nothing(
    lived: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def refuse(*_: object) -> bytes:
        raise fault

    monkeypatch.setattr(KmsSigner, "sign", refuse)
    result = lived.run("register", "export", "--output", tmp_path / "register.jsonl")
    assert result.exit_code == (130 if isinstance(fault, KeyboardInterrupt) else 1)
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["roll.csv"]


def test_a_signature_that_does_not_fit_leaves_nothing(
    lived: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KmsSigner, "sign", lambda *_: SIGNER.sign(b"something else"))
    result = lived.run("register", "export", "--output", tmp_path / "register.jsonl")
    assert (result.exit_code, "does not verify, and was removed" in result.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["roll.csv"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name a FILE and its --key, or a --stack"),
        (["x.jsonl"], "a FILE is checked with --key"),
        (["x.jsonl", "--key", "x.pem", "--stack", "x"], "a FILE is checked offline"),
        (["x.jsonl", "--key", "x.pem", "--region", "x"], "a FILE is checked offline"),
        (["x.jsonl", "--key", "x.pem", "--profile", "x"], "a FILE is checked offline"),
        (["--stack", "x", "--key", "x.pem"], "--key and --since are for a FILE"),
        (["--stack", "x", "--since", "x.jsonl"], "--key and --since are for a FILE"),
        (["x.jsonl", "--key", "x.pem"], "x.pem: No such file or directory"),
        (["x.jsonl", "--key", str(DOCUMENT)], "is not a public key in PEM form"),
    ],
)
def test_what_does_not_go_together_is_said_in_one_line(arguments: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["register", "verify", *arguments])
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("reassort: ")
    assert reason in result.stderr


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(SIGNER.pem)
    result = verify(tmp_path / "no-such.jsonl", key)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)


class TestWithoutThisSoftware:
    """The commands and the program of docs/register.md, as they stand there."""

    @staticmethod
    def code(language: str, containing: str) -> str:
        """Return a block of code of the document."""
        blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
        (found,) = (block for block in blocks if containing in block)
        return found

    def run(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program in a folder, with an empty environment."""
        return subprocess.run(
            command, cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=300, check=False
        )

    @pytest.mark.req("I9", "I10")
    def test_openssl_and_a_few_lines_of_python_come_to_the_same(self, lived: OperatedStack, tmp_path: Path) -> None:
        file, key = exported(lived, tmp_path)
        key.rename(tmp_path / "register.pub.pem")
        program = tmp_path / "check.py"
        program.write_text(self.code("python", "merkle_root"), encoding="utf-8")
        signature = self.code("bash", "signature.der")

        signed = self.run(tmp_path, "bash", "-c", signature)
        assert (signed.returncode, signed.stdout) == (0, "Verified OK\n")
        counted = self.run(tmp_path, sys.executable, "-I", program.name, file.name)
        assert (counted.returncode, counted.stderr) == (0, "")
        expected: dict[str, Any] = {"voters": 6, "issued": 8, "active": 4, "revoked": 2, "used": 1, "frozen": 1}
        assert {name: count for name, count in json.loads(counted.stdout).items() if count} == expected

        content = file.read_bytes()
        file.write_bytes(content.replace(b'"voted"', b'"votes"'))
        assert self.run(tmp_path, sys.executable, "-I", program.name, file.name).returncode == 1
        file.write_bytes(content.replace(b'"issued":8', b'"issued":9'))
        assert self.run(tmp_path, "bash", "-c", signature).stdout == "Verification failure\n"

    def test_an_earlier_export_is_part_of_a_later_one(self, lived: OperatedStack, tmp_path: Path) -> None:
        compare = self.code("bash", "comm -23")
        monday, _ = exported(lived, tmp_path, "monday.jsonl")
        assert lived.run("voter", "freeze", row(5).email, "--reason", "x").exit_code == 0
        exported(lived, tmp_path, "tuesday.jsonl")
        same = self.run(tmp_path, "bash", "-c", compare)
        assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
        lines = monday.read_bytes().splitlines(keepends=True)
        lines[2] = lines[2].replace(b'"at":1', b'"at":2')
        monday.write_bytes(b"".join(lines))
        assert self.run(tmp_path, "bash", "-c", compare).stdout.encode() == lines[2]

    def test_the_fingerprint_of_the_key(self, lived: OperatedStack, tmp_path: Path) -> None:
        file, key = exported(lived, tmp_path)
        (command,) = (
            line for line in self.code("bash", "get-public-key").splitlines() if line.startswith("openssl pkey")
        )
        key.rename(tmp_path / "register.pub.pem")
        printed = self.run(tmp_path, "bash", "-c", command).stdout
        assert json.loads(file.read_bytes().splitlines()[-2])["public_key_sha256"] in printed
