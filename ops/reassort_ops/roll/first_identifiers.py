"""Identifiers for a roll that brings none: drawn from a key that lives as long as one import.

The key is 256 bits of the system's CSPRNG, expanded for each voter by HMAC-SHA-512, so an import
that was interrupted draws the same identifiers when it is run again, and none of them has to be
kept anywhere. Between the runs the key is in a file beside the mailing file, wrapped by the stack's
KMS key; once the mailing file is whole it is gone, and nobody can draw them again.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reassort.identifiers import ALPHABET, check_symbol

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.whole_file import flush_folder

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from reassort.election import IdentifierFormat

    from reassort_ops.account.stack import Stack

_KEY_BYTES = 32
_VERSION = 1
# The greatest multiple of 30 symbols that a byte can hold: bytes from there on would favour the
# first symbols.
_UNBIASED = 256 - 256 % len(ALPHABET)


@dataclass(frozen=True)
class IdentifierDraw:
    """Draws the identifier of a voter: always the same one from the same key."""

    key: bytes
    shape: IdentifierFormat

    def draw(self, address: str) -> str:
        """Return the normalised identifier of the voter with this normalised address."""
        symbols = ""
        block = 0
        while len(symbols) < self.shape.symbols:
            drawn = hmac.digest(self.key, f"reassort/identifier/{block}/{address}".encode(), "sha512")
            symbols += "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn if byte < _UNBIASED)
            block += 1
        symbols = symbols[: self.shape.symbols]
        return symbols + check_symbol(symbols)


def resume_file(mailing: Path) -> Path:
    """Return where the wrapped key is kept until the mailing file is whole."""
    return mailing.with_name(mailing.name + ".resume")


def raise_if_taken(mailing: Path) -> None:
    """Refuse a mailing file that another import has written: it may be the only copy of identifiers
    that are valid.

    Raises:
        OperatorError: it is there, and no import of it was interrupted.
    """
    if mailing.exists() and not resume_file(mailing).exists():
        raise OperatorError(tr("{mailing}: is there already; --issue never overwrites identifiers", mailing=mailing))


def begin(kms: KMSClient, stack: Stack, mailing: Path, roll: Path) -> bytes:
    """Draw the key of an import and keep it for its resumption, or take up the one of an import
    that was interrupted.

    Raises:
        OperatorError: what was interrupted was the import of another roll, or on another stack.
        botocore.exceptions.ClientError: KMS refuses.
    """
    path = resume_file(mailing)
    context = {"kind": "issue", "stack": stack.name, "election": stack.election_id}
    if path.exists():
        return _take_up(kms, stack, path, roll, context)
    raise_if_taken(mailing)
    key = secrets.token_bytes(_KEY_BYTES)
    wrapped = kms.encrypt(KeyId=stack.encryption_key_id, Plaintext=key, EncryptionContext=context)["CiphertextBlob"]
    content = {
        "version": _VERSION,
        "stack": stack.name,
        "election": stack.election_id,
        "roll": _digest(roll, key),
        "key": b64encode(wrapped).decode(),
    }
    # On disk before the first voter is: anyone who loses the key loses the identifiers that were
    # drawn from it.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    flush_folder(path)
    return key


def end(mailing: Path) -> None:
    """Forget the key."""
    resume_file(mailing).unlink()


def _take_up(kms: KMSClient, stack: Stack, path: Path, roll: Path, context: dict[str, str]) -> bytes:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version, name, wrapped = content["version"], content["stack"], b64decode(content["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(tr("{path}: is not what an interrupted import leaves", path=path)) from error
    if version != _VERSION or name != stack.name:
        raise OperatorError(tr("{path}: is of an import to stack {name}", path=path, name=name))
    key = kms.decrypt(KeyId=stack.encryption_key_id, CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"]
    if content["roll"] != _digest(roll, key):
        raise OperatorError(
            tr(
                "{roll}: is not the roll whose import was interrupted ({path}): finish with that one "
                "first, then import this one",
                roll=roll,
                path=path,
            )
        )
    return key


def _digest(roll: Path, key: bytes) -> str:
    with roll.open("rb") as file:
        return file_digest(file, lambda: blake2b(key=key, digest_size=32)).hexdigest()
