"""Writing the register's file and having it signed, once every chain of the stack has been
verified.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from reassort.clock import Clock, iso
from reassort.voters import IdentifierStatus

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.register.check import Reconciliation, verify_register
from reassort_ops.register.file import (
    ALGORITHM,
    FINGERPRINT_BYTES,
    Header,
    SignatureLine,
    Statement,
    fingerprint_lines,
    public_key_sha256,
)
from reassort_ops.register.file_check import check_register_file
from reassort_ops.register.helpdesk_chains import heads_path, read_helpdesk_chains
from reassort_ops.register.merkle import MerkleTree, leaf_hash
from reassort_ops.register.sorted_chains import SortedChains

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

    from reassort_ops.account.stack import Stack


class Signer(Protocol):
    """Signs with ECDSA on P-256 over SHA-256. `public_key` is the SubjectPublicKeyInfo (DER)."""

    @property
    def key_id(self) -> str:
        """Return how the key is called where it lives."""

    @property
    def public_key(self) -> bytes:
        """Return the public key."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature (DER) of a message of at most 4,096 bytes, KMS's limit."""


@dataclass(frozen=True)
class KmsSigner:
    """A key of KMS. It is asked for its public part at once, so that a missing permission shows
    before anything is read.
    """

    kms: KMSClient
    key_id: str
    public_key: bytes

    @classmethod
    def of(cls, kms: KMSClient, key_id: str) -> KmsSigner:
        """Take the key of that id.

        Raises:
            botocore.exceptions.ClientError: AWS refuses.
        """
        return cls(kms, key_id, kms.get_public_key(KeyId=key_id)["PublicKey"])

    def sign(self, message: bytes) -> bytes:
        """Sign.

        Raises:
            botocore.exceptions.ClientError: AWS refuses.
        """
        answer = self.kms.sign(KeyId=self.key_id, Message=message, MessageType="RAW", SigningAlgorithm=ALGORITHM)
        return answer["Signature"]


@dataclass(frozen=True)
class Export:
    """What was exported; `statement` is None when the register does not hold and nothing was
    written.
    """

    counted: Reconciliation
    statement: Statement | None


def public_key_path(path: Path) -> Path:
    """Return where the public key of an export goes."""
    return path.with_name(f"{path.name}.pub.pem")


def export_register(
    path: Path,
    *,
    dynamodb: DynamoDBClient,
    stack: Stack,
    signer: Signer,
    clock: Clock,
    advance: Callable[[int], object],
    reissued_since: datetime,
) -> Export:
    """Verify the register of a stack, write it to a new file beside its public key and the ends of
    the helpdesk's record, and have it signed.

    Nothing is signed or left behind unless every chain verifies and the reconciliation holds. The
    finished file is checked as the election bureau will before it gets its name. `advance` is told
    how many more chains are read; `reissued_since` is as `verify_register` takes it.

    Raises:
        OperatorError: a file of that name exists, or what was written does not verify.
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
        OSError: the file cannot be written.
    """
    for taken in (path, public_key_path(path), heads_path(path)):
        if taken.exists():
            raise OperatorError(tr("{taken} exists: an export replaces no file", taken=taken))
    key = load_der_public_key(signer.public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise OperatorError(tr("key {key_id} is not one that signs registers", key_id=signer.key_id))
    header = Header(election=stack.election_id, stack=stack.name, started_at=iso(clock()))
    # The file is opened first, so that a folder that cannot be written shows before anything is
    # read.
    with _new_file(path) as (file, unfinished), SortedChains(path.parent) as chains:
        counted = verify_register(
            dynamodb,
            stack,
            advance,
            lambda voter_id, entries: chains.add(voter_id, [entry.content for entry in entries]),
            reissued_since=reissued_since,
        )
        helpdesk = read_helpdesk_chains(dynamodb, stack.helpdesk_record_table)
        counted.faults.extend(helpdesk.faults)
        if not counted.holds:
            return Export(counted, None)
        statement = write_register(file, header, chains.lines(), counted, signer, clock, helpdesk.heads)
        file.flush()
        os.fsync(file.fileno())
        raise_if_broken(unfinished, key)
        heads_path(path).write_bytes(helpdesk.heads)
        public_key_path(path).write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        unfinished.rename(path)
    return Export(counted, statement)


def raise_if_broken(path: Path, key: ec.EllipticCurvePublicKey) -> None:
    """Read a file back from the disk and check it.

    Raises:
        OperatorError: it does not verify.
        OSError: it cannot be read.
    """
    found = check_register_file(path, key)
    if not found.holds:
        faults = [str(found.broken)] if found.broken else found.counted.faults
        raise OperatorError(tr("what was written does not verify, and was removed: {faults}", faults=faults[0]))


def write_register(
    file: IO[bytes],
    header: Header,
    entries: Iterator[bytes],
    counted: Reconciliation,
    signer: Signer,
    clock: Clock,
    helpdesk: bytes = b"",
) -> Statement:
    """Write all lines of a register, `entries` in the order of the format, and return what was
    signed. `helpdesk` is the content of the file with the ends of the helpdesk's record.
    """
    tree = MerkleTree()
    fingerprints = bytearray()

    def write_leaf(line: bytes) -> None:
        leaf = leaf_hash(line)
        tree.add(leaf)
        fingerprints.extend(leaf[:FINGERPRINT_BYTES])
        file.write(line + b"\n")

    write_leaf(header.to_line())
    for line in entries:
        write_leaf(line)
    digest = sha256()
    for line in fingerprint_lines(bytes(fingerprints)):
        digest.update(line + b"\n")
        file.write(line + b"\n")
    statement = Statement(
        election=header.election,
        stack=header.stack,
        started_at=header.started_at,
        finished_at=iso(clock()),
        entries=counted.entries,
        voters=counted.voters,
        issued=counted.issued,
        active=counted.by_status[IdentifierStatus.ACTIVE],
        revoked=counted.by_status[IdentifierStatus.REVOKED],
        used=counted.by_status[IdentifierStatus.USED],
        frozen=counted.by_status[IdentifierStatus.FROZEN],
        merkle_root=tree.root.hex(),
        fingerprints_sha256=digest.hexdigest(),
        helpdesk_chains=helpdesk.count(b"\n"),
        helpdesk_sha256=sha256(helpdesk).hexdigest(),
        key_id=signer.key_id,
        public_key_sha256=public_key_sha256(signer.public_key),
    )
    line = statement.to_line()
    file.write(line + b"\n" + SignatureLine.of(signer.sign(line)).to_line() + b"\n")
    return statement


@contextmanager
def _new_file(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a file that is gone in the end unless it was given its name."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file, unfinished
    finally:
        unfinished.unlink(missing_ok=True)
