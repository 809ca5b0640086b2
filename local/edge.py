"""What CloudFront does besides handing on, read from the template: one source for both."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LOGICAL_ID = "SecurityHeaders"
ASSETS = "/assets/"
_WRITTEN_OUT = re.compile("%(?:25)*23")


class HeadersPolicyError(Exception):
    """The template's policy cannot be applied as CloudFront would."""


@dataclass(frozen=True)
class PolicyHeader:
    """A response header; `override` replaces what the origin sent under that name."""

    name: str
    value: str
    override: bool


class _BareArguments(yaml.CSafeLoader):
    """CloudFormation's short functions are YAML tags; here each becomes its bare argument."""


def _argument(loader: _BareArguments, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 YAML has no fourth kind of node
    return loader.construct_mapping(node, deep=True)


_BareArguments.add_multi_constructor("!", _argument)


def read_error_texts(document: Path) -> dict[int, str]:
    """Read what API Gateway says by itself, in JSON: by the first digit of the status."""
    answers = json.loads(document.read_text(encoding="utf-8"))["x-amazon-apigateway-gateway-responses"]
    return {digit: answers[f"DEFAULT_{digit}XX"]["responseTemplates"]["application/json"] for digit in (4, 5)}


def read_pages(template: Path) -> frozenset[str]:
    """Read the paths of the site's pages; CloudFront's functions answer any other path outside of
    `ASSETS` with 404.html.
    """
    return frozenset(_read(template)["Mappings"]["Site"]["Pages"]["Paths"].split())


def page_of(path: str) -> str:
    """Return the page that a path asks for, as CloudFront's functions do: what follows a `#` that
    was written out is for the page alone.
    """
    return _WRITTEN_OUT.split(path, maxsplit=1)[0]


def read_security_headers(template: Path, policy_id: str = LOGICAL_ID) -> tuple[PolicyHeader, ...]:
    """Read the headers of a response headers policy of the template.

    Raises:
        HeadersPolicyError: there is no such policy, or it holds a kind of header that is not known
            here.
    """
    try:
        policy = _read(template)["Resources"][policy_id]["Properties"]["ResponseHeadersPolicyConfig"]
    except (KeyError, TypeError) as error:
        raise HeadersPolicyError(f"{template.name}: no response headers policy {policy_id}") from error
    headers = [_known(kind, settings) for kind, settings in policy.get("SecurityHeadersConfig", {}).items()]
    headers += [
        PolicyHeader(item["Header"], item["Value"], item["Override"])
        for item in policy.get("CustomHeadersConfig", {}).get("Items", [])
    ]
    return tuple(headers)


def _read(template: Path) -> dict[str, Any]:
    # S506: the loader is a safe one.
    content: dict[str, Any] = yaml.load(template.read_text(encoding="utf-8"), Loader=_BareArguments)  # noqa: S506
    return content


def _known(kind: str, settings: dict[str, Any]) -> PolicyHeader:
    match kind:
        case "ContentSecurityPolicy":
            name, value = "Content-Security-Policy", settings["ContentSecurityPolicy"]
        case "StrictTransportSecurity":
            name, value = "Strict-Transport-Security", f"max-age={settings['AccessControlMaxAgeSec']}"
            value += "; includeSubDomains" if settings.get("IncludeSubdomains") else ""
            value += "; preload" if settings.get("Preload") else ""
        case "ContentTypeOptions":
            name, value = "X-Content-Type-Options", "nosniff"
        case "FrameOptions":
            name, value = "X-Frame-Options", settings["FrameOption"]
        case "ReferrerPolicy":
            name, value = "Referrer-Policy", settings["ReferrerPolicy"]
        case _:
            raise HeadersPolicyError(f"{LOGICAL_ID}: {kind} is not known to the local gateway")
    return PolicyHeader(name, " ".join(value.split()), settings["Override"])
