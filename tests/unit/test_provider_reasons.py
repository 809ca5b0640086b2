"""Every word that SES, SNS and the carriers have for a failure has one of ours; no word of theirs
can break the mapping.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from notify import provider_reasons
from notify.provider_reasons import (
    bounce_reason,
    delay_reason,
    email_refusal_reason,
    reject_reason,
    sms_reason,
    sms_refusal_reason,
)
from reassort.reasons import Reason

from harness.fuzz.strategies import any_text

pytestmark = pytest.mark.req("R10", "R11")


@pytest.mark.parametrize(
    ("bounce", "reason"),
    [
        (("Permanent", "General"), Reason.MAIL_REFUSED),
        (("Permanent", "General", "5.1.1"), Reason.NO_SUCH_MAILBOX),
        (("Permanent", "General", "5.2.2"), Reason.MAILBOX_FULL),
        (("Permanent", "General", "5.7.1"), Reason.MAIL_REFUSED),
        (("Permanent", "General", "5.9.99"), Reason.MAIL_REFUSED),
        (("Permanent", "NoEmail"), Reason.NO_SUCH_MAILBOX),
        (("Permanent", "Suppressed", "5.1.1"), Reason.MAIL_BLOCKED),
        (("Permanent", "OnAccountSuppressionList", "5.1.1"), Reason.MAIL_BLOCKED),
        (("Permanent", "OnTenantSuppressionList"), Reason.MAIL_BLOCKED),
        (("Permanent", "UnsubscribedRecipient"), Reason.MAIL_BLOCKED),
        (("Permanent", "EmailValidationSuppressed"), Reason.NO_SUCH_MAILBOX),
        (("Transient", "General"), Reason.MAIL_REFUSED),
        (("Transient", "General", "4.4.7"), Reason.NO_ANSWER),
        (("Transient", "General", "4.2.2"), Reason.MAILBOX_FULL),
        (("Transient", "MailboxFull"), Reason.MAILBOX_FULL),
        (("Transient", "MessageTooLarge"), Reason.MAIL_REFUSED),
        (("Transient", "ContentRejected"), Reason.MAIL_REFUSED),
        (("Transient", "AttachmentRejected"), Reason.MAIL_REFUSED),
        (("Transient", "CustomTimeoutExceeded"), Reason.NO_ANSWER),
        (("Undetermined", "Undetermined"), Reason.UNKNOWN),
        (("Undetermined", "Undetermined", "5.1.1"), Reason.NO_SUCH_MAILBOX),
        (("Permanent", "SomethingNew"), Reason.UNKNOWN),
    ],
)
def test_a_bounce_has_a_reason(bounce: tuple[str, ...], reason: Reason) -> None:
    assert bounce_reason(*bounce) is reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("5.1.0", Reason.NO_SUCH_MAILBOX),
        ("5.1.2", Reason.NO_SUCH_MAILBOX),
        ("5.1.3", Reason.NO_SUCH_MAILBOX),
        ("5.1.6", Reason.NO_SUCH_MAILBOX),
        ("5.1.10", Reason.NO_SUCH_MAILBOX),
        ("5.2.1", Reason.NO_SUCH_MAILBOX),
        ("5.2.3", Reason.MAIL_REFUSED),
        ("5.3.4", Reason.MAIL_REFUSED),
        ("4.4.1", Reason.NO_ANSWER),
        ("4.4.2", Reason.NO_ANSWER),
        ("5.4.4", Reason.NO_SUCH_MAILBOX),
        ("5.7.1", Reason.MAIL_REFUSED),
        ("5.7.20", Reason.MAIL_REFUSED),
        ("5.7.23", Reason.MAIL_REFUSED),
        ("5.7.26", Reason.MAIL_REFUSED),
    ],
)
def test_the_status_of_a_mail_server_is_the_reason_where_ses_names_none(status: str, reason: Reason) -> None:
    assert bounce_reason("Undetermined", "Undetermined", status) is reason


@pytest.mark.parametrize(
    ("delay", "reason"),
    [
        ("InternalFailure", Reason.INTERNAL),
        ("General", Reason.MAIL_DELAYED),
        ("MailboxFull", Reason.MAILBOX_FULL),
        ("SpamDetected", Reason.MARKED_AS_SPAM),
        ("RecipientServerError", Reason.MAIL_DELAYED),
        ("IPFailure", Reason.MAIL_REFUSED),
        ("TransientCommunicationFailure", Reason.MAIL_DELAYED),
        ("BYOIPHostNameLookupUnavailable", Reason.INTERNAL),
        ("SendingDeferral", Reason.MAIL_DELAYED),
        ("Undetermined", Reason.MAIL_DELAYED),
    ],
)
def test_a_delay_has_a_reason(delay: str, reason: Reason) -> None:
    assert delay_reason(delay) is reason


def test_a_rejected_message_was_refused() -> None:
    assert reject_reason("Bad content") is Reason.MAIL_REFUSED


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("Blocked as spam by phone carrier", Reason.CARRIER_REFUSED),
        ("Destination is on a blocked list", Reason.NO_ROUTE),
        ("Invalid phone number", Reason.UNKNOWN_NUMBER),
        ("Message body is invalid", Reason.INTERNAL),
        ("Phone carrier has blocked this message", Reason.CARRIER_REFUSED),
        ("Phone carrier is currently unreachable/unavailable", Reason.NO_ROUTE),
        ("Phone has blocked SMS", Reason.OPTED_OUT),
        ("Phone is on a blocked list", Reason.OPTED_OUT),
        ("Phone is currently unreachable/unavailable", Reason.PHONE_UNREACHABLE),
        ("Phone number is opted out", Reason.OPTED_OUT),
        ("This delivery would exceed max price", Reason.TOO_EXPENSIVE),
        ("Unknown error attempting to reach phone", Reason.UNKNOWN),
        ("Destination is blacklisted", Reason.NO_ROUTE),
        ("Phone is blacklisted", Reason.OPTED_OUT),
        ("No quota left for account", Reason.SMS_CAP_REACHED),
        ("Rate exceeded.", Reason.NO_ANSWER),
        (
            "Your account requires additional review prior to being able to send SMS messages. Please create a ticket.",
            Reason.INTERNAL,
        ),
        ("Something that no one has seen", Reason.UNKNOWN),
    ],
)
def test_a_failed_sms_has_a_reason(response: str, reason: Reason) -> None:
    assert sms_reason(response) is reason
    assert sms_reason(f" {response.upper()}. ") is reason


@given(any_text, any_text, any_text)
def test_any_text_has_a_reason(first: str, second: str, third: str) -> None:
    assert isinstance(bounce_reason(first, second, third), Reason)
    assert isinstance(bounce_reason("Permanent", second, third), Reason)
    assert isinstance(bounce_reason("Transient", "General", third), Reason)
    for mapping in (delay_reason, reject_reason, sms_reason, email_refusal_reason, sms_refusal_reason):
        assert isinstance(mapping(first), Reason)


def test_tables_of_wordings_are_written_as_they_are_compared() -> None:
    """A key with a capital or a full stop would never be found."""
    for table in (provider_reasons._SMS, provider_reasons._REJECTS):
        assert all(wording == provider_reasons._plain(wording) for wording in table)
