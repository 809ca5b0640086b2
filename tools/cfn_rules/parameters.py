"""A10: parameters that need each other, checked before anything is made."""

import re
from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Deployed, Fault, findings, in_each_stack
from deployed.scenarios import given_and_left_out
from deployed.stack import FilledTemplate, Json

_RULES_PAGE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html"
# Texts for people: there an empty part does no harm.
_PROSE = frozenset({"Description", "Comment", "AlarmDescription", "Tags", "DashboardBody"})
# What CloudFront takes from us-east-1 alone: path in the properties of a distribution, an ARN of
# there, and one of elsewhere.
_OF_CLOUDFRONT = {
    ("ViewerCertificate", "AcmCertificateArn"): (
        "arn:aws:acm:{region}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    ),
    ("WebACLId",): "arn:aws:wafv2:{region}:123456789012:global/webacl/name/12345678-1234-1234-1234-123456789012",
}


class NothingEmptyIsUsed(CloudFormationLintRule):
    """What is empty fails half way through the deploy, or at the first request."""

    id = "E9010"
    shortdesc = "Rules refuse parameters that leave a used property empty"
    description = (
        "An optional parameter that was left out reaches a property or an environment variable: an assertion of the "
        "section Rules asks for it whenever it is used"
    )
    source_url = _RULES_PAGE
    tags = ["A10"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the properties that are empty in a stack that Rules lets through."""
        return findings(cfn, _empty)


class NothingGivenIsIgnored(CloudFormationLintRule):
    """Anyone who gives a certificate without its domain gets a stack without either, and no word
    about it.
    """

    id = "E9110"
    shortdesc = "Rules refuse parameters that have no effect"
    description = (
        "An optional parameter that is given and changes nothing lacks another one: an assertion of the "
        "section Rules says which"
    )
    source_url = _RULES_PAGE
    tags = ["A10"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the parameters that change nothing in a stack that Rules lets through."""
        return findings(cfn, _without_effect)


class RegionOfCloudFront(CloudFormationLintRule):
    """The distribution fails after minutes, on a certificate that looks right."""

    id = "E9210"
    shortdesc = "ARNs for CloudFront are refused unless they are of us-east-1"
    description = (
        "CloudFront takes certificates and web ACLs of us-east-1 only; the parameter's AllowedPattern says "
        "so before anything is made"
    )
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html"
    tags = ["A10"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the parameters that take an ARN of any region for CloudFront."""
        return in_each_stack(cfn, _of_any_region)


def _empty(template: Deployed) -> Iterator[Fault]:
    said = set()
    for stack in given_and_left_out(template.source):
        for resource in stack.resources.values():
            for path, name in _empty_parts(stack, resource.definition.get("Properties") or {}, ()):
                if (resource.id, name) not in said:
                    said.add((resource.id, name))
                    message = f"{name} may be empty where {resource.id} uses it: {_situation(stack)}"
                    yield Fault((*resource.path, "Properties", *path), message)


def _empty_parts(
    stack: FilledTemplate, node: Json, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the innermost properties that an empty parameter reaches, as far as the template's own
    structure distinguishes them.
    """
    if isinstance(node, dict) and not _is_function(node):
        for key, value in node.items():
            if key not in _PROSE:
                yield from _empty_parts(stack, value, (*path, key))
    elif isinstance(node, list):
        for place, item in enumerate(node):
            yield from _empty_parts(stack, item, (*path, place))
    elif isinstance(node, dict):
        for name in sorted(stack.parameters_in(node)):
            if stack.values.get(name) == "":
                yield path, name


def _is_function(node: Json) -> bool:
    return len(node) == 1 and next(iter(node)).startswith(("Ref", "Fn::"))


def _situation(stack: FilledTemplate) -> str:
    given = _given(stack)
    return f"with {', '.join(given)} alone" if given else "by default"


def _given(stack: FilledTemplate) -> list[str]:
    return [name for name, value in stack.values.items() if value == f"${{{name}}}"]


def _without_effect(template: Deployed) -> Iterator[Fault]:
    stacks = given_and_left_out(template.source)
    made = {tuple(sorted(stack.values.items())): _everything(stack) for stack in stacks}

    def has_effect(stack: FilledTemplate, name: str) -> bool:
        with_it, without = (tuple(sorted(values.items())) for values in (stack.values, stack.values | {name: ""}))
        return made.get(without) != made[with_it]

    said = set()
    for stack in stacks:
        for name in _given(stack):
            # One that another parameter takes the place of lacks nothing: with more given it has no
            # effect either.
            more = [other for other in stacks if set(_given(stack)).issubset(_given(other))]
            if name not in said and not has_effect(stack, name) and any(has_effect(other, name) for other in more):
                said.add(name)
                yield Fault(("Parameters", name), f"{name} has no effect {_situation(stack)}")


def _everything(stack: FilledTemplate) -> list[str]:
    outputs = (stack.template.get("Outputs") or {}).values()
    return [
        *(stack.text(dict(resource.definition)) for resource in stack.resources.values()),
        *(stack.text(output) for output in outputs if stack.holds(output.get("Condition"))),
    ]


def _of_any_region(stack: FilledTemplate) -> Iterator[Fault]:
    for distribution in stack.of_type("AWS::CloudFront::Distribution"):
        for keys, arn in _OF_CLOUDFRONT.items():
            node = (distribution.definition.get("Properties") or {}).get("DistributionConfig", {})
            for key in keys:
                node = node.get(key, {})
            for name in sorted(stack.parameters_in(node)):
                pattern = str(stack.template["Parameters"][name].get("AllowedPattern", ".*"))
                here, elsewhere = arn.format(region="us-east-1"), arn.format(region="eu-west-3")
                if not re.fullmatch(pattern, here) or re.fullmatch(pattern, elsewhere):
                    yield Fault(
                        ("Parameters", name), f"{name} needs an AllowedPattern that takes us-east-1 and no other region"
                    )
