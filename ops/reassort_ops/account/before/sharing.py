"""What an account and region have once, and several stacks would fight over: a role, two log
groups, the sender's identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe, code_of
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr

STACKS = Subject(tr("Shared in the account"), tr("other stacks of this service"), "sharing")
LOGS_ROLE = Subject(tr("Shared in the account"), tr("API Gateway's role for logs"), "sharing")
SMS_LOGS = Subject(tr("Shared in the account"), tr("SNS's log groups of SMS"), "sharing")
FILTERS = Subject(tr("Shared in the account"), tr("subscription filters of these groups"), "sharing")
IDENTITY = Subject(tr("Shared in the account"), tr("sender's identity in SES"), "sharing")
# By these outputs a stack is known for one of this service.
_OUTPUTS = frozenset({"ElectionId", "VotersTable", "VoterHashKeyId"})
# CloudWatch Logs quotas: subscription filters of one log group.
_MOST_FILTERS = 2
_OWN, _SHARED = "own", "shared"


def probes(reach: Reach, plan: Plan) -> tuple[Probe, ...]:
    """Return the probes of what is shared. A stack that is there already keeps what it owns."""
    settings = plan.settings
    resources = settings.value("AccountResources", _OWN)

    def all_stacks() -> list[Mapping[str, Any]]:
        pages = reach.aws.client("cloudformation").get_paginator("describe_stacks").paginate()
        return [stack for page in pages for stack in page["Stacks"]]

    def other_stacks() -> Iterator[Check]:
        yield stacks(all_stacks(), settings.stack_name, resources)

    def logs_role() -> Iterator[Check]:
        arn = reach.aws.client("apigateway").get_account().get("cloudwatchRoleArn")
        yield role_of_logs(
            arn,
            resources,
            ours=_physical_id(reach, settings.stack_name, "ApiGatewayLogsRole"),
            exists=arn is not None and _role_exists(reach, arn),
        )

    def sms_logs() -> Iterator[Check]:
        account = reach.aws.client("sts").get_caller_identity()["Account"]
        prefix = f"sns/{plan.region}/{account}/DirectPublishToPhoneNumber"
        logs = reach.aws.client("logs")
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
        ours = _physical_id(reach, settings.stack_name, "SmsDeliveredLogs") is not None
        yield sms_groups(groups, resources, ours=ours)
        if not groups:
            raise NotSeenError(tr("there is no such group yet"))
        yield filters(
            {
                group: len(logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"])
                for group in groups
            },
            ours=ours,
        )

    def identity_of_sender() -> Iterator[Check]:
        domain = settings.value("SenderDomain")
        if not domain:
            raise NotSeenError(tr("no SenderDomain"))
        try:
            reach.aws.client("sesv2").get_email_identity(EmailIdentity=domain)
            there = True
        except ClientError as error:
            if code_of(error) != "NotFoundException":
                raise
            there = False
        ours = _physical_id(reach, settings.stack_name, "SenderDomainIdentity") is not None
        yield identity(domain, settings.value("SenderIdentity", _OWN), there=there, ours=ours)

    return (
        Probe((STACKS,), other_stacks),
        Probe((LOGS_ROLE,), logs_role),
        Probe((SMS_LOGS, FILTERS), sms_logs),
        Probe((IDENTITY,), identity_of_sender),
    )


def stacks(found: Sequence[Mapping[str, Any]], name: str, resources: str) -> Check:
    """Judge whether another stack of this service owns what an account has once, while this one
    means to own it, too.
    """
    others = [
        stack["StackName"]
        for stack in found
        if stack["StackName"] != name
        and {output["OutputKey"] for output in stack.get("Outputs", [])} >= _OUTPUTS
        and _parameter(stack, "AccountResources", _OWN) == _OWN
    ]
    if others:
        expected = tr("AccountResources=shared, beside {others}", others=", ".join(others))
        return STACKS.judged(resources == _SHARED, expected, f"AccountResources={resources}")
    return STACKS.judged(True, tr("none that owns what an account has once"), tr("none"))


def role_of_logs(arn: str | None, resources: str, *, ours: str | None, exists: bool) -> Check:
    """Judge the role under which API Gateway writes every log of the account and region. A new one
    replaces what others rely on.
    """
    name = "none" if arn is None else arn.rpartition("/")[2]
    if resources == _SHARED:
        return LOGS_ROLE.judged(
            exists, tr("a role, for AccountResources=shared"), name if exists else tr("none that exists")
        )
    foreign = exists and name != ours
    found = tr("{name}: AccountResources=shared would leave it", name=name) if foreign else name
    return LOGS_ROLE.judged(not foreign, tr("none, or this stack's own"), found)


def sms_groups(groups: Sequence[str], resources: str, *, ours: bool) -> Check:
    """Judge whether the two groups are there for a stack that shares them, and not in the way of
    one that creates them.
    """
    found = tr("{count} of 2", count=len(groups)) if groups else tr("none")
    if resources == _SHARED:
        return SMS_LOGS.judged(len(groups) == 2, tr("both, for AccountResources=shared"), found)
    return SMS_LOGS.judged(
        ours or not groups, tr("none, or this stack's own"), tr("{found}, this stack's", found=found) if ours else found
    )


def filters(counts: Mapping[str, int], *, ours: bool) -> Check:
    """Judge whether each group has room for one filter more; this stack's own is one of those
    counted.
    """
    full = [group for group, count in counts.items() if count > _MOST_FILTERS - (0 if ours else 1)]
    told = ", ".join(
        tr("{count} on …/{group}", count=count, group=group.rpartition("/")[2]) for group, count in counts.items()
    )
    return FILTERS.judged(not full, tr("room for this stack's, {most} at most", most=_MOST_FILTERS), told)


def identity(domain: str, choice: str, *, there: bool, ours: bool) -> Check:
    """Judge whether the stack means to create an identity that is there, or to use one that is
    not.
    """
    found = tr(
        "{domain} {state}, SenderIdentity={choice}",
        domain=domain,
        state=tr("is there") if there else tr("is not there"),
        choice=choice,
    )
    if there and not ours:
        return IDENTITY.judged(choice == _SHARED, "SenderIdentity=shared", found)
    return IDENTITY.judged(choice == _OWN, "SenderIdentity=own", found)


def _physical_id(reach: Reach, stack: str, logical_id: str) -> str | None:
    """Return a resource's physical id in the stack of that name; None when it has no such resource,
    or is not there yet.
    """
    try:
        detail = reach.aws.client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
    except ClientError as error:
        # CloudFormation has no code of its own for it.
        if code_of(error) == "ValidationError":
            return None
        raise
    physical_id: str | None = detail["StackResourceDetail"].get("PhysicalResourceId")
    return physical_id


def _role_exists(reach: Reach, arn: str) -> bool:
    try:
        reach.aws.client("iam").get_role(RoleName=arn.rpartition("/")[2])
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return False
        raise
    return True


def _parameter(stack: Mapping[str, Any], name: str, absent: str) -> str:
    values = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
    return str(values.get(name, absent))
