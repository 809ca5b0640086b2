"""What API Gateway imports is openapi.yaml's routes, and nothing that its import does not know or
could misread.
"""

from __future__ import annotations

import json
from typing import Any

import gateway_document as gateway
import pytest
import yaml

from local.edge import read_error_texts


def described() -> dict[str, Any]:
    """Return the API's description."""
    content: dict[str, Any] = yaml.load(gateway.DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def imported() -> dict[str, Any]:
    """Return what API Gateway imports."""
    content: dict[str, Any] = json.loads(gateway.DOCUMENT.read_text(encoding="utf-8"))
    return content


@pytest.mark.req("A2")
def test_the_file_is_up_to_date() -> None:
    assert gateway.DOCUMENT.read_text(encoding="utf-8") == gateway.written(), "make gateway"


@pytest.mark.req("A2")
def test_every_operation_is_there_with_its_integration() -> None:
    def operations(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
        return {
            (path, method): item[method][gateway.INTEGRATION]
            for path, item in document["paths"].items()
            for method in gateway.METHODS
            if method in item
        }

    assert operations(imported()) == operations(described())


@pytest.mark.req("A3")
def test_the_routes_of_programs_and_of_the_helpdesk_alone_want_a_signature_and_none_a_key() -> None:
    document = imported()
    assert set(document["components"]["securitySchemes"]) == {"sigv4"}
    signed = {
        path
        for path, item in document["paths"].items()
        for method in gateway.METHODS
        if method in item and item[method]["security"]
    }
    assert signed == {path for path in document["paths"] if path.startswith(("/registry/", "/helpdesk/"))}
    assert signed >= {"/registry/check", "/registry/votes", "/helpdesk/look", "/helpdesk/acts"}


@pytest.mark.req("A2", "A15")
def test_error_texts_are_the_described_ones_in_ascii() -> None:
    assert gateway.DOCUMENT.read_bytes().isascii()
    answers, wanted = imported()[gateway.ERROR_TEXTS], described()[gateway.ERROR_TEXTS]
    assert answers.keys() == wanted.keys()
    for name, answer in answers.items():
        for kind, text in answer["responseTemplates"].items():
            assert text.isascii()
            assert json.loads(text) == json.loads(wanted[name]["responseTemplates"][kind])


def test_the_local_gateway_says_the_same() -> None:
    texts = read_error_texts(gateway.DOCUMENT)
    assert texts.keys() == {4, 5}
    assert json.loads(texts[4])["title"] == "Demande refusée"
    assert json.loads(texts[5])["code"] == "unavailable"


@pytest.mark.req("A6")
def test_the_api_is_named_after_the_stack() -> None:
    assert imported()["info"]["title"] == {"Ref": "AWS::StackName"}
