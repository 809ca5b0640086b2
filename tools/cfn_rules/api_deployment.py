"""A5: a change of what the API calls reaches the stage."""

import json
from collections.abc import Iterator, Mapping

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Deployed, Fault, findings
from deployed.stack import FilledTemplate, Json
from deployed.translation import translated

_CALLED = ("AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::Lambda::Function")


class DeploymentFollowsIntegrations(CloudFormationLintRule):
    """The stage serves a snapshot, and CloudFormation makes another only under another logical
    id.
    """

    id = "E9005"
    shortdesc = "The deployment changes with each value that reaches the API document"
    description = (
        "SAM derives the deployment's logical id from the text of the document, in which a condition stands "
        "undecided: a parameter that changes an integration alone leaves the stage "
        "as it was, unless AlwaysDeploy is true"
    )
    source_url = "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html"
    tags = ["A5"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the APIs of which two documents have one deployment."""
        return findings(cfn, _undeployed)


class CalledAliasesStay(CloudFormationLintRule):
    """A stage that was not deployed again goes on calling what the update removes."""

    id = "E9105"
    shortdesc = "No value of a parameter removes what the stage still calls"
    description = (
        "An alias, version or function that the deployed document calls is there under each value of the "
        "parameters that keeps the deployment"
    )
    source_url = (
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html"
    )
    tags = ["A5"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what a stage calls and an update removes."""
        return findings(cfn, _removed)


def _undeployed(template: Deployed) -> Iterator[Fault]:
    for name, documents in _documents(template).items():
        first, *others = documents.values()
        for values in others:
            if _deployment(template, name, first) == _deployment(template, name, values):
                yield Fault(
                    ("Resources", name),
                    f"{_difference(first, values)} changes what the API calls, and not its deployment",
                )


def _removed(template: Deployed) -> Iterator[Fault]:
    for name, documents in _documents(template).items():
        for document, values in documents.items():
            for target in _called(FilledTemplate(template.source, values), document):
                without = [stack.values for stack in template.source_stacks if target not in stack.resources]
                # The nearest one says it best: one parameter changed, if that is enough.
                for other in sorted(without, key=lambda one: len(_changed(values, one)))[:1]:
                    if _deployment(template, name, values) == _deployment(template, name, other):
                        message = f"{_difference(values, other)} removes {target}, which the stage still calls"
                        yield Fault(("Resources", target), message)


def _documents(template: Deployed) -> dict[str, dict[str, Mapping[str, str]]]:
    """Return, for each API that the template deploys by SAM, its different documents with values
    that give them.
    """
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for stack in template.source_stacks:
        for api in stack.of_type("AWS::Serverless::Api"):
            document = json.dumps(api.properties.get("DefinitionBody"))
            found.setdefault(api.id, {}).setdefault(document, stack.values)
    always = {name for name in found if _property(template.source, name, "AlwaysDeploy") is True}
    return {name: documents for name, documents in found.items() if name not in always}


def _property(source: Json, api: str, name: str) -> Json:
    of_all = source.get("Globals", {}).get("Api", {}).get(name)
    return source["Resources"][api].get("Properties", {}).get(name, of_all)


def _deployment(template: Deployed, api: str, values: Mapping[str, str]) -> list[str]:
    key = (api, tuple(sorted(values.items())))
    if key not in template.deployments:
        resources = translated(template.source, values).get("Resources", {})
        template.deployments[key] = [
            name
            for name, resource in resources.items()
            if resource["Type"] == "AWS::ApiGateway::Deployment" and resource["Properties"]["RestApiId"] == {"Ref": api}
        ]
    return template.deployments[key]


def _called(stack: FilledTemplate, document: str) -> list[str]:
    of_sam = "AWS::Serverless::Function"
    return [
        resource.id
        for resource in stack.of_type(*_CALLED, of_sam)
        if f"${{{resource.id}}}" in document or f"${{{resource.id}.Arn}}" in document
    ]


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [name for name in after if after[name] != before.get(name)]


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={after[name] or '(empty)'}" for name in _changed(before, after))
