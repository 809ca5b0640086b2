"""The answers of the API, checked against `openapi.yaml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openapi_schema_validator import OAS30Validator

from harness.service.openapi import kept_for, operations

if TYPE_CHECKING:
    import httpx

_HTTP_NO_CONTENT = 204


def raise_if_broken(method: str, path: str, answer: httpx.Response) -> None:
    """Compare an answer with what the contract says of its operation.

    Raises:
        AssertionError: its status is not documented, its type or body is another, or a cache may
            keep it.
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
        faults = [fault.message for fault in OAS30Validator(described["schema"]).iter_errors(answer.json())]
        assert not faults, f"{told}: {faults}"
        assert answer.headers["cache-control"] == kept_for(method.upper(), path, answer.status_code), told
        if media_type == "application/problem+json":
            assert answer.json()["status"] == answer.status_code, told
            assert answer.status_code not in {429, 503} or "retry-after" in answer.headers, told


def _operation(method: str, path: str) -> dict[str, Any]:
    for (known, template), operation in operations().items():
        if known == method.upper() and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return operation
    raise AssertionError(f"the contract has no {method} {path}")
