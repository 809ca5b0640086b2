"""What each function's role may do on AWS, as IAM's simulation decides it.

The simulation reads the role's own policies and the account's limits on it. It is not given the
policies of keys, queues and topics: those of the keys leave it to IAM, and the others only narrow
what they let in. It knows neither telephone numbers nor the keys of DynamoDB's items ("fine-grained
access control"), so the rights that depend on them are left out here. It wants a value for each
condition key of any policy of the role, whichever action is asked for.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.account.role_rights import ANY, BY_CONDITION, PHONE, ROLES, SENDER, Context, Right, rights
from reassort_ops.language import tr

SUBJECTS = {role: Subject(tr("Roles"), role, "roles") for role in ROLES}
_ALLOWED = "allowed"
# The one condition key that the simulation does not evaluate, and the rights that have it as a
# condition.
_IGNORED = frozenset({"dynamodb:LeadingKeys"})
_BY_ITEM = frozenset({("NotifyRole", "dynamodb:PutItem", "DeliveriesTable")})
_NONE = ("none",)
# Values of the condition keys of all roles, with which no statement holds that has such a
# condition.
_NEUTRAL: Context = {
    "kms:ViaService": _NONE,
    "kms:EncryptionContext:kind": _NONE,
    "kms:EncryptionContext:voter": _NONE,
    "kms:EncryptionContext:delivery": _NONE,
    "dynamodb:EnclosingOperation": _NONE,
    "aws:CalledViaLast": _NONE,
}

type Decisions = Mapping[tuple[str, str], bool]


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return a probe for each role."""
    return tuple(_probe(reach, stack, role) for role in ROLES)


def judge(role: str, decided: Iterable[tuple[Right, bool]]) -> Check:
    """Judge a role by what the simulation decided of each of its rights."""
    pairs = list(decided)
    wrong = [
        tr(
            "{action} on {resource} is {decided}{context}",
            action=right.action,
            resource=right.resource,
            decided=tr("allowed") if allowed else tr("refused"),
            context=_told(right.context),
        )
        for right, allowed in pairs
        if allowed is not right.allowed
    ]
    granted = sum(right.allowed for right, _ in pairs)
    expected = tr("{granted} calls allowed, {refused} refused", granted=granted, refused=len(pairs) - granted)
    return SUBJECTS[role].judged(not wrong, expected, listed(wrong, 4) if wrong else tr("all as expected"))


def decisions(results: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """Return action and resource → allowed. With several resources IAM answers once for each
    action, and lists the resources in it.

    Raises:
        NotSeenError: a policy has a condition on a key that no context was given for; what IAM
            decided says nothing then.
    """
    found = {}
    for result in results:
        action = result["EvalActionName"]
        for one in result.get("ResourceSpecificResults") or [result]:
            if wanting := set(one.get("MissingContextValues", [])) - _IGNORED:
                raise NotSeenError(
                    tr("the simulation of {action} wants {wanting}", action=action, wanting=", ".join(sorted(wanting)))
                )
            decision = one.get("EvalResourceDecision") or one["EvalDecision"]
            found[action, one.get("EvalResourceName", ANY)] = decision == _ALLOWED
    return found


def _probe(reach: Reach, stack: DeployedStack, role: str) -> Probe:
    def look() -> Iterator[Check]:
        arn = reach.aws.client("iam").get_role(RoleName=stack.physical_id(role))["Role"]["Arn"]
        # Conditions are left out of the roles where nothing evaluates them.
        full = stack.parameters.get("IamDetail", "full") == "full"
        left_out = () if full else BY_CONDITION.get(role, ())
        wanted = [
            right
            for right in rights(role)
            if right.resource != PHONE
            and right not in left_out
            and (role, right.action, right.resource) not in _BY_ITEM
            # A stack without a voting platform's role has nothing to assume.
            and (right.resource in {ANY, SENDER} or right.resource in stack.resources)
        ]
        decided: list[tuple[Right, bool]] = []
        for context, group in groupby(sorted(wanted, key=_order), key=_order):
            of_context = list(group)
            decided += _simulate(reach, stack, arn, dict(context), of_context)
        yield judge(role, decided)

    return Probe((SUBJECTS[role],), look)


def _simulate(
    reach: Reach, stack: DeployedStack, role: str, context: Context, wanted: Sequence[Right]
) -> Iterator[tuple[Right, bool]]:
    """Give each right with what IAM decides. A call takes any actions on any resources, so those of
    one service go together.
    """
    for actions, resources in _calls(wanted):
        arns = {resource: _arns(stack, resource) for resource in resources}
        needed = {arn for found in arns.values() for arn in found}
        decided: dict[tuple[str, str], bool] = {}
        while missing := sorted(arn for arn in needed if (actions[0], arn) not in decided):
            fresh = _ask(reach, role, actions, missing, {"aws:RequestedRegion": (stack.region,), **context})
            if not fresh.keys() - decided.keys():
                raise NotSeenError(tr("the simulation says nothing of {missing}", missing=listed(missing, 2)))
            decided |= fresh
        for right in wanted:
            if right.action in actions and right.resource in resources:
                yield right, all(decided[right.action, arn] for arn in arns[right.resource])


def _ask(reach: Reach, role: str, actions: Sequence[str], arns: Sequence[str], context: Context) -> Decisions:
    pages = (
        reach.aws.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(
            PolicySourceArn=role,
            ActionNames=list(actions),
            ResourceArns=list(arns),
            ContextEntries=[
                {
                    "ContextKeyName": name,
                    "ContextKeyValues": list(values),
                    "ContextKeyType": "string",
                }
                for name, values in {**_NEUTRAL, **context}.items()
            ],
        )
    )
    return decisions([result for page in pages for result in page["EvaluationResults"]])


def _calls(wanted: Sequence[Right]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Give actions and resources that are simulated in one call: those resources that are asked
    about for the same actions.
    """
    by_resource: dict[str, list[str]] = {}
    for right in wanted:
        by_resource.setdefault(right.resource, []).append(right.action)
    by_actions: dict[tuple[str, ...], list[str]] = {}
    for resource, actions in by_resource.items():
        by_actions.setdefault(tuple(sorted(set(actions))), []).append(resource)
    for names, resources in by_actions.items():
        yield names, tuple(resources)


def _arns(stack: DeployedStack, resource: str) -> list[str]:
    """Return what a resource of the table of rights is on AWS."""
    if resource == ANY:
        return [ANY]
    if resource == SENDER:
        identity = f"identity/{stack.parameters['SenderDomain']}"
        return [
            f"arn:{stack.partition}:ses:{stack.region}:{stack.account}:{identity}",
            stack.arn("ConfigurationSet"),
        ]
    return [stack.arn(resource)]


def _order(right: Right) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted(right.context.items()))


def _told(context: Context) -> str:
    told = ", ".join(f"{name.rpartition(':')[2]}={'/'.join(values)}" for name, values in context.items())
    return f" ({told})" if told else ""
