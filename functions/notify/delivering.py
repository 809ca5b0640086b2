"""Delivering one item of the outbox: each of its messages waits for its turn, is claimed, opened,
sent once and recorded, alone.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError
from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.election import Election
from reassort.outbox import SETTLED, Channel, Delivery, Kind, Message, Status, delivery_from_item
from reassort.reasons import Reason
from reassort.tables import delete_one, read_many

from notify.claims import Claim, Whose, await_turn, claim_message, record_sent, release_claim
from notify.delivery_writes import read_delivery, write_delivery
from notify.deps import Deps
from notify.erasure import close_delivery
from notify.fallback import fail_claimed, fail_unsent
from notify.pacing import BURST_MILLISECONDS, CodesUsedUpError, DailyCapError, Lane, TurnTooLateError
from notify.providers import RefusedError, ThrottledError
from notify.superseded import mark_superseded, settle_superseded

# With waits that double from 5 s up to 15 min, twelve attempts span about an hour.
MAX_ATTEMPTS = 12
_FIRST_WAIT_SECONDS = 5
# SQS delays a message by 15 minutes at most.
_LONGEST_WAIT_SECONDS = 900
# KMS will never open these: the sealed value is not what this service wrote. Any other refusal of
# KMS passes one day.
_UNOPENABLE = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})


class PoisonError(Exception):
    """What is sealed in a delivery cannot be opened, now or ever."""


@dataclass(frozen=True)
class _Wire:
    """A message that is ready to be sent. `send` makes the one wire attempt and returns the
    provider's message id.
    """

    send: Callable[[], str]
    domain: str | None = None


@dataclass(frozen=True)
class FoundDelivery:
    """A delivery and its voter's current generation, None when there is no such voter; both read
    afresh. `left` tells that the voter is not on the roll any more.
    """

    delivery: Delivery | None
    generation: int | None
    left: bool = False


def find(delivery_id: str, voter_id: str, deps: Deps) -> FoundDelivery:
    """Read a delivery and its voter in one round trip, strongly consistent.

    An event may be old, or come again: what it says of the delivery is not believed.

    Raises:
        ContentionError: the tables are busy.
        botocore.exceptions.ClientError, BotoCoreError: they cannot be reached.
    """
    table = deps.outbox.of(delivery_id)
    found = read_many(deps.dynamodb, {table: {"delivery_id": delivery_id}, deps.voters_table: {"voter_id": voter_id}})
    item, voter = found[table], found[deps.voters_table]
    return FoundDelivery(
        delivery_from_item(item) if item else None,
        voter["generation"] if voter else None,
        left=voter is not None and "left_at" in voter,
    )


def deliver(found: FoundDelivery, deps: Deps) -> list[datetime]:
    """Send what a delivery still owes.

    Returns:
        When to try again, for each message that must wait; empty when nothing is left to do or it
        is planned already.

    Raises:
        PoisonError: what is sealed cannot be opened.
        botocore.exceptions.ClientError, BotoCoreError: the tables cannot be reached; nothing is
            lost, try again.
    """
    now = deps.clock()
    delivery, generation = found.delivery, found.generation
    if delivery is None:
        return []
    if not delivery.is_in_its_table:
        return _refuse(delivery, deps)
    if (generation is None or found.left) and delivery.kind is Kind.CODE:
        # The address is not on the roll. Sign-in does not know; this is where the path of strangers
        # ends.
        delete_one(deps.dynamodb, deps.outbox.of(delivery.delivery_id), {"delivery_id": delivery.delivery_id})
        return []
    outdated = generation is not None and (found.left or generation > delivery.generation)
    if delivery.kind is Kind.REISSUE and outdated and delivery.superseded_at is None:
        mark_superseded(delivery, now, deps)
        refreshed = read_delivery(delivery.delivery_id, deps)
        if refreshed is None:
            return []
        delivery = refreshed
    again: list[datetime] = []
    for message in delivery.messages:
        delivery, at = _deliver_message(delivery, message, deps)
        if at is not None:
            again.append(at)
    if delivery.all_settled:
        close_delivery(delivery, deps.clock(), deps)
    return again


def _refuse(delivery: Delivery, deps: Deps) -> list[datetime]:
    """End and erase a delivery that lies in the table of another kind: who may write there may not
    put that kind. The codes that an update finds among reissues end so too.
    """
    deps.event_log.warn("delivery in another kind's table", delivery=delivery.delivery_id)
    reason = Reason.CODE_EXPIRED if delivery.kind is Kind.CODE else Reason.INTERNAL
    failed = [
        f"messages.{message}.#status = :failed, messages.{message}.reason = :reason" for message in delivery.messages
    ]
    write_delivery(
        deps,
        delivery,
        f"SET {', '.join(failed)} REMOVE payload, address, due_shard, due_at, wake",
        "attribute_exists(delivery_id)",
        {":failed": Status.FAILED.value, ":reason": reason.value},
    )
    return []


def _deliver_message(delivery: Delivery, message: Message, deps: Deps) -> tuple[Delivery, datetime | None]:
    now = deps.clock()
    state = delivery.messages[message]
    if delivery.status_of(message) in SETTLED or state.get("not_before", 0) > epoch_milliseconds(now):
        return delivery, None
    if state.get("lease_until", 0) > epoch_milliseconds(now):
        # Somebody is sending it, or died while sending; by then it shows.
        return delivery, from_milliseconds(state["lease_until"])
    if message is Message.IDENTIFIER and (delivery.superseded_at or delivery.disputed_at):
        return settle_superseded(delivery, message, now, deps) or delivery, None
    if _too_late(delivery, now, deps.election):
        return _fail_unsent(delivery, message, Reason.CODE_EXPIRED, deps), None
    if state["attempts"] >= MAX_ATTEMPTS:
        return _fail_unsent(delivery, message, Reason.NO_ANSWER, deps), None
    if "turn" not in state and message is not Message.ALERT:
        lane = _lane(delivery, message)
        try:
            turn, whose = _take_turn(delivery, message, lane, now, deps)
        except DailyCapError:
            deps.meters.measure_sms(100)
            return _fail_unsent(delivery, message, Reason.SMS_CAP_REACHED, deps), None
        except CodesUsedUpError:
            deps.meters.measure_codes(100)
            return _fail_unsent(delivery, message, Reason.CODES_USED_UP, deps), None
        except TurnTooLateError:
            return _fail_unsent(delivery, message, Reason.CODE_EXPIRED, deps), None
        if lane is Lane.SMS:
            deps.meters.measure_sms(deps.pace.sms_cap_used)
        if lane is Lane.CODE and whose == "turn":
            deps.meters.measure_codes(deps.pace.codes_used)
        until = turn - BURST_MILLISECONDS
        if until > epoch_milliseconds(now):
            waits = await_turn(delivery, message, turn, until, now, deps, whose=whose)
            return delivery, from_milliseconds(until) if waits else None
    claim = claim_message(delivery, message, now, deps)
    if claim is None:
        return delivery, None
    return _attempt(claim, deps)


def _take_turn(delivery: Delivery, message: Message, lane: Lane, now: datetime, deps: Deps) -> tuple[int, Whose]:
    """Return when a message may go, and whose turn that is: the lane's, or first its network's.

    Raises:
        CodesUsedUpError, DailyCapError, TurnTooLateError: it may not go at all.
    """
    if lane is not Lane.CODE:
        return deps.pace.take_turn(lane, now), "turn"
    expires_at = _expires_at(delivery, deps.election)
    if "network_turn" not in delivery.messages[message]:
        with suppress(TurnTooLateError):
            return deps.pace.take_short_turn(delivery.source, now), "turn"
        share = deps.pace.take_share(delivery.source, now, expires_at)
        if share > epoch_milliseconds(now):
            return share, "network_turn"
    return deps.pace.take_code_turn(delivery.source, now, expires_at), "turn"


def _attempt(claim: Claim, deps: Deps) -> tuple[Delivery, datetime | None]:
    """Make one wire attempt under a claim, and record what came of it."""
    delivery, message = claim.delivery, claim.message
    try:
        wire = _prepare(claim, deps)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _UNOPENABLE:
            _release(claim, deps, keeps_budget=False)
            raise PoisonError from error
        # KMS does not answer: nothing was tried, so nothing is counted, for as long as it takes.
        deps.event_log.fault("could not be opened", error, delivery=delivery.delivery_id)
        return delivery, _release(claim, deps, keeps_budget=True)
    except Exception:
        # What was opened makes no sense. The lease goes back, so that the one that gives up on it
        # can record that.
        _release(claim, deps, keeps_budget=False)
        raise
    channel = delivery.channel_of(message)
    try:
        message_id = wire.send()
    except RefusedError as refusal:
        deps.event_log.warn("delivery refused", delivery=delivery.delivery_id, reason=refusal.reason.value)
        failed = fail_claimed(claim, refusal.reason, deps)
        if failed is not None and message is not Message.CANARY:
            deps.meters.count_failure(channel, refusal.reason, wire.domain)
        return failed or delivery, None
    except ThrottledError:
        _slow_down(delivery, message, deps)
        return delivery, _release(claim, deps, keeps_budget=True)
    except (ClientError, BotoCoreError) as error:
        # Whether it was sent is unknown: the same text goes again, and at worst arrives twice.
        deps.event_log.fault("delivery attempt failed", error, delivery=delivery.delivery_id)
        # A provider that does not answer takes 10 s each time. What waits for a turn does that in
        # the queue, and lets pass what goes by another provider; in a batch of the stream it would
        # stand in the way.
        _slow_down(delivery, message, deps)
        return delivery, _release(claim, deps, keeps_budget=False)
    recorded = record_sent(claim, message_id, deps.clock(), deps)
    queued_at = delivery.queued_at if message in {Message.IDENTIFIER, Message.ALERT} else delivery.created_at
    milliseconds = epoch_milliseconds(deps.clock()) - queued_at
    if message is not Message.CANARY:
        deps.meters.count_hand_over(channel, milliseconds, wire.domain)
    deps.event_log.record(
        "handed over",
        delivery=delivery.delivery_id,
        message_name=message.value,
        channel=channel.value,
        milliseconds=milliseconds,
    )
    return recorded or delivery, None


def _slow_down(delivery: Delivery, message: Message, deps: Deps) -> None:
    # Alerts are few and have no lane.
    if message is not Message.ALERT:
        deps.pace.slow_down(_lane(delivery, message), deps.clock())


def _fail_unsent(delivery: Delivery, message: Message, reason: Reason, deps: Deps) -> Delivery:
    failed = fail_unsent(delivery, message, reason, deps)
    if failed is None:
        return delivery
    deps.event_log.warn(
        "delivery failed", delivery=delivery.delivery_id, message_name=message.value, reason=reason.value
    )
    if message is not Message.CANARY:
        deps.meters.count_failure(delivery.channel_of(message), reason, None)
    return failed


def _release(claim: Claim, deps: Deps, *, keeps_budget: bool) -> datetime:
    now = deps.clock()
    wait = _wait(claim.tries)
    release_claim(claim, now, wait, deps, keeps_budget=keeps_budget)
    return from_milliseconds(epoch_milliseconds(now) + wait * 1000)


def _prepare(claim: Claim, deps: Deps) -> _Wire:
    """Open what a message needs and write its text; nothing is sent yet."""
    delivery, message = claim.delivery, claim.message
    if message is Message.ALERT:
        alert = deps.texts.dispute_alert(delivery)
        return _Wire(lambda: deps.providers.alert_helpdesk(alert))
    payload = deps.opener.open_payload(delivery.delivery_id, delivery.payload or b"")
    if delivery.channel_of(message) is Channel.SMS:
        phone = payload["phone"]
        is_canary = message is Message.CANARY
        text = deps.texts.canary_sms(delivery) if is_canary else deps.texts.identifier_sms(delivery, payload)
        return _Wire(lambda: deps.providers.send_sms(phone, text))
    match message:
        case Message.CODE:
            email = deps.texts.code_email(delivery, payload)
        case Message.IDENTIFIER:
            email = deps.texts.identifier_email(delivery, payload)
        case Message.CONFIRMATION:
            email = deps.texts.confirmation_email(delivery.as_told(), payload)
        case Message.CANARY:
            email = deps.texts.canary_email(delivery)
    address = deps.opener.open_address(delivery.voter_id, delivery.address or b"")
    tags = {"delivery": delivery.delivery_id, "message": message.value, "round": str(delivery.round_of(message))}
    return _Wire(lambda: deps.providers.send_email(address, email, tags), address.rpartition("@")[2])


def _lane(delivery: Delivery, message: Message) -> Lane:
    if message is Message.CODE:
        return Lane.CODE
    return Lane.SMS if delivery.channel_of(message) is Channel.SMS else Lane.EMAIL


def _too_late(delivery: Delivery, now: datetime, election: Election) -> bool:
    """Tell whether the code of a delivery has expired: sending it would only confuse."""
    return delivery.kind is Kind.CODE and epoch_milliseconds(now) >= _expires_at(delivery, election)


def _expires_at(code: Delivery, election: Election) -> int:
    return code.created_at + election.limits.code.lifetime_minutes * 60_000


def _wait(tries: int) -> int:
    # Beyond some ten tries the power only grows without effect.
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(tries - 1, 10))
    return round(random.uniform(longest / 2, longest))  # noqa: S311 - jitter
