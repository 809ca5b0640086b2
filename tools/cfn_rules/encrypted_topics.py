"""A12: who publishes to an encrypted topic or queue may use its key."""

import re
from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.policies import PolicyStatement, resource_statements, roles, statements
from deployed.service_reference import actions
from deployed.stack import FilledTemplate, Resource

_PUBLISHING = {"AWS::SNS::Topic": "sns:Publish", "AWS::SQS::Queue": "sqs:SendMessage"}
_OF_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_REFERENCE = re.compile(r"^\$\{(\w+)(?:\.\w+)*\}$")
# What AWS's page shows for a service's statement in the key's policy, other than an optional
# aws:SourceAccount and aws:SourceArn.
_WITHOUT_CONDITION = {
    "events.amazonaws.com": "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    "ses.amazonaws.com": "https://docs.aws.amazon.com/ses/latest/dg/configure-sns-notifications.html",
}


class PublishersMayUseTheKey(CloudFormationLintRule):
    """SNS and SQS drop what a service cannot encrypt; an alarm then rings for nobody."""

    id = "E9012"
    shortdesc = "Anyone who publishes to an encrypted topic or queue may use its key"
    description = (
        "Each service that a topic's or queue's policy, an alarm, a rule of events or SES's destination lets publish "
        "stands in the key's policy with kms:Decrypt and kms:GenerateDataKey*, in the form of its page: SES and "
        "EventBridge without a condition. Roles that may publish may do both, too"
    )
    source_url = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"
    tags = ["A12"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the publishers that a key keeps out."""
        return in_each_stack(cfn, _kept_out)


def _kept_out(stack: FilledTemplate) -> Iterator[Fault]:
    for target in stack.of_type(*_PUBLISHING):
        key = _key(stack, target)
        if key is None:
            continue
        for service in sorted(set(_services(stack, target))):
            yield from _service_kept_out(key, target, service)
        for role, allowed in roles(stack).items():
            publishes = _may(allowed, _PUBLISHING[target.type], _names_of(target))
            if publishes and not all(_may(allowed, action, {f"${{{key.id}.Arn}}"}) for action in _OF_KEY):
                yield Fault(("Resources", role), f"{role} publishes to {target.id} and may not use its key {key.id}")


def _key(stack: FilledTemplate, target: Resource) -> Resource | None:
    """Return the key of the stack that encrypts a topic or queue; None for none or one from
    elsewhere.
    """
    named = _REFERENCE.match(str(target.properties.get("KmsMasterKeyId", "")))
    return stack.resources.get(named[1]) if named else None


def _services(stack: FilledTemplate, target: Resource) -> Iterator[str]:
    names = _names_of(target)
    for policy, statement in resource_statements(stack):
        # In a policy of topics or queues `*` means those that it is attached to.
        attached = [*policy.properties.get("Topics", []), *policy.properties.get("Queues", [])]
        if statement.allows and names & set(attached if "*" in statement.resources else statement.resources):
            yield from statement.principals.get("Service", [])
    for alarm in stack.of_type("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        if any(
            names & set(alarm.properties.get(kind, []))
            for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")
        ):
            yield "cloudwatch.amazonaws.com"
    for destination in stack.of_type("AWS::SES::ConfigurationSetEventDestination"):
        if destination.properties.get("EventDestination", {}).get("SnsDestination", {}).get("TopicARN") in names:
            yield "ses.amazonaws.com"
    for rule in stack.of_type("AWS::Events::Rule"):
        if any(aim.get("Arn") in names for aim in rule.properties.get("Targets", [])):
            yield "events.amazonaws.com"


def _service_kept_out(key: Resource, target: Resource, service: str) -> Iterator[Fault]:
    path = (*key.path, "Properties", "KeyPolicy")
    own = [
        statement
        for statement in statements(key.properties.get("KeyPolicy"), path)
        if statement.allows and service in statement.principals.get("Service", [])
    ]
    for action in _OF_KEY:
        if not any(_names(statement, action) for statement in own):
            yield Fault(path, f"{service} publishes to {target.id} and may not {action}")
    for statement in own:
        if statement.conditions and service in _WITHOUT_CONDITION:
            yield Fault(
                (*statement.path, "Condition"),
                f"AWS shows the statement for {service} without a condition: {_WITHOUT_CONDITION[service]}",
            )


def _may(allowed: list[PolicyStatement], action: str, names: set[str]) -> bool:
    return any(
        statement.allows
        and not statement.spares
        and {*names, "*"} & set(statement.resources)
        and _names(statement, action)
        for statement in allowed
    )


def _names_of(target: Resource) -> set[str]:
    return {f"${{{target.id}}}", f"${{{target.id}.Arn}}", f"${{{target.id}.TopicArn}}"}


def _names(statement: PolicyStatement, action: str) -> bool:
    (wanted,) = actions(action)
    return any(pattern == "*" or wanted in actions(pattern) for pattern in statement.actions)
