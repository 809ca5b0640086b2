"""The functions' own AWS clients, watched: what they call, what they send, and faults on the way
there or back.

The clients are those of `reassort.aws`, timeouts and retries included, made once for the whole
process. A fault stands for what is left after the SDK's own retries: it is raised where the SDK
would give up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.session import Session
from reassort.aws import Clients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class ProcessDiedError(BaseException):
    """The function's process ends here: no handler of the code under test may catch it."""


def aws_error(code: str) -> ClientError:
    """Return the error that the SDK raises for an AWS error code."""
    return ClientError({"Error": {"Code": code, "Message": "injected"}}, "Injected")


def no_reply() -> ReadTimeoutError:
    """Return the error that the SDK raises when no answer comes; whether the call had its effect is
    unknown.
    """
    return ReadTimeoutError(endpoint_url="https://injected.invalid/")


@dataclass(frozen=True)
class Call:
    """A call that a function made. `tables` are the tables it names, in the order of the
    request.
    """

    service: str
    operation: str
    tables: tuple[str, ...]
    parameters: dict[str, Any]

    def __str__(self) -> str:
        """Return for example `dynamodb.TransactWriteItems SignInTable DeliveriesTable`."""
        return " ".join((f"{self.service}.{self.operation}", *self.tables))


@dataclass(frozen=True)
class SentEmail:
    """An e-mail that SES accepted."""

    sender: str
    to: str
    subject: str
    text: str
    html: str
    tags: dict[str, str]
    configuration_set: str
    at: datetime
    reply_to: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SentSms:
    """An SMS that SNS accepted; `attributes` by name, as strings."""

    to: str
    text: str
    attributes: dict[str, str]
    at: datetime


@dataclass(frozen=True)
class SentAlert:
    """A message that SNS accepted for a topic."""

    topic: str
    subject: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Announcement:
    """An event that SNS accepted for the voting platform's topic; `attributes` by name, as
    strings.
    """

    text: str
    attributes: dict[str, str]

    @property
    def json(self) -> Any:
        """Return the event."""
        return json.loads(self.text)


@dataclass
class CallFault:
    """Raises `error` in calls of `operation`: `before` they have any effect, or `after`, when the
    answer is lost.

    `skip` calls pass first; then `times` calls fail. `matches` narrows the calls it applies to.
    """

    operation: str
    error: BaseException
    when: Literal["before", "after"]
    times: int = 1
    skip: int = 0
    matches: Callable[[Call], bool] = field(default=lambda _: True)

    def strikes(self, call: Call, when: str) -> bool:
        """Tell whether this call fails here, and count it."""
        if self.when != when or self.operation != call.operation or self.times == 0 or not self.matches(call):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class Wire:
    """What passes between the functions and AWS. An engine has one for the process; `reset` empties
    it.

    `connect` is given each session before its clients are made, for an engine that answers instead
    of the network.
    """

    def __init__(self, connect: Callable[[Session], None] = lambda _: None) -> None:
        clients = Clients(checked=True)
        # The SDK calls a handler by the names of its arguments; its types know no handler that
        # names some.
        session: Any = clients._session
        session.register("before-parameter-build.*", self._note)
        session.register("before-call.*", self._before)
        session.register("after-call.*", self._after)
        # After the wire's own, so that a fault strikes before anything answers.
        connect(clients._session)
        self.clients = clients
        self.dynamodb: DynamoDBClient = clients.dynamodb
        self.kms: KMSClient = clients.kms
        self.sqs: SQSClient = clients.sqs
        self.ses: SESV2Client = clients.ses
        self.sns: SNSClient = clients.sns
        self.topics: SNSClient = clients.topics
        self.operator = Unwatched(connect)
        self.calls: list[Call] = []
        self.faults: list[CallFault] = []
        self.emails: list[SentEmail] = []
        self.sms: list[SentSms] = []
        self.alerts: list[SentAlert] = []
        self.announcements: list[Announcement] = []
        self.interceptors: list[Callable[[Call], None]] = []

    def reset(self) -> None:
        """Forget all calls, faults and messages."""
        for recorded in (self.calls, self.faults, self.emails, self.sms, self.alerts, self.interceptors):
            recorded.clear()
        self.announcements.clear()

    def tear_next_batch(self, table: str) -> None:
        """Answer the next `BatchGetItem` of a table as if this one had been read first, and what it
        holds had been written before the others were: a batch is no snapshot.
        """
        events = self.dynamodb.meta.events

        def tear(parsed: dict[str, Any], **_: Any) -> None:
            if table in parsed["Responses"]:
                parsed["Responses"][table] = []
                events.unregister("after-call.dynamodb.BatchGetItem", tear)

        events.register("after-call.dynamodb.BatchGetItem", tear)

    @contextmanager
    def recorded(self) -> Iterator[list[Call]]:
        """Give the list that fills with the calls made inside."""
        start = len(self.calls)
        made: list[Call] = []
        yield made
        made.extend(self.calls[start:])

    def _note(self, params: dict[str, Any], context: dict[str, Any], event_name: str, **_: Any) -> None:
        service, operation = event_name.split(".")[1:]
        context["call"] = Call(service, operation, _tables(params), params)

    def _before(self, context: dict[str, Any], **_: Any) -> None:
        call: Call = context["call"]
        self.calls.append(call)
        for interceptor in list(self.interceptors):
            interceptor(call)
        self._raise_if_struck(call, "before")

    def _after(self, context: dict[str, Any], parsed: dict[str, Any], **_: Any) -> None:
        call: Call = context["call"]
        if "Error" not in parsed:
            self._record_message(call)
        self._raise_if_struck(call, "after")

    def _raise_if_struck(self, call: Call, when: str) -> None:
        for fault in self.faults:
            if fault.strikes(call, when):
                raise fault.error

    def _record_message(self, call: Call) -> None:
        sent = call.parameters
        at = datetime.now().astimezone()
        if call.operation == "SendEmail":
            simple = sent["Content"]["Simple"]
            (to,) = sent["Destination"]["ToAddresses"]
            self.emails.append(
                SentEmail(
                    sender=sent["FromEmailAddress"],
                    to=to,
                    subject=simple["Subject"]["Data"],
                    reply_to=tuple(sent["ReplyToAddresses"]),
                    headers={header["Name"]: header["Value"] for header in simple["Headers"]},
                    text=simple["Body"]["Text"]["Data"],
                    html=simple["Body"]["Html"]["Data"],
                    tags={tag["Name"]: tag["Value"] for tag in sent["EmailTags"]},
                    configuration_set=sent["ConfigurationSetName"],
                    at=at,
                )
            )
        elif call.operation == "Publish" and "PhoneNumber" in sent:
            strings = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
            self.sms.append(SentSms(sent["PhoneNumber"], sent["Message"], strings, at))
        elif call.operation == "Publish" and "Subject" not in sent:
            # Events are for programs; alerts, which people read, have a subject.
            strings = {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()}
            self.announcements.append(Announcement(sent["Message"], strings))
        elif call.operation == "Publish":
            self.alerts.append(SentAlert(sent["TopicArn"], sent["Subject"], sent["Message"], at))


class Unwatched:
    """Clients that are not watched, for what a test sets up and looks at."""

    def __init__(self, connect: Callable[[Session], None]) -> None:
        session = boto3.Session()
        connect(session._session)
        self.dynamodb: DynamoDBClient = session.client("dynamodb")
        self.kms: KMSClient = session.client("kms")
        self.sqs: SQSClient = session.client("sqs")
        self.ses: SESV2Client = session.client("sesv2")
        self.sns: SNSClient = session.client("sns")


def _tables(parameters: dict[str, Any]) -> tuple[str, ...]:
    if "TableName" in parameters:
        return (parameters["TableName"],)
    if "TransactItems" in parameters:
        return tuple(next(iter(action.values()))["TableName"] for action in parameters["TransactItems"])
    return tuple(parameters.get("RequestItems", ()))
