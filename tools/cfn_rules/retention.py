"""A7: what a deleted stack, a rollback and a replacement leave behind."""

import re
from collections.abc import Iterator, Mapping

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, findings, in_each_stack
from deployed.scenarios import defaults
from deployed.stack import FilledTemplate, Json, Resource

_KEPT = ("Retain", "RetainExceptOnCreate")
# What others cannot do without, beside the keys: what it lets in is locked out, what it holds is
# gone.
_NEEDED = ("AWS::IAM::Role", "AWS::DynamoDB::Table", "AWS::S3::Bucket")
# What refuses to be deleted, by the type of resource: the property, and its value.
_PROTECTION = {
    "AWS::DynamoDB::Table": ("DeletionProtectionEnabled", "true"),
    "AWS::Cognito::UserPool": ("DeletionProtection", "active"),
}
_REFERENCE = re.compile(r"\$\{(\w+)(?:\.\w+)*\}")


class WhatIsNeededStays(CloudFormationLintRule):
    """A deleted key makes everything that it encrypts unreadable forever."""

    id = "E9007"
    shortdesc = "Keys are kept, and so is everything that something kept needs"
    description = (
        "A key that leaves a stack is scheduled for deletion. It needs DeletionPolicy Retain or RetainExceptOnCreate "
        "and UpdateReplacePolicy Retain; so do the roles, tables and buckets to "
        "which a resource with such a policy refers"
    )
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html"
    tags = ["A7"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what is needed and goes away."""
        return in_each_stack(cfn, _lost)


class FirstCreateRollsBack(CloudFormationLintRule):
    """A first deploy that fails ends in ROLLBACK_FAILED, and the next one is refused."""

    id = "E9107"
    shortdesc = "A first deploy can be rolled back"
    description = (
        "The rollback of a stack's creation deletes RetainExceptOnCreate too, and nobody can delete a table with "
        "DeletionProtectionEnabled, nor a user pool with DeletionProtection: by the defaults of the parameters they "
        "are not protected"
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"
    )
    tags = ["A7"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what the rollback of a creation cannot delete."""
        return findings(cfn, lambda template: _protected_at_once(template.translation))


def _kept(resource: Resource) -> bool:
    return resource.definition.get("DeletionPolicy") in _KEPT


def _lost(stack: FilledTemplate) -> Iterator[Fault]:
    needed = {key.id: "a key" for key in stack.of_type("AWS::KMS::Key")}
    for resource in stack.resources.values():
        if _kept(resource):
            for name in _REFERENCE.findall(stack.text(dict(resource.properties))):
                if name in stack.resources and stack.resources[name].type in _NEEDED:
                    needed.setdefault(name, f"needed by {resource.id}, which is kept")
    for name, why in needed.items():
        resource = stack.resources[name]
        if not _kept(resource):
            yield Fault(resource.path, f"{name} is {why}: DeletionPolicy must be {' or '.join(_KEPT)}")
        if resource.definition.get("UpdateReplacePolicy") != "Retain":
            yield Fault(resource.path, f"{name} is {why}: UpdateReplacePolicy must be Retain")


def _protected_at_once(template: Mapping[str, Json]) -> Iterator[Fault]:
    for resource in FilledTemplate(template, defaults(template)).of_type(*_PROTECTION):
        name, protected = _PROTECTION[resource.type]
        kept_always = resource.definition.get("DeletionPolicy") == "Retain"
        if str(resource.properties.get(name)).lower() == protected and not kept_always:
            path = (*resource.path, "Properties", name)
            yield Fault(path, f"a first deploy that fails cannot delete {resource.id}")
