"""What turning entries of the register into events needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Deps:
    """Clients, the key, and where events go. `topic` is an ARN, `dead_letters` the URL of a
    queue.
    """

    sns: SNSClient
    sqs: SQSClient
    topic: str
    dead_letters: str
    keyed_hash: KeyedHash
    election_id: str
    event_log: EventLog
