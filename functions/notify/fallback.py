"""A message that will not arrive, and the other channel that an identifier goes by instead."""

from collections.abc import Callable
from datetime import datetime

from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Delivery, Message, QueueAgain, Status, history_step
from reassort.phone_use import count_sms
from reassort.reasons import Reason
from reassort.tables import ConditionFailedError, update_one

from notify.claims import Claim
from notify.delivery_writes import STATUS_NAMES, WANTED, Condition, idle_condition, write_delivery
from notify.deps import Deps

# What somebody must look at when it does not arrive.
_OWED = frozenset({Message.IDENTIFIER, Message.CONFIRMATION, Message.ALERT})


def record_failure(
    delivery: Delivery, message: Message, deps: Deps, record: Callable[[Channel | None], Delivery | None]
) -> Delivery | None:
    """Record by `record` that a message failed, and count it if that is for good: somebody must
    look. `record` is given the channel that the identifier goes by instead, None when there is
    none.

    An identifier that is queued by the other channel has not failed for good, nor has a code, which
    is asked for again; a canary is nobody's, and missed by the sweeper. It is counted before it is
    recorded, because nobody comes by here again once that is: a worker that dies in between leaves
    an alarm too many, not none (I2).

    Raises:
        ContentionError, botocore.exceptions.ClientError: a table is busy or out of reach; nothing
            is recorded, try again.
    """
    instead = _other_way(delivery, message, deps)
    expected = message in _OWED and instead is None
    if expected:
        deps.meters.count_undelivered()
    failed = record(instead)
    if not expected and message in _OWED and failed is not None and failed.status_of(message) is Status.FAILED:
        # It could have gone the other way when it was read; meanwhile its voter has a later one.
        deps.meters.count_undelivered()
    return failed


def _other_way(delivery: Delivery, message: Message, deps: Deps) -> Channel | None:
    """Return the channel that an identifier which failed can go by instead, as far as the delivery
    was read: once, and not by one that has failed already.

    An SMS is counted here, before it is queued: a worker that dies in between has counted one too
    many. A number over its limits gets none.
    """
    other = delivery.channel.other
    if (
        message is not Message.IDENTIFIER
        or delivery.payload is None
        or delivery.fell_back
        or other not in delivery.destinations
        or delivery.has_failed_by(other)
    ):
        return None
    if other is Channel.SMS:
        count = count_sms(deps.limits_table, delivery.phone_hash, delivery.voter_id, deps.clock(), deps.election)
        try:
            update_one(deps.dynamodb, count.request)
        except ConditionFailedError:
            return None
    return other


def fail_message(
    delivery: Delivery,
    message: Message,
    reason: Reason,
    now: datetime,
    condition: Condition,
    deps: Deps,
    *,
    instead: Channel | None,
    happened_at: int | None = None,
) -> Delivery | None:
    """Record under a condition that a message failed; None when the condition did not hold.

    An identifier is queued by the channel `instead` in the same write, once, as long as it is
    sealed in the delivery and still wanted. `happened_at` is when it failed, now unless given.
    """
    at = epoch_milliseconds(now)
    channel = delivery.channel_of(message)
    step = history_step(happened_at or at, message, Status.FAILED, channel, reason)
    if instead is not None:
        again = QueueAgain.identifier(delivery, instead, at, (step,))
        failed = write_delivery(
            deps,
            delivery,
            f"SET {again.assignments}, fell_back = :yes",
            f"{condition.clause} AND attribute_exists(payload) AND attribute_not_exists(fell_back) AND {WANTED} "
            "AND messages.identifier.#round = :read_round",
            {**condition.values, **again.values, ":yes": True, ":read_round": delivery.round_of(message)},
            names={"#round": "round", **condition.names},
            returns="ALL_NEW",
        )
        if failed is not None:
            return failed
    name = f"messages.{message}"
    return write_delivery(
        deps,
        delivery,
        f"SET {name}.#status = :failed, {name}.reason = :reason, history = list_append(history, :step) "
        f"REMOVE wake, {name}.lease_until, {name}.not_before, {name}.turn",
        condition.clause,
        {**condition.values, ":failed": Status.FAILED.value, ":reason": reason.value, ":step": [step]},
        names={**STATUS_NAMES, **condition.names},
        returns="ALL_NEW",
    )


def fail_claimed(claim: Claim, reason: Reason, deps: Deps) -> Delivery | None:
    """Record and count that a claimed message will not be sent; None when the lease had passed to
    another worker.
    """
    mine = Condition(f"messages.{claim.message}.lease_until = :mine", {":mine": claim.lease_until})
    delivery, message = claim.delivery, claim.message
    return record_failure(
        delivery,
        message,
        deps,
        lambda instead: fail_message(delivery, message, reason, deps.clock(), mine, deps, instead=instead),
    )


def fail_unsent(delivery: Delivery, message: Message, reason: Reason, deps: Deps) -> Delivery | None:
    """Record and count the failure of a message that nobody is sending: too late, out of attempts,
    over the day's cap.
    """
    now = deps.clock()
    idle = idle_condition(delivery, message, now)
    return record_failure(
        delivery,
        message,
        deps,
        lambda instead: fail_message(delivery, message, reason, now, idle, deps, instead=instead),
    )
