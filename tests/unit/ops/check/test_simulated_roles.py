"""How the check asks IAM's simulation for the rights of a role, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from reassort_ops.account.after.deployed import DeployedStack, read_stack
from reassort_ops.account.after.roles import decisions, judge, probes
from reassort_ops.account.checks import Check, State
from reassort_ops.account.probes import run
from reassort_ops.account.role_rights import Right

from tests.unit.ops.check.account import Account
from tests.unit.ops.check.answers import AnsweringAws

DELIVERY = "kms:EncryptionContext:delivery"


def of_role(account: Account, role: str) -> Check:
    """Return the check of a role."""
    return account.after(f"Roles: {role}")[f"Roles: {role}"]


def read(account: Account) -> DeployedStack:
    """Return the stack that a test's account has."""
    return read_stack(AnsweringAws(account.answers), "reassort")


def answer_of(account: Account, role: str, answer: Any) -> Check:
    """Return the check of a role when IAM answers its simulations so."""
    account.answers.compute("iam", "SimulatePrincipalPolicy", answer)
    (probe,) = (one for one in probes(account.reach(), read(account)) if one.subjects[0].title == role)
    (check,) = run(probe)
    return check


def test_what_a_role_may_and_may_not_do_is_counted_apart() -> None:
    pairs = [(Right("a:B", "One", allowed), allowed) for allowed in (True, True, True, False)]
    check = judge("LoginRole", pairs)
    assert (check.state, check.expected, check.found) == (
        State.PASSED,
        "3 calls allowed, 1 refused",
        "all as expected",
    )


def test_a_wrong_right_is_told_with_what_came_with_the_call() -> None:
    right = Right("kms:Encrypt", "EncryptionKey", False, {DELIVERY: ("7K3M9", "another"), "kms:ViaService": ("none",)})
    told = "kms:Encrypt on EncryptionKey is allowed (delivery=7K3M9/another, ViaService=none)"
    assert judge("LoginRole", [(right, True)]).found == told


def test_four_wrong_rights_are_named() -> None:
    wrong = [(Right("a:B", name, True), False) for name in "JKLMNO"]
    named = ", ".join(f"a:B on {name} is refused" for name in "JKLM")
    assert judge("LoginRole", wrong).found == f"{named} and 2 more"


def test_what_iam_says_of_an_action_alone_is_a_decision() -> None:
    assert decisions([{"EvalActionName": "iam:ListRoles", "EvalResourceName": "*", "EvalDecision": "allowed"}]) == {
        ("iam:ListRoles", "*"): True
    }


def test_conditions_are_judged_unless_the_stack_leaves_them_out(account: Account) -> None:
    # The fault is in a right that a condition alone refuses; the plain one is on as much.
    account.wrongly = lambda *asked: asked == ("NotifyRole", "kms:Decrypt", "EncryptionKey")
    assert "kind=elsewhere" in of_role(account, "NotifyRole").found
    given = account.answers.of_stack()
    given["Parameters"] = [one for one in given["Parameters"] if one["ParameterKey"] != "IamDetail"]
    given["Parameters"].append({"ParameterKey": "IamDetail", "ParameterValue": "plain"})
    account.answers.change("cloudformation", "DescribeStacks", {"Stacks": [given]})
    assert "kind=elsewhere" not in of_role(account, "NotifyRole").found


def test_a_right_that_depends_on_the_item_is_left_out(account: Account) -> None:
    account.wrongly = lambda *asked: asked == ("NotifyRole", "dynamodb:PutItem", "DeliveriesTable")
    assert of_role(account, "NotifyRole").state is State.PASSED
    account.wrongly = lambda *asked: asked == ("HelpdeskRole", "dynamodb:PutItem", "DeliveriesTable")
    assert of_role(account, "HelpdeskRole").state is State.FAILED


@pytest.mark.parametrize("logical_id", ["SenderDomainIdentity", "ConfigurationSet"])
def test_sending_takes_the_identity_and_the_configuration_set(account: Account, logical_id: str) -> None:
    account.refused_arns = (read(account).arn(logical_id),)
    assert of_role(account, "NotifyRole").found == "ses:SendEmail on sender is refused"


def test_the_simulation_is_of_a_call_in_the_region_of_the_stack(account: Account) -> None:
    asked: list[Mapping[str, Any]] = []

    def answer(parameters: dict[str, Any]) -> dict[str, Any]:
        asked.append(parameters)
        return {"EvaluationResults": [], "IsTruncated": False}

    answer_of(account, "LoginRole", answer)
    (entry,) = (one for one in asked[0]["ContextEntries"] if one["ContextKeyName"] == "aws:RequestedRegion")
    assert (entry["ContextKeyType"], entry["ContextKeyValues"]) == ("string", ["eu-west-3"])


def test_resources_that_iam_says_nothing_of_are_named(account: Account) -> None:
    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        """Answer when few resources are asked for."""
        told = [{"EvalResourceName": arn, "EvalResourceDecision": "allowed"} for arn in asked["ResourceArns"]]
        results = [
            {"EvalActionName": action, "EvalDecision": "allowed", "ResourceSpecificResults": told}
            for action in asked["ActionNames"]
        ]
        return {"EvaluationResults": results if len(told) < 5 else [], "IsTruncated": False}

    check = answer_of(account, "AnnounceRole", answer)
    assert check.state is State.UNSEEN
    assert check.found.startswith("the simulation says nothing of arn:aws:dynamodb:eu-west-3:")
    assert (check.found.count("arn:aws:"), check.found.partition(" and ")[2]) == (2, "5 more")
