"""What SES, SNS and the carriers say went wrong, in this service's own words: one table for each
vocabulary.

Their wording is compared and forgotten: a diagnostic may quote an address or a number, a `Reason`
cannot. A word that no table knows is `Reason.UNKNOWN`, never an error.

Sources, in AWS's documentation:

- bounces, complaints, delays: SES developer guide, "Contents of event data that Amazon SES
  publishes to Amazon SNS".
- SMS: SNS developer guide, "SMS delivery failure reasons". The list there is not complete: what
  came up in published logs of others is marked.
- refusals: the errors of SES `SendEmail` (API version 2) and of SNS `Publish`.
"""

from reassort.reasons import Reason

_SUPPRESSED = {
    # SES's own list, for all its customers; the account's list, which `SuppressionOptions` of the
    # template fills; a tenant's.
    "Suppressed": Reason.MAIL_BLOCKED,
    "OnAccountSuppressionList": Reason.MAIL_BLOCKED,
    "OnTenantSuppressionList": Reason.MAIL_BLOCKED,
    "UnsubscribedRecipient": Reason.MAIL_BLOCKED,
    # SES found by itself that the address cannot exist.
    "EmailValidationSuppressed": Reason.NO_SUCH_MAILBOX,
}
# By bounceType, then bounceSubType. `General` and `Undetermined` say nothing of a cause: the SMTP
# status may.
_BOUNCES = {
    "Permanent": {**_SUPPRESSED, "NoEmail": Reason.NO_SUCH_MAILBOX, "General": Reason.MAIL_REFUSED},
    "Transient": {
        "MailboxFull": Reason.MAILBOX_FULL,
        "MessageTooLarge": Reason.MAIL_REFUSED,
        "ContentRejected": Reason.MAIL_REFUSED,
        "AttachmentRejected": Reason.MAIL_REFUSED,
        "CustomTimeoutExceeded": Reason.NO_ANSWER,
        "General": Reason.MAIL_REFUSED,
    },
}
_UNSPECIFIC = frozenset({"General", "Undetermined"})
# The subject and detail of an enhanced status code, whatever its class. RFC 3463 section 3, RFC
# 7505, RFC 7372.
_SMTP_STATUSES = {
    "1.0": Reason.NO_SUCH_MAILBOX,
    "1.1": Reason.NO_SUCH_MAILBOX,
    "1.2": Reason.NO_SUCH_MAILBOX,
    "1.3": Reason.NO_SUCH_MAILBOX,
    "1.6": Reason.NO_SUCH_MAILBOX,
    "1.10": Reason.NO_SUCH_MAILBOX,
    "2.1": Reason.NO_SUCH_MAILBOX,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.MAIL_REFUSED,
    "3.4": Reason.MAIL_REFUSED,
    "4.1": Reason.NO_ANSWER,
    "4.2": Reason.NO_ANSWER,
    "4.4": Reason.NO_SUCH_MAILBOX,
    "4.7": Reason.NO_ANSWER,
    "7.1": Reason.MAIL_REFUSED,
    "7.20": Reason.MAIL_REFUSED,
    "7.23": Reason.MAIL_REFUSED,
    "7.26": Reason.MAIL_REFUSED,
}
_DELAYS = {
    "InternalFailure": Reason.INTERNAL,
    "General": Reason.MAIL_DELAYED,
    "MailboxFull": Reason.MAILBOX_FULL,
    "SpamDetected": Reason.MARKED_AS_SPAM,
    "RecipientServerError": Reason.MAIL_DELAYED,
    "IPFailure": Reason.MAIL_REFUSED,
    "TransientCommunicationFailure": Reason.MAIL_DELAYED,
    "BYOIPHostNameLookupUnavailable": Reason.INTERNAL,
    "SendingDeferral": Reason.MAIL_DELAYED,
    "Undetermined": Reason.MAIL_DELAYED,
}
_REJECTS = {"bad content": Reason.MAIL_REFUSED}
# In lower case, without the full stop that some end with.
_SMS = {
    "blocked as spam by phone carrier": Reason.CARRIER_REFUSED,
    "destination is on a blocked list": Reason.NO_ROUTE,
    "invalid phone number": Reason.UNKNOWN_NUMBER,
    "message body is invalid": Reason.INTERNAL,
    "phone carrier has blocked this message": Reason.CARRIER_REFUSED,
    "phone carrier is currently unreachable/unavailable": Reason.NO_ROUTE,
    "phone has blocked sms": Reason.OPTED_OUT,
    "phone is on a blocked list": Reason.OPTED_OUT,
    "phone is currently unreachable/unavailable": Reason.PHONE_UNREACHABLE,
    "phone number is opted out": Reason.OPTED_OUT,
    "this delivery would exceed max price": Reason.TOO_EXPENSIVE,
    # The wording of earlier years.
    "destination is blacklisted": Reason.NO_ROUTE,
    "phone is blacklisted": Reason.OPTED_OUT,
    # Seen in logs: the month's spend limit is reached; over the account's rate; an account that may
    # not send yet.
    "no quota left for account": Reason.SMS_CAP_REACHED,
    "rate exceeded": Reason.NO_ANSWER,
    "your account requires additional review prior to being able to send sms messages": Reason.INTERNAL,
}
# What SES and SNS refuse for good; any other error is no reason, for the message is tried again.
_EMAIL_ERRORS = {
    "MessageRejected": Reason.MAIL_REFUSED,
    # What is wrong with the request or the identity is this service's fault, not the voter's.
    "BadRequestException": Reason.INTERNAL,
    "NotFoundException": Reason.INTERNAL,
    "ValidationException": Reason.INTERNAL,
}
_SMS_ERRORS = {
    # SNS refuses a number by these; everything else in the request is the same for every voter. The
    # service's own check of numbers comes first, so this is a number that the numbering plan has
    # and SNS does not.
    "InvalidParameter": Reason.UNKNOWN_NUMBER,
    "InvalidParameterException": Reason.UNKNOWN_NUMBER,
    "InvalidParameterValue": Reason.UNKNOWN_NUMBER,
    "ParameterValueInvalid": Reason.UNKNOWN_NUMBER,
    "OptedOut": Reason.OPTED_OUT,
    "OptedOutException": Reason.OPTED_OUT,
    "NotFoundException": Reason.INTERNAL,
    "ValidationException": Reason.INTERNAL,
}


def bounce_reason(bounce_type: str, bounce_subtype: str, smtp_status: str = "") -> Reason:
    """Give the reason of a bounce.

    Args:
        bounce_type: `Permanent`, `Transient` or `Undetermined`.
        bounce_subtype: for example `MailboxFull`.
        smtp_status: the enhanced status code of the recipient's mail server, for example `5.1.1`,
            when a delivery status notification was attached; it decides when the subtype names no
            cause.
    """
    reason = _BOUNCES.get(bounce_type, {}).get(bounce_subtype, Reason.UNKNOWN)
    if bounce_subtype in _UNSPECIFIC:
        return _SMTP_STATUSES.get(smtp_status.partition(".")[2], reason)
    return reason


def delay_reason(delay_type: str) -> Reason:
    """Give the reason of a SES `DeliveryDelay`, from its `delayType`."""
    return _DELAYS.get(delay_type, Reason.UNKNOWN)


def reject_reason(reject: str) -> Reason:
    """Give the reason of a SES `Reject`; the only one that SES knows is a virus in the message."""
    return _REJECTS.get(_plain(reject), Reason.UNKNOWN)


def sms_reason(provider_response: str) -> Reason:
    """Give the reason of a failed SMS, from the `providerResponse` of SNS's delivery log."""
    return _SMS.get(_plain(provider_response), Reason.UNKNOWN)


def email_refusal_reason(code: str) -> Reason:
    """Give the reason why SES did not take an e-mail, from the error code of `SendEmail`."""
    return _EMAIL_ERRORS.get(code, Reason.UNKNOWN)


def sms_refusal_reason(code: str) -> Reason:
    """Give the reason why SNS did not take an SMS, from the error code of `Publish`."""
    return _SMS_ERRORS.get(code, Reason.UNKNOWN)


def _plain(text: str) -> str:
    """Give the first sentence of a wording, in lower case; what follows is advice."""
    return text.strip().lower().partition(". ")[0].rstrip(".")
