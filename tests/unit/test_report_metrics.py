"""What a report asks CloudWatch for, and what it makes of the answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from reassort_ops.report import remarks
from reassort_ops.report.figures import SourceName
from reassort_ops.report.gathering import Gathering
from reassort_ops.report.metrics import (
    CODES,
    LOCKS,
    MONTH_SPEND,
    SIGNED_IN,
    SMS_SPEND,
    WRONG_NUMENS,
    Metrics,
    Query,
    mail_queries,
    read_metrics,
)
from reassort_ops.report.period import Period

PARIS = ZoneInfo("Europe/Paris")
HOUR = datetime(2018, 11, 30, 8, tzinfo=UTC)
NEXT = HOUR + timedelta(hours=1)
PERIOD = Period(HOUR, NEXT, PARIS)
OF_ALL = [CODES, SIGNED_IN, WRONG_NUMENS, LOCKS, SMS_SPEND, MONTH_SPEND]


class CountedByCloudWatch:
    """Gives each metric two values, of two pages: its place among those of a call, and one more."""

    def __init__(self, *alarms: tuple[str, float], refused: str = "") -> None:
        self.alarms = alarms
        self.refused = refused
        self.calls: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> CountedByCloudWatch:
        self._refuse(operation)
        return self

    def paginate(self, **call: Any) -> list[dict[str, Any]]:
        self.calls.append(call)
        assert len(call["MetricDataQueries"]) <= 500
        pages: list[dict[str, Any]] = []
        for more, at in enumerate((HOUR, NEXT + timedelta(minutes=59))):
            results = [
                {"Id": query["Id"], "Timestamps": [at.astimezone(PARIS)], "Values": [place + more]}
                for place, query in enumerate(call["MetricDataQueries"])
            ]
            pages.append({"MetricDataResults": results})
        return pages

    def describe_alarms_for_metric(self, **asked: str) -> dict[str, Any]:
        self._refuse("describe_alarms_for_metric")
        assert asked == {"Namespace": "AWS/SNS", "MetricName": "SMSMonthToDateSpentUSD"}
        return {"MetricAlarms": [{"AlarmName": name, "Threshold": threshold} for name, threshold in self.alarms]}

    def _refuse(self, operation: str) -> None:
        if operation == self.refused:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)


def read(cloudwatch: Any, *domains: str, period: Period = PERIOD) -> Metrics:
    return read_metrics(cloudwatch, "reassort", domains, period)


def asked(number: int, name: str, statistic: str = "Sum", namespace: str = "reassort", **dimensions: str) -> Any:
    """Return how CloudWatch is asked for a metric."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": statistic}}


def test_each_metric_is_asked_for_by_the_hour_in_its_own_namespace() -> None:
    cloudwatch = CountedByCloudWatch()
    read(cloudwatch, "a.fr")
    of_mail = {"channel": "email", "domain": "a.fr"}
    (call,) = cloudwatch.calls
    assert call["MetricDataQueries"] == [
        asked(0, "CodesQueued"),
        asked(1, "SignedIn"),
        asked(2, "WrongNumens"),
        asked(3, "NumenLocks"),
        asked(4, "SmsSpend"),
        asked(5, "SMSMonthToDateSpentUSD", "Maximum", "AWS/SNS"),
        asked(6, "HandedOverAfter", "SampleCount", **of_mail),
        asked(7, "Delivered", **of_mail),
        asked(8, "Failed", **of_mail),
        asked(9, "Complaints", **of_mail),
    ]


def test_values_are_by_the_hour_of_each_metric_whatever_the_call() -> None:
    # Four metrics a domain, and six: the last two are of a second call.
    domains = [f"{number}.fr" for number in range(124)]
    found = read(CountedByCloudWatch(), *domains)
    queries = [*OF_ALL, *(query for domain in domains for query in mail_queries(domain))]
    assert found.series == {query: {HOUR: place % 500, NEXT: place % 500 + 1} for place, query in enumerate(queries)}
    assert (len(queries), found.refusal) == (502, None)


@pytest.mark.parametrize(
    ("start", "end", "asked_from", "asked_to"),
    [
        (HOUR, NEXT, HOUR, NEXT),
        (HOUR + timedelta(minutes=59), NEXT + timedelta(microseconds=1), HOUR, NEXT + timedelta(hours=1)),
        (HOUR, NEXT - timedelta(seconds=1), HOUR, NEXT),
        (HOUR, NEXT - timedelta(minutes=1), HOUR, NEXT),
    ],
)
def test_whole_hours_are_asked_for(start: datetime, end: datetime, asked_from: datetime, asked_to: datetime) -> None:
    cloudwatch = CountedByCloudWatch()
    read(cloudwatch, period=Period(start.astimezone(PARIS), end.astimezone(PARIS), PARIS))
    (call,) = cloudwatch.calls
    assert (call["StartTime"], call["EndTime"]) == (asked_from, asked_to)


@pytest.mark.parametrize("operation", ["get_metric_data", "describe_alarms_for_metric"])
def test_a_refusal_is_all_that_is_known(operation: str) -> None:
    found = read(CountedByCloudWatch(refused=operation))
    assert found == Metrics(refusal="AccessDenied")
    assert (found.values, found.of(CODES), found.alarm_usd) == (0, {}, None)


@pytest.mark.parametrize(
    ("alarms", "threshold"),
    [
        ([], None),
        ([("another-SmsSpendAlarm", 1.0), ("reassort2-SmsSpendAlarm", 2.0)], None),
        ([("another-SmsSpendAlarm", 1.0), ("reassort-SmsSpendAlarm", 8.0), ("reassort-Early", 4.0)], 4.0),
    ],
)
def test_the_alarm_on_what_sms_cost_is_the_stacks_own(alarms: list[tuple[str, float]], threshold: float | None) -> None:
    assert read(CountedByCloudWatch(*alarms)).alarm_usd == threshold


def test_a_metric_that_was_never_written_is_unknown_or_none() -> None:
    assert Query("CodesQueued") == CODES
    found = Metrics({CODES: {HOUR: 0.7, NEXT: 0.7}, LOCKS: {HOUR: 0.0}, MONTH_SPEND: {HOUR: 5.0}})
    assert [found.total(query) for query in (CODES, LOCKS, SIGNED_IN)] == [1, 0, None]
    assert [found.count(query) for query in (CODES, LOCKS, SIGNED_IN)] == [1, 0, 0]
    # What the account spends is no value of the service.
    assert found.values == 3


@pytest.mark.parametrize(
    ("metrics", "ago", "told"),
    [
        (Metrics(refusal="AccessDenied"), 500, [remarks.metrics_refused("AccessDenied")]),
        (Metrics({MONTH_SPEND: {HOUR: 5.0}}), 500, [remarks.NO_METRICS]),
        (Metrics({CODES: {HOUR: 5.0}}), 455, [remarks.metrics_hours()]),
        (Metrics({CODES: {HOUR: 5.0}}), 456, [remarks.metrics_hours(), remarks.metrics_kept(455)]),
    ],
)
def test_a_report_says_what_its_metrics_cannot_tell(metrics: Metrics, ago: int, told: list[str]) -> None:
    period: Any = SimpleNamespace(start=NEXT - timedelta(days=ago))
    unused: Any = None
    gathering = Gathering(unused, unused, unused, unused, period, now=NEXT, segments=1)
    source = gathering._metrics_source(metrics)
    assert (source.name, source.looked_at, source.available) == (SourceName.METRICS, metrics.values, metrics.values > 0)
    assert source.remarks == tuple(told)
