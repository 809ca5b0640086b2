"""Verifying the register of a stack: every chain, and the reconciliation that the election bureau
signs.

Each voter is held to their own entries: the identifiers that the registry knows, the proofs and the
vote of the voter's item, the delivery of each reissue. It may run while voters are served: a chain
only grows, so the entries up to the length that a voter's item names never change. What was written
in between is read again before it counts as a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.register import ISSUES, Change, Entry, entry_from_item
from reassort.tables import Item, read_partition
from reassort.voters import IdentifierStatus, Voter

from reassort_ops.language import tr
from reassort_ops.register.chains import Chain, read_again, read_chains, read_identifiers
from reassort_ops.register.commitments import IdentifierSet
from reassort_ops.register.moves import MoveLedger, move_of
from reassort_ops.register.replay import Replay
from reassort_ops.state_words import state_word

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

_STATUSES = (IdentifierStatus.ACTIVE, IdentifierStatus.REVOKED, IdentifierStatus.USED, IdentifierStatus.FROZEN)


@dataclass
class Reconciliation:
    """Every identifier that was issued, by what became of it, and what does not add up.

    `issued` is counted in the register, `by_status` derived from the voters' items, or, in a file,
    from where the entries leave each voter. A person who changed address is one voter; `removed`
    are those of `voters` who are off the roll, whose identifier counts as frozen.
    """

    voters: int = 0
    removed: int = 0
    entries: int = 0
    issued: int = 0
    by_status: dict[IdentifierStatus, int] = field(default_factory=lambda: dict.fromkeys(_STATUSES, 0))
    faults: list[str] = field(default_factory=list)

    @property
    def balances(self) -> bool:
        """Tell whether issued = active + revoked + used + frozen."""
        return self.issued == sum(self.by_status.values())

    @property
    def holds(self) -> bool:
        """Tell whether every chain verifies, the reconciliation balances and no table holds more
        than it should.
        """
        return self.balances and not self.faults

    @property
    def equation(self) -> str:
        """Return the line that the election bureau signs."""
        states = " + ".join(f"{state_word(status.value)} {count}" for status, count in self.by_status.items())
        return tr(
            "issued {issued} {sign} {states}", issued=self.issued, sign="=" if self.balances else "≠", states=states
        )


def verify_register(
    dynamodb: DynamoDBClient,
    stack: Stack,
    advance: Callable[[int], object],
    take: Callable[[str, list[Entry]], object] = lambda _, __: None,
    *,
    reissued_since: datetime,
) -> Reconciliation:
    """Follow every chain from its first entry to the head that its owner's item names, and count.

    `advance` is told how many more voters are done. `take` is given each chain that verifies: whose
    it is, and its entries. Deliveries of reissues since `reissued_since` must be there; older ones
    may have been erased.

    Raises:
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    result = Reconciliation()
    issued = IdentifierSet()
    since = epoch_milliseconds(reissued_since)
    moves = MoveLedger()
    before = _count(dynamodb, stack.register_table)
    for chain in read_chains(dynamodb, stack):
        found, fault = chain, first_fault(chain, since)
        if fault is not None and chain.voter is not None:
            # A vote or a reissue in between looks like one.
            found = read_again(chain.voter_id, dynamodb, stack) or chain
            fault = first_fault(found, since)
        if fault is None:
            take(found.voter_id, [entry_from_item(item) for item in found.items if item is not None])
        else:
            result.faults.append(
                tr("voter {voter_id}: {fault}", voter_id=found.voter_id, fault=fault)
                if found.voter
                else tr("{chain}: {fault}", chain=found.voter_id, fault=fault)
            )
        for item in found.items:
            if item is not None and (entry := _entry(item)) is not None:
                moves.take(entry)
        _count_chain(found, result, issued)
        advance(1)
    if before > result.entries:
        result.faults.append(
            tr("the register holds {entries} entries that belong to no voter's chain", entries=before - result.entries)
        )
    result.faults += _one_sided(moves, dynamodb, stack)
    issued.close()
    for item in read_identifiers(dynamodb, stack):
        if item["identifier_hash"] not in issued and not _was_issued(item, dynamodb, stack):
            what = tr(
                "voter {voter_id}: the registry knows an identifier n° {generation}",
                voter_id=item.get("voter_id"),
                generation=item.get("generation"),
            )
            result.faults.append(tr("{what} that no entry issued", what=what))
    return result


def first_fault(chain: Chain, since: int) -> str | None:
    """Say which entry of a chain is the first that is missing, altered or out of place, or what
    contradicts them; None when the chain verifies.

    `since` is from when on a reissue must have its delivery, in milliseconds since 1970.
    """
    replay = Replay(chain.voter_id)
    for sequence, item in enumerate(chain.items, 1):
        if item is None:
            return tr("entry {sequence} is missing", sequence=sequence)
        entry = _entry(item)
        if entry is None or (entry_hash := entry.hash) != item.get("hash"):
            return tr("entry {sequence} was altered", sequence=sequence)
        fault = replay.follow(entry, entry_hash)
        if fault is not None:
            return fault
    if replay.head != chain.head:
        return tr("entry {length} is not the last one that was written", length=replay.length)
    if chain.voter is None:
        return None
    return _contradiction(chain, since) or _disagreement(replay, chain.voter) or _numen_fault(chain, chain.voter)


def _one_sided(moves: MoveLedger, dynamodb: DynamoDBClient, stack: Stack) -> list[str]:
    """Say of which changes of address a side is missing. Of one in between, one side was read
    before it: both are read again.
    """
    faults = []
    for move in moves.unmatched:
        again = MoveLedger()
        for voter_id in {move.former, move.present}:
            for item in read_partition(dynamodb, stack.register_table, {"voter_id": voter_id}):
                entry = _entry(item)
                if entry is not None and move_of(entry) == move:
                    again.take(entry)
        faults += [again.fault(one) for one in again.unmatched]
    return faults


def _contradiction(chain: Chain, since: int) -> str | None:
    """Say which entry the registry or the deliveries contradict."""
    entries = [entry_from_item(item) for item in chain.items if item is not None]
    votes = {entry.identifier_hash: entry.at for entry in entries if entry.change is Change.VOTED}
    for entry in entries:
        if entry.change not in ISSUES:
            continue
        what = tr("entry {sequence} ({change})", sequence=entry.sequence, change=state_word(entry.change))
        owner = {"voter_id": entry.voter_id, "generation": entry.generation}
        known = chain.identifiers.get(entry.identifier_hash)
        if known is None:
            return tr("{what}: the registry does not know its identifier", what=what)
        if _owner(known) != _owner(owner):
            return tr("{what}: its identifier was pointed to {known}", what=what, known=_owner(known))
        if known.get("voted_at") != votes.get(entry.identifier_hash):
            return tr("{what}: its identifier has voted, and the register has no such vote", what=what)
        if entry.change is Change.REISSUED and entry.at >= since:
            delivery = chain.deliveries.get(entry.first_word)
            if delivery is None:
                return tr("{what} has no delivery", what=what)
            if _owner(delivery) != _owner(owner):
                return tr("{what}: its delivery is of {delivery}", what=what, delivery=_owner(delivery))
    return None


def _owner(item: Item) -> str:
    return tr("voter {voter_id}, n° {generation}", voter_id=item.get("voter_id"), generation=item.get("generation"))


def _disagreement(replay: Replay, voter: Voter) -> str | None:
    """Say in what the voter's item and the entries tell another story."""
    if replay.issued != voter.generation:
        return tr(
            "{issued} identifiers are in the register, the voter has {generation}",
            issued=replay.issued,
            generation=voter.generation,
        )
    if replay.voted != (voter.voted_at is not None):
        return tr("the vote was taken back") if replay.voted else tr("the voter has voted without an entry")
    status = voter.identifier_status(voter.generation)
    if replay.statuses.get(status, 0) < 1 or replay.frozen != (voter.frozen_at is not None):
        return tr("the voter's identifier is {status}, and the register does not say so", status=status)
    if replay.moved_to != (voter.moved_to or "") or (replay.removed or bool(replay.moved_to)) != (
        voter.left_at is not None
    ):
        return tr("the voter is on the roll, or off it, without an entry")
    if replay.numen_hash != voter.numen_hash:
        return tr("the NUMEN was changed without an entry")
    if replay.extra_proof_hash != (voter.extra_proof_hash or ""):
        return tr("the further proof was changed without an entry")
    return None


def _numen_fault(chain: Chain, voter: Voter) -> str | None:
    """Say whose the voter's NUMEN is, when it is not theirs: a person is one voter."""
    if voter.moved_to is not None or chain.numen_owner == voter.voter_id:
        return None
    return tr(
        "the NUMEN is kept for {owner}",
        owner=tr("nobody") if chain.numen_owner is None else tr("voter {voter_id}", voter_id=chain.numen_owner),
    )


def _was_issued(identifier: Item, dynamodb: DynamoDBClient, stack: Stack) -> bool:
    """Tell whether the register has it by now: it may have been issued meanwhile."""
    entries = read_partition(dynamodb, stack.register_table, {"voter_id": identifier.get("voter_id") or "-"})
    return any(
        entry.get("change") in ISSUES and entry.get("identifier_hash") == identifier["identifier_hash"]
        for entry in entries
    )


def _count_chain(chain: Chain, result: Reconciliation, issued: IdentifierSet) -> None:
    result.entries += sum(item is not None for item in chain.items)
    if chain.voter is None:
        return
    result.voters += chain.voter.moved_to is None
    result.removed += chain.voter.left_at is not None and chain.voter.moved_to is None
    for item in chain.items:
        if item is not None and item.get("change") in ISSUES:
            result.issued += 1
            issued.add(str(item.get("identifier_hash", "")))
    for generation in range(1, chain.voter.generation + 1):
        result.by_status[chain.voter.identifier_status(generation)] += 1


def _entry(item: Item) -> Entry | None:
    try:
        return entry_from_item(item)
    except (KeyError, ValueError):
        return None


def _count(dynamodb: DynamoDBClient, table: str) -> int:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT", ConsistentRead=True)
    return sum(page["Count"] for page in pages)
