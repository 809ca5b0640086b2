"""`reassort register verify FILE`, word for word, and against an earlier export."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from reassort.register import Change
from reassort_ops.cli import app
from typer.testing import CliRunner

from tests.unit.ops.registers import HEADER, SIGNER, LocalSigner, chain, pseudonym, register_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reassort.register import Entry
    from typer.testing import Result

pytestmark = pytest.mark.req("I9", "I10")

EARLY = [*chain(pseudonym(1), [Change.ISSUED]), *chain(pseudonym(2), [Change.ISSUED, Change.REISSUED])]
LATER = [
    *chain(pseudonym(1), [Change.ISSUED, Change.REMOVED]),
    *chain(pseudonym(2), [Change.ISSUED, Change.REISSUED, Change.VOTED]),
    *chain(pseudonym(3), [Change.ISSUED, Change.FROZEN]),
]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "bureau.pem"
    file.write_bytes(SIGNER.pem)
    return file


def written(folder: Path, name: str, entries: Sequence[Entry], signer: LocalSigner = SIGNER) -> Path:
    file = folder / name
    file.write_bytes(register_file(entries, signer))
    return file


def verify(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["register", "verify", *map(str, arguments)])


COUNTED = {
    "voters": 3,
    "removed": 1,
    "entries": 7,
    "issued": 4,
    "active": 0,
    "revoked": 1,
    "used": 1,
    "frozen": 2,
    "balances": True,
    "faults": [],
}
TOLD = [
    "issued 4 = active 0 + revoked 1 + used 1 + frozen 2",
    "0 chains of the helpdesk's record; their ends: not there: register.jsonl.helpdesk.jsonl would tell",
]
ABOUT = "register of dijon-2018, stack reassort, 2018-12-06T16:00:00Z to 2018-12-06T16:00:00Z"


def test_a_whole_register(tmp_path: Path, key: Path) -> None:
    file = written(tmp_path, "register.jsonl", LATER)
    result = verify(file, "--key", key)
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "3 voters, 1 of them removed from the roll, 7 entries, 0 faults",
            *TOLD,
            f"{ABOUT}; signed by the key given",
            f"{file}: verified",
        ],
    )


def test_a_register_that_another_key_has_signed(tmp_path: Path, key: Path) -> None:
    file = written(tmp_path, "register.jsonl", LATER, LocalSigner.drawn())
    result = verify(file, "--key", key)
    first, *others = result.stdout.splitlines()
    assert (result.exit_code, first.startswith("the file was signed by another key (")) == (1, True)
    assert others == [
        "3 voters, 1 of them removed from the roll, 7 entries, 1 faults",
        *TOLD,
        f"{ABOUT}; not signed by the key given",
        f"{file}: NOT VERIFIED",
    ]


def test_what_a_program_reads_is_whole(tmp_path: Path, key: Path) -> None:
    file = written(tmp_path, "register.jsonl", LATER)
    told = json.loads(verify(file, "--key", key, "--json").stdout)
    statement = told.pop("statement")
    assert told == {"file": str(file), "verified": True, "signed": True, "first_broken": None, **COUNTED}
    named = {"election": HEADER.election, "stack": HEADER.stack, "entries": 7, "algorithm": "ECDSA_SHA_256"}
    assert named.items() <= statement.items()


def test_what_is_broken_is_told_to_a_program(tmp_path: Path, key: Path) -> None:
    broken = [*LATER[:1], *LATER[2:], *list(chain(pseudonym(4), [Change.ISSUED, Change.FROZEN]))[1:]]
    told = json.loads(verify(written(tmp_path, "register.jsonl", broken), "--key", key, "--json").stdout)
    assert (told["verified"], told["first_broken"]) == (
        False,
        {"line": 8, "voter_id": pseudonym(4), "sequence": 2, "why": "entry 1 is missing"},
    )


class TestSinceAnEarlierExport:
    """Nothing of it was replaced or removed, though the later one verifies by itself."""

    def test_what_only_went_on_verifies(self, tmp_path: Path, key: Path) -> None:
        since = written(tmp_path, "early.jsonl", EARLY)
        result = verify(written(tmp_path, "register.jsonl", LATER), "--key", key, "--since", since)
        assert (result.exit_code, result.stdout.splitlines()[-1].endswith(": verified")) == (0, True)

    @pytest.mark.parametrize(
        ("later", "why"),
        [
            ([*chain(pseudonym(1), [Change.ISSUED], actor="somebody"), *LATER[2:]], "was replaced since"),
            (LATER[2:], "was removed since"),
        ],
        ids=["replaced", "removed"],
    )
    def test_what_was_changed_is_named(self, tmp_path: Path, key: Path, later: list[Entry], why: str) -> None:
        since = written(tmp_path, "early.jsonl", EARLY)
        file = written(tmp_path, "register.jsonl", later)
        assert verify(file, "--key", key).exit_code == 0
        told = verify(file, "--key", key, "--since", since)
        assert told.exit_code == 1
        assert told.stdout.splitlines()[0] == f"{since}, line 2, voter {pseudonym(1)}, entry 1: {why}"
        assert told.stdout.splitlines()[-1] == f"{file}: NOT VERIFIED"

    def test_an_earlier_export_that_does_not_verify_proves_nothing(self, tmp_path: Path, key: Path) -> None:
        since = written(tmp_path, "early.jsonl", EARLY, LocalSigner.drawn())
        result = verify(written(tmp_path, "register.jsonl", LATER), "--key", key, "--since", since)
        said = f"reassort: {since} does not verify by itself: check it without --since\n"
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)

    def test_a_later_export_that_does_not_verify_is_not_compared(self, tmp_path: Path, key: Path) -> None:
        file = written(tmp_path, "register.jsonl", LATER, LocalSigner.drawn())
        result = verify(file, "--key", key, "--since", tmp_path / "nowhere.jsonl")
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, f"{file}: NOT VERIFIED")
