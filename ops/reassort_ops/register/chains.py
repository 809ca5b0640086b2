"""Reading the chains of a stack's register, each whole, while the service goes on writing; and what
the other tables know of what its entries commit to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any

import stamina
from reassort.register import ELECTION_CHAIN, Change
from reassort.table_keys import CONTROL_KEY
from reassort.tables import ContentionError, Item, from_wire, read_one, to_wire
from reassort.voters import Voter, voter_from_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

_KEYS_A_READ = 100


@dataclass(frozen=True)
class Chain:
    """The items of one chain in their order, None for one that is missing, and the hash of the last
    that was written.

    `voter` is None for the chain of what operators did to the election as a whole. `identifiers`
    are what the registry knows, by hash, of those that the entries commit to; `deliveries` those of
    the reissues, by reference.
    """

    voter_id: str
    items: Sequence[Item | None]
    head: str
    voter: Voter | None
    identifiers: Mapping[str, Item] = field(default_factory=dict)
    deliveries: Mapping[str, Item] = field(default_factory=dict)
    # Whose the voter's NUMEN is on the stack.
    numen_owner: str | None = None


def read_chains(dynamodb: DynamoDBClient, stack: Stack) -> Iterator[Chain]:
    """Read every chain up to the length that the voter's item names, or, of the election's own, the
    operators' record.

    A chain only grows, so what is written meanwhile changes nothing of what is read.

    Raises:
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    for page in dynamodb.get_paginator("scan").paginate(TableName=stack.voters_table, ConsistentRead=True):
        yield from _chains_of([voter_from_item(from_wire(item)) for item in page["Items"]], dynamodb, stack)
    record = read_one(dynamodb, stack.control_table, {"key": CONTROL_KEY})
    if record is not None:
        items = _read_entries(dynamodb, stack.register_table, {ELECTION_CHAIN: record["chain_length"]})
        yield Chain(ELECTION_CHAIN, items[ELECTION_CHAIN], record["chain_head"], None)


def read_again(voter_id: str, dynamodb: DynamoDBClient, stack: Stack) -> Chain | None:
    """Read one voter's chain as it is now; None when there is no such voter. Raises what
    `read_chains` does.
    """
    item = read_one(dynamodb, stack.voters_table, {"voter_id": voter_id})
    return None if item is None else next(_chains_of([voter_from_item(item)], dynamodb, stack))


def read_identifiers(dynamodb: DynamoDBClient, stack: Stack) -> Iterator[Item]:
    """Read all that the registry knows: hash, voter and generation. Raises what `read_chains`
    does.
    """
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=stack.identifiers_table,
        ProjectionExpression="identifier_hash, voter_id, generation",
        ConsistentRead=True,
    )
    for page in pages:
        yield from map(from_wire, page["Items"])


def _chains_of(voters: Sequence[Voter], dynamodb: DynamoDBClient, stack: Stack) -> Iterator[Chain]:
    chains = _read_entries(dynamodb, stack.register_table, {one.voter_id: one.chain_length for one in voters})
    entries = [item for items in chains.values() for item in items if item is not None]
    # Entries that do not have these are faults by themselves.
    hashes = {str(item["identifier_hash"]) for item in entries if item.get("identifier_hash")}
    reissues = [str(item.get("reference", "")) for item in entries if item.get("change") == Change.REISSUED]
    references = {reference.partition(" ")[0] for reference in reissues} - {""}
    identifiers = _read_by_key(dynamodb, stack.identifiers_table, "identifier_hash", hashes, ("voted_at",))
    deliveries = _read_by_key(dynamodb, stack.deliveries_table, "delivery_id", references)
    numens = _read_by_key(dynamodb, stack.numens_table, "numen_hash", {one.numen_hash for one in voters})
    for voter in voters:
        owner = numens.get(voter.numen_hash, {}).get("voter_id")
        yield Chain(voter.voter_id, chains[voter.voter_id], voter.chain_head, voter, identifiers, deliveries, owner)


def _read_by_key(
    dynamodb: DynamoDBClient, table: str, key: str, values: Iterable[str], more: tuple[str, ...] = ()
) -> dict[str, Item]:
    """Read whose the items with these keys are, by their keys."""
    wanted = {"ProjectionExpression": ", ".join((key, "voter_id", "generation", *more))}
    return {
        item[key]: item
        for some in batched((to_wire({key: value}) for value in values), _KEYS_A_READ, strict=False)
        for item in _read_batch(dynamodb, table, some, **wanted)
    }


def _read_entries(dynamodb: DynamoDBClient, table: str, lengths: Mapping[str, int]) -> dict[str, list[Item | None]]:
    """Read chains of these lengths."""
    places = [(voter_id, place) for voter_id, length in lengths.items() for place in range(1, length + 1)]
    keys = (to_wire({"voter_id": voter_id, "sequence": place}) for voter_id, place in places)
    found = {
        (item["voter_id"], item["sequence"]): item
        for some in batched(keys, _KEYS_A_READ, strict=False)
        for item in _read_batch(dynamodb, table, some)
    }
    chains: dict[str, list[Item | None]] = {voter_id: [] for voter_id in lengths}
    for voter_id, place in places:
        chains[voter_id].append(found.get((voter_id, place)))
    return chains


def _read_batch(dynamodb: DynamoDBClient, table: str, keys: Sequence[dict[str, Any]], **more: Any) -> Iterator[Item]:
    wanted: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True, **more}}
    found: list[Item] = []
    for attempt in stamina.retry_context(on=ContentionError, attempts=None, timeout=120.0):
        with attempt:
            answer = dynamodb.batch_get_item(RequestItems=wanted)
            found += map(from_wire, answer["Responses"].get(table, []))
            wanted = dict(answer.get("UnprocessedKeys", {}))
            if wanted:
                raise ContentionError("UnprocessedKeys")
    yield from found
