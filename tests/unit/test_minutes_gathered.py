"""What minutes take from the register's story, the deliveries, the queue and the alarms."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from reassort.outbox import Channel, Kind, Status
from reassort.register import Change, Entry
from reassort.tables import to_wire
from reassort.voters import IdentifierStatus
from reassort_ops.minutes.evidence import Evidence
from reassort_ops.minutes.figures import (
    AlarmRung,
    DisputesSettled,
    ElectionAct,
    FreezesSettled,
    IdentifierBalance,
    IdentifiersSent,
    IncidentsSeen,
    Minutes,
    MinutesBasis,
    MinutesHead,
    PlatformReconciled,
    ReissuesByHand,
    ReissuesByWay,
    RollChange,
    VersionsRun,
)
from reassort_ops.minutes.gathering import KnownBeside, StackSources, gather
from reassort_ops.minutes.story import DisputeEnd, FreezeEnd, Hand, RegisterStory
from reassort_ops.register.check import Reconciliation

from harness.elections import read_election
from tests.unit.ops.registers import chain

PARIS = ZoneInfo("Europe/Paris")
ELECTION = read_election("dijon-2018")
OPENS, CLOSES = ELECTION.windows.reissue.opens_at, ELECTION.windows.voting.closes_at
VERSIONS = VersionsRun("0.1.0")


@dataclass
class GatheredSources:
    """A table of deliveries, a queue with four dead letters, and what alarms did."""

    deliveries: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[tuple[str, str, datetime]] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)

    def scan(self, **_: Any) -> dict[str, Any]:
        return {"Items": [to_wire(item) for item in self.deliveries], "ScannedCount": len(self.deliveries)}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"ApproximateNumberOfMessages": "4"}}

    def get_paginator(self, _: str) -> GatheredSources:
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        self.asked = asked
        items = [{"AlarmName": name, "HistoryData": data, "Timestamp": at} for name, data, at in self.alarms]
        return [{"AlarmHistoryItems": items}, {"AlarmHistoryItems": [{"AlarmName": "reassort-NoData"}]}]

    @property
    def of_stack(self) -> StackSources:
        """Return them as those of a stack."""
        stack: Any = SimpleNamespace(name="reassort", deliveries_table="deliveries", dead_letter_queue="url")
        me: Any = self
        return StackSources(me, me, me, stack, segments=1)


def gathered(
    story: RegisterStory,
    sources: GatheredSources | None = None,
    counted: Reconciliation | None = None,
    *,
    known: bool = True,
    now: datetime = CLOSES,
) -> Minutes:
    """Gather minutes; an election is `known` or not."""
    return gather(
        Evidence(MinutesBasis.TABLES, story, counted or Reconciliation()),
        KnownBeside(ELECTION if known else None, PlatformReconciled(), VERSIONS),
        sources.of_stack if sources else None,
        stack_name="reassort",
        election_id="dijon-2018",
        zone=PARIS,
        now=now,
        advance=lambda _: None,
    )


def test_each_figure_of_the_register_is_told_as_it_was_counted() -> None:
    counted = Reconciliation(voters=9, removed=2, issued=15, faults=["a fault"])
    by = counted.by_status
    by.update(zip(by, (1, 2, 3, 4), strict=True))
    story = RegisterStory(
        hands=Counter(dict(zip(Hand, (1, 2, 3, 4), strict=True))),
        votes=5,
        disputes=Counter(dict(zip(DisputeEnd, (1, 2, 3, 4), strict=True))),
        freezes=Counter(dict(zip(FreezeEnd, (1, 2, 3), strict=True))),
        others=Counter({Change.UNLOCKED: 2, Change.ARRIVED: 1}),
    )
    assert gathered(story, counted=counted) == Minutes(
        head=MinutesHead(
            "dijon-2018",
            "reassort",
            "Europe/Paris",
            ELECTION.name,
            ELECTION.organiser,
            OPENS,
            ELECTION.windows.reissue.closes_at,
            ELECTION.windows.voting.opens_at,
            CLOSES,
        ),
        at=CLOSES,
        checked=MinutesBasis.TABLES,
        voters=7,
        acts=(),
        reissues=10,
        by_hand=ReissuesByHand(voter=1, agent=2, operator=3, two_people=4),
        by_way=ReissuesByWay(None, None, None, None, None),
        sent=IdentifiersSent(None, None, None, None, None),
        disputes=DisputesSettled(total=10, replaced=1, frozen=2, voted=3, former=4),
        freezes=FreezesSettled(total=6, unfrozen=1, replaced=2, frozen=3),
        roll_changes=(RollChange("arrived", 1), RollChange("unlocked", 2)),
        identifiers=IdentifierBalance(
            issued=15,
            active=by[IdentifierStatus.ACTIVE],
            revoked=by[IdentifierStatus.REVOKED],
            used=by[IdentifierStatus.USED],
            frozen=by[IdentifierStatus.FROZEN],
            balances=False,
        ),
        votes=5,
        platform=PlatformReconciled(),
        seal=None,
        faults=("a fault",),
        incidents=IncidentsSeen(),
        versions=VERSIONS,
    )


@pytest.mark.parametrize("sources", [None, GatheredSources()])
def test_without_an_election_its_times_and_alarms_are_unknown(sources: GatheredSources | None) -> None:
    told = gathered(RegisterStory(), sources, known=False)
    assert told.head == MinutesHead("dijon-2018", "reassort", "Europe/Paris", None, None, None, None, None, None)
    assert told.incidents == IncidentsSeen()


def test_times_are_local() -> None:
    told = gathered(RegisterStory(acts=[act(Change.OPENED, "why")]), GatheredSources())
    at, head = told.acts[0].at, told.head
    times = (told.at, at, head.reissues_open_at, head.reissues_close_at, head.ballot_opens_at, head.ballot_closes_at)
    assert {time.tzinfo for time in (*times, told.incidents.alarms_since) if time} == {PARIS}


def act(change: Change, reference: str) -> Entry:
    (entry,) = chain("election", (change,), "anne")
    return replace(entry, reference=reference)


@pytest.mark.parametrize("change", [Change.CLOSED, Change.PROLONGED, Change.OPENED])
@pytest.mark.parametrize(
    ("reference", "until", "reason"),
    [
        ("2018-12-05T11:00:00Z par décision", datetime(2018, 12, 5, 12, tzinfo=PARIS), "par décision"),
        ("2018-12-05T11:00:00Z", datetime(2018, 12, 5, 12, tzinfo=PARIS), ""),
        # A reason begins with any word, a day among them.
        ("panne de réseau", None, "panne de réseau"),
        ("2018-12-05 à midi", None, "2018-12-05 à midi"),
    ],
)
def test_an_act_has_the_time_that_its_reference_begins_with(
    change: Change, reference: str, until: datetime | None, reason: str
) -> None:
    entry = act(change, reference)
    if change is Change.OPENED:
        until, reason = None, reference
    at = datetime.fromtimestamp(entry.at / 1000, PARIS)
    assert gathered(RegisterStory(acts=[entry])).acts == (ElectionAct(at, change, "anne", until, reason),)


def delivery(name: str, status: Status, *channels: Channel | None, **more: Any) -> dict[str, Any]:
    """Return a delivery whose identifier was queued for one way after the other."""
    steps = [{"message": "identifier", "status": "queued", "at": 1, "channel": one} for one in channels]
    mail = {"message": "confirmation", "status": "queued", "at": 0, "channel": Channel.EMAIL}
    messages = {"identifier": {"status": status}}
    return {"delivery_id": name, "kind": Kind.REISSUE, "history": [mail, *steps], "messages": messages, **more}


def reissues(*names: str) -> RegisterStory:
    return RegisterStory(references=set(names), hands=Counter([Hand.VOTER] * len(names)))


SMS, EMAIL = Channel.SMS, Channel.EMAIL


def test_deliveries_are_counted_by_the_way_that_was_asked_for_and_by_where_they_stand() -> None:
    table = [
        delivery("a", Status.QUEUED, SMS),
        delivery("b", Status.SENDING, SMS, EMAIL, fell_back=True),
        delivery("c", Status.SENDING, None),
        delivery("d", Status.SENT, EMAIL, SMS, redeliveries=1),
        delivery("e", Status.DELIVERED, SMS, fell_back=True, redeliveries=1),
        delivery("f", Status.FAILED, SMS, redeliveries=2),
        delivery("g", Status.SUPERSEDED, SMS, redeliveries=0),
        delivery("of a later reissue", Status.SENT, SMS, fell_back=True),
    ]
    told = gathered(reissues(*"abcdefgh"), GatheredSources(table))
    assert told.by_way == ReissuesByWay(sms=5, email=2, unknown=1, fell_back=2, redelivered=3)
    assert told.sent == IdentifiersSent(delivered=1, sent=1, waiting=3, failed=1, superseded=1)
    assert (told.incidents.undelivered, told.incidents.dead_letters) == (1, 4)


def test_nothing_is_known_of_deliveries_when_none_is_kept() -> None:
    kept = [delivery("a", Status.SENT, SMS)]
    assert gathered(reissues("a"), GatheredSources(kept)).by_way == ReissuesByWay(1, 0, 0, 0, 0)
    gone = gathered(reissues("a"), GatheredSources())
    assert (gone.by_way.sms, gone.sent.sent, gone.incidents.undelivered) == (None, None, None)
    # There was none that could have gone.
    none = gathered(reissues(), GatheredSources())
    assert (none.by_way, none.sent) == (ReissuesByWay(0, 0, 0, 0, 0), IdentifiersSent(0, 0, 0, 0, 0))


RANG = json.dumps({"newState": {"stateValue": "ALARM"}})


def test_alarms_of_the_stack_that_rang_are_told_by_name() -> None:
    first, last = datetime(2018, 12, 1, tzinfo=UTC), datetime(2018, 12, 2, tzinfo=UTC)
    rung = [("reassort-Late", last), ("reassort-Late", first), ("reassort-Early", last), ("another-Late", first)]
    found = gathered(RegisterStory(), GatheredSources(alarms=[(name, RANG, at) for name, at in rung]))
    assert found.incidents.alarms == (AlarmRung("Early", 1, last, last), AlarmRung("Late", 2, first, last))


@pytest.mark.parametrize(
    "data", ["", "no JSON", "[]", "{}", '{"newState": null}', '{"newState": {}}', RANG.replace("ALARM", "OK")]
)
def test_what_does_not_say_that_an_alarm_rang_is_none(data: str) -> None:
    told = gathered(RegisterStory(), GatheredSources(alarms=[("reassort-Alarm", data, CLOSES)]))
    assert told.incidents.alarms == ()


@pytest.mark.parametrize(
    ("now", "since"),
    [
        (OPENS + timedelta(days=30, seconds=-1), OPENS),
        (OPENS + timedelta(days=30, seconds=1), OPENS + timedelta(seconds=1)),
    ],
)
def test_alarms_are_those_since_the_opening_that_cloudwatch_keeps(now: datetime, since: datetime) -> None:
    sources = GatheredSources()
    assert gathered(RegisterStory(), sources, now=now).incidents.alarms_since == since
    kinds = ["MetricAlarm", "CompositeAlarm"]
    assert sources.asked == {"HistoryItemType": "StateUpdate", "AlarmTypes": kinds, "StartDate": since}
