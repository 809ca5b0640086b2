"""Sending the same identifier again by the other channel. Nothing is issued."""

from datetime import datetime

from reassort.clock import epoch_milliseconds
from reassort.election import Election
from reassort.outbox import Channel, Delivery, Message, QueueAgain, Status
from reassort.phone_use import PHONE_ACTION, count_sms
from reassort.problems import Code, FieldFault, Problem
from reassort.sessions import Session, Token
from reassort.tables import Action, ConditionFailedError, update, write_all
from reassort.voters import SAME_FAILURES, UNCHANGED, IdentifierStatus, Voter

from reissue.deps import Deps
from reissue.form import Accepted
from reissue.numen_check import is_numen_right, raise_if_locked, record_numen_failure
from reissue.phone_limits import phone_problem, takes_sms
from reissue.signed_in import SignedIn, read_signed_in

_CHANNEL_MESSAGE = "Choisissez l’autre moyen de réception."
_LIMIT_RETRY_SECONDS = 3600
_IN_PROGRESS_RETRY_SECONDS = 5


class NumenWantedError(Exception):
    """The mailbox alone is no proof: the voter's NUMEN is wanted as well."""


def needs_numen(delivery: Delivery, session: Session) -> bool:
    """Tell whether sending again by e-mail what was asked for by SMS needs the NUMEN.

    Otherwise anyone who reads the mailbox could sign in and have the identifier. The session in
    which the reissue was asked for has proven it.
    """
    return delivery.channel is Channel.SMS and delivery.session != session.key


def possible_channels(signed_in: SignedIn, delivery: Delivery, now: datetime, deps: Deps) -> list[Channel]:
    """Return by which channels a redelivery would be accepted now: what the page may offer.

    The very checks that refuse a redelivery decide it. Of a number the count of its SMS is read as
    well, only when all else lets an SMS go.
    """
    return [channel for channel in Channel if _is_possible(channel, signed_in, delivery, now, deps)]


def _is_possible(channel: Channel, signed_in: SignedIn, delivery: Delivery, now: datetime, deps: Deps) -> bool:
    try:
        raise_if_refused(channel, delivery, signed_in.voter, now, deps.election)
        if needs_numen(delivery, signed_in.session):
            raise_if_locked(signed_in.voter, now, deps.election)
    except Problem:
        return False
    return channel is not Channel.SMS or takes_sms(delivery.phone_hash, delivery.voter_id, now, deps)


def request_redelivery(token: Token, reference: str, channel: Channel, numen: str | None, deps: Deps) -> Accepted:
    """Queue the identifier of a reissue again, by `channel`. Asking twice queues it once.

    `numen` is normalised, None when none was given.

    Raises:
        NumenWantedError: `numen` is None and needed.
        Problem: `not-found`, `superseded`, `already-delivered`, `already-voted`, `frozen`,
            `window-closed`, `redelivery-expired`, `too-many-redeliveries`, `delivery-in-progress`,
            `phone-in-use`, `invalid-fields`, `numen-mismatch`, `locked`.
    """
    now = deps.clock()
    signed_in = read_signed_in(token, now, deps, reference)
    delivery = signed_in.own_delivery()
    if channel is delivery.channel and (delivery.redeliveries or delivery.fell_back):
        raise_if_not_redeliverable(delivery, signed_in.voter, now, deps.election)
        if delivery.status is not Status.FAILED:
            # Asked for already, or done by itself after the other channel failed.
            return _accepted(delivery, channel)
    raise_if_refused(channel, delivery, signed_in.voter, now, deps.election)
    actions = [_queue_again(delivery, channel, now, deps)]
    if needs_numen(delivery, signed_in.session):
        actions.append(_prove(numen, signed_in.voter, now, deps))
    if channel is Channel.SMS:
        actions.append(count_sms(deps.limits_table, delivery.phone_hash, delivery.voter_id, now, deps.election))
    try:
        write_all(deps.dynamodb, actions)
    except ConditionFailedError as refusal:
        if refusal.refused == {PHONE_ACTION}:
            raise phone_problem(token.voter_id, refusal, now, deps) from refusal
        # Being sent, or changed by another request since it was read: the status page tells.
        raise _in_progress() from refusal
    return _accepted(delivery, channel)


def _accepted(delivery: Delivery, channel: Channel) -> Accepted:
    return Accepted(delivery.delivery_id, delivery.generation, channel, delivery.destinations[channel])


def _in_progress() -> Problem:
    return Problem(Code.DELIVERY_IN_PROGRESS, retry_after=_IN_PROGRESS_RETRY_SECONDS)


def _prove(numen: str | None, voter: Voter, now: datetime, deps: Deps) -> Action:
    """Compare the NUMEN. The write that is returned is refused when a wrong one slipped in."""
    if numen is None:
        raise NumenWantedError
    raise_if_locked(voter, now, deps.election)
    if not is_numen_right(numen, voter, deps):
        try:
            raise record_numen_failure(voter, now, deps)
        except ConditionFailedError as refusal:
            raise _in_progress() from refusal
    return update(
        "voter",
        deps.tables.voters,
        {"voter_id": voter.voter_id},
        "SET numen_failures = :zero, numen_locked_until = :zero",
        f"{UNCHANGED} AND {SAME_FAILURES}",
        {
            ":zero": 0,
            ":read_length": voter.chain_length,
            ":read_failures": voter.numen_failures,
            ":read_locked_until": voter.numen_locked_until,
        },
    )


def raise_if_refused(channel: Channel, delivery: Delivery, voter: Voter, now: datetime, election: Election) -> None:
    """Refuse what cannot be sent again by a channel, as far as delivery and voter tell.

    Raises:
        Problem: as `request_redelivery`, except the NUMEN and the number's limits.
    """
    raise_if_not_redeliverable(delivery, voter, now, election)
    if channel not in delivery.destinations or delivery.has_failed_for_good(channel):
        # An operator asked for it, by e-mail alone: there is no telephone number to send it to. Or
        # a second message would fail like the first.
        raise Problem(Code.REDELIVERY_EXPIRED)
    if channel is delivery.channel:
        raise Problem(Code.INVALID_FIELDS, errors=(FieldFault("channel", "invalid", _CHANNEL_MESSAGE),))
    if delivery.redeliveries >= election.limits.redeliveries:
        raise Problem(Code.TOO_MANY_REDELIVERIES, retry_after=_LIMIT_RETRY_SECONDS)
    if delivery.payload is None:
        raise Problem(Code.REDELIVERY_EXPIRED)
    if delivery.is_being_sent(Message.IDENTIFIER, epoch_milliseconds(now)):
        raise _in_progress()


def raise_if_not_redeliverable(delivery: Delivery, voter: Voter, now: datetime, election: Election) -> None:
    """Refuse an identifier that has arrived, or that is of no use any more."""
    if delivery.generation < voter.generation or delivery.superseded_at is not None:
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
    again = QueueAgain.identifier(delivery, channel, epoch_milliseconds(now))
    return update(
        "delivery",
        deps.tables.deliveries,
        {"delivery_id": delivery.delivery_id},
        f"SET {again.assignments}, redeliveries = redeliveries + :one REMOVE parked_at",
        f"{as_read} AND {not_being_sent} AND {not_arrived}",
        {
            **again.values,
            ":one": 1,
            ":read_redeliveries": delivery.redeliveries,
            ":read_round": delivery.round_of(Message.IDENTIFIER),
            ":sending": Status.SENDING.value,
            ":delivered": Status.DELIVERED.value,
        },
        {"#status": "status", "#round": "round"},
    )
