"""Changes a voter's address: the person stays one voter, under the pseudonym of the new address.

The chain of the former address ends and that of the new one begins, in one transaction with both
voters, the NUMEN and the identifier. Every identifier of the former address is revoked, and its
sessions end. A freeze and wrong NUMENs go with the person. Nobody who has voted is moved.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.register import GENESIS, Change, Entry, append_entry
from reassort.reissue_transaction import PREVIOUS, supersede_previous
from reassort.table_keys import ON_ROLL
from reassort.tables import (
    Action,
    ConditionFailedError,
    ContentionError,
    Item,
    put_if_absent,
    read_one,
    update,
    write_all,
)
from reassort.voters import NOT_VOTED, SAME_FAILURES, SAME_GENERATION, UNCHANGED, Voter, change_voter, voter_from_item

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.leaving import raise_if_closed
from reassort_ops.roll.numens import hand_over_numen

if TYPE_CHECKING:
    from reassort.election import Election
    from reassort.keyed_hash import KeyedHash

    from reassort_ops.account.operator import Operator

_ROUNDS = 20
_LONGEST_PAUSE_SECONDS = 0.2


class MoveRefusedError(OperatorError):
    """A change of address that is not made; `code` says why."""

    def __init__(self, message: str, code: FaultCode) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Arrival:
    """A voter at the new address. What is None stays as it was at the former one; an identifier
    that is None is drawn and shown to nobody, so that the voter asks for the next one.
    """

    voter_id: str
    establishment: str | None = None
    secretariat: str | None = None
    extra_proof_hash: str | None = None
    identifier_hash: str | None = None


class ChangeOfAddress:
    """Moves voters of one stack. Threads may share it."""

    def __init__(self, operator: Operator, election: Election, keyed_hash: KeyedHash) -> None:
        self._operator = operator
        self._election = election
        self._keyed_hash = keyed_hash

    def move(self, former_id: str, arrival: Arrival, reason: str) -> None:
        """Move a voter from one pseudonym to another; a move that was made before is made again as
        nothing.

        Raises:
            MoveRefusedError: there is no such voter, they have voted or were removed; the new
                address is another voter's; the ballot has closed.
            OperatorError: their identifier is being sent, or somebody else keeps writing them.
            botocore.exceptions.ClientError: AWS refuses.
        """
        raise_if_closed(self._election, self._operator.clock())
        sending = False
        for _ in range(_ROUNDS):
            former = self._read(former_id)
            if former is None:
                raise MoveRefusedError(tr("nobody with the former address is on the stack"), FaultCode.ABSENT)
            if former.moved_to == arrival.voter_id:
                return
            raise_if_not_movable(former)
            there = self._read(arrival.voter_id)
            _raise_if_taken(there, former)
            try:
                write_all(self._operator.dynamodb, self._actions(former, there, arrival, reason))
            except ConditionFailedError as refusal:
                sending = refusal.refused == {PREVIOUS}
            except ContentionError:
                pass
            else:
                return
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
        if sending:
            raise OperatorError(
                tr("an identifier is on its way to the former address: run the same command in a minute")
            )
        raise OperatorError(
            tr("the voter is being written by somebody else: nothing was changed; run the same command")
        )

    def _read(self, voter_id: str) -> Voter | None:
        item = read_one(self._operator.dynamodb, self._operator.stack.voters_table, {"voter_id": voter_id})
        return None if item is None else voter_from_item(item)

    def _actions(self, former: Voter, there: Voter | None, arrival: Arrival, reason: str) -> list[Action]:
        operator, stack = self._operator, self._operator.stack
        now = operator.clock()
        at = epoch_milliseconds(now)
        left = former.next_entry(
            Change.DEPARTED,
            now,
            operator.name,
            generation=former.generation,
            reference=f"{arrival.voter_id} {reason}",
            numen_hash=former.numen_hash,
        )
        identifier_hash = arrival.identifier_hash or self._drawn()
        arrived = Entry(
            voter_id=arrival.voter_id,
            sequence=1 if there is None else there.chain_length + 1,
            change=Change.ARRIVED,
            generation=1 if there is None else there.generation + 1,
            at=at,
            actor=operator.name,
            reference=f"{former.voter_id} {reason}",
            previous=GENESIS if there is None else there.chain_head,
            identifier_hash=identifier_hash,
            numen_hash=former.numen_hash,
            extra_proof_hash=arrival.extra_proof_hash or "",
        )
        entries = [arrived, *_freeze(arrived, former)]
        return [
            change_voter(
                stack.voters_table,
                former,
                left,
                "left_at = :at, moved_to = :moved_to, signed_out_at = :at",
                {":at": at, ":moved_to": arrival.voter_id},
                clauses=(SAME_GENERATION, NOT_VOTED, SAME_FAILURES, ON_ROLL),
            ),
            append_entry(stack.register_table, left),
            _put_arrived(stack.voters_table, former, there, arrival, entries),
            *(append_entry(stack.register_table, entry) for entry in entries),
            put_if_absent(
                "identifier",
                stack.identifiers_table,
                {
                    "identifier_hash": identifier_hash,
                    "voter_id": arrival.voter_id,
                    "generation": arrived.generation,
                },
                "identifier_hash",
            ),
            hand_over_numen(stack.numens_table, former.numen_hash, former.voter_id, arrival.voter_id),
            *supersede_previous(former, stack.deliveries_table, now, self._election.retention),
        ]

    def _drawn(self) -> str:
        """Draw an identifier that nobody is told: it is valid, and can be used by nobody."""
        identifier = generate_identifier(self._election.identifier)
        return self._keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))


def raise_if_not_movable(former: Voter) -> None:
    """Refuse to move a voter whose standing must stay where it is.

    Raises:
        MoveRefusedError: they have voted, or left the roll.
    """
    if former.voted_at is not None:
        raise MoveRefusedError(tr("the voter has voted: nothing of them is changed any more"), FaultCode.VOTED)
    if former.moved_to is not None:
        raise MoveRefusedError(tr("the voter has another address since"), FaultCode.FORMER)
    if former.left_at is not None:
        raise MoveRefusedError(
            tr("the voter was removed from the roll: `reassort roll restore` puts them back"), FaultCode.REMOVED
        )


def _raise_if_taken(there: Voter | None, former: Voter) -> None:
    """Refuse an address that somebody has; the person's own former one may be taken up again."""
    if there is None:
        return
    # Their NUMEN may have been corrected since.
    same_person = there.moved_to == former.voter_id or there.numen_hash == former.numen_hash
    if there.moved_to is None or not same_person:
        raise MoveRefusedError(tr("the new address is, or was, another voter's"), FaultCode.FORMER)


def _freeze(arrived: Entry, former: Voter) -> list[Entry]:
    """Return the entry by which a freeze goes with the person."""
    if former.frozen_at is None:
        return []
    frozen = Entry(
        voter_id=arrived.voter_id,
        sequence=arrived.sequence + 1,
        change=Change.FROZEN,
        generation=arrived.generation,
        at=arrived.at,
        actor=arrived.actor,
        reference="gelé avant le changement d’adresse",
        previous=arrived.hash,
    )
    return [frozen]


def _put_arrived(table: str, former: Voter, there: Voter | None, arrival: Arrival, entries: list[Entry]) -> Action:
    """Return the write of the voter at the new address."""
    arrived, last = entries[0], entries[-1]
    wanted: Item = {
        "numen_hash": former.numen_hash,
        "establishment": arrival.establishment or former.establishment,
        "secretariat": arrival.secretariat if arrival.establishment is not None else former.secretariat,
        "extra_proof_hash": arrival.extra_proof_hash,
        "generation": arrived.generation,
        "issued_at": [*(() if there is None else there.issued_at), arrived.at],
        "chain_length": last.sequence,
        "chain_head": last.hash,
        "numen_failures": former.numen_failures,
        "numen_locked_until": former.numen_locked_until,
        "moved_from": former.voter_id,
        "signed_out_at": arrived.at,
        "frozen_at": arrived.at if last.change is Change.FROZEN else None,
    }
    known = {name: value for name, value in wanted.items() if value is not None}
    if there is None:
        return put_if_absent("arrived", table, {"voter_id": arrival.voter_id, **known}, "voter_id")
    gone = ["left_at", "moved_to", "last_reference", *(name for name, value in wanted.items() if value is None)]
    assignments = ", ".join(f"{name} = :{name}" for name in known if name != "moved_from")
    values: dict[str, Any] = {f":{name}": value for name, value in known.items()}
    return update(
        "arrived",
        table,
        {"voter_id": arrival.voter_id},
        f"SET moved_from = :moved_from, {assignments} REMOVE {', '.join(gone)}",
        f"{UNCHANGED} AND attribute_exists(moved_to)",
        {**values, ":read_length": there.chain_length},
    )
