"""A1: headers that CloudFront takes for an origin."""

from collections.abc import Iterator

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.stack import FilledTemplate

_PREFIXES = ("x-amz-", "x-edge-")
# The page lists them one by one, beside the two prefixes.
_REFUSED = frozenset(
    {
        "cache-control",
        "connection",
        "content-length",
        "cookie",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "pragma",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "request-range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-real-ip",
    }
)


class CustomOriginHeaders(CloudFormationLintRule):
    """CloudFront refuses to make a distribution with such a header."""

    id = "E9001"
    shortdesc = "CloudFront takes the custom origin header"
    description = (
        "CloudFront refuses custom origin headers that begin with X-Amz- or X-Edge-, and those on its list; "
        "case does not matter"
    )
    source_url = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html#add-origin-custom-headers-denylist"
    tags = ["A1"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the headers that CloudFront refuses."""
        return in_each_stack(cfn, _refused_headers)


def _refused_headers(stack: FilledTemplate) -> Iterator[Fault]:
    for distribution in stack.of_type("AWS::CloudFront::Distribution"):
        config = distribution.properties.get("DistributionConfig", {})
        for place, origin in enumerate(config.get("Origins", [])):
            for number, header in enumerate(origin.get("OriginCustomHeaders", [])):
                name = str(header.get("HeaderName"))
                if name.lower().startswith(_PREFIXES) or name.lower() in _REFUSED:
                    path = (*distribution.path, "Properties", "DistributionConfig", "Origins", place)
                    yield Fault(
                        (*path, "OriginCustomHeaders", number, "HeaderName"),
                        f"CloudFront refuses the origin header {name}",
                    )
