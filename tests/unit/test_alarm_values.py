"""What each alarm measures, for how long, and against which number of the election file: said here
by hand, because a slip in one of them leaves an alarm that never rings, or always.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from alarms.table import thresholds

from harness.elections import IDS, read_election
from tests.watching import OF_THIS_STACK, resources_of

# A prime for each member of `watch`: no product of one is that of another.
PRIMES: dict[str, Any] = {
    "waiting_minutes": 239,
    "overdue_minutes": 59,
    "stream_seconds": 3593,
    "undelivered": 2,
    "domain_failure_percent": 7,
    "sms_failure_percent": 11,
    "sms_cap_percent": 83,
    "codes_percent": 89,
    "sms_month_usd": 101,
    "complaints_per_hour": 3,
    "wrong_numens": {"percent": 13, "floor": 1009},
    "numen_locks": 5,
    "wrong_codes": {"percent": 17, "floor": 1013},
    "used_codes": {"percent": 19, "floor": 1019},
    "disputes_per_hour": 23,
    "function_errors": 29,
    "api_faults_per_minute": 31,
    "blocked_requests": 37,
}
MINUTE, THOUSAND = 60, 1000
# What is there or waits is measured again and again: its highest number counts. What happens is
# added up; of 100 for each failure and 0 for each arrival, the average is a percentage.
LEVEL, COUNT, PERCENT = "Maximum", "Sum", "Average"
# Seconds of a period, how many are looked at, how many of them must be over the limit.
AT_ONCE, FIVE_MINUTES, HOUR = (60, 1, 1), (300, 1, 1), (3600, 1, 1)
TWICE_OF_THREE = (300, 3, 2)
_DEAD = "AWS/SQS ApproximateNumberOfMessagesVisible"
_LATE = "AWS/Lambda IteratorAge"
_FAULTS = "AWS/Lambda Errors"
_BLOCKED = "AWS/WAFV2 BlockedRequests"


class Measured(NamedTuple):
    """The metric (with a namespace where it is AWS's own), of what, and what makes the alarm ring.

    `limit` is a member of `watch`, and `unit` how many of the metric's units one of it is. Without
    a member, one of anything rings.
    """

    metric: str
    of: dict[str, str]
    statistic: str
    periods: tuple[int, int, int]
    limit: str = ""
    unit: int = 1
    silence: str = "notBreaching"


MEASURED = {
    "DeadLetterAlarm": Measured(_DEAD, {"QueueName": "DeadLetterQueue"}, LEVEL, AT_ONCE),
    "PlatformEventsLostAlarm": Measured(_DEAD, {"QueueName": "PlatformDeadLetters"}, LEVEL, AT_ONCE),
    "WaitingAlarm": Measured("OldestWaiting", {}, LEVEL, (60, 2, 2), "waiting_minutes", MINUTE),
    # The sweeper measures it every minute: without a number, nobody sweeps.
    "OverdueAlarm": Measured("OldestOverdue", {}, LEVEL, (60, 5, 3), "overdue_minutes", MINUTE, "breaching"),
    "UnusableKeysAlarm": Measured("UnusableKeys", {}, LEVEL, AT_ONCE),
    "OutboxAgeAlarm": Measured(_LATE, {"FunctionName": "NotifyFunction"}, LEVEL, AT_ONCE, "stream_seconds", THOUSAND),
    "PlatformEventsLateAlarm": Measured(
        _LATE, {"FunctionName": "AnnounceFunction"}, LEVEL, AT_ONCE, "stream_seconds", THOUSAND
    ),
    "PlatformEventsUndeliveredAlarm": Measured(
        "AWS/SNS NumberOfNotificationsFailed", {"TopicName": "PlatformTopic"}, COUNT, FIVE_MINUTES
    ),
    "UndeliveredAlarm": Measured("Undelivered", {}, COUNT, FIVE_MINUTES, "undelivered"),
    "SmsFailuresAlarm": Measured("FailurePercent", {"channel": "sms"}, PERCENT, TWICE_OF_THREE, "sms_failure_percent"),
    "SmsCapAlarm": Measured("SmsCapUsed", {}, LEVEL, AT_ONCE, "sms_cap_percent"),
    "CodesUsedAlarm": Measured("CodesUsed", {}, LEVEL, AT_ONCE, "codes_percent"),
    "SmsSpendAlarm": Measured("AWS/SNS SMSMonthToDateSpentUSD", {}, LEVEL, FIVE_MINUTES, "sms_month_usd"),
    "ComplaintsAlarm": Measured("Complaints", {"channel": "email"}, COUNT, HOUR, "complaints_per_hour"),
    # The function of delivery takes the reports, and no other.
    "ReceiptsLostAlarm": Measured(
        "AWS/Lambda AsyncEventsDropped", {"FunctionName": "NotifyFunction"}, COUNT, FIVE_MINUTES
    ),
    "NumenLocksAlarm": Measured("NumenLocks", {}, COUNT, FIVE_MINUTES, "numen_locks"),
    "ManyCodesAlarm": Measured("ManyCodes", {}, COUNT, HOUR),
    "DisputesAlarm": Measured("Disputes", {}, COUNT, HOUR, "disputes_per_hour"),
    "RatesAlarm": Measured(
        _BLOCKED,
        {"WebACL": "${AWS::StackName}-api", "Region": "AWS::Region", "Rule": "codes-rate"},
        COUNT,
        FIVE_MINUTES,
    ),
    "FirewallAlarm": Measured(
        _BLOCKED,
        {"WebACL": "${AWS::StackName}-api", "Region": "AWS::Region", "Rule": "ALL"},
        COUNT,
        (300, 3, 3),
        "blocked_requests",
    ),
    **{
        f"{name}ErrorsAlarm": Measured(
            _FAULTS, {"FunctionName": f"{name}Function"}, COUNT, FIVE_MINUTES, "function_errors"
        )
        for name in ("Login", "Reissue", "Notify", "Registry", "Helpdesk", "Announce")
    },
    "RegisterChangedAlarm": Measured("RegisterChanges", {}, COUNT, AT_ONCE),
    "ContradictedIdentifierAlarm": Measured("ContradictedIdentifiers", {}, COUNT, AT_ONCE),
    "HelpdeskHarvestAlarm": Measured("Harvests", {}, COUNT, AT_ONCE),
    "ApiFaultsAlarm": Measured(
        "AWS/ApiGateway 5XXError",
        {"ApiName": "AWS::StackName", "Stage": "v1"},
        COUNT,
        AT_ONCE,
        "api_faults_per_minute",
    ),
    "CanaryEmailsAlarm": Measured("CanariesMissing", {"channel": "email"}, LEVEL, (60, 3, 2)),
    "CanarySmsAlarm": Measured("CanariesMissing", {"channel": "sms"}, LEVEL, (60, 3, 2)),
}


class Divided(NamedTuple):
    """What an alarm on a percentage divides, by the names of its formula, and its two numbers."""

    metrics: dict[str, str]
    periods: tuple[int, int, int]
    limit: str
    rings: str


DIVIDED = {
    "WrongNumensAlarm": Divided(
        {"wrong": "WrongNumens", "right": "Reissued"}, TWICE_OF_THREE, "wrong_numens", "GreaterThanThreshold"
    ),
    "WrongCodesAlarm": Divided(
        {"wrong": "WrongCodes", "right": "SignedIn"}, TWICE_OF_THREE, "wrong_codes", "GreaterThanThreshold"
    ),
    "UnusedCodesAlarm": Divided(
        {"queued": "CodesQueued", "used": "SignedIn"}, (900, 2, 2), "used_codes", "LessThanThreshold"
    ),
}
ALARMS = resources_of("AWS::CloudWatch::Alarm")


def named(value: Any) -> Any:
    """Return the name of what a value refers to, or the value."""
    match value:
        case {"Ref": str(name)} | {"Fn::Sub": str(name)}:
            return name
        case {"Fn::GetAtt": str(name)}:
            return name.partition(".")[0]
    return value


def periods(alarm: dict[str, Any], seconds: int) -> tuple[int, int, int]:
    """Return the seconds of a period, how many are looked at, and how many must be over."""
    evaluated = alarm["EvaluationPeriods"]
    return seconds, evaluated, alarm.get("DatapointsToAlarm", evaluated)


def number(value: Any) -> int:
    """Return a threshold of the template for an election file of primes."""
    if value == 0:
        return 0
    mapping, parameter, key = value["Fn::FindInMap"]
    assert (mapping, parameter) == ("Watch", {"Ref": "Election"})
    return thresholds(read_election(IDS[0], watch=PRIMES))[key]


def test_each_alarm_is_said_here_and_no_other() -> None:
    assert set(ALARMS) == {*MEASURED, *DIVIDED, "DomainFailuresAlarm"}


@pytest.mark.req("A6")
@pytest.mark.parametrize("name", MEASURED)
def test_alarm_measures_what_it_says_for_as_long_as_it_says(name: str) -> None:
    alarm, said = ALARMS[name], MEASURED[name]
    *namespace, metric = said.metric.split()
    assert (alarm["Namespace"], alarm["MetricName"]) == (namespace[0] if namespace else OF_THIS_STACK, metric)
    assert {part["Name"]: named(part["Value"]) for part in alarm.get("Dimensions", [])} == said.of
    assert alarm["Statistic"] == said.statistic
    assert periods(alarm, alarm["Period"]) == said.periods
    assert alarm["TreatMissingData"] == said.silence
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


@pytest.mark.req("A6")
@pytest.mark.parametrize("name", MEASURED)
def test_alarm_rings_above_its_own_number_of_the_election_file(name: str) -> None:
    said = MEASURED[name]
    assert number(ALARMS[name]["Threshold"]) == (PRIMES[said.limit] * said.unit if said.limit else 0)


@pytest.mark.req("A6")
@pytest.mark.parametrize("name", DIVIDED)
def test_alarm_on_a_percentage_divides_its_counts_and_has_its_own_numbers(name: str) -> None:
    alarm, said = ALARMS[name], DIVIDED[name]
    *counts, percent = alarm["Metrics"]
    assert {count["Id"]: count["MetricStat"]["Metric"]["MetricName"] for count in counts} == said.metrics
    assert {count["MetricStat"]["Stat"] for count in counts} == {COUNT}
    assert {periods(alarm, count["MetricStat"]["Period"]) for count in counts} == {said.periods}
    assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == ("notBreaching", said.rings)
    _, variables = percent["Expression"]["Fn::Sub"]
    found = {"percent": number(alarm["Threshold"]), "floor": number(variables["Floor"])}
    assert found == PRIMES[said.limit]


@pytest.mark.req("A6")
def test_the_worst_mail_domain_rings_above_its_own_percentage() -> None:
    alarm = ALARMS["DomainFailuresAlarm"]
    (query,) = alarm["Metrics"]
    assert query["Expression"]["Fn::Sub"].startswith("SELECT AVG(FailurePercent) ")
    assert query["Expression"]["Fn::Sub"].endswith(" GROUP BY domain ORDER BY AVG() DESC LIMIT 1")
    assert periods(alarm, query["Period"]) == TWICE_OF_THREE
    assert (alarm["TreatMissingData"], alarm["ComparisonOperator"]) == ("notBreaching", "GreaterThanThreshold")
    assert number(alarm["Threshold"]) == PRIMES["domain_failure_percent"]


def test_every_number_of_the_election_file_comes_out_once_in_the_unit_of_its_metric() -> None:
    units = {"waiting_minutes": MINUTE, "overdue_minutes": MINUTE, "stream_seconds": THOUSAND}
    parts = [(name, value.values() if isinstance(value, dict) else [value]) for name, value in PRIMES.items()]
    expected = sorted(value * units.get(name, 1) for name, values in parts for value in values)
    assert sorted(thresholds(read_election(IDS[0], watch=PRIMES)).values()) == expected
