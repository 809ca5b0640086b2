"""Reading the chains of a stack's register, each whole, while the service goes on writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

import stamina
from reassort.register import ELECTION_CHAIN
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

    `voter` is None for the chain of what operators did to the election as a whole.
    """

    voter_id: str
    items: Sequence[Item | None]
    head: str
    voter: Voter | None


def read_chains(dynamodb: DynamoDBClient, stack: Stack) -> Iterator[Chain]:
    """Read every chain up to the length that the voter's item names, or, of the election's own, the
    operators' record.

    A chain only grows, so what is written meanwhile changes nothing of what is read.

    Raises:
        ContentionError: the register throttles for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    for page in dynamodb.get_paginator("scan").paginate(TableName=stack.voters_table, ConsistentRead=True):
        voters = [voter_from_item(from_wire(item)) for item in page["Items"]]
        items = _read_entries(dynamodb, stack.register_table, {one.voter_id: one.chain_length for one in voters})
        for voter in voters:
            yield Chain(voter.voter_id, items[voter.voter_id], voter.chain_head, voter)
    record = read_one(dynamodb, stack.control_table, {"key": CONTROL_KEY})
    if record is not None:
        items = _read_entries(dynamodb, stack.register_table, {ELECTION_CHAIN: record["chain_length"]})
        yield Chain(ELECTION_CHAIN, items[ELECTION_CHAIN], record["chain_head"], None)


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
