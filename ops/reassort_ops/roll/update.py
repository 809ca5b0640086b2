"""Voters of whom the roll says something else than the stack: what differs, and putting it right.

A wrong NUMEN or further proof decides who can get an identifier, so the register keeps who
corrected it. Establishment and secretariat are only shown to the voter. An identifier is never
changed: somebody may hold it. A row in which it differs is left alone as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from reassort.addresses import mask_address
from reassort.clock import Clock
from reassort.register import Change, append_entry
from reassort.tables import ConditionFailedError, ContentionError, Item, read_one, update, write_all
from reassort.voters import UNCHANGED, change_voter, voter_from_item

from reassort_ops.batch_pool import BatchPool
from reassort_ops.roll.enrolment import VOTERS_A_READ, Difference, Enroller, Enrolment, differences, read_enrolled
from reassort_ops.roll.file import Column
from reassort_ops.roll.importing import RowOutcome, Settled
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

_ROUNDS = 8
# Who knows them can ask for an identifier.
_PROOFS = (Column.NUMEN, Column.EXTRA_PROOF)
_ATTRIBUTES = {
    Column.NUMEN: "numen_hash",
    Column.EXTRA_PROOF: "extra_proof_hash",
    Column.ESTABLISHMENT: "establishment",
    Column.SECRETARIAT: "secretariat",
}


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that the stack differs from, and in what."""

    line: int
    masked_address: str
    differences: tuple[Difference, ...]

    @property
    def may_be_updated(self) -> bool:
        """Tell whether an update would write it."""
        return may_be_updated(self.differences)


def may_be_updated(found: Sequence[Difference]) -> bool:
    """Tell whether an update writes what differs: never when the identifier does."""
    return bool(found) and all(one.column is not Column.IDENTIFIER for one in found)


class RollUpdate:
    """Shows and applies what the roll changes. When `issuing`, the roll has no identifiers to
    compare.
    """

    def __init__(
        self,
        *,
        dynamodb: DynamoDBClient,
        stack: Stack,
        enroller: Enroller,
        clock: Clock,
        issuing: bool = False,
    ) -> None:
        self._dynamodb = dynamodb
        self._stack = stack
        self._enroller = enroller
        self._clock = clock
        self._issuing = issuing

    def changed(self, rows: Iterable[RollRow]) -> Iterator[ChangedRow]:
        """Compare rows anew, and return those that differ, in their order.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        pool = BatchPool(1)
        for batch in batched(rows, VOTERS_A_READ, strict=False):
            for enrolment, _, found in self._compare(batch, pool):
                if found:
                    yield ChangedRow(enrolment.row.line, mask_address(enrolment.row.address), found)

    def apply(self, rows: Iterable[RollRow], settle: Callable[[Sequence[Settled]], object], threads: int) -> None:
        """Write what the rows change, each voter by itself, and tell what became of each.

        A row stays changed when its identifier differs, or when its voter is not there any more.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        pool = BatchPool(threads)
        pool.run(batched(rows, VOTERS_A_READ, strict=False), lambda batch: self._apply_batch(batch, pool), settle)

    def _apply_batch(self, rows: Sequence[RollRow], pool: BatchPool) -> list[Settled]:
        return [
            Settled(enrolment.row.line, self._apply(enrolment, voter, found, pool))
            for enrolment, voter, found in self._compare(rows, pool)
        ]

    def _compare(
        self, rows: Sequence[RollRow], pool: BatchPool
    ) -> list[tuple[Enrolment, Item, tuple[Difference, ...]]]:
        enrolments = [self._enroller.enrol(row) for row in rows]
        voters, identifiers = read_enrolled(self._dynamodb, self._stack, enrolments, pool)
        return [
            (
                one,
                voter,
                differences(one, voter, identifiers.get(one.identifier["identifier_hash"]), issuing=self._issuing),
            )
            for one in enrolments
            if (voter := voters.get(one.voter_id)) is not None
        ]

    def _apply(
        self, enrolment: Enrolment, voter: Item | None, found: tuple[Difference, ...], pool: BatchPool
    ) -> RowOutcome:
        for _ in range(_ROUNDS):
            if voter is None or any(one.column is Column.IDENTIFIER for one in found):
                return RowOutcome.CHANGED
            if not found:
                return RowOutcome.UNCHANGED
            try:
                for attempt in pool.attempts():
                    with attempt:
                        self._write(enrolment, voter, found)
            except ConditionFailedError:
                # A reissue, a vote or the helpdesk came in between, or this very write did when its
                # answer was lost.
                voter = read_one(self._dynamodb, self._stack.voters_table, {"voter_id": enrolment.voter_id})
                # The identifier was compared before, and no change of a voter can undo what was
                # found.
                found = () if voter is None else differences(enrolment, voter, None, issuing=True)
                if voter is not None and not found:
                    return RowOutcome.UPDATED
                continue
            return RowOutcome.UPDATED
        raise ContentionError("a voter's entry is being written by somebody else")

    def _write(self, enrolment: Enrolment, item: Item, found: Sequence[Difference]) -> None:
        voter = voter_from_item(item)
        wanted = {_ATTRIBUTES[one.column]: enrolment.voter.get(_ATTRIBUTES[one.column]) for one in found}
        values: dict[str, Any] = {f":{name}": value for name, value in wanted.items() if value is not None}
        assignments = ", ".join(f"{name} = :{name}" for name, value in wanted.items() if value is not None)
        removals = ", ".join(name for name, value in wanted.items() if value is None)
        proofs = [one.column.value for one in found if one.column in _PROOFS]
        table = self._stack.voters_table
        if proofs:
            entry = voter.next_entry(
                Change.CORRECTED,
                self._clock(),
                self._enroller.actor,
                generation=voter.generation,
                reference=" ".join(proofs),
                # Those that the voter then has: one that is removed leaves no hash.
                numen_hash=enrolment.entry.numen_hash,
                extra_proof_hash=enrolment.entry.extra_proof_hash,
            )
            write = change_voter(table, voter, entry, assignments, values, removals=removals)
            write_all(self._dynamodb, [write, append_entry(self._stack.register_table, entry)])
            return
        expression = f"SET {assignments}" if assignments else ""
        if removals:
            expression += f" REMOVE {removals}"
        condition = {":read_length": voter.chain_length}
        key = {"voter_id": voter.voter_id}
        write_all(self._dynamodb, [update("voter", table, key, expression.strip(), UNCHANGED, {**values, **condition})])
