"""What the rules of the registry need, passed to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Deps:
    """A client, the key, election, clock and tables."""

    dynamodb: DynamoDBClient
    keyed_hash: KeyedHash
    election: Election
    clock: Clock
    event_log: EventLog
    identifiers_table: str
    voters_table: str
    register_table: str
