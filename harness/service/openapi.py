"""What `openapi.yaml` says of an answer."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from local.processes import ROOT

if TYPE_CHECKING:
    from harness.service.world import Response

FILE = ROOT / "openapi.yaml"
METHODS = frozenset({"get", "post", "put", "patch", "delete"})


class UndescribedError(AssertionError):
    """An answer is not one that the description of the API allows."""


@cache
def description() -> dict[str, Any]:
    """Return the description with every reference replaced by what it names."""
    content: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    resolved: dict[str, Any] = _resolve(content, content)
    return resolved


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Return every operation by method, in upper case, and path."""
    return {
        (method.upper(), path): operation
        for path, item in description()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def kept_for(method: str, path: str, status: int) -> str:
    """Return the Cache-Control of an answer: no cache keeps it, but the one that describes how
    long.
    """
    answer = operations().get((method, path), {}).get("responses", {}).get(str(status), {})
    described: str = answer.get("headers", {}).get("Cache-Control", {}).get("description", "`no-store`")
    return described.strip("`")


def raise_if_undescribed(response: Response) -> None:
    """Check status, media type, headers and body of an answer.

    Raises:
        UndescribedError: names the answer and the first difference.
    """
    described = operations().get((response.method, response.resource), {}).get("responses", {})
    answer = described.get(str(response.status))
    where = f"{response.method} {response.resource} {response.status}"
    if answer is None:
        raise UndescribedError(f"{where} is not described: {response.text}")
    for name, header in answer.get("headers", {}).items():
        present = bool(response.cookies) if name == "Set-Cookie" else name.lower() in response.headers
        if header.get("required") and not present:
            raise UndescribedError(f"{where} lacks the header {name}")
    content = answer.get("content")
    if content is None:
        if response.text:
            raise UndescribedError(f"{where} has a body: {response.text}")
        return
    media_type = response.headers["content-type"]
    if media_type not in content:
        raise UndescribedError(f"{where} is {media_type}, not {', '.join(content)}")
    validator = OAS30Validator(content[media_type]["schema"], format_checker=oas30_format_checker)
    body = json.loads(response.text)
    for error in validator.iter_errors(body):
        raise UndescribedError(f"{where}: {error.json_path}: {error.message}")
    codes = answer.get("x-codes")
    if codes is not None and body["code"] not in codes:
        raise UndescribedError(f"{where} is {body['code']}, not {', '.join(codes)}")


def _resolve(part: Any, whole: dict[str, Any]) -> Any:
    match part:
        case {"$ref": str(reference)}:
            target: Any = whole
            for step in reference.removeprefix("#/").split("/"):
                target = target[step]
            return _resolve(target, whole)
        case dict():
            return {name: _resolve(member, whole) for name, member in part.items()}
        case list():
            return [_resolve(element, whole) for element in part]
        case _:
            return part
