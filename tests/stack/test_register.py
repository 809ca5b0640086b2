"""The register of the deployed stack: exported while voters are served, checked where there is
neither AWS nor a network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reassort.identifiers import normalise_identifier
from reassort.register import Change, entry_from_item
from reassort.tables import from_wire, to_wire
from reassort_ops.cli import app
from typer.testing import CliRunner

from harness.service.reading import dispute_token_in
from harness.stack.deployed import Deployment, Platform, wait_for
from local.deploy import write_demo_elections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typer.testing import Result

# The command as it is installed, in a process that can open no socket and would find no
# credentials.
_OFFLINE = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("offline")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from reassort_ops.cli import app
app(sys.argv[1:])
"""


def verify_offline(file: Path, key: Path, folder: Path) -> tuple[int, dict[str, Any], str]:
    """Check a file as the election bureau does, and return exit status, result and errors."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE, "register", "verify", str(file), "--key", str(key), "--json"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.req("I9", "I10")
def test_what_voters_did_is_exported_signed_and_checked_offline(
    deployment: Deployment, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice, voted, disputed, frozen = (deployment.enrol() for _ in range(4))
    for voter, times in ((twice, 2), (disputed, 1)):
        browser = deployment.signed_in(voter)
        for _ in range(times):
            browser.wait_until_sent(browser.reissue(voter).json()["reference"])
    (confirmation,) = wait_for(lambda: deployment.mails_to(disputed.email))
    deployment.browser().call("POST", "/api/dispute", {"token": dispute_token_in(confirmation)})
    assert platform.vote(voted.identifier).json() == {"counted": True}
    for name, value in deployment.aws.environment().items():
        monkeypatch.setenv(name, value)
    options = ["--stack", deployment.stack.name, "--region", deployment.aws.region]
    of_voter = [frozen.email, "--reason", "x", "--elections", str(write_demo_elections(tmp_path))]
    assert CliRunner().invoke(app, ["voter", "freeze", *of_voter, *options]).exit_code == 0

    file = tmp_path / "register.jsonl"
    key = tmp_path / "register.jsonl.pub.pem"

    def export(*flags: str) -> Result:
        return CliRunner().invoke(app, ["register", "export", "--output", str(file), *options, *flags])

    result = export("--json")
    assert (result.exit_code, result.stderr) == (0, "")
    said = json.loads(result.stdout)
    status, found, errors = verify_offline(file, key, tmp_path)
    assert (status, found["verified"], found["first_broken"], errors) == (0, True, None, "")
    counts = ("voters", "entries", "issued", "active", "revoked", "used", "frozen")
    assert {name: found[name] for name in counts} == {name: said[name] for name in counts}
    assert said["issued"] == said["active"] + said["revoked"] + said["used"] + said["frozen"]

    # Each of these voters is in the file as what they did.
    lines = file.read_bytes().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines if b'"voter_id"' in line]
    changes = {
        voter.voter_id: [entry["change"] for entry in entries if entry["voter_id"] == voter.voter_id]
        for voter in (twice, voted, disputed, frozen)
    }
    assert list(changes.values()) == [
        ["issued", "reissued", "reissued"],
        ["issued", "voted"],
        ["issued", "reissued", "frozen"],
        ["issued", "frozen"],
    ]
    for voter in (twice, voted, disputed, frozen):
        for secret in (voter.email, voter.numen, voter.phone, voter.identifier, normalise_identifier(voter.identifier)):
            assert secret.encode() not in b"".join(lines)

    # In the file: a vote is removed. It was the last of its chain, so every chain is whole.
    place = next(at for at, line in enumerate(lines) if voted.voter_id.encode() in line and b'"voted"' in line)
    file.write_bytes(b"".join([*lines[:place], *lines[place + 1 :]]))
    status, found, errors = verify_offline(file, key, tmp_path)
    assert (status, found["verified"], errors) == (1, False, "")
    assert found["first_broken"]["line"] == place + 1
    assert found["first_broken"]["why"] == "1 line is missing here"

    # In the tables: nothing is signed, and the entry is named.
    for written in tmp_path.glob("register.jsonl*"):
        written.unlink()
    place_in_table = {
        "TableName": deployment.table("RegisterTable"),
        "Key": to_wire({"voter_id": twice.voter_id, "sequence": 2}),
    }
    dynamodb = deployment.client("dynamodb")
    entry = dynamodb.get_item(**place_in_table)["Item"]
    dynamodb.put_item(TableName=place_in_table["TableName"], Item={**entry, "at": {"N": "1543569327412"}})
    try:
        result = export()
    finally:
        # The stack is other tests', too.
        dynamodb.put_item(TableName=place_in_table["TableName"], Item=entry)
    assert result.exit_code == 1
    assert f"voter {twice.voter_id}: entry 2 was altered\n" in result.stdout
    assert not file.exists()
    assert export().exit_code == 0


@pytest.mark.req("S33", "S36", "I11")
def test_what_an_insider_changes_in_the_tables_gives_no_vote_and_is_named(
    deployment: Deployment, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the rights of the account's administrator: an identifier pointed to an abstaining voter,
    a NUMEN changed, and a vote taken back with all hashes made to fit.
    """
    known, abstaining, changed, voted = (deployment.enrol() for _ in range(4))
    dynamodb = deployment.client("dynamodb")
    hashed = deployment.identifier_hash(known.identifier)

    def put(table: str, item: Mapping[str, Any]) -> None:
        dynamodb.put_item(TableName=deployment.table(table), Item=to_wire(item))

    def item_of(table: str, key: dict[str, Any]) -> dict[str, Any]:
        return from_wire(dynamodb.get_item(TableName=deployment.table(table), Key=to_wire(key))["Item"])

    assert platform.vote(voted.identifier).json() == {"counted": True}
    places = (
        ("IdentifiersTable", {"identifier_hash": hashed}),
        ("VotersTable", {"voter_id": changed.voter_id}),
        ("VotersTable", {"voter_id": voted.voter_id}),
        ("RegisterTable", {"voter_id": voted.voter_id, "sequence": 2}),
    )
    before = [(table, item_of(table, key)) for table, key in places]
    put("IdentifiersTable", {"identifier_hash": hashed, "voter_id": abstaining.voter_id, "generation": 1})
    put("VotersTable", before[1][1] | {"numen_hash": before[2][1]["numen_hash"]})
    entry = replace(entry_from_item(before[3][1]), change=Change.UNLOCKED, identifier_hash="")
    put("RegisterTable", entry.to_item())
    without_vote = {name: value for name, value in before[2][1].items() if name != "voted_at"}
    put("VotersTable", without_vote | {"chain_head": entry.hash})
    try:
        for identifier in (known.identifier, voted.identifier):
            assert (platform.vote(identifier).json()["code"], platform.check(identifier)["status"]) == (
                "unknown-identifier",
                "unknown",
            )
        for name, value in deployment.aws.environment().items():
            monkeypatch.setenv(name, value)
        options = ["--stack", deployment.stack.name, "--region", deployment.aws.region]
        elections = ["--elections", str(write_demo_elections(tmp_path))]
        said = CliRunner().invoke(app, ["register", "verify", *options, *elections])
        wait_for(lambda: "register entry replaced or removed" in deployment.logged("AnnounceLogs"))
    finally:
        # The stack is other tests', too.
        for table, item in before:
            put(table, item)
    assert said.exit_code == 1
    for line in (
        f"{known.voter_id}: entry 1 (issued): its identifier was pointed to voter {abstaining.voter_id}, n° 1",
        f"{changed.voter_id}: the NUMEN was changed without an entry",
        f"{voted.voter_id}: entry 1 (issued): its identifier has voted, and the register has no such vote",
    ):
        assert f"voter {line}\n" in said.stdout
    assert "identifier contradicts the register" in deployment.logged("RegistryLogs")
