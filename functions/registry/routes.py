"""The routes of the registry, for the voting platform; API Gateway has checked its signature."""

from typing import Any

from reassort.http import Answer, Body, Request, Routes, read_body, serve, text
from reassort.problems import Problem

from registry.deps import Deps
from registry.rules import check_identifier, record_vote

# Beside the body, which is what the platform's own programs were written to.
HANDLE_HEADER = "Reassort-Handle"
SEQUENCE_HEADER = "Reassort-Sequence"
_MESSAGES = {"identifier": "Un identifiant de vote est attendu."}


class IdentifierBody(Body):
    """`POST /registry/check` and `POST /registry/votes`."""

    identifier = text(100)


def check(request: Request, deps: Deps) -> Answer:
    """Tell whether an identifier is valid."""
    body = read_body(request, IdentifierBody, _MESSAGES)
    checked = check_identifier(body.identifier, deps)
    headers = {HANDLE_HEADER: checked.handle, SEQUENCE_HEADER: checked.sequence}
    return Answer(200, checked.body, headers={name: str(value) for name, value in headers.items() if value is not None})


def vote(request: Request, deps: Deps) -> Answer:
    """Record a vote."""
    body = read_body(request, IdentifierBody, _MESSAGES)
    try:
        voter = record_vote(body.identifier, deps)
    except Problem as problem:
        deps.event_log.warn("vote refused", code=problem.code.value)
        raise
    deps.event_log.record("vote recorded", voter=voter.voter_id, generation=voter.generation)
    return Answer(200, {"counted": True})


ROUTES: Routes[Deps] = {
    ("POST", "/registry/check"): check,
    ("POST", "/registry/votes"): vote,
}


def answer(event: dict[str, Any], deps: Deps) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return serve(event, ROUTES, deps, site_origin=None)
