"""What SES and SNS would report of the messages that the local stack "sends", for the addresses and
numbers listed here.

The embedded AWS takes every message and reports nothing: it publishes no events of a configuration
set and writes no log of SMS. This stands in for both, in their own shapes, through the deployed
topic and the deployed log groups. An address or a number that is not listed gets no receipt at all,
so its message stays as it was sent.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.aws import LocalAws
from local.deploy import EmbeddedStack
from local.receipt_shapes import ses_message, sms_log_line

# Functions take the gateway for the endpoint of SES: the embedded AWS forgets the tags of an
# e-mail, and only the request has them. The path is that of SES's API, because a request is passed
# on as it was signed.
_SES_PATH = "/v2/email/outbound-emails"
POLL_SECONDS = 0.5
# Long enough to see that a message has left, short enough to wait for.
_SOON_SECONDS = 2.0
_LATER_SECONDS = 6.0
_MASK = "************"
_SUPPRESSED = (
    "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an "
    "invalid address."
)


@dataclass(frozen=True)
class MailReceipt:
    """A report of SES on an e-mail, `after` seconds; `facts` as `ses_message` takes them, from the
    recipient's address.
    """

    after: float
    kind: str
    facts: Callable[[str], dict[str, Any]] | None = None


@dataclass(frozen=True)
class SmsReceipt:
    """A report of SNS on an SMS. A carrier that was never asked costs nothing."""

    status: str
    response: str
    price_usd: float | None = 0.07368


# The local parts of SES's mailbox simulator, at any domain: `bounce@ac-dijon.fr`,
# `bounce+label@u-bourgogne.fr`. SES developer guide, "Using the mailbox simulator".
_MAILBOXES = {
    "success": (MailReceipt(_SOON_SECONDS, "delivery"),),
    "bounce": (MailReceipt(_SOON_SECONDS, "bounce"),),
    "ooto": (
        MailReceipt(_SOON_SECONDS, "delivery"),
        # An automatic reply: no mail server attached a status to it.
        MailReceipt(
            _LATER_SECONDS,
            "bounce",
            lambda to: {
                "bounceType": "Transient",
                "bounceSubType": "General",
                "bouncedRecipients": [{"emailAddress": to}],
            },
        ),
    ),
    "complaint": (MailReceipt(_SOON_SECONDS, "delivery"), MailReceipt(_LATER_SECONDS, "complaint")),
    "suppressionlist": (
        MailReceipt(
            _SOON_SECONDS,
            "bounce",
            lambda to: {
                "bounceSubType": "Suppressed",
                "bouncedRecipients": [
                    {"emailAddress": to, "action": "failed", "status": "5.1.1", "diagnosticCode": _SUPPRESSED}
                ],
            },
        ),
    ),
}
# Endings of a number, for example 06 12 99 00 01. Six digits, so that a number typed at random is
# none of them.
_NUMBERS = {
    "990000": SmsReceipt("SUCCESS", "Message has been accepted by phone carrier"),
    "990001": SmsReceipt("FAILURE", "Phone is currently unreachable/unavailable"),
    "990002": SmsReceipt("FAILURE", "Phone number is opted out", None),
    "990003": SmsReceipt("FAILURE", "Phone carrier is currently unreachable/unavailable"),
    "990004": SmsReceipt("FAILURE", "Invalid phone number"),
    "990005": SmsReceipt("FAILURE", "This delivery would exceed max price", None),
    "990006": SmsReceipt("FAILURE", "No quota left for account", None),
    "990007": SmsReceipt("FAILURE", "Blocked as spam by phone carrier"),
}


def mail_receipts(to: str) -> tuple[MailReceipt, ...]:
    """Give what SES reports of an e-mail to this address, in time's order."""
    mailbox = to.partition("@")[0].partition("+")[0].lower()
    return _MAILBOXES.get(mailbox, ())


def sms_receipt(number: str) -> SmsReceipt | None:
    """Give what SNS reports of an SMS to this number, E.164."""
    return _NUMBERS.get(number[-6:])


class Receipts:
    """Stands between the functions and SES, follows SNS, and reports to the deployed stack."""

    def __init__(self, aws: LocalAws, stack: EmbeddedStack) -> None:
        self._client = httpx.AsyncClient(base_url=aws.endpoint_url, timeout=30, trust_env=False)
        self._sns = aws.client("sns")
        self._logs = aws.client("logs")
        self._topic = stack.outputs["ReceiptsTopicArn"]
        self._groups = {
            "SUCCESS": stack.outputs["SmsDeliveredLogGroup"],
            "FAILURE": stack.outputs["SmsFailedLogGroup"],
        }
        self._reported: set[str] = set()
        self._pending: set[asyncio.Task[None]] = set()

    def route(self) -> Route:
        """Give the route by which functions reach SES."""
        return Route(_SES_PATH, self._pass_to_ses, methods=["POST"])

    @asynccontextmanager
    async def emitted(self) -> AsyncIterator[None]:
        """Report in the background."""
        for group in self._groups.values():
            with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                await asyncio.to_thread(self._logs.create_log_stream, logGroupName=group, logStreamName="local")
        async with self._client:
            self._start(self._follow_sms())
            try:
                yield
            finally:
                for task in self._pending:
                    task.cancel()
                await asyncio.gather(*self._pending, return_exceptions=True)

    async def _pass_to_ses(self, request: Request) -> Response:
        body = await request.body()
        # The host, too: the embedded AWS verifies the signature, and then what the function's role
        # may do.
        headers = {name: value for name, value in request.headers.items() if name != "connection"}
        try:
            answer = await self._client.post(_SES_PATH, content=body, headers=headers)
        except httpx.HTTPError as error:
            return JSONResponse({"message": f"The embedded AWS does not answer: {type(error).__name__}"}, 503)
        if answer.status_code == 200:
            self._report_email(json.loads(body), answer.json().get("MessageId"))
        return Response(
            answer.content,
            answer.status_code,
            {name: value for name, value in answer.headers.items() if name.startswith(("x-", "content-type"))},
        )

    def _report_email(self, sent: dict[str, Any], message_id: str | None) -> None:
        # As SES: an e-mail without a configuration set is reported nowhere.
        if message_id is None or not sent.get("ConfigurationSetName"):
            return
        tags = {tag["Name"]: tag["Value"] for tag in sent.get("EmailTags", [])}
        for to in sent["Destination"].get("ToAddresses", []):
            for receipt in mail_receipts(to):
                self._start(self._publish(receipt, to, tags, message_id))

    async def _publish(self, receipt: MailReceipt, to: str, tags: dict[str, str], message_id: str) -> None:
        await asyncio.sleep(receipt.after)
        facts = receipt.facts(to) if receipt.facts else {}
        message = ses_message(receipt.kind, to, tags, at=datetime.now(UTC), message_id=message_id, **facts)
        with _told():
            await asyncio.to_thread(
                self._sns.publish,
                TopicArn=self._topic,
                Subject="Amazon SES Email Event Notification",
                Message=message,
            )

    async def _follow_sms(self) -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = (await self._client.get("/_ministack/sns/sms-messages")).raise_for_status().json()
                for number, messages in answer["sms_messages"].items():
                    for message in messages:
                        self._report_sms(number, message["MessageId"])
            await asyncio.sleep(POLL_SECONDS)

    def _report_sms(self, number: str, sms_id: str) -> None:
        receipt = sms_receipt(number)
        if receipt is not None and sms_id not in self._reported:
            self._reported.add(sms_id)
            self._start(self._log(receipt, sms_id, datetime.now(UTC)))

    async def _log(self, receipt: SmsReceipt, sms_id: str, sent_at: datetime) -> None:
        await asyncio.sleep(_SOON_SECONDS)
        # The embedded AWS knows no data protection policy: the number is masked before, as the
        # policy would on reading.
        line = sms_log_line(sms_id, receipt.status, receipt.response, to=_MASK, at=sent_at, price_usd=receipt.price_usd)
        with _told():
            await asyncio.to_thread(
                self._logs.put_log_events,
                logGroupName=self._groups[receipt.status],
                logStreamName="local",
                logEvents=[{"timestamp": round(datetime.now(UTC).timestamp() * 1000), "message": line}],
            )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say on the terminal that a receipt was lost, and go on."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        print(f"Accusé de réception perdu : {type(error).__name__}", file=sys.stderr, flush=True)
