"""Checking a file of the register with nothing but the file and the public key that the election
bureau holds.

The signature covers the counts and, by the Merkle root, every byte of header and entries.
Fingerprints and chains tell which line was changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from reassort.clock import epoch_milliseconds
from reassort.register import ELECTION_CHAIN, ISSUES, Entry

from reassort_ops.failures import OperatorError
from reassort_ops.language import joined, tr, trn
from reassort_ops.register.check import Reconciliation
from reassort_ops.register.commitments import IdentifierSet
from reassort_ops.register.file import (
    FINGERPRINT_BYTES,
    FINGERPRINTS_START,
    LONGEST_LINE,
    FileFormatError,
    Header,
    SignatureLine,
    Statement,
    entry_from_line,
    fingerprints_from_line,
    public_key_sha256,
)
from reassort_ops.register.merkle import MerkleTree, leaf_hash
from reassort_ops.register.moves import MoveLedger
from reassort_ops.register.replay import Replay

# How many of the next lines must agree again for lines to count as missing or inserted.
AGREEING_LINES = 4
_CRLF = tr(
    "ends as lines of Windows do (CRLF): this copy was converted on its way; take the file as it was exported, "
    "copied byte for byte"
)


@dataclass(frozen=True)
class Broken:
    """A line that is not as it should be. `voter_id` and `sequence` are None where the line does
    not tell.
    """

    line: int
    voter_id: str | None
    sequence: int | None
    why: str

    def __str__(self) -> str:
        where = tr("line {line}", line=self.line)
        if self.voter_id is not None:
            of_voter = tr("voter {voter_id}", voter_id=self.voter_id)
            where = joined(", ", (where, self.voter_id if self.voter_id == ELECTION_CHAIN else of_voter))
        if self.sequence is not None:
            where = joined(", ", (where, tr("entry {sequence}", sequence=self.sequence)))
        return tr("{where}: {why}", where=where, why=self.why)


@dataclass
class FileCheck:
    """What was found. `statement` is None when the file has none, `broken` is the first line that
    is not as it should be.
    """

    statement: Statement | None = None
    signed: bool = False
    counted: Reconciliation = field(default_factory=Reconciliation)
    broken: Broken | None = None

    @property
    def holds(self) -> bool:
        """Tell whether the file is what was signed, and all of it is in order."""
        return self.signed and self.broken is None and self.counted.holds


def read_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Read the key of the election bureau.

    Raises:
        OperatorError: it is not a public key on the curve P-256 in PEM form.
        OSError: it cannot be read.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OperatorError(tr("{path} is not a public key in PEM form", path=path)) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise OperatorError(tr("{path} is not a key of the register: those are on the curve P-256", path=path))
    return key


def first_departure(earlier: Path, later: Path) -> Broken | None:
    """Find the first line of an export that a later one does not have in its place; None when every
    chain only grew.

    Both are files that hold (`check_register_file`). The line's number is that of the earlier one.

    Raises:
        OperatorError: they are not of the same stack.
        OSError: one cannot be read.
    """
    with earlier.open("rb") as old, later.open("rb") as new:
        headers = [Header.from_line(file.readline(LONGEST_LINE).removesuffix(b"\n")) for file in (old, new)]
        if headers[0].model_copy(update={"started_at": headers[1].started_at}) != headers[1]:
            raise OperatorError(tr("{earlier} and {later} are not of the same stack", earlier=earlier, later=later))
        found = _entries(new)
        # Both are in the order of pseudonyms, and each chain in its own.
        for number, entry in enumerate(_entries(old), 2):
            place = (entry.voter_id, entry.sequence)
            other = next((one for one in found if (one.voter_id, one.sequence) >= place), None)
            if other != entry:
                gone = other is None or (other.voter_id, other.sequence) != place
                why = tr("was removed since") if gone else tr("was replaced since")
                return Broken(number, entry.voter_id, entry.sequence, why)
    return None


def _entries(file: IO[bytes]) -> Iterator[Entry]:
    for line in iter(lambda: file.readline(LONGEST_LINE), b""):
        if line.startswith(FINGERPRINTS_START):
            return
        yield entry_from_line(line.removesuffix(b"\n"))


def check_register_file(
    path: Path, key: ec.EllipticCurvePublicKey, advance: Callable[[int], object] = lambda _: None
) -> FileCheck:
    """Check a file. `advance` is told how many more bytes are read. Memory: some twelve bytes for
    each entry.

    Raises:
        OSError: it cannot be read.
    """
    result = FileCheck()
    with path.open("rb") as file:
        end = _read_end(file, key, result)
        body = _Body(result)
        file.seek(0)
        while file.tell() < end and (line := file.readline(LONGEST_LINE)):
            body.take(line)
            advance(len(line))
        body.close()
        _name_second_issue(file, end, body.issued.repeated, result)
        statement = result.statement
        if statement is not None:
            result.counted.faults += _disagreements(statement, body, result.counted)
            if body.fingerprints_sha256 == statement.fingerprints_sha256:
                _name_changed_line(file, body, result)
    if not result.counted.balances:
        result.counted.faults.append(tr("the reconciliation does not balance"))
    return result


def _read_end(file: IO[bytes], key: ec.EllipticCurvePublicKey, result: FileCheck) -> int:
    """Read statement and signature, and return where they begin; the size of the file when it has
    none.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - LONGEST_LINE)
    file.seek(start)
    before, *ending = file.read().rsplit(b"\n", 3)
    # Of a file that has one line only, `before` is no line.
    if len(ending) != 3 or ending[2]:
        result.counted.faults.append(tr("the file does not end with a statement and its signature: it was cut off"))
        return size
    line, signature_line, _ = ending
    try:
        statement = Statement.from_line(line)
        signature = SignatureLine.from_line(signature_line).value
    except ValueError:
        result.counted.faults.append(
            tr("the file does not end with a statement and its signature: cut off, or altered")
        )
        return size
    result.statement = statement
    given = public_key_sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    try:
        key.verify(signature, line, ec.ECDSA(SHA256()))
        result.signed = given == statement.public_key_sha256
    except InvalidSignature:
        pass
    if not result.signed:
        of_another = given != statement.public_key_sha256
        result.counted.faults.append(
            tr(
                "the file was signed by another key ({public_key_sha256}) than the one given ({given})",
                public_key_sha256=statement.public_key_sha256,
                given=given,
            )
            if of_another
            else tr("the signature does not fit the statement: one of the two was altered")
        )
    return start + len(before) + 1


class _Body:
    """Header, entries and fingerprints, line by line."""

    def __init__(self, result: FileCheck) -> None:
        self._result = result
        self._counted = result.counted
        self._line = 0
        self._replay: Replay | None = None
        self._chain_broken = False
        self._digest = sha256()
        self.header: Header | None = None
        self.tree = MerkleTree()
        self.fingerprints = bytearray()
        self.signed_fingerprints = bytearray()
        self.issued = IdentifierSet()
        self.numens = IdentifierSet()
        self.moves = MoveLedger()

    @property
    def fingerprints_sha256(self) -> str:
        return self._digest.hexdigest()

    def take(self, line: bytes) -> None:
        """Take the next line with its end."""
        self._line += 1
        content = line.removesuffix(b"\n")
        if line.startswith(FINGERPRINTS_START):
            self._digest.update(line)
            try:
                self.signed_fingerprints += fingerprints_from_line(content)
            except FileFormatError:
                self._break(None, tr("is not a line of fingerprints"))
            return
        leaf = leaf_hash(content)
        self.tree.add(leaf)
        self.fingerprints += leaf[:FINGERPRINT_BYTES]
        if self._line == 1:
            self._take_header(content)
        else:
            self._take_entry(content)

    def close(self) -> None:
        """Count the last voter."""
        self._end_chain()
        self.issued.close()
        self.numens.close()
        # Of a change of address while the voters were read, the file may have one side.
        since = _started_at(self.header)
        meanwhile = [move for move in self.moves.unmatched if since is not None and move.at >= since]
        self._counted.faults += [self.moves.fault(one) for one in self.moves.unmatched if one not in meanwhile]
        if self.numens.repeated.without(move.numen_hash for move in meanwhile):
            self._counted.faults.append(tr("a NUMEN is that of two voters"))

    def _take_header(self, content: bytes) -> None:
        try:
            self.header = Header.from_line(content)
        except FileFormatError:
            self._break(None, _CRLF if content.endswith(b"\r") else tr("is not the header of a register"))

    def _take_entry(self, content: bytes) -> None:
        try:
            entry = entry_from_line(content)
        except FileFormatError:
            self._break(None, tr("is not an entry of the register"))
            return
        replay = self._replay
        if replay is None or entry.voter_id != replay.voter_id:
            self._end_chain()
            if replay is not None and entry.voter_id < replay.voter_id:
                self._break(entry.sequence, tr("is not in the order of pseudonyms"), entry.voter_id)
            replay = self._replay = Replay(entry.voter_id)
            self._chain_broken = False
        if self.signed_fingerprints:
            self._break(entry.sequence, tr("comes after the fingerprints"))
        self._counted.entries += 1
        if entry.change in ISSUES and entry.voter_id != ELECTION_CHAIN:
            self._counted.issued += 1
            self.issued.add(entry.identifier_hash)
        self.moves.take(entry)
        fault = replay.follow(entry, sha256(content).hexdigest())
        if fault is not None and not self._chain_broken:
            self._chain_broken = True
            self._break(entry.sequence, fault)

    def _end_chain(self) -> None:
        if self._replay is None or self._replay.voter_id == ELECTION_CHAIN:
            return
        self._counted.voters += not self._replay.moved_to
        self._counted.removed += self._replay.removed
        if self._replay.numen_hash and not self._replay.moved_to:
            self.numens.add(self._replay.numen_hash)
        for status, count in self._replay.statuses.items():
            self._counted.by_status[status] += count

    def _break(self, sequence: int | None, why: str, voter_id: str | None = None) -> None:
        if voter_id is None and sequence is not None and self._replay is not None:
            voter_id = self._replay.voter_id
        if self._result.broken is None:
            self._result.broken = Broken(self._line, voter_id, sequence, why)


def _started_at(header: Header | None) -> int | None:
    """Return when the reading began, in milliseconds since 1970; None where that cannot be told."""
    try:
        return None if header is None else epoch_milliseconds(datetime.fromisoformat(header.started_at))
    except (TypeError, ValueError):
        return None


def _disagreements(statement: Statement, body: _Body, counted: Reconciliation) -> list[str]:
    """Say in what the file is not what the statement says of it."""
    faults = []
    if body.tree.root.hex() != statement.merkle_root:
        faults.append(tr("the Merkle root is not the signed one: header or entries were changed"))
    if body.fingerprints_sha256 != statement.fingerprints_sha256:
        faults.append(tr("the fingerprints are not the signed ones"))
    header = body.header
    if header and any(getattr(header, name) != getattr(statement, name) for name in Header.model_fields):
        faults.append(tr("header and statement are of different exports"))
    pairs = {
        "entries": (counted.entries, statement.entries),
        "voters": (counted.voters, statement.voters),
        "issued": (counted.issued, statement.issued),
        **{status.value: (counted.by_status[status], said) for status, said in statement.by_status.items()},
    }
    faults += [
        tr("{name}: {found} in the file, {said} signed", name=name, found=found, said=said)
        for name, (found, said) in pairs.items()
        if found != said
    ]
    return faults


def _name_changed_line(file: IO[bytes], body: _Body, result: FileCheck) -> None:
    """Find the first line that is not the one whose fingerprint was signed, unless an earlier one
    is known to be broken.
    """
    found, signed = body.fingerprints, body.signed_fingerprints
    if found == signed:
        return
    place = _first_difference(found, signed)
    if result.broken is not None and result.broken.line <= place:
        return
    missing, inserted = _missing_at(found, signed, place), _missing_at(signed, found, place)
    if missing:
        why = tr("{missing} missing here", missing=_lines(missing))
    elif inserted:
        why = tr("{inserted} inserted here", inserted=_lines(inserted))
    else:
        why = tr("is not the line that was signed")
    voter_id, sequence = _whose(file, place)
    result.broken = Broken(place + 1, voter_id, sequence, why)


def _name_second_issue(file: IO[bytes], end: int, repeated: IdentifierSet, result: FileCheck) -> None:
    """Find the first line that issues an identifier which another has issued before."""
    if not repeated or result.broken is not None:
        return
    seen: set[str] = set()
    file.seek(0)
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
        if file.tell() > end:
            return
        try:
            entry = entry_from_line(line.removesuffix(b"\n"))
        except FileFormatError:
            continue
        if entry.change not in ISSUES or entry.identifier_hash not in repeated:
            continue
        if entry.identifier_hash in seen:
            result.broken = Broken(number, entry.voter_id, entry.sequence, tr("its identifier was issued before"))
            return
        seen.add(entry.identifier_hash)


def _first_difference(one: bytearray, other: bytearray) -> int:
    return next(
        (
            at // FINGERPRINT_BYTES
            for at in range(0, min(len(one), len(other)), FINGERPRINT_BYTES)
            if one[at : at + FINGERPRINT_BYTES] != other[at : at + FINGERPRINT_BYTES]
        ),
        min(len(one), len(other)) // FINGERPRINT_BYTES,
    )


def _missing_at(shorter: bytearray, longer: bytearray, place: int) -> int:
    """Return how many lines of `longer` are missing in `shorter` at a place, after which the two
    agree again; 0 for none.
    """
    missing = (len(longer) - len(shorter)) // FINGERPRINT_BYTES
    at, step = place * FINGERPRINT_BYTES, AGREEING_LINES * FINGERPRINT_BYTES
    beyond = (place + missing) * FINGERPRINT_BYTES
    return missing if missing > 0 and shorter[at : at + step] == longer[beyond : beyond + step] else 0


def _lines(count: int) -> str:
    return trn("{count} line is", "{count} lines are", count=count)


def _whose(file: IO[bytes], place: int) -> tuple[str | None, int | None]:
    file.seek(0)
    for line in islice(file, place, place + 1):
        try:
            entry = entry_from_line(line.removesuffix(b"\n"))
        except FileFormatError:
            break
        return entry.voter_id, entry.sequence
    return None, None
