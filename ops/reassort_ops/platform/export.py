"""What every identifier ever issued is worth, for the voting platform: the bulk side of the
registry and of its events.

A line names an identifier by its handle and says nothing of its voter. Identifiers are read in the
order of their keyed hashes, which is as good as random, and no line has a time that another line of
the same voter shares: the file ties no two identifiers to each other.

It may run while voters are served. Each line was true at some moment of the run, and its `sequence`
tells which events are older.
"""

from __future__ import annotations

import csv
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from typing import IO, TYPE_CHECKING, Any

import stamina
from reassort.clock import from_milliseconds, iso
from reassort.tables import ContentionError, Item, from_wire, to_wire
from reassort.voters import IdentifierStatus, Voter, voter_from_item

from reassort_ops.failures import OperatorError
from reassort_ops.language import joined, tr
from reassort_ops.state_words import state_word

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.keyed_hash import KeyedHash

    from reassort_ops.account.stack import Stack

COLUMNS = ("handle", "generation", "status", "superseded_at", "sequence")
STATUSES = (IdentifierStatus.ACTIVE, IdentifierStatus.REVOKED, IdentifierStatus.USED, IdentifierStatus.FROZEN)
# The most that BatchGetItem takes.
_KEYS_A_READ = 100
_PATIENCE_SECONDS = 120.0
# In one message, of a list that is not as it should be.
_FAULTS_NAMED = 20


@dataclass(frozen=True, slots=True)
class Worth:
    """What one identifier is worth. `superseded_at` is None unless it is revoked; `sequence` is
    None when the status is final.
    """

    handle: str
    generation: int
    status: IdentifierStatus
    superseded_at: int | None
    sequence: int | None

    def row(self) -> tuple[str, ...]:
        """Return the cells of its line."""
        return (
            self.handle,
            str(self.generation),
            self.status.value,
            iso(from_milliseconds(self.superseded_at)) if self.superseded_at is not None else "",
            str(self.sequence) if self.sequence is not None else "",
        )


@dataclass
class StatusTally:
    """How many identifiers there are of each status, and what does not add up.

    `issued` is what the voters' own entries say was issued, before the identifiers were read and
    after.
    """

    by_status: dict[IdentifierStatus, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    issued: tuple[int, int] = (0, 0)
    orphans: int = 0

    @property
    def listed(self) -> int:
        """Return how many identifiers were listed."""
        return sum(self.by_status.values())

    @property
    def balances(self) -> bool:
        """Tell whether issued = active + revoked + used + frozen, with nothing that belongs to no
        voter.

        What was issued meanwhile may be listed or not.
        """
        before, after = self.issued
        return before <= self.listed <= after and not self.orphans


@dataclass(frozen=True)
class StatusExport:
    """One pass over a stack. `threads` reads are under way at once."""

    dynamodb: DynamoDBClient
    stack: Stack
    keyed_hash: KeyedHash
    threads: int

    def worths(self, tally: StatusTally, advance: Callable[[int], object]) -> Iterator[Worth]:
        """Give what each identifier is worth, and count it. Memory does not grow with their number.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        before = self._issued()
        with ThreadPoolExecutor(self.threads) as pool:
            for page in self._pages(self.stack.identifiers_table, "voter_id, generation"):
                for batch in pool.map(self._read, batched(page, _KEYS_A_READ, strict=False)):
                    for worth in batch:
                        if worth is None:
                            tally.orphans += 1
                            continue
                        tally.by_status[worth.status] += 1
                        yield worth
                advance(len(page))
        tally.issued = (before, self._issued())

    def _issued(self) -> int:
        return sum(item["generation"] for page in self._pages(self.stack.voters_table, "generation") for item in page)

    def _pages(self, table: str, attributes: str) -> Iterator[list[Item]]:
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=table, ProjectionExpression=attributes, ConsistentRead=True
        )
        for page in pages:
            yield [from_wire(item) for item in page["Items"]]

    def _read(self, identifiers: Sequence[Item]) -> list[Worth | None]:
        """Return what identifiers are worth, None for one that no voter of the roll was given."""
        voters = self._voters({item["voter_id"] for item in identifiers})
        worths: list[Worth | None] = []
        for item in identifiers:
            voter, generation = voters.get(item["voter_id"]), item["generation"]
            if voter is None or generation > voter.generation:
                worths.append(None)
                continue
            worths.append(
                Worth(
                    handle=self.keyed_hash.handle(voter.voter_id, generation),
                    generation=generation,
                    status=voter.identifier_status(generation),
                    superseded_at=voter.superseded_at(generation),
                    sequence=voter.sequence_of(generation),
                )
            )
        return worths

    def _voters(self, ids: set[str]) -> dict[str, Voter]:
        table = self.stack.voters_table
        wanted: dict[str, Any] = {
            table: {"Keys": [to_wire({"voter_id": one}) for one in sorted(ids)], "ConsistentRead": True}
        }
        found: dict[str, Voter] = {}
        for attempt in stamina.retry_context(on=ContentionError, attempts=None, timeout=_PATIENCE_SECONDS):
            with attempt:
                answer = self.dynamodb.batch_get_item(RequestItems=wanted)
                for item in map(from_wire, answer["Responses"].get(table, [])):
                    found[item["voter_id"]] = voter_from_item(item)
                wanted = dict(answer.get("UnprocessedKeys", {}))
                if wanted:
                    raise ContentionError("UnprocessedKeys")
        return found


def write_rows(file: IO[str], worths: Iterator[Worth]) -> None:
    """Write the header and a line for each."""
    writer = csv.writer(file, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    for worth in worths:
        writer.writerow(worth.row())


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An identifier on which platform and stack do not agree. None: it is not known there."""

    handle: str
    platform: IdentifierStatus | None
    stack: IdentifierStatus | None


def read_held(path: Path) -> dict[bytes, IdentifierStatus]:
    """Read the platform's own list: CSV with the columns `handle` and `status`, separated by `;`,
    `,` or a tab, quoted or not; others are passed over.

    Raises:
        OperatorError: lines have no handle or no status, or handles come twice; names the lines. Or
            it is no CSV file, or not in UTF-8.
        OSError: the file cannot be read.
    """
    held: dict[bytes, IdentifierStatus] = {}
    first: dict[bytes, int] = {}
    faults: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = max(";,\t", key=header.count)
            names = [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
            if not {"handle", "status"} <= set(names):
                raise OperatorError(tr("{path}:1: the header must name the columns handle and status", path=path))
            for number, cells in enumerate(csv.reader(file, delimiter=delimiter), 2):
                if not any(cells):
                    continue
                row = dict(zip(names, (cell.strip() for cell in cells), strict=False))
                handle, status = _handle(row.get("handle", "")), row.get("status", "").lower()
                if handle is None:
                    faults.append(tr("{number}: no handle of 22 characters", number=number))
                elif status not in {one.value for one in STATUSES}:
                    faults.append(
                        tr(
                            "{number}: no status: {statuses}",
                            number=number,
                            statuses=", ".join(one.value for one in STATUSES),
                        )
                    )
                elif handle in held:
                    faults.append(tr("{number}: the same handle as on line {line}", number=number, line=first[handle]))
                else:
                    held[handle] = IdentifierStatus(status)
                    first[handle] = number
    except UnicodeDecodeError as error:
        raise OperatorError(tr("{path}: is not UTF-8", path=path)) from error
    except csv.Error as error:
        raise OperatorError(tr("{path}: is no CSV file, one of its cells has no end", path=path)) from error
    if faults:
        more = tr("; and {count} more", count=len(faults) - _FAULTS_NAMED) if len(faults) > _FAULTS_NAMED else ""
        raise OperatorError(joined("; ", (f"{path}:{fault}" for fault in faults[:_FAULTS_NAMED])) + more)
    return held


def differences(held: dict[bytes, IdentifierStatus], worths: Iterator[Worth]) -> Iterator[Disagreement]:
    """Give each identifier on which the two do not agree, and at last those that the stack never
    issued. Empties `held`.

    What the platform has never heard of is no difference, unless its vote is recorded: it asks only
    for what voters type.
    """
    for worth in worths:
        theirs = held.pop(_known_handle(worth.handle), None)
        if theirs is not worth.status and (theirs is not None or worth.status is IdentifierStatus.USED):
            yield Disagreement(worth.handle, theirs, worth.status)
    for handle, theirs in held.items():
        yield Disagreement(_text(handle), theirs, None)


def status_names(by_status: Mapping[IdentifierStatus, int]) -> str:
    """Write the statuses as a sum."""
    return " + ".join(f"{state_word(status.value)} {count}" for status, count in by_status.items())


def _handle(text: str) -> bytes | None:
    """Return the 16 bytes of a handle, a quarter of what the text takes in memory."""
    try:
        decoded = urlsafe_b64decode(f"{text}==")
    except (NotBase64Error, ValueError):
        return None
    return decoded if len(decoded) == 16 and _text(decoded) == text else None


def _known_handle(text: str) -> bytes:
    return urlsafe_b64decode(f"{text}==")


def _text(handle: bytes) -> str:
    return urlsafe_b64encode(handle).rstrip(b"=").decode()
