"""Composes reissue from its settings and clients."""

from dataclasses import dataclass

from reassort.aws import Clients
from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash
from reassort.reissue_transaction import ReissueTables
from reassort.sealing import Sealer

from reissue.deps import Deps


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    site_origin: str
    encryption_key: str
    sign_in_hash_key: str
    proof_hash_key: str
    reissue_hash_key: str
    identifier_hash_key: str
    voters_table: str
    identifiers_table: str
    sign_in_table: str
    deliveries_table: str
    register_table: str
    limits_table: str
    control_table: str


def build(settings: Settings, clients: Clients, clock: Clock, election: Election, keyed_hash: KeyedHash) -> Deps:
    """Return what the routes need. The key of `keyed_hash` may come later."""
    return Deps(
        dynamodb=clients.dynamodb,
        keyed_hash=keyed_hash,
        sealer=Sealer(clients.kms, settings.encryption_key),
        election=election,
        clock=clock,
        event_log=EventLog("reissue"),
        site_origin=settings.site_origin,
        tables=ReissueTables(
            settings.voters_table,
            settings.identifiers_table,
            settings.deliveries_table,
            settings.register_table,
            settings.control_table,
        ),
        sign_in_table=settings.sign_in_table,
        limits_table=settings.limits_table,
    )
