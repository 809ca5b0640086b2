"""Each body of a request has the members that `openapi.yaml` describes, within the bounds that it
says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from helpdesk.fields import ActBody, DataBody, DecisionBody, EndBody, LookBody
from login.routes import AskBody, RedeemBody
from registry.routes import IdentifierBody
from reissue.routes import DisputeBody, ProvenReissueBody, RedeliveryBody, ReissueBody

from harness.service.openapi import operations

if TYPE_CHECKING:
    from reassort.http import Body

BODIES: dict[str, type[Body]] = {
    "/api/login": AskBody,
    "/api/login/code": RedeemBody,
    "/api/reissue": ProvenReissueBody,
    "/api/reissue/{reference}/redelivery": RedeliveryBody,
    "/api/dispute": DisputeBody,
    "/api/dispute/look": DisputeBody,
    "/registry/check": IdentifierBody,
    "/registry/votes": IdentifierBody,
    "/helpdesk/look": LookBody,
    "/helpdesk/data": DataBody,
    "/helpdesk/acts": ActBody,
    "/helpdesk/proposals/{reference}": DecisionBody,
    "/helpdesk/sessions/{agent}/end": EndBody,
}
# Asked for by some elections, by a body of its own: the description lets it be missing.
_OF_SOME = {"extra_proof"}
pytestmark = pytest.mark.req("S29")


def _described(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = operations()["POST", path]["requestBody"]["content"]["application/json"]["schema"]
    return schema


def _members(*, texts: bool) -> list[tuple[str, str]]:
    return [
        (path, name)
        for path in BODIES
        for name, member in _described(path)["properties"].items()
        if ("maxLength" in member) is texts
    ]


def test_every_body_that_is_described_is_tried() -> None:
    assert set(BODIES) == {path for (_, path), one in operations().items() if "requestBody" in one}


@pytest.mark.parametrize("path", BODIES)
def test_a_body_has_the_members_that_are_described(path: str) -> None:
    described, fields = _described(path), BODIES[path].fields
    assert set(fields) == set(described["properties"])
    assert {name for name, member in fields.items() if member.required} - _OF_SOME == set(described["required"])


def test_a_further_proof_is_asked_for_where_the_election_asks_for_one_alone() -> None:
    assert set(ProvenReissueBody.fields) - set(ReissueBody.fields) == _OF_SOME
    assert ProvenReissueBody.fields["extra_proof"].required


@pytest.mark.parametrize(("path", "name"), _members(texts=True))
def test_a_text_has_as_many_characters_as_are_described(path: str, name: str) -> None:
    takes, longest = BODIES[path].fields[name].takes, _described(path)["properties"][name]["maxLength"]
    assert [takes("x" * length) for length in (0, 1, longest, longest + 1)] == [False, True, True, False]


@pytest.mark.parametrize(("path", "name"), _members(texts=False))
def test_a_choice_has_the_values_that_are_described(path: str, name: str) -> None:
    takes, values = BODIES[path].fields[name].takes, _described(path)["properties"][name]["enum"]
    assert all(takes(value) for value in values)
    assert not any(takes(value) for value in ("", "other", False, None))
