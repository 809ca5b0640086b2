"""Counting what the tables hold, one item at a time: what is kept in memory grows with hours,
domains and reasons, not with voters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from reassort.agent_names import actors, is_agent
from reassort.outbox import Channel, HistoryStep, Kind, Message, Status
from reassort.reasons import Reason
from reassort.register import DISPUTE_ACTOR, VOTER_ACTOR, Change

from reassort_ops.report.durations import Durations
from reassort_ops.report.figures import Milestone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reassort.election import Election
    from reassort.tables import Item

    from reassort_ops.report.period import Period

# What is told of a message's place among others: the way it went, and the mail domain if it went by
# e-mail to one of the election's.
type Way = tuple[Channel, str | None]


@dataclass
class RegisterTally:
    """Changes of the period, by hour (its beginning, UTC)."""

    period: Period
    reissues: Counter[datetime] = field(default_factory=Counter)
    by_operators: int = 0
    by_helpdesk: int = 0
    disputes: Counter[datetime] = field(default_factory=Counter)
    froze: int = 0
    frozen_by_operators: int = 0
    unfrozen: int = 0
    unlocked: Counter[datetime] = field(default_factory=Counter)
    controls: list[tuple[int, Change]] = field(default_factory=list)

    def take(self, item: Item) -> None:
        """Count an entry of the register."""
        hour = self.period.hour_of(item["at"])
        by_voter = item["actor"] == DISPUTE_ACTOR
        match Change(item["change"]):
            case Change.REISSUED:
                self.reissues[hour] += 1
                if item["actor"] != VOTER_ACTOR:
                    agents = any(map(is_agent, actors(item["actor"])))
                    self.by_helpdesk += agents
                    self.by_operators += not agents
            case Change.FROZEN if not by_voter:
                self.frozen_by_operators += 1
            case Change.FROZEN:
                self.disputes[hour] += 1
                self.froze += 1
            case Change.DISPUTED:
                self.disputes[hour] += 1
            case Change.UNFROZEN:
                self.unfrozen += 1
            case Change.UNLOCKED:
                self.unlocked[hour] += 1
            case Change.OPENED | Change.CLOSED | Change.PROLONGED as control:
                self.controls.append((item["at"], control))


@dataclass
class VotersTally:
    """How voters stand at `now` (milliseconds since 1970)."""

    election: Election
    now: int
    with_wrong: int = 0
    locked: int = 0
    until_helpdesk: int = 0
    frozen: int = 0

    def take(self, item: Item) -> None:
        """Count a voter, if they typed a wrong NUMEN or are frozen."""
        failures = item["numen_failures"]
        self.with_wrong += failures > 0
        if failures >= self.election.limits.numen.helpdesk_after:
            self.until_helpdesk += 1
        elif failures and item["numen_locked_until"] > self.now:
            self.locked += 1
        self.frozen += "frozen_at" in item and "voted_at" not in item and "left_at" not in item


@dataclass
class DeliveriesTally:
    """Codes and reissues that were asked for in the period, and what became of their messages
    since.
    """

    period: Period
    domains: frozenset[str]
    codes: int = 0
    known: int = 0
    asked_by_voters: int = 0
    asked: Counter[tuple[datetime, Channel]] = field(default_factory=Counter)
    statuses: Counter[Status] = field(default_factory=Counter)
    # Of those that voters asked for.
    handed_over: int = 0
    arrived: int = 0
    disputed: int = 0
    fell_back: int = 0
    queued: Counter[Way] = field(default_factory=Counter)
    failed: Counter[tuple[Way, Reason]] = field(default_factory=Counter)
    marked_as_spam: Counter[Way] = field(default_factory=Counter)
    sms_by_day: Counter[date] = field(default_factory=Counter)
    times: dict[tuple[Channel | None, Milestone], Durations] = field(
        default_factory=lambda: {
            (channel, milestone): Durations()
            for channel, milestone in (
                (Channel.SMS, Milestone.HANDED_OVER),
                (Channel.SMS, Milestone.DELIVERED),
                (Channel.EMAIL, Milestone.HANDED_OVER),
                (Channel.EMAIL, Milestone.DELIVERED),
                (None, Milestone.DELIVERED),
            )
        }
    )

    def take(self, item: Item) -> None:
        """Count a delivery. What is neither a code nor a reissue is nobody's, and not counted."""
        match item["kind"]:
            case Kind.CODE:
                self.codes += 1
            case Kind.REISSUE:
                self._take_reissue(item)

    def _take_reissue(self, item: Item) -> None:
        self.known += 1
        # The form that was filled in; who helps fills in none.
        by_voter = bool(item.get("request_hash"))
        self.asked_by_voters += by_voter
        domain = item.get("destinations", {}).get("email", "").rpartition("@")[2]
        mail = (Channel.EMAIL, domain if domain in self.domains else None)
        identifier: list[HistoryStep] = []
        self.queued[mail] += 1  # the confirmation
        for line in item["history"]:
            step = HistoryStep.read(line)
            if line["message"] == Message.IDENTIFIER:
                identifier.append(step)
                way = mail if step.channel is Channel.EMAIL else (Channel.SMS, None)
                self.queued[way] += step.status is Status.QUEUED
            elif line["message"] == Message.CONFIRMATION:
                way = mail
            else:
                # An alert goes to the helpdesk.
                continue
            if step.status is Status.FAILED:
                self.failed[way, step.reason or Reason.UNKNOWN] += 1
            elif step.reason is Reason.MARKED_AS_SPAM:
                self.marked_as_spam[way] += 1
        self._take_identifier(item["created_at"], identifier)
        # A receipt may overtake the record of the sending, which is then not made.
        reached = {step.status for step in identifier}
        self.handed_over += by_voter and bool(reached & {Status.SENT, Status.DELIVERED})
        status = Status(item["messages"]["identifier"]["status"])
        self.statuses[status] += 1
        self.arrived += by_voter and status is Status.DELIVERED
        self.disputed += "disputed_at" in item
        self.fell_back += item.get("fell_back", False)

    def _take_identifier(self, created_at: int, steps: list[HistoryStep]) -> None:
        self.asked[self.period.hour_of(created_at), steps[0].channel or Channel.EMAIL] += 1
        arrivals = [step.at for step in steps if _is_news(step) and step.status is Status.DELIVERED]
        if arrivals:
            self.times[None, Milestone.DELIVERED].add(min(arrivals) - created_at)
        for leg in _legs(steps):
            channel = leg[0].channel or Channel.EMAIL
            first = {step.status: step.at for step in reversed(leg) if _is_news(step)}
            for status, milestone in (
                (Status.SENT, Milestone.HANDED_OVER),
                (Status.DELIVERED, Milestone.DELIVERED),
            ):
                if status in first:
                    self.times[channel, milestone].add(first[status] - leg[0].at)
            if channel is Channel.SMS and (taken_at := first.get(Status.SENT, first.get(Status.DELIVERED))) is not None:
                self.sms_by_day[self.period.day_of(taken_at)] += 1


def _is_news(step: HistoryStep) -> bool:
    """Tell a change of status from a provider's remark on one that stays: a remark has a reason,
    and is no failure.
    """
    return step.reason is None or step.status is Status.FAILED


def _legs(steps: list[HistoryStep]) -> Iterator[list[HistoryStep]]:
    """Cut the history of an identifier wherever it was queued again, by whatever way."""
    begins = [place for place, step in enumerate(steps) if step.status is Status.QUEUED]
    for begin, end in zip(begins, [*begins[1:], len(steps)], strict=True):
        yield steps[begin:end]
