"""A15: missing pages of the site, and the API's own errors."""

import re
from collections.abc import Iterator
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.stack import FilledTemplate, Resource

_REFERENCE = re.compile(r"^\$\{(\w+)\.")
_OF_API = ".execute-api."
# Which CloudFront keeps whatever the origin says of caching.
_ALWAYS_CACHED = (404, 500, 502, 503, 504)


class SiteAnswersMissingPages(CloudFormationLintRule):
    """The distribution has one list of error pages for all its behaviours."""

    id = "E9015"
    shortdesc = "Missing pages are answered on the site's behaviour alone"
    description = (
        "A function of the default behaviour answers 404 for pages that are not there. CustomErrorResponses of the "
        "distribution would put a page instead of the API's own 403 and 404, and no function of the API's "
        "behaviour changes a status"
    )
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-procedure.html"
    tags = ["A15"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the distributions that answer a missing page wrongly, or another answer with
        it.
        """
        return in_each_stack(cfn, _pages)


class ErrorsOfTheApiAreNotKept(CloudFormationLintRule):
    """One voter's 503 would be everybody's for ten seconds."""

    id = "E9115"
    shortdesc = "CloudFront keeps no error of the API"
    description = (
        "CloudFront caches 404, 500, 502, 503 and 504 for ten seconds, no-store or not, unless the distribution sets "
        "ErrorCachingMinTTL to 0 for each"
    )
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html"
    tags = ["A15"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the errors that one request leaves to others."""
        return in_each_stack(cfn, _kept_errors)


def _pages(stack: FilledTemplate) -> Iterator[Fault]:
    for distribution in stack.of_type("AWS::CloudFront::Distribution"):
        config = distribution.properties.get("DistributionConfig", {})
        path = (*distribution.path, "Properties", "DistributionConfig")
        apis = _apis(config)
        default = config.get("DefaultCacheBehavior", {})
        if default.get("TargetOriginId") not in apis and not any("404" in code for code in _codes(stack, default)):
            yield Fault(
                (*path, "DefaultCacheBehavior"), "no function of the site's behaviour answers 404 for a missing page"
            )
        for response in config.get("CustomErrorResponses", []) if apis else []:
            replaced = "ResponsePagePath" in response or "ResponseCode" in response
            if response.get("ErrorCode") in (403, 404) and replaced:
                message = f"the page for {response['ErrorCode']} takes the place of the API's own answer"
                yield Fault((*path, "CustomErrorResponses"), message)
        for place, behaviour in enumerate(config.get("CacheBehaviors", [])):
            if behaviour.get("TargetOriginId") in apis and any(
                "statusCode" in code for code in _codes(stack, behaviour)
            ):
                yield Fault(
                    (*path, "CacheBehaviors", place),
                    "a function of the API's behaviour changes the status of its answers",
                )


def _kept_errors(stack: FilledTemplate) -> Iterator[Fault]:
    for distribution in stack.of_type("AWS::CloudFront::Distribution"):
        config = distribution.properties.get("DistributionConfig", {})
        if not _apis(config):
            continue
        at_once = {
            response.get("ErrorCode")
            for response in config.get("CustomErrorResponses", [])
            if str(response.get("ErrorCachingMinTTL")) == "0"
        }
        kept = [str(code) for code in _ALWAYS_CACHED if code not in at_once]
        if kept:
            yield Fault(
                (*distribution.path, "Properties", "DistributionConfig"),
                f"ErrorCachingMinTTL is not 0 for {', '.join(kept)}",
            )


def _apis(config: dict[str, Any]) -> set[str]:
    return {str(origin.get("Id")) for origin in config.get("Origins", []) if _OF_API in str(origin.get("DomainName"))}


def _codes(stack: FilledTemplate, behaviour: dict[str, Any]) -> Iterator[str]:
    for association in behaviour.get("FunctionAssociations", []):
        named = _REFERENCE.match(str(association.get("FunctionARN")))
        function: Resource | None = stack.resources.get(named[1]) if named else None
        if function:
            yield str(function.properties.get("FunctionCode"))
