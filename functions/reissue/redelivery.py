"""Sending the same identifier again by the other channel. Nothing is issued."""

from datetime import datetime

from reassort.clock import epoch_milliseconds
from reassort.election import Election
from reassort.outbox import Channel, Delivery, Message, QueueAgain, Status
from reassort.problems import Code, FieldFault, Problem
from reassort.sessions import Token
from reassort.tables import Action, ConditionFailedError, update, write_all
from reassort.voters import IdentifierStatus, Voter

from reissue.deps import Deps
from reissue.form import Accepted
from reissue.phone_limits import PHONE_ACTION, count_sms, phone_problem
from reissue.signed_in import read_signed_in

_CHANNEL_MESSAGE = "Choisissez l’autre moyen de réception."
_LIMIT_RETRY_SECONDS = 3600
_IN_PROGRESS_RETRY_SECONDS = 5


def request_redelivery(token: Token, reference: str, channel: Channel, deps: Deps) -> Accepted:
    """Queue the identifier of a reissue again, by `channel`. Asking twice queues it once.

    Raises:
        Problem: `not-found`, `superseded`, `already-delivered`, `already-voted`, `frozen`,
            `window-closed`, `redelivery-expired`, `too-many-redeliveries`, `delivery-in-progress`,
            `phone-in-use`, `invalid-fields`.
    """
    now = deps.clock()
    signed_in = read_signed_in(token, now, deps, reference)
    delivery = signed_in.own_delivery()
    raise_if_not_redeliverable(delivery, signed_in.voter, now, deps.election)
    if channel not in delivery.destinations:
        # An operator asked for it, by e-mail alone: there is no telephone number to send it to.
        raise Problem(Code.REDELIVERY_EXPIRED)
    accepted = Accepted(reference, delivery.generation, channel, delivery.destinations[channel])
    if channel is delivery.channel:
        if (delivery.redeliveries or delivery.fell_back) and delivery.status is not Status.FAILED:
            # Asked for already, or done by itself after an SMS that failed.
            return accepted
        raise Problem(Code.INVALID_FIELDS, errors=(FieldFault("channel", "invalid", _CHANNEL_MESSAGE),))
    if delivery.redeliveries >= deps.election.limits.redeliveries:
        raise Problem(Code.TOO_MANY_REDELIVERIES, retry_after=_LIMIT_RETRY_SECONDS)
    if delivery.payload is None:
        raise Problem(Code.REDELIVERY_EXPIRED)
    actions = [_queue_again(delivery, channel, now, deps)]
    if channel is Channel.SMS:
        actions.append(count_sms(delivery.phone_hash, delivery.voter_id, now, deps))
    try:
        write_all(deps.dynamodb, actions)
    except ConditionFailedError as refusal:
        if refusal.refused == {PHONE_ACTION}:
            raise phone_problem(token.voter_id, refusal, now, deps) from refusal
        # Being sent, or changed by another request since it was read: the status page tells.
        raise Problem(Code.DELIVERY_IN_PROGRESS, retry_after=_IN_PROGRESS_RETRY_SECONDS) from refusal
    return accepted


def raise_if_not_redeliverable(delivery: Delivery, voter: Voter, now: datetime, election: Election) -> None:
    """Refuse an identifier that has arrived, or that is of no use any more."""
    if delivery.generation < voter.generation:
        raise Problem(Code.SUPERSEDED)
    if delivery.disputed_at is not None:
        raise Problem(Code.FROZEN)
    match voter.identifier_status(delivery.generation):
        case IdentifierStatus.USED:
            raise Problem(Code.ALREADY_VOTED)
        case IdentifierStatus.FROZEN:
            raise Problem(Code.FROZEN)
    if delivery.status is Status.DELIVERED:
        raise Problem(Code.ALREADY_DELIVERED)
    if not election.windows.reissue.contains(now):
        raise Problem(Code.WINDOW_CLOSED)


def _queue_again(delivery: Delivery, channel: Channel, now: datetime, deps: Deps) -> Action:
    as_read = (
        "attribute_exists(payload) AND redeliveries = :read_redeliveries AND messages.identifier.#round = :read_round "
        "AND attribute_not_exists(superseded_at) AND attribute_not_exists(disputed_at)"
    )
    not_being_sent = "NOT (messages.identifier.#status = :sending AND messages.identifier.lease_until > :now)"
    not_arrived = "messages.identifier.#status <> :delivered"
    anew = QueueAgain.identifier(delivery, channel, epoch_milliseconds(now))
    return update(
        "delivery",
        deps.deliveries_table,
        {"delivery_id": delivery.delivery_id},
        f"SET {anew.assignments}, redeliveries = redeliveries + :one REMOVE parked_at",
        f"{as_read} AND {not_being_sent} AND {not_arrived}",
        {
            **anew.values,
            ":one": 1,
            ":read_redeliveries": delivery.redeliveries,
            ":read_round": delivery.round_of(Message.IDENTIFIER),
            ":sending": Status.SENDING.value,
            ":delivered": Status.DELIVERED.value,
        },
        {"#status": "status", "#round": "round"},
    )
