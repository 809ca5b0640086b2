"""What the rules of a web ACL cost in units of capacity, by AWS's lists."""

from __future__ import annotations

from typing import Any

import pytest
from deployed.firewall_capacity import capacity

COUNTRY: dict[str, Any] = {"GeoMatchStatement": {}}
XSS = "XssMatchStatement"


def group(name: str, **more: Any) -> dict[str, Any]:
    """Return a statement with one of AWS's groups of rules."""
    return {"ManagedRuleGroupStatement": {"Name": f"AWSManagedRules{name}", **more}}


@pytest.mark.parametrize(
    ("statement", "units"),
    [
        (COUNTRY, 1),
        ({"IPSetReferenceStatement": {}}, 1),
        ({"IPSetReferenceStatement": {"IPSetForwardedIPConfig": {"Position": "LAST"}}}, 1),
        ({"IPSetReferenceStatement": {"IPSetForwardedIPConfig": {"Position": "ANY"}}}, 5),
        ({"LabelMatchStatement": {}}, 1),
        ({"RateBasedStatement": {}}, 2),
        ({"RegexMatchStatement": {}}, 3),
        ({"RegexPatternSetReferenceStatement": {}}, 25),
        ({"SizeConstraintStatement": {}}, 1),
        ({"SqliMatchStatement": {}}, 20),
        ({"SqliMatchStatement": {"SensitivityLevel": "LOW"}}, 20),
        ({"SqliMatchStatement": {"SensitivityLevel": "HIGH"}}, 30),
        ({XSS: {}}, 40),
        ({"ByteMatchStatement": {"PositionalConstraint": "EXACTLY"}}, 2),
        ({"ByteMatchStatement": {"PositionalConstraint": "CONTAINS"}}, 10),
        ({"ByteMatchStatement": {"PositionalConstraint": "CONTAINS_WORD"}}, 10),
        ({XSS: {"FieldToMatch": {"JsonBody": {}}}}, 80),
        ({XSS: {"FieldToMatch": {"AllQueryArguments": {}}}}, 50),
        ({XSS: {"TextTransformations": [{"Type": "NONE"}]}}, 40),
        ({XSS: {"TextTransformations": [{"Type": "LOWERCASE"}, {"Type": "URL_DECODE"}]}}, 60),
        ({"RateBasedStatement": {"CustomKeys": [{}, {}]}}, 62),
        ({"RateBasedStatement": {"ScopeDownStatement": COUNTRY}}, 3),
        ({"NotStatement": {"Statement": COUNTRY}}, 1),
        ({"AndStatement": {"Statements": [COUNTRY, {XSS: {}}]}}, 41),
        (group("AdminProtectionRuleSet"), 100),
        (group("AmazonIpReputationList"), 25),
        (group("AnonymousIpList"), 50),
        (group("BotControlRuleSet"), 50),
        (group("CommonRuleSet"), 700),
        (group("KnownBadInputsRuleSet"), 200),
        (group("LinuxRuleSet"), 200),
        (group("PHPRuleSet"), 100),
        (group("SQLiRuleSet"), 200),
        (group("UnixRuleSet"), 100),
        (group("WindowsRuleSet"), 200),
        (group("WordPressRuleSet"), 100),
        (group("AnotherRuleSet"), 0),
        (group("CommonRuleSet", ScopeDownStatement=COUNTRY), 701),
    ],
    ids=str,
)
def test_a_statement_costs_what_aws_lists(statement: dict[str, Any], units: int) -> None:
    assert capacity([{"Statement": statement}]) == units


def test_rules_cost_what_each_of_them_does() -> None:
    assert capacity([{"Statement": COUNTRY}, {"Statement": {XSS: {}}}, {}]) == 41
