"""What the check of a deployed stack asks of AWS, and what it leaves out where there is no AWS or
no site.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from reassort_ops.account.after import api, edge, messages
from reassort_ops.account.after.deployed import DeployedStack, read_stack
from reassort_ops.account.checks import State
from reassort_ops.account.probes import run_all

from tests.unit.ops.check.account import Account
from tests.unit.ops.check.answers import AnsweringAws
from tests.unit.ops.check.changes import asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reassort_ops.account.checks import Check
    from reassort_ops.account.probes import Probe

EMULATOR = "http://127.0.0.1:4566"
SMS_LOGS = "sns/eu-west-3/123456789012/DirectPublishToPhoneNumber"


def stack_without(account: Account, *logical_ids: str) -> DeployedStack:
    """Return the stack of a test's account without some of its resources."""
    stack = read_stack(AnsweringAws(account.answers), "reassort")
    kept = {name: one for name, one in stack.resources.items() if name not in logical_ids}
    assert len(kept) == len(stack.resources) - len(logical_ids)
    return replace(stack, resources=kept)


def found(probes: Sequence[Probe]) -> dict[str, Check]:
    return {f"{one.subject.group}: {one.subject.title}": one for one in run_all(probes, lambda _: None)}


def test_methods_are_asked_for_with_the_resources(account: Account) -> None:
    calls = asked(account, "apigateway", "GetResources")
    account.after("API: no method asks for an API key")
    assert [one["embed"] for one in calls] == [["methods"]]


def test_role_and_share_of_the_logs_of_sms_are_asked_for(account: Account) -> None:
    calls = asked(account, "sns", "GetSMSAttributes")
    account.after("Messages: SNS logs what became of SMS")
    wanted = {"DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate"}
    assert {name for one in calls for name in one["attributes"]} >= wanted


def test_the_log_groups_of_sms_are_the_stacks_or_those_of_the_account(account: Account) -> None:
    calls = asked(account, "logs", "DescribeSubscriptionFilters")
    whole = stack_without(account)
    found(messages.probes(account.reach(), whole))
    own = [whole.physical_id("SmsDeliveredLogs"), whole.physical_id("SmsFailedLogs")]
    assert [one["logGroupName"] for one in calls] == own
    calls.clear()
    found(messages.probes(account.reach(), stack_without(account, "SmsDeliveredLogs", "SmsFailedLogs")))
    assert [one["logGroupName"] for one in calls] == [SMS_LOGS, f"{SMS_LOGS}/Failure"]


def test_without_a_site_no_firewall_is_looked_for(account: Account) -> None:
    checks = found(api.probes(account.reach(), stack_without(account, "Distribution")))
    assert checks["API: access log"].state is State.PASSED
    check = checks["API: firewall on the stage"]
    assert (check.state, "no DomainName" in check.found) == (State.UNSEEN, True)


def test_without_a_site_nothing_of_it_is_judged(account: Account) -> None:
    checks = found(edge.probes(account.reach(), stack_without(account, "Distribution")))
    assert {check.state for check in checks.values()} == {State.UNSEEN}
    assert all("no DomainName" in check.found for check in checks.values())


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("DescribeAlarms", "Alarms: each tells somebody"),
        ("DescribeAlarmHistory", "Alarms: CloudWatch could tell them"),
    ],
)
def test_alarms_of_both_kinds_are_asked_for(account: Account, operation: str, name: str) -> None:
    calls = asked(account, "cloudwatch", operation)
    account.after(name)
    assert [set(one["AlarmTypes"]) for one in calls] == [{"MetricAlarm", "CompositeAlarm"}]


@pytest.mark.parametrize("dimension", ["FunctionName", "TableName", "QueueName", "TopicName"])
@pytest.mark.parametrize("computed", [False, True], ids=["a metric", "an expression"])
def test_an_alarm_of_another_stacks_resource_is_found(account: Account, dimension: str, computed: bool) -> None:
    first, *others = account.answers.stored("cloudwatch", "DescribeAlarms")["MetricAlarms"]
    metric = {name: first[name] for name in ("Namespace", "MetricName")}
    metric["Dimensions"] = [{"Name": dimension, "Value": "another"}]
    bare = {name: value for name, value in first.items() if name not in metric}
    stat = {"Metric": metric, "Period": 60, "Stat": "Sum"}
    watched = {"Metrics": [{"Id": "all", "Expression": "a"}, {"Id": "a", "MetricStat": stat}]} if computed else metric
    account.answers.change("cloudwatch", "DescribeAlarms", {"MetricAlarms": [bare | watched, *others]})
    name = "Alarms: each watches something of this stack"
    check = account.after(name)[name]
    assert (check.state, f"({dimension}=another)" in check.found) == (State.FAILED, True), check


@pytest.mark.parametrize(
    "name",
    [
        "API: access log",
        "API: firewall on the stage",
        "Functions: delivery may call itself",
        "Messages: DKIM",
        "Messages: SPF",
        "Messages: DMARC",
        "Site: API called around CloudFront",
        "Site: DNS of the domain",
        "Protection: tables under the stack's key",
    ],
)
def test_what_an_emulator_does_not_have_is_called_neither_right_nor_wrong(account: Account, name: str) -> None:
    account.elsewhere = EMULATOR
    check = account.after(name)[name]
    assert (check.state, check.found) == (State.UNSEEN, f"not seen here: {EMULATOR} stands in for AWS")
