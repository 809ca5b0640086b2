"""What the rules of this function need, passed to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.clock import Clock
    from reassort.election import Election
    from reassort.keyed_hash import KeyedHash
    from reassort.sealing import Sealer


@dataclass(frozen=True)
class Tables:
    """Names of the tables."""

    voters: str
    identifiers: str
    sign_in: str
    deliveries: str
    register: str
    limits: str
    control: str


@dataclass(frozen=True)
class Deps:
    """Clients, keys, election, clock and tables."""

    dynamodb: DynamoDBClient
    keyed_hash: KeyedHash
    sealer: Sealer
    election: Election
    clock: Clock
    tables: Tables
