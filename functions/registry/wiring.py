"""Composes the registry from its settings and clients."""

from dataclasses import dataclass

from reassort.aws import Clients
from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash

from registry.deps import Deps


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    identifier_hash_key: str
    handle_hash_key: str
    identifiers_table: str
    voters_table: str
    register_table: str


def build(settings: Settings, clients: Clients, clock: Clock, election: Election, keyed_hash: KeyedHash) -> Deps:
    """Return what the routes need. The key of `keyed_hash` may come later."""
    return Deps(
        dynamodb=clients.dynamodb,
        keyed_hash=keyed_hash,
        election=election,
        clock=clock,
        event_log=EventLog("registry"),
        identifiers_table=settings.identifiers_table,
        voters_table=settings.voters_table,
        register_table=settings.register_table,
    )
