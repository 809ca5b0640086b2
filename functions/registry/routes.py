"""The routes of the registry, for the voting platform; API Gateway has checked its signature."""

from typing import ClassVar

from reassort.http import Answer, Body, Request, Routes, read_body, text
from reassort.logs import Journal
from reassort.problems import Problem

from registry.rules import Registry, check_identifier, record_vote

# Beside the body, which is what the platform's own programs were written to.
HANDLE_HEADER = "Reassort-Handle"
SEQUENCE_HEADER = "Reassort-Sequence"
_MESSAGES = {"identifier": "Un identifiant de vote est attendu."}


class IdentifierBody(Body):
    """`POST /registry/check` and `POST /registry/votes`."""

    identifier: str
    checks: ClassVar = {"identifier": text(100)}


class RegistryRoutes:
    """The routes of the registry."""

    def __init__(self, deps: Registry, journal: Journal) -> None:
        self._deps = deps
        self._journal = journal
        self.routes: Routes = {
            ("POST", "/registry/check"): self.check,
            ("POST", "/registry/votes"): self.vote,
        }

    def check(self, request: Request) -> Answer:
        """Tell whether an identifier is valid."""
        body = read_body(request, IdentifierBody, _MESSAGES)
        checked = check_identifier(body.identifier, self._deps)
        headers = {HANDLE_HEADER: checked.handle, SEQUENCE_HEADER: checked.sequence}
        return Answer(
            200, checked.body, headers={name: str(value) for name, value in headers.items() if value is not None}
        )

    def vote(self, request: Request) -> Answer:
        """Record a vote."""
        body = read_body(request, IdentifierBody, _MESSAGES)
        try:
            voter = record_vote(body.identifier, self._deps)
        except Problem as problem:
            self._journal.warn("vote refused", code=problem.code.value)
            raise
        self._journal.record("vote recorded", voter=voter.voter_id, generation=voter.generation)
        return Answer(200, {"counted": True})
