"""The dashboard shows what is really counted, every alarm, and the thresholds of the election that
the stack serves.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from harness.elections import IDS, read_election
from harness.engines.template import read_template
from tests.watching import ALARM_TYPES, counted_from_logs, resources_of, written_metrics

STACK = "reassort-tests"
# What AWS documents for the services that the template uses, as far as it is of interest here.
OF_AWS = {
    "AWS/Lambda": {"Errors", "Throttles", "ConcurrentExecutions", "Duration", "IteratorAge", "AsyncEventsDropped"},
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesDelayed"},
    "AWS/SNS": {"SMSMonthToDateSpentUSD"},
    "AWS/DynamoDB": {"ReadThrottleEvents", "WriteThrottleEvents", "TransactionConflict"},
    "AWS/WAFV2": {"BlockedRequests"},
}
_NAME = re.compile(r"\$\{([\w.:]+)\}")
_SEARCH = re.compile(r"SEARCH\('\{\"([\w-]+)\",([\w,]+)\} MetricName=\"(\w+)\"', '(\w+)', (\d+)\)")


def _body(election_id: str = IDS[0], *, conditions: bool = True) -> dict[str, Any]:
    """Return the dashboard as CloudFormation would write it, with the conditional alarms or
    without.
    """
    text, variables = resources_of("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]

    def resolve(name: str) -> str:
        value = variables.get(name)
        if value is None:
            return STACK if name == "AWS::StackName" else f"<{name}>"
        if "Fn::FindInMap" in value:
            mapping, parameter, key = value["Fn::FindInMap"]
            assert parameter == {"Ref": "Election"}
            found: str = read_template()["Mappings"][mapping][election_id][key]
            return found
        _, yes, no = value["Fn::If"]
        return _NAME.sub(lambda inner: resolve(inner[1]), yes["Fn::Sub"]) if conditions else str(no)

    body: dict[str, Any] = json.loads(_NAME.sub(lambda name: resolve(name[1]), text))
    return body


def _graphs() -> list[dict[str, Any]]:
    return [widget["properties"] for widget in _body()["widgets"] if widget["type"] == "metric"]


def _metrics() -> list[tuple[str, str, dict[str, str]]]:
    """Return each metric of the dashboard: namespace, name, dimensions. What a search looks for has
    names of dimensions alone.
    """
    found: list[tuple[str, str, dict[str, str]]] = []
    for graph in _graphs():
        for metric in graph["metrics"]:
            if isinstance(metric[0], dict):
                search = _SEARCH.fullmatch(metric[0]["expression"])
                assert search is not None, metric
                found.append((search[1], search[3], dict.fromkeys(search[2].split(","), "")))
            else:
                namespace, name, *dimensions, _ = metric
                found.append((namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))))
    return found


def test_every_metric_of_the_service_is_one_that_is_written() -> None:
    mine = {(name, frozenset(dimensions)) for namespace, name, dimensions in _metrics() if namespace == STACK}
    assert len(mine) > 20
    assert mine <= written_metrics()


def test_every_metric_of_aws_exists_and_is_of_this_stack() -> None:
    resources = read_template()["Resources"]
    for namespace, name, dimensions in _metrics():
        if namespace == STACK:
            continue
        assert name in OF_AWS[namespace], name
        for value in dimensions.values():
            named = re.fullmatch(r"<([\w:]+)(?:\.\w+)?>", value)
            assert named is None or named[1] == "AWS::Region" or named[1] in resources, value


@pytest.mark.parametrize("conditions", [True, False])
def test_every_alarm_is_on_it(conditions: bool) -> None:
    (widget,) = [one for one in _body(conditions=conditions)["widgets"] if one["type"] == "alarm"]
    shown = [re.sub(r"<(\w+)\.Arn>", r"\1", arn) for arn in widget["properties"]["alarms"]]
    resources = read_template()["Resources"]
    wanted = {name for name in resources_of(*ALARM_TYPES) if conditions or "Condition" not in resources[name]}
    assert sorted(shown) == sorted(wanted)
    assert len(wanted) > 15


def test_every_function_table_and_count_of_the_logs_is_on_it() -> None:
    shown = str(_graphs())
    for name in resources_of("AWS::Serverless::Function", "AWS::DynamoDB::Table"):
        assert f"<{name}>" in shown
    assert set(counted_from_logs()) - {"Reissued"} <= {name for _, name, _ in _metrics()}


@pytest.mark.parametrize("election_id", IDS)
def test_lines_are_the_thresholds_of_the_election(election_id: str) -> None:
    lines = {
        (widget["properties"]["title"], line["label"]): line["value"]
        for widget in _body(election_id)["widgets"]
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    }
    asked = read_election(election_id).watch
    assert lines["Oldest waiting by lane, seconds", "waiting"] == asked.waiting_minutes * 60
    assert lines["SMS of the day, per cent of the cap", "alarm"] == asked.sms_cap_percent
    assert lines["SMS of the day, per cent of the cap", "cap"] == 100
    assert lines["Codes of the day, per cent of the room", "alarm"] == asked.codes_percent
    assert lines["SMS, US dollars", "month"] == asked.sms_month_usd
    assert len(lines) == 15


def test_graphs_neither_overlap_nor_leave_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in _body()["widgets"]:
        places = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not places & taken
        assert max(x for x, _ in places) < 24
        taken |= places


def test_waits_are_shown_as_percentiles_and_channels_apart() -> None:
    waits = [metric for graph in _graphs() for metric in graph["metrics"] if "HandedOverAfter" in metric]
    assert {(metric[3], metric[-1]["stat"]) for metric in waits} == {
        (channel, percentile) for channel in ("sms", "email") for percentile in ("p50", "p95", "p99")
    }
