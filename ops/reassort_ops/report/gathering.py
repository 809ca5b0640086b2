"""Gathering the figures of a report from the tables and from CloudWatch.

The register tells of every reissue, dispute and operator's act as long as it is kept; deliveries,
for as many days as the election file says, which way a message went, how long it took and why it
failed; voters, who is locked now; CloudWatch, what no table keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.outbox import Channel, Kind, Status
from reassort.register import Change
from reassort.table_keys import PACE_PREFIX, sms_day_attribute
from reassort.tables import read_one

from reassort_ops.report import metrics as counted
from reassort_ops.report import remarks
from reassort_ops.report.establishments import EstablishmentsTally
from reassort_ops.report.figures import (
    Control,
    Disputes,
    DisputesOfHour,
    Failure,
    Failures,
    Figures,
    FunnelStep,
    Locks,
    LocksOfHour,
    MailOfDomain,
    Messages,
    Outcomes,
    Reissues,
    ReissuesOfHour,
    Sms,
    SmsOfDay,
    Source,
    SourceName,
    Step,
    Times,
)
from reassort_ops.report.metrics import Metrics, mail_queries, read_metrics
from reassort_ops.report.segments import Wanted, scan
from reassort_ops.report.tallies import DeliveriesTally, RegisterTally, VotersTally

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.election import Election
    from reassort.tables import Item

    from reassort_ops.account.stack import Stack
    from reassort_ops.report.period import Period

# A code's delivery is kept for its lifetime and so long.
_CODES_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Gathering:
    """Where and how figures are gathered: `now` is the time of the report, `segments` how many
    parts of a table are read at once.
    """

    dynamodb: DynamoDBClient
    cloudwatch: CloudWatchClient
    stack: Stack
    election: Election
    period: Period
    now: datetime
    segments: int

    def figures(self, advance: Callable[[int], object]) -> Figures:
        """Read everything and return the figures. `advance` is told how many more items were looked
        at.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses to let a table be read; a refusal of
                CloudWatch is a remark of the report.
        """
        # The register last: a reissue that commits meanwhile lies after the period's end, or its
        # delivery was seen.
        deliveries = DeliveriesTally(self.period, frozenset(self.election.domain_names))
        delivered_from = self._scan_deliveries(deliveries, advance)
        register = RegisterTally(self.period)
        entries = self._scan_register(register, advance)
        standing = VotersTally(self.election, epoch_milliseconds(self.now))
        establishments = EstablishmentsTally(self.period)
        voters = self._scan_voters(standing, establishments, advance)
        metrics = read_metrics(self.cloudwatch, self.stack.name, self.election.domain_names, self.period)
        sms_days = self._sms_days()
        reissues = self._reissues(register, deliveries)
        return Figures(
            stack=self.stack.name,
            election=self.election.id,
            name=self.election.name,
            organiser=self.election.organiser,
            zone=self.period.zone.key,
            at=self.now.astimezone(self.period.zone),
            start=self.period.start,
            end=self.period.end,
            sources=(
                self._register_source(entries),
                self._deliveries_source(delivered_from, reissues),
                self._voters_source(voters),
                Source(SourceName.LIMITS, available=bool(sms_days), looked_at=len(sms_days), remarks=(remarks.LIMITS,)),
                self._metrics_source(metrics),
            ),
            reissues=reissues,
            outcomes=_outcomes(deliveries),
            funnel=self._funnel(reissues, deliveries, metrics),
            times=_times(deliveries),
            failures=self._failures(deliveries, metrics),
            locks=self._locks(register, standing if voters else None, metrics),
            disputes=Disputes(
                total=register.disputes.total(),
                froze=register.froze,
                frozen_by_operators=register.frozen_by_operators,
                unfrozen=register.unfrozen,
                frozen_now=standing.frozen if voters else None,
                by_hour=tuple(
                    DisputesOfHour(hour.astimezone(self.period.zone), count)
                    for hour, count in sorted(register.disputes.items())
                ),
            ),
            sms=self._sms(deliveries, sms_days, metrics),
            establishments=establishments.figures() if voters else None,
        )

    # ------------------------------------------------------------ what is read

    def _scan_deliveries(self, tally: DeliveriesTally, advance: Callable[[int], object]) -> int:
        first, last = self.period.bounds
        attributes = (
            "kind",
            "created_at",
            "destinations.email",
            "history",
            "messages.identifier.status",
            "disputed_at",
            "fell_back",
            "request_hash",
        )
        condition = "{kind} IN (:code, :reissue) AND {created_at} BETWEEN :first AND :last"
        values = {":code": Kind.CODE.value, ":reissue": Kind.REISSUE.value, ":first": first, ":last": last}
        return sum(
            scan(self.dynamodb, Wanted(table, attributes, condition, values), self.segments, tally.take, advance)
            for table in self.stack.outbox.all
        )

    def _scan_register(self, tally: RegisterTally, advance: Callable[[int], object]) -> int:
        first, last = self.period.bounds
        wanted = Wanted(
            self.stack.register_table,
            ("change", "at", "actor"),
            # Nine entries in ten are of the roll and of the ballot; they are not sent here.
            "NOT {change} IN (:issued, :voted) AND {at} BETWEEN :first AND :last",
            {":issued": Change.ISSUED.value, ":voted": Change.VOTED.value, ":first": first, ":last": last},
        )
        return scan(self.dynamodb, wanted, self.segments, tally.take, advance)

    def _scan_voters(
        self, standing: VotersTally, establishments: EstablishmentsTally, advance: Callable[[int], object]
    ) -> int:
        names = ("numen_failures", "numen_locked_until", "frozen_at", "voted_at", "left_at")
        wanted = Wanted(
            self.stack.voters_table,
            (*names, "establishment", "generation", "issued_at"),
            "{numen_failures} > :none OR attribute_exists({frozen_at}) OR {generation} > :first",
            {":none": 0, ":first": 1},
        )

        def take(item: Item) -> None:
            standing.take(item)
            establishments.take(item)

        return scan(self.dynamodb, wanted, self.segments, take, advance)

    def _sms_days(self) -> dict[str, int]:
        """Return the SMS of each day that still has its count, by the name of its attribute."""
        item = read_one(self.dynamodb, self.stack.pace_table, {"key": f"{PACE_PREFIX}{Channel.SMS}"}) or {}
        return {name: count for name, count in item.items() if name.startswith("sms_")}

    # ------------------------------------------------------------ what is to be said of it

    def _register_source(self, entries: int) -> Source:
        told = () if entries else (remarks.EMPTY_REGISTER,)
        return Source(SourceName.REGISTER, available=entries > 0, looked_at=entries, remarks=told)

    def _deliveries_source(self, deliveries: int, reissues: Reissues) -> Source:
        told = []
        kept_since = self.election.retention.deliveries_since(self.now)
        if self.period.start < kept_since:
            told.append(remarks.deliveries_kept(self.election.retention.deliveries_days, kept_since, self.period.zone))
        if reissues.unknown:
            told.append(remarks.deliveries_gone(reissues.unknown, reissues.total))
        available = deliveries > 0 and reissues.unknown < max(1, reissues.total)
        return Source(SourceName.DELIVERIES, available=available, looked_at=deliveries, remarks=tuple(told))

    def _voters_source(self, voters: int) -> Source:
        told = (remarks.voters_now(self.now, self.period.zone),) if voters else (remarks.NO_VOTERS,)
        return Source(SourceName.VOTERS, available=voters > 0, looked_at=voters, remarks=told)

    def _metrics_source(self, metrics: Metrics) -> Source:
        told = [remarks.metrics_hours()]
        if metrics.refusal is not None:
            told = [remarks.metrics_refused(metrics.refusal)]
        elif not metrics.values:
            told = [remarks.NO_METRICS]
        elif self.period.start < self.now - counted.KEPT:
            told.append(remarks.metrics_kept(counted.KEPT.days))
        return Source(SourceName.METRICS, available=metrics.values > 0, looked_at=metrics.values, remarks=tuple(told))

    # ------------------------------------------------------------ figures

    def _reissues(self, register: RegisterTally, deliveries: DeliveriesTally) -> Reissues:
        by_hour = []
        for hour in sorted({*register.reissues, *(hour for hour, _ in deliveries.asked)}):
            sms, email = (deliveries.asked[hour, channel] for channel in (Channel.SMS, Channel.EMAIL))
            unknown = max(0, register.reissues[hour] - sms - email)
            by_hour.append(ReissuesOfHour(hour.astimezone(self.period.zone), sms, email, unknown))
        return Reissues(
            total=sum(hour.total for hour in by_hour),
            by_voters=register.reissues.total() - register.by_operators - register.by_helpdesk,
            by_helpdesk=register.by_helpdesk,
            by_operators=register.by_operators,
            sms=sum(hour.sms for hour in by_hour),
            email=sum(hour.email for hour in by_hour),
            unknown=sum(hour.unknown for hour in by_hour),
            by_hour=tuple(by_hour),
            controls=tuple(
                Control(from_milliseconds(at).astimezone(self.period.zone), change)
                for at, change in sorted(register.controls)
            ),
        )

    def _funnel(self, reissues: Reissues, deliveries: DeliveriesTally, metrics: Metrics) -> tuple[FunnelStep, ...]:
        codes, codes_from = metrics.total(counted.CODES), SourceName.METRICS
        if codes is None and self._began() > self.now - _CODES_KEPT:
            codes, codes_from = deliveries.codes, SourceName.DELIVERIES
        known = deliveries.asked_by_voters > 0 or reissues.by_voters == 0
        counts = (
            (Step.CODES, codes, codes_from),
            (Step.SIGNED_IN, metrics.total(counted.SIGNED_IN), SourceName.METRICS),
            (Step.REISSUED, reissues.by_voters, SourceName.REGISTER),
            (Step.HANDED_OVER, deliveries.handed_over if known else None, SourceName.DELIVERIES),
            (Step.DELIVERED, deliveries.arrived if known else None, SourceName.DELIVERIES),
        )
        steps = []
        before: int | None = None
        for step, count, source in counts:
            # Of what is known of, where deliveries are gone.
            of = deliveries.asked_by_voters if step is Step.HANDED_OVER else before
            steps.append(FunnelStep(step, count, _percent(count, of), source))
            before = count
        return tuple(steps)

    def _began(self) -> datetime:
        """Return since when there can be codes in the period: no stack, no code."""
        created_at = self.stack.created_at
        # A clock that is behind the stack's makes nothing known.
        return max(self.period.start, created_at) if created_at and created_at <= self.now else self.period.start

    def _failures(self, deliveries: DeliveriesTally, metrics: Metrics) -> Failures:
        failed_by_way = {
            way: sum(count for (failed, _), count in deliveries.failed.items() if failed == way)
            for way in deliveries.queued
        }
        return Failures(
            failed=deliveries.failed.total(),
            fell_back=deliveries.fell_back,
            undelivered=deliveries.statuses[Status.FAILED],
            by_reason=tuple(
                Failure(channel, domain, reason, reason.words, count)
                for ((channel, domain), reason), count in sorted(
                    deliveries.failed.items(), key=lambda one: (-one[1], one[0][0][0], one[0][0][1] or "", one[0][1])
                )
            ),
            by_domain=tuple(
                Messages(
                    channel,
                    domain,
                    queued=deliveries.queued[channel, domain],
                    failed=failed_by_way.get((channel, domain), 0),
                    marked_as_spam=deliveries.marked_as_spam[channel, domain],
                    failed_percent=_percent(
                        failed_by_way.get((channel, domain), 0), deliveries.queued[channel, domain]
                    ),
                )
                for channel, domain in self._ways(deliveries)
            ),
            mail=tuple(
                MailOfDomain(domain, *map(metrics.count, mail_queries(domain))) for domain in self.election.domain_names
            )
            if metrics.values
            else None,
        )

    def _ways(self, deliveries: DeliveriesTally) -> list[tuple[Channel, str | None]]:
        """Return SMS, every domain of the election whether it was used or not, and what belongs to
        none of them if there is any.
        """
        elsewhere = (Channel.EMAIL, None)
        return [
            (Channel.SMS, None),
            *((Channel.EMAIL, domain) for domain in self.election.domain_names),
            *([elsewhere] if deliveries.queued[elsewhere] else []),
        ]

    def _locks(self, register: RegisterTally, standing: VotersTally | None, metrics: Metrics) -> Locks:
        wrong, locks = metrics.of(counted.WRONG_NUMENS), metrics.of(counted.LOCKS)
        hours = {hour for series in (wrong, locks, register.unlocked) for hour, count in series.items() if count}
        return Locks(
            wrong=metrics.total(counted.WRONG_NUMENS),
            locks=metrics.total(counted.LOCKS),
            unlocked=register.unlocked.total(),
            with_wrong_now=standing.with_wrong if standing else None,
            locked_now=standing.locked if standing else None,
            until_helpdesk_now=standing.until_helpdesk if standing else None,
            by_hour=tuple(
                LocksOfHour(
                    hour.astimezone(self.period.zone),
                    wrong=round(wrong.get(hour, 0)) if wrong else None,
                    locks=round(locks.get(hour, 0)) if locks else None,
                    unlocked=register.unlocked[hour],
                )
                for hour in sorted(hours)
            ),
        )

    def _sms(self, deliveries: DeliveriesTally, sms_days: dict[str, int], metrics: Metrics) -> Sms:
        cap = self.election.sending.sms_per_day
        spend = metrics.of(counted.SMS_SPEND)
        month = metrics.of(counted.MONTH_SPEND)
        days = []
        for day in self.period.days:
            on = sms_days.get(sms_day_attribute(datetime(day.year, day.month, day.day, tzinfo=self.period.zone)))
            spent = [usd for hour, usd in spend.items() if hour.astimezone(self.period.zone).date() == day]
            days.append(
                SmsOfDay(
                    day,
                    counted=on,
                    cap_percent=_percent(on, cap),
                    handed_over=deliveries.sms_by_day[day],
                    spend_usd=round(sum(spent), 2) if spent else None,
                )
            )
        return Sms(
            cap_per_day=cap,
            max_price_usd=self.election.limits.sms_max_price_usd,
            handed_over=sum(day.handed_over for day in days),
            spend_usd=round(sum(spend.values()), 2) if spend else None,
            month_to_date_usd=round(month[max(month)], 2) if month else None,
            alarm_usd=metrics.alarm_usd,
            by_day=tuple(days),
        )


def _outcomes(deliveries: DeliveriesTally) -> Outcomes:
    statuses = deliveries.statuses
    return Outcomes(
        known=deliveries.known,
        asked_by_voters=deliveries.asked_by_voters,
        waiting=statuses[Status.QUEUED] + statuses[Status.SENDING],
        sent=statuses[Status.SENT],
        delivered=statuses[Status.DELIVERED],
        failed=statuses[Status.FAILED],
        superseded_unsent=statuses[Status.SUPERSEDED],
        disputed=deliveries.disputed,
    )


def _times(deliveries: DeliveriesTally) -> tuple[Times, ...]:
    return tuple(
        Times(
            channel,
            until,
            count=len(found),
            p50=found.percentile(50),
            p90=found.percentile(90),
            p95=found.percentile(95),
            p99=found.percentile(99),
            longest=found.longest,
        )
        for (channel, until), found in deliveries.times.items()
    )


def _percent(count: int | None, of: int | None) -> float | None:
    """Return a share to a tenth of a per cent, None when there is nothing to have a share of."""
    return None if count is None or not of else round(100 * count / of, 1)
