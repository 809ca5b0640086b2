"""A message that will not arrive, and the e-mail that an identifier goes by instead of its SMS."""

from collections.abc import Callable
from datetime import datetime

from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Delivery, Message, QueueAgain, Status, history_step
from reassort.reasons import Reason

from notify.claims import Claim
from notify.delivery_writes import STATUS_NAMES, WANTED, Condition, idle_condition, write_delivery
from notify.deps import Deps
from notify.meters import Meters

# What somebody must look at when it does not arrive.
_OWED = frozenset({Message.IDENTIFIER, Message.CONFIRMATION, Message.ALERT})


def may_fall_back(delivery: Delivery, message: Message) -> bool:
    """Tell whether a message that fails can be queued by e-mail instead, as far as the delivery was
    read.
    """
    by_sms = message is Message.IDENTIFIER and delivery.channel_of(message) is Channel.SMS
    return by_sms and delivery.payload is not None and not delivery.fell_back


def fail_message(
    delivery: Delivery,
    message: Message,
    reason: Reason,
    now: datetime,
    condition: Condition,
    deps: Deps,
    *,
    happened_at: int | None = None,
) -> Delivery | None:
    """Record under a condition that a message failed; None when the condition did not hold.

    An identifier that was to go by SMS is queued by e-mail in the same write, once, as long as it
    is sealed in the delivery and still wanted. `happened_at` is when it failed, now unless given.
    """
    at = epoch_milliseconds(now)
    channel = delivery.channel_of(message)
    step = history_step(happened_at or at, message, Status.FAILED, channel, reason)
    if may_fall_back(delivery, message):
        anew = QueueAgain.identifier(delivery, Channel.EMAIL, at, (step,))
        failed = write_delivery(
            deps,
            delivery,
            f"SET {anew.assignments}, fell_back = :yes",
            f"{condition.clause} AND attribute_exists(payload) AND attribute_not_exists(fell_back) AND {WANTED} "
            "AND messages.identifier.#round = :read_round",
            {**condition.values, **anew.values, ":yes": True, ":read_round": delivery.round_of(message)},
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
    """Record that a claimed message will not be sent; None when the lease had passed to another
    worker.
    """
    mine = Condition(f"messages.{claim.message}.lease_until = :mine", {":mine": claim.lease_until})
    return fail_message(claim.delivery, claim.message, reason, deps.clock(), mine, deps)


def fail_unsent(delivery: Delivery, message: Message, reason: Reason, deps: Deps) -> Delivery | None:
    """Record the failure of a message that nobody is sending: too late, out of attempts, over the
    day's cap.
    """
    now = deps.clock()
    return fail_message(delivery, message, reason, now, idle_condition(delivery, message, now), deps)


def count_undelivered_first(
    delivery: Delivery, message: Message, meters: Meters, record: Callable[[], Delivery | None]
) -> Delivery | None:
    """Record by `record` that a message failed, and count it if that is for good: somebody must
    look.

    An identifier that is queued by e-mail instead has not failed for good, nor has a code, which is
    asked for again; a canary is nobody's, and missed by the sweeper. It is counted before it is
    recorded, for nobody comes by here again once that is: a worker that dies in between leaves an
    alarm too many, not none (I2).
    """
    expected = message in _OWED and not may_fall_back(delivery, message)
    if expected:
        meters.count_undelivered()
    failed = record()
    if not expected and message in _OWED and failed is not None and failed.status_of(message) is Status.FAILED:
        # It could have gone by e-mail when it was read; meanwhile its voter has a later one.
        meters.count_undelivered()
    return failed
