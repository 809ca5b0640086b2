"""What the register says, and what that rests on: a signed file that verifies, or the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest, sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.minutes.figures import MinutesBasis, RegisterSeal
from reassort_ops.minutes.story import RegisterStory
from reassort_ops.register.check import Reconciliation, verify_register
from reassort_ops.register.file import (
    FINGERPRINTS_START,
    LONGEST_LINE,
    SignatureLine,
    Statement,
    entry_from_line,
)
from reassort_ops.register.file_check import check_register_file, read_public_key
from reassort_ops.register.helpdesk_chains import heads_path, read_helpdesk_chains

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.register import Entry

    from reassort_ops.account.stack import Stack


@dataclass(frozen=True)
class Evidence:
    """`statement` and `seal` are None where nothing was signed."""

    checked: MinutesBasis
    story: RegisterStory
    counted: Reconciliation
    statement: Statement | None = None
    seal: RegisterSeal | None = None


def evidence_of_file(path: Path, key: Path, advance: Callable[[int], object]) -> Evidence:
    """Check an exported register with the bureau's key, and count what it tells. `advance` is told
    how many more bytes are read.

    Raises:
        OperatorError: it does not verify, so nothing can be said of it.
        OSError: it cannot be read.
    """
    found = check_register_file(path, read_public_key(key), advance)
    if not found.holds or found.statement is None:
        faults = [str(found.broken)] if found.broken else found.counted.faults
        raise OperatorError(
            tr("{path} does not verify, so no minutes are written: {fault}", path=path, fault=faults[0])
        )
    story = RegisterStory()
    for voter_id, chain in groupby(_entries(path), key=lambda entry: entry.voter_id):
        story.take(voter_id, list(chain))
    ends, statement = heads_path(path), found.statement
    checked = ends.exists()
    if checked and sha256(ends.read_bytes()).hexdigest() != statement.helpdesk_sha256:
        raise OperatorError(tr("{ends} is not what was signed, so no minutes are written", ends=ends))
    seal = RegisterSeal(
        file=path.name,
        file_sha256=_sha256(path),
        started_at=statement.started_at,
        finished_at=statement.finished_at,
        entries=statement.entries,
        merkle_root=statement.merkle_root,
        algorithm=statement.algorithm,
        signature=_signature(path),
        key_id=statement.key_id,
        public_key_sha256=statement.public_key_sha256,
        helpdesk_chains=statement.helpdesk_chains,
        helpdesk_checked=checked,
    )
    return Evidence(MinutesBasis.SIGNED_FILE, story, found.counted, statement, seal)


def evidence_of_stack(
    dynamodb: DynamoDBClient, stack: Stack, advance: Callable[[int], object], *, reissued_since: datetime
) -> Evidence:
    """Verify the register of a stack and count what its chains tell. `advance` is told how many
    more chains are read; `reissued_since` is as `verify_register` takes it.

    Raises:
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    story = RegisterStory()
    counted = verify_register(dynamodb, stack, advance, story.take, reissued_since=reissued_since)
    counted.faults.extend(read_helpdesk_chains(dynamodb, stack.helpdesk_record_table).faults)
    return Evidence(MinutesBasis.TABLES, story, counted)


def _entries(path: Path) -> Iterator[Entry]:
    """Yield the entries of a file that was checked."""
    with path.open("rb") as file:
        file.readline(LONGEST_LINE)
        for line in iter(lambda: file.readline(LONGEST_LINE), b""):
            if line.startswith(FINGERPRINTS_START):
                return
            yield entry_from_line(line.removesuffix(b"\n"))


def _signature(path: Path) -> str:
    """Return the signature of a file that was checked, in base64."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_LINE))
        return SignatureLine.from_line(file.read().removesuffix(b"\n").rpartition(b"\n")[2]).signature


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
