"""The file of the register that the election bureau keeps: `reassort-register/2`, described in
docs/register.md.

Lines of canonical JSON (keys sorted, no blanks, UTF-8), each ended by a line feed:

1. the header;
2. one line for each entry, ordered by `voter_id` (as bytes) and `sequence`: exactly the JSON that
   the chain hashes;
3. fingerprints of the lines so far, by which a line that was changed can be named;
4. the statement, which holds the Merkle root (RFC 6962) of header and entries, and all counts;
5. the signature of the statement.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict
from reassort.register import COMMITMENTS, Change, Entry, canonical
from reassort.voters import IdentifierStatus

FORMAT: Literal["reassort-register/2"] = "reassort-register/2"
ALGORITHM: Literal["ECDSA_SHA_256"] = "ECDSA_SHA_256"
# The first bytes of a leaf's hash that are kept of each line. They only name a line; what is signed
# is the whole tree.
FINGERPRINT_BYTES = 4
FINGERPRINTS_A_LINE = 1024
FINGERPRINTS_START = b'{"fingerprints":"'
# An entry has some 500 bytes, a line of fingerprints 8,211.
LONGEST_LINE = 65_536

_MEMBERS: dict[str, type] = {
    "voter_id": str,
    "sequence": int,
    "change": str,
    "generation": int,
    "at": int,
    "actor": str,
    "reference": str,
    "previous": str,
}


class FileFormatError(ValueError):
    """A line is not what the format has at its place."""


class _Line(BaseModel):
    """A line that is not an entry."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    def to_line(self) -> bytes:
        """Return the line without its end."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Read a line.

        Raises:
            FileFormatError: it is not one of these, or written another way.
        """
        try:
            # pydantic's own errors are ValueErrors.
            found = cls.model_validate_json(line)
            right = found.to_line() == line
        except ValueError as error:
            raise FileFormatError(cls.__name__) from error
        if not right:
            raise FileFormatError(cls.__name__)
        return found


class Header(_Line):
    """The first line. `started_at` is when the export began to read, ISO 8601 in UTC."""

    format: Literal["reassort-register/2"] = FORMAT
    election: str
    stack: str
    started_at: str


class Statement(_Line):
    """What is signed: the line as it is, without its end.

    `entries` counts all entries, `voters` the chains of voters. `merkle_root` is of header and
    entries, `fingerprints_sha256` of the lines of fingerprints with their ends, `public_key_sha256`
    of the key as SubjectPublicKeyInfo (DER): hexadecimal. `key_id` is the key's in KMS.
    `helpdesk_chains` and `helpdesk_sha256` are of the file that has the ends of the helpdesk's
    record, one line for each agent.
    """

    format: Literal["reassort-register/2"] = FORMAT
    election: str
    stack: str
    started_at: str
    finished_at: str
    entries: int
    voters: int
    issued: int
    active: int
    revoked: int
    used: int
    frozen: int
    merkle_root: str
    fingerprints_sha256: str
    helpdesk_chains: int
    helpdesk_sha256: str
    algorithm: Literal["ECDSA_SHA_256"] = ALGORITHM
    key_id: str
    public_key_sha256: str

    @property
    def by_status(self) -> dict[IdentifierStatus, int]:
        """Return what became of the identifiers."""
        return {
            IdentifierStatus.ACTIVE: self.active,
            IdentifierStatus.REVOKED: self.revoked,
            IdentifierStatus.USED: self.used,
            IdentifierStatus.FROZEN: self.frozen,
        }


class SignatureLine(_Line):
    """The last line: the signature (DER) in base64."""

    signature: str

    @classmethod
    def of(cls, signature: bytes) -> Self:
        """Write a signature."""
        return cls(signature=base64.b64encode(signature).decode())

    @property
    def value(self) -> bytes:
        """Return the signature.

        Raises:
            ValueError: it is not base64, or not in the one form that base64 has for it.
        """
        value = base64.b64decode(self.signature, validate=True)
        if base64.b64encode(value).decode() != self.signature:
            raise FileFormatError("signature")
        return value


def entry_from_line(line: bytes) -> Entry:
    """Read the line of an entry.

    Raises:
        FileFormatError: it is not one, or written another way than it was hashed.
    """
    try:
        content = json.loads(line)
        entry = _entry(content)
        right = entry is not None and entry.content == line
    except (ValueError, RecursionError) as error:
        raise FileFormatError("entry") from error
    if entry is None or not right:
        raise FileFormatError("entry")
    return entry


def _entry(content: Any) -> Entry | None:
    if type(content) is not dict or content.keys() - set(COMMITMENTS) != _MEMBERS.keys():
        return None
    # `true` is an int to isinstance.
    if any(type(value) is not _MEMBERS.get(name, str) for name, value in content.items()):
        return None
    content["change"] = Change(content["change"])
    return Entry(**content)


def fingerprint_lines(fingerprints: bytes) -> list[bytes]:
    """Return the lines, without their ends, that hold the fingerprints of all lines before."""
    step = FINGERPRINT_BYTES * FINGERPRINTS_A_LINE
    return [canonical({"fingerprints": fingerprints[at : at + step].hex()}) for at in range(0, len(fingerprints), step)]


def fingerprints_from_line(line: bytes) -> bytes:
    """Read a line of fingerprints.

    Raises:
        FileFormatError: it is not one.
    """
    try:
        found = bytes.fromhex(line.removeprefix(FINGERPRINTS_START).removesuffix(b'"}').decode())
    except ValueError as error:
        raise FileFormatError("fingerprints") from error
    if fingerprint_lines(found) != [line]:
        raise FileFormatError("fingerprints")
    return found


def public_key_sha256(public_key: bytes) -> str:
    """Return the fingerprint by which people compare keys: SHA-256 of the SubjectPublicKeyInfo
    (DER).
    """
    return sha256(public_key).hexdigest()
