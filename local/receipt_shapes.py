"""What SES and SNS report of a message, in AWS's own shape: the events of `events/`, filled in for
one message.
"""

import gzip
import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from local.processes import ROOT

# Kind of report -> the event it is built on, its `eventType`, and the member that tells what
# happened.
_SES_KINDS = {
    "delivery": ("ses-delivery", "Delivery", "delivery"),
    "bounce": ("ses-bounce", "Bounce", "bounce"),
    "complaint": ("ses-complaint", "Complaint", "complaint"),
    "delay": ("ses-delay", "DeliveryDelay", "deliveryDelay"),
    # SES found a virus in the message and did not send it.
    "reject": ("ses-delivery", "Reject", "reject"),
}


@cache
def _text(name: str) -> str:
    return (ROOT / "events" / f"{name}.json").read_text(encoding="utf-8")


def ses_message(
    kind: str,
    to: str,
    tags: Mapping[str, str],
    *,
    at: datetime | None = None,
    message_id: str | None = None,
    **facts: Any,
) -> str:
    """Write what SES publishes to the topic of a configuration set.

    Args:
        kind: delivery, bounce, complaint, delay or reject.
        to: the recipient's address.
        tags: the tags that the e-mail was sent with.
        at: when it happened; the e-mail was sent a second before. The time of `events/` by default.
        message_id: what SES answered when it took the e-mail.
        facts: members of the object `bounce`, `complaint`, … that differ from `events/`.
    """
    source, event_type, member = _SES_KINDS[kind]
    published = json.loads(_text(source))["Records"][0]["Sns"]["Message"]
    sample = json.loads(published)["mail"]["destination"][0]
    # The address is in the headers, in the diagnostic and in the lists of recipients, too.
    event = json.loads(published.replace(sample, json.dumps(to)[1:-1]))
    event["eventType"] = event_type
    if kind == "reject":
        del event["delivery"]
        event["reject"] = {"reason": "Bad content"}
    mail = event["mail"]
    mail["tags"].update({name: [value] for name, value in tags.items()})
    if message_id is not None:
        mail["messageId"] = mail["commonHeaders"]["messageId"] = message_id
    if at is not None:
        mail["timestamp"] = _iso(at - timedelta(seconds=1))
        if kind != "reject":
            event[member]["timestamp"] = _iso(at)
    event[member].update(facts)
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def sms_log_line(
    sms_id: str, status: str, response: str, *, to: str, at: datetime, price_usd: float | None = 0.07368
) -> str:
    """Write a line of SNS's log of SMS deliveries.

    Args:
        sms_id: what SNS answered when it took the SMS.
        status: SUCCESS or FAILURE.
        response: the carrier's word, for example `Phone has blocked SMS`.
        to: the number, E.164; SNS writes it out, and the log group's data protection policy masks
            it for anyone who reads.
        at: when SNS took the SMS.
        price_usd: what it cost; None when no carrier was asked.
    """
    line = json.loads(sms_log_batch_shape()["logEvents"][0]["message"])
    moment = at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
    line["notification"] = {"messageId": sms_id, "timestamp": moment}
    line["delivery"].update(destination=to, providerResponse=response, priceInUSD=price_usd)
    if price_usd is None:
        del line["delivery"]["priceInUSD"]
    line["status"] = status
    return json.dumps(line, separators=(",", ":"))


def sms_log_batch_shape() -> dict[str, Any]:
    """Give the batch that `events/sms-log.json` carries: what CloudWatch Logs compresses for a
    subscription filter.
    """
    data = json.loads(_text("sms-log"))["awslogs"]["data"]
    batch: dict[str, Any] = json.loads(gzip.decompress(b64decode(data)))
    return batch


def _iso(instant: datetime) -> str:
    """Write an instant as SES does: `2018-11-30T09:15:29.871Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
