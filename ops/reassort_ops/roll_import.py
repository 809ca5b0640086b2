"""Putting a checked roll on a stack: each voter, their first identifier and their first register entry, or none of it.

A voter who is there already is compared, never overwritten; so an interrupted import is resumed by running it again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
from typing import TYPE_CHECKING, Any

import stamina
from botocore.exceptions import HTTPClientError
from reassort.addresses import mask_address
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.register import GENESIS, Change, Entry
from reassort.tables import Action, ConditionFailedError, ContentionError, Item, from_wire, to_wire
from reassort.voters import enrolled_voter_item

from reassort_ops.roll_file import Column
from reassort_ops.roll_rows import RollRow
from reassort_ops.roll_writes import TransactionWriter, put_new

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.stack import Stack

# A transaction takes 100 actions, BatchGetItem 100 keys.
_VOTERS_A_TRANSACTION = 33
_FIRST = 1
# A table on demand doubles its capacity within minutes of being throttled.
_PATIENCE_SECONDS = 120.0
_TAKEN = "the identifier is another voter's on the stack"
_LEFTOVER = "the register or the identifiers hold an entry of this voter, who is not on the roll"

# Retries would be logged across the progress bar.
stamina.instrumentation.set_on_retry_hooks([])


class Outcome(StrEnum):
    """What became of a valid row."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Settled:
    """A row whose outcome is known.

    `differing` names the columns in which the stack differs from a changed row; `reason` says why a row was rejected.
    """

    line: int
    outcome: Outcome
    masked_address: str
    differing: tuple[Column, ...] = ()
    reason: str = ""


@dataclass
class Balance:
    """Where every row went: read = imported + unchanged + changed + rejected + not reached."""

    read: int
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    @property
    def not_reached(self) -> int:
        """Return how many rows an interrupted import left, or does not know the outcome of."""
        return self.read - sum(self.counts.values())

    @property
    def is_complete(self) -> bool:
        """Tell whether every row is on the stack as the file says."""
        return self.read == self.counts[Outcome.IMPORTED] + self.counts[Outcome.UNCHANGED]


@dataclass(frozen=True, slots=True)
class _Enrolment:
    row: RollRow
    voter: Item
    identifier: Item
    entry: Entry


class RollImport:
    """One run of an import. Threads may share it.

    `at` is when it started, milliseconds since 1970: the time of issue of every identifier it brings.
    """

    def __init__(
        self,
        *,
        reader: DynamoDBClient,
        writer: TransactionWriter,
        stack: Stack,
        keyed_hash: KeyedHash,
        operator: str,
        at: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._stack = stack
        self._keyed_hash = keyed_hash
        self._actor = f"import:{operator}"
        self._at = at
        self._stopping = threading.Event()
        # A roll that was imported before is read, which costs a tenth of a refused transaction.
        self._read_first = False

    def run(self, rows: Iterable[RollRow], settle: Callable[[Sequence[Settled]], object], threads: int) -> None:
        """Import rows that differ in address, NUMEN and identifier, and tell the outcome of each batch as it is known.

        An interruption or a failure lets the transactions under way finish, and their outcome is told.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.BotoCoreError: AWS cannot be reached.
            botocore.exceptions.ClientError: AWS refuses.
        """
        pending: set[Future[list[Settled]]] = set()
        with ThreadPoolExecutor(threads, "import") as pool:
            try:
                for batch in batched(rows, _VOTERS_A_TRANSACTION, strict=False):
                    pending.add(pool.submit(self._import_batch, batch))
                    if len(pending) >= 2 * threads:
                        _settle_finished(pending, settle)
                while pending:
                    _settle_finished(pending, settle)
            except BaseException:
                self._stopping.set()
                pool.shutdown(cancel_futures=True)
                for future in pending:
                    if not future.cancelled() and future.exception() is None:
                        settle(future.result())
                raise

    def _import_batch(self, rows: Sequence[RollRow]) -> list[Settled]:
        pending = [self._enrol(row) for row in rows]
        settled: list[Settled] = []
        if not self._read_first:
            if self._write(pending):
                return [_settled(enrolment, Outcome.IMPORTED) for enrolment in pending]
            self._read_first = True
        found, pending = self._compare(pending)
        settled += found
        if not found:
            self._read_first = False
        if pending and self._write(pending):
            return settled + [_settled(enrolment, Outcome.IMPORTED) for enrolment in pending]
        # Somebody else wrote one of them since it was read, or an entry of the register is there without its voter.
        for enrolment in pending:
            settled.append(self._import_one(enrolment))
        return settled

    def _import_one(self, enrolment: _Enrolment) -> Settled:
        if self._write([enrolment]):
            return _settled(enrolment, Outcome.IMPORTED)
        found, _ = self._compare([enrolment])
        return found[0] if found else _settled(enrolment, Outcome.REJECTED, reason=_LEFTOVER)

    def _enrol(self, row: RollRow) -> _Enrolment:
        hashes = self._keyed_hash
        voter_id = hashes.voter_id(row.address)
        entry = Entry(
            voter_id=voter_id,
            sequence=1,
            change=Change.ISSUED,
            generation=_FIRST,
            at=self._at,
            actor=self._actor,
            reference="",
            previous=GENESIS,
        )
        voter = enrolled_voter_item(
            voter_id=voter_id,
            numen_hash=hashes.hash(Purpose.NUMEN, row.numen),
            establishment=row.establishment,
            secretariat=row.secretariat,
            entry=entry,
            extra_proof_hash=None if row.extra_proof is None else hashes.extra_proof(voter_id, row.extra_proof),
        )
        identifier_hash = hashes.hash(Purpose.IDENTIFIER, row.identifier)
        identifier = {"identifier_hash": identifier_hash, "voter_id": voter_id, "generation": _FIRST}
        return _Enrolment(row, voter, identifier, entry)

    def _write(self, enrolments: Sequence[_Enrolment]) -> bool:
        """Write the voters, all or none; tell whether none of them was there."""
        actions: list[Action] = []
        for enrolment in enrolments:
            actions += (
                put_new("voter", self._stack.voters_table, enrolment.voter, "voter_id"),
                put_new("identifier", self._stack.identifiers_table, enrolment.identifier, "identifier_hash"),
                put_new("register", self._stack.register_table, enrolment.entry.to_item(), "voter_id"),
            )
        token = str(uuid.uuid4())
        for attempt in self._attempts():
            with attempt:
                try:
                    self._writer.write(actions, token)
                except ConditionFailedError:
                    return False
        return True

    def _compare(self, enrolments: Sequence[_Enrolment]) -> tuple[list[Settled], list[_Enrolment]]:
        """Read voters and identifiers; return the outcome of those that are there, and those that are not."""
        voters, identifiers = self._read(enrolments)
        settled: list[Settled] = []
        absent: list[_Enrolment] = []
        for enrolment in enrolments:
            voter = voters.get(enrolment.voter["voter_id"])
            identifier = identifiers.get(enrolment.identifier["identifier_hash"])
            if voter is None and identifier is None:
                absent.append(enrolment)
            elif voter is None:
                taken = identifier is not None and identifier["voter_id"] != enrolment.voter["voter_id"]
                settled.append(_settled(enrolment, Outcome.REJECTED, reason=_TAKEN if taken else _LEFTOVER))
            elif differing := _differing(enrolment, voter, identifier):
                settled.append(_settled(enrolment, Outcome.CHANGED, differing))
            else:
                # This very run wrote it when the answer to its first try was lost.
                ours = voter["issued_at"][0] == self._at
                settled.append(_settled(enrolment, Outcome.IMPORTED if ours else Outcome.UNCHANGED))
        return settled, absent

    def _read(self, enrolments: Sequence[_Enrolment]) -> tuple[dict[str, Item], dict[str, Item]]:
        tables = (self._stack.voters_table, self._stack.identifiers_table)
        wanted: dict[str, Any] = {
            tables[0]: {"Keys": [to_wire({"voter_id": one.voter["voter_id"]}) for one in enrolments]},
            tables[1]: {
                "Keys": [to_wire({"identifier_hash": one.identifier["identifier_hash"]}) for one in enrolments]
            },
        }
        for request in wanted.values():
            request["ConsistentRead"] = True
        found: dict[str, list[Item]] = {table: [] for table in tables}
        for attempt in self._attempts():
            with attempt:
                answer = self._reader.batch_get_item(RequestItems=wanted)
                for table, items in answer["Responses"].items():
                    found[table] += map(from_wire, items)
                wanted = dict(answer.get("UnprocessedKeys", {}))
                if wanted:
                    raise ContentionError("UnprocessedKeys")
        return (
            {item["voter_id"]: item for item in found[tables[0]]},
            {item["identifier_hash"]: item for item in found[tables[1]]},
        )

    def _attempts(self) -> Iterator[stamina.Attempt]:
        passing = (ContentionError, HTTPClientError)
        for attempt in stamina.retry_context(on=passing, attempts=None, timeout=_PATIENCE_SECONDS, wait_jitter=0.5):
            if self._stopping.is_set():
                raise ContentionError("stopped")
            yield attempt


def _settle_finished(pending: set[Future[list[Settled]]], settle: Callable[[Sequence[Settled]], object]) -> None:
    """Wait for at least one batch and take what has finished out of `pending`, so that nothing is told twice."""
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        pending.discard(future)
        settle(future.result())


def _settled(enrolment: _Enrolment, outcome: Outcome, differing: tuple[Column, ...] = (), reason: str = "") -> Settled:
    return Settled(enrolment.row.line, outcome, mask_address(enrolment.row.address), differing, reason)


def _differing(enrolment: _Enrolment, voter: Item, identifier: Item | None) -> tuple[Column, ...]:
    wanted = enrolment.voter
    same_identifier = (
        identifier is not None and identifier["voter_id"] == wanted["voter_id"] and identifier["generation"] == _FIRST
    )
    differing: list[Column] = []
    if voter["numen_hash"] != wanted["numen_hash"]:
        differing.append(Column.NUMEN)
    if voter["establishment"] != wanted["establishment"]:
        differing.append(Column.ESTABLISHMENT)
    if voter.get("secretariat") != wanted.get("secretariat"):
        differing.append(Column.SECRETARIAT)
    if not same_identifier:
        differing.append(Column.IDENTIFIER)
    if voter.get("extra_proof_hash") != wanted.get("extra_proof_hash"):
        differing.append(Column.EXTRA_PROOF)
    return tuple(differing)
