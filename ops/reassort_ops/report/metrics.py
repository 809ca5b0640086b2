"""What CloudWatch has counted, hour by hour, for what no table keeps: codes, sign-ins, wrong
NUMENs, what SMS cost.

An hour's values are kept for 455 days;
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from reassort_ops.report.period import HOUR, hour_of

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

    from reassort_ops.report.period import Period

KEPT = timedelta(days=455)
# The most that one GetMetricData takes.
_QUERIES_A_CALL = 500
_SECONDS = 3600
_SPEND = ("AWS/SNS", "SMSMonthToDateSpentUSD")

type Series = Mapping[datetime, float]


@dataclass(frozen=True)
class Query:
    """One metric of the service. `statistic` is CloudWatch's name; `dimensions` are pairs of name
    and value.
    """

    name: str
    statistic: str = "Sum"
    dimensions: tuple[tuple[str, str], ...] = ()
    namespace: str | None = None


CODES = Query("CodesQueued")
SIGNED_IN = Query("SignedIn")
WRONG_NUMENS = Query("WrongNumens")
LOCKS = Query("NumenLocks")
SMS_SPEND = Query("SmsSpend")
MONTH_SPEND = Query(_SPEND[1], "Maximum", namespace=_SPEND[0])


def mail_queries(domain: str) -> tuple[Query, ...]:
    """Return what is counted of the e-mails to a domain: handed over, delivered, failed, marked as
    spam.
    """
    dimensions = (("channel", "email"), ("domain", domain))
    return (
        Query("HandedOverAfter", "SampleCount", dimensions),
        Query("Delivered", "Sum", dimensions),
        Query("Failed", "Sum", dimensions),
        Query("Complaints", "Sum", dimensions),
    )


@dataclass(frozen=True)
class Metrics:
    """Values by metric and hour (its beginning, UTC). `refusal` is why CloudWatch did not answer;
    `alarm_usd` is the threshold of the alarm on the month's spend.
    """

    series: Mapping[Query, Series] = field(default_factory=dict)
    alarm_usd: float | None = None
    refusal: str | None = None

    @property
    def values(self) -> int:
        """Return how many values the service itself has written."""
        return sum(len(series) for query, series in self.series.items() if query.namespace is None)

    def of(self, query: Query) -> Series:
        """Return the values of a metric by hour: none when it was never written."""
        return self.series.get(query, {})

    def total(self, query: Query) -> int | None:
        """Return the sum of a metric that the logs' filters write, a zero included; None when there
        is no value at all.
        """
        series = self.of(query)
        return round(sum(series.values())) if series else None

    def count(self, query: Query) -> int:
        """Return the sum of a metric that is written only when something happens."""
        return round(sum(self.of(query).values()))


def read_metrics(cloudwatch: CloudWatchClient, stack: str, domains: tuple[str, ...], period: Period) -> Metrics:
    """Read what the service's metrics say of the period, whole hours. A refusal is part of the
    answer: the tables tell the rest.
    """
    queries = [CODES, SIGNED_IN, WRONG_NUMENS, LOCKS, SMS_SPEND, MONTH_SPEND]
    queries += [query for domain in domains for query in mail_queries(domain)]
    try:
        series = {}
        for some in batched(queries, _QUERIES_A_CALL, strict=False):
            series.update(_read(cloudwatch, stack, some, period))
        return Metrics(series, _alarm_threshold(cloudwatch, stack))
    except ClientError as error:
        return Metrics(refusal=error.response["Error"]["Code"])


def _read(
    cloudwatch: CloudWatchClient, stack: str, queries: tuple[Query, ...], period: Period
) -> dict[Query, dict[datetime, float]]:
    found: dict[Query, dict[datetime, float]] = {query: {} for query in queries}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_wire(stack, number, query) for number, query in enumerate(queries)],
        StartTime=hour_of(period.start, period.zone),
        EndTime=_next_hour(period.end),
        ScanBy="TimestampAscending",
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            query = queries[int(result["Id"].removeprefix("q"))]
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                found[query][hour_of(at, period.zone)] = value
    return found


def _wire(stack: str, number: int, query: Query) -> Any:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {"Namespace": query.namespace or stack, "MetricName": query.name, "Dimensions": dimensions}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": _SECONDS, "Stat": query.statistic}}


def _next_hour(instant: datetime) -> datetime:
    floor = instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return floor if floor == instant else floor + HOUR


def _alarm_threshold(cloudwatch: CloudWatchClient, stack: str) -> float | None:
    """Return the threshold of the stack's own alarm on the month's spend: CloudFormation names
    it after the stack.
    """
    alarms = cloudwatch.describe_alarms_for_metric(Namespace=_SPEND[0], MetricName=_SPEND[1])["MetricAlarms"]
    own = [alarm["Threshold"] for alarm in alarms if alarm["AlarmName"].startswith(f"{stack}-")]
    return min(own) if own else None
