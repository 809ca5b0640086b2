"""A11: conditions that let through more than they seem to, and principals that reach further than
meant.
"""

import re
from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.policies import PolicyStatement, identity_statements, resource_statements, roles, trust
from deployed.service_reference import actions
from deployed.stack import FilledTemplate

_LEADING_KEYS = "dynamodb:leadingkeys"
# Requests over several tables, and the actions that allow each: a transaction has none of its own.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_TOGETHER = {
    "BatchGetItem": ("dynamodb:BatchGetItem",),
    "BatchWriteItem": ("dynamodb:BatchWriteItem",),
    "TransactGetItems": ("dynamodb:GetItem",),
    "TransactWriteItems": (
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ),
}
_ENCLOSING = "dynamodb:enclosingoperation"
# A bare number is short for the root's ARN.
_WHOLE_ACCOUNT = re.compile(r"^(?:arn:.*:iam::(.+):root|\d{12}|\*)$")
_CALLER_KEYS = frozenset({"aws:sourceaccount", "aws:sourcearn"})


class LeadingKeysStandAlone(CloudFormationLintRule):
    """No page says whose keys the condition sees when one request reads or writes several
    tables.
    """

    id = "E9111"
    shortdesc = "dynamodb:LeadingKeys is not relied on where a request spans tables"
    description = (
        "A batch or a transaction over several tables has keys of each; no page says that the condition sees those of "
        "one table only. A role that may send such a request has no statement with dynamodb:LeadingKeys, or none for "
        "transactions (dynamodb:EnclosingOperation)"
    )
    source_url = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the conditions on leading keys in roles whose requests may span tables."""
        return in_each_stack(cfn, _spanning)


class MissingKeysAreRefused(CloudFormationLintRule):
    """A request without the key passes ForAllValues."""

    id = "E9211"
    shortdesc = "ForAllValues has a Null condition beside it"
    description = (
        "ForAllValues is true when the request lacks the key, so an Allow with it has Null with false for the same key"
    )
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the keys that a request may leave out."""
        return in_each_stack(cfn, _missing_keys)


class ServicesActForThisAccount(CloudFormationLintRule):
    """A service that acts for another account's resource is let in as well."""

    id = "E9311"
    shortdesc = "Policies of topics, queues, buckets and secrets say for whom a service acts"
    description = (
        "A statement for a service in the policy of a topic, queue, bucket or secret, and the permission of a service "
        "to call a function, name the account or the resource for which the service acts"
    )
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the statements that let a service in for anybody."""
        return in_each_stack(cfn, _for_anybody)


class AccountsAreNarrowed(CloudFormationLintRule):
    """The root of an account stands for anyone to whom that account gives sts:AssumeRole."""

    id = "E9411"
    shortdesc = "No role trusts the whole of another account without a condition"
    description = (
        "The ARN of an account's root in a trust policy lets in every principal of the account that may assume roles; "
        "a condition names the principals or an external id"
    )
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the roles that a whole account may assume."""
        return in_each_stack(cfn, _whole_accounts)


class SmsNeedTwoActions(CloudFormationLintRule):
    """SNS hands an SMS to AWS End User Messaging in the caller's name."""

    id = "E9511"
    shortdesc = "Who may send an SMS by SNS may send it by sms-voice, too"
    description = "AWS's own policy for SMS by SNS allows sms-voice:SendTextMessage beside sns:Publish"
    source_url = "https://docs.aws.amazon.com/sns/latest/dg/sns-sms-access-management.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the statements for SMS in roles that lack the second action."""
        return in_each_stack(cfn, _sms_without_voice)


def _spanning(stack: FilledTemplate) -> Iterator[Fault]:
    for statements in roles(stack).values():
        for statement in statements:
            if any(key.lower() == _LEADING_KEYS for key in statement.condition_keys()):
                others = sorted(set(_together_with(statement, statements)))
                if others:
                    message = (
                        f"dynamodb:LeadingKeys cannot be relied on: a request of the role may span {', '.join(others)}"
                    )
                    yield Fault((*statement.path, "Condition"), message)


def _together_with(statement: PolicyStatement, statements: list[PolicyStatement]) -> Iterator[str]:
    """Yield the other tables that a request under a statement may read or write as well."""
    for operation, wanted in _TOGETHER.items():
        named = _named(statement, *wanted)
        if named and not (operation.startswith("Transact") and _never_in(operation, named, statement, statements)):
            for other in statements:
                if other.allows and _named(other, *wanted):
                    yield from set(other.resources) - set(statement.resources)


def _never_in(transaction: str, named: set[str], statement: PolicyStatement, statements: list[PolicyStatement]) -> bool:
    """Tell whether a statement is for lone requests, by its own condition, or a Deny keeps its
    actions out of a transaction.
    """
    if any(
        key.lower() == _ENCLOSING and values == ["true"] for key, values in statement.conditions.get("Null", {}).items()
    ):
        return True
    return any(
        not other.allows
        and not other.spares
        and named <= _named(other, *named)
        and _when_enclosed(other, transaction)
        and ("*" in other.resources or set(statement.resources) <= set(other.resources))
        for other in statements
    )


def _when_enclosed(statement: PolicyStatement, transaction: str) -> bool:
    """Tell whether a statement holds of all requests within a transaction."""
    return all(
        operator.endswith("StringEquals") and key.lower() == _ENCLOSING and transaction in values
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    )


def _named(statement: PolicyStatement, *names: str) -> set[str]:
    """Return those of some actions that a statement names."""
    actual = {action for pattern in statement.actions for action in actions(pattern)}
    return {name for name in names if not actual.isdisjoint(actions(name))}


def _missing_keys(stack: FilledTemplate) -> Iterator[Fault]:
    resource_policies = (statement for _, statement in resource_statements(stack))
    for statement in [*identity_statements(stack), *resource_policies]:
        present = {key.lower() for key, values in statement.conditions.get("Null", {}).items() if values == ["false"]}
        for operator, keys in statement.conditions.items():
            if statement.allows and operator.lower().startswith("forallvalues:"):
                for key in keys:
                    if key.lower() not in present:
                        message = f"{operator} is true without {key}: add Null with {key} false"
                        yield Fault((*statement.path, "Condition"), message)


def _for_anybody(stack: FilledTemplate) -> Iterator[Fault]:
    for resource, statement in resource_statements(stack):
        services = statement.principals.get("Service", [])
        keys = {key.lower() for key in statement.condition_keys()}
        # Each service documents its own form for keys: E9012.
        if statement.allows and services and resource.type != "AWS::KMS::Key" and not keys & _CALLER_KEYS:
            yield Fault(
                statement.path, f"{', '.join(services)} may act for any account: add aws:SourceAccount or aws:SourceArn"
            )
    for permission in stack.of_type("AWS::Lambda::Permission"):
        principal = str(permission.properties.get("Principal"))
        if principal.endswith(".amazonaws.com") and not {"SourceArn", "SourceAccount"} & set(permission.properties):
            yield Fault(permission.path, f"{principal} may call for any account: add SourceArn")


def _whole_accounts(stack: FilledTemplate) -> Iterator[Fault]:
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in trust(role):
            for principal in [*statement.principals.get("AWS", []), *statement.principals.get("*", [])]:
                whole = _WHOLE_ACCOUNT.match(principal)
                foreign = whole is not None and whole[1] != "${AWS::AccountId}"
                if statement.allows and foreign and not statement.conditions:
                    yield Fault(statement.path, f"the whole of {principal} may assume {role.id}: add a condition")


def _sms_without_voice(stack: FilledTemplate) -> Iterator[Fault]:
    for statements in roles(stack).values():
        if any(_named(statement, "sms-voice:SendTextMessage") for statement in statements if statement.allows):
            continue
        for statement in statements:
            to_numbers = statement.spares or "*" in statement.resources
            if statement.allows and to_numbers and _named(statement, "sns:Publish"):
                yield Fault(
                    (*statement.path, "Action"),
                    "sns:Publish to telephone numbers needs sms-voice:SendTextMessage beside it",
                )
