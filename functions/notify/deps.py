"""What delivery needs, passed to each of its rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.outbox import OutboxTables
from reassort.sealing import Opener, Sealer

from notify.meters import Meters
from notify.pacing import Pace
from notify.providers import Providers
from notify.texts import Texts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Deps:
    """Clients, keys, election, clock, tables and queue. `retry_queue` is a URL, `watched_keys` are
    the ids of all keys of the service.
    """

    dynamodb: DynamoDBClient
    sqs: SQSClient
    kms: KMSClient
    watched_keys: tuple[str, ...]
    opener: Opener
    sealer: Sealer
    providers: Providers
    pace: Pace
    texts: Texts
    election: Election
    clock: Clock
    event_log: EventLog
    meters: Meters
    voters_table: str
    outbox: OutboxTables
    pace_table: str
    limits_table: str
    retry_queue: str
