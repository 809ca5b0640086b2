"""Applying a provider's receipt to its delivery: a status moves forward or stays, whatever the order and number of receipts.

`queued` and `sending` give way to everything; `sent` to `delivered` and `failed`; `delivered` only to `failed`, for a mail server may accept
a message and return it later; `failed` to nothing. An SMS that failed is queued by e-mail in the same write. Each receipt is one
conditional write, so one that comes twice finds its condition broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.keys import SMS_INDEX
from reassort.outbox import Channel, Delivery, Kind, Message, Status
from reassort.reasons import Reason
from reassort.tables import to_wire

from notify.canary import seconds_on_the_way
from notify.claims import Condition
from notify.delivering import count_undelivered_first
from notify.receipts import Outcome, Receipt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.clock import Clock
    from reassort.logs import Journal

    from notify.claims import Claims
    from notify.meters import Meters

# From which statuses a receipt may move a message on.
_GIVES_WAY = {
    Outcome.DELIVERED: (Status.SENDING, Status.SENT),
    Outcome.FAILED: (Status.SENDING, Status.SENT, Status.DELIVERED),
    Outcome.DELAYED: (Status.SENDING, Status.SENT),
    Outcome.COMPLAINED: (Status.SENDING, Status.SENT, Status.DELIVERED),
}


@dataclass(frozen=True)
class Receiving:
    """What applying receipts needs."""

    dynamodb: DynamoDBClient
    deliveries_table: str
    claims: Claims
    clock: Clock
    journal: Journal
    meters: Meters

    def apply(self, receipt: Receipt) -> bool:
        """Apply a receipt.

        Returns:
            False when its SMS is not known yet: the receipt overtook the record of the sending, and may be tried again.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: the table cannot be reached; try again.
        """
        delivery_id = receipt.delivery_id
        if delivery_id is None:
            delivery_id = self._delivery_of_sms(receipt.sms_id or "")
            if delivery_id is None:
                return False
        delivery = self.claims.read(delivery_id)
        # An SMS has no tag that names its message; each delivery has one at most.
        by_sms = Message.CANARY if delivery is not None and delivery.kind is Kind.CANARY else Message.IDENTIFIER
        message = receipt.message or by_sms
        if delivery is None or message not in delivery.messages:
            self.journal.warn("receipt of an unknown message", delivery=delivery_id)
            self.meters.count_unknown_receipt()
            return True
        if _moves_on(delivery, message, receipt):
            self._apply_to(delivery, message, receipt)
        return True

    def _apply_to(self, delivery: Delivery, message: Message, receipt: Receipt) -> None:
        channel = Channel.SMS if receipt.sms_id else Channel.EMAIL
        now = self.clock()
        condition = _condition(message, receipt)
        reason = receipt.reason or Reason.UNKNOWN
        happened_at = min(receipt.at, epoch_milliseconds(now))
        match receipt.outcome:
            case Outcome.FAILED:
                recorded = count_undelivered_first(
                    delivery,
                    message,
                    self.meters,
                    lambda: self.claims.fail(delivery, message, reason, now, condition, happened_at=happened_at),
                )
            case Outcome.DELIVERED:
                recorded = self.claims.record_arrival(delivery, message, condition, happened_at)
            case Outcome.DELAYED | Outcome.COMPLAINED:
                if receipt.outcome is Outcome.COMPLAINED and delivery.reason_of(message) is not reason:
                    # Before it is recorded, as what is undelivered.
                    self.meters.count_complaint(receipt.domain)
                recorded = self.claims.record_remark(delivery, message, reason, condition, happened_at)
        if receipt.price_usd and recorded is not None:
            self.meters.count_sms_cost(receipt.price_usd)
        if recorded is None:
            # Said before, or overtaken by what is known meanwhile.
            return
        is_canary = message is Message.CANARY
        facts = {"delivery": delivery.delivery_id, "message_name": message.value, "channel": channel.value}
        match receipt.outcome:
            case Outcome.FAILED:
                if not is_canary:
                    self.meters.count_failure(channel, reason, receipt.domain)
                self.journal.warn("delivery failed", **facts, reason=reason.value)
            case Outcome.DELIVERED:
                if is_canary:
                    canary, seconds = seconds_on_the_way(delivery.delivery_id, happened_at)
                    self.meters.measure_canary(channel, canary.domain, seconds)
                else:
                    self.meters.count_arrival(channel, receipt.domain)
                self.journal.record("delivered", **facts)
            case Outcome.DELAYED:
                self.journal.record("delayed", **facts, reason=reason.value)
            case Outcome.COMPLAINED:
                self.journal.warn("marked as spam", **facts)
        if recorded.all_settled:
            self.claims.close_delivery(recorded, now)

    def _delivery_of_sms(self, sms_id: str) -> str | None:
        answer = self.dynamodb.query(
            TableName=self.deliveries_table,
            IndexName=SMS_INDEX,
            KeyConditionExpression="sms_id = :id",
            ExpressionAttributeValues=to_wire({":id": sms_id}),
            Limit=1,
        )
        return next((item["delivery_id"]["S"] for item in answer["Items"]), None)


def _moves_on(delivery: Delivery, message: Message, receipt: Receipt) -> bool:
    """Tell of a delivery as it was read what `_condition` says of it when it is written."""
    if delivery.status_of(message) not in _GIVES_WAY[receipt.outcome]:
        return False
    if receipt.sms_id is not None:
        sms_id: str | None = delivery.messages[message].get("message_id")
        return sms_id == receipt.sms_id
    return delivery.round_of(message) == receipt.round


def _condition(message: Message, receipt: Receipt) -> Condition:
    """Return that a message stands where a receipt may move it on, and that the receipt is of its latest round."""
    name = f"messages.{message}"
    statuses = {f":from_{status}": status.value for status in _GIVES_WAY[receipt.outcome]}
    forward = f"{name}.#status IN ({', '.join(statuses)})"
    if receipt.sms_id is not None:
        return Condition(
            f"{forward} AND {name}.message_id = :sms_id", {**statuses, ":sms_id": receipt.sms_id}, {"#status": "status"}
        )
    return Condition(
        # An identifier that went by e-mail and now goes by SMS is in a later round.
        f"{forward} AND {name}.#round = :of_round",
        {**statuses, ":of_round": receipt.round},
        {"#status": "status", "#round": "round"},
    )
