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
    total = 0
    for kind, body in statement.items():
        if kind == "ManagedRuleGroupStatement":
            total += _GROUPS.get(str(body.get("Name")), 0) + _units(body.get("ScopeDownStatement", {}))
            continue
        inner = [body.get("Statement", {}), body.get("ScopeDownStatement", {}), *body.get("Statements", [])]
        own = _CONTAINS_UNITS if body.get("PositionalConstraint") in _CONTAINS else _STATEMENTS.get(kind, 0)
        field = body.get("FieldToMatch", {})
        own = own * 2 if "JsonBody" in field else own
        own += _ALL_ARGUMENTS if "AllQueryArguments" in field else 0
        changed = [one for one in body.get("TextTransformations", []) if one.get("Type") != "NONE"]
        total += (
            own
            + _TRANSFORMATION * len(changed)
            + _CUSTOM_KEY * len(body.get("CustomKeys", []))
            + sum(map(_units, inner))
        )
    return total
