"""Whether messages leave in the sender's name, and whether what becomes of them comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach, Records
from reassort_ops.language import tr

DKIM = Subject(tr("Messages"), "DKIM", "sender-dns")
SPF = Subject(tr("Messages"), "SPF", "sender-dns")
DMARC = Subject(tr("Messages"), "DMARC", "sender-dns")
SMS_LOG = Subject(tr("Messages"), tr("SNS logs what became of SMS"), "sms-receipts")
SMS_FILTERS = Subject(tr("Messages"), tr("these logs reach the stack"), "sms-receipts")
_LOG_GROUPS = ("SmsDeliveredLogs", "SmsFailedLogs")


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return the probes of e-mail and SMS."""
    domain = stack.parameters.get("SenderDomain", "")

    def identity() -> Mapping[str, Any]:
        reach.raise_if_elsewhere()
        found: Mapping[str, Any] = reach.aws.client("sesv2").get_email_identity(EmailIdentity=domain)
        return found

    def sender() -> Iterator[Check]:
        found = identity()
        yield dkim(found)
        yield spf(domain, found.get("MailFromAttributes", {}).get("MailFromDomain") or None, reach.records)

    def policy() -> Iterator[Check]:
        reach.raise_if_elsewhere()
        yield dmarc(domain, reach.records)

    def sms_log() -> Iterator[Check]:
        role = stack.outputs.get("SmsStatusRoleArn")
        names = ["DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate"]
        answer = reach.aws.client("sns").get_sms_attributes(attributes=names)
        yield receipts(answer.get("attributes", {}), role)

    def sms_filters() -> Iterator[Check]:
        function = stack.arn("NotifyFunction")
        logs = reach.aws.client("logs")
        groups = [stack.resources[name].physical_id for name in _LOG_GROUPS if name in stack.resources]
        if not groups:
            groups = [f"sns/{stack.region}/{stack.account}/DirectPublishToPhoneNumber{end}" for end in ("", "/Failure")]
        targets = {
            group: [
                one["destinationArn"]
                for one in logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
            ]
            for group in groups
        }
        yield filters(targets, function)

    return (
        Probe((DKIM, SPF), sender),
        Probe((DMARC,), policy),
        Probe((SMS_LOG,), sms_log),
        Probe((SMS_FILTERS,), sms_filters),
    )


def dkim(identity: Mapping[str, Any]) -> Check:
    """Judge whether SES has found the three records and signs with them."""
    attributes = identity.get("DkimAttributes", {})
    status, signs = attributes.get("Status", "unknown"), attributes.get("SigningEnabled", False)
    found = status if signs else tr("{status}, signing is off", status=status)
    return DKIM.judged(status == "SUCCESS" and signs, tr("SUCCESS, and SES signs"), found)


def spf(domain: str, mail_from: str | None, records: Records) -> Check:
    """Judge the SPF record of the domain that bounces go to: `mail_from`, or one of SES itself,
    which has a record of its own.

    Without `mail_from` nobody asks for the sender's record, so none is needed; two of one name are
    an error (RFC 7208 section 4.5).
    """
    name = mail_from or domain
    found = [text for text in records.texts(name) if text.lower().split(" ")[0] == "v=spf1"]
    expected = tr("one TXT v=spf1 of {name} with include:amazonses.com", name=name)
    if not found and mail_from is None:
        return SPF.unseen(tr("none, and none is asked for: bounces go to a domain of SES"), expected)
    holds = ["include:amazonses.com" in text.lower().split() for text in found] == [True]
    return SPF.judged(holds, expected, " | ".join(found) or tr("none"))


def dmarc(domain: str, records: Records) -> Check:
    """Judge whether the domain has a DMARC policy, or one above it has (RFC 9989: the tree walk, at
    least two labels).
    """
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = ".".join(["_dmarc", *labels[start:]])
        found = [text for text in records.texts(name) if text.replace(" ", "").lower().startswith("v=dmarc1;")]
        if found:
            return DMARC.judged(len(found) == 1, "one TXT v=DMARC1", f"{name}: {' | '.join(found)}")
    return DMARC.judged(False, tr("one TXT v=DMARC1 of _dmarc.{domain} or above", domain=domain), tr("none"))


def receipts(attributes: Mapping[str, str], role: str | None) -> Check:
    """Judge whether SNS logs all SMS, under the stack's role or, where another stack owns it, under
    some role.
    """
    found_role, rate = attributes.get("DeliveryStatusIAMRole", ""), attributes.get("DeliveryStatusSuccessSamplingRate")
    right = found_role == role if role else bool(found_role)
    told = tr(
        "{role}, {rate} % of those that arrived", role=found_role.rpartition("/")[2] or tr("no role"), rate=rate or "0"
    )
    wanted = role.rpartition("/")[2] if role else tr("a role")
    return SMS_LOG.judged(right and rate == "100", tr("{wanted}, 100 % of those that arrived", wanted=wanted), told)


def filters(targets: Mapping[str, Sequence[str]], function: str) -> Check:
    """Judge whether each of the two log groups hands what it gets to the stack's function."""
    if not targets:
        raise NotSeenError(tr("there are no such log groups"))
    deaf = [group for group, arns in targets.items() if function not in arns]
    found = tr("none from {deaf}", deaf=", ".join(deaf)) if deaf else tr("from {count} log groups", count=len(targets))
    return SMS_FILTERS.judged(not deaf, tr("a subscription filter of each log group"), found)
