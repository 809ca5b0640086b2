"""Verifying the register of a stack: every voter's chain, and the reconciliation that the election bureau signs.

It may run while voters are served: a chain only grows, so the entries up to the length that a voter's item names never
change, and a table that is counted before and after the voters are read must bracket what they add up to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any

import stamina
from reassort.keys import CONTROL_KEY
from reassort.register import ELECTION_CHAIN, GENESIS, Change, Entry, entry_from_item
from reassort.tables import ContentionError, Item, from_wire, read_one, to_wire
from reassort.voters import IdentifierStatus, Voter, voter_from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.stack import Stack

_KEYS_A_READ = 100
_ISSUES = frozenset({Change.ISSUED, Change.REISSUED})
_STATUSES = (IdentifierStatus.ACTIVE, IdentifierStatus.REVOKED, IdentifierStatus.USED, IdentifierStatus.FROZEN)


@dataclass
class Reconciliation:
    """Every identifier that was issued, by what became of it, and what does not add up.

    `issued` is counted in the register, `by_status` derived from the voters.
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
        """Tell whether every chain verifies, the reconciliation balances and no table holds more than it should."""
        return self.balances and not self.faults


def verify_register(dynamodb: DynamoDBClient, stack: Stack, advance: Callable[[int], object]) -> Reconciliation:
    """Follow every voter's chain from its first entry to the head that the voter's item names, and count.

    `advance` is told how many more voters are done.

    Raises:
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    result = Reconciliation()
    before = _Counts.read(dynamodb, stack)
    for page in dynamodb.get_paginator("scan").paginate(TableName=stack.voters_table, ConsistentRead=True):
        voters = [voter_from_item(from_wire(item)) for item in page["Items"]]
        items = _read_entries(dynamodb, stack.register_table, voters)
        for voter in voters:
            chain = [items.get((voter.voter_id, sequence)) for sequence in range(1, voter.chain_length + 1)]
            _count_voter(voter, chain, result)
        advance(len(voters))
    _follow_election(dynamodb, stack, result)
    after = _Counts.read(dynamodb, stack)
    if before.entries > result.entries:
        result.faults.append(
            f"the register holds {before.entries - result.entries} entries that belong to no voter's chain"
        )
    if not before.identifiers <= result.issued <= after.identifiers:
        result.faults.append(f"{after.identifiers} identifiers are known to the registry, {result.issued} were issued")
    return result


def first_fault(voter: Voter, chain: Sequence[Item | None]) -> str | None:
    """Say which entry of a chain is the first that is missing, altered or out of place; None when the chain verifies."""
    fault = _broken_link(chain, voter.chain_head)
    if fault is not None:
        return fault
    issued = sum(item is not None and item["change"] in _ISSUES for item in chain)
    if issued != voter.generation:
        return f"{issued} identifiers are in the register, the voter has {voter.generation}"
    return None


def _broken_link(chain: Sequence[Item | None], last: str) -> str | None:
    head = GENESIS
    for sequence, item in enumerate(chain, 1):
        if item is None:
            return f"entry {sequence} is missing"
        entry = _entry(item)
        if entry is None or entry.hash != item.get("hash"):
            return f"entry {sequence} was altered"
        if entry.previous != head:
            return f"entry {sequence} does not follow entry {sequence - 1}"
        head = entry.hash
    return None if head == last else f"entry {len(chain)} is not the last one that was written"


def _follow_election(dynamodb: DynamoDBClient, stack: Stack, result: Reconciliation) -> None:
    """Follow the chain of what operators did to the election as a whole, whose head is in their record."""
    record = read_one(dynamodb, stack.limits_table, {"key": CONTROL_KEY})
    if record is None:
        return
    places = [{"voter_id": ELECTION_CHAIN, "sequence": place} for place in range(1, record["chain_length"] + 1)]
    items = {
        item["sequence"]: item
        for some in batched(map(to_wire, places), _KEYS_A_READ, strict=False)
        for item in _read_batch(dynamodb, stack.register_table, some)
    }
    chain = [items.get(place["sequence"]) for place in places]
    fault = _broken_link(chain, record["chain_head"])
    if fault is not None:
        result.faults.append(f"election: {fault}")
    result.entries += sum(item is not None for item in chain)


def _count_voter(voter: Voter, chain: Sequence[Item | None], result: Reconciliation) -> None:
    fault = first_fault(voter, chain)
    if fault is not None:
        result.faults.append(f"voter {voter.voter_id}: {fault}")
    result.voters += 1
    result.entries += sum(item is not None for item in chain)
    result.issued += sum(item is not None and item.get("change") in _ISSUES for item in chain)
    for generation in range(1, voter.generation + 1):
        result.by_status[voter.identifier_status(generation)] += 1


def _entry(item: Item) -> Entry | None:
    try:
        return entry_from_item(item)
    except (KeyError, ValueError):
        return None


def _read_entries(dynamodb: DynamoDBClient, table: str, voters: Iterable[Voter]) -> dict[tuple[str, int], Item]:
    keys = (
        to_wire({"voter_id": voter.voter_id, "sequence": sequence})
        for voter in voters
        for sequence in range(1, voter.chain_length + 1)
    )
    return {
        (item["voter_id"], item["sequence"]): item
        for some in batched(keys, _KEYS_A_READ, strict=False)
        for item in _read_batch(dynamodb, table, some)
    }


def _read_batch(dynamodb: DynamoDBClient, table: str, keys: Sequence[dict[str, Any]]) -> Iterator[Item]:
    wanted: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
    found: list[Item] = []
    for attempt in stamina.retry_context(on=ContentionError, attempts=None, timeout=120.0):
        with attempt:
            answer = dynamodb.batch_get_item(RequestItems=wanted)
            found += map(from_wire, answer["Responses"].get(table, []))
            wanted = dict(answer.get("UnprocessedKeys", {}))
            if wanted:
                raise ContentionError("UnprocessedKeys")
    yield from found


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
