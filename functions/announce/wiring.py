"""Composes the events for the voting platform from their settings and clients."""

from dataclasses import dataclass

from reassort.aws import Clients
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash

from announce.deps import Deps


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    handle_hash_key: str
    platform_topic: str
    platform_dead_letters: str


def build(settings: Settings, clients: Clients, keyed_hash: KeyedHash) -> Deps:
    """Return what announcing needs. The key of `keyed_hash` may come later."""
    return Deps(
        sns=clients.topics,
        sqs=clients.sqs,
        topic=settings.platform_topic,
        dead_letters=settings.platform_dead_letters,
        keyed_hash=keyed_hash,
        election_id=settings.election,
        event_log=EventLog("announce"),
    )
