"""What the helpdesk's rules need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash
from reassort.outbox import OutboxTables
from reassort.reissue_transaction import ReissueTables
from reassort.sealing import Sealer

from helpdesk.agents import Role, Signatory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Deps:
    """A client, keys, election, clock and tables. `roles` gives the group of each role that the
    identity pool hands out, by the role's name.
    """

    dynamodb: DynamoDBClient
    keyed_hash: KeyedHash
    sealer: Sealer
    election: Election
    clock: Clock
    event_log: EventLog
    roles: Mapping[str, Role]
    tables: ReissueTables
    outbox: OutboxTables
    sign_in_table: str
    record_table: str


@dataclass(frozen=True)
class Seat:
    """One agent at work, for one request: `correlation_id` is the request's."""

    deps: Deps
    agent: Signatory
    correlation_id: str
