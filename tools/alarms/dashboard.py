"""The dashboard: a voter's way from left to right, then what all of it stands on.

Thresholds are lines in the graphs.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from alarms.table import FUNCTIONS, Json, of_election

# The namespace of what the service itself counts.
_STACK = "${StackName}"
# Of the 24 columns of a dashboard.
_WIDTH, _HEIGHT = 8, 6
TABLES = (
    "VotersTable",
    "IdentifiersTable",
    "NumensTable",
    "SignInTable",
    "CodeDeliveriesTable",
    "DeliveriesTable",
    "RegisterTable",
    "LimitsTable",
    "ControlTable",
    "PaceTable",
    "HelpdeskRecordTable",
)


@dataclass(frozen=True)
class ThresholdLine:
    """A horizontal line in a graph: a threshold by its key in the mapping, or a number."""

    label: str
    at: str


def _metric(namespace: str, name: str, stat: str = "Sum", label: str | None = None, **dimensions: str) -> list[Any]:
    flat = [part for pair in dimensions.items() for part in pair]
    options = {"stat": stat, **({"label": label} if label else {})}
    return [namespace, name, *flat, options]


_own = partial(_metric, _STACK)


def _search(dimensions: str, name: str, stat: str) -> list[Any]:
    """Return whatever there is of a metric, one line for each value of its dimensions.

    Mail domains are the election's.
    """
    schema = f'{{"{_STACK}",{dimensions}}} MetricName="{name}"'
    return [{"expression": f"SEARCH('{schema}', '{stat}', 300)", "id": name.lower()}]


def _graph(title: str, metrics: list[list[Any]], *lines: ThresholdLine, period: int = 60) -> Json:
    properties: Json = {
        "title": title,
        "region": "${AWS::Region}",
        "view": "timeSeries",
        "period": period,
        "metrics": metrics,
    }
    if lines:
        properties["annotations"] = {
            "horizontal": [
                {"label": line.label, "value": float(line.at) if line.at.isdigit() else f"${{{line.at}}}"}
                for line in lines
            ]
        }
    return {"type": "metric", "properties": properties}


def _graphs() -> list[Json]:
    """Return the graphs: signing in, asking, waiting, receiving; then what all of it stands on."""

    def of_functions(name: str, stat: str) -> list[list[Any]]:
        return [
            _metric(
                "AWS/Lambda", name, stat, function.removesuffix("Function").lower(), FunctionName=f"${{{function}}}"
            )
            for function in FUNCTIONS
        ]

    def of_tables(*names: str) -> list[list[Any]]:
        return [
            _metric(
                "AWS/DynamoDB", name, "Sum", f"{table.removesuffix('Table').lower()} {name}", TableName=f"${{{table}}}"
            )
            for table in TABLES
            for name in names
        ]

    def of_api(name: str, stat: str) -> list[Any]:
        return _metric("AWS/ApiGateway", name, stat, f"{name} {stat}", ApiName=_STACK, Stage="v1")

    def of_queue(name: str, stat: str, queue: str) -> list[Any]:
        return _metric("AWS/SQS", name, stat, f"{queue} {name}", QueueName=f"${{{queue}}}")

    def blocked(rule: str) -> list[Any]:
        return _metric(
            "AWS/WAFV2", "BlockedRequests", "Sum", rule, WebACL=f"{_STACK}-api", Region="${AWS::Region}", Rule=rule
        )

    lanes, channels, percentiles = ("code", "email", "sms"), ("sms", "email"), ("p50", "p95", "p99")
    return [
        _graph("Codes and sign-ins", [_own("CodesQueued"), _own("SignedIn"), _own("WrongCodes")]),
        _graph("Reissues by channel", [_own("ReissuedBySms", label="sms"), _own("ReissuedByEmail", label="email")]),
        _graph(
            "Wrong NUMENs, locks, disputes",
            [_own("WrongNumens"), _own("NumenLocks"), _own("Disputes"), _own("ManyCodes"), _own("Harvests")],
            ThresholdLine("locks", "NumenLocks"),
            period=300,
        ),
        _graph("Against the register", [_own("RegisterChanges"), _own("ContradictedIdentifiers")]),
        *(
            _graph(
                f"Milliseconds until handed over, {channel}",
                [_own("HandedOverAfter", stat, stat, channel=channel) for stat in percentiles],
                period=300,
            )
            for channel in channels
        ),
        _graph("Waiting messages by lane", [_own("Waiting", "Maximum", lane, lane=lane) for lane in lanes]),
        _graph(
            "Oldest waiting by lane, seconds",
            [_own("OldestWaiting", "Maximum", lane, lane=lane) for lane in lanes],
            ThresholdLine("waiting", "WaitingSeconds"),
        ),
        _graph("Most overdue, seconds", [_own("OldestOverdue", "Maximum")], ThresholdLine("overdue", "OverdueSeconds")),
        _graph(
            "Failures by mail domain, per cent",
            [_search("channel,domain", "FailurePercent", "Average")],
            ThresholdLine("domain", "DomainFailurePercent"),
            period=300,
        ),
        _graph("Failures by channel and reason", [_search("channel,reason", "Failed", "Sum")], period=300),
        _graph(
            "Failures of SMS, per cent",
            [_own("FailurePercent", "Average", "sms", channel="sms")],
            ThresholdLine("sms", "SmsFailurePercent"),
            period=300,
        ),
        _graph(
            "Undelivered, parked, complaints",
            [_own("Undelivered"), _own("Parked"), _own("Complaints", channel="email")],
            ThresholdLine("undelivered", "Undelivered"),
            period=300,
        ),
        _graph(
            "SMS of the day, per cent of the cap",
            [_own("SmsCapUsed", "Maximum")],
            ThresholdLine("alarm", "SmsCapPercent"),
            ThresholdLine("cap", "100"),
        ),
        _graph(
            "Codes of the day, per cent of the room",
            [_own("CodesUsed", "Maximum")],
            ThresholdLine("alarm", "CodesPercent"),
            ThresholdLine("room", "100"),
        ),
        _graph(
            "SMS, US dollars",
            [
                _own("SmsSpend", label="in five minutes"),
                _metric("AWS/SNS", "SMSMonthToDateSpentUSD", "Maximum", "month"),
            ],
            ThresholdLine("month", "SmsMonthUsd"),
            period=300,
        ),
        _graph(
            "Canaries: seconds until they arrived", [_search("channel,domain", "CanarySeconds", "Maximum")], period=300
        ),
        _graph(
            "Canaries missing", [_own("CanariesMissing", "Maximum", channel, channel=channel) for channel in channels]
        ),
        _graph("Answers of the API", [of_api("Count", "Sum"), of_api("4XXError", "Sum")]),
        _graph("5xx", [of_api("5XXError", "Sum")], ThresholdLine("alarm", "ApiFaultsPerMinute")),
        _graph("Time of answers, milliseconds", [of_api("Latency", stat) for stat in percentiles]),
        _graph(
            "Functions: errors", of_functions("Errors", "Sum"), ThresholdLine("alarm", "FunctionErrors"), period=300
        ),
        _graph("Functions: at the same time", of_functions("ConcurrentExecutions", "Maximum")),
        _graph("Functions: throttled", of_functions("Throttles", "Sum")),
        _graph("Functions: duration p95, milliseconds", of_functions("Duration", "p95")),
        _graph(
            "Stream: age of the oldest record, milliseconds",
            [
                _metric("AWS/Lambda", "IteratorAge", "Maximum", "outbox", FunctionName="${NotifyFunction}"),
                _metric("AWS/Lambda", "IteratorAge", "Maximum", "register", FunctionName="${AnnounceFunction}"),
            ],
            ThresholdLine("stream", "StreamMilliseconds"),
        ),
        _graph(
            "Receipts dropped",
            [_metric("AWS/Lambda", "AsyncEventsDropped", "Sum", "receipts", FunctionName="${NotifyFunction}")],
        ),
        _graph(
            "Dead letters and retry queue",
            [
                of_queue("ApproximateNumberOfMessagesVisible", "Maximum", "DeadLetterQueue"),
                of_queue("ApproximateNumberOfMessagesVisible", "Maximum", "PlatformDeadLetters"),
                of_queue("ApproximateNumberOfMessagesVisible", "Maximum", "RetryQueue"),
                of_queue("ApproximateNumberOfMessagesDelayed", "Maximum", "RetryQueue"),
            ],
        ),
        _graph("Tables: throttled", of_tables("ReadThrottleEvents", "WriteThrottleEvents")),
        _graph("Tables: conflicts of transactions", of_tables("TransactionConflict")),
        _graph(
            "Firewall: blocked requests",
            [blocked(rule) for rule in ("ALL", "codes-rate", "around-the-edge")],
            ThresholdLine("blocked", "BlockedRequests"),
            period=300,
        ),
    ]


def dashboard(alarms: Mapping[str, Json]) -> Json:
    """Return the dashboard as CloudFormation takes it, one widget a line.

    The state of each of the alarms is at its top.
    """
    by_condition: dict[str, list[str]] = {"": []}
    for name, alarm in alarms.items():
        by_condition.setdefault(alarm.get("Condition", ""), []).append(f'"${{{name}.Arn}}"')
    states = ",".join(by_condition.pop("")) + "".join(f"${{{condition}Alarms}}" for condition in by_condition)
    above = (
        '{"type":"alarm","x":0,"y":0,"width":24,"height":6,'
        f'"properties":{{"title":"Alarms: docs/runbook.md has a section for each","alarms":[{states}]}}}}'
    )
    graphs = _graphs()
    lines = [above, *(_placed(position, graph) for position, graph in enumerate(graphs))]
    keys = sorted({line["value"][2:-1] for graph in graphs for line in _lines(graph) if isinstance(line["value"], str)})
    variables = {key: of_election(key) for key in keys}
    for condition, names in by_condition.items():
        variables[f"{condition}Alarms"] = {"Fn::If": [condition, {"Fn::Sub": f",{','.join(names)}"}, ""]}
    body = ",\n".join(lines)
    text = f'{{"start":"-PT3H","widgets":[\n{body}\n]}}'
    properties = {"DashboardName": {"Ref": "StackName"}, "DashboardBody": {"Fn::Sub": [text, variables]}}
    return {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}


def _placed(position: int, graph: Json) -> str:
    row, column = divmod(position, 24 // _WIDTH)
    place = {"x": column * _WIDTH, "y": _HEIGHT * (row + 1), "width": _WIDTH, "height": _HEIGHT}
    placed = {"type": graph["type"], **place, "properties": graph["properties"]}
    # A threshold is a number.
    return re.sub(r'"value":"(\$\{\w+\})"', r'"value":\1', json.dumps(placed, separators=(",", ":")))


def _lines(graph: Json) -> list[Json]:
    found: list[Json] = graph["properties"].get("annotations", {}).get("horizontal", [])
    return found
