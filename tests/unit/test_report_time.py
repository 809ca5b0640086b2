"""The period of a report, how long deliveries took, and how figures are printed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from reassort.clock import epoch_milliseconds
from reassort_ops.failures import OperatorError
from reassort_ops.report.durations import Durations
from reassort_ops.report.figures import Milestone, ReissuesOfHour, Source, SourceName, as_json
from reassort_ops.report.period import Period, hour_of, period_of

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2018, 12, 1, 10, 30, tzinfo=UTC)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[misc,arg-type]


ELECTION: Any = SimpleNamespace(
    zone=PARIS,
    windows=SimpleNamespace(
        reissue=SimpleNamespace(opens_at=local(2018, 11, 26, 9)),
        voting=SimpleNamespace(closes_at=local(2018, 12, 6, 17)),
    ),
)


def bounds(first: str | None, last: str | None, now: datetime = NOW) -> tuple[datetime, datetime]:
    period = period_of(ELECTION, now, first, last)
    assert period.zone is period.start.tzinfo is period.end.tzinfo is PARIS
    return period.start, period.end


def test_a_period_is_of_the_whole_election_until_now() -> None:
    assert bounds(None, None) == (local(2018, 11, 26, 9), NOW)
    later = datetime(2018, 12, 24, tzinfo=UTC)
    assert bounds(None, None, later) == (local(2018, 11, 26, 9), local(2018, 12, 6, 17))


def test_a_day_is_meant_whole_and_a_word_is_the_day_before() -> None:
    day = local(2018, 11, 30), local(2018, 12, 1)
    assert bounds("2018-11-30", "2018-11-30") == day
    assert bounds("Yesterday", "hier") == day
    # It is the second already in Paris.
    assert bounds("yesterday", None, datetime(2018, 12, 1, 23, 30, tzinfo=UTC))[0] == local(2018, 12, 1)
    assert bounds("2018-11-30T08:00", "2018-11-30T09:00+00:00") == (local(2018, 11, 30, 8), local(2018, 11, 30, 10))
    assert bounds("2018-11-30", "2018-12-24")[1] == NOW


@pytest.mark.parametrize(("first", "last", "option"), [("x", None, "--from"), (None, "2018-13-01", "--to"),
    (None, "9999-12-31", "--to"), ("2018-11-30T8", None, "--from"), ("2018-11-3", None, "--from")])  # fmt: skip
def test_what_is_no_day_and_no_moment_is_refused(first: str | None, last: str | None, option: str) -> None:
    with pytest.raises(OperatorError, match=f"{option} is not of the form"):
        bounds(first, last)


def test_nothing_lies_between_the_same_two_moments() -> None:
    with pytest.raises(OperatorError) as refused:
        bounds("2018-11-30T08:00", "2018-11-30T08:00")
    assert str(refused.value) == (
        "nothing to report between 2018-11-30T08:00 and 2018-11-30T08:00 (Europe/Paris): see --from and --to"
    )
    assert bounds("2018-11-30T08:00", "2018-11-30T08:00:01")
    # 02:30 comes twice: the second one is later, whatever the clock says.
    again = local(2018, 10, 28, 2, 30)
    assert bounds("2018-10-28T02:30+02:00", "2018-10-28T02:30+01:00")[0] == again


def test_the_last_millisecond_is_before_the_end() -> None:
    period = Period(local(2018, 11, 30), local(2018, 12, 1), PARIS)
    assert period.bounds == (epoch_milliseconds(period.start), epoch_milliseconds(period.end) - 1)
    assert list(period.days) == [date(2018, 11, 30)]
    longer = Period(local(2018, 11, 30, 23), local(2018, 12, 2, 0, 1), PARIS)
    assert list(longer.days) == [date(2018, 11, 30), date(2018, 12, 1), date(2018, 12, 2)]
    touched = Period(local(2018, 11, 30), local(2018, 12, 1) + timedelta(milliseconds=1), PARIS)
    assert list(touched.days) == [date(2018, 11, 30), date(2018, 12, 1)]
    assert period.day_of(epoch_milliseconds(datetime(2018, 11, 30, 23, 30, tzinfo=UTC))) == date(2018, 12, 1)


def test_hours_are_local_and_one_that_comes_twice_is_two() -> None:
    night = Period(local(2018, 10, 28, 1, 30), local(2018, 10, 28, 4), PARIS)
    hours = list(night.local_hours)
    assert [hour.isoformat() for hour in hours] == [
        "2018-10-28T01:00:00+02:00",
        "2018-10-28T02:00:00+02:00",
        "2018-10-28T02:00:00+01:00",
        "2018-10-28T03:00:00+01:00",
    ]
    moment = datetime(2018, 11, 30, 8, 59, 59, 999_000, tzinfo=UTC)
    assert night.hour_of(epoch_milliseconds(moment)) == hour_of(moment, PARIS) == datetime(2018, 11, 30, 8, tzinfo=UTC)
    assert hour_of(moment, PARIS).tzinfo is UTC
    india = ZoneInfo("Asia/Kolkata")
    assert hour_of(moment, india) == moment - timedelta(minutes=29, seconds=59, milliseconds=999)


def counted(*milliseconds: int) -> Durations:
    durations = Durations()
    for one in milliseconds:
        durations.add(one)
    return durations


def test_a_percentile_is_the_least_duration_that_so_many_do_not_exceed() -> None:
    ten = counted(10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    assert [ten.percentile(percent) for percent in (1, 10, 11, 50, 90, 91, 99, 100)] == [1, 1, 2, 5, 9, 10, 10, 10]
    assert (len(ten), ten.longest) == (10, 10)
    assert [counted(5, 5, 7).percentile(percent) for percent in (66, 67)] == [5, 7]
    assert (counted().percentile(50), counted().longest, len(counted())) == (None, None, 0)


def test_durations_are_rounded_to_three_digits_and_none_is_negative() -> None:
    assert [counted(one, 10**9).percentile(1) for one in (999, 1004, 1005, 12_349, 12_350, 999_500)] == [
        999, 1000, 1010, 12_300, 12_400, 1_000_000,
    ]  # fmt: skip
    # Rounded up, but nothing is longer than the longest.
    assert (counted(12_399).percentile(50), counted(12_399).longest) == (12_399, 12_399)
    assert (counted(-5).percentile(50), counted(-5).longest, counted(-5, 3, 2).longest) == (0, 0, 3)


def test_figures_are_printed_by_the_names_of_their_members() -> None:
    hour = ReissuesOfHour(local(2018, 11, 30, 8), 1, 2, 4)
    assert hour.total == 7
    assert as_json((hour, Milestone.DELIVERED, Decimal("0.50"), date(2018, 11, 30), None, 1.5, "x")) == [
        {"hour": "2018-11-30T08:00:00+01:00", "sms": 1, "email": 2, "unknown": 4},
        "delivered", 0.5, "2018-11-30", None, 1.5, "x",
    ]  # fmt: skip
    assert type(as_json(Milestone.DELIVERED)) is str
    assert as_json(Source(SourceName.LIMITS, available=False, looked_at=0)) == {
        "name": "limits", "available": False, "looked_at": 0, "remarks": [],
    }  # fmt: skip
