"""The figures of a report: what the page shows and `--json` prints. None is a figure that could not
be known, never a zero.

Nothing is about one voter: the finest cells are an hour, a mail domain of the election, a reason.
Hours are the instants at which they begin, aware, in the election's time zone, so an hour that the
clocks repeat is two hours.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reassort.outbox import Channel
from reassort.reasons import Reason
from reassort.register import Change


class SourceName(StrEnum):
    """Where figures come from."""

    REGISTER = "register"
    DELIVERIES = "deliveries"
    VOTERS = "voters"
    LIMITS = "limits"
    METRICS = "metrics"


class Milestone(StrEnum):
    """What a time is measured until."""

    HANDED_OVER = "handed-over"
    DELIVERED = "delivered"


class Step(StrEnum):
    """A step of the way from a code to an identifier that arrived."""

    CODES = "codes"
    SIGNED_IN = "signed-in"
    REISSUED = "reissued"
    HANDED_OVER = "handed-over"
    DELIVERED = "delivered"


@dataclass(frozen=True)
class Source:
    """A source of figures. `looked_at` is how many items or values it holds; `remarks` say in
    French what it cannot tell.
    """

    name: SourceName
    available: bool
    looked_at: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReissuesOfHour:
    """Reissues by the channel that was asked for; `unknown` are those whose delivery is kept no
    longer.
    """

    hour: datetime
    sms: int
    email: int
    unknown: int

    @property
    def total(self) -> int:
        """Return how many there were in all."""
        return self.sms + self.email + self.unknown


@dataclass(frozen=True)
class Control:
    """What the operators did to the election as a whole: stopped all reissues (`closed`), or let
    them go on (`opened`).
    """

    at: datetime
    change: Change


@dataclass(frozen=True)
class Reissues:
    """Every reissue of the period, as the register has it; channels are the deliveries'. The
    helpdesk's are those that one of its agents gave, alone or with somebody else.
    """

    total: int
    by_voters: int
    by_helpdesk: int
    by_operators: int
    sms: int
    email: int
    unknown: int
    by_hour: tuple[ReissuesOfHour, ...]
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class ReissuesOfEstablishment:
    """How many voters of an establishment were given an identifier again, and how often in all."""

    name: str
    voters: int
    reissues: int


@dataclass(frozen=True)
class Establishments:
    """Reissues by establishment. Named are those with at least `floor` such voters; `others` are
    the rest, and of the named the smallest that make them as many. Their counts are None where all
    are fewer.
    """

    floor: int
    named: tuple[ReissuesOfEstablishment, ...]
    others: int
    others_voters: int | None
    others_reissues: int | None


@dataclass(frozen=True)
class Times:
    """How long identifiers took, in milliseconds: to three significant digits, the longest exactly.

    `channel` is the way that they went, counted from when they were queued there; None counts from
    the request to the first arrival by whatever way. All but `count` are None when there was
    nothing to measure.
    """

    channel: Channel | None
    until: Milestone
    count: int
    p50: int | None
    p90: int | None
    p95: int | None
    p99: int | None
    longest: int | None


@dataclass(frozen=True)
class Failure:
    """Messages that failed on their way for one reason. `domain` is None for SMS, and for a domain
    that is not the election's.
    """

    channel: Channel
    domain: str | None
    reason: Reason
    words: str
    count: int


@dataclass(frozen=True)
class Messages:
    """Messages of reissues (identifiers and confirmations) by mail domain: queued, failed, and
    marked as spam.
    """

    channel: Channel
    domain: str | None
    queued: int
    failed: int
    marked_as_spam: int
    failed_percent: float | None


@dataclass(frozen=True)
class MailOfDomain:
    """All e-mails to a domain, codes included, as the metrics count them."""

    domain: str
    handed_over: int
    delivered: int
    failed: int
    marked_as_spam: int


@dataclass(frozen=True)
class Failures:
    """What did not arrive. `undelivered` are identifiers that reached nobody; `fell_back` went by
    the other channel after one had failed.
    """

    failed: int
    fell_back: int
    undelivered: int
    by_reason: tuple[Failure, ...]
    by_domain: tuple[Messages, ...]
    mail: tuple[MailOfDomain, ...] | None


@dataclass(frozen=True)
class LocksOfHour:
    """Wrong NUMENs and the locks that they led to (None: not known), and voters whom the helpdesk
    unlocked.
    """

    hour: datetime
    wrong: int | None
    locks: int | None
    unlocked: int


@dataclass(frozen=True)
class Locks:
    """Locks after wrong NUMENs: in the period, and how many voters stand so at the time of the
    report (`…_now`).
    """

    wrong: int | None
    locks: int | None
    unlocked: int
    with_wrong_now: int | None
    locked_now: int | None
    until_helpdesk_now: int | None
    by_hour: tuple[LocksOfHour, ...]


@dataclass(frozen=True)
class DisputesOfHour:
    """Reissues that their voters said were not theirs."""

    hour: datetime
    disputes: int


@dataclass(frozen=True)
class Disputes:
    """Disputed reissues. `froze` of them froze the identifier; operators froze and unfroze voters
    besides.
    """

    total: int
    froze: int
    frozen_by_operators: int
    unfrozen: int
    frozen_now: int | None
    by_hour: tuple[DisputesOfHour, ...]


@dataclass(frozen=True)
class SmsOfDay:
    """SMS of one local day: counted against the day's cap, handed over for reissues, and what
    carriers reported as their price.
    """

    day: date
    counted: int | None
    cap_percent: float | None
    handed_over: int
    spend_usd: float | None


@dataclass(frozen=True)
class Sms:
    """SMS and what they cost, against what they may. `alarm_usd` is the threshold of the alarm on
    the month's spend rings.
    """

    cap_per_day: int
    max_price_usd: Decimal
    handed_over: int
    spend_usd: float | None
    month_to_date_usd: float | None
    alarm_usd: float | None
    by_day: tuple[SmsOfDay, ...]


@dataclass(frozen=True)
class FunnelStep:
    """How many reached a step on the voters' own way, so without what the helpdesk and operators
    gave; `percent` is of the step before. `source` is where the count comes from.
    """

    step: Step
    count: int | None
    percent: float | None
    source: SourceName


@dataclass(frozen=True)
class Outcomes:
    """Where the identifiers of the period's reissues stand, of those whose delivery is kept: all
    (`known`), and those that voters asked for. The five after these two add up to `known`.
    """

    known: int
    asked_by_voters: int
    waiting: int
    sent: int
    delivered: int
    failed: int
    superseded_unsent: int
    disputed: int


@dataclass(frozen=True)
class Figures:
    """A whole report. `start` is included, `end` is not; both are in the election's time zone."""

    stack: str
    election: str
    name: str
    organiser: str
    zone: str
    at: datetime
    start: datetime
    end: datetime
    sources: tuple[Source, ...]
    reissues: Reissues
    outcomes: Outcomes
    funnel: tuple[FunnelStep, ...]
    times: tuple[Times, ...]
    failures: Failures
    locks: Locks
    disputes: Disputes
    sms: Sms
    # None without a roll.
    establishments: Establishments | None

    def source(self, name: SourceName) -> Source:
        """Return what is to be said of a source."""
        return next(source for source in self.sources if source.name is name)


def as_json(value: Any) -> Any:
    """Return figures as JSON: members by their names, instants with their offset, percentages and
    dollars as numbers.
    """
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case Decimal():
            return float(value)
        case tuple():
            return [as_json(element) for element in value]
        case _ if is_dataclass(value):
            return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
