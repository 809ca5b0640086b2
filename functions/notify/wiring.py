"""Composes delivery from its settings and clients."""

from collections.abc import Callable
from dataclasses import dataclass

from reassort.aws import Clients
from reassort.clock import Clock
from reassort.election import Election
from reassort.event_log import EventLog
from reassort.outbox import OutboxTables
from reassort.sealing import Opener, Sealer

from notify.deps import Deps
from notify.meters import Meters
from notify.pacing import Pace
from notify.providers import Providers
from notify.texts import Texts


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    site_origin: str
    encryption_key: str
    watched_keys: str
    voters_table: str
    deliveries_table: str
    code_deliveries_table: str
    pace_table: str
    limits_table: str
    retry_queue: str
    sender_domain: str
    configuration_set: str
    helpdesk_topic: str
    metrics_namespace: str


def build(
    settings: Settings, clients: Clients, clock: Clock, election: Election, write: Callable[[str], object] = print
) -> Deps:
    """Return what the triggers need. `write` is given each line of metrics."""
    return Deps(
        dynamodb=clients.dynamodb,
        sqs=clients.sqs,
        kms=clients.kms,
        watched_keys=tuple(settings.watched_keys.split()),
        opener=Opener(clients.kms, settings.encryption_key),
        sealer=Sealer(clients.kms, settings.encryption_key),
        providers=Providers(
            ses=clients.ses,
            sns=clients.sns,
            election=election,
            sender_domain=settings.sender_domain,
            configuration_set=settings.configuration_set,
            helpdesk_topic=settings.helpdesk_topic,
        ),
        pace=Pace(clients.dynamodb, settings.pace_table, election),
        texts=Texts(election, settings.site_origin),
        election=election,
        clock=clock,
        event_log=EventLog("notify"),
        meters=Meters(settings.metrics_namespace, election.domain_names, write),
        voters_table=settings.voters_table,
        outbox=OutboxTables(settings.code_deliveries_table, settings.deliveries_table),
        pace_table=settings.pace_table,
        limits_table=settings.limits_table,
        retry_queue=settings.retry_queue,
    )
