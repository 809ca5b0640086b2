"""What is counted in the functions' logs, and every alarm.

Each alarm has a section in docs/runbook.md.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reassort.election_file import ElectionFile

type Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
STACK = {"Ref": "StackName"}
FUNCTIONS = tuple(
    f"{handler.parent.name.title()}Function" for handler in sorted((ROOT / "functions").glob("*/handler.py"))
)
EDGE = "Edge"
# The embedded local AWS makes no alarm of an expression or of other alarms.
FULL_IAM = "FullIam"


def thresholds(election: ElectionFile) -> dict[str, int]:
    """Return the numbers of an election's alarms by key, in the units of the metrics."""
    watch = election.watch
    return {
        "WaitingSeconds": watch.waiting_minutes * 60,
        "OverdueSeconds": watch.overdue_minutes * 60,
        "StreamMilliseconds": watch.stream_seconds * 1000,
        "Undelivered": watch.undelivered,
        "DomainFailurePercent": watch.domain_failure_percent,
        "SmsFailurePercent": watch.sms_failure_percent,
        "SmsCapPercent": watch.sms_cap_percent,
        "CodesPercent": watch.codes_percent,
        "SmsMonthUsd": watch.sms_month_usd,
        "ComplaintsPerHour": watch.complaints_per_hour,
        "WrongNumensPercent": watch.wrong_numens.percent,
        "WrongNumensFloor": watch.wrong_numens.floor,
        "NumenLocks": watch.numen_locks,
        "WrongCodesPercent": watch.wrong_codes.percent,
        "WrongCodesFloor": watch.wrong_codes.floor,
        "UsedCodesPercent": watch.used_codes.percent,
        "UsedCodesFloor": watch.used_codes.floor,
        "DisputesPerHour": watch.disputes_per_hour,
        "FunctionErrors": watch.function_errors,
        "ApiFaultsPerMinute": watch.api_faults_per_minute,
        "BlockedRequests": watch.blocked_requests,
    }


def of_election(key: str) -> Json:
    """Return the reference to a threshold of the election that the stack serves."""
    return {"Fn::FindInMap": ["Watch", {"Ref": "Election"}, key]}


# ---------------------------------------------------------------- what the logs count

# Metric, log group, pattern. Each pattern holds a fixed message of the code, so counting costs the
# functions nothing.
COUNTS = (
    ("CodesQueued", "LoginLogs", '$.message = "code asked" && $.queued = 1'),
    ("ManyCodes", "LoginLogs", '$.message = "many codes asked"'),
    ("WrongCodes", "LoginLogs", '$.message = "code refused"'),
    ("SignedIn", "LoginLogs", '$.message = "signed in"'),
    ("WrongNumens", "ReissueLogs", '$.message = "numen wrong"'),
    ("NumenLocks", "ReissueLogs", '$.message = "numen wrong" && $.locks = 1'),
    ("Reissued", "ReissueLogs", '$.message = "reissued"'),
    ("ReissuedBySms", "ReissueLogs", '$.message = "reissued" && $.channel = "sms"'),
    ("ReissuedByEmail", "ReissueLogs", '$.message = "reissued" && $.channel = "email"'),
    ("Disputes", "ReissueLogs", '$.message = "reissue disputed"'),
    ("RegisterChanges", "AnnounceLogs", '$.message = "register entry replaced or removed"'),
    ("Harvests", "HelpdeskLogs", '$.message = "too many look-ups"'),
    ("ContradictedIdentifiers", "RegistryLogs", '$.message = "identifier contradicts the register"'),
)


def filters() -> Iterator[tuple[str, Json]]:
    """Yield the metric filters by logical id.

    By the default, a group that logs anything has a number of each metric: what an alarm divides
    is never missing.
    """
    for metric, group, pattern in COUNTS:
        made = {
            "MetricNamespace": STACK,
            "MetricName": metric,
            "MetricValue": "1",
            "DefaultValue": 0,
            "Unit": "Count",
        }
        properties = {
            "LogGroupName": {"Ref": group},
            "FilterPattern": f"{{ {pattern} }}",
            "MetricTransformations": [made],
        }
        yield f"{metric}Filter", {"Type": "AWS::Logs::MetricFilter", "Properties": properties}


# ---------------------------------------------------------------- alarms


@dataclass(frozen=True)
class Metric:
    """A metric of AWS's, or of the stack's own namespace."""

    name: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)
    namespace: str | Json = field(default_factory=lambda: STACK)


@dataclass(frozen=True)
class InsightsQuery:
    """A query of CloudWatch's Metrics Insights, with `${StackName}` in it."""

    expression: str


@dataclass(frozen=True)
class MetricRatio:
    """A percentage of two of the stack's metrics, by the names that the formula gives them.

    A share and not a count, so that a morning of 3,000 reissues a minute is no attack. Below the
    floor of the first metric it is `otherwise`, so that one voter's evening is none either.
    """

    metrics: Mapping[str, str]
    formula: str
    floor: str
    otherwise: int


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm that rings when `watches` is above `limit`, or below it if `below`.

    `limit` is a key of `thresholds`, or 0. `periods` are the seconds of a period, how many of them
    are looked at, and how many of those must be over the limit.
    """

    id: str
    says: str
    section: str
    watches: Metric | InsightsQuery | MetricRatio
    statistic: str = "Sum"
    periods: tuple[int, int, int] = (300, 1, 1)
    limit: str | int = 0
    below: bool = False
    missing: str = "notBreaching"
    condition: str = ""

    def resource(self) -> Json:
        """Return the alarm as CloudFormation takes it."""
        seconds, evaluated, over = self.periods
        properties: Json = {
            **_described(self.id, self.says, self.section),
            **self._watched(seconds),
            "EvaluationPeriods": evaluated,
            **({"DatapointsToAlarm": over} if over < evaluated else {}),
            "Threshold": of_election(self.limit) if isinstance(self.limit, str) else self.limit,
            "ComparisonOperator": "LessThanThreshold" if self.below else "GreaterThanThreshold",
            "TreatMissingData": self.missing,
            **_ACTIONS,
        }
        condition = {"Condition": self.condition} if self.condition else {}
        return {"Type": "AWS::CloudWatch::Alarm", **condition, "Properties": properties}

    def _watched(self, seconds: int) -> Json:
        match self.watches:
            case Metric(name, dimensions, namespace):
                listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
                return {
                    "Namespace": namespace,
                    "MetricName": name,
                    **({"Dimensions": listed} if listed else {}),
                    "Statistic": self.statistic,
                    "Period": seconds,
                }
            case InsightsQuery(expression):
                query = {"Id": "worst", "Expression": {"Fn::Sub": expression}, "Period": seconds, "ReturnData": True}
                return {"Metrics": [query]}
            case MetricRatio(metrics, formula, floor, otherwise):
                parts = [
                    {
                        "Id": key,
                        "MetricStat": {
                            "Metric": {"Namespace": STACK, "MetricName": metric},
                            "Period": seconds,
                            "Stat": self.statistic,
                        },
                        "ReturnData": False,
                    }
                    for key, metric in metrics.items()
                ]
                text = f"IF({next(iter(metrics))} < ${{Floor}}, {otherwise}, {formula})"
                expression_of = {"Fn::Sub": [text, {"Floor": of_election(floor)}]}
                return {"Metrics": [*parts, {"Id": "percent", "Expression": expression_of, "ReturnData": True}]}


_ACTIONS = {"AlarmActions": [{"Ref": "AlarmTopic"}], "OKActions": [{"Ref": "AlarmTopic"}]}


def _described(name: str, says: str, section: str) -> Json:
    return {
        "AlarmName": {"Fn::Sub": f"${{StackName}}-{name}"},
        "AlarmDescription": f"{says} (docs/runbook.md#{section})",
    }


def _of_function(name: str, function: str) -> Metric:
    return Metric(name, {"FunctionName": {"Ref": function}}, "AWS/Lambda")


def _waiting_in(queue: str) -> Metric:
    return Metric("ApproximateNumberOfMessagesVisible", {"QueueName": {"Ref": queue}}, "AWS/SQS")


def _blocked_by(rule: str) -> Metric:
    firewall = {"Fn::Sub": "${StackName}-api"}
    return Metric("BlockedRequests", {"WebACL": firewall, "Region": {"Ref": "AWS::Region"}, "Rule": rule}, "AWS/WAFV2")


def _errors(function: str, what: str) -> Alarm:
    return Alarm(
        id=f"{function.removesuffix('Function')}ErrorsAlarm",
        says=f"The function of {what} fails",
        section="function-errors",
        watches=_of_function("Errors", function),
        limit="FunctionErrors",
    )


# Five minutes, twice of three.
_TWICE = (300, 3, 2)
# One of a minute is enough.
_AT_ONCE = (60, 1, 1)
_WRONG = "100 * wrong / (wrong + right)"

ALARMS = (
    Alarm(
        id="DeadLetterAlarm",
        says="A delivery could not be processed at all",
        section="dead-letters",
        watches=_waiting_in("DeadLetterQueue"),
        statistic="Maximum",
        periods=_AT_ONCE,
    ),
    # What its caps and rates are, the function knows, and measures against.
    Alarm(
        id="WaitingAlarm",
        says="A message waits for longer than watch.waiting_minutes",
        section="late-deliveries",
        watches=Metric("OldestWaiting"),
        statistic="Maximum",
        periods=(60, 2, 2),
        limit="WaitingSeconds",
    ),
    Alarm(
        id="OverdueAlarm",
        says="A delivery is overdue by more than watch.overdue_minutes, or the sweeper that measures it is silent",
        section="overdue-deliveries",
        watches=Metric("OldestOverdue"),
        statistic="Maximum",
        periods=(60, 5, 3),
        limit="OverdueSeconds",
        # It is measured every minute: without a number nobody sweeps.
        missing="breaching",
    ),
    Alarm(
        id="UnusableKeysAlarm",
        says="A KMS key of the service is disabled or about to be deleted",
        section="unusable-keys",
        watches=Metric("UnusableKeys"),
        statistic="Maximum",
        periods=_AT_ONCE,
    ),
    Alarm(
        id="OutboxAgeAlarm",
        says="New deliveries are not picked up",
        section="outbox-stalled",
        watches=_of_function("IteratorAge", "NotifyFunction"),
        statistic="Maximum",
        periods=_AT_ONCE,
        limit="StreamMilliseconds",
    ),
    Alarm(
        id="UndeliveredAlarm",
        says="Identifiers or confirmations will not arrive by any channel",
        section="undelivered",
        watches=Metric("Undelivered"),
        limit="Undelivered",
    ),
    Alarm(
        id="DomainFailuresAlarm",
        says="One mail domain returns more than watch.domain_failure_percent of the messages",
        section="domain-failures",
        # The average of 100 for each failure and 0 for each arrival, of the domain where it is
        # highest.
        watches=InsightsQuery(
            'SELECT AVG(FailurePercent) FROM SCHEMA("${StackName}", channel, domain) '
            "GROUP BY domain ORDER BY AVG() DESC LIMIT 1"
        ),
        periods=_TWICE,
        limit="DomainFailurePercent",
        condition=FULL_IAM,
    ),
    Alarm(
        id="SmsFailuresAlarm",
        says="More than watch.sms_failure_percent of the SMS fail and go by e-mail instead",
        section="sms-failures",
        watches=Metric("FailurePercent", {"channel": "sms"}),
        statistic="Average",
        periods=_TWICE,
        limit="SmsFailurePercent",
    ),
    Alarm(
        id="SmsCapAlarm",
        says="More than watch.sms_cap_percent of the day's SMS are used; at the cap the rest goes by e-mail",
        section="sms-cap",
        watches=Metric("SmsCapUsed"),
        statistic="Maximum",
        periods=_AT_ONCE,
        limit="SmsCapPercent",
    ),
    Alarm(
        id="CodesUsedAlarm",
        says="More than watch.codes_percent of the day's codes are used; beyond them only light networks have some",
        section="codes-used",
        watches=Metric("CodesUsed"),
        statistic="Maximum",
        periods=_AT_ONCE,
        limit="CodesPercent",
    ),
    Alarm(
        id="SmsSpendAlarm",
        says="The account's SMS of this month cost more than watch.sms_month_usd",
        section="sms-spend",
        watches=Metric("SMSMonthToDateSpentUSD", namespace="AWS/SNS"),
        statistic="Maximum",
        limit="SmsMonthUsd",
    ),
    Alarm(
        id="ComplaintsAlarm",
        says="Voters mark messages as spam, or their mail service does",
        section="complaints",
        watches=Metric("Complaints", {"channel": "email"}),
        periods=(3600, 1, 1),
        limit="ComplaintsPerHour",
    ),
    Alarm(
        id="ReceiptsLostAlarm",
        says="Providers' reports were dropped before the function took them",
        section="receipts-lost",
        watches=_of_function("AsyncEventsDropped", "NotifyFunction"),
    ),
    Alarm(
        id="WrongNumensAlarm",
        says="More NUMENs are wrong than people mistype",
        section="wrong-numens",
        watches=MetricRatio({"wrong": "WrongNumens", "right": "Reissued"}, _WRONG, "WrongNumensFloor", 0),
        periods=_TWICE,
        limit="WrongNumensPercent",
        condition=FULL_IAM,
    ),
    Alarm(
        id="NumenLocksAlarm",
        says="Many voters are locked out for wrong NUMENs",
        section="wrong-numens",
        watches=Metric("NumenLocks"),
        limit="NumenLocks",
    ),
    # An honest voter mistypes one code in ten, or comes back after it has expired.
    Alarm(
        id="WrongCodesAlarm",
        says="More codes are wrong than people mistype",
        section="wrong-codes",
        watches=MetricRatio({"wrong": "WrongCodes", "right": "SignedIn"}, _WRONG, "WrongCodesFloor", 0),
        periods=_TWICE,
        limit="WrongCodesPercent",
        condition=FULL_IAM,
    ),
    Alarm(
        id="ManyCodesAlarm",
        says="A mailbox was sent more codes in a day than the election file expects (limits.code.alarm_per_day)",
        section="many-codes",
        watches=Metric("ManyCodes"),
        periods=(3600, 1, 1),
    ),
    # Anyone who asks for codes in others' names never uses one; nor do voters whose mail does not
    # arrive.
    Alarm(
        id="UnusedCodesAlarm",
        says="Codes are asked for and hardly anybody signs in",
        section="unused-codes",
        watches=MetricRatio(
            {"queued": "CodesQueued", "used": "SignedIn"}, "100 * used / queued", "UsedCodesFloor", 100
        ),
        periods=(900, 2, 2),
        limit="UsedCodesPercent",
        below=True,
        condition=FULL_IAM,
    ),
    Alarm(
        id="DisputesAlarm",
        says="Several voters say within an hour that a reissue was not theirs",
        section="disputes",
        watches=Metric("Disputes"),
        periods=(3600, 1, 1),
        limit="DisputesPerHour",
    ),
    Alarm(
        id="RatesAlarm",
        says="The firewall turns away an address that asks for codes too often",
        section="firewall",
        watches=_blocked_by("codes-rate"),
        condition=EDGE,
    ),
    Alarm(
        id="FirewallAlarm",
        says="The firewall turns away many requests",
        section="firewall",
        watches=_blocked_by("ALL"),
        periods=(300, 3, 3),
        limit="BlockedRequests",
        condition=EDGE,
    ),
    _errors("LoginFunction", "sign-in"),
    _errors("ReissueFunction", "reissue"),
    _errors("NotifyFunction", "delivery"),
    _errors("RegistryFunction", "the registry"),
    _errors("HelpdeskFunction", "the helpdesk"),
    _errors("AnnounceFunction", "the events for the voting platform"),
    Alarm(
        id="PlatformEventsLateAlarm",
        says="The voting platform hears of invalidations a minute late, or not at all",
        section="platform-events-late",
        watches=_of_function("IteratorAge", "AnnounceFunction"),
        statistic="Maximum",
        periods=_AT_ONCE,
        limit="StreamMilliseconds",
    ),
    Alarm(
        id="PlatformEventsUndeliveredAlarm",
        says="SNS could not hand events to the voting platform's queue",
        section="platform-events-lost",
        watches=Metric("NumberOfNotificationsFailed", {"TopicName": {"Ref": "PlatformTopic"}}, "AWS/SNS"),
    ),
    Alarm(
        id="PlatformEventsLostAlarm",
        says="A change was never announced to the voting platform",
        section="platform-events-lost",
        watches=_waiting_in("PlatformDeadLetters"),
        statistic="Maximum",
        periods=_AT_ONCE,
    ),
    Alarm(
        id="RegisterChangedAlarm",
        says="An entry of the register was replaced or removed",
        section="register-changed",
        watches=Metric("RegisterChanges"),
        periods=_AT_ONCE,
    ),
    Alarm(
        id="ContradictedIdentifierAlarm",
        says="Somebody voted, or wanted to, with an identifier that no entry of the register issued",
        section="register-changed",
        watches=Metric("ContradictedIdentifiers"),
        periods=_AT_ONCE,
    ),
    Alarm(
        id="HelpdeskHarvestAlarm",
        says="An agent looked up as many voters as the election file lets anybody",
        section="helpdesk-harvest",
        watches=Metric("Harvests"),
        periods=_AT_ONCE,
    ),
    Alarm(
        id="ApiFaultsAlarm",
        says="Voters get 5xx answers",
        section="api-faults",
        watches=Metric("5XXError", {"ApiName": STACK, "Stage": "v1"}, "AWS/ApiGateway"),
        periods=_AT_ONCE,
        limit="ApiFaultsPerMinute",
    ),
    # An election may have no canaries. A sweeper that is silent rings OverdueAlarm.
    Alarm(
        id="CanaryEmailsAlarm",
        says="A test e-mail of the service has not arrived in its mailbox in time",
        section="canary-missing",
        watches=Metric("CanariesMissing", {"channel": "email"}),
        statistic="Maximum",
        periods=(60, 3, 2),
    ),
    Alarm(
        id="CanarySmsAlarm",
        says="A test SMS of the service has not arrived at its handset in time",
        section="canary-missing",
        watches=Metric("CanariesMissing", {"channel": "sms"}),
        statistic="Maximum",
        periods=(60, 3, 2),
    ),
)

# What each of the others says, an operator may look at in the morning; this one, at once. Voters
# cannot ask; or what they asked for is not handed over; or it is lost for a reason that all share.
# SMS alone are not in it, for identifiers then go by e-mail, nor is a dead letter alone.
URGENT = "VotersCannotGetIdentifiersAlarm"
_URGENT_RULE = """
ALARM(ApiFaultsAlarm) OR ALARM(LoginErrorsAlarm) OR ALARM(ReissueErrorsAlarm)
OR ALARM(OverdueAlarm) OR ALARM(CanaryEmailsAlarm)
OR (ALARM(OutboxAgeAlarm) AND ALARM(NotifyErrorsAlarm))
OR (ALARM(UnusedCodesAlarm) AND ALARM(WaitingAlarm))
OR (ALARM(UndeliveredAlarm) AND (ALARM(DeadLetterAlarm) OR ALARM(DomainFailuresAlarm) OR ALARM(WaitingAlarm)))
"""


def alarms() -> dict[str, Json]:
    """Return every alarm by logical id, the composite one last."""
    rule = re.sub(r"ALARM\((\w+)\)", r'ALARM("${\1}")', " ".join(_URGENT_RULE.split()))
    urgent = {
        "AlarmName": {"Fn::Sub": "${StackName}-voters-cannot-get-identifiers"},
        "AlarmDescription": "Voters cannot get identifiers (docs/runbook.md#voters-cannot-get-identifiers)",
        "AlarmRule": {"Fn::Sub": rule},
        **_ACTIONS,
    }
    composite = {"Type": "AWS::CloudWatch::CompositeAlarm", "Condition": FULL_IAM, "Properties": urgent}
    return {**{alarm.id: alarm.resource() for alarm in ALARMS}, URGENT: composite}
