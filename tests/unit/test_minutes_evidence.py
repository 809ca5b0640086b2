"""What minutes take from the file of a register: only what was signed, and all of it."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from reassort.voters import IdentifierStatus
from reassort_ops.failures import OperatorError
from reassort_ops.minutes import evidence
from reassort_ops.minutes.evidence import evidence_of_file, evidence_of_stack
from reassort_ops.minutes.figures import MinutesBasis, RegisterSeal
from reassort_ops.minutes.story import Hand
from reassort_ops.register.check import Reconciliation
from reassort_ops.register.export import write_register
from reassort_ops.register.file import SignatureLine
from reassort_ops.register.helpdesk_chains import HelpdeskChains, heads_path

from tests.unit.ops.damaged_registers import ENTRIES, FILE, MANY
from tests.unit.ops.registers import HEADER, NOW, SIGNER, counted, register_file

if TYPE_CHECKING:
    from pathlib import Path

NOBODY: Any = None
HEADS = b'{"agent":"anne"}\n'


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The bureau's key."""
    path = tmp_path / "key.pem"
    path.write_bytes(SIGNER.pem)
    return path


def put(folder: Path, content: bytes) -> Path:
    path = folder / "register.jsonl"
    path.write_bytes(content)
    return path


def written(folder: Path, *, helpdesk: bytes = b"", told: Reconciliation | None = None) -> Path:
    """Write the register of `ENTRIES`, told to have other counts."""
    path = folder / "register.jsonl"
    with path.open("wb") as file:
        lines = (entry.content for entry in ENTRIES)
        write_register(file, HEADER, lines, told or counted(ENTRIES), SIGNER, lambda: NOW, helpdesk)
    return path


@pytest.mark.parametrize(("content", "entries"), [(FILE, ENTRIES), (register_file(MANY), MANY)], ids=["few", "many"])
def test_a_file_that_verifies_is_told_and_sealed_whole(
    tmp_path: Path, key: Path, content: bytes, entries: list[Any]
) -> None:
    read: list[int] = []
    found = evidence_of_file(put(tmp_path, content), key, read.append)
    assert (found.checked, sum(read) > 0) == (MinutesBasis.SIGNED_FILE, True)
    changes = [entry.change.value for entry in entries]
    assert (found.story.votes, found.story.hands) == (
        changes.count("voted"),
        {Hand.VOTER: changes.count("reissued")},
    )
    statement = found.statement
    assert statement is not None
    signature = SignatureLine.from_line(content.splitlines()[-1]).signature
    assert found.seal == RegisterSeal(
        file="register.jsonl",
        file_sha256=sha256(content).hexdigest(),
        started_at=HEADER.started_at,
        finished_at="2018-12-06T16:00:00Z",
        entries=len(entries),
        merkle_root=statement.merkle_root,
        algorithm="ECDSA_SHA_256",
        signature=signature,
        key_id="tests",
        public_key_sha256=statement.public_key_sha256,
        helpdesk_chains=0,
        helpdesk_checked=False,
    )


def test_ends_of_the_helpdesks_record_are_those_that_were_signed(tmp_path: Path, key: Path) -> None:
    path = written(tmp_path, helpdesk=HEADS)
    heads_path(path).write_bytes(HEADS)
    seal = evidence_of_file(path, key, lambda _: None).seal
    assert seal is not None
    assert (seal.helpdesk_chains, seal.helpdesk_checked) == (1, True)
    heads_path(path).write_bytes(HEADS + b"\n")
    with pytest.raises(OperatorError, match=r"helpdesk.jsonl is not what was signed, so no minutes are written"):
        evidence_of_file(path, key, lambda _: None)


def test_nothing_is_said_of_a_file_that_does_not_verify(tmp_path: Path, key: Path) -> None:
    for content, told in (
        (FILE.replace(b'"at":1', b'"at":2', 1), "line 2, voter "),
        (b"".join(FILE.splitlines(keepends=True)[:-2]), "the file does not end with a statement"),
    ):
        path = put(tmp_path, content)
        with pytest.raises(OperatorError) as refused:
            evidence_of_file(path, key, lambda _: None)
        assert str(refused.value).startswith(f"{path} does not verify, so no minutes are written: {told}")
    false = counted(ENTRIES)
    false.issued += 1
    false.by_status[IdentifierStatus.ACTIVE] += 2
    with pytest.raises(OperatorError, match="no minutes are written: issued: 9 in the file, 10 signed"):
        evidence_of_file(written(tmp_path, told=false), key, lambda _: None)


def test_tables_are_told_with_the_faults_of_the_helpdesks_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def verified(*_: Any, **__: Any) -> Reconciliation:
        return Reconciliation(faults=["one"])

    monkeypatch.setattr(evidence, "verify_register", verified)
    monkeypatch.setattr(evidence, "read_helpdesk_chains", lambda *_: HelpdeskChains(faults=["two"]))
    stack: Any = SimpleNamespace(helpdesk_record_table="record")
    found = evidence_of_stack(NOBODY, stack, lambda _: None, reissued_since=NOW)
    assert (found.checked, found.counted.faults) == (MinutesBasis.TABLES, ["one", "two"])
    assert (found.statement, found.seal) == (None, None)
