"""Where CloudFront takes each path of the site, and what it hands on, keeps and adds there."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from deployed.scenarios import defaults
from deployed.stack import FilledTemplate

from harness.engines.template import read_template

# AWS's own policies, by the ids that it gives them:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
MANAGED = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": "CachingOptimized",
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "CachingDisabled",
    # Cookies, the query and every header but Host.
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": "AllViewerExceptHostHeader",
}
PAGES = ["/", "/aide.html", "/assets/main.css", "/suivi.html", "/nowhere", "/api", "/aide/helpdesk"]
STATUS = ["/api/status"]
API = ["/api/login", "/api/reissue", "/api/login/code", "/api/status/x"]
HELPDESK_API = ["/helpdesk-api/helpdesk/me", "/helpdesk-api/helpdesk/acts", "/helpdesk-api/registry/votes"]
HELPDESK = ["/helpdesk", "/helpdesk/", "/helpdesk/index.html", "/helpdesk/assets/1/main.js"]


def resource(name: str) -> dict[str, Any]:
    """Return the properties of a resource."""
    found: dict[str, Any] = read_template()["Resources"][name]["Properties"]
    return found


def distribution() -> dict[str, Any]:
    """Return the configuration of the distribution."""
    found: dict[str, Any] = resource("Distribution")["DistributionConfig"]
    return found


def behaviour(path: str) -> dict[str, Any]:
    """Return what CloudFront does with a path: the first pattern that matches, else the default."""
    config = distribution()
    fitting = (one for one in config["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"]))
    found: dict[str, Any] = next(fitting, config["DefaultCacheBehavior"])
    return found


def policy(path: str, kind: str) -> str | None:
    """Return the name of a policy: AWS's, or that of a resource."""
    match behaviour(path).get(kind):
        case {"Ref": str(name)}:
            return name
        case str(managed):
            return MANAGED[managed]
    return None


def functions(path: str) -> dict[str, str]:
    """Return the functions that see a path, by what they see."""
    return {
        one["EventType"]: one["FunctionARN"]["Fn::GetAtt"].removesuffix(".FunctionMetadata.FunctionARN")
        for one in behaviour(path).get("FunctionAssociations", [])
    }


@pytest.mark.req("H1")
@pytest.mark.parametrize(
    ("paths", "origin"),
    [(PAGES, "site"), (STATUS, "api"), (API, "api"), (HELPDESK_API, "api"), (HELPDESK, "helpdesk")],
)
def test_each_path_has_its_origin(paths: list[str], origin: str) -> None:
    assert {behaviour(path)["TargetOriginId"] for path in paths} == {origin}


def test_each_origin_is_what_it_is_named_after() -> None:
    origins = {one["Id"]: one for one in distribution()["Origins"]}
    assert {name: one["DomainName"] for name, one in origins.items()} == {
        "site": {"Fn::GetAtt": "SiteBucket.RegionalDomainName"},
        "helpdesk": {"Fn::GetAtt": "HelpdeskBucket.RegionalDomainName"},
        "api": {"Fn::Sub": "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"},
    }
    assert origins["api"]["OriginPath"] == f"/{resource('Api')['StageName']}"
    assert not {"OriginPath", "OriginCustomHeaders"} & {*origins["site"], *origins["helpdesk"]}
    # Without it a bucket answers nobody.
    assert origins["site"]["OriginAccessControlId"] == origins["helpdesk"]["OriginAccessControlId"]
    assert origins["site"]["OriginAccessControlId"] == {"Ref": "SiteAccess"}


@pytest.mark.req("S21")
@pytest.mark.parametrize("path", [*API, *HELPDESK_API])
def test_what_the_api_is_asked_reaches_it_whole_and_no_answer_is_kept(path: str) -> None:
    """With cookies, which are a session, and with Authorization, which is an agent's signature."""
    assert policy(path, "CachePolicyId") == "CachingDisabled"
    assert policy(path, "OriginRequestPolicyId") == "AllViewerExceptHostHeader"
    assert {"GET", "POST", "DELETE"} <= set(behaviour(path)["AllowedMethods"])


@pytest.mark.req("S21")
@pytest.mark.parametrize("path", STATUS)
def test_of_the_one_answer_that_is_kept_nothing_of_a_request_reaches_the_api(path: str) -> None:
    assert policy(path, "CachePolicyId") == "StatusCache"
    assert policy(path, "OriginRequestPolicyId") is None
    assert functions(path) == {}
    assert behaviour(path)["AllowedMethods"] == ["GET", "HEAD"]
    config = resource("StatusCache")["CachePolicyConfig"]
    # As long as the answer says, half a minute at most.
    assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == (0, 0, 30)
    key = config["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


@pytest.mark.parametrize("path", [*PAGES, *HELPDESK])
def test_pages_are_kept_and_only_read(path: str) -> None:
    assert policy(path, "CachePolicyId") == "CachingOptimized"
    assert policy(path, "OriginRequestPolicyId") is None
    assert behaviour(path)["AllowedMethods"] == ["GET", "HEAD"]


@pytest.mark.req("S20", "H1")
def test_the_helpdesks_page_has_headers_of_its_own_and_every_other_path_the_sites() -> None:
    assert {policy(path, "ResponseHeadersPolicyId") for path in HELPDESK} == {"HelpdeskHeaders"}
    others = [*PAGES, *STATUS, *API, *HELPDESK_API]
    assert {policy(path, "ResponseHeadersPolicyId") for path in others} == {"SecurityHeaders"}


@pytest.mark.req("H1", "S27", "A15")
@pytest.mark.parametrize(
    ("paths", "seen_by"),
    [
        (PAGES, {"viewer-request": "MissingPage", "viewer-response": "MissingPageStatus"}),
        (API, {"viewer-request": "ViewerAddress"}),
        # It says who may pass, and writes the address as the other does.
        (HELPDESK_API, {"viewer-request": "HelpdeskApi"}),
        (HELPDESK, {"viewer-request": "HelpdeskPage"}),
    ],
)
def test_each_path_is_seen_by_its_function(paths: list[str], seen_by: dict[str, str]) -> None:
    assert [functions(path) for path in paths] == [seen_by] * len(paths)


def test_the_voting_platform_may_ask_as_often_as_voters_vote() -> None:
    rules = {rule["Name"]: rule for rule in resource("ApiFirewall")["Rules"]}
    rate = rules["registry-rate"]["Statement"]["RateBasedStatement"]
    assert rate["EvaluationWindowSec"] == 300
    # 1.2 million voters in a week; at worst a tenth of them in one hour.
    assert rate["Limit"] >= 1_200_000 / 10 * rate["EvaluationWindowSec"] / 3600


@pytest.mark.parametrize("given", ["", "arn:aws:wafv2:us-east-1:111122223333:global/webacl/own/1"])
def test_the_web_acl_that_is_given_is_the_distributions(given: str) -> None:
    values = {"DomainName": "vote.example.fr", "CertificateArn": "arn:of-it", "WebAclArn": given}
    stack = FilledTemplate(read_template(), defaults(read_template()) | values)
    config = stack.resources["Distribution"].properties["DistributionConfig"]
    assert config.get("WebACLId", "") == given
    assert config["Aliases"] == ["vote.example.fr"]
    assert config["ViewerCertificate"]["AcmCertificateArn"] == "arn:of-it"
    assert config["Enabled"] is True
