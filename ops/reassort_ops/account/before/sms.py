"""What SNS lets the account send by SMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr

SANDBOX = Subject(tr("SMS"), tr("sandbox left"), "sms")
SPEND = Subject(tr("SMS"), tr("spend limit of a month"), "sms")
SENDER = Subject(tr("SMS"), tr("sender id"), "sms")
# SNS: what an account has that never asked for more.
_DEFAULT_LIMIT_USD = "1"


def probes(reach: Reach, plan: Plan) -> tuple[Probe, ...]:
    """Return the probes of SMS."""

    def sandbox_left() -> Iterator[Check]:
        yield sandbox(reach.aws.client("sns").get_sms_sandbox_account_status())

    def spend_limit() -> Iterator[Check]:
        demand = plan.known_demand()
        answer = reach.aws.client("sns").get_sms_attributes(attributes=["MonthlySpendLimit"])
        yield spend(answer, demand.sms_month_usd, demand.sms_why)

    def sender_id() -> Iterator[Check]:
        election = plan.known_election()
        pages = (
            reach.aws.client("pinpoint-sms-voice-v2")
            .get_paginator("describe_sender_ids")
            .paginate(Filters=[{"Name": "sender-id", "Values": [election.senders.sms_sender_id]}])
        )
        held = [sender for page in pages for sender in page["SenderIds"]]
        yield sender(held, election.senders.sms_sender_id, election.phones.territories)

    return Probe((SANDBOX,), sandbox_left), Probe((SPEND,), spend_limit), Probe((SENDER,), sender_id)


def sandbox(answer: Mapping[str, Any]) -> Check:
    """Judge whether SMS go to any number, and not only to verified ones."""
    inside = answer["IsInSandbox"]
    return SANDBOX.judged(
        not inside, tr("SMS to any number"), tr("sandbox: verified numbers only") if inside else tr("left")
    )


def spend(answer: Mapping[str, Any], needed: float, why: str) -> Check:
    """Judge the most that the account may spend on SMS in a month, US dollars. SNS names no limit
    that was never raised.
    """
    limit = float(answer.get("attributes", {}).get("MonthlySpendLimit", _DEFAULT_LIMIT_USD))
    return SPEND.judged(
        limit >= needed,
        tr("at least {needed:,.0f} USD ({why})", needed=needed, why=why),
        tr("{limit:,.0f} USD", limit=limit),
    )


def sender(held: Sequence[Mapping[str, Any]], sender_id: str, territories: Sequence[str]) -> Check:
    """Judge whether the account holds the sender id in each territory.

    One that is held and waits for its registration is wrong. One that is not held may still be
    shown: many countries take any sender id. Which do is known to AWS's list of countries alone,
    not to an API:
    https://docs.aws.amazon.com/sms-voice/latest/userguide/phone-numbers-sms-by-country.html
    """
    by_territory = {one["IsoCountryCode"]: one for one in held if one["SenderId"].upper() == sender_id.upper()}
    waiting = [
        name
        for name in territories
        if name in by_territory
        and by_territory[name].get("RegistrationId")
        and not by_territory[name].get("Registered", False)
    ]
    absent = [name for name in territories if name not in by_territory]
    expected = tr("{sender_id} in {territories}", sender_id=sender_id, territories=", ".join(territories))
    if waiting:
        return SENDER.judged(False, expected, tr("registration not granted in {waiting}", waiting=", ".join(waiting)))
    if absent:
        why = tr("not held in {absent}: look up whether AWS wants a registration there", absent=", ".join(absent))
        return SENDER.unseen(why, expected)
    return SENDER.judged(True, expected, tr("held in all of them"))
