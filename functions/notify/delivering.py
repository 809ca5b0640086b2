"""Delivering one item of the outbox: each of its messages is claimed, checked, opened, sent once and recorded, alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from reassort.clock import epoch_milliseconds
from reassort.outbox import SETTLED, Channel, Delivery, Kind, Message, Status
from reassort.tables import read_one

from notify.providers import RefusedError, ThrottledError

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.clock import Clock
    from reassort.election import Election
    from reassort.logs import Journal
    from reassort.sealing import Opener

    from notify.claims import Claim, Claims
    from notify.providers import Providers
    from notify.texts import Texts

# With waits that double from 5 s up to 15 min, twelve attempts span about an hour.
MAX_ATTEMPTS = 12
_FIRST_WAIT_SECONDS = 5
# SQS delays a message by 15 minutes at most.
_LONGEST_WAIT_SECONDS = 900


@dataclass(frozen=True)
class Delivering:
    """What delivering needs."""

    dynamodb: DynamoDBClient
    voters_table: str
    claims: Claims
    opener: Opener
    providers: Providers
    texts: Texts
    election: Election
    clock: Clock
    journal: Journal


def deliver(delivery: Delivery, deps: Delivering) -> int | None:
    """Send what the delivery still owes.

    Returns:
        The seconds after which to try again, or None when nothing is left to do.

    Raises:
        botocore.exceptions.ClientError: the tables or KMS cannot be reached; nothing is lost, try again.
    """
    now = deps.clock()
    generation = _current_generation(delivery.voter_id, deps)
    if generation is None and delivery.kind is Kind.CODE:
        # The address is not on the roll. Sign-in does not know; this is where the path of strangers ends.
        deps.claims.delete(delivery)
        return None
    outdated = generation is not None and generation > delivery.generation
    if delivery.kind is Kind.REISSUE and outdated and delivery.superseded_at is None:
        deps.claims.mark_superseded(delivery, now)
        refreshed = deps.claims.read(delivery.delivery_id)
        if refreshed is None:
            return None
        delivery = refreshed
    waits: list[int] = []
    for message in delivery.messages:
        delivery, wait = _deliver_message(delivery, message, deps)
        if wait is not None:
            waits.append(wait)
    if delivery.all_settled:
        deps.claims.close_delivery(delivery, deps.clock())
    return min(waits, default=None)


def _deliver_message(delivery: Delivery, message: Message, deps: Delivering) -> tuple[Delivery, int | None]:
    now = deps.clock()
    state = delivery.messages[message]
    if delivery.status_of(message) in SETTLED:
        return delivery, None
    if message is Message.IDENTIFIER and (delivery.superseded_at or delivery.disputed_at):
        return deps.claims.settle_unsent(delivery, message, Status.SUPERSEDED, now) or delivery, None
    if state["attempts"] >= MAX_ATTEMPTS or _too_late(delivery, now, deps.election):
        deps.journal.warn("delivery failed", delivery=delivery.delivery_id, message_name=message.value)
        return deps.claims.settle_unsent(delivery, message, Status.FAILED, now) or delivery, None
    claim = deps.claims.claim_message(delivery, message, now)
    if claim is None:
        return delivery, None
    try:
        message_id = _send(claim, deps)
    except RefusedError as refusal:
        deps.journal.warn("delivery refused", delivery=delivery.delivery_id, reason=refusal.reason)
        recorded = deps.claims.record_outcome(claim, Status.FAILED, deps.clock(), reason=refusal.reason)
        return recorded or claim.delivery, None
    except ThrottledError:
        return claim.delivery, _release_until_retry(claim, deps, keeps_budget=True)
    except (ClientError, BotoCoreError) as error:
        # Whether it was sent is unknown: the same text goes again, and at worst arrives twice.
        deps.journal.fault("delivery attempt failed", error, delivery=delivery.delivery_id)
        return claim.delivery, _release_until_retry(claim, deps, keeps_budget=False)
    recorded = deps.claims.record_outcome(claim, Status.SENT, deps.clock(), message_id=message_id)
    deps.journal.record(
        "handed over",
        delivery=delivery.delivery_id,
        message_name=message.value,
        channel=delivery.channel.value if message is Message.IDENTIFIER else Channel.EMAIL.value,
        milliseconds=epoch_milliseconds(deps.clock()) - delivery.created_at,
    )
    return recorded or claim.delivery, None


def _release_until_retry(claim: Claim, deps: Delivering, *, keeps_budget: bool) -> int:
    wait = _wait(claim.tries)
    deps.claims.release_claim(claim, deps.clock(), wait, keeps_budget=keeps_budget)
    return wait


def _send(claim: Claim, deps: Delivering) -> str:
    delivery, message = claim.delivery, claim.message
    if message is Message.ALERT:
        return deps.providers.alert_helpdesk(deps.texts.dispute_alert(delivery))
    payload = deps.opener.open_payload(delivery.delivery_id, delivery.payload or b"")
    if message is Message.IDENTIFIER and delivery.channel is Channel.SMS:
        return deps.providers.send_sms(payload["phone"], deps.texts.identifier_sms(delivery, payload))
    match message:
        case Message.CODE:
            email = deps.texts.code_email(delivery, payload)
        case Message.IDENTIFIER:
            email = deps.texts.identifier_email(delivery, payload)
        case Message.CONFIRMATION:
            email = deps.texts.confirmation_email(delivery, payload)
    address = deps.opener.open_address(delivery.voter_id, delivery.address or b"")
    return deps.providers.send_email(address, email, delivery.delivery_id, message.value)


def _current_generation(voter_id: str, deps: Delivering) -> int | None:
    item = read_one(deps.dynamodb, deps.voters_table, {"voter_id": voter_id})
    return item["generation"] if item else None


def _too_late(delivery: Delivery, now: datetime, election: Election) -> bool:
    """Tell whether the code of a delivery has expired: sending it would only confuse."""
    lifetime = election.limits.code.lifetime_minutes * 60_000
    return delivery.kind is Kind.CODE and epoch_milliseconds(now) >= delivery.created_at + lifetime


def _wait(tries: int) -> int:
    # Beyond some ten tries the power only grows without effect.
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(tries - 1, 10))
    return max(1, round(random.uniform(longest / 2, longest)))  # noqa: S311 - jitter
