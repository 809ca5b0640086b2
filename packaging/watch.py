"""What operators watch, as `template.yaml` has it: thresholds from the election files, and the dashboard. `make watch` writes both.

CloudFormation reads no election file, so the numbers of each one stand in the template's section `Mappings`, and alarms and dashboard
find theirs there by the parameter `Election`. Two regions of the template, between comments, are made here and nowhere else.

    python packaging/watch.py           tells whether the template is up to date (exit status 1 if not)
    python packaging/watch.py --write   brings it up to date
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from reassort.election import ElectionFileError
from reassort.election_file import ElectionFile, read_election_file

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
ELECTIONS = ROOT / "elections"
# The name of the section's mapping.
MAPPING = "Watch"
# The namespace of what the service itself counts.
_STACK = "${AWS::StackName}"
# Of the 24 columns of a dashboard.
_WIDTH, _HEIGHT = 8, 6
_INDENT = " " * 10

type Json = dict[str, Any]


class TemplateError(ValueError):
    """The template lacks the comments between which a region is written."""


def thresholds(election: ElectionFile) -> dict[str, int]:
    """Return the numbers of an election's alarms by their key in the mapping, in the units of the metrics."""
    watch = election.watch
    return {
        "WaitingSeconds": watch.waiting_minutes * 60,
        "OverdueSeconds": watch.overdue_minutes * 60,
        "StreamMilliseconds": watch.stream_seconds * 1000,
        "Undelivered": watch.undelivered,
        "DomainFailurePercent": watch.domain_failure_percent,
        "SmsFailurePercent": watch.sms_failure_percent,
        "SmsCapPercent": watch.sms_cap_percent,
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


def mappings(elections: list[ElectionFile]) -> str:
    """Return the region of the thresholds, as YAML. CloudFormation takes nothing but texts there."""
    lines = ["Mappings:", f"  {MAPPING}:"]
    for election in sorted(elections, key=lambda one: one.id):
        lines.append(f"    {election.id}:")
        lines += [f'      {key}: "{value}"' for key, value in thresholds(election).items()]
    return "\n".join(lines)


# ---------------------------------------------------------------- the dashboard


@dataclass(frozen=True)
class Line:
    """A horizontal line in a graph: a threshold by its key in the mapping, or a number."""

    label: str
    at: str


def _metric(namespace: str, name: str, stat: str = "Sum", label: str | None = None, **dimensions: str) -> list[Any]:
    flat = [part for pair in dimensions.items() for part in pair]
    options = {"stat": stat, **({"label": label} if label else {})}
    return [namespace, name, *flat, options]


_own = partial(_metric, _STACK)


def _search(dimensions: str, name: str, stat: str) -> list[Any]:
    """Return whatever there is of a metric, one line for each value of its dimensions: mail domains are the election's."""
    schema = f'{{"{_STACK}",{dimensions}}} MetricName="{name}"'
    return [{"expression": f"SEARCH('{schema}', '{stat}', 300)", "id": name.lower()}]


def _graph(title: str, metrics: list[list[Any]], *lines: Line, period: int = 60) -> Json:
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


def _graphs(functions: list[str], tables: list[str]) -> list[Json]:
    """Return the graphs in the order of a voter's way: signing in, asking, waiting, receiving; then what all of it stands on."""

    def of_functions(name: str, stat: str) -> list[list[Any]]:
        return [
            _metric(
                "AWS/Lambda", name, stat, function.removesuffix("Function").lower(), FunctionName=f"${{{function}}}"
            )
            for function in functions
        ]

    def of_tables(*names: str) -> list[list[Any]]:
        return [
            _metric(
                "AWS/DynamoDB", name, "Sum", f"{table.removesuffix('Table').lower()} {name}", TableName=f"${{{table}}}"
            )
            for table in tables
            for name in names
        ]

    def of_api(name: str, stat: str) -> list[Any]:
        return _metric("AWS/ApiGateway", name, stat, f"{name} {stat}", ApiName=_STACK, Stage="v1")

    def of_queue(name: str, stat: str, queue: str) -> list[Any]:
        return _metric("AWS/SQS", name, stat, f"{queue} {name}", QueueName=f"${{{queue}.QueueName}}")

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
            [_own("WrongNumens"), _own("NumenLocks"), _own("Disputes"), _own("ManyCodes")],
            Line("locks", "NumenLocks"),
            period=300,
        ),
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
            Line("waiting", "WaitingSeconds"),
        ),
        _graph("Most overdue, seconds", [_own("OldestOverdue", "Maximum")], Line("overdue", "OverdueSeconds")),
        _graph(
            "Failures by mail domain, per cent",
            [_search("channel,domain", "FailurePercent", "Average")],
            Line("domain", "DomainFailurePercent"),
            period=300,
        ),
        _graph("Failures by channel and reason", [_search("channel,reason", "Failed", "Sum")], period=300),
        _graph(
            "Failures of SMS, per cent",
            [_own("FailurePercent", "Average", "sms", channel="sms")],
            Line("sms", "SmsFailurePercent"),
            period=300,
        ),
        _graph(
            "Undelivered, parked, complaints",
            [_own("Undelivered"), _own("Parked"), _own("Complaints", channel="email")],
            Line("undelivered", "Undelivered"),
            period=300,
        ),
        _graph(
            "SMS of the day, per cent of the cap",
            [_own("SmsCapUsed", "Maximum")],
            Line("alarm", "SmsCapPercent"),
            Line("cap", "100"),
        ),
        _graph(
            "SMS, US dollars",
            [
                _own("SmsSpend", label="in five minutes"),
                _metric("AWS/SNS", "SMSMonthToDateSpentUSD", "Maximum", "month"),
            ],
            Line("month", "SmsMonthUsd"),
            period=300,
        ),
        _graph(
            "Canaries: seconds until they arrived", [_search("channel,domain", "CanarySeconds", "Maximum")], period=300
        ),
        _graph(
            "Canaries missing", [_own("CanariesMissing", "Maximum", channel, channel=channel) for channel in channels]
        ),
        _graph("Answers of the API", [of_api("Count", "Sum"), of_api("4XXError", "Sum")]),
        _graph("5xx", [of_api("5XXError", "Sum")], Line("alarm", "ApiFaultsPerMinute")),
        _graph("Time of answers, milliseconds", [of_api("Latency", stat) for stat in percentiles]),
        _graph("Functions: errors", of_functions("Errors", "Sum"), Line("alarm", "FunctionErrors"), period=300),
        _graph("Functions: at the same time", of_functions("ConcurrentExecutions", "Maximum")),
        _graph("Functions: throttled", of_functions("Throttles", "Sum")),
        _graph("Functions: duration p95, milliseconds", of_functions("Duration", "p95")),
        _graph(
            "Stream: age of the oldest record, milliseconds",
            [
                _metric("AWS/Lambda", "IteratorAge", "Maximum", "outbox", FunctionName="${NotifyFunction}"),
                _metric("AWS/Lambda", "IteratorAge", "Maximum", "register", FunctionName="${AnnounceFunction}"),
            ],
            Line("stream", "StreamMilliseconds"),
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
            Line("blocked", "BlockedRequests"),
            period=300,
        ),
    ]


def dashboard(template: Json) -> str:
    """Return the region of the dashboard, as YAML: one widget a line, every alarm, function and table of the template."""
    resources = template["Resources"]
    alarms: dict[str, list[str]] = {"": []}
    for name, part in resources.items():
        if part["Type"] in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}:
            alarms.setdefault(part.get("Condition", ""), []).append(name)

    def quoted(names: list[str]) -> list[str]:
        return [f'"${{{name}.Arn}}"' for name in names]

    conditions = [condition for condition in alarms if condition]
    states = ",".join(quoted(alarms[""])) + "".join(f"${{{condition}Alarms}}" for condition in conditions)

    def of_type(wanted: str) -> list[str]:
        return [name for name, part in resources.items() if part["Type"] == wanted]

    graphs = _graphs(of_type("AWS::Serverless::Function"), of_type("AWS::DynamoDB::Table"))
    above = (
        '{"type":"alarm","x":0,"y":0,"width":24,"height":6,'
        f'"properties":{{"title":"Alarms: docs/runbook.md has a section for each","alarms":[{states}]}}}}'
    )
    lines = [above]
    for position, graph in enumerate(graphs):
        row, column = divmod(position, 24 // _WIDTH)
        placed = {
            "type": graph["type"],
            "x": column * _WIDTH,
            "y": _HEIGHT * (row + 1),
            "width": _WIDTH,
            "height": _HEIGHT,
        }
        text = json.dumps({**placed, "properties": graph["properties"]}, separators=(",", ":"))
        # A threshold is a number.
        lines.append(_unquoted(text))
    keys = sorted({line["value"][2:-1] for graph in graphs for line in _lines(graph) if isinstance(line["value"], str)})
    variables = [f"          {key}: !FindInMap [{MAPPING}, !Ref Election, {key}]" for key in keys]
    variables += [
        f"          {condition}Alarms: !If [{condition}, !Sub ',{','.join(quoted(alarms[condition]))}', \"\"]"
        for condition in conditions
    ]
    body = (",\n" + _INDENT).join(lines)
    return "\n".join(
        [
            "      DashboardBody: !Sub",
            "        - |-",
            f'{_INDENT}{{"start":"-PT3H","widgets":[',
            f"{_INDENT}{body}",
            f"{_INDENT}]}}",
            f"        - {variables[0].strip()}",
            *variables[1:],
        ]
    )


def _lines(graph: Json) -> list[Json]:
    found: list[Json] = graph["properties"].get("annotations", {}).get("horizontal", [])
    return found


def _unquoted(text: str) -> str:
    head, *rest = text.split('"value":"${')
    return head + "".join('"value":${' + part.replace('}"', "}", 1) for part in rest)


class _Loader(yaml.SafeLoader):
    """Reads a template for its resources; what its tags stand for does not matter here."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


# ---------------------------------------------------------------- the template


def replace_region(template: str, name: str, content: str) -> str:
    """Return the template with another content between the comments of a region.

    Raises:
        TemplateError: it has no such region.
    """
    lines = template.split("\n")
    marks = [position for position, line in enumerate(lines) if line.strip().startswith(f"# {name}: ")]
    if len(marks) != 2:
        raise TemplateError(f"needs two comments that begin with '# {name}: '")
    begin, end = marks
    return "\n".join([*lines[: begin + 1], content, *lines[end:]])


def updated(template: str, folder: Path = ELECTIONS) -> str:
    """Return the template with the thresholds of each file of `folder`, and with the dashboard of its own alarms.

    Raises:
        TemplateError: it has no place for them.
        ElectionFileError: an election file cannot be used.
    """
    elections = [read_election_file(path) for path in sorted(folder.glob("*.yaml"))]
    resources = yaml.load(template, _Loader)  # noqa: S506 - a safe one
    with_thresholds = replace_region(template, "thresholds", mappings(elections))
    return replace_region(with_thresholds, "dashboard", dashboard(resources))


def main(arguments: list[str] | None = None) -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description="Thresholds and dashboard of template.yaml, from elections/*.yaml.")
    parser.add_argument("--write", action="store_true", help="bring template.yaml up to date")
    write = parser.parse_args(arguments).write
    template = TEMPLATE.read_text(encoding="utf-8")
    try:
        wanted = updated(template)
    except (ElectionFileError, TemplateError) as error:
        print(error, file=sys.stderr)
        return 2
    if wanted == template:
        return 0
    if not write:
        print("template.yaml is not what the election files say: make watch", file=sys.stderr)
        return 1
    TEMPLATE.write_text(wanted, encoding="utf-8")
    print("template.yaml: thresholds and dashboard brought up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
