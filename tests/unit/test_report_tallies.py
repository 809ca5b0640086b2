"""What a report counts of one item of a table: an entry, a voter, a delivery."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from reassort.outbox import Channel, Kind, Status
from reassort.reasons import Reason
from reassort.register import DISPUTE_ACTOR, VOTER_ACTOR, Change
from reassort_ops.report.figures import Milestone
from reassort_ops.report.period import Period
from reassort_ops.report.tallies import DeliveriesTally, RegisterTally, VotersTally

PARIS = ZoneInfo("Europe/Paris")
PERIOD = Period(datetime(2018, 11, 30, tzinfo=PARIS), datetime(2018, 12, 2, tzinfo=PARIS), PARIS)
HOUR = datetime(2018, 11, 30, 9, tzinfo=UTC)
AT = int(HOUR.timestamp() * 1000) + 60_000
NEXT = datetime(2018, 11, 30, 10, tzinfo=UTC)
AN_HOUR = 3_600_000
AGENT = "3f9a2c00-0000-4000-8000-000000000000"
SMS, EMAIL = Channel.SMS, Channel.EMAIL
OURS = "ac-dijon.fr"


def register(*entries: tuple[Change, str, int]) -> RegisterTally:
    tally = RegisterTally(PERIOD)
    for change, actor, at in entries:
        tally.take({"at": at, "actor": actor, "change": change.value})
    return tally


def test_reissues_are_by_hour_and_by_whose_hand() -> None:
    tally = register(
        (Change.REISSUED, VOTER_ACTOR, AT),
        (Change.REISSUED, VOTER_ACTOR, AT + AN_HOUR),
        (Change.REISSUED, "anne", AT),
        (Change.REISSUED, AGENT, AT),
        (Change.REISSUED, f"{AGENT} + luc", AT),
        (Change.REISSUED, f"anne + {AGENT}", AT),
    )
    assert tally.reissues == {HOUR: 5, NEXT: 1}
    assert (tally.by_operators, tally.by_helpdesk) == (1, 3)
    assert (tally.froze, tally.frozen_by_operators, tally.unfrozen) == (0, 0, 0)


def test_a_freeze_is_a_dispute_when_its_voter_froze() -> None:
    tally = register(
        (Change.FROZEN, DISPUTE_ACTOR, AT),
        (Change.FROZEN, DISPUTE_ACTOR, AT),
        (Change.FROZEN, "anne", AT),
        (Change.DISPUTED, DISPUTE_ACTOR, AT),
        (Change.DISPUTED, DISPUTE_ACTOR, AT + AN_HOUR),
        (Change.UNFROZEN, "anne", AT),
        (Change.UNLOCKED, "anne", AT),
        (Change.VOTED, VOTER_ACTOR, AT),
    )
    assert tally.disputes == {HOUR: 3, NEXT: 1}
    assert (tally.froze, tally.frozen_by_operators, tally.unfrozen) == (2, 1, 1)
    assert (tally.unlocked, tally.reissues, tally.controls) == ({HOUR: 1}, {}, [])
    assert (tally.by_operators, tally.by_helpdesk) == (0, 0)


def test_what_is_done_to_the_election_is_kept_with_its_time() -> None:
    changes = (Change.CLOSED, Change.OPENED, Change.PROLONGED)
    tally = register(*((change, "anne", AT + place) for place, change in enumerate(changes)))
    assert tally.controls == [(AT + place, change) for place, change in enumerate(changes)]


def voters(*items: dict[str, Any]) -> tuple[int, int, int, int]:
    election: Any = SimpleNamespace(limits=SimpleNamespace(numen=SimpleNamespace(helpdesk_after=9)))
    tally = VotersTally(election, AT)
    for item in items:
        tally.take({"numen_failures": 0, "numen_locked_until": 0, **item})
    return tally.with_wrong, tally.locked, tally.until_helpdesk, tally.frozen


@pytest.mark.parametrize(
    ("item", "counts"),
    [
        ({}, (0, 0, 0, 0)),
        ({"numen_failures": 1}, (1, 0, 0, 0)),
        ({"numen_failures": 2, "numen_locked_until": AT}, (1, 0, 0, 0)),
        ({"numen_failures": 8, "numen_locked_until": AT + 1}, (1, 1, 0, 0)),
        ({"numen_failures": 9, "numen_locked_until": AT + 1}, (1, 0, 1, 0)),
        ({"numen_failures": 0, "numen_locked_until": AT + 1}, (0, 0, 0, 0)),
        ({"frozen_at": 1}, (0, 0, 0, 1)),
        ({"frozen_at": 1, "voted_at": 2}, (0, 0, 0, 0)),
        ({"frozen_at": 1, "left_at": 2}, (0, 0, 0, 0)),
        ({"frozen_at": 1, "left_at": 2, "voted_at": 2}, (0, 0, 0, 0)),
    ],
)
def test_a_voter_stands_as_their_item_says(item: dict[str, Any], counts: tuple[int, ...]) -> None:
    assert voters(item) == counts
    assert voters(item, item) == tuple(2 * count for count in counts)


def step(message: str, status: Status, after: int, channel: Channel | None = None, reason: Reason | None = None) -> Any:
    """Return a line of a history, so many milliseconds after the request."""
    return {"message": message, "status": status.value, "at": AT + after, "channel": channel, "reason": reason}


def of(status: Status, after: int, channel: Channel | None = SMS, reason: Reason | None = None) -> Any:
    return step("identifier", status, after, channel, reason)


def reissue(*history: Any, status: Status = Status.SENT, mail: str = f"a@{OURS}", **more: Any) -> dict[str, Any]:
    return {
        "kind": Kind.REISSUE, "created_at": AT, "request_hash": "h", "history": list(history),
        "messages": {"identifier": {"status": status.value}}, "destinations": {"email": mail}, **more,
    }  # fmt: skip


def deliveries(*items: dict[str, Any]) -> DeliveriesTally:
    tally = DeliveriesTally(PERIOD, frozenset({OURS}))
    for item in items:
        tally.take(item)
    return tally


def longest(tally: DeliveriesTally) -> dict[tuple[Channel | None, Milestone], int | None]:
    return {key: times.longest for key, times in tally.times.items()}


HANDED, ARRIVED = Milestone.HANDED_OVER, Milestone.DELIVERED


def test_codes_are_counted_and_what_is_neither_is_nobodys() -> None:
    tally = deliveries({"kind": Kind.CODE}, {"kind": Kind.CODE}, {"kind": Kind.CANARY})
    assert (tally.codes, tally.known, tally.asked_by_voters) == (2, 0, 0)
    assert (tally.handed_over, tally.arrived, tally.disputed, tally.fell_back) == (0, 0, 0, 0)
    assert longest(tally) == dict.fromkeys(
        [(SMS, HANDED), (SMS, ARRIVED), (EMAIL, HANDED), (EMAIL, ARRIVED), (None, ARRIVED)]
    )


def test_a_reissue_by_sms_is_measured_from_its_request_and_from_its_queue() -> None:
    history = (
        of(Status.QUEUED, 1_000), of(Status.SENT, 3_000), of(Status.SENT, 4_000),
        step("alert", Status.FAILED, 4_500), step("confirmation", Status.SENT, 5_000), of(Status.DELIVERED, 8_000),
        of(Status.DELIVERED, 20_000, None),
    )  # fmt: skip
    tally = deliveries(reissue(*history, status=Status.DELIVERED))
    assert (tally.known, tally.asked_by_voters, tally.handed_over, tally.arrived) == (1, 1, 1, 1)
    assert (tally.asked, tally.statuses) == ({(HOUR, SMS): 1}, {Status.DELIVERED: 1})
    assert tally.queued == {(EMAIL, OURS): 1, (SMS, None): 1}
    assert (tally.failed, tally.marked_as_spam) == ({}, {})
    assert longest(tally) == {
        (SMS, HANDED): 2_000, (SMS, ARRIVED): 7_000, (EMAIL, HANDED): None, (EMAIL, ARRIVED): None,
        (None, ARRIVED): 8_000,
    }  # fmt: skip
    assert tally.sms_by_day == {date(2018, 11, 30): 1}
    assert (tally.disputed, tally.fell_back) == (0, 0)


def test_a_reissue_that_fell_back_is_two_legs_and_its_failure_is_of_the_first() -> None:
    history = (
        of(Status.QUEUED, 0), of(Status.SENT, 1_000), of(Status.FAILED, 5_000, SMS, Reason.UNKNOWN_NUMBER),
        of(Status.QUEUED, 6_000, EMAIL), of(Status.SENT, 6_500, EMAIL), of(Status.DELIVERED, 9_000, EMAIL),
        of(Status.DELIVERED, 9_500, EMAIL, Reason.MARKED_AS_SPAM),
    )  # fmt: skip
    late = AT + 14 * AN_HOUR
    tally = deliveries(
        reissue(*history, status=Status.DELIVERED, fell_back=True, disputed_at=7, request_hash=""),
        reissue(of(Status.QUEUED, 0), of(Status.DELIVERED, late - AT), request_hash=None),
    )
    assert (tally.known, tally.asked_by_voters, tally.handed_over, tally.arrived) == (2, 0, 0, 0)
    assert (tally.disputed, tally.fell_back) == (1, 1)
    assert tally.asked == {(HOUR, SMS): 2}
    assert tally.queued == {(EMAIL, OURS): 3, (SMS, None): 2}
    assert tally.failed == {((SMS, None), Reason.UNKNOWN_NUMBER): 1}
    assert tally.marked_as_spam == {(EMAIL, OURS): 1}
    assert longest(tally) == {
        (SMS, HANDED): 1_000, (SMS, ARRIVED): late - AT, (EMAIL, HANDED): 500, (EMAIL, ARRIVED): 3_000,
        (None, ARRIVED): late - AT,
    }  # fmt: skip
    # Taken by the carrier when it arrived, where the record of the sending is missing.
    assert tally.sms_by_day == {date(2018, 11, 30): 1, date(2018, 12, 1): 1}
    assert (len(tally.times[None, ARRIVED]), len(tally.times[EMAIL, ARRIVED])) == (2, 1)


def test_a_message_without_a_channel_went_by_mail_and_one_that_failed_has_a_reason() -> None:
    history = (
        of(Status.QUEUED, 0, None), step("confirmation", Status.FAILED, 10, None, Reason.MAILBOX_FULL),
        step("confirmation", Status.DELIVERED, 20, None, Reason.MARKED_AS_SPAM),
        step("alert", Status.FAILED, 30, None, Reason.INTERNAL), of(Status.FAILED, 40, EMAIL),
        of(Status.SENT, 50, EMAIL, Reason.MAIL_DELAYED), of(Status.FAILED, 60, EMAIL, Reason.MAIL_REFUSED),
    )  # fmt: skip
    tally = deliveries(reissue(*history, status=Status.FAILED, mail="a@b@gmail.com"))
    assert tally.asked == {(HOUR, EMAIL): 1}
    assert tally.queued == {(EMAIL, None): 1, (SMS, None): 1}
    assert tally.failed == {
        ((EMAIL, None), Reason.MAILBOX_FULL): 1,
        ((EMAIL, None), Reason.UNKNOWN): 1,
        ((EMAIL, None), Reason.MAIL_REFUSED): 1,
    }
    assert tally.marked_as_spam == {(EMAIL, None): 1}
    assert (tally.asked_by_voters, tally.handed_over, tally.arrived, tally.sms_by_day) == (1, 1, 0, {})
    assert set(longest(tally).values()) == {None}


def test_a_reissue_that_only_waits_reached_nobody() -> None:
    waiting = reissue(of(Status.QUEUED, 0, EMAIL), status=Status.QUEUED)
    del waiting["destinations"]
    tally = deliveries(waiting, waiting)
    assert (tally.known, tally.asked_by_voters, tally.handed_over, tally.arrived) == (2, 2, 0, 0)
    assert (tally.asked, tally.statuses) == ({(HOUR, EMAIL): 2}, {Status.QUEUED: 2})
    assert tally.queued == {(EMAIL, None): 4}
    assert (tally.sms_by_day, tally.times[None, ARRIVED].longest) == ({}, None)


def test_what_failed_and_what_only_arrived_were_handed_over_or_not() -> None:
    failed = reissue(of(Status.QUEUED, 0), of(Status.FAILED, 5, SMS, Reason.NO_ROUTE), status=Status.FAILED)
    arrived = reissue(of(Status.QUEUED, 0, EMAIL), of(Status.DELIVERED, 9, EMAIL), status=Status.DELIVERED)
    tally = deliveries(failed, arrived)
    assert (tally.handed_over, tally.arrived, tally.asked_by_voters) == (1, 1, 2)
    assert tally.statuses == {Status.FAILED: 1, Status.DELIVERED: 1}
    assert (longest(tally)[EMAIL, HANDED], longest(tally)[EMAIL, ARRIVED]) == (None, 9)
