"""Units of capacity (WCU) of a web ACL's rules, as far as AWS publishes them.

Statements: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements-list.html
Managed groups:
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
"""

from collections.abc import Iterable

from deployed.stack import Json

_STATEMENTS = {
    "ByteMatchStatement": 2,
    "GeoMatchStatement": 1,
    "IPSetReferenceStatement": 1,
    "LabelMatchStatement": 1,
    "RateBasedStatement": 2,
    "RegexMatchStatement": 3,
    "RegexPatternSetReferenceStatement": 25,
    "SizeConstraintStatement": 1,
    "SqliMatchStatement": 20,
    "XssMatchStatement": 40,
}
_CONTAINS = ("CONTAINS", "CONTAINS_WORD")
_CONTAINS_UNITS = 10
_HIGH_SENSITIVITY_UNITS = 30
_ANY_POSITION = 4
_TRANSFORMATION = 10
_ALL_ARGUMENTS = 10
_CUSTOM_KEY = 30
_GROUPS = {
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesBotControlRuleSet": 50,
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesWordPressRuleSet": 100,
}


def capacity(rules: Iterable[Json]) -> int:
    """Return the units of the resolved rules of a web ACL; a group that AWS does not publish here
    counts nothing.
    """
    return sum(_units(rule.get("Statement", {})) for rule in rules)


def _units(statement: Json) -> int:
    return sum(_of_kind(kind, body) for kind, body in statement.items())


def _of_kind(kind: str, body: Json) -> int:
    own = _GROUPS.get(str(body.get("Name")), 0) if kind == "ManagedRuleGroupStatement" else _STATEMENTS.get(kind, 0)
    if body.get("PositionalConstraint") in _CONTAINS:
        own = _CONTAINS_UNITS
    if body.get("SensitivityLevel") == "HIGH":
        own = _HIGH_SENSITIVITY_UNITS
    if body.get("IPSetForwardedIPConfig", {}).get("Position") == "ANY":
        own += _ANY_POSITION
    field = body.get("FieldToMatch", {})
    if "JsonBody" in field:
        own *= 2
    if "AllQueryArguments" in field:
        own += _ALL_ARGUMENTS
    changed = [one for one in body.get("TextTransformations", []) if one.get("Type") != "NONE"]
    inner = [body.get("Statement", {}), body.get("ScopeDownStatement", {}), *body.get("Statements", [])]
    return (
        own + _TRANSFORMATION * len(changed) + _CUSTOM_KEY * len(body.get("CustomKeys", [])) + sum(map(_units, inner))
    )
