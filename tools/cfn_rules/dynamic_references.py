"""A14: a changed secret reaches what holds it."""

import re
from collections import defaultdict
from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Deployed, Fault, findings
from deployed.stack import FilledTemplate

# What stands in for a value has braces and colons of its own.
_PART = r"(?:\$\{[^}]*\}|[^:}])*"
# The reference, and the secret in it: an ARN or a name.
_REFERENCE = re.compile(rf"\{{\{{resolve:secretsmanager:((arn(?::{_PART}){{6}}|{_PART})(?::{_PART})*)\}}\}}")
_RESOURCE = re.compile(r"\$\{(\w+)(?:\.\w+)*\}")


class ReferencesFollowTheSecret(CloudFormationLintRule):
    """One of two holders is resolved again by chance, and the other keeps the old secret."""

    id = "E9014"
    shortdesc = "A dynamic reference changes when its secret does"
    description = (
        "CloudFormation resolves a reference again only when the resource that holds it changes. A parameter is a "
        "part of the reference (a version of the secret) or of the secret's name, so that changing it changes all "
        "that holds the secret in one update"
    )
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html"
    tags = ["A14"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the resources that keep a secret whatever it becomes."""
        return findings(cfn, _kept)


class _Unfilled(FilledTemplate):
    """A stack with its conditions decided, and the names of its parameters for their values."""

    def __init__(self, stack: FilledTemplate) -> None:
        super().__init__(stack.template, {})
        self.holds = stack.holds  # type: ignore[method-assign]


def _kept(template: Deployed) -> Iterator[Fault]:
    follows: defaultdict[tuple[str, str], bool] = defaultdict(bool)
    for stack in template.stacks:
        unfilled = _Unfilled(stack)
        for resource in unfilled.resources.values():
            for reference, secret in _REFERENCE.findall(unfilled.text(dict(resource.properties))):
                named = _RESOURCE.fullmatch(secret)
                definition = stack.resources[named[1]].definition if named and named[1] in stack.resources else {}
                name = (definition.get("Properties") or {}).get("Name")
                parameters = stack.parameters_in([{"Fn::Sub": reference}, name])
                follows[resource.id, named[1] if named else secret] |= bool(parameters)
    for (holder, secret), follow in follows.items():
        if not follow:
            yield Fault(
                ("Resources", holder),
                f"{holder} keeps the value of {secret} when it changes: no parameter is in the reference",
            )
