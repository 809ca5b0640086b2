"""What the templates promise of the firewall in front of the API, of the edge before it and of the
stage behind it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from reassort.http import MAX_BODY_BYTES

from harness.engines.template import read_template

# A school behind one address, and what one person of it asks for in five minutes.
PEOPLE = 2000
CODES_EACH = 2
REQUESTS_EACH = 30


def _resource(name: str) -> dict[str, Any]:
    resource: dict[str, Any] = read_template()["Resources"][name]
    return resource


def _rules() -> dict[str, dict[str, Any]]:
    return {rule["Name"]: rule for rule in _resource("ApiFirewall")["Properties"]["Rules"]}


def _managed() -> dict[str, dict[str, Any]]:
    groups = [rule["Statement"].get("ManagedRuleGroupStatement") for rule in _rules().values()]
    return {group["Name"]: group for group in groups if group}


def _distribution() -> dict[str, Any]:
    config: dict[str, Any] = _resource("Distribution")["Properties"]["DistributionConfig"]
    return config


@pytest.mark.parametrize(
    "name",
    [
        "ApiFirewall",
        "ApiFirewallAssociation",
        "BlueOriginSecret",
        "GreenOriginSecret",
        "ViewerAddress",
        "RatesAlarm",
        "FirewallAlarm",
    ],
)
def test_firewall_comes_with_the_edge(name: str) -> None:
    assert _resource(name)["Condition"] == "Edge"


def test_firewall_guards_the_stage_itself() -> None:
    assert _resource("ApiFirewall")["Properties"]["Scope"] == "REGIONAL"
    association = _resource("ApiFirewallAssociation")["Properties"]
    assert association["ResourceArn"]["Fn::Sub"].endswith("/restapis/${Api}/stages/${Api.Stage}")
    assert association["WebACLArn"] == {"Fn::GetAtt": "ApiFirewall.Arn"}


def test_firewall_blocks_by_its_own_rules_and_by_the_managed_ones() -> None:
    rules = _rules()
    assert [rule["Priority"] for rule in rules.values()] == list(range(len(rules)))
    for rule in rules.values():
        if "ManagedRuleGroupStatement" in rule["Statement"]:
            assert rule["OverrideAction"] == {"None": {}}
        else:
            assert rule["Action"] == {"Block": {}}
    assert set(_managed()) == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    }
    exceptions = {
        name: [(override["Name"], override["ActionToUse"]) for override in group.get("RuleActionOverrides", [])]
        for name, group in _managed().items()
    }
    assert exceptions == {
        "AWSManagedRulesCommonRuleSet": [
            ("NoUserAgent_HEADER", {"Count": {}}),
            ("CrossSiteScripting_BODY", {"Count": {}}),
        ],
        "AWSManagedRulesKnownBadInputsRuleSet": [],
        "AWSManagedRulesAmazonIpReputationList": [],
    }


def test_bodies_that_no_form_sends_are_blocked_and_the_others_get_their_answer() -> None:
    limit = _rules()["body-size"]["Statement"]["SizeConstraintStatement"]
    assert limit["ComparisonOperator"] == "GT"
    # The function's own answer, 413 in French, must reach anyone who is a little over its limit.
    assert MAX_BODY_BYTES < limit["Size"] == 8192
    # Beyond the 16 KiB that WAF reads of a body.
    assert limit["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}


@pytest.mark.parametrize(("name", "each"), [("codes-rate", CODES_EACH), ("requests-rate", REQUESTS_EACH)])
def test_a_whole_school_fits_under_the_rate_of_one_address(name: str, each: int) -> None:
    rate = _rules()[name]["Statement"]["RateBasedStatement"]
    assert rate["EvaluationWindowSec"] == 300
    assert PEOPLE * each * 1.25 <= rate["Limit"] <= PEOPLE * each * 1.5


@pytest.mark.req("S31")
def test_a_flood_is_blocked_before_it_has_asked_for_what_a_school_asks_in_five_minutes() -> None:
    rules = _rules()
    burst, rate = (rules[name]["Statement"]["RateBasedStatement"] for name in ("codes-burst", "codes-rate"))
    assert (burst["EvaluationWindowSec"], burst["Limit"] * 5) == (60, rate["Limit"])
    assert burst["ScopeDownStatement"] == rate["ScopeDownStatement"]


def test_nobody_is_challenged_for_pages_run_no_script_of_anybody_else() -> None:
    assert not re.search(r"Challenge|Captcha", str(_rules()))


@pytest.mark.parametrize("name", ["codes-rate", "codes-burst", "requests-rate"])
def test_rates_are_counted_for_the_address_that_cloudfront_saw(name: str) -> None:
    rate = _rules()[name]["Statement"]["RateBasedStatement"]
    assert rate["AggregateKeyType"] == "FORWARDED_IP"
    header = rate["ForwardedIPConfig"]["HeaderName"]
    # A header that holds no address must not turn every voter away.
    assert rate["ForwardedIPConfig"]["FallbackBehavior"] == "NO_MATCH"
    code = _resource("ViewerAddress")["Properties"]["FunctionCode"]
    assert f"event.request.headers['{header}'] = {{value: event.viewer.ip}};" in code
    (api,) = [cached for cached in _distribution()["CacheBehaviors"] if cached["PathPattern"] == "/api/*"]
    assert api["FunctionAssociations"] == [
        {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": "ViewerAddress.FunctionMetadata.FunctionARN"}}
    ]


def test_the_rate_of_codes_is_that_of_the_route_that_sends_them() -> None:
    scope = _rules()["codes-rate"]["Statement"]["RateBasedStatement"]["ScopeDownStatement"]["AndStatement"][
        "Statements"
    ]
    assert scope[0]["ByteMatchStatement"]["SearchString"] == "POST"
    pattern = re.compile(scope[1]["RegexMatchStatement"]["RegexString"])
    assert pattern.search("/v1/api/login")
    assert pattern.search("/api/login")
    assert not pattern.search("/v1/api/login/code")


@pytest.mark.req("S27")
def test_no_header_of_a_direct_caller_counts_for_somebody_else() -> None:
    """The two routes of the registry take requests that did not come through CloudFront: their
    headers are their own.
    """
    for name, rule in _rules().items():
        rate = rule["Statement"].get("RateBasedStatement")
        if rate is None or rate["AggregateKeyType"] != "FORWARDED_IP":
            continue
        scope = rate["ScopeDownStatement"]
        paths = [
            part["RegexMatchStatement"]
            for part in scope.get("AndStatement", {}).get("Statements", [scope])
            if "RegexMatchStatement" in part
        ]
        (path,) = paths
        for route in ("/registry/check", "/v1/registry/votes"):
            assert not re.search(path["RegexString"], route), name
    direct = _rules()["registry-rate"]["Statement"]["RateBasedStatement"]
    assert direct["AggregateKeyType"] == "IP"
    assert re.search(direct["ScopeDownStatement"]["RegexMatchStatement"]["RegexString"], "/v1/registry/check")


def test_only_cloudfront_and_the_voting_platform_get_past_the_first_rule() -> None:
    first = _resource("ApiFirewall")["Properties"]["Rules"][0]
    assert first["Name"] == "around-the-edge"
    *secrets, registry = (
        part["NotStatement"]["Statement"] for part in first["Statement"]["AndStatement"]["Statements"]
    )
    accepted = [secret["ByteMatchStatement"] for secret in secrets]
    assert {matched["PositionalConstraint"] for matched in accepted} == {"EXACTLY"}
    (header,) = {matched["FieldToMatch"]["SingleHeader"]["Name"] for matched in accepted}
    (api,) = [origin for origin in _distribution()["Origins"] if origin["Id"] == "api"]
    (sent,) = api["OriginCustomHeaders"]
    assert sent["HeaderName"] == header
    condition, green, blue = sent["HeaderValue"]["Fn::If"]
    assert condition == "GreenSent"
    # The firewall takes both, so that nobody is turned away while CloudFront changes from one to
    # the other.
    assert [matched["SearchString"] for matched in accepted] == [blue, green]
    assert registry["RegexMatchStatement"]["TextTransformations"] == [{"Priority": 0, "Type": "NONE"}]
    # The association waits for the distribution, whose requests would be blocked otherwise.
    assert _resource("ApiFirewallAssociation")["DependsOn"] == "Distribution"
    pattern = re.compile(registry["RegexMatchStatement"]["RegexString"])
    for path in ("/v1/registry/check", "/registry/votes"):
        assert pattern.search(path)
    for path in ("/v1/api/login", "/v1/api/reissue/registry/check", "/v1/registry/check/x", "/v1/registry/check%2F"):
        assert not pattern.search(path)


@pytest.mark.req("A14")
@pytest.mark.parametrize("colour", ["Blue", "Green"])
def test_a_secret_is_replaced_and_never_gets_another_value(colour: str) -> None:
    """CloudFormation reads a secret again only where the reference to it changes, which its ARN
    does with its name.
    """
    name, variables = _resource(f"{colour}OriginSecret")["Properties"]["Name"]["Fn::Sub"]
    assert f"${{{colour}Secret}}" in name
    # A name is free again only days after its secret was deleted; another stack of the same name
    # has another id.
    assert "AWS::StackId" in str(variables)


def test_rates_see_through_other_spellings_of_a_path() -> None:
    paths = [
        part["RegexMatchStatement"]
        for rule in _rules().values()
        if (rate := rule["Statement"].get("RateBasedStatement"))
        for part in rate["ScopeDownStatement"].get("AndStatement", {}).get("Statements", [rate["ScopeDownStatement"]])
        if "RegexMatchStatement" in part
    ]
    assert len(paths) == 4
    for path in paths:
        transformations = sorted(path["TextTransformations"], key=lambda one: int(one["Priority"]))
        assert [one["Type"] for one in transformations] == ["URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"]


@pytest.mark.req("S23", "I7")
def test_firewall_keeps_no_request() -> None:
    shown = [_resource("ApiFirewall")["Properties"]["VisibilityConfig"]]
    shown += [rule["VisibilityConfig"] for rule in _rules().values()]
    assert all(part["SampledRequestsEnabled"] is False and part["CloudWatchMetricsEnabled"] is True for part in shown)
    types = {resource["Type"] for resource in read_template()["Resources"].values()}
    assert "AWS::WAFv2::LoggingConfiguration" not in types


@pytest.mark.parametrize(("name", "rule"), [("RatesAlarm", "codes-rate"), ("FirewallAlarm", "ALL")])
def test_alarms_watch_what_the_firewall_counts(name: str, rule: str) -> None:
    dimensions = {part["Name"]: part["Value"] for part in _resource(name)["Properties"]["Dimensions"]}
    firewall = _resource("ApiFirewall")["Properties"]
    assert dimensions["WebACL"] == firewall["Name"] == firewall["VisibilityConfig"]["MetricName"]
    assert dimensions["Rule"] == rule
    assert rule == "ALL" or _rules()[rule]["VisibilityConfig"]["MetricName"] == rule


@pytest.mark.req("S23", "I7")
def test_the_log_of_the_api_holds_nothing_of_a_person() -> None:
    told = set(re.findall(r"\$context\.([\w.]+)", _resource("Api")["Properties"]["AccessLogSetting"]["Format"]))
    assert told == {
        "requestId",
        "requestTimeEpoch",
        "httpMethod",
        "resourcePath",
        "status",
        "responseLatency",
        "error.responseType",
    }
    (settings,) = _resource("Api")["Properties"]["MethodSettings"]
    assert settings["DataTraceEnabled"] is False


def test_the_stage_has_a_throttle_for_every_route() -> None:
    (settings,) = _resource("Api")["Properties"]["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    # Sign-in and reissue of 3,000 voters a minute are some 25 requests each: 1,250 a second.
    assert 3000 * 25 / 60 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]


def test_nothing_is_spoken_below_tls_1_2() -> None:
    config = _distribution()
    assert config["ViewerCertificate"]["MinimumProtocolVersion"].startswith("TLSv1.2_")
    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]
    assert {part["ViewerProtocolPolicy"] for part in behaviours} == {"redirect-to-https", "https-only"}
    (api,) = [origin for origin in config["Origins"] if origin["Id"] == "api"]
    assert api["CustomOriginConfig"] == {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]}
    assert _resource("Api")["Properties"]["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_PFS")
