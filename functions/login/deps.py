"""What the rules of sign-in need, passed to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash
from reassort.sealing import Sealer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Deps:
    """Clients, keys, election, clock, tables, and which requests are trusted."""

    dynamodb: DynamoDBClient
    keyed_hash: KeyedHash
    sealer: Sealer
    election: Election
    clock: Clock
    event_log: EventLog
    site_origin: str
    source_header: str
    sign_in_table: str
    code_deliveries_table: str
    voters_table: str
