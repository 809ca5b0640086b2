"""What a roll of a given size asks of an account: e-mails and SMS in a day, functions at once,
requests a second.

The busiest minute is that of the model in bench/first_morning.md: a fifth of the roll asks for an
identifier on the first day, two fifths of them in two hours, in which arrivals swell to 1.6 times
their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from reassort_ops.language import joined, tr

if TYPE_CHECKING:
    from reassort.election import Election

_SHARE, _BUSY_SHARE, _BUSY_SECONDS, _SWELL = 0.2, 0.4, 7200, 1.6
# Seconds of a function's time that one reissue takes in all functions together, and its requests to
# the API (bench/first_morning.md).
_FUNCTION_SECONDS = 0.65
_API_REQUESTS = 9.7
_MONTH = timedelta(days=31)


@dataclass(frozen=True)
class Demand:
    """What `asking` voters on one day ask for, out of `voters` on the roll."""

    voters: int
    asking: int
    emails_a_day: int
    emails_why: str
    emails_a_second: int
    sms_a_month: int
    sms_month_usd: float
    sms_why: str
    functions_at_once: int
    requests_a_second: int


def demand(election: Election, voters: int, share_percent: int) -> Demand:
    """Return what a roll asks for if `share_percent` of it asks for an identifier on one day.

    E-mails: a confirmation each, and a code each or all that may leave in a day
    (`sending.codes_per_day`), whichever is more; those for whom the day's SMS are used up
    (`sending.sms_per_day`) get the identifier by e-mail, too; and the canaries. SMS: each voter
    once, as far as the day's cap allows within a month, at the most that one may cost
    (`limits.sms_max_price_usd`).
    """
    asking = ceil(voters * share_percent / 100)
    over_cap = max(0, asking - election.sending.sms_per_day)
    codes = max(asking, election.sending.codes_per_day)
    canaries = _canaries_a_day(election)
    window = election.windows.reissue
    days = ceil(min(window.closes_at - window.opens_at, _MONTH) / timedelta(days=1))
    sms = min(voters, election.sending.sms_per_day * days)
    busiest = voters * _SHARE * _BUSY_SHARE / _BUSY_SECONDS * _SWELL
    price = election.limits.sms_max_price_usd
    return Demand(
        voters=voters,
        asking=asking,
        emails_a_day=codes + asking + over_cap + canaries,
        emails_why=joined(
            " + ",
            (
                tr("{codes:,} codes", codes=codes),
                tr("{asking:,} confirmations", asking=asking),
                *([tr("{count:,} identifiers beyond the day's SMS", count=over_cap)] if over_cap else ()),
                *([tr("{canaries:,} canaries", canaries=canaries)] if canaries else ()),
            ),
        ),
        emails_a_second=election.sending.codes_per_second + election.sending.emails_per_second,
        sms_a_month=sms,
        sms_month_usd=float(sms * price),
        sms_why=tr("{sms:,} SMS × {price} USD at most", sms=sms, price=price),
        functions_at_once=ceil(busiest * _FUNCTION_SECONDS),
        requests_a_second=ceil(busiest * _API_REQUESTS),
    )


def _canaries_a_day(election: Election) -> int:
    if election.canaries is None:
        return 0
    mailboxes = sum(target.mailbox is not None for target in election.canaries.targets)
    return mailboxes * 24 * 60 // election.canaries.every_minutes
