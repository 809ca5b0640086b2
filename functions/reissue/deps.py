"""What the rules of reissue need, passed to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash
from reassort.reissue_transaction import ReissueTables
from reassort.sealing import Sealer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Deps:
    """Clients, keys, election, clock, tables, and the site that requests come from."""

    dynamodb: DynamoDBClient
    keyed_hash: KeyedHash
    sealer: Sealer
    election: Election
    clock: Clock
    event_log: EventLog
    site_origin: str
    tables: ReissueTables
    sign_in_table: str
    limits_table: str
