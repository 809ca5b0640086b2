"""Gathering the minutes: the register's evidence, and from the stack what the register does not
hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from reassort.clock import from_milliseconds
from reassort.outbox import Channel, HistoryStep, Kind, Message, Status
from reassort.register import Change
from reassort.voters import IdentifierStatus

from reassort_ops.deliveries import dead_letters
from reassort_ops.minutes.figures import (
    AlarmRung,
    DisputesSettled,
    ElectionAct,
    FreezesSettled,
    IdentifierBalance,
    IdentifiersSent,
    IncidentsSeen,
    Minutes,
    MinutesHead,
    PlatformReconciled,
    ReissuesByHand,
    ReissuesByWay,
    RollChange,
    VersionsRun,
)
from reassort_ops.minutes.story import DisputeEnd, FreezeEnd, Hand
from reassort_ops.report.segments import Wanted, scan

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from reassort.election import Election
    from reassort.register import Entry
    from reassort.tables import Item

    from reassort_ops.account.stack import Stack
    from reassort_ops.minutes.evidence import Evidence
    from reassort_ops.minutes.story import RegisterStory

# For so long CloudWatch keeps what alarms did;
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html.
ALARMS_KEPT = timedelta(days=30)
# Acts whose reason begins with the time that they name.
_TIMED = frozenset({Change.CLOSED, Change.PROLONGED})


@dataclass(frozen=True)
class StackSources:
    """Where the stack's own figures come from. `segments` is how many parts of a table are read at
    once.
    """

    dynamodb: DynamoDBClient
    cloudwatch: CloudWatchClient
    sqs: SQSClient
    stack: Stack
    segments: int


@dataclass(frozen=True)
class KnownBeside:
    """What is told to the minutes beside register and stack."""

    election: Election | None
    platform: PlatformReconciled
    versions: VersionsRun


@dataclass
class DeliveriesOfReissues:
    """What became of the deliveries of the register's reissues, one item at a time."""

    references: set[str]
    asked: Counter[Channel] = field(default_factory=Counter)
    statuses: Counter[Status] = field(default_factory=Counter)
    fell_back: int = 0
    redelivered: int = 0

    def take(self, item: Item) -> None:
        """Count a delivery; one of a later reissue than the register's last is not counted."""
        if item["delivery_id"] not in self.references:
            return
        steps = [HistoryStep.read(line) for line in item["history"] if line["message"] == Message.IDENTIFIER]
        self.asked[steps[0].channel or Channel.EMAIL] += 1
        self.statuses[Status(item["messages"]["identifier"]["status"])] += 1
        self.fell_back += bool(item.get("fell_back"))
        self.redelivered += bool(item.get("redeliveries"))


def gather(
    evidence: Evidence,
    known: KnownBeside,
    sources: StackSources | None,
    *,
    stack_name: str,
    election_id: str,
    zone: ZoneInfo,
    now: datetime,
    advance: Callable[[int], object],
) -> Minutes:
    """Return the minutes. Without `sources` what the register does not hold is unknown. `advance`
    is told how many more deliveries were looked at.

    Raises:
        ContentionError: the tables throttle for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses to let a table or the queue be read; a refusal
            of CloudWatch leaves the alarms unknown.
    """
    story, counted, election = evidence.story, evidence.counted, known.election
    reissues = story.hands.total()
    deliveries = _deliveries(story, sources, advance) if sources else None
    sent = _sent(deliveries)
    return Minutes(
        head=_head(election, stack_name, election_id, zone),
        at=now.astimezone(zone),
        checked=evidence.checked,
        voters=counted.voters - counted.removed,
        acts=tuple(_act(entry, zone) for entry in story.acts),
        reissues=reissues,
        by_hand=ReissuesByHand(*(story.hands[hand] for hand in Hand)),
        by_way=_by_way(reissues, deliveries),
        sent=sent,
        disputes=DisputesSettled(story.disputes.total(), *(story.disputes[end] for end in DisputeEnd)),
        freezes=FreezesSettled(story.freezes.total(), *(story.freezes[end] for end in FreezeEnd)),
        roll_changes=tuple(RollChange(change.value, count) for change, count in sorted(story.others.items())),
        identifiers=IdentifierBalance(
            counted.issued,
            counted.by_status[IdentifierStatus.ACTIVE],
            counted.by_status[IdentifierStatus.REVOKED],
            counted.by_status[IdentifierStatus.USED],
            counted.by_status[IdentifierStatus.FROZEN],
            counted.balances,
        ),
        votes=story.votes,
        platform=known.platform,
        seal=evidence.seal,
        faults=tuple(counted.faults),
        incidents=_incidents(sent.failed, sources, election, now, zone),
        versions=known.versions,
    )


def _head(election: Election | None, stack: str, election_id: str, zone: ZoneInfo) -> MinutesHead:
    if election is None:
        return MinutesHead(election_id, stack, zone.key, None, None, None, None, None, None)
    reissue, voting = election.windows.reissue, election.windows.voting
    times = (reissue.opens_at, reissue.closes_at, voting.opens_at, voting.closes_at)
    local = (at.astimezone(zone) for at in times)
    return MinutesHead(election_id, stack, zone.key, election.name, election.organiser, *local)


def _act(entry: Entry, zone: ZoneInfo) -> ElectionAct:
    first, _, rest = entry.reference.partition(" ")
    until = _time(first) if entry.change in _TIMED else None
    return ElectionAct(
        at=from_milliseconds(entry.at).astimezone(zone),
        change=entry.change,
        actor=entry.actor,
        until=until and until.astimezone(zone),
        reason=rest if until else entry.reference,
    )


def _time(text: str) -> datetime | None:
    """Read a time as the register has it; a reason may begin with any other word."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _deliveries(
    story: RegisterStory, sources: StackSources, advance: Callable[[int], object]
) -> DeliveriesOfReissues | None:
    """Read the deliveries of the reissues; None when none of them is there any more: they are kept
    for some days only.
    """
    found = DeliveriesOfReissues(story.references)
    attributes = ("delivery_id", "kind", "history", "messages.identifier.status", "fell_back", "redeliveries")
    wanted = Wanted(sources.stack.deliveries_table, attributes, "{kind} = :reissue", {":reissue": Kind.REISSUE.value})
    scan(sources.dynamodb, wanted, sources.segments, found.take, advance)
    return found if found.asked or not story.hands else None


def _by_way(reissues: int, deliveries: DeliveriesOfReissues | None) -> ReissuesByWay:
    if deliveries is None:
        return ReissuesByWay(None, None, None, None, None)
    sms, email = deliveries.asked[Channel.SMS], deliveries.asked[Channel.EMAIL]
    return ReissuesByWay(sms, email, reissues - sms - email, deliveries.fell_back, deliveries.redelivered)


def _sent(deliveries: DeliveriesOfReissues | None) -> IdentifiersSent:
    if deliveries is None:
        return IdentifiersSent(None, None, None, None, None)
    of = deliveries.statuses
    waiting = of[Status.QUEUED] + of[Status.SENDING]
    return IdentifiersSent(of[Status.DELIVERED], of[Status.SENT], waiting, of[Status.FAILED], of[Status.SUPERSEDED])


def _incidents(
    undelivered: int | None,
    sources: StackSources | None,
    election: Election | None,
    now: datetime,
    zone: ZoneInfo,
) -> IncidentsSeen:
    if sources is None or election is None:
        return IncidentsSeen()
    since = max(election.windows.reissue.opens_at, now - ALARMS_KEPT)
    return IncidentsSeen(
        undelivered=undelivered,
        dead_letters=dead_letters(sources.sqs, sources.stack),
        alarms=_alarms(sources.cloudwatch, sources.stack.name, since, zone),
        alarms_since=since.astimezone(zone),
    )


def _alarms(cloudwatch: CloudWatchClient, stack: str, since: datetime, zone: ZoneInfo) -> tuple[AlarmRung, ...] | None:
    """Return which alarms of a stack rang; None when CloudWatch does not say."""
    rung: dict[str, list[datetime]] = {}
    kinds: Any = ["MetricAlarm", "CompositeAlarm"]
    try:
        pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
            HistoryItemType="StateUpdate", AlarmTypes=kinds, StartDate=since
        )
        for item in (item for page in pages for item in page["AlarmHistoryItems"]):
            name = item["AlarmName"].removeprefix(f"{stack}-")
            if name != item["AlarmName"] and _rang(item.get("HistoryData", "")):
                rung.setdefault(name, []).append(item["Timestamp"].astimezone(zone))
    except ClientError:
        return None
    return tuple(AlarmRung(name, len(times), min(times), max(times)) for name, times in sorted(rung.items()))


def _rang(data: str) -> bool:
    try:
        state = json.loads(data)["newState"]["stateValue"]
    except (ValueError, LookupError, TypeError):
        return False
    return bool(state == "ALARM")
