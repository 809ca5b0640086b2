"""A13: quotas that a deploy meets, some of them half way."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.arns import written_out
from deployed.firewall_capacity import capacity
from deployed.linting import Deployed, Fault, findings, in_each_stack
from deployed.metric_lines import widgets
from deployed.policies import listed
from deployed.stack import FilledTemplate, Json, Resource

_TEMPLATE_BYTES = 1_000_000
_SECTIONS = {"Resources": 500, "Parameters": 200, "Outputs": 200, "Mappings": 200}
_MAPPING_KEYS = 200
_INLINE_CHARACTERS = 10_240
_MANAGED_CHARACTERS = 6_144
_TRUST_CHARACTERS = 2_048
_WIDGETS = 500
_METRICS_OF_WIDGET = 500
_METRICS_OF_DASHBOARD = 2_500
_METRICS_OF_ALARM = 10
_ALARM_RULE_CHARACTERS = 10_240
_ENVIRONMENT_BYTES = 4_096
_FUNCTION_BYTES = 10_240
_CAPACITY = 5_000
# What a deploy puts there, at its longest; the name of a stack may have 128 characters, and nobody
# gives it more than this.
_LENGTHS = {"AWS::Partition": 10, "AWS::Region": 14, "AWS::AccountId": 12, "AWS::StackName": 40, "AWS::URLSuffix": 16}
# CloudFormation calls a resource STACK-LOGICALID-RANDOM.
_NAME = 40 + 14
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


class TemplateSize(CloudFormationLintRule):
    """A template that is too large is refused, and cannot be made smaller in a hurry."""

    id = "E9013"
    shortdesc = "The template is within CloudFormation's quotas"
    description = (
        "1 MB in S3, from where SAM deploys it, 500 resources after SAM's translation, and 200 parameters, outputs, "
        "mappings, and keys of a mapping"
    )
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the quotas that the template is over."""
        return findings(cfn, lambda template: _template(template, Path(cfn.filename or "")))


class PolicySizes(CloudFormationLintRule):
    """IAM refuses the policy in the middle of an update."""

    id = "E9113"
    shortdesc = "Policies are within IAM's quotas"
    description = (
        "10,240 characters of all inline policies of a role, 6,144 of a managed policy, 2,048 of a trust "
        "policy, white space not counted"
    )
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the policies that are too long."""
        return in_each_stack(cfn, _policies)


class DashboardSize(CloudFormationLintRule):
    """CloudWatch refuses the dashboard."""

    id = "E9213"
    shortdesc = "Dashboards are within CloudWatch's quotas"
    description = "500 widgets, 500 metrics of a widget, 2,500 metrics in all, in a body that is JSON"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the dashboards with more than that."""
        return in_each_stack(cfn, _dashboards)


class AlarmSize(CloudFormationLintRule):
    """CloudWatch refuses the alarm."""

    id = "E9313"
    shortdesc = "Alarms are within CloudWatch's quotas"
    description = "10 metrics of an alarm, expressions not counted, and 10,240 characters of a composite alarm's rule"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the alarms with more than that."""
        return in_each_stack(cfn, _alarms)


class EnvironmentSize(CloudFormationLintRule):
    """Lambda refuses the function."""

    id = "E9413"
    shortdesc = "A function's environment is within Lambda's quota"
    description = "4 KB of all names and values together"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the functions with larger environments."""
        return in_each_stack(cfn, _environments)


class EdgeFunctionSize(CloudFormationLintRule):
    """CloudFront refuses the function."""

    id = "E9513"
    shortdesc = "CloudFront's functions are within its quota"
    description = "10 KB of code"
    source_url = (
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-functions"
    )
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the functions with more code."""
        return in_each_stack(cfn, _edge_functions)


class FirewallCapacity(CloudFormationLintRule):
    """WAF refuses the web ACL."""

    id = "E9613"
    shortdesc = "Web ACLs are within WAF's capacity"
    description = "5,000 units of capacity (WCU) of all rules of a web ACL; from 1,500 on requests cost more"
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html"
    tags = ["A13"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the web ACLs with more rules than that."""
        return in_each_stack(cfn, _firewalls)


def _template(template: Deployed, path: Path) -> Iterator[Fault]:
    sizes = {"the translated template": len(json.dumps(template.translation, separators=(",", ":")).encode())}
    if path.is_file():
        sizes["the file"] = path.stat().st_size
    for what, size in sizes.items():
        if size > _TEMPLATE_BYTES:
            yield Fault((), f"{what} has {size} bytes, and CloudFormation takes {_TEMPLATE_BYTES}")
    for section, most in _SECTIONS.items():
        count = len(template.translation.get(section) or {})
        if count > most:
            yield Fault((section,), f"{count} {section} are more than {most}")
    for name, mapping in (template.translation.get("Mappings") or {}).items():
        if max(len(mapping), *(len(values) for values in mapping.values())) > _MAPPING_KEYS:
            yield Fault(("Mappings", name), f"{name} has more than {_MAPPING_KEYS} keys")


def _policies(stack: FilledTemplate) -> Iterator[Fault]:
    for role in stack.of_type("AWS::IAM::Role"):
        attached = (
            policy.properties
            for policy in stack.of_type("AWS::IAM::Policy")
            if f"${{{role.id}}}" in listed(policy.properties.get("Roles"))
        )
        inline = [*role.properties.get("Policies", []), *attached]
        characters = sum(_characters(stack, policy.get("PolicyDocument")) for policy in inline)
        yield from _over(role, "of inline policies", characters, _INLINE_CHARACTERS)
        trust = _characters(stack, role.properties.get("AssumeRolePolicyDocument"))
        yield from _over(role, "of its trust policy", trust, _TRUST_CHARACTERS)
    for policy in stack.of_type("AWS::IAM::ManagedPolicy"):
        characters = _characters(stack, policy.properties.get("PolicyDocument"))
        yield from _over(policy, "of its document", characters, _MANAGED_CHARACTERS)


def _dashboards(stack: FilledTemplate) -> Iterator[Fault]:
    for dashboard in stack.of_type("AWS::CloudWatch::Dashboard"):
        path = (*dashboard.path, "Properties", "DashboardBody")
        try:
            shown = widgets(dashboard)
        except ValueError as error:
            yield Fault(path, f"the body is no JSON: {error}")
            continue
        metrics = [len(widget.get("properties", {}).get("metrics", [])) for widget in shown]
        for what, count, most in (
            ("widgets", len(shown), _WIDGETS),
            *(("metrics of a widget", of_widget, _METRICS_OF_WIDGET) for of_widget in metrics),
            ("metrics", sum(metrics), _METRICS_OF_DASHBOARD),
        ):
            if count > most:
                yield Fault(path, f"{count} {what} are more than {most}")


def _alarms(stack: FilledTemplate) -> Iterator[Fault]:
    for alarm in stack.of_type("AWS::CloudWatch::Alarm"):
        metrics = [member for member in alarm.properties.get("Metrics", []) if "MetricStat" in member]
        if len(metrics) > _METRICS_OF_ALARM:
            yield Fault(
                (*alarm.path, "Properties", "Metrics"), f"{len(metrics)} metrics are more than {_METRICS_OF_ALARM}"
            )
    for composite in stack.of_type("AWS::CloudWatch::CompositeAlarm"):
        characters = len(_at_its_longest(str(composite.properties.get("AlarmRule"))))
        yield from _over(composite, "of its rule", characters, _ALARM_RULE_CHARACTERS)


def _environments(stack: FilledTemplate) -> Iterator[Fault]:
    for function in stack.of_type("AWS::Lambda::Function"):
        variables = function.properties.get("Environment", {}).get("Variables", {})
        texts = (f"{name}{_at_its_longest(written_out(stack, str(value)))}" for name, value in variables.items())
        size = sum(len(text.encode()) for text in texts)
        yield from _over(function, "of environment", size, _ENVIRONMENT_BYTES)


def _edge_functions(stack: FilledTemplate) -> Iterator[Fault]:
    for function in stack.of_type("AWS::CloudFront::Function"):
        size = len(str(function.properties.get("FunctionCode")).encode())
        yield from _over(function, "of code", size, _FUNCTION_BYTES)


def _firewalls(stack: FilledTemplate) -> Iterator[Fault]:
    for firewall in stack.of_type("AWS::WAFv2::WebACL"):
        units = capacity(firewall.properties.get("Rules", []))
        if units > _CAPACITY:
            yield Fault((*firewall.path, "Properties", "Rules"), f"{units} units of capacity are more than {_CAPACITY}")


def _over(resource: Resource, what: str, size: int, most: int) -> Iterator[Fault]:
    if size > most:
        yield Fault(resource.path, f"{resource.id} has about {size} characters {what}, and AWS takes {most}")


def _characters(stack: FilledTemplate, document: Json) -> int:
    """Return the length of a policy as IAM counts it: without white space, with the names that a
    deploy gives.
    """
    return len(_at_its_longest(re.sub(r"\s", "", written_out(stack, json.dumps(document, separators=(",", ":"))))))


def _at_its_longest(text: str) -> str:
    return _PLACEHOLDER.sub(lambda match: "x" * _LENGTHS.get(match[1], _NAME + len(match[1].partition(".")[0])), text)
