"""A stack as CloudFormation describes it: which one it is, what counts as its own, what its
resources are called, and whether it is whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from reassort_ops.account.after import stack as whole
from reassort_ops.account.after.deployed import DeployedResource, DeployedStack, read_stack
from reassort_ops.account.checks import State
from reassort_ops.account.probes import NotSeenError, run
from reassort_ops.failures import OperatorError

from tests.unit.ops.check.account import Account
from tests.unit.ops.check.answers import AnsweringAws


def read(account: Account) -> DeployedStack:
    return read_stack(AnsweringAws(account.answers), "reassort")


def stack_of(**resources: DeployedResource) -> DeployedStack:
    """Return a stack of another partition than the usual one."""
    return DeployedStack("reassort", "cn-north-1", "aws-cn", "123456789012", "", False, {}, {}, resources)


def test_a_stack_that_is_not_there_is_told_as_such(account: Account) -> None:
    account.answers.refuse("cloudformation", "DescribeStacks", "ValidationError", "Stack reassort does not exist")
    with pytest.raises(OperatorError, match=r"^no stack reassort in eu-west-3$"):
        read(account)


def test_another_refusal_is_not_taken_for_a_stack_that_is_not_there(account: Account) -> None:
    account.answers.refuse("cloudformation", "DescribeStacks", "Throttling", "Rate exceeded")
    with pytest.raises(ClientError):
        read(account)


def test_no_stack_among_those_described_is_none(account: Account) -> None:
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": []})
    with pytest.raises(OperatorError, match=r"^no stack reassort in eu-west-3$"):
        read(account)


def test_a_stack_of_something_else_is_refused(account: Account) -> None:
    account.answers.change(
        "cloudformation", "DescribeStacks", {"Stacks": [{**account.answers.of_stack(), "Outputs": []}]}
    )
    with pytest.raises(OperatorError, match="no output ElectionId: is it a stack of this service"):
        read(account)


def test_a_stack_that_says_nothing_of_its_protection_has_none(account: Account) -> None:
    found = {name: value for name, value in account.answers.of_stack().items() if name != "EnableTerminationProtection"}
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [found]})
    assert read(account).termination_protection is False


def test_what_was_deleted_or_never_made_is_no_resource_and_hides_no_other(account: Account) -> None:
    root: dict[str, Any] = {"StackName": "reassort"}
    listed = account.answers.stored("cloudformation", "ListStackResources", **root)["StackResourceSummaries"]
    gone = {**listed[0], "LogicalResourceId": "Gone", "ResourceStatus": "DELETE_COMPLETE"}
    unmade = {name: value for name, value in listed[0].items() if name != "PhysicalResourceId"}
    unmade |= {"LogicalResourceId": "Unmade", "ResourceStatus": "CREATE_FAILED"}
    before = read(account).resources.keys()
    summaries = {"StackResourceSummaries": [gone, unmade, *listed]}
    account.answers.change("cloudformation", "ListStackResources", summaries, **root)
    assert read(account).resources.keys() == before


@pytest.mark.parametrize(
    ("type_", "physical_id", "arn"),
    [
        ("AWS::DynamoDB::Table", "voters", "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/voters"),
        ("AWS::KMS::Key", "1a2b", "arn:aws-cn:kms:cn-north-1:123456789012:key/1a2b"),
        ("AWS::SQS::Queue", "https://sqs/123456789012/retry", "arn:aws-cn:sqs:cn-north-1:123456789012:retry"),
        ("AWS::Lambda::Function", "login", "arn:aws-cn:lambda:cn-north-1:123456789012:function:login"),
        ("AWS::IAM::Role", "login", "arn:aws-cn:iam::123456789012:role/login"),
        ("AWS::SES::EmailIdentity", "vote.fr", "arn:aws-cn:ses:cn-north-1:123456789012:identity/vote.fr"),
        ("AWS::SES::ConfigurationSet", "main", "arn:aws-cn:ses:cn-north-1:123456789012:configuration-set/main"),
        ("AWS::SNS::Topic", "arn:aws-cn:sns:x:1:t", "arn:aws-cn:sns:x:1:t"),
    ],
)
def test_a_resource_has_the_arn_of_its_type(type_: str, physical_id: str, arn: str) -> None:
    assert stack_of(One=DeployedResource("One", type_, physical_id)).arn("One") == arn


def test_what_a_stack_does_not_have_is_not_seen() -> None:
    stack = stack_of(Other=DeployedResource("Other", "AWS::Other::Thing", "x"))
    with pytest.raises(NotSeenError, match="the ARN of Other is not known"):
        stack.arn("Other")
    with pytest.raises(NotSeenError, match="the stack has no One"):
        stack.physical_id("One")
    with pytest.raises(NotSeenError, match="no DomainName"):
        stack.raise_without_site()


# ---------------------------------------------------------------- whole, and not deleted by mistake


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CREATE_COMPLETE", State.PASSED),
        ("UPDATE_COMPLETE", State.PASSED),
        ("IMPORT_COMPLETE", State.PASSED),
        ("UPDATE_ROLLBACK_COMPLETE", State.FAILED),
        ("UPDATE_IN_PROGRESS", State.FAILED),
        ("DELETE_COMPLETE", State.FAILED),
    ],
)
def test_a_stack_is_whole_once_its_deploy_has_ended_well(status: str, state: State) -> None:
    check, protection = run(whole.probe(replace(stack_of(), status=status)))
    assert (check.state, check.found) == (state, status)
    assert protection.subject is whole.TERMINATION


@pytest.mark.parametrize(
    ("protected", "of_tables", "found"),
    [
        (True, "true", (State.PASSED, "on")),
        (True, "false", (State.PASSED, "on")),
        (False, "true", (State.FAILED, "off")),
        (False, None, (State.FAILED, "off")),
        (
            False,
            "false",
            (State.UNSEEN, "off, as DeletionProtection=false: switch both on before a real election"),
        ),
    ],
)
def test_only_a_stack_whose_tables_may_be_deleted_may_be(
    *, protected: bool, of_tables: str | None, found: tuple[State, str]
) -> None:
    parameters = {} if of_tables is None else {"DeletionProtection": of_tables}
    check = whole.termination(replace(stack_of(), termination_protection=protected, parameters=parameters))
    assert (check.state, check.found, check.expected) == (*found, "on")
