"""Lambda entry point of the events for the voting platform: the register's stream."""

from dataclasses import dataclass
from typing import Any

from reassort import start
from reassort.aws import Clients
from reassort.keyed_hash import KeyedHash
from reassort.logs import Journal
from reassort.settings import read_settings

from announce.announcing import Announcing


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    hmac_key: str
    platform_topic: str
    platform_dead_letters: str


def _start() -> tuple[Announcing, Journal]:
    settings = read_settings(Settings)
    clients = Clients()
    kms = clients.kms()
    keyed_hash = KeyedHash()
    journal = Journal("announce")
    announcing = Announcing(
        sns=clients.topics(),
        sqs=clients.sqs(),
        topic=settings.platform_topic,
        dead_letters=settings.platform_dead_letters,
        keyed_hash=keyed_hash,
        election_id=settings.election,
        journal=journal,
    )
    start.begin(lambda: keyed_hash.derive(kms, settings.hmac_key, settings.election))
    return announcing, journal


_announcing, _journal = _start()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an event of the register's stream."""
    _journal.begin(context.aws_request_id)
    return _announcing.on_stream(event)
