"""Applying a provider's receipt to its delivery: a status moves forward or stays, whatever the
order and number of receipts.

`sending` gives way to everything; `sent` to `delivered` and `failed`; `delivered` only to `failed`,
because a mail server may accept a message and return it later; `queued`, which nobody has sent yet,
and `failed` to nothing. An identifier that failed is queued by the other channel in the same write,
once. Each receipt is one conditional write, so one that comes twice finds its condition broken.
"""

from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Delivery, Kind, Message, Status, history_step
from reassort.reasons import Reason
from reassort.table_keys import SMS_INDEX
from reassort.tables import to_wire

from notify.canary import seconds_on_the_way
from notify.delivery_writes import ROUND_NAMES, STATUS_NAMES, Condition, read_delivery, write_delivery
from notify.deps import Deps
from notify.erasure import close_delivery
from notify.fallback import fail_message, record_failure
from notify.receipts import Receipt, ReceiptOutcome

# From which statuses a receipt may move a message on.
_GIVES_WAY = {
    ReceiptOutcome.DELIVERED: (Status.SENDING, Status.SENT),
    ReceiptOutcome.FAILED: (Status.SENDING, Status.SENT, Status.DELIVERED),
    ReceiptOutcome.DELAYED: (Status.SENDING, Status.SENT),
    ReceiptOutcome.COMPLAINED: (Status.SENDING, Status.SENT, Status.DELIVERED),
}


def apply_receipt(receipt: Receipt, deps: Deps) -> bool:
    """Apply a receipt.

    Returns:
        False when its SMS is not known yet: the receipt overtook the record of the sending, and may
            be tried again.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: the table cannot be reached; try again.
    """
    delivery_id = receipt.delivery_id
    if delivery_id is None:
        delivery_id = _delivery_of_sms(receipt.sms_id or "", deps)
        if delivery_id is None:
            return False
    delivery = read_delivery(delivery_id, deps)
    # An SMS has no tag that names its message; each delivery has one at most.
    by_sms = Message.CANARY if delivery is not None and delivery.kind is Kind.CANARY else Message.IDENTIFIER
    message = receipt.message or by_sms
    if delivery is None or message not in delivery.messages:
        deps.event_log.warn("receipt of an unknown message", delivery=delivery_id)
        deps.meters.count_unknown_receipt()
        return True
    if _moves_on(delivery, message, receipt):
        _apply_to(delivery, message, receipt, deps)
    return True


def _apply_to(delivery: Delivery, message: Message, receipt: Receipt, deps: Deps) -> None:
    channel = Channel.SMS if receipt.sms_id else Channel.EMAIL
    now = deps.clock()
    condition = _condition(message, receipt)
    reason = receipt.reason or Reason.UNKNOWN
    happened_at = min(receipt.at, epoch_milliseconds(now))
    match receipt.outcome:
        case ReceiptOutcome.FAILED:
            recorded = record_failure(
                delivery,
                message,
                deps,
                lambda instead: fail_message(
                    delivery, message, reason, now, condition, deps, instead=instead, happened_at=happened_at
                ),
            )
        case ReceiptOutcome.DELIVERED:
            recorded = _record_arrival(delivery, message, condition, happened_at, deps)
        case ReceiptOutcome.DELAYED | ReceiptOutcome.COMPLAINED:
            if receipt.outcome is ReceiptOutcome.COMPLAINED and delivery.reason_of(message) is not reason:
                # Before it is recorded, as what is undelivered.
                deps.meters.count_complaint(receipt.domain)
            recorded = _record_remark(delivery, message, reason, condition, happened_at, deps)
    if receipt.price_usd and recorded is not None:
        deps.meters.count_sms_cost(receipt.price_usd)
    if recorded is None:
        # Said before, or overtaken by what is known meanwhile.
        return
    is_canary = message is Message.CANARY
    facts = {"delivery": delivery.delivery_id, "message_name": message.value, "channel": channel.value}
    match receipt.outcome:
        case ReceiptOutcome.FAILED:
            if not is_canary:
                deps.meters.count_failure(channel, reason, receipt.domain)
            deps.event_log.warn("delivery failed", **facts, reason=reason.value)
        case ReceiptOutcome.DELIVERED:
            if is_canary:
                canary, seconds = seconds_on_the_way(delivery.delivery_id, happened_at)
                deps.meters.measure_canary(channel, canary.domain, seconds)
            else:
                deps.meters.count_arrival(channel, receipt.domain)
            deps.event_log.record("delivered", **facts)
        case ReceiptOutcome.DELAYED:
            deps.event_log.record("delayed", **facts, reason=reason.value)
        case ReceiptOutcome.COMPLAINED:
            deps.event_log.warn("marked as spam", **facts)
    if recorded.all_settled:
        close_delivery(recorded, now, deps)


def _delivery_of_sms(sms_id: str, deps: Deps) -> str | None:
    answer = deps.dynamodb.query(
        # A code never goes by SMS.
        TableName=deps.outbox.deliveries,
        IndexName=SMS_INDEX,
        KeyConditionExpression="sms_id = :id",
        ExpressionAttributeValues=to_wire({":id": sms_id}),
        Limit=1,
    )
    return next((item["delivery_id"]["S"] for item in answer["Items"]), None)


def _record_arrival(
    delivery: Delivery, message: Message, condition: Condition, happened_at: int, deps: Deps
) -> Delivery | None:
    """Record under a condition that a message arrived, at `happened_at` (milliseconds since 1970).

    A worker that is about to record the sending, or to send again, finds its lease gone.
    """
    name = f"messages.{message}"
    step = history_step(happened_at, message, Status.DELIVERED, delivery.channel_of(message))
    return write_delivery(
        deps,
        delivery,
        f"SET {name}.#status = :status, history = list_append(history, :step) "
        f"REMOVE wake, {name}.reason, {name}.lease_until, {name}.not_before, {name}.turn",
        condition.clause,
        {**condition.values, ":status": Status.DELIVERED.value, ":step": [step]},
        names=condition.names,
        returns="ALL_NEW",
    )


def _record_remark(
    delivery: Delivery, message: Message, reason: Reason, condition: Condition, happened_at: int, deps: Deps
) -> Delivery | None:
    """Note under a condition what a provider said of a message without changing its status.

    The same thing is noted once, and nothing that is older than what was noted last.
    """
    name = f"messages.{message}"
    status = delivery.status_of(message)
    step = history_step(happened_at, message, status, delivery.channel_of(message), reason)
    is_news = (
        f"(attribute_not_exists({name}.reason) OR {name}.reason <> :reason) "
        f"AND (attribute_not_exists({name}.noted_at) OR {name}.noted_at < :happened_at)"
    )
    return write_delivery(
        deps,
        delivery,
        f"SET {name}.reason = :reason, {name}.noted_at = :happened_at, history = list_append(history, :step)",
        f"{condition.clause} AND {name}.#status = :read_status AND {is_news}",
        {
            **condition.values,
            ":reason": reason.value,
            ":happened_at": happened_at,
            ":read_status": status.value,
            ":step": [step],
        },
        names=condition.names,
        returns="ALL_NEW",
    )


def _moves_on(delivery: Delivery, message: Message, receipt: Receipt) -> bool:
    """Tell of a delivery as it was read what `_condition` says of it when it is written."""
    if delivery.status_of(message) not in _GIVES_WAY[receipt.outcome]:
        return False
    if receipt.sms_id is not None:
        sms_id: str | None = delivery.messages[message].get("message_id")
        return sms_id == receipt.sms_id
    return delivery.round_of(message) == receipt.round


def _condition(message: Message, receipt: Receipt) -> Condition:
    """Return that a message stands where a receipt may move it on, and that the receipt is of its
    latest round.
    """
    name = f"messages.{message}"
    statuses = {f":from_{status}": status.value for status in _GIVES_WAY[receipt.outcome]}
    forward = f"{name}.#status IN ({', '.join(statuses)})"
    if receipt.sms_id is not None:
        return Condition(
            f"{forward} AND {name}.message_id = :sms_id", {**statuses, ":sms_id": receipt.sms_id}, STATUS_NAMES
        )
    return Condition(
        # An identifier that went by e-mail and now goes by SMS is in a later round.
        f"{forward} AND {name}.#round = :of_round",
        {**statuses, ":of_round": receipt.round},
        ROUND_NAMES,
    )
