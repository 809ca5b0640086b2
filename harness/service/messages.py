"""Every message that the service sends for an election, filled with the same invented voter each
time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from notify.canary import Canary
from notify.texts import Email, Texts
from reassort.addresses import mask_address
from reassort.clock import epoch_milliseconds
from reassort.identifiers import ALPHABET, check_symbol, show_identifier
from reassort.outbox import (
    Channel,
    Delivery,
    Message,
    Status,
    canary_delivery_item,
    code_delivery_item,
    delivery_from_item,
    history_step,
    reissue_delivery_item,
)
from reassort.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reassort.election import Election

ORIGIN = "https://reassort.example.fr"
REFERENCE = "7K3M9-QWX2T"
DISPUTE = f"{REFERENCE}.mJ4nQ2vX8tLz6sKc1wPb9yRd5hGf3aTe7uVi0oZxNkM"
CODE = "480213"
MASKED_PHONE = "•• •• •• 56 78"
_VOTER_ID = "q0Zk3mTn8yVb5sWc1xLd7A"


def day_before_the_vote(election: Election) -> datetime:
    """Return when the invented voter first signs in: 9 h 15 UTC, while the helpdesk keeps its hours
    outside of the vote.
    """
    return (election.windows.voting.opens_at - timedelta(days=1)).astimezone(UTC).replace(hour=9, minute=15)


def second_day_of_the_vote(election: Election) -> datetime:
    """Return when the invented voter asks for an identifier: 9 h 15 UTC."""
    return (election.windows.voting.opens_at + timedelta(days=1)).astimezone(UTC).replace(hour=9, minute=15)


def identifier(election: Election) -> str:
    """Return the same well-formed identifier at each call."""
    symbols = (ALPHABET * 2)[7 : 7 + election.identifier.symbols]
    return show_identifier(symbols + check_symbol(symbols), election.identifier)


def masked_address(election: Election) -> str:
    """Return the voter's address as voters see it."""
    return mask_address(f"claire.martin@{election.domain_names[0]}")


def payload(election: Election) -> dict[str, str]:
    """Return what is sealed in the delivery of a reissue."""
    return {"identifier": identifier(election), "phone": "+33612345678", "dispute": DISPUTE}


def reissue_delivery(
    election: Election,
    generation: int = 2,
    channel: Channel = Channel.SMS,
    *,
    fell_back: bool = False,
) -> Delivery:
    """Return the delivery of a reissue."""
    item = reissue_delivery_item(
        reference=REFERENCE,
        voter_id=_VOTER_ID,
        generation=generation,
        channel=channel,
        destinations={Channel.SMS: MASKED_PHONE, Channel.EMAIL: masked_address(election)},
        phone_hash="phone",
        address=b"sealed",
        payload=b"sealed",
        request_hash="request",
        now=second_day_of_the_vote(election),
        retention=election.retention,
    )
    delivery = delivery_from_item(item)
    if not fell_back:
        return delivery
    failed = history_step(delivery.created_at, Message.IDENTIFIER, Status.FAILED, channel.other, Reason.NO_ANSWER)
    return replace(delivery, fell_back=True, history=(*delivery.history, failed))


def code_delivery(election: Election) -> Delivery:
    """Return the delivery of a one-time code."""
    item = code_delivery_item(
        delivery_id="delivery",
        voter_id=_VOTER_ID,
        address=b"sealed",
        payload=b"sealed",
        source="source",
        now=day_before_the_vote(election),
        lifetime=timedelta(minutes=election.limits.code.lifetime_minutes),
    )
    return delivery_from_item(item)


def canary_delivery(election: Election, channel: Channel) -> Delivery:
    """Return the delivery of a canary."""
    due = second_day_of_the_vote(election)
    item = canary_delivery_item(
        delivery_id=Canary(election.domain_names[0], channel, epoch_milliseconds(due)).delivery_id,
        channel=channel,
        address=b"sealed" if channel is Channel.EMAIL else None,
        payload=b"sealed",
        now=due,
    )
    return delivery_from_item(item)


def emails(election: Election) -> Iterator[tuple[str, Email]]:
    """Give every e-mail of an election, by name."""
    texts = Texts(election, ORIGIN)
    sealed = payload(election)
    by_sms = reissue_delivery(election)
    by_email = reissue_delivery(election, channel=Channel.EMAIL)
    fallback = reissue_delivery(election, channel=Channel.EMAIL, fell_back=True)
    yield "code", texts.code_email(code_delivery(election), {"code": CODE})
    yield "identifier", texts.identifier_email(by_email, sealed)
    yield "identifier-after-sms", texts.identifier_email(fallback, sealed)
    yield "confirmation-sms", texts.confirmation_email(by_sms, sealed)
    yield "confirmation-email", texts.confirmation_email(by_email, sealed)
    yield "confirmation-after-sms", texts.confirmation_email(fallback, sealed)
    by_sms_instead = reissue_delivery(election, fell_back=True)
    yield "confirmation-after-email", texts.confirmation_email(by_sms_instead, sealed)
    yield "canary", texts.canary_email(canary_delivery(election, Channel.EMAIL))


def sms(election: Election, generation: int = 2) -> str:
    """Return the SMS with the identifier of a generation."""
    return Texts(election, ORIGIN).identifier_sms(reissue_delivery(election, generation), payload(election))


def canary_sms(election: Election) -> str:
    """Return the SMS of a canary."""
    return Texts(election, ORIGIN).canary_sms(canary_delivery(election, Channel.SMS))


def alert(election: Election) -> str:
    """Return what the helpdesk is told of a dispute."""
    return Texts(election, ORIGIN).dispute_alert(reissue_delivery(election))
