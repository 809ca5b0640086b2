"""A14: a changed secret reaches what holds it."""

import re
from collections import defaultdict
from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Deployed, Fault, findings

# Up to the end of the reference; what stands in for a resource has braces of its own.
_REFERENCE = re.compile(r"\{\{resolve:secretsmanager:((?:\$\{[^}]*\}|[^}])*)\}\}")
_RESOURCE = re.compile(r"^\$\{(\w+)(?:\.\w+)*\}")


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


def _kept(template: Deployed) -> Iterator[Fault]:
    texts: defaultdict[tuple[str, str], set[frozenset[str]]] = defaultdict(set)
    bound: set[tuple[str, str]] = set()
    for stack in template.stacks:
        for resource in stack.resources.values():
            found: defaultdict[str, set[str]] = defaultdict(set)
            for reference in _REFERENCE.findall(stack.text(dict(resource.properties))):
                named = _RESOURCE.match(reference)
                secret = named[1] if named else reference.partition(":")[0]
                found[secret].add(reference)
                definition = stack.resources[secret].definition if secret in stack.resources else {}
                if stack.parameters_in((definition.get("Properties") or {}).get("Name")):
                    bound.add((resource.id, secret))
            for secret, references in found.items():
                texts[resource.id, secret].add(frozenset(references))
    for (holder, secret), different in texts.items():
        if len(different) == 1 and (holder, secret) not in bound:
            yield Fault(
                ("Resources", holder),
                f"{holder} keeps the value of {secret} when it changes: no parameter is in the reference",
            )
