"""Lambda entry point of delivery: the outbox's stream, the retry queue, and one sweep a minute."""

from dataclasses import dataclass
from typing import Any

from reassort.aws import Clients
from reassort.clock import utc_now
from reassort.election import packaged_election
from reassort.logs import Journal
from reassort.sealing import Opener
from reassort.settings import read_settings

from notify.claims import Claims
from notify.delivering import Delivering
from notify.providers import Providers
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
    retry_queue: str
    sender_domain: str
    configuration_set: str
    helpdesk_topic: str


def _start() -> tuple[Triggers, Journal]:
    settings = read_settings(Settings)
    clients = Clients()
    election = packaged_election(settings.election)
    dynamodb = clients.dynamodb()
    journal = Journal("notify")
    delivering = Delivering(
        dynamodb=dynamodb,
        voters_table=settings.voters_table,
        claims=Claims(dynamodb, settings.deliveries_table, election),
        opener=Opener(clients.kms(), settings.encryption_key),
        providers=Providers(
            ses=clients.ses(),
            sns=clients.sns(),
            election=election,
            sender_domain=settings.sender_domain,
            configuration_set=settings.configuration_set,
            helpdesk_topic=settings.helpdesk_topic,
        ),
        texts=Texts(election, settings.site_origin),
        election=election,
        clock=utc_now,
        journal=journal,
    )
    return Triggers(delivering, clients.sqs(), settings.retry_queue, settings.deliveries_table), journal


_triggers, _journal = _start()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a stream, queue or schedule event."""
    _journal.begin(context.aws_request_id)
    records = event.get("Records")
    if not records:
        return _triggers.on_schedule()
    if records[0]["eventSource"] == "aws:dynamodb":
        return _triggers.on_stream(event)
    return _triggers.on_queue(event)
