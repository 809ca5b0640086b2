"""`reassort roll import` on the deployed template: Ctrl-C midway, a second run that completes it, a
third that changes nothing.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pyrage import decrypt, x25519

from harness.stack.deployed import Deployment, Platform, wait_for
from local.deploy import write_demo_elections

if TYPE_CHECKING:
    from pathlib import Path

# Enough that the signal comes long before the end, whatever the machine.
_VOTERS = 3000
_TABLES = ("VotersTable", "IdentifiersTable", "NumensTable", "RegisterTable")


@pytest.mark.req("I9", "I10")
def test_an_import_that_is_interrupted_loses_no_identifier(
    deployment: Deployment, platform: Platform, tmp_path: Path
) -> None:
    identity = x25519.Identity.generate()
    roll, mailing = tmp_path / "roll.csv", tmp_path / "mailing.csv.age"
    addresses = [f"roll{number}@ac-dijon.fr" for number in range(_VOTERS)]
    roll.write_text(
        "email;numen;establishment\r\n"
        + "".join(f"{address};07E{number:07}QRS;École Éluard\r\n" for number, address in enumerate(addresses)),
        encoding="cp1252",
        newline="",
    )
    pseudonyms = {deployment.keyed_hash.voter_id(address) for address in addresses}

    def start(mailed: Path) -> subprocess.Popen[str]:
        arguments = [
            *("roll", "import", str(roll), "--stack", deployment.stack.name, "--region", deployment.aws.region),
            *("--elections", str(write_demo_elections(tmp_path)), "--threads", "2", "--json"),
            *("--issue", str(mailed), "--recipient", str(identity.to_public())),
        ]
        return subprocess.Popen(
            [sys.executable, "-m", "reassort_ops", *arguments],
            env={**os.environ, **deployment.aws.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
        printed, complained = process.communicate(timeout=600)
        return process.returncode, json.loads(printed), complained

    def held() -> list[list[str]]:
        return [
            sorted(repr(sorted(item.items())) for item in deployment.scan(table) if item["voter_id"] in pseudonyms)
            for table in _TABLES
        ]

    first = start(mailing)
    wait_for(lambda: any(item["voter_id"] in pseudonyms for item in deployment.scan("VotersTable")))
    first.send_signal(signal.SIGINT)
    status, interrupted, complained = finish(first)
    assert (status, complained) == (130, "reassort: interrupted\n")
    assert 0 < interrupted["imported"] < _VOTERS
    assert interrupted["imported"] + interrupted["not_reached"] == _VOTERS
    # Whole voters alone, and all of them counted.
    assert [len(items) for items in held()] == [interrupted["imported"]] * len(_TABLES)
    assert not mailing.exists()

    status, resumed, complained = finish(start(mailing))
    assert (status, complained) == (0, "")
    assert (resumed["unchanged"], resumed["imported"]) == (interrupted["imported"], interrupted["not_reached"])
    assert resumed["issued"] == _VOTERS

    letters = list(
        csv.DictReader(decrypt(mailing.read_bytes(), [identity]).decode("utf-8-sig").splitlines(), delimiter=";")
    )
    assert [letter["email"] for letter in letters] == addresses
    mailed = {
        (deployment.identifier_hash(letter["identifier"]), deployment.keyed_hash.voter_id(letter["email"]))
        for letter in letters
    }
    known = {(item["identifier_hash"], item["voter_id"]) for item in deployment.scan("IdentifiersTable")}
    assert mailed == {one for one in known if one[1] in pseudonyms}
    assert len(mailed) == _VOTERS
    for letter in (letters[0], letters[-1]):
        assert platform.check(letter["identifier"])["status"] == "active"

    before = held()
    status, again, _ = finish(start(tmp_path / "again.csv.age"))
    assert (status, again["unchanged"], again["issued"]) == (0, _VOTERS, 0)
    assert held() == before
    assert sorted(path.name for path in tmp_path.glob("*.age*")) == [mailing.name]
