"""The helpdesk's record, agent by agent: whether each chain holds, and where it ends.

An export of the register signs the ends. Anyone who keeps them finds later that an entry before
them was replaced or removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reassort.register import GENESIS, canonical
from reassort.tables import from_wire

from reassort_ops.language import tr

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.tables import Item

# What is beside the chains: proposals, days, ended sessions.
_BESIDE = "#"
_NO_END = -1


@dataclass
class _Chain:
    """One agent's: what its end says, and what was read up to there."""

    length: int
    head: str = GENESIS
    read: int = 0
    last: str = GENESIS
    fault: str | None = None

    def add(self, item: Item) -> None:
        """Take the next entry. One behind the end was written since that was read."""
        if self.fault is not None or self.read == self.length:
            return
        content = {name: value for name, value in item.items() if name != "hash"}
        if (item["sequence"], item["previous"]) != (self.read + 1, self.last):
            self.fault = tr("entry {read} was removed or replaced", read=self.read + 1)
        elif item["hash"] != sha256(canonical(content)).hexdigest():
            self.fault = tr("entry {sequence} was altered", sequence=item["sequence"])
        self.read, self.last = item["sequence"], item["hash"]

    def end(self) -> str | None:
        """Return what is wrong, or None."""
        if self.length == _NO_END:
            return tr("the end of the chain was removed")
        if self.fault is None and (self.read, self.last) != (self.length, self.head):
            return tr("entry {length} was removed or replaced", length=self.length)
        return self.fault


@dataclass(frozen=True)
class HelpdeskChains:
    """Every chain's end, as canonical JSON, a line each, in the order of agents; and what is wrong,
    agent by agent.
    """

    heads: bytes = b""
    faults: list[str] = field(default_factory=list)


def heads_path(path: Path) -> Path:
    """Return where the ends of an export go."""
    return path.with_name(f"{path.name}.helpdesk.jsonl")


def read_helpdesk_chains(dynamodb: DynamoDBClient, table: str) -> HelpdeskChains:
    """Read the record while the service may be writing it. Memory: some 600 bytes for each entry.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    chains: dict[str, _Chain] = {}
    # Ends come before entries.
    for item in sorted(_items(dynamodb, table), key=lambda one: one["sequence"]):
        agent = item["agent"]
        if item["sequence"] == 0:
            chains[agent] = _Chain(item["chain_length"], item["chain_head"])
        else:
            chains.setdefault(agent, _Chain(_NO_END)).add(item)
    lines = (
        canonical({"agent": agent, "hash": one.head, "length": one.length}) + b"\n"
        for agent, one in sorted(chains.items())
    )
    faults = [
        tr("helpdesk's record, {agent}: {wrong}", agent=agent, wrong=wrong)
        for agent, one in sorted(chains.items())
        if (wrong := one.end())
    ]
    return HelpdeskChains(b"".join(lines), faults)


def _items(dynamodb: DynamoDBClient, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in map(from_wire, page["Items"]):
            if not item["agent"].startswith(_BESIDE):
                yield item
