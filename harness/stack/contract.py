"""The answers of the API, checked against `openapi.yaml`."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from openapi_schema_validator import OAS30Validator

from local.processes import ROOT

if TYPE_CHECKING:
    import httpx

_FILE = ROOT / "openapi.yaml"
_HTTP_NO_CONTENT = 204


@cache
def _contract() -> dict[str, Any]:
    contract: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return contract


def raise_if_broken(method: str, path: str, answer: httpx.Response) -> None:
    """Compare an answer with what the contract says of its operation.

    Raises:
        AssertionError: its status is not documented, its type or body is another, or a cache may keep it.
    """
    documented = _operation(method, path)["responses"]
    told = f"{method} {path} {answer.status_code} {answer.text[:300]}"
    assert str(answer.status_code) in documented, told
    content = documented[str(answer.status_code)].get("content", {})
    if answer.status_code == _HTTP_NO_CONTENT:
        assert not answer.content, told
        return
    for media_type, described in content.items():
        assert answer.headers["content-type"].partition(";")[0] == media_type, told
        schema = {**described["schema"], "components": _contract()["components"]}
        faults = [fault.message for fault in OAS30Validator(schema).iter_errors(answer.json())]
        assert not faults, f"{told}: {faults}"
        assert answer.headers["cache-control"] == "no-store", told
        if media_type == "application/problem+json":
            assert answer.json()["status"] == answer.status_code, told
            assert answer.status_code not in {429, 503} or "retry-after" in answer.headers, told


def _operation(method: str, path: str) -> dict[str, Any]:
    for template, operations in _contract()["paths"].items():
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            operation: dict[str, Any] = operations[method.lower()]
            return operation
    raise AssertionError(f"the contract has no {method} {path}")
