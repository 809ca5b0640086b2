"""A4: one stage of the API, and everything that guards it names it."""

import re
from collections import defaultdict
from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.policies import identity_statements
from deployed.stack import FilledTemplate, Resource

_STAGE_OF_ARN = re.compile(r"/restapis/\$\{(\w+)\}/stages/(.+)$")
_EXECUTE_API = re.compile(r":execute-api:.*:\$\{(\w+)\}/([^/]+)")
_ORIGIN = re.compile(r"^\$\{(\w+)\}\.execute-api\.")
# What somebody writes with %6C or // must be counted all the same.
_PATH_TRANSFORMATIONS = ("URL_DECODE", "NORMALIZE_PATH")


class OneStage(CloudFormationLintRule):
    """A second stage has no firewall, no throttle and no log."""

    id = "E9004"
    shortdesc = "An API has one stage, with a throttle and an access log"
    description = (
        "Without OpenApiVersion SAM lets the deployment make a further stage called Stage, which nothing guards; the "
        "stage that is meant has throttling and an access log"
    )
    source_url = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html"
    tags = ["A4"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return APIs with another number of stages than one, and stages without throttle or
        log.
        """
        return in_each_stack(cfn, _stages_but_one)


class GuardsNameTheStage(CloudFormationLintRule):
    """A firewall on another stage than the one that is called guards nothing."""

    id = "E9104"
    shortdesc = "The firewall and CloudFront name the stage of the API"
    description = "What is tied to a stage of the API by its ARN or path names a stage that there is"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webaclassociation.html"
    tags = ["A4"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return associations and origins that name no stage of the API."""
        return in_each_stack(cfn, _wrong_stage)


class PermissionsNameTheStage(CloudFormationLintRule):
    """With `*` instead of the stage, any stage that anybody adds may call the function."""

    id = "E9204"
    shortdesc = "Permissions to call and be called name the stage"
    description = (
        "The second part of execute-api's ARN is the stage; a permission with a wildcard there holds for "
        "stages that nothing guards"
    )
    source_url = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html"
    tags = ["A4"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return permissions whose ARN leaves the stage open or names none of the API."""
        return in_each_stack(cfn, _open_permissions)


class PathsAreNormalized(CloudFormationLintRule):
    """WAF compares the path as the client wrote it, the gateway what it means."""

    id = "E9304"
    shortdesc = "Firewall rules decode and normalize the paths that they limit"
    description = (
        "WAF inspects UriPath as it comes, so /api/%6Cogin escapes a rule about /api/login without URL_DECODE and "
        "NORMALIZE_PATH; inside NotStatement the match lets requests past, and a strict one has NONE"
    )
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-fields-list.html"
    tags = ["A4"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the path matches with the wrong transformations."""
        return in_each_stack(cfn, _raw_paths)


def stage_names(stack: FilledTemplate) -> dict[str, set[str]]:
    """Return the stages of each API by its logical id: those of their own, and those that a
    deployment makes.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for resource in stack.of_type("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment"):
        name = resource.properties.get("StageName")
        if name:
            found[_api(resource)].add(str(name))
    return found


def _api(resource: Resource) -> str:
    return str(resource.properties.get("RestApiId")).strip("${}")


def _stages_but_one(stack: FilledTemplate) -> Iterator[Fault]:
    stages = stage_names(stack)
    for api in stack.of_type("AWS::ApiGateway::RestApi"):
        names = sorted(stages[api.id])
        if len(names) != 1:
            yield Fault(api.path, f"the API has {len(names)} stages ({', '.join(names)}): set OpenApiVersion")
    for stage in stack.of_type("AWS::ApiGateway::Stage"):
        path = ("Resources", _api(stage))
        if "AccessLogSetting" not in stage.properties:
            yield Fault(path, f"the stage {stage.properties.get('StageName')} has no access log")
        settings = stage.properties.get("MethodSettings", [])
        every = [one for one in settings if (one.get("ResourcePath"), one.get("HttpMethod")) == ("/*", "*")]
        if not any("ThrottlingRateLimit" in one for one in every):
            yield Fault(path, f"the stage {stage.properties.get('StageName')} has no throttle for every method")


def _named_stages(stack: FilledTemplate, api: str) -> set[str]:
    """Return how a text may name a stage of an API: by its name, or by what Ref gives."""
    references = {f"${{{stage.id}}}" for stage in stack.of_type("AWS::ApiGateway::Stage") if _api(stage) == api}
    return stage_names(stack)[api] | references


def _wrong_stage(stack: FilledTemplate) -> Iterator[Fault]:
    for association in stack.of_type("AWS::WAFv2::WebACLAssociation"):
        arn = str(association.properties.get("ResourceArn"))
        named = _STAGE_OF_ARN.search(arn)
        if named and named[2] not in _named_stages(stack, named[1]):
            yield Fault((*association.path, "Properties", "ResourceArn"), f"{named[2]} is no stage of {named[1]}")
    for distribution in stack.of_type("AWS::CloudFront::Distribution"):
        for place, origin in enumerate(distribution.properties.get("DistributionConfig", {}).get("Origins", [])):
            named = _ORIGIN.match(str(origin.get("DomainName")))
            stage = str(origin.get("OriginPath", "")).strip("/")
            if named and stage not in _named_stages(stack, named[1]):
                path = (*distribution.path, "Properties", "DistributionConfig", "Origins", place)
                yield Fault(path, f"OriginPath names no stage of {named[1]}")


def _open_permissions(stack: FilledTemplate) -> Iterator[Fault]:
    for permission in stack.of_type("AWS::Lambda::Permission"):
        if permission.properties.get("Principal") == "apigateway.amazonaws.com":
            arn = str(permission.properties.get("SourceArn", ""))
            yield from _open(stack, arn, (*permission.path, "Properties", "SourceArn"))
    for statement in identity_statements(stack):
        if statement.allows and any(action.lower().startswith("execute-api:") for action in statement.actions):
            for arn in statement.resources:
                yield from _open(stack, arn, (*statement.path, "Resource"))


def _open(stack: FilledTemplate, arn: str, path: tuple[str | int, ...]) -> Iterator[Fault]:
    named = _EXECUTE_API.search(arn)
    if not named:
        yield Fault(path, f"{arn or 'no ARN'} names no stage of an API of this stack")
    elif named[2] not in _named_stages(stack, named[1]):
        yield Fault(path, f"{arn} has {named[2]} instead of the stage")


def _raw_paths(stack: FilledTemplate) -> Iterator[Fault]:
    for firewall in stack.of_type("AWS::WAFv2::WebACL", "AWS::WAFv2::RuleGroup"):
        for place, rule in enumerate(firewall.properties.get("Rules", [])):
            path = (*firewall.path, "Properties", "Rules", place)
            for message in _paths_in(rule.get("Statement", {}), inverted=False):
                yield Fault(path, f"{rule.get('Name')}: {message}")


def _paths_in(node: object, *, inverted: bool) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _paths_in(item, inverted=inverted)
    elif isinstance(node, dict):
        if "UriPath" in (node.get("FieldToMatch") or {}):
            transformations = {one.get("Type") for one in node.get("TextTransformations", [])}
            if inverted and transformations != {"NONE"}:
                yield "an exception matches the path as it comes, without transformations"
            elif not inverted and not transformations.issuperset(_PATH_TRANSFORMATIONS):
                yield f"the path needs the transformations {' and '.join(_PATH_TRANSFORMATIONS)}"
        for key, value in node.items():
            yield from _paths_in(value, inverted=inverted != (key == "NotStatement"))
