"""What each function's role may do in its full form, which the local stack does not evaluate: every
right that `reassort check` has IAM simulate on AWS, decided here by the emulator's evaluator from
the template's own statements. Then every statement is widened in turn, and a right must say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from reassort_ops.account.role_rights import ANY, PHONE, ROLES, SENDER, Context, Right, rights

from harness.engines.template import read_template

pytestmark = pytest.mark.req("S36", "S18")
ACCOUNT = "eu-west-3:123456789012"
RESOURCES: Mapping[str, Mapping[str, Any]] = read_template()["Resources"]
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "eu-west-3", "AWS::AccountId": "123456789012"}
OF_NUMBERS = "+33612345678"

type Statement = dict[str, Any]


def arn(resource: str) -> str:
    """Return an ARN for a logical id of the template, or for what the table of rights calls so."""
    if resource in {ANY, PHONE, SENDER}:
        return {ANY: "*", PHONE: OF_NUMBERS, SENDER: f"arn:aws:ses:{ACCOUNT}:identity/SenderDomain"}[resource]
    if resource.startswith("arn:"):
        return resource
    resource, _, below = resource.partition("/")
    logical_id, _, attribute = resource.partition(".")
    service = RESOURCES[logical_id]["Type"].split("::")[1].lower().replace("serverless", "lambda")
    stream = "/stream/1" if attribute == "StreamArn" else ""
    return f"arn:aws:{service}:{ACCOUNT}:{logical_id}{stream}" + (f"/{below}" if below else "")


def resolved(node: Any) -> Any:
    """Return a part of the template as a deploy with every condition has it."""
    match node:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": str(name)}:
            return PSEUDO.get(name) or (arn(name) if name in RESOURCES else name)
        case {"Fn::GetAtt": attribute}:
            return arn(attribute if isinstance(attribute, str) else ".".join(attribute))
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)(?:\.Arn)?\}", lambda found: str(resolved({"Ref": found[1]})), text)
        case {"Fn::If": [_, whole, _]}:
            return resolved(whole)
        case dict():
            return {key: value for key, part in node.items() if (value := resolved(part)) is not None}
        case list():
            return [value for part in node if (value := resolved(part)) is not None]
        case _:
            return node


def statements(role: str) -> list[Statement]:
    """Return the statements of a role, in full form."""
    policies = RESOURCES[role]["Properties"]["Policies"]
    return [one for policy in policies for one in resolved(policy["PolicyDocument"]["Statement"])]


def is_allowed(found: list[Statement], action: str, resource: str, context: Context) -> bool:
    request = EvalContext(
        principal_arn="arn:aws:sts::123456789012:assumed-role/r/s",
        principal_type="AssumedRole",
        principal_account="123456789012",
        action=action,
        resource_arn=arn(resource),
        region="eu-west-3",
        service_context={
            key.lower(): values[0] if len(values) == 1 else list(values) for key, values in context.items()
        },
    )
    decision: str = evaluate(request, [parse_policy_document({"Statement": found})]).decision
    return decision == "Allow"


_CANARY: Context = {"dynamodb:LeadingKeys": ("canary-ac-dijon_fr-email-0",)}
# The key of an import, sealed as if it were what each role may seal: only operators may.
_ISSUES: tuple[Context, ...] = tuple(
    {
        "kms:EncryptionContext:kind": ("issue",),
        "kms:EncryptionContext:delivery": (delivery,),
        "kms:EncryptionContext:voter": ("canary",),
    }
    for delivery in ("code-Hd7kWm3pZt9vRc2xNb6yQs", "7K3M9-QWX2T", "canary-ac-dijon_fr-email-0")
)
_TABLES = tuple(name for name, one in RESOURCES.items() if one["Type"] == "AWS::DynamoDB::Table")
_LOGS = {role: f"{role.removesuffix('Role')}Logs" for role in ROLES}
_QUEUES = ("RetryQueue", "DeadLetterQueue", "PlatformDeadLetters")
_OUTBOX = ("CodeDeliveriesTable", "DeliveriesTable")
# Beside what `reassort check` asks of IAM: action → resource → who may.
_ALSO: Mapping[str, Mapping[str, frozenset[str]]] = {
    "logs:PutLogEvents": {logs: frozenset({role}) for role, logs in _LOGS.items()},
    "logs:CreateLogStream": {logs: frozenset({role}) for role, logs in _LOGS.items()},
    "logs:DeleteLogGroup": dict.fromkeys(_LOGS.values(), frozenset()),
    "dynamodb:DeleteTable": dict.fromkeys(_TABLES, frozenset()),
    "dynamodb:ConditionCheckItem": {
        **dict.fromkeys(_TABLES, frozenset()),
        "VotersTable": frozenset({"LoginRole"}),
        "ControlTable": frozenset({"ReissueRole", "HelpdeskRole"}),
    },
    "dynamodb:GetRecords": {
        **{f"{table}.StreamArn": frozenset({"NotifyRole"}) for table in _OUTBOX},
        "RegisterTable.StreamArn": frozenset({"AnnounceRole"}),
    },
    "sqs:PurgeQueue": dict.fromkeys(_QUEUES, frozenset()),
    "sqs:ReceiveMessage": {
        "RetryQueue": frozenset({"NotifyRole"}),
        "DeadLetterQueue": frozenset(),
        "PlatformDeadLetters": frozenset(),
    },
    "sqs:SendMessage": {
        "RetryQueue": frozenset({"NotifyRole"}),
        "DeadLetterQueue": frozenset({"NotifyRole"}),
        "PlatformDeadLetters": frozenset({"AnnounceRole"}),
    },
    "sns:Subscribe": dict.fromkeys(("PlatformTopic", "HelpdeskTopic", "AlarmTopic"), frozenset()),
    "sns:SetSMSAttributes": {ANY: frozenset()},
    "ses:DeleteEmailIdentity": {SENDER: frozenset()},
    # Only in the name of SNS, or of the tables' and topics' encryption.
    "sms-voice:SendTextMessage": {ANY: frozenset()},
    "sms-voice:DeletePhoneNumber": {ANY: frozenset()},
    "kms:GenerateDataKey": {"EncryptionKey": frozenset()},
    "kms:GetKeyPolicy": {"EncryptionKey": frozenset()},
}


def all_rights(role: str) -> Iterator[Right]:
    """Return what `reassort check` asks of AWS, and what no simulation of IAM's knows."""
    for right in rights(role):
        by_item = (role, right.action, right.resource) == ("NotifyRole", "dynamodb:PutItem", "DeliveriesTable")
        yield Right(right.action, right.resource, right.allowed, _CANARY) if by_item else right
    for action, resources in _ALSO.items():
        for resource, roles in resources.items():
            yield Right(action, resource, role in roles)
    for context in _ISSUES:
        yield Right("kms:Encrypt", "EncryptionKey", False, context)
    put = ("dynamodb:PutItem", "DeliveriesTable", False)
    if role == "NotifyRole":
        yield Right(*put, {"dynamodb:LeadingKeys": ("7K3M9-QWX2T",)})
        yield Right(*put, {**_CANARY, "dynamodb:EnclosingOperation": ("TransactWriteItems",)})
        yield Right(*put)


# Calls that have no resource, or none of this account's. An SMS is sent to no resource of IAM's.
_ON_NO_RESOURCE = {"dynamodb:ListStreams", "sms-voice:SendTextMessage", "sns:Publish"}


def wildcards(found: list[Statement]) -> list[str]:
    """Return what is allowed of any action or on any resource."""
    allowed = [one for one in found if one["Effect"] == "Allow"]
    actions = [action for one in allowed for action in _listed(one["Action"])]
    unbound = [one for one in allowed if "*" in _listed(one.get("Resource", "*"))]
    on_any = [action for one in unbound for action in _listed(one["Action"]) if action not in _ON_NO_RESOURCE]
    return [*(action for action in actions if "*" in action), *(f"{action} on anything" for action in on_any)]


def wrong(role: str, found: list[Statement]) -> list[str]:
    """Return the rights that a role's statements decide otherwise than they should."""
    return wildcards(found) + [
        f"{right.action} on {right.resource} {dict(right.context)}"
        for right in all_rights(role)
        if is_allowed(found, right.action, right.resource, right.context) is not right.allowed
    ]


@pytest.mark.parametrize("role", ROLES)
def test_role_has_its_rights_and_no_other(role: str) -> None:
    assert wrong(role, statements(role)) == []


@dataclass(frozen=True)
class Slip:
    """One statement of a role, changed. `role` may be whatever has statements."""

    role: str
    number: int
    what: str

    def made(self, of: Callable[[str], list[Statement]] = statements) -> list[Statement]:
        """Return the role's statements with the slip in them."""
        found = deepcopy(of(self.role))
        one = found[self.number]
        match self.what:
            case "no condition":
                del one["Condition"]
            case "every resource":
                one.pop("NotResource", None)
                one["Resource"] = "*"
            case "every action":
                one["Action"] = sorted({f"{action.partition(':')[0]}:*" for action in _listed(one["Action"])})
            case "no refusal":
                del found[self.number]
            case key:
                operator, _, name = key.removeprefix("no ").partition(" ")
                del one["Condition"][operator][name]
                one["Condition"] = {other: names for other, names in one["Condition"].items() if names}
        return found


def _listed(part: str | list[str]) -> list[str]:
    return [part] if isinstance(part, str) else part


def slips(roles: Iterable[str] = ROLES, of: Callable[[str], list[Statement]] = statements) -> Iterator[Slip]:
    """Yield every way to widen one statement of a role."""
    for role in roles:
        for number, one in enumerate(of(role)):
            if one["Effect"] == "Deny":
                yield Slip(role, number, "no refusal")
                continue
            if "Condition" in one:
                yield Slip(role, number, "no condition")
                keys = [f"no {operator} {key}" for operator, names in one["Condition"].items() for key in names]
                yield from (Slip(role, number, key) for key in keys if len(keys) > 1)
            if one.get("Resource") != "*":
                yield Slip(role, number, "every resource")
            yield Slip(role, number, "every action")


@pytest.mark.parametrize("slip", list(slips()), ids=lambda slip: f"{slip.role}-{slip.number}-{slip.what}")
def test_a_statement_that_is_widened_gives_a_right_too_many(slip: Slip) -> None:
    assert wrong(slip.role, slip.made())
