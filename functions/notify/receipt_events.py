"""Reading what SES and SNS report of messages: events of a SES configuration set, and SNS's own log
of SMS deliveries.

Such an event holds the recipient's address or number. A `Receipt` does not: only what is needed to
find the message is taken over, and only in the form in which this service wrote it. An error says
which part cannot be read and quotes nothing of it.
"""

import binascii
import json
import math
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from reassort.clock import epoch_milliseconds
from reassort.outbox import Message
from reassort.reasons import Reason

from notify.provider_reasons import bounce_reason, delay_reason, reject_reason, sms_reason
from notify.receipts import Receipt, ReceiptOutcome

# What SES publishes once to a topic that becomes an event destination. It is no JSON.
_TOPIC_VALIDATED = "Successfully validated SNS topic for Amazon SES event publishing."
# Feedback reports that are no complaint of the recipient: "this is not spam", and an aggregate on
# DKIM or SPF. RFC 6430, RFC 6591.
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure"})
# What SES allows in the value of an e-mail tag.
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ROUND = re.compile(r"[0-9]{1,6}")
_SMS_ID = re.compile(r"[A-Za-z0-9-]{1,100}")
_DOMAIN = re.compile(r"[a-z0-9.-]{1,253}")
# Through the year 9999, as far as `datetime` goes.
_LAST_MILLISECOND = 253_402_300_799_999
# CloudWatch Logs sends at most 1 MB, compressed; a log of SMS shrinks to a tenth.
_LONGEST_LOG_BYTES = 32 * 1024 * 1024


class ReceiptFormatError(ValueError):
    """What a provider reported cannot be read. The message names the part and quotes nothing of it.

    `readable` are the receipts of the same event that could be read: they must not be lost with the
    others.
    """

    def __init__(self, part: str, readable: Sequence[Receipt] = ()) -> None:
        super().__init__(part)
        self.readable = tuple(readable)


def ses_receipts(message: str, domains: Sequence[str]) -> list[Receipt]:
    """Read what SES published to the topic of a configuration set: one receipt, or none.

    None when the event is of another kind (sent, opened), is no news (an automatic reply, "not
    spam"), or concerns an e-mail that this service did not send, because it has no tag `delivery`.

    Args:
        message: the `Message` of the SNS record.
        domains: the mail domains of the election, in lower case; a receipt names no other.

    Raises:
        ReceiptFormatError: it is not what SES documents ("Contents of event data that Amazon SES
            publishes to Amazon SNS").
    """
    if message.strip() == _TOPIC_VALIDATED:
        return []
    event = _json_object(message, "SES event")
    read = _SES_EVENTS.get(_text(event, "eventType"))
    if read is None:
        return []
    mail = _object(event, "mail")
    tags = _object(mail, "tags") if "tags" in mail else {}
    if "delivery" not in tags:
        return []
    found = read(event)
    if found is None:
        return []
    at, outcome, reason = found
    return [
        Receipt(
            at=at,
            outcome=outcome,
            reason=reason,
            delivery_id=_tag(tags, "delivery", _TAG),
            message=_member(Message, _tag(tags, "message", _TAG), "tag message"),
            round=int(_tag(tags, "round", _ROUND)) if "round" in tags else 0,
            domain=_domain(mail.get("destination"), domains),
        )
    ]


def sms_receipts(data: str) -> list[Receipt]:
    """Read a batch of SNS's log of SMS deliveries, as a subscription filter of CloudWatch Logs
    brings it.

    The time of a receipt is that of its log event: the `notification.timestamp` inside is when the
    SMS was published, up to three days before. None when CloudWatch Logs only checks that the
    subscription works.

    Args:
        data: the event's `awslogs.data`: JSON, compressed by gzip, in base64.

    Raises:
        ReceiptFormatError: the batch, or a log event of it, is not what AWS documents; the others
            are in `readable`.
    """
    batch = _json_object(_inflate(data), "SMS log")
    if _text(batch, "messageType") != "DATA_MESSAGE":
        return []
    events = batch.get("logEvents")
    if not isinstance(events, list):
        raise ReceiptFormatError("logEvents")
    receipts, unreadable = [], 0
    for event in events:
        try:
            receipts.append(_sms_receipt(event))
        except ReceiptFormatError:
            unreadable += 1
    if unreadable:
        raise ReceiptFormatError(f"{unreadable} of {len(events)} log events", receipts)
    return receipts


def receipt_to_json(receipt: Receipt) -> dict[str, Any]:
    """Give a receipt as a dict that JSON can carry; what it does not know is left out."""
    members = {
        "at": receipt.at,
        "outcome": receipt.outcome.value,
        "reason": receipt.reason.value if receipt.reason else None,
        "delivery_id": receipt.delivery_id,
        "message": receipt.message.value if receipt.message else None,
        "round": receipt.round or None,
        "sms_id": receipt.sms_id,
        "domain": receipt.domain,
        "price_usd": receipt.price_usd,
    }
    return {name: value for name, value in members.items() if value is not None}


def receipt_from_json(content: object) -> Receipt:
    """Read what `receipt_to_json` gave.

    Raises:
        ReceiptFormatError: it gave no such thing.
    """
    if not isinstance(content, dict):
        raise ReceiptFormatError("receipt")
    delivery_id, sms_id, domain = (_text_or_none(content, name) for name in ("delivery_id", "sms_id", "domain"))
    message, reason = _text_or_none(content, "message"), _text_or_none(content, "reason")
    if (delivery_id is None) == (sms_id is None) or (delivery_id is None) != (message is None):
        raise ReceiptFormatError("receipt of neither an e-mail nor an SMS")
    round_, price = content.get("round", 0), content.get("price_usd")
    if type(round_) is not int or not 0 <= round_ < 1_000_000:
        raise ReceiptFormatError("round")
    if price is not None and _price(price) is None:
        raise ReceiptFormatError("price_usd")
    return Receipt(
        at=_milliseconds(content.get("at"), "at"),
        outcome=_member(ReceiptOutcome, _text(content, "outcome"), "outcome"),
        reason=_member(Reason, reason, "reason") if reason is not None else None,
        delivery_id=_matching(delivery_id, _TAG, "delivery_id") if delivery_id is not None else None,
        message=_member(Message, message, "message") if message is not None else None,
        round=round_,
        sms_id=_matching(sms_id, _SMS_ID, "sms_id") if sms_id is not None else None,
        domain=_matching(domain, _DOMAIN, "domain") if domain is not None else None,
        price_usd=_price(price),
    )


# ---------------------------------------------------------------- SES

type _Found = tuple[int, ReceiptOutcome, Reason | None]


def _delivery(event: Mapping[str, Any]) -> _Found:
    return _instant(_object(event, "delivery")), ReceiptOutcome.DELIVERED, None


def _bounce(event: Mapping[str, Any]) -> _Found | None:
    bounce = _object(event, "bounce")
    bounce_type, subtype = _text(bounce, "bounceType"), _text(bounce, "bounceSubType")
    status = _smtp_status(bounce.get("bouncedRecipients"))
    if (bounce_type, subtype, status) == ("Transient", "General", None):
        # A message from somebody's mailbox, without the delivery status notification that a mail
        # server attaches: an automatic reply, "out of the office". The e-mail has arrived.
        return None
    return _instant(bounce), ReceiptOutcome.FAILED, bounce_reason(bounce_type, subtype, status or "")


def _complaint(event: Mapping[str, Any]) -> _Found | None:
    complaint = _object(event, "complaint")
    subtype = _text_or_none(complaint, "complaintSubType")
    if subtype is not None:
        # Not a complaint but the memory of one: SES took the e-mail and did not send it.
        return _instant(complaint), ReceiptOutcome.FAILED, bounce_reason("Permanent", subtype)
    if _text_or_none(complaint, "complaintFeedbackType") in _NO_COMPLAINT:
        return None
    return _instant(complaint), ReceiptOutcome.COMPLAINED, Reason.MARKED_AS_SPAM


def _delay(event: Mapping[str, Any]) -> _Found:
    delay = _object(event, "deliveryDelay")
    return _instant(delay), ReceiptOutcome.DELAYED, delay_reason(_text(delay, "delayType"))


def _reject(event: Mapping[str, Any]) -> _Found:
    # SES gives it no time of its own.
    return (
        _instant(_object(event, "mail")),
        ReceiptOutcome.FAILED,
        reject_reason(_text(_object(event, "reject"), "reason")),
    )


_SES_EVENTS: dict[str, Callable[[Mapping[str, Any]], _Found | None]] = {
    "Delivery": _delivery,
    "Bounce": _bounce,
    "Complaint": _complaint,
    "DeliveryDelay": _delay,
    "Reject": _reject,
}


def _smtp_status(recipients: object) -> str | None:
    """Give the enhanced status code of the first recipient; "" when there is a notification without
    one, None without either.
    """
    match recipients:
        case [dict() as first, *_]:
            if not {"status", "action", "diagnosticCode"} & first.keys():
                return None
            return _text_or_none(first, "status") or ""
    raise ReceiptFormatError("bouncedRecipients")


def _tag(tags: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    match tags.get(name):
        case [str(value)]:
            return _matching(value, pattern, f"tag {name}")
    raise ReceiptFormatError(f"tag {name}")


def _domain(destination: object, domains: Sequence[str]) -> str | None:
    """Give the domain of an e-mail's one recipient if it is one of the election's."""
    match destination:
        case [str(address)]:
            domain = address.rpartition("@")[2].lower()
            return domain if domain in domains else None
    return None


# ---------------------------------------------------------------- SMS


def _sms_receipt(event: object) -> Receipt:
    if not isinstance(event, dict):
        raise ReceiptFormatError("log event")
    report = _json_object(_text(event, "message"), "SMS delivery")
    delivery = _object(report, "delivery")
    match _text(report, "status"):
        case "SUCCESS":
            outcome, reason = ReceiptOutcome.DELIVERED, None
        case "FAILURE":
            outcome, reason = ReceiptOutcome.FAILED, sms_reason(_text(delivery, "providerResponse"))
        case _:
            raise ReceiptFormatError("status")
    return Receipt(
        at=_milliseconds(event.get("timestamp"), "timestamp"),
        outcome=outcome,
        reason=reason,
        sms_id=_matching(_text(_object(report, "notification"), "messageId"), _SMS_ID, "messageId"),
        # A failure before any carrier was asked has no price.
        price_usd=_price(delivery.get("priceInUSD")),
    )


def _inflate(data: str) -> str:
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        content = inflater.decompress(binascii.a2b_base64(data, strict_mode=True), _LONGEST_LOG_BYTES)
        text = content.decode()
    except (ValueError, zlib.error):
        raise ReceiptFormatError("SMS log: encoding") from None
    if not inflater.eof:
        raise ReceiptFormatError("SMS log: length")
    return text


def _price(value: object) -> float | None:
    """Give a price in US dollars, or None for what is none: a status must not be lost for a wrong
    price.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        price = float(value)
    except OverflowError:
        return None
    return price if math.isfinite(price) and price >= 0 else None


# ---------------------------------------------------------------- JSON


def _json_object(text: str, part: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        # `from None`: the JSON error keeps the whole text.
        raise ReceiptFormatError(f"{part}: not JSON") from None
    if not isinstance(content, dict):
        raise ReceiptFormatError(f"{part}: not an object")
    return content


def _object(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    if not isinstance(value, dict):
        raise ReceiptFormatError(name)
    return value


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str):
        raise ReceiptFormatError(name)
    return value


def _text_or_none(content: Mapping[str, Any], name: str) -> str | None:
    return None if content.get(name) is None else _text(content, name)


def _matching(text: str, pattern: re.Pattern[str], part: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ReceiptFormatError(part)
    return text


def _member[E: StrEnum](enumeration: type[E], value: str, part: str) -> E:
    try:
        return enumeration(value)
    except ValueError:
        # `from None`: the error of an enumeration quotes the value.
        raise ReceiptFormatError(part) from None


def _instant(content: Mapping[str, Any]) -> int:
    """Read `timestamp`, ISO 8601 with an offset, as milliseconds since 1970."""
    try:
        instant = datetime.fromisoformat(_text(content, "timestamp"))
    except ValueError:
        # `from None`: the error quotes the text.
        raise ReceiptFormatError("timestamp") from None
    if instant.tzinfo is None:
        raise ReceiptFormatError("timestamp")
    return _milliseconds(epoch_milliseconds(instant), "timestamp")


def _milliseconds(value: object, part: str) -> int:
    if type(value) is not int or not 0 <= value <= _LAST_MILLISECOND:
        raise ReceiptFormatError(part)
    return value
