"""What a world asks of the AWS that is played inside its process, and the template's resources on
it.

There are two: MiniStack's services called in process, and moto, which takes ten times as long and
is there to disagree (docs/adr/0014-two-engines-under-the-tests.md).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

from reassort.keyed_hash import HashKey

from harness.engines.template import create_tables, read_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from mypy_boto3_kms import KMSClient
    from reassort.tables import Item

    from harness.service.wire import Unwatched, Wire

REGION = "eu-west-3"
ACCOUNT = "123456789012"
SENDER_DOMAIN = "elections.example.fr"


@dataclass(frozen=True)
class Stores:
    """What holds the service's state: `tables` gives a table's name by its logical id; the keys are
    ids.
    """

    tables: dict[str, str]
    encryption_key: str
    hash_keys: Mapping[HashKey, str]


@dataclass(frozen=True)
class Channels:
    """What messages pass through: topics by their ARN, queues by their URL."""

    helpdesk_topic: str
    platform_topic: str
    retry_queue: str
    dead_letter_queue: str
    platform_dead_letters: str


class Engine(Protocol):
    """An AWS inside this process. It serves one world at a time; tables are named by their logical
    id.
    """

    @property
    def stores(self) -> Stores:
        """The tables and keys of the world that is running."""

    @property
    def channels(self) -> Channels:
        """The topic and queues of the world that is running."""

    def started(self) -> AbstractContextManager[Wire]:
        """Give the wire to an AWS in which the template's resources have just been made, until the
        block ends.
        """

    def items(self, table: str) -> list[Item]:
        """Return every item of a table, as plain values that are the caller's own."""

    def get(self, table: str, key: Item) -> Item | None:
        """Return the item of a whole key."""

    def put(self, table: str, item: Item) -> None:
        """Write an item, as an operator would: unwatched, and never struck by a fault."""

    def take_stream_records(self, table: str) -> list[dict[str, Any]]:
        """Return what a table's stream holds, oldest first, and empty it."""

    def queued_bodies(self, queue_url: str) -> list[str]:
        """Return the bodies of all messages of a queue, visible or not: the API shows only those it
        hands out.
        """

    def has_visible(self, queue_url: str) -> bool:
        """Tell whether a queue would hand out a message now; asking counts no reception."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let whatever asks the system for randomness get the numbers of a seed."""
    draw = Random(seed).randbytes  # noqa: S311 - repeatable on purpose
    # `random` keeps a name of its own for it, which `secrets` goes by.
    with patch("os.urandom", draw), patch("random._urandom", draw):
        yield


def create_hash_keys(kms: KMSClient) -> dict[HashKey, str]:
    """Create the keys of the keyed hashes as the template has them."""
    resources = read_template()["Resources"]
    described = {key: resources[key.logical_id]["Properties"] for key in HashKey}
    return {
        key: kms.create_key(KeySpec=one["KeySpec"], KeyUsage=one["KeyUsage"])["KeyMetadata"]["KeyId"]
        for key, one in described.items()
    }


def create_stores(operator: Unwatched) -> Stores:
    """Create the tables and keys of the template, and the identity that e-mails are sent from."""
    stores = Stores(
        tables=create_tables(operator.dynamodb),
        encryption_key=operator.kms.create_key()["KeyMetadata"]["KeyId"],
        hash_keys=create_hash_keys(operator.kms),
    )
    operator.ses.create_email_identity(EmailIdentity=SENDER_DOMAIN)
    operator.ses.create_configuration_set(ConfigurationSetName="messages")
    return stores


def create_channels(operator: Unwatched) -> Channels:
    """Create the topics that functions publish to and the queues of the template."""
    topic = operator.sns.create_topic(Name="helpdesk")["TopicArn"]
    platform_topic = operator.sns.create_topic(Name="platform")["TopicArn"]
    dead_letter_queue = operator.sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    queue = read_template()["Resources"]["RetryQueue"]["Properties"]
    redrive = {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letters",
        "maxReceiveCount": queue["RedrivePolicy"]["maxReceiveCount"],
    }
    retry_queue = operator.sqs.create_queue(
        QueueName="retries",
        Attributes={"VisibilityTimeout": str(queue["VisibilityTimeout"]), "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    platform_dead_letters = operator.sqs.create_queue(QueueName="platform-dead-letters")["QueueUrl"]
    return Channels(topic, platform_topic, retry_queue, dead_letter_queue, platform_dead_letters)
