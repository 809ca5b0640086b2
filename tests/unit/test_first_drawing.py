"""Identifiers that an import draws, and the key that they are drawn from: what is kept of it while
the import may be taken up, and for whom.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from base64 import b64decode, b64encode
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from reassort.identifiers import ALPHABET, check_symbol
from reassort_ops.failures import OperatorError
from reassort_ops.roll import first_identifiers
from reassort_ops.roll.first_identifiers import IdentifierDraw, begin, end, raise_if_taken, resume_file

if TYPE_CHECKING:
    from pathlib import Path

STACK: Any = SimpleNamespace(name="reassort", election_id="dijon-2018", encryption_key_id="k")
CONTEXT = {"kind": "issue", "stack": "reassort", "election": "dijon-2018"}


class WrappingKms:
    """Wraps what it is given by its context."""

    def encrypt(self, **call: Any) -> dict[str, bytes]:
        """Wrap."""
        assert call["KeyId"] == "k"
        wrapped = [call["EncryptionContext"], b64encode(call["Plaintext"]).decode()]
        return {"CiphertextBlob": json.dumps(wrapped).encode()}

    def decrypt(self, **call: Any) -> dict[str, bytes]:
        """Unwrap."""
        context, wrapped = json.loads(call["CiphertextBlob"])
        assert (call["KeyId"], context) == ("k", call["EncryptionContext"])
        return {"Plaintext": b64decode(wrapped)}


KMS: Any = WrappingKms()


@pytest.fixture
def roll(tmp_path: Path) -> Path:
    """A roll."""
    path = tmp_path / "roll.csv"
    path.write_text("a roll", encoding="utf-8")
    return path


def drawn(key: bytes, address: str, symbols: int) -> str:
    """Draw as the documentation says: bytes below the last multiple of 30, block by block."""
    found = ""
    for block in range(50):
        digest = hmac.digest(key, f"reassort/identifier/{block}/{address}".encode(), "sha512")
        found += "".join(ALPHABET[byte % 30] for byte in digest if byte < 240)
    return found[:symbols] + check_symbol(found[:symbols])


@pytest.mark.parametrize("symbols", [9, 15, 64, 200])
def test_an_identifier_is_drawn_from_key_and_address_without_favour(symbols: int) -> None:
    shape: Any = SimpleNamespace(symbols=symbols)
    assert len(ALPHABET) == 30
    for key in (b"k" * 32, b"l" * 32):
        for address in ("a@ac-dijon.fr", "b@ac-dijon.fr"):
            assert IdentifierDraw(key, shape).draw(address) == drawn(key, address, symbols)


def test_a_block_that_is_just_long_enough_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[bytes] = []

    def digest(_: bytes, message: bytes, __: str) -> bytes:
        blocks.append(message)
        return bytes(range(10))

    monkeypatch.setattr(hmac, "digest", digest)
    shape: Any = SimpleNamespace(symbols=20)
    assert IdentifierDraw(b"", shape).draw("a")[:20] == ALPHABET[:10] * 2
    assert blocks == [b"reassort/identifier/0/a", b"reassort/identifier/1/a"]


def test_the_key_is_kept_wrapped_on_the_disk_and_for_its_owner_alone(
    tmp_path: Path, roll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing = tmp_path / "mailing.age"
    flushed: list[Any] = []
    monkeypatch.setattr(os, "fsync", lambda _: flushed.append(len(resume_file(mailing).read_bytes()) > 0))
    monkeypatch.setattr(first_identifiers, "flush_folder", flushed.append)
    key = begin(KMS, STACK, mailing, roll)
    path = tmp_path / "mailing.age.resume"
    assert (len(key), flushed, resume_file(mailing)) == (32, [True, path], path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = json.loads(path.read_text(encoding="utf-8"))
    wrapped = json.loads(b64decode(content.pop("key")))
    assert wrapped == [CONTEXT, b64encode(key).decode()]
    digest = content.pop("roll")
    assert content == {"version": 1, "stack": "reassort", "election": "dijon-2018"}
    assert len(digest) == 64
    assert begin(KMS, STACK, mailing, roll) == key
    end(mailing)
    assert not path.exists()
    assert begin(KMS, STACK, mailing, roll) != key


def test_a_mailing_that_is_whole_is_not_written_over(tmp_path: Path, roll: Path) -> None:
    mailing = tmp_path / "mailing.age"
    raise_if_taken(mailing)
    key = begin(KMS, STACK, mailing, roll)
    raise_if_taken(mailing)
    mailing.write_text("letters", encoding="utf-8")
    raise_if_taken(mailing)
    assert begin(KMS, STACK, mailing, roll) == key
    end(mailing)
    with pytest.raises(OperatorError, match="never overwrites identifiers"):
        raise_if_taken(mailing)
    with pytest.raises(OperatorError, match=r"mailing.age: is there already"):
        begin(KMS, STACK, mailing, roll)
    assert not resume_file(mailing).exists()


@pytest.mark.parametrize("content", ["no JSON", "{}", "[]", '{"version": 1, "stack": "reassort", "key": 1}'])
def test_what_no_import_leaves_is_refused(tmp_path: Path, roll: Path, content: str) -> None:
    mailing = tmp_path / "mailing.age"
    resume_file(mailing).write_text(content, encoding="utf-8")
    with pytest.raises(OperatorError, match="is not what an interrupted import leaves"):
        begin(KMS, STACK, mailing, roll)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": 2}, "is of an import to stack reassort"),
        ({"stack": "other"}, "is of an import to stack other"),
        ({"roll": "0" * 64}, "is not the roll whose import was interrupted"),
    ],
)
def test_what_was_left_by_another_import_is_not_taken_up(
    tmp_path: Path, roll: Path, changed: dict[str, Any], told: str
) -> None:
    mailing = tmp_path / "mailing.age"
    begin(KMS, STACK, mailing, roll)
    content = json.loads(resume_file(mailing).read_text(encoding="utf-8"))
    resume_file(mailing).write_text(json.dumps(content | changed), encoding="utf-8")
    with pytest.raises(OperatorError, match=told):
        begin(KMS, STACK, mailing, roll)


def test_another_roll_is_told_from_the_interrupted_one(tmp_path: Path, roll: Path) -> None:
    mailing = tmp_path / "mailing.age"
    begin(KMS, STACK, mailing, roll)
    roll.write_text("another roll", encoding="utf-8")
    with pytest.raises(OperatorError, match=r"roll.csv: is not the roll"):
        begin(KMS, STACK, mailing, roll)
