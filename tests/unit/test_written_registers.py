"""What an export of the register promises of its file, without tables: where it grows, what is on
the disk before it has its name, how chains are put into order.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from reassort.voters import IdentifierStatus
from reassort_ops.failures import OperatorError
from reassort_ops.register import export
from reassort_ops.register.check import Reconciliation
from reassort_ops.register.export import export_register, raise_if_broken
from reassort_ops.register.helpdesk_chains import HelpdeskChains
from reassort_ops.register.sorted_chains import SortedChains

from tests.unit.ops.damaged_registers import FILE, STORIES
from tests.unit.ops.registers import HEADER, NOW, SIGNER, chain, counted, pseudonym

STACK: Any = SimpleNamespace(election_id="dijon-2018", name="reassort", helpdesk_record_table="record")
CHAINS = [list(chain(pseudonym(number), story)) for number, story in enumerate(STORIES, 1)]
NOBODY: Any = None


def exported(path: Path, monkeypatch: pytest.MonkeyPatch, signer: Any = SIGNER) -> None:
    """Export the chains of `STORIES` as if a stack had them."""

    def verified(_: object, __: object, ___: object, take: Any, **_given: object) -> Reconciliation:
        assert path.with_name("register.jsonl.unfinished").exists()
        for entries in reversed(CHAINS):
            take(entries[0].voter_id, entries)
        return counted([entry for entries in CHAINS for entry in entries])

    monkeypatch.setattr(export, "verify_register", verified)
    monkeypatch.setattr(export, "read_helpdesk_chains", lambda *_: HelpdeskChains(b'{"agent":"anne"}\n'))
    export_register(
        path,
        dynamodb=NOBODY,
        stack=STACK,
        signer=signer,
        clock=lambda: NOW,
        advance=lambda _: None,
        reissued_since=NOW,
    )


def test_a_register_grows_beside_its_name_and_is_on_the_disk_before_it_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "register.jsonl"
    named_when_flushed: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _: named_when_flushed.append(path.exists()))
    exported(path, monkeypatch)
    assert named_when_flushed == [False]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "register.jsonl",
        "register.jsonl.helpdesk.jsonl",
        "register.jsonl.pub.pem",
    ]


def test_a_key_of_another_kind_signs_no_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = rsa.generate_private_key(65537, 2048).public_key()
    signer = SimpleNamespace(
        key_id="other", public_key=other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(OperatorError, match="key other is not one that signs registers"):
        exported(tmp_path / "register.jsonl", monkeypatch, signer)
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_a_written_register_is_named_first_line_first(tmp_path: Path) -> None:
    key = SIGNER.private_key.public_key()
    sound, changed, miscounted = (tmp_path / name for name in ("sound", "changed", "miscounted"))
    sound.write_bytes(FILE)
    raise_if_broken(sound, key)
    changed.write_bytes(FILE.replace(b'"at":1', b'"at":2', 1))
    with pytest.raises(OperatorError, match=r"was removed: line 2, voter \w{22}, entry 1: is not the line"):
        raise_if_broken(changed, key)
    entries = [entry for entries in CHAINS for entry in entries]
    false = counted(entries)
    false.issued += 1
    false.by_status[IdentifierStatus.ACTIVE] += 2
    with miscounted.open("wb") as file:
        export.write_register(file, HEADER, (entry.content for entry in entries), false, SIGNER, lambda: NOW)
    with pytest.raises(OperatorError) as refused:
        raise_if_broken(miscounted, key)
    assert str(refused.value).endswith("was removed: issued: 9 in the file, 10 signed")


def records(voter_id: str, *lines: bytes) -> int:
    """Return how many bytes a chain takes in a run."""
    return len(b"\t".join((voter_id.encode(), *lines)) + b"\n")


def test_a_run_is_written_down_once_its_bytes_are_held_and_the_next_begins_empty(tmp_path: Path) -> None:
    size = records("a", b"1") + records("b", b"2", b"3")
    with SortedChains(tmp_path, size) as chains:
        chains.add("b", [b"2", b"3"])
        assert len(chains._runs) == 0
        chains.add("a", [b"1"])
        assert len(chains._runs) == 1
        chains.add("d", [b"4", b"5"])
        assert len(chains._runs) == 1
        chains.add("c", [b"6"])
        assert len(chains._runs) == 2
        chains.add("0", [b"7"])
        assert list(chains.lines()) == [b"7", b"1", b"2", b"3", b"6", b"4", b"5"]
        runs = chains._runs
    assert all(run.closed for run in runs)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_written_down_a_byte_too_early(tmp_path: Path) -> None:
    with SortedChains(tmp_path, records("a", b"1") + 1) as chains:
        chains.add("a", [b"1"])
        assert chains._runs == []


def test_chains_that_were_never_written_down_are_sorted_by_pseudonym_alone(tmp_path: Path) -> None:
    with SortedChains(tmp_path) as chains:
        for voter_id, line in (("b", b"1"), ("a0", b"2"), ("a", b"9"), ("a", b"8")):
            chains.add(voter_id, [line])
        assert chains._runs == []
        # A chain that comes twice stays as it came.
        assert list(chains.lines()) == [b"9", b"8", b"2", b"1"]


def test_a_run_is_32_megabytes_in_the_folder_of_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    made: Any = tempfile.TemporaryFile

    def file_in(**where: Path) -> Any:
        folders.append(where["dir"])
        return made(**where)

    monkeypatch.setattr(tempfile, "TemporaryFile", file_in)
    with SortedChains(tmp_path) as chains:
        chains.add("b", [b"x" * (1 << 25)])
        assert len(chains._runs) == 1
        chains.add("a", [b"x" * ((1 << 25) - 4)])
        assert len(chains._runs) == 1
        chains.add("c", [b""])
        assert len(chains._runs) == 2
    assert folders == [tmp_path, tmp_path]
