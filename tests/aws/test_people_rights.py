"""What people with AWS credentials may do in the full form of what is attached to them, decided by
the emulator's evaluator; then every statement is widened in turn, and a right must say so.

The deployer's is of `account.yaml`: `tests/aws/test_deployment_rights.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

import pytest
from reassort_ops.account.role_rights import TABLE_ACTIONS, TABLES, Context, Right
from reassort_ops.account.stack import Stack
from reassort_ops.purge import rules_of

from harness.elections import read_election
from harness.stack.helpdesk_calls import ALL, CALLS
from harness.stack.people import ALONE, ATTACHED, HELD, PEOPLE, TOGETHER
from tests.aws.test_role_rights import ACCOUNT, RESOURCES, Slip, Statement, is_allowed, resolved, slips

if TYPE_CHECKING:
    from reassort_ops.purge import PurgeRule

pytestmark = pytest.mark.req("O11")
HERE = tuple(role for role in PEOPLE if role != "deployer")
_ALONE: Context = {"dynamodb:Select": ("ALL_ATTRIBUTES",), "dynamodb:ReturnValues": ("NONE",)}
_TOGETHER: Context = {"dynamodb:EnclosingOperation": ("TransactWriteItems",)}
_ACTIONS = (*TABLE_ACTIONS, "dynamodb:BatchWriteItem", "dynamodb:PartiQLSelect", "dynamodb:PartiQLDelete")
_PAYLOAD: Context = {"kms:EncryptionContext:kind": ("payload",), "kms:ViaService": ("none",)}
_ISSUE: Context = {"kms:EncryptionContext:kind": ("issue",), "kms:ViaService": ("none",)}
_BY_DYNAMODB: Context = {"kms:ViaService": ("dynamodb.eu-west-3.amazonaws.com",)}
# What a purger may name of a table beyond what the command reads: names that its items do not have.
SHARED = {
    "IdentifiersTable": frozenset({"numen_hash"}),
    "NumensTable": frozenset({"identifier_hash"}),
    "ControlTable": frozenset({"expires_at"}),
}
_CALLED = resolved({"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/v1/"})


def of_person(role: str) -> list[Statement]:
    """Return the statements of everything that is attached to somebody, in full form."""
    documents = [RESOURCES[policy]["Properties"]["PolicyDocument"] for policy in ATTACHED[role]]
    return [one for document in documents for one in resolved(document["Statement"])]


def purged() -> dict[str, PurgeRule]:
    """Return what the command scans, by table."""
    names = {f"{table}": table for table in TABLES}
    keys = {f"{key}Id": key for key in RESOURCES if key.endswith("Key")}
    more = {"RetryQueueUrl": "-", "DeadLetterQueueUrl": "-", "ElectionId": "-"}
    stack = Stack.from_outputs("reassort", names | keys | more)
    return {rule.name: rule for rule in rules_of(stack, read_election("dijon-2018"))}


def _on_tables(role: str) -> Iterator[Right]:
    for table, action in product(TABLES, _ACTIONS):
        alone = action.partition(":")[2] in ALONE[role][table]
        yield Right(action, table, alone, _ALONE)
        together = alone or action.partition(":")[2] in TOGETHER[role][table]
        yield Right(action, table, together, {**_TOGETHER, "dynamodb:Select": ("ALL_ATTRIBUTES",)})
    for (table, rule), other in product(purged().items(), purged().values()):
        elsewhere = {"dynamodb:Attributes": tuple(other.attributes), "dynamodb:Select": ("SPECIFIC_ATTRIBUTES",)}
        if not set(other.attributes) <= set(rule.attributes) | SHARED.get(table, frozenset()):
            yield Right("dynamodb:Scan", table, "Scan" in ALONE[role][table], elsewhere)
    for table, rule in purged().items():
        of_keys = {"ScanOfKeys", "Scan"} & ALONE[role][table]
        whole = "Scan" in ALONE[role][table]
        named = {"dynamodb:Attributes": tuple(rule.attributes), "dynamodb:Select": ("SPECIFIC_ATTRIBUTES",)}
        more = {**named, "dynamodb:Attributes": (*rule.attributes, "more")}
        yield Right("dynamodb:Scan", table, bool(of_keys), named)
        yield Right("dynamodb:Scan", table, whole, more)
        for action in ("Query", "PutItem"):
            yield Right(f"dynamodb:{action}", table, action in ALONE[role][table], named)
        yield Right("dynamodb:Scan", table, whole, {"dynamodb:Select": ("SPECIFIC_ATTRIBUTES",)})
        yield Right("dynamodb:Scan", table, whole, {**named, "dynamodb:Select": ("ALL_ATTRIBUTES",)})
        yield Right("dynamodb:DeleteItem", table, False, {"dynamodb:ReturnValues": ("ALL_OLD",)})


def all_rights(role: str) -> Iterator[Right]:
    """Return every right of somebody and everything that they must be refused."""
    yield from _on_tables(role)
    for (action, resource), who in HELD.items():
        yield Right(action, resource, role in who, _PAYLOAD if action.startswith("kms:") else {})
    for action in ("kms:Encrypt", "kms:Decrypt"):
        yield Right(action, "EncryptionKey", role == "operator", _ISSUE)
    yield Right("kms:Encrypt", f"arn:aws:kms:{ACCOUNT}:key/other", False, _ISSUE)
    yield Right("kms:DisableKey", "EncryptionKey", False, _ISSUE)
    yield Right("kms:Decrypt", "EncryptionKey", role in {"operator", "purger"}, _BY_DYNAMODB)
    yield Right("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{ACCOUNT}:stack/AWS::StackName/1", True)
    yield Right("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{ACCOUNT}:stack/other/1", False)
    yield Right("cloudformation:DeleteStack", f"arn:aws:cloudformation:{ACCOUNT}:stack/AWS::StackName/1", False)
    called = {call for policy in ATTACHED[role] for call in CALLS.get(policy, frozenset())}
    for method, path in ALL | {("POST", "/registry/votes")}:
        yield Right("execute-api:Invoke", f"{_CALLED}{method}{path}", (method, path) in called)
    # A service's other actions: who may do one must not do all.
    for action, resource in (
        ("lambda:DeleteLayerVersion", "SharedLayer"),
        ("kms:DisableKey", "VoterHashKey"),
        ("kms:DisableKey", "RegisterKey"),
        ("kms:DisableKey", "EncryptionKey"),
        ("kms:Sign", f"arn:aws:kms:{ACCOUNT}:key/other"),
        ("dynamodb:Scan", "DeliveriesTable/index/due"),
        ("dynamodb:DescribeTable", "VotersTable"),
        ("sqs:SendMessage", "PlatformDeadLetters"),
        ("sqs:DeleteQueue", "DeadLetterQueue"),
        ("sqs:DeleteQueue", "RetryQueue"),
        ("dynamodb:DeleteItem", f"arn:aws:dynamodb:{ACCOUNT}:table/other"),
        ("kms:Decrypt", f"arn:aws:kms:{ACCOUNT}:key/other"),
        ("cloudwatch:DeleteAlarms", "*"),
        ("cognito-idp:DeleteUserPool", "HelpdeskUsers"),
        ("cognito-idp:ListUsers", f"arn:aws:cognito-idp:{ACCOUNT}:userpool/other"),
        ("lambda:GetLayerVersion", f"arn:aws:lambda:{ACCOUNT}:layer:other:1"),
        ("execute-api:ManageConnections", f"{_CALLED}GET/helpdesk/me"),
        *((f"dynamodb:{action}", f"{table}/index/other") for table in TABLES for action in ("Query", "Scan")),
        *((f"dynamodb:{action}", table) for table in TABLES for action in ("UpdateTable", "DeleteTable")),
    ):
        yield Right(action, resource, False, _BY_DYNAMODB if action.startswith("kms:") else {})


def wrong(role: str, found: list[Statement]) -> list[str]:
    """Return the rights that somebody's statements decide otherwise than they should."""
    return [
        f"{right.action} on {right.resource} {dict(right.context)}"
        for right in all_rights(role)
        if is_allowed(found, right.action, right.resource, right.context) is not right.allowed
    ]


@pytest.mark.parametrize("role", HERE)
def test_a_person_has_their_rights_and_no_other(role: str) -> None:
    assert wrong(role, of_person(role)) == []


# GetMetricData and DescribeAlarmsForMetric take no resource.
@pytest.mark.parametrize(
    "slip", list(slips(HERE, of_person)), ids=lambda slip: f"{slip.role}-{slip.number}-{slip.what}"
)
def test_a_statement_of_a_person_that_is_widened_gives_a_right_too_many(slip: Slip) -> None:
    assert wrong(slip.role, slip.made(of_person))


@pytest.mark.req("O11", "S26")
def test_nobody_but_the_purger_removes_what_an_appeal_needs() -> None:
    kept = set(TABLES) - {"NumensTable"}
    for role in PEOPLE:
        removing = {table for table in kept if "DeleteItem" in ALONE[role][table] | TOGETHER[role][table]}
        assert removing == (kept if role == "purger" else set())


def test_what_a_purger_may_name_is_what_the_command_reads() -> None:
    allowed: dict[str, set[str]] = {}
    for one in of_person("purger"):
        if one["Action"] == "dynamodb:Scan":
            tables = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
            named = one["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
            allowed |= {table.rpartition(":")[2]: set(named) for table in tables}
    read = {table: set(rule.attributes) for table, rule in purged().items()}
    assert allowed.keys() == read.keys() == set(TABLES)
    for table, attributes in read.items():
        assert allowed[table] == attributes | SHARED.get(table, frozenset())
