"""What alarms and dashboards of a stack look at, as their lines and expressions say it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deployed.metric_lines import alarms_named, lines
from deployed.stack import FilledTemplate


def seen(kind: str, **properties: Any) -> list[tuple[Any, ...]]:
    """Return where in a resource of a type a metric is looked at, and which."""
    stack = FilledTemplate({"Resources": {"It": {"Type": f"AWS::CloudWatch::{kind}", "Properties": properties}}}, {})
    found = list(lines(stack))
    assert all(line.path[:2] == ("Resources", "It") for line in found)
    return [(line.path[2:], line.namespace, line.metric, set(line.dimensions), line.values) for line in found]


def shown(*metrics: list[Any]) -> list[list[Any]]:
    """Return what the lines of a widget are."""
    body = json.dumps({"widgets": [{}, {"properties": {"metrics": metrics}}]})
    found = seen("Dashboard", DashboardBody=body)
    assert all(path == ("Properties", "DashboardBody") for path, *_ in found)
    return [line for _, *line in found]


def test_an_alarm_looks_at_its_metric_and_at_those_of_its_expressions() -> None:
    one = {"Namespace": "Own", "MetricName": "M", "Dimensions": [{"Name": "lane", "Value": "a"}]}
    assert seen("Alarm", **one) == [(("Properties",), "Own", "M", {"lane"}, (("lane", "a"),))]
    members = [{"Expression": "a + 1"}, {"MetricStat": {"Metric": one}}, {"Expression": 'SELECT SUM(N) FROM "Own"'}]
    assert seen("Alarm", Metrics=members) == [
        (("Properties", "Metrics", 1), "Own", "M", {"lane"}, (("lane", "a"),)),
        (("Properties", "Metrics", 2), "Own", "N", set(), None),
    ]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('SELECT AVG(M) FROM SCHEMA("Own", lane, "channel") GROUP BY lane', [["Own", "M", {"lane", "channel"}, None]]),
        ('SELECT AVG("M.N") FROM SCHEMA("${AWS::StackName}")', [["${AWS::StackName}", "M.N", set(), None]]),
        ("select max(M) from Own", [["Own", "M", set(), None]]),
        ('SELECT MAX(M) FROM "AWS/SQS"', [["AWS/SQS", "M", set(), None]]),
        ("""SEARCH('{"Own",lane} MetricName="M"', 'Sum', 60)""", [["Own", "M", {"lane"}, None]]),
        ("""SEARCH('{${AWS::StackName}} M', 'Sum', 60)""", [["${AWS::StackName}", "M", set(), None]]),
        (
            """SEARCH('{A,b} M', 'Sum', 60) + SEARCH('{B} N', 'Sum', 60)""",
            [["A", "M", {"b"}, None], ["B", "N", set(), None]],
        ),
        ("SUM(METRICS())", []),
    ],
)
def test_an_expression_looks_at_what_it_names(expression: str, found: list[Any]) -> None:
    assert shown([{"expression": expression, "label": "a"}]) == found


def test_a_line_of_a_widget_may_repeat_what_stands_above_it() -> None:
    a, b = ("lane", "a"), ("channel", "b")
    assert shown(
        ["Own", "M", "lane", "a", "channel", "b", {"stat": "Sum"}],
        [{"expression": 'SELECT SUM(N) FROM "Other"'}],
        [".", "N", ".", ".", ".", "c"],
        ["...", "d"],
        ["...", "e", "channel", "f", {"label": "label"}],
        [".", "N"],
        [".", "O", "lane", "g", "."],
    ) == [
        ["Own", "M", {"lane", "channel"}, (a, b)],
        ["Other", "N", set(), None],
        ["Own", "N", {"lane", "channel"}, (a, ("channel", "c"))],
        ["Own", "N", {"lane", "channel"}, (a, ("channel", "d"))],
        ["Own", "N", {"lane", "channel"}, (("lane", "e"), ("channel", "f"))],
        ["Own", "N", set(), ()],
        ["Own", "O", {"lane"}, (("lane", "g"),)],
    ]
    assert shown([".", "M"]) == [[".", "M", set(), ()]]


def test_alarms_are_named_by_composite_alarms_and_by_widgets() -> None:
    rule = """ALARM("a") AND NOT (OK(b.c) OR INSUFFICIENT_DATA( 'd' )) OR TRUE"""
    body = json.dumps({"widgets": [{"properties": {"alarms": ["e", "f"]}}, {}]})
    resources = {
        "Rule": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}},
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": body}},
    }
    where, board = ("Resources", "Rule", "Properties", "AlarmRule"), ("Resources", "Board", "Properties")
    assert list(alarms_named(FilledTemplate({"Resources": resources}, {}))) == [
        *((where, name) for name in ("a", "b.c", "d")),
        *(((*board, "DashboardBody"), name) for name in ("e", "f")),
    ]
