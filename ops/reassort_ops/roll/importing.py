"""Putting a checked roll on a stack: each voter, their first identifier, their first register
entry and their NUMEN, or none of it.

A voter who is there already is compared, never overwritten; so an interrupted import is resumed by
running it again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import batched
from typing import TYPE_CHECKING

from reassort.tables import Action, ConditionFailedError, put_if_absent

from reassort_ops.batch_pool import BatchPool
from reassort_ops.roll.enrolment import Enroller, Enrolment, OnStack, differences, holds_identifier, read_enrolled
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.rows import RollRow
from reassort_ops.roll.writes import TransactionWriter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

# A transaction takes 100 actions.
_VOTERS_A_TRANSACTION = 25


class RowOutcome(StrEnum):
    """What became of a valid row."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    MOVED = "moved"
    CHANGED = "changed"
    REJECTED = "rejected"


_AS_THE_FILE_SAYS = (RowOutcome.IMPORTED, RowOutcome.UNCHANGED, RowOutcome.UPDATED, RowOutcome.MOVED)


@dataclass(frozen=True, slots=True)
class Settled:
    """A row whose outcome is known.

    `current` tells whether the identifier of the row is the one that its voter holds now; `refusal`
    says why a row was rejected.
    """

    line: int
    outcome: RowOutcome
    current: bool = False
    refusal: FaultCode | None = None


@dataclass
class Balance:
    """Where every row went: read = imported + unchanged + updated + moved + changed + rejected +
    not reached.
    """

    read: int
    counts: dict[RowOutcome, int] = field(default_factory=lambda: dict.fromkeys(RowOutcome, 0))

    @property
    def not_reached(self) -> int:
        """Return how many rows an interrupted import left, or does not know the outcome of."""
        return self.read - sum(self.counts.values())

    @property
    def is_complete(self) -> bool:
        """Tell whether every row is on the stack as the file says."""
        counts = self.counts
        return self.read == sum(counts[outcome] for outcome in _AS_THE_FILE_SAYS)


class RollImport:
    """One run of an import. Threads may share it. When `issuing`, the identifiers of the rows are
    new, not the roll's.
    """

    def __init__(
        self,
        *,
        reader: DynamoDBClient,
        writer: TransactionWriter,
        stack: Stack,
        enroller: Enroller,
        issuing: bool = False,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._stack = stack
        self._enroller = enroller
        self._issuing = issuing
        # A roll that was imported before is read, which costs a tenth of a refused transaction.
        self._read_first = False

    def run(self, rows: Iterable[RollRow], settle: Callable[[Sequence[Settled]], object], threads: int) -> None:
        """Import rows that differ in address, NUMEN and identifier, and tell the outcome of each
        batch as it is known.

        An interruption or a failure lets the transactions under way finish, and their outcome is
        told.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.BotoCoreError: AWS cannot be reached.
            botocore.exceptions.ClientError: AWS refuses.
        """
        pool = BatchPool(threads)
        pool.run(
            batched(rows, _VOTERS_A_TRANSACTION, strict=False), lambda batch: self._import_batch(batch, pool), settle
        )

    def _import_batch(self, rows: Sequence[RollRow], pool: BatchPool) -> list[Settled]:
        pending = [self._enroller.enrol(row) for row in rows]
        settled: list[Settled] = []
        if not self._read_first:
            if self._write(pending, pool):
                return [_imported(enrolment) for enrolment in pending]
            self._read_first = True
        found, pending = self._compare(pending, pool)
        settled += found
        if not found:
            self._read_first = False
        if pending and self._write(pending, pool):
            return settled + [_imported(enrolment) for enrolment in pending]
        # Somebody else wrote one of them since it was read, or an entry of the register is there
        # without its voter.
        for enrolment in pending:
            settled.append(self._import_one(enrolment, pool))
        return settled

    def _import_one(self, enrolment: Enrolment, pool: BatchPool) -> Settled:
        if self._write([enrolment], pool):
            return _imported(enrolment)
        found, _ = self._compare([enrolment], pool)
        return found[0] if found else _rejected(enrolment, FaultCode.LEFTOVER)

    def _write(self, enrolments: Sequence[Enrolment], pool: BatchPool) -> bool:
        """Write the voters, all or none; tell whether none of them was there."""
        actions: list[Action] = []
        for enrolment in enrolments:
            actions += (
                put_if_absent("voter", self._stack.voters_table, enrolment.voter, "voter_id"),
                put_if_absent("identifier", self._stack.identifiers_table, enrolment.identifier, "identifier_hash"),
                put_if_absent("register", self._stack.register_table, enrolment.entry.to_item(), "voter_id"),
                # Of two imports that bring one NUMEN under two addresses, one is refused.
                put_if_absent("numen", self._stack.numens_table, enrolment.numen, "numen_hash"),
            )
        token = str(uuid.uuid4())
        for attempt in pool.attempts():
            with attempt:
                try:
                    self._writer.write(actions, token)
                except ConditionFailedError:
                    return False
        return True

    def _compare(self, enrolments: Sequence[Enrolment], pool: BatchPool) -> tuple[list[Settled], list[Enrolment]]:
        """Read voters and identifiers; return the outcome of those that are there, and those that
        are not.
        """
        stack = read_enrolled(self._reader, self._stack, enrolments, pool)
        settled: list[Settled] = []
        absent: list[Enrolment] = []
        for enrolment in enrolments:
            voter, identifier = stack.voter(enrolment), stack.identifier(enrolment)
            if voter is None or "left_at" in voter:
                refusal = _refusal(enrolment, stack)
                if refusal is None:
                    absent.append(enrolment)
                else:
                    settled.append(_rejected(enrolment, refusal))
                continue
            current = holds_identifier(enrolment, identifier) and voter["generation"] == 1
            if differences(enrolment, voter, identifier, issuing=self._issuing):
                outcome = RowOutcome.CHANGED
            elif voter["issued_at"][0] == self._enroller.at:
                # This very run wrote it when the answer to its first try was lost.
                outcome = RowOutcome.IMPORTED
            else:
                outcome = RowOutcome.UNCHANGED
            settled.append(Settled(enrolment.row.line, outcome, current))
        return settled, absent


def _refusal(enrolment: Enrolment, stack: OnStack) -> FaultCode | None:
    """Say why somebody cannot be enrolled who is not on the roll at the address of the row; None
    when they can.
    """
    voter, identifier = stack.voter(enrolment), stack.identifier(enrolment)
    if stack.has_another(enrolment):
        return FaultCode.ELSEWHERE
    if voter is not None:
        return FaultCode.REMOVED if "moved_to" not in voter else FaultCode.FORMER
    if identifier is not None:
        return FaultCode.LEFTOVER if identifier["voter_id"] == enrolment.voter_id else FaultCode.TAKEN
    return FaultCode.LEFTOVER if enrolment.entry.numen_hash in stack.numens else None


def _imported(enrolment: Enrolment) -> Settled:
    return Settled(enrolment.row.line, RowOutcome.IMPORTED, current=True)


def _rejected(enrolment: Enrolment, refusal: FaultCode) -> Settled:
    return Settled(enrolment.row.line, RowOutcome.REJECTED, refusal=refusal)
