"""Lambda entry point of delivery: the outbox's stream, the retry queue, one sweep a minute, and the providers' receipts."""

from dataclasses import dataclass
from typing import Any

from reassort import start
from reassort.aws import Clients
from reassort.clock import utc_now
from reassort.election import packaged_election
from reassort.logs import Journal
from reassort.sealing import Opener, Sealer
from reassort.settings import read_settings

from notify.canary import Canaries
from notify.claims import Claims
from notify.delivering import Delivering
from notify.meters import Meters
from notify.pacing import Pace
from notify.providers import Providers
from notify.receiving import Receiving
from notify.texts import Texts
from notify.triggers import Triggers


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    site_origin: str
    encryption_key: str
    voters_table: str
    deliveries_table: str
    pace_table: str
    retry_queue: str
    sender_domain: str
    configuration_set: str
    helpdesk_topic: str
    metrics_namespace: str


def _start() -> tuple[Triggers, Journal]:
    settings = read_settings(Settings)
    clients = Clients()
    election = packaged_election(settings.election)
    dynamodb = clients.dynamodb
    kms = clients.kms
    journal = Journal("notify")
    meters = Meters(settings.metrics_namespace, election.domain_names)
    claims = Claims(dynamodb, settings.deliveries_table, election)
    delivering = Delivering(
        dynamodb=dynamodb,
        voters_table=settings.voters_table,
        claims=claims,
        pace=Pace(dynamodb, settings.pace_table, election),
        opener=Opener(kms, settings.encryption_key),
        providers=Providers(
            ses=clients.ses,
            sns=clients.sns,
            election=election,
            sender_domain=settings.sender_domain,
            configuration_set=settings.configuration_set,
            helpdesk_topic=settings.helpdesk_topic,
        ),
        texts=Texts(election, settings.site_origin),
        election=election,
        clock=utc_now,
        journal=journal,
        meters=meters,
    )
    receiving = Receiving(
        dynamodb=dynamodb,
        deliveries_table=settings.deliveries_table,
        claims=claims,
        clock=utc_now,
        journal=journal,
        meters=meters,
    )
    canaries = Canaries(
        dynamodb=dynamodb,
        deliveries_table=settings.deliveries_table,
        pace_table=settings.pace_table,
        sealer=Sealer(kms, settings.encryption_key),
        election=election,
        clock=utc_now,
        journal=journal,
        meters=meters,
    )
    triggers = Triggers(delivering, receiving, canaries, clients.sqs, settings.retry_queue, settings.deliveries_table)
    return triggers, journal


_triggers, _journal = _start()
start.begin()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Answer a stream, queue, schedule, SNS or log event."""
    _journal.begin(context.aws_request_id)
    if "awslogs" in event:
        _triggers.on_sms_log(event)
        return None
    records = event.get("Records")
    if not records:
        return _triggers.on_schedule()
    # SNS alone writes its key with a capital letter.
    match records[0].get("eventSource") or records[0].get("EventSource"):
        case "aws:dynamodb":
            return _triggers.on_stream(event)
        case "aws:sns":
            _triggers.on_email_events(event)
            return None
    return _triggers.on_queue(event)
