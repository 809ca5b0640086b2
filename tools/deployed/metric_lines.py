"""Every metric that alarms and dashboards of a stack look at."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deployed.stack import FilledTemplate, Json, Resource

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html
_SELECT = re.compile(r"SELECT\s+\w+\(\s*\"?([\w.]+)\"?\s*\)\s+FROM\s+SCHEMA\(([^)]*)\)", re.IGNORECASE)
_SELECT_ALL = re.compile(r"SELECT\s+\w+\(\s*\"?([\w.]+)\"?\s*\)\s+FROM\s+\"?([\w/$:{}.-]+)\"?", re.IGNORECASE)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
_SEARCH = re.compile(r"SEARCH\(\s*'\{([^}]*(?:\$\{[^}]*\}[^}]*)*)\}\s*(?:MetricName=)?\"?([\w.]+)\"?")
_MEMBER = re.compile(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*[\"']?([^\"')]+)[\"']?\s*\)")


@dataclass(frozen=True, slots=True)
class Line:
    """A metric that something looks at. An expression names dimensions without values: `values` is
    then None.
    """

    path: tuple[str | int, ...]
    namespace: str
    metric: str
    dimensions: frozenset[str]
    values: tuple[tuple[str, str], ...] | None


def lines(stack: FilledTemplate) -> Iterator[Line]:
    """Yield the metrics of alarms, of their expressions, and of the dashboards' widgets."""
    for alarm in stack.of_type("AWS::CloudWatch::Alarm"):
        path = (*alarm.path, "Properties")
        if "MetricName" in alarm.properties:
            yield _line(path, alarm.properties)
        for place, member in enumerate(alarm.properties.get("Metrics", [])):
            if "MetricStat" in member:
                yield _line((*path, "Metrics", place), member["MetricStat"].get("Metric", {}))
            yield from _of_expression((*path, "Metrics", place), str(member.get("Expression", "")))
    for dashboard in stack.of_type("AWS::CloudWatch::Dashboard"):
        path = (*dashboard.path, "Properties", "DashboardBody")
        for widget in widgets(dashboard):
            previous: list[str] = []
            for metric in widget.get("properties", {}).get("metrics", []):
                expressions = [
                    str(part["expression"]) for part in metric if isinstance(part, dict) and "expression" in part
                ]
                for expression in expressions:
                    yield from _of_expression(path, expression)
                if not expressions:
                    previous = _written_out([str(part) for part in metric if not isinstance(part, dict)], previous)
                    values = tuple(zip(previous[2::2], previous[3::2], strict=False))
                    yield Line(path, previous[0], previous[1], frozenset(name for name, _ in values), values)


def widgets(dashboard: Resource) -> list[Mapping[str, Json]]:
    """Return the widgets of a dashboard. Raises ValueError for a body that is no JSON."""
    body = json.loads(str(dashboard.properties.get("DashboardBody")))
    return list(body.get("widgets", []))


def alarms_named(stack: FilledTemplate) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each alarm that a composite alarm or a dashboard names, as the template writes it, and
    where.
    """
    for composite in stack.of_type("AWS::CloudWatch::CompositeAlarm"):
        for name in _MEMBER.findall(str(composite.properties.get("AlarmRule"))):
            yield (*composite.path, "Properties", "AlarmRule"), name
    for dashboard in stack.of_type("AWS::CloudWatch::Dashboard"):
        for widget in widgets(dashboard):
            for name in widget.get("properties", {}).get("alarms", []):
                yield (*dashboard.path, "Properties", "DashboardBody"), str(name)


def _line(path: tuple[str | int, ...], metric: Mapping[str, Json]) -> Line:
    values = tuple((str(one.get("Name")), str(one.get("Value"))) for one in metric.get("Dimensions", []))
    names = frozenset(name for name, _ in values)
    return Line(path, str(metric.get("Namespace")), str(metric.get("MetricName")), names, values)


def _of_expression(path: tuple[str | int, ...], expression: str) -> Iterator[Line]:
    for metric, schema in _SELECT.findall(expression):
        namespace, *names = (part.strip().strip('"') for part in schema.split(","))
        yield Line(path, namespace, metric, frozenset(names), None)
    if not _SELECT.search(expression):
        for metric, namespace in _SELECT_ALL.findall(expression):
            yield Line(path, namespace, metric, frozenset(), None)
    for schema, metric in _SEARCH.findall(expression):
        namespace, *names = (part.strip().strip('"') for part in schema.split(","))
        yield Line(path, namespace, metric, frozenset(names), None)


def _written_out(parts: list[str], previous: list[str]) -> list[str]:
    """Return a line of a widget without its shorthands: `.` is the part above, `...` all of the
    parts above up to the last ones.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    if parts[:1] == ["..."]:
        return [*previous[: len(previous) - len(parts) + 1], *parts[1:]]
    return [previous[place] if part == "." and place < len(previous) else part for place, part in enumerate(parts)]
