"""The events that wake the functions, in the shapes that AWS sends: read from `events/`, or built
on those shapes.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.processes import ROOT
from local.receipt_shapes import ses_message, sms_log_batch_shape, sms_log_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = ROOT / "events"


@cache
def _text(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def load_event(name: str) -> dict[str, Any]:
    """Return a fresh copy of `events/<name>.json`."""
    event: dict[str, Any] = json.loads(_text(name))
    return event


def proxy_event(
    method: str,
    resource: str,
    path: str,
    *,
    body: str | None,
    headers: Mapping[str, str],
    path_parameters: Mapping[str, str] | None = None,
    signed: bool = False,
) -> dict[str, Any]:
    """Return a REST API proxy event with exactly these headers; `signed` gives the caller's
    identity that IAM adds.
    """
    event = load_event("registry-check" if signed else "api-login")
    request_id = str(uuid4())
    event.update(
        resource=resource,
        path=path,
        httpMethod=method,
        headers=dict(headers),
        multiValueHeaders={name: [value] for name, value in headers.items()},
        pathParameters=dict(path_parameters) if path_parameters else None,
        body=body,
    )
    event["requestContext"].update(
        resourcePath=resource,
        httpMethod=method,
        path=f"/v1{path}",
        requestId=request_id,
        extendedRequestId=request_id[:16],
    )
    return event


def stream_event(records: Iterable[Mapping[str, Any]], table_arn: str) -> dict[str, Any]:
    """Return the event of stream records as the SDK gives them: Lambda's JSON carries binaries as
    base64.
    """
    shape = load_event("outbox-stream")["Records"][0]
    return {"Records": [_stream_record(shape, record, table_arn) for record in records]}


def _stream_record(shape: Mapping[str, Any], record: Mapping[str, Any], table_arn: str) -> dict[str, Any]:
    change = record["dynamodb"]
    made = deepcopy(dict(shape))
    made.update(eventID=record["eventID"], eventName=record["eventName"], eventSourceARN=f"{table_arn}/stream/label")
    made["dynamodb"].update(
        Keys=_as_json(change["Keys"]),
        SequenceNumber=change["SequenceNumber"],
        SizeBytes=change["SizeBytes"],
    )
    made["dynamodb"].pop("NewImage")
    # What was removed has none.
    if "NewImage" in change:
        made["dynamodb"]["NewImage"] = _as_json(change["NewImage"])
    return made


def _as_json(value: Any) -> Any:
    match value:
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {name: _as_json(member) for name, member in value.items()}
        case list():
            return [_as_json(element) for element in value]
        case _:
            return value


def queue_event(messages: Iterable[Mapping[str, Any]], queue_arn: str) -> dict[str, Any]:
    """Return the event of queue messages as `ReceiveMessage` gives them."""
    shape = load_event("retry-queue")["Records"][0]
    return {
        "Records": [
            {
                **shape,
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "md5OfBody": message["MD5OfBody"],
                "attributes": {**shape["attributes"], **message.get("Attributes", {})},
                "eventSourceARN": queue_arn,
            }
            for message in messages
        ]
    }


def ses_event(
    kind: str,
    delivery: str,
    message: str = "confirmation",
    round_: int = 0,
    to: str = "camille.morvandel@ac-dijon.fr",
    *,
    at: datetime | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """Return the event of a topic to which SES reports an e-mail of this service.

    `kind` is delivery, bounce, complaint, delay or reject; `facts` are members of SES's object of
    that name, for example `bounceType="Transient"`.
    """
    tags = {"delivery": delivery, "message": message, "round": str(round_)}
    return topic_event(ses_message(kind, to, tags, at=at, **facts))


def topic_event(*messages: str) -> dict[str, Any]:
    """Return the event of messages published to a topic."""
    event = load_event("ses-delivery")
    (record,) = event["Records"]
    event["Records"] = [{**record, "Sns": {**record["Sns"], "Message": message}} for message in messages]
    return event


def sms_log_event(
    sms_id: str,
    status: str = "SUCCESS",
    response: str = "Message has been accepted by phone carrier",
    *,
    to: str = "************",
    at: datetime = datetime(2018, 11, 30, 9, 16, 30, 423000, UTC),
    price_usd: float | None = 0.07368,
) -> dict[str, Any]:
    """Return the event of one line of SNS's log of SMS deliveries, written at `at`."""
    return log_event((at, sms_log_line(sms_id, status, response, to=to, at=at, price_usd=price_usd)))


def log_event(*lines: tuple[datetime, str]) -> dict[str, Any]:
    """Return the event of lines of a log, each with its time, as a subscription filter brings
    them.
    """
    batch = sms_log_batch_shape()
    shape = batch["logEvents"][0]
    batch["logEvents"] = [
        {**shape, "timestamp": round(at.timestamp() * 1000), "message": message} for at, message in lines
    ]
    return {"awslogs": {"data": log_data(json.dumps(batch))}}


def log_data(content: str) -> str:
    """Return a batch as CloudWatch Logs carries it: compressed by gzip, in base64."""
    return b64encode(gzip.compress(content.encode(), mtime=0)).decode()
