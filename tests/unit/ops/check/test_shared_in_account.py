"""What stacks of one account would fight over: who owns it, who shares it, and what is in the way
of a deploy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from reassort_ops.account.before import sharing
from reassort_ops.account.checks import Check, State

from tests.unit.ops.check.account import Account
from tests.unit.ops.check.changes import asked

RIGHT, WRONG = State.PASSED, State.FAILED
OUTPUTS = ("ElectionId", "VotersTable", "VoterHashKeyId")
SHARED = "Shared in the account: "


def told(check: Check) -> tuple[State, str]:
    return check.state, check.found


def described(name: str, *outputs: str, **parameters: str) -> dict[str, Any]:
    """Return a stack as CloudFormation describes it."""
    return {
        "StackName": name,
        "Outputs": [{"OutputKey": output} for output in outputs],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }


@pytest.mark.parametrize(
    ("stack", "others"),
    [
        (described("other", *OUTPUTS), ["other"]),
        (described("other", *OUTPUTS, "SiteUrl", AccountResources="own"), ["other"]),
        (described("other", *OUTPUTS, AccountResources="shared"), []),
        (described("ours", *OUTPUTS), []),
        (described("other", *OUTPUTS[1:]), []),
        (described("other", *OUTPUTS[:1], *OUTPUTS[2:]), []),
        (described("other", *OUTPUTS[:2]), []),
        ({"StackName": "other"}, []),
    ],
)
def test_only_another_stack_of_this_service_is_in_the_way(stack: Mapping[str, Any], others: list[str]) -> None:
    check = sharing.stacks([stack], "ours", "own")
    assert told(check) == ((WRONG, "AccountResources=own") if others else (RIGHT, "none"))
    assert told(sharing.stacks([stack], "ours", "shared"))[0] is RIGHT


def test_a_stack_beside_others_is_told_who_owns() -> None:
    check = sharing.stacks([described("a", *OUTPUTS), described("b", *OUTPUTS)], "ours", "shared")
    assert told(check) == (RIGHT, "AccountResources=shared")
    assert check.expected == "AccountResources=shared, beside a, b"


@pytest.mark.parametrize(
    ("arn", "resources", "ours", "exists", "found"),
    [
        (None, "own", None, False, (RIGHT, "none")),
        ("arn:aws:iam::1:role/one", "own", "one", True, (RIGHT, "one")),
        ("arn:aws:iam::1:role/one", "own", None, False, (RIGHT, "one")),
        ("arn:aws:iam::1:role/one", "own", None, True, (WRONG, "one: AccountResources=shared would leave it")),
        ("arn:aws:iam::1:role/one", "own", "two", True, (WRONG, "one: AccountResources=shared would leave it")),
        ("arn:aws:iam::1:role/one", "shared", None, True, (RIGHT, "one")),
        ("arn:aws:iam::1:role/one", "shared", None, False, (WRONG, "none that exists")),
        (None, "shared", None, False, (WRONG, "none that exists")),
    ],
)
def test_a_role_for_logs_that_others_rely_on_stays(
    arn: str | None, resources: str, ours: str | None, *, exists: bool, found: tuple[State, str]
) -> None:
    assert told(sharing.role_of_logs(arn, resources, ours=ours, exists=exists)) == found


@pytest.mark.parametrize(
    ("groups", "resources", "ours", "found"),
    [
        ([], "shared", False, (WRONG, "none")),
        (["a"], "shared", False, (WRONG, "1 of 2")),
        (["a", "b"], "shared", False, (RIGHT, "2 of 2")),
        ([], "own", False, (RIGHT, "none")),
        (["a"], "own", False, (WRONG, "1 of 2")),
        (["a", "b"], "own", True, (RIGHT, "2 of 2, this stack's")),
        ([], "own", True, (RIGHT, "none, this stack's")),
    ],
)
def test_log_groups_are_there_to_share_or_not_there_to_create(
    groups: list[str], resources: str, *, ours: bool, found: tuple[State, str]
) -> None:
    assert told(sharing.sms_groups(groups, resources, ours=ours)) == found


@pytest.mark.parametrize(
    ("count", "ours", "state"),
    [(0, False, RIGHT), (1, False, RIGHT), (2, False, WRONG), (2, True, RIGHT), (3, True, WRONG)],
)
def test_a_log_group_has_two_filters_at_most_this_stacks_own_among_them(
    count: int, *, ours: bool, state: State
) -> None:
    counts = {"sns/x/DirectPublish": 0, "sns/x/DirectPublish/Failure": count}
    assert told(sharing.filters(counts, ours=ours)) == (state, f"0 on …/DirectPublish, {count} on …/Failure")


@pytest.mark.parametrize(
    ("there", "ours", "choice", "state"),
    [
        (True, False, "shared", RIGHT),
        (True, False, "own", WRONG),
        (True, True, "own", RIGHT),
        (True, True, "shared", WRONG),
        (False, False, "own", RIGHT),
        (False, False, "shared", WRONG),
    ],
)
def test_an_identity_is_created_only_where_nobody_has_it(*, there: bool, ours: bool, choice: str, state: State) -> None:
    check = sharing.identity("vote.fr", choice, there=there, ours=ours)
    assert told(check) == (state, f"vote.fr {'is there' if there else 'is not there'}, SenderIdentity={choice}")
    assert check.expected == ("SenderIdentity=shared" if there and not ours else "SenderIdentity=own")


# ---------------------------------------------------------------- what AWS is asked for


def look(account: Account, name: str) -> tuple[State, str]:
    return told(account.before(f"{SHARED}{name}")[f"{SHARED}{name}"])


def test_the_role_that_api_gateway_names_is_looked_up(account: Account) -> None:
    calls = asked(account, "iam", "GetRole")
    assert look(account, "API Gateway's role for logs") == (RIGHT, "reassort-ApiGatewayLogsRole-Po9Iu8Yt7Re6")
    assert calls == [{"RoleName": "reassort-ApiGatewayLogsRole-Po9Iu8Yt7Re6"}]


def test_where_api_gateway_names_no_role_none_is_looked_up(account: Account) -> None:
    account.answers.change("apigateway", "GetAccount", {"cloudwatchRoleArn": None})
    calls = asked(account, "iam", "GetRole")
    assert look(account, "API Gateway's role for logs") == (RIGHT, "none")
    assert calls == []


def test_log_groups_of_the_region_and_the_account_are_looked_for(account: Account) -> None:
    calls = asked(account, "logs", "DescribeLogGroups")
    assert look(account, "SNS's log groups of SMS") == (RIGHT, "2 of 2, this stack's")
    assert [one["logGroupNamePrefix"] for one in calls] == ["sns/eu-west-3/123456789012/DirectPublishToPhoneNumber"]


def test_where_there_is_no_log_group_no_filter_is_counted(account: Account) -> None:
    account.answers.change("logs", "DescribeLogGroups", {"logGroups": []})
    assert look(account, "subscription filters of these groups") == (State.UNSEEN, "there is no such group yet")


def test_without_a_sender_no_identity_is_looked_for(account: Account) -> None:
    account.given["SenderDomain"] = ""
    assert look(account, "sender's identity in SES") == (State.UNSEEN, "no SenderDomain")


def test_the_identity_of_the_sender_is_looked_for(account: Account) -> None:
    calls = asked(account, "sesv2", "GetEmailIdentity")
    assert look(account, "sender's identity in SES")[0] is RIGHT
    assert calls == [{"EmailIdentity": "vote.example.fr"}]


@pytest.mark.parametrize(
    ("service", "operation", "name"),
    [
        ("iam", "GetRole", "API Gateway's role for logs"),
        ("sesv2", "GetEmailIdentity", "sender's identity in SES"),
        ("cloudformation", "DescribeStackResource", "API Gateway's role for logs"),
        ("cloudformation", "DescribeStackResource", "SNS's log groups of SMS"),
        ("cloudformation", "DescribeStackResource", "sender's identity in SES"),
    ],
)
def test_what_may_not_be_looked_up_is_not_taken_for_what_is_not_there(
    account: Account, service: str, operation: str, name: str
) -> None:
    account.answers.refuse(service, operation, "AccessDenied")
    assert look(account, name) == (State.UNSEEN, f"not permitted: {operation}")


def test_what_this_stack_has_made_is_its_own(account: Account) -> None:
    calls = asked(account, "cloudformation", "DescribeStackResource")
    account.before()
    assert {(one["StackName"], one["LogicalResourceId"]) for one in calls} == {
        ("reassort", name) for name in ("ApiGatewayLogsRole", "SmsDeliveredLogs", "SenderDomainIdentity")
    }
