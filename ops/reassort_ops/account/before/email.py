"""What SES lets the account send.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr

PRODUCTION = Subject(tr("E-mail"), tr("production access"), "ses")
SENDING = Subject(tr("E-mail"), tr("sending not paused"), "ses")
DAY = Subject(tr("E-mail"), tr("quota of 24 hours"), "ses")
RATE = Subject(tr("E-mail"), tr("rate"), "ses")
# SES's word for no limit.
_UNLIMITED = -1


def probe(reach: Reach, plan: Plan) -> Probe:
    """Return the probe of the account's e-mail."""

    def look() -> Iterator[Check]:
        account = reach.aws.client("sesv2").get_account()
        yield production(account)
        yield sending(account)
        election = plan.known_election()
        yield rate(account, election.sending.codes_per_second + election.sending.emails_per_second)
        demand = plan.known_demand()
        yield day(account, demand.emails_a_day, demand.emails_why)

    return Probe((PRODUCTION, SENDING, DAY, RATE), look)


def production(account: Mapping[str, Any]) -> Check:
    """Judge whether the account is out of the sandbox, in which only verified addresses get
    anything.
    """
    out = account.get("ProductionAccessEnabled", False)
    review = account.get("Details", {}).get("ReviewDetails", {}).get("Status")
    asked = tr(", request {review}", review=review.lower()) if review and not out else ""
    return PRODUCTION.judged(out, tr("granted"), tr("granted") if out else tr("sandbox{asked}", asked=asked))


def sending(account: Mapping[str, Any]) -> Check:
    """Judge whether SES or the account's owner has paused sending. PROBATION still sends, and ends
    in a pause.
    """
    enabled, status = account.get("SendingEnabled", False), account.get("EnforcementStatus", "unknown")
    found = tr("{sending}, reputation {status}", sending=tr("enabled") if enabled else tr("paused"), status=status)
    return SENDING.judged(enabled and status == "HEALTHY", tr("enabled, reputation HEALTHY"), found)


def day(account: Mapping[str, Any], needed: int, why: str) -> Check:
    """Judge the quota of a day against what the roll needs."""
    quota = _quota(account, "Max24HourSend")
    used = _quota(account, "SentLast24Hours")
    return DAY.judged(
        quota == _UNLIMITED or quota >= needed,
        tr("at least {needed:,} ({why})", needed=needed, why=why),
        tr("no limit") if quota == _UNLIMITED else tr("{quota:,.0f}, {used:,.0f} of them used", quota=quota, used=used),
    )


def rate(account: Mapping[str, Any], needed: int) -> Check:
    """Judge the rate against that of the election file: `codes_per_second` and `emails_per_second`
    together.
    """
    found = _quota(account, "MaxSendRate")
    return RATE.judged(
        found == _UNLIMITED or found >= needed,
        tr("at least {needed} a second (codes_per_second + emails_per_second)", needed=needed),
        tr("{found:g} a second", found=found),
    )


def _quota(account: Mapping[str, Any], name: str) -> float:
    value = account.get("SendQuota", {}).get(name)
    if value is None:
        raise NotSeenError(tr("GetAccount says nothing of {name}", name=name))
    return float(value)
