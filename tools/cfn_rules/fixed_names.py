"""A9: what an account has once in each region."""

from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.stack import FilledTemplate, Json, Resource

# Where a type of resource has its name, by the path in its properties; none where AWS has one of
# them whatever it is called.
_NAMES: dict[str, tuple[str, ...]] = {
    "AWS::ApiGateway::Account": (),
    "AWS::CloudFront::CachePolicy": ("CachePolicyConfig", "Name"),
    "AWS::CloudFront::Function": ("Name",),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig", "Name"),
    "AWS::CloudFront::OriginRequestPolicy": ("OriginRequestPolicyConfig", "Name"),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig", "Name"),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::Events::Rule": ("Name",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SES::ConfigurationSet": ("Name",),
    "AWS::SES::EmailIdentity": ("EmailIdentity",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::WAFv2::WebACL": ("Name",),
}


class SharedNames(CloudFormationLintRule):
    """A second stack takes the thing over without a word, or fails half way."""

    id = "E9009"
    shortdesc = "What an account has once is made under a condition"
    description = (
        "A resource whose name does not hold the stack's, or of which an account has one in each region, stands under "
        "a condition that a parameter switches, so that a second stack can leave it to the first"
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-account.html"
    )
    tags = ["A9"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what two stacks of an account would share."""
        return in_each_stack(cfn, _shared)


def _shared(stack: FilledTemplate) -> Iterator[Fault]:
    for resource in stack.of_type(*_NAMES):
        name = _name(resource)
        if name is not None and "${AWS::StackName}" not in name and not _switched(stack, resource):
            yield Fault(resource.path, f"two stacks share {name}: make it under a condition that a parameter switches")


def _name(resource: Resource) -> str | None:
    """Return what an account has once: the name, or the type; None for a name that CloudFormation
    makes up.
    """
    keys = _NAMES[resource.type]
    if not keys:
        return resource.type
    value: Json = resource.properties
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return None if value is None else str(value)


def _switched(stack: FilledTemplate, resource: Resource) -> bool:
    condition = resource.definition.get("Condition")
    return condition is not None and bool(_parameters(stack, {"Condition": condition}))


def _parameters(stack: FilledTemplate, node: Json) -> set[str]:
    """Return the parameters that a condition reads, through those that it names."""
    if isinstance(node, list):
        return {name for item in node for name in _parameters(stack, item)}
    if not isinstance(node, dict):
        return set()
    found = {str(node["Ref"])} & set(stack.template.get("Parameters") or {}) if "Ref" in node else set()
    if "Condition" in node:
        found |= _parameters(stack, (stack.template.get("Conditions") or {}).get(node["Condition"]))
    return found | {name for value in node.values() for name in _parameters(stack, value)}
