"""One wire attempt with SES or SNS, and what its outcome means for the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from reassort.election import Election
from reassort.reasons import Reason

from notify.provider_reasons import email_refusal_reason, sms_refusal_reason
from notify.texts import Email

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import ContentTypeDef
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

# Sending the same message again cannot help.
_PERMANENT = frozenset(
    {
        "BadRequestException",
        "InvalidParameter",
        "InvalidParameterException",
        "InvalidParameterValue",
        "MessageRejected",
        "NotFoundException",
        "OptedOut",
        "OptedOutException",
        "ParameterValueInvalid",
        "ValidationException",
    }
)
_LONGEST_WORD = 75
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "SendingPausedException",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class RefusedError(Exception):
    """The provider will never take this message."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class ThrottledError(Exception):
    """The provider takes no more for now; the attempt does not count."""


@dataclass(frozen=True)
class Providers:
    """Clients that make one wire attempt, and how messages are signed."""

    ses: SESV2Client
    sns: SNSClient
    election: Election
    sender_domain: str
    configuration_set: str
    helpdesk_topic: str

    def send_email(self, to: str, email: Email, tags: Mapping[str, str]) -> str:
        """Hand an e-mail to SES and return its message id. The tags come back with each of its
        receipts.

        Raises:
            RefusedError: SES rejects it.
            ThrottledError: over the account's rate.
            botocore.exceptions.BotoCoreError, ClientError: outcome unknown.
        """
        senders, answers = self.election.senders, self.election.helpdesk.email
        try:
            answer = self.ses.send_email(
                FromEmailAddress=mailbox(senders.email_name, f"{senders.email_local_part}@{self.sender_domain}"),
                ReplyToAddresses=[answers] if answers else [],
                Destination={"ToAddresses": [to]},
                Content={
                    "Simple": {
                        "Subject": _utf8(email.subject),
                        "Body": {"Text": _utf8(email.text), "Html": _utf8(email.html)},
                        # So that an answering machine does not answer (RFC 3834).
                        "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
                    }
                },
                ConfigurationSetName=self.configuration_set,
                EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
            )
        except ClientError as error:
            raise _outcome(error, email_refusal_reason) from error
        return answer["MessageId"]

    def send_sms(self, to: str, text: str) -> str:
        """Hand an SMS to SNS and return its message id; raises as `send_email`.

        MaxPrice caps what one part may cost, in US dollars, so an expensive route is refused
        instead of paid.
        """
        try:
            answer = self.sns.publish(
                PhoneNumber=to,
                Message=text,
                MessageAttributes={
                    "AWS.SNS.SMS.SenderID": _attribute(self.election.senders.sms_sender_id),
                    "AWS.SNS.SMS.SMSType": _attribute("Transactional"),
                    "AWS.SNS.SMS.MaxPrice": {
                        "DataType": "Number",
                        "StringValue": str(self.election.limits.sms_max_price_usd),
                    },
                },
            )
        except ClientError as error:
            raise _outcome(error, sms_refusal_reason) from error
        return answer["MessageId"]

    def alert_helpdesk(self, text: str) -> str:
        """Publish to the helpdesk's topic and return the message id; raises as `send_email`."""
        try:
            answer = self.sns.publish(
                TopicArn=self.helpdesk_topic, Message=text, Subject="Signalement : demande de reassort contestee"
            )
        except ClientError as error:
            raise _outcome(error, sms_refusal_reason) from error
        return answer["MessageId"]


def mailbox(name: str, address: str) -> str:
    """Return `name <address>`, as a header takes it: a name that is not ASCII in encoded words of
    at most 75 characters (RFC 2047, 2).
    """
    if name.isascii():
        return formataddr((name, address))
    words = Header(name, "utf-8", maxlinelen=_LONGEST_WORD).encode(linesep="")
    return f"{words} <{address}>"


def _utf8(text: str) -> ContentTypeDef:
    return {"Data": text, "Charset": "UTF-8"}


def _attribute(value: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": value}


def _outcome(error: ClientError, reason: Callable[[str], Reason]) -> Exception:
    code = error.response["Error"]["Code"]
    if code in _PERMANENT:
        return RefusedError(reason(code))
    if code in _THROTTLED:
        return ThrottledError(code)
    return error
