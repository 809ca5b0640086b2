"""Composes the helpdesk from its settings and clients."""

from dataclasses import dataclass

from reassort.aws import Clients
from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.keyed_hash import KeyedHash
from reassort.outbox import OutboxTables
from reassort.reissue_transaction import ReissueTables
from reassort.sealing import Sealer

from helpdesk.agents import Role
from helpdesk.deps import Deps


@dataclass(frozen=True)
class Settings:
    """What the template gives this function. The roles are names."""

    election: str
    encryption_key: str
    voter_hash_key: str
    reissue_hash_key: str
    identifier_hash_key: str
    voters_table: str
    identifiers_table: str
    sign_in_table: str
    deliveries_table: str
    code_deliveries_table: str
    register_table: str
    control_table: str
    helpdesk_record_table: str
    agent_role: str
    supervisor_role: str
    auditor_role: str


def build(settings: Settings, clients: Clients, clock: Clock, election: Election, keyed_hash: KeyedHash) -> Deps:
    """Return what the routes need. The key of `keyed_hash` may come later."""
    return Deps(
        dynamodb=clients.dynamodb,
        keyed_hash=keyed_hash,
        sealer=Sealer(clients.kms, settings.encryption_key),
        election=election,
        clock=clock,
        event_log=EventLog("helpdesk"),
        roles={
            settings.agent_role: Role.AGENT,
            settings.supervisor_role: Role.SUPERVISOR,
            settings.auditor_role: Role.AUDITOR,
        },
        tables=ReissueTables(
            settings.voters_table,
            settings.identifiers_table,
            settings.deliveries_table,
            settings.register_table,
            settings.control_table,
        ),
        outbox=OutboxTables(settings.code_deliveries_table, settings.deliveries_table),
        sign_in_table=settings.sign_in_table,
        record_table=settings.helpdesk_record_table,
    )
