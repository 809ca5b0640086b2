"""Updates voters whose data on the roll differs from the stack.

A wrong NUMEN or further proof decides who can get an identifier, so the register keeps who
corrected it. Establishment and secretariat are only shown to the voter. An identifier is never
changed: somebody may hold it. A row in which it differs is left alone as a whole.

A NUMEN is one voter's. One that is another's waits until that voter has their own; of voters whose
NUMENs were exchanged, all are written in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from reassort.addresses import mask_address
from reassort.clock import Clock
from reassort.register import Change, append_entry
from reassort.table_keys import ON_ROLL
from reassort.tables import Action, ConditionFailedError, ContentionError, Item, read_one, update, write_all
from reassort.voters import UNCHANGED, change_voter, voter_from_item

from reassort_ops.batch_pool import BatchPool
from reassort_ops.language import tr
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.enrolment import VOTERS_A_READ, Difference, Enroller, Enrolment, differences, read_enrolled
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.importing import RowOutcome, Settled
from reassort_ops.roll.numens import hand_over_numen, keep_numen, numen_owner, release_numen
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

_ROUNDS = 8
# A transaction takes 100 actions, and each voter of an exchange has three.
_LONGEST_EXCHANGE = 33
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


@dataclass(frozen=True, slots=True)
class _Compared:
    """A row, its voter on the stack or None, and in what they differ."""

    enrolment: Enrolment
    voter: Item | None
    differences: tuple[Difference, ...] = ()

    @property
    def refusal(self) -> FaultCode | None:
        """Say why nothing of this voter is corrected, or None."""
        if self.voter is None:
            return FaultCode.ABSENT
        if "left_at" in self.voter:
            return FaultCode.FORMER if "moved_to" in self.voter else FaultCode.REMOVED
        return None

    @property
    def corrects_numen(self) -> bool:
        """Tell whether the row brings another NUMEN."""
        return any(one.column is Column.NUMEN for one in self.differences)

    def settled(self, outcome: RowOutcome, refusal: FaultCode | None = None) -> Settled:
        """Return what became of the row."""
        return Settled(self.enrolment.row.line, outcome, refusal=refusal)


def may_be_updated(found: Sequence[Difference]) -> bool:
    """Tell whether an update writes what differs: never when the identifier does."""
    return bool(found) and all(one.column is not Column.IDENTIFIER for one in found)


class RollUpdate:
    """Shows and applies what the roll changes. When `issuing`, the roll has no identifiers to
    compare; `columns` are those that it has.
    """

    def __init__(
        self,
        *,
        dynamodb: DynamoDBClient,
        stack: Stack,
        enroller: Enroller,
        clock: Clock,
        issuing: bool = False,
        columns: Collection[Column] = frozenset(Column),
    ) -> None:
        self._dynamodb = dynamodb
        self._stack = stack
        self._enroller = enroller
        self._clock = clock
        self._issuing = issuing
        self._columns = columns

    def changed(self, rows: Iterable[RollRow]) -> Iterator[ChangedRow | Settled]:
        """Compare rows again, and return those that differ or are refused, in their order.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        pool = BatchPool(1)
        for batch in batched(rows, VOTERS_A_READ, strict=False):
            for one in self._compare(batch, pool):
                row = one.enrolment.row
                if one.refusal is not None:
                    yield one.settled(RowOutcome.REJECTED, one.refusal)
                elif one.differences:
                    yield ChangedRow(row.line, mask_address(row.address), one.differences)

    def apply(self, rows: Iterable[RollRow], settle: Callable[[Sequence[Settled]], object], threads: int) -> None:
        """Write what the rows change, each voter by itself, and tell what became of each.

        A row stays changed when its identifier differs. It is rejected when its voter is not on the
        roll any more, or when its NUMEN stays another voter's.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        pool = BatchPool(threads)
        waiting: list[RollRow] = []

        def take(batch: Sequence[RollRow | Settled]) -> None:
            waiting.extend(one for one in batch if isinstance(one, RollRow))
            settle([one for one in batch if isinstance(one, Settled)])

        pool.run(batched(rows, VOTERS_A_READ, strict=False), lambda batch: self._apply_batch(batch, pool), take)
        while waiting:
            before, waiting = waiting, []
            for row in before:
                take(self._apply_batch([row], pool))
            if len(waiting) == len(before):
                self._settle_exchanges(waiting, settle, pool)
                return

    def _apply_batch(self, rows: Sequence[RollRow], pool: BatchPool) -> list[RollRow | Settled]:
        """Apply rows one by one; give back those whose NUMEN is another voter's still."""
        return [self._apply(one, pool) or one.enrolment.row for one in self._compare(rows, pool)]

    def _compare(self, rows: Sequence[RollRow], pool: BatchPool) -> list[_Compared]:
        enrolments = [self._enroller.enrol(row) for row in rows]
        stack = read_enrolled(self._dynamodb, self._stack, enrolments, pool)
        return [
            _Compared(one, voter, () if voter is None else self._differences(one, voter, stack.identifier(one)))
            for one in enrolments
            for voter in (stack.voter(one),)
        ]

    def _differences(self, one: Enrolment, voter: Item, identifier: Item | None) -> tuple[Difference, ...]:
        return differences(one, voter, identifier, issuing=self._issuing, columns=self._columns)

    def _apply(self, one: _Compared, pool: BatchPool) -> Settled | None:
        """Write a row; None when its NUMEN is another voter's."""
        table = self._stack.voters_table
        for _ in range(_ROUNDS):
            if one.refusal is not None or one.voter is None:
                return one.settled(RowOutcome.REJECTED, one.refusal)
            if any(difference.column is Column.IDENTIFIER for difference in one.differences):
                return one.settled(RowOutcome.CHANGED)
            if not one.differences:
                return one.settled(RowOutcome.UNCHANGED)
            if one.corrects_numen and self._owner(one) not in (None, one.enrolment.voter_id):
                return None
            try:
                for attempt in pool.attempts():
                    with attempt:
                        write_all(self._dynamodb, self._actions(one, one.voter))
            except ConditionFailedError:
                # A reissue, a vote or the helpdesk came in between, or this very write did when its
                # answer was lost.
                voter = read_one(self._dynamodb, table, {"voter_id": one.enrolment.voter_id})
                # The identifier was compared before, and no change of a voter can undo what was
                # found.
                found = () if voter is None else self._without_identifier(one.enrolment, voter)
                one = _Compared(one.enrolment, voter, found)
                if voter is not None and not found:
                    return one.settled(RowOutcome.UPDATED)
                continue
            return one.settled(RowOutcome.UPDATED)
        raise ContentionError(tr("a voter's entry is being written by somebody else"))

    def _without_identifier(self, enrolment: Enrolment, voter: Item) -> tuple[Difference, ...]:
        return differences(enrolment, voter, None, issuing=True, columns=self._columns)

    def _owner(self, one: _Compared) -> str | None:
        return numen_owner(self._dynamodb, self._stack.numens_table, one.enrolment.entry.numen_hash)

    def _actions(self, one: _Compared, item: Item, *, exchanged: str | None = None) -> list[Action]:
        """Return the writes of a row. `exchanged` is whose its NUMEN is, of an exchange."""
        voter, enrolment, stack = voter_from_item(item), one.enrolment, self._stack
        wanted = {
            _ATTRIBUTES[difference.column]: enrolment.voter.get(_ATTRIBUTES[difference.column])
            for difference in one.differences
        }
        values: dict[str, Any] = {f":{name}": value for name, value in wanted.items() if value is not None}
        assignments = ", ".join(f"{name} = :{name}" for name, value in wanted.items() if value is not None)
        removals = ", ".join(name for name, value in wanted.items() if value is None)
        proofs = [difference.column.value for difference in one.differences if difference.column in _PROOFS]
        table = stack.voters_table
        if not proofs:
            expression = f"SET {assignments}" if assignments else ""
            if removals:
                expression += f" REMOVE {removals}"
            condition = {":read_length": voter.chain_length}
            key = {"voter_id": voter.voter_id}
            return [update("voter", table, key, expression.strip(), UNCHANGED, {**values, **condition})]
        # Those that the voter then has: one that is removed leaves no hash.
        numen_hash = wanted.get("numen_hash", voter.numen_hash) or ""
        entry = voter.next_entry(
            Change.CORRECTED,
            self._clock(),
            self._enroller.actor,
            generation=voter.generation,
            reference=" ".join(proofs),
            numen_hash=numen_hash,
            extra_proof_hash=wanted.get("extra_proof_hash", voter.extra_proof_hash) or "",
        )
        actions = [
            change_voter(table, voter, entry, assignments, values, clauses=(ON_ROLL,), removals=removals),
            append_entry(stack.register_table, entry),
        ]
        if exchanged is not None:
            return [*actions, hand_over_numen(stack.numens_table, numen_hash, exchanged, voter.voter_id)]
        if one.corrects_numen:
            actions += (
                keep_numen(stack.numens_table, numen_hash, voter.voter_id),
                release_numen(stack.numens_table, voter.numen_hash, voter.voter_id),
            )
        return actions

    def _settle_exchanges(
        self, rows: Sequence[RollRow], settle: Callable[[Sequence[Settled]], object], pool: BatchPool
    ) -> None:
        """Write voters whose NUMENs were exchanged, each circle of them at once; reject the
        others.
        """
        waiting = {one.enrolment.voter_id: one for row in rows for one in self._compare([row], pool)}
        owners = {voter_id: self._owner(one) for voter_id, one in waiting.items()}
        while waiting:
            circle = _circle(next(iter(waiting)), owners)
            known = [waiting[voter_id] for voter_id in circle if voter_id in waiting]
            if circle and len(known) == len(circle) <= _LONGEST_EXCHANGE and self._exchange(known, owners, pool):
                outcome, refusal = RowOutcome.UPDATED, None
            else:
                outcome, refusal = RowOutcome.REJECTED, FaultCode.CLAIMED
                known = known or [next(iter(waiting.values()))]
            settle([one.settled(outcome, refusal) for one in known])
            for one in known:
                del waiting[one.enrolment.voter_id]

    def _exchange(self, circle: Sequence[_Compared], owners: dict[str, str | None], pool: BatchPool) -> bool:
        actions: list[Action] = []
        for one in circle:
            if one.voter is None or one.refusal is not None or not one.corrects_numen:
                return False
            actions += self._actions(one, one.voter, exchanged=owners[one.enrolment.voter_id])
        try:
            for attempt in pool.attempts():
                with attempt:
                    write_all(self._dynamodb, actions)
        except ConditionFailedError:
            # Written by somebody else meanwhile, or by this very write when its answer was lost.
            again = self._compare([one.enrolment.row for one in circle], pool)
            return not any(one.differences for one in again)
        return True


def _circle(start: str, owners: dict[str, str | None]) -> list[str]:
    """Return the voters who have each other's NUMENs, from one of them on; nothing when the way
    does not lead back.
    """
    found: list[str] = []
    at: str | None = start
    while at is not None and at not in found:
        found.append(at)
        at = owners.get(at)
    return found if at == start else []
