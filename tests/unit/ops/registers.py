"""Registers of made-up voters, and the files of them: signed by a key of the test's own, as KMS
would.
"""

from __future__ import annotations

import io
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from reassort.register import GENESIS, ISSUES, Change, Entry
from reassort_ops.register.check import Reconciliation
from reassort_ops.register.export import write_register
from reassort_ops.register.file import Header
from reassort_ops.register.replay import Replay

_OF_A_NUMEN = frozenset({Change.ISSUED, Change.CORRECTED, Change.ARRIVED, Change.DEPARTED})
NOW = datetime(2018, 12, 6, 16, 0, tzinfo=UTC)
HEADER = Header(election="dijon-2018", stack="reassort", started_at="2018-12-06T16:00:00Z")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class LocalSigner:
    """A key on this machine."""

    private_key: ec.EllipticCurvePrivateKey
    key_id: str = "tests"

    @classmethod
    def drawn(cls) -> LocalSigner:
        """Draw a key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_key(self) -> bytes:
        """Return the public key."""
        return self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> bytes:
        """Return the public key as the election bureau holds it."""
        return self.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """Sign."""
        return self.private_key.sign(message, ec.ECDSA(SHA256()))


SIGNER = LocalSigner.drawn()


def pseudonym(number: int) -> str:
    """Return a pseudonym, greater for a greater number."""
    symbols = ""
    for _ in range(22):
        number, place = divmod(number, len(_ALPHABET))
        symbols = _ALPHABET[place] + symbols
    return symbols


def commitments(voter_id: str, change: Change, generation: int) -> tuple[str, str]:
    """Return what such an entry commits to: the hash of an identifier and of a NUMEN, neither of
    which exists.
    """
    by_identifier = change in ISSUES or change is Change.VOTED
    return (
        made_up_hash("identifier", voter_id, str(generation)) if by_identifier else "",
        made_up_hash("numen", voter_id) if change in _OF_A_NUMEN else "",
    )


def made_up_hash(*values: str) -> str:
    """Return what looks like a keyed hash."""
    return urlsafe_b64encode(sha256(" ".join(values).encode()).digest()).rstrip(b"=").decode()


def chain(voter_id: str, changes: Iterable[Change], actor: str = "voter") -> Iterator[Entry]:
    """Return the chain of a voter to whom this happened."""
    previous, generation = GENESIS, 0
    for sequence, change in enumerate(changes, 1):
        generation += change in ISSUES
        at = 1_543_569_327_412 + sequence
        committed = commitments(voter_id, change, generation)
        entry = Entry(voter_id, sequence, change, generation, at, actor, "7K3M9-QWX2T", previous, *committed)
        yield entry
        previous = entry.hash


def counted(entries: Iterable[Entry]) -> Reconciliation:
    """Count a register as an export does."""
    result = Reconciliation()
    replays: dict[str, Replay] = {}
    for entry in entries:
        replays.setdefault(entry.voter_id, Replay(entry.voter_id)).follow(entry, entry.hash)
        result.entries += 1
        result.issued += entry.change in ISSUES
    for replay in replays.values():
        result.voters += bool(replay.generation) and not replay.moved_to
        result.removed += replay.removed
        for status, count in replay.statuses.items():
            result.by_status[status] += count
    return result


def register_file(entries: Sequence[Entry], signer: LocalSigner = SIGNER, header: Header = HEADER) -> bytes:
    """Return the file of a register, signed."""
    file = io.BytesIO()
    write_register(file, header, (entry.content for entry in entries), counted(entries), signer, lambda: NOW)
    return file.getvalue()
