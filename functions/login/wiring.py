"""Composes sign-in from its settings and clients."""

from dataclasses import dataclass

from reassort.aws import Clients
from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash
from reassort.sealing import Sealer

from login.deps import Deps


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    site_origin: str
    source_header: str
    encryption_key: str
    voter_hash_key: str
    sign_in_hash_key: str
    sign_in_table: str
    code_deliveries_table: str
    voters_table: str


def build(settings: Settings, clients: Clients, clock: Clock, election: Election, keyed_hash: KeyedHash) -> Deps:
    """Return what the routes need. The key of `keyed_hash` may come later."""
    return Deps(
        dynamodb=clients.dynamodb,
        keyed_hash=keyed_hash,
        sealer=Sealer(clients.kms, settings.encryption_key),
        election=election,
        clock=clock,
        event_log=EventLog("login"),
        site_origin=settings.site_origin,
        source_header=settings.source_header,
        sign_in_table=settings.sign_in_table,
        code_deliveries_table=settings.code_deliveries_table,
        voters_table=settings.voters_table,
    )
