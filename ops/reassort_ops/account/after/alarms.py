"""Alarms that can ring, and somebody who hears them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import joined, tr, trn

NAMED = Subject(tr("Alarms"), tr("each watches something of this stack"), "alarms")
EMITTED = Subject(tr("Alarms"), tr("each metric is emitted"), "alarms")
ACTIONS = Subject(tr("Alarms"), tr("each tells somebody"), "alarms")
WORKED = Subject(tr("Alarms"), tr("CloudWatch could tell them"), "alarms")
CONFIRMED = Subject(tr("Alarms"), tr("subscriptions confirmed"), "subscriptions")
_ALARM_TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
# Dimensions whose value is the name of a resource, and the types of it. An API's is its name, not
# its id.
_NAMES = {
    "FunctionName": "AWS::Lambda::Function",
    "TableName": "AWS::DynamoDB::Table",
    "QueueName": "AWS::SQS::Queue",
    "TopicName": "AWS::SNS::Topic",
}
# How a line of an alarm's history begins when its action could not be carried out: the only trace
# of a topic or key that refuses CloudWatch.
_FAILED = "Failed to execute action"

type Metric = tuple[str, str, frozenset[tuple[str, str]]]


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return the probes of the alarms and of those who hear them."""

    def alarms() -> Iterator[Check]:
        found = _alarms(reach, stack)
        yield actions(found)
        metrics = {name: list(_metrics(alarm)) for name, alarm in found.items() if "AlarmRule" not in alarm}
        yield named(metrics, _names(reach, stack))
        yield emitted(metrics, _emitted(reach, metrics), stack.name)

    def history() -> Iterator[Check]:
        names = _names_of_alarms(stack)
        pages = (
            reach.aws.client("cloudwatch")
            .get_paginator("describe_alarm_history")
            .paginate(HistoryItemType="Action", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        )
        yield worked(
            [
                (names[item["AlarmName"]], item["Timestamp"], item["HistorySummary"])
                for page in pages
                for item in page["AlarmHistoryItems"]
                if item["AlarmName"] in names
            ]
        )

    def subscriptions() -> Iterator[Check]:
        topics = {name: stack.physical_id(name) for name in ("AlarmTopic", "HelpdeskTopic")}
        sns = reach.aws.client("sns")
        by_topic = {
            name: [
                one["SubscriptionArn"]
                for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
                for one in page["Subscriptions"]
            ]
            for name, arn in topics.items()
        }
        yield confirmed(by_topic)

    return Probe((NAMED, EMITTED, ACTIONS), alarms), Probe((WORKED,), history), Probe((CONFIRMED,), subscriptions)


def named(metrics: Mapping[str, Sequence[Metric]], names: Mapping[str, frozenset[str]]) -> Check:
    """Judge whether each dimension that names a resource names one of this stack: otherwise the
    alarm watches nothing, in silence.
    """
    strangers = [
        f"{alarm} ({name}={value})"
        for alarm, watched in metrics.items()
        for _, _, dimensions in watched
        for name, value in dimensions
        if name in names and value not in names[name]
    ]
    found = (
        tr("of nothing here: {strangers}", strangers=listed(strangers))
        if strangers
        else trn("{count} alarm", "{count} alarms", count=len(metrics))
    )
    return NAMED.judged(not strangers, tr("dimensions that name its functions, queues, tables and API"), found)


def emitted(metrics: Mapping[str, Sequence[Metric]], seen: Mapping[tuple[str, str], set[Metric]], own: str) -> Check:
    """Judge whether CloudWatch has each metric, with these dimensions and no others, within the two
    weeks that it lists.

    One of the stack's own namespace that is emitted with other dimensions, and never with these,
    cannot ring. What nothing has emitted yet may still come: a failure is counted when there is
    one.
    """
    wrong: list[str] = []
    silent: list[str] = []
    for alarm, watched in metrics.items():
        for metric in watched:
            namespace, name, dimensions = metric
            there = seen.get((namespace, name), set())
            if metric in there:
                continue
            kinds = {frozenset(key for key, _ in other) for _, _, other in there}
            mismatched = namespace == own and there and frozenset(key for key, _ in dimensions) not in kinds
            (wrong if mismatched else silent).append(alarm)
    expected = tr("listed by CloudWatch, with the alarm's dimensions")
    if wrong:
        return EMITTED.judged(False, expected, tr("emitted with other dimensions: {wrong}", wrong=listed(wrong)))
    if silent:
        return EMITTED.unseen(
            tr(
                "nothing emitted yet for {silent} of {all}: {alarms}",
                silent=len(set(silent)),
                all=len(metrics),
                alarms=listed(sorted(set(silent))),
            ),
            expected,
        )
    return EMITTED.judged(True, expected, trn("all of {count} alarm", "all of {count} alarms", count=len(metrics)))


def actions(alarms: Mapping[str, Mapping[str, Any]]) -> Check:
    """Judge whether each alarm has an action, or is a part of one that has, and none is switched
    off.
    """
    rules = " ".join(alarm["AlarmRule"] for alarm in alarms.values() if "AlarmRule" in alarm)
    off = [name for name, alarm in alarms.items() if not alarm.get("ActionsEnabled", False)]
    mute = [
        name
        for name, alarm in alarms.items()
        if not alarm.get("AlarmActions") and alarm["AlarmName"] not in rules and alarm["AlarmArn"] not in rules
    ]
    faults = [tr("switched off: {off}", off=listed(off))] * bool(off) + [
        tr("without action: {mute}", mute=listed(mute))
    ] * bool(mute)
    found = joined("; ", faults) or trn("{count} alarm", "{count} alarms", count=len(alarms))
    return ACTIONS.judged(bool(alarms) and not faults, tr("an action, switched on"), found)


def worked(history: Sequence[tuple[str, datetime, str]]) -> Check:
    """Judge whether the latest action of each alarm reached its topic, by alarm, time and summary
    of CloudWatch's history.
    """
    latest = {alarm: summary for alarm, _, summary in sorted(history)}
    if not latest:
        return WORKED.unseen(tr("no alarm has told anybody yet"))
    failed = [f"{alarm}: {summary}" for alarm, summary in latest.items() if _FAILED in summary]
    found = listed(failed, 2) or trn("{count} alarm", "{count} alarms", count=len(latest))
    return WORKED.judged(not failed, tr("the latest action of each was carried out"), found)


def confirmed(by_topic: Mapping[str, Sequence[str]]) -> Check:
    """Judge whether each topic has a subscription, and none waits for its confirmation."""
    waiting = [name for name, arns in by_topic.items() if any(not arn.startswith("arn:") for arn in arns)]
    nobody = [name for name, arns in by_topic.items() if not arns]
    faults = [tr("to be confirmed: {waiting}", waiting=", ".join(waiting))] * bool(waiting) + [
        tr("nobody hears {nobody}", nobody=", ".join(nobody))
    ] * bool(nobody)
    found = joined("; ", faults) or ", ".join(f"{name} {len(arns)}" for name, arns in by_topic.items())
    return CONFIRMED.judged(not faults, tr("at least one of each topic"), found)


def _alarms(reach: Reach, stack: DeployedStack) -> dict[str, Mapping[str, Any]]:
    """Return the stack's alarms by their logical ids."""
    names = _names_of_alarms(stack)
    pages = (
        reach.aws.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    found = {
        names[alarm["AlarmName"]]: alarm
        for page in pages
        for alarm in (*page.get("MetricAlarms", []), *page.get("CompositeAlarms", []))
        if alarm["AlarmName"] in names
    }
    if len(found) < len(names):
        raise NotSeenError(tr("CloudWatch has {found} of the stack's {all} alarms", found=len(found), all=len(names)))
    return dict(sorted(found.items()))


def _names_of_alarms(stack: DeployedStack) -> dict[str, str]:
    """Return name → logical id. `Ref` gives an alarm's name or its ARN, by its type."""
    return {
        one.physical_id.rpartition(":alarm:")[2]: one.logical_id
        for type_ in _ALARM_TYPES
        for one in stack.of_type(type_)
    }


def _metrics(alarm: Mapping[str, Any]) -> Iterator[Metric]:
    """Give the metrics that an alarm reads. An expression that selects its own metrics names
    none.
    """
    if "MetricName" in alarm:
        yield _metric(alarm)
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield _metric(query["MetricStat"]["Metric"])


def _metric(content: Mapping[str, Any]) -> Metric:
    dimensions = frozenset((one["Name"], one["Value"]) for one in content.get("Dimensions", []))
    return content["Namespace"], content["MetricName"], dimensions


def _emitted(reach: Reach, metrics: Mapping[str, Sequence[Metric]]) -> dict[tuple[str, str], set[Metric]]:
    """Return what CloudWatch lists under each name that an alarm uses, whatever its dimensions."""
    wanted = {(namespace, name) for watched in metrics.values() for namespace, name, _ in watched}
    paginator = reach.aws.client("cloudwatch").get_paginator("list_metrics")
    return {
        (namespace, name): {
            _metric(one) for page in paginator.paginate(Namespace=namespace, MetricName=name) for one in page["Metrics"]
        }
        for namespace, name in sorted(wanted)
    }


def _names(reach: Reach, stack: DeployedStack) -> dict[str, frozenset[str]]:
    """Return, by dimension, the names that are this stack's."""
    names = {
        dimension: frozenset(one.physical_id.replace(":", "/").rpartition("/")[2] for one in stack.of_type(type_))
        for dimension, type_ in _NAMES.items()
    }
    api = reach.aws.client("apigateway").get_rest_api(restApiId=stack.physical_id("Api"))
    return {**names, "ApiName": frozenset({api["name"]})}
