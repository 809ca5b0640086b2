"""A8: functions that start themselves."""

from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.policies import PolicyStatement, roles
from deployed.service_reference import actions
from deployed.stack import FilledTemplate, Resource


class RecursionOnPurpose(CloudFormationLintRule):
    """Lambda stops the sixteenth turn of a chain, and the message goes to the dead letters."""

    id = "E9008"
    shortdesc = "A function that can start itself sets RecursiveLoop"
    description = (
        "Lambda stops a function that SQS or SNS has started some 16 times in one chain of requests; one that may "
        "send to what starts it says by RecursiveLoop whether that is meant"
    )
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"
    tags = ["A8"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the functions that can start themselves and do not say so."""
        return in_each_stack(cfn, _unsaid)


def _unsaid(stack: FilledTemplate) -> Iterator[Fault]:
    allowed = roles(stack)
    for function in stack.of_type("AWS::Lambda::Function"):
        if "RecursiveLoop" in function.properties:
            continue
        role = str(function.properties.get("Role", "")).removeprefix("${").removesuffix(".Arn}")
        for source, action in _starts(stack, function):
            if _may(allowed.get(role, []), action, source):
                yield Fault(function.path, f"{function.id} may send to {source}, which starts it: set RecursiveLoop")


def _starts(stack: FilledTemplate, function: Resource) -> Iterator[tuple[str, str]]:
    """Yield the queues and topics that start a function, as the template refers to them, with the
    action that sends there.
    """
    names = {f"${{{function.id}}}", f"${{{function.id}.Arn}}"}
    for alias in stack.of_type("AWS::Lambda::Alias"):
        if alias.properties.get("FunctionName") in names:
            names.add(f"${{{alias.id}}}")
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping"):
        if mapping.properties.get("FunctionName") in names:
            yield str(mapping.properties.get("EventSourceArn")), "sqs:SendMessage"
    for subscription in stack.of_type("AWS::SNS::Subscription"):
        if subscription.properties.get("Endpoint") in names:
            yield str(subscription.properties.get("TopicArn")), "sns:Publish"
    for topic in stack.of_type("AWS::SNS::Topic"):
        if any(subscription.get("Endpoint") in names for subscription in topic.properties.get("Subscription", [])):
            yield f"${{{topic.id}}}", "sns:Publish"


def _may(statements: list[PolicyStatement], action: str, resource: str) -> bool:
    (wanted,) = actions(action)
    return any(
        statement.allows
        and not statement.spares
        and (resource in statement.resources or "*" in statement.resources)
        and any(wanted in actions(pattern) for pattern in statement.actions)
        for statement in statements
    )
