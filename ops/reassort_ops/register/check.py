"""Verifying the register of a stack: every chain, and the reconciliation that the election bureau
signs.

It may run while voters are served: a chain only grows, so the entries up to the length that a
voter's item names never change, and a table that is counted before and after the voters are read
must bracket what they add up to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reassort.register import Entry, entry_from_item
from reassort.tables import Item
from reassort.voters import IdentifierStatus, Voter

from reassort_ops.register.chains import Chain, read_chains
from reassort_ops.register.replay import ISSUES, Replay

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

_STATUSES = (IdentifierStatus.ACTIVE, IdentifierStatus.REVOKED, IdentifierStatus.USED, IdentifierStatus.FROZEN)


@dataclass
class Reconciliation:
    """Every identifier that was issued, by what became of it, and what does not add up.

    `issued` is counted in the register, `by_status` derived from the voters' items, or, in a file,
    from where the entries leave each voter.
    """

    voters: int = 0
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
        states = " + ".join(f"{status.value} {count}" for status, count in self.by_status.items())
        return f"issued {self.issued} {'=' if self.balances else '≠'} {states}"


def verify_register(
    dynamodb: DynamoDBClient,
    stack: Stack,
    advance: Callable[[int], object],
    take: Callable[[str, list[Entry]], object] = lambda _, __: None,
) -> Reconciliation:
    """Follow every chain from its first entry to the head that its owner's item names, and count.

    `advance` is told how many more voters are done. `take` is given each chain that verifies: whose
    it is, and its entries.

    Raises:
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    result = Reconciliation()
    before = _Counts.read(dynamodb, stack)
    for chain in read_chains(dynamodb, stack):
        fault = first_fault(chain)
        if fault is None:
            take(chain.voter_id, [entry_from_item(item) for item in chain.items if item is not None])
        else:
            result.faults.append(f"{'voter ' if chain.voter else ''}{chain.voter_id}: {fault}")
        _count_chain(chain, result)
        advance(1)
    after = _Counts.read(dynamodb, stack)
    if before.entries > result.entries:
        result.faults.append(
            f"the register holds {before.entries - result.entries} entries that belong to no voter's chain"
        )
    if not before.identifiers <= result.issued <= after.identifiers:
        result.faults.append(f"{after.identifiers} identifiers are known to the registry, {result.issued} were issued")
    return result


def first_fault(chain: Chain) -> str | None:
    """Say which entry of a chain is the first that is missing, altered or out of place; None when
    the chain verifies.
    """
    replay = Replay(chain.voter_id)
    for sequence, item in enumerate(chain.items, 1):
        if item is None:
            return f"entry {sequence} is missing"
        entry = _entry(item)
        if entry is None or (entry_hash := entry.hash) != item.get("hash"):
            return f"entry {sequence} was altered"
        fault = replay.follow(entry, entry_hash)
        if fault is not None:
            return fault
    if replay.head != chain.head:
        return f"entry {replay.length} is not the last one that was written"
    return _disagreement(replay, chain.voter) if chain.voter else None


def _disagreement(replay: Replay, voter: Voter) -> str | None:
    """Say in what the voter's item and the entries tell another story."""
    if replay.issued != voter.generation:
        return f"{replay.issued} identifiers are in the register, the voter has {voter.generation}"
    status = voter.identifier_status(voter.generation)
    if replay.statuses.get(status, 0) < 1 or replay.frozen != (voter.frozen_at is not None):
        return f"the voter's identifier is {status}, and the register does not say so"
    return None


def _count_chain(chain: Chain, result: Reconciliation) -> None:
    result.entries += sum(item is not None for item in chain.items)
    if chain.voter is None:
        return
    result.voters += 1
    result.issued += sum(item is not None and item.get("change") in ISSUES for item in chain.items)
    for generation in range(1, chain.voter.generation + 1):
        result.by_status[chain.voter.identifier_status(generation)] += 1


def _entry(item: Item) -> Entry | None:
    try:
        return entry_from_item(item)
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True)
class _Counts:
    entries: int
    identifiers: int

    @classmethod
    def read(cls, dynamodb: DynamoDBClient, stack: Stack) -> _Counts:
        return cls(_count(dynamodb, stack.register_table), _count(dynamodb, stack.identifiers_table))


def _count(dynamodb: DynamoDBClient, table: str) -> int:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT", ConsistentRead=True)
    return sum(page["Count"] for page in pages)
