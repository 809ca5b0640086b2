"""A11: statements of IAM policies against AWS's service reference."""

from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.arns import written_out
from deployed.linting import Fault, in_each_stack
from deployed.policies import PolicyStatement, identity_statements, resource_statements
from deployed.service_reference import KnownAction, actions, resource_types
from deployed.stack import FilledTemplate


class ActionsFitTheReference(CloudFormationLintRule):
    """A statement that names what does not exist or does not fit grants nothing, and IAM says
    nothing.
    """

    id = "E9011"
    shortdesc = "IAM actions exist and support their resources and condition keys"
    description = (
        "An action that AWS does not have, a resource of a type that the action does not support, or a condition key "
        "that its requests do not carry, grants nothing and raises no error"
    )
    source_url = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what of each statement the service reference does not have."""
        return in_each_stack(cfn, _unknown)


def _unknown(stack: FilledTemplate) -> Iterator[Fault]:
    for statement in identity_statements(stack):
        for pattern, named in _named(statement):
            yield from _unsupported(statement, pattern, named)
        yield from _misplaced(stack, statement)
    for _, statement in resource_statements(stack):
        every = tuple(action for _, named in _named(statement) for action in named)
        for pattern, named in _named(statement):
            # AWS's own key policies put one condition on a list of actions of which some lack the
            # key.
            yield from _unsupported(statement, pattern, every if named else ())


def _named(statement: PolicyStatement) -> Iterator[tuple[str, tuple[KnownAction, ...]]]:
    for pattern in statement.actions:
        if pattern != "*":
            yield pattern, actions(pattern)


def _unsupported(statement: PolicyStatement, pattern: str, named: tuple[KnownAction, ...]) -> Iterator[Fault]:
    if not named:
        yield Fault((*statement.path, "Action"), f"AWS has no action {pattern}")
        return
    for key in sorted(statement.condition_keys()):
        if not any(action.supports(key) for action in named):
            yield Fault((*statement.path, "Condition"), f"{pattern} has no condition key {key}")


def _misplaced(stack: FilledTemplate, statement: PolicyStatement) -> Iterator[Fault]:
    if statement.spares or "*" in statement.resources:
        return
    of_resource = {text: resource_types(written_out(stack, text)) for text in statement.resources}
    used: set[str] = set()
    for pattern, named in _named(statement):
        fitting = {
            text
            for text, kinds in of_resource.items()
            if any(
                kind in action.resource_types and service == action.service
                for action in named
                for service, kind in kinds
            )
        }
        used |= fitting
        if named and not any(action.resource_types for action in named):
            yield Fault((*statement.path, "Resource"), f"{pattern} supports no resource, only *")
        elif named and not fitting:
            yield Fault((*statement.path, "Resource"), f"{pattern} supports none of {', '.join(of_resource)}")
    for text in of_resource:
        if text not in used:
            yield Fault((*statement.path, "Resource"), f"no action of the statement supports {text}")
