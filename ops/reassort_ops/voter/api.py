"""The helpdesk's API, as the command calls it: signed with the operator's own credentials for
execute-api.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from botocore.credentials import Credentials

# API Gateway gives up after 29 s.
_SECONDS = 35
# The same request again, under the same key, finds what the first one did.
_TRIES = 3


class NoAnswerError(OperatorError):
    """The API does not answer. Whether anything was done is unknown."""


class HelpdeskRefusalError(OperatorError):
    """The API refuses. `code` is its own, empty when it is API Gateway that refuses; `fault` is of
    the first field that is wrong, as `who/domain`; `retry_after` is in seconds.
    """

    def __init__(self, message: str, status: int, code: str, fault: str, retry_after: int | None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fault = fault
        self.retry_after = retry_after


class NothingToDoError(Exception):
    """What was asked for is so already; nothing was changed. Its text is French."""


@dataclass(frozen=True)
class HelpdeskApi:
    """One stack's API. `url` is its base, for which requests are signed, `credentials` are the
    operator's.

    `via` is where they are sent, where a firewall lets nothing come to the API itself.
    """

    url: str
    region: str
    credentials: Credentials
    via: str | None = None

    def me(self) -> dict[str, Any]:
        """Return what the operator may do here, and whether another person must confirm it.

        Raises:
            OperatorError: refused, or the API does not answer.
        """
        return self._call("/helpdesk/me", None, {})

    def look(self, who: str, caller_code: str | None) -> dict[str, Any]:
        """Return what an agent sees of a voter.

        Raises:
            OperatorError: refused, or the API does not answer.
        """
        return self._call("/helpdesk/look", _given(who=who, caller_code=caller_code), {})

    def data(self, who: str, reason: str) -> dict[str, Any]:
        """Return what is kept about a voter, for them to have.

        Raises:
            OperatorError: refused, or the API does not answer.
        """
        return self._call("/helpdesk/data", _given(who=who, reason=reason), {})

    def act(
        self, act: str, who: str, reason: str, *, caller_code: str | None = None, number: str | None = None
    ) -> dict[str, Any]:
        """Do something to a voter, once. The answer has a `proposal` where another person must
        confirm first.

        Raises:
            NothingToDoError: it is so already.
            OperatorError: refused, or the API does not answer; then `voter show` tells whether it
                was done.
        """
        body = _given(act=act, who=who, reason=reason, caller_code=caller_code, number=number)
        return self._call("/helpdesk/acts", body, {"Idempotency-Key": str(uuid.uuid4())})

    def give_in_batch(self, address: str, reason: str, key: str) -> dict[str, Any]:
        """Give a voter the next identifier, or propose it, once for each key, no matter which of
        the operators calls. It is asked once: the same call again finds out what became of it.

        Raises:
            NothingToDoError: somebody proposed it before.
            HelpdeskRefusalError: nothing was changed.
            NoAnswerError: the API does not answer.
        """
        body = {"act": "reissue", "who": address, "reason": reason, "batch": True}
        return self._call("/helpdesk/acts", body, {"Idempotency-Key": key}, tries=1)

    def proposals(self) -> list[dict[str, Any]]:
        """Return what waits for a second person, oldest first.

        Raises:
            OperatorError: refused, or the API does not answer.
        """
        waiting: list[dict[str, Any]] = self._call("/helpdesk/proposals", None, {})["proposals"]
        return waiting

    def decide(self, proposal: str, decision: str, reason: str) -> dict[str, Any]:
        """Confirm or refuse what somebody else proposed, once.

        Raises:
            OperatorError: refused, or the API does not answer; then the same call again tells
                whether it was done.
        """
        path = f"/helpdesk/proposals/{quote(proposal, safe='')}"
        return self._call(path, _given(decision=decision, reason=reason), {})

    def end_sessions(self, agent: str, reason: str) -> None:
        """Let nothing more be done by an agent, whose number in the user pool this is.

        Raises:
            OperatorError: refused, or the API does not answer.
        """
        self._call(f"/helpdesk/sessions/{quote(agent, safe='')}/end", _given(reason=reason), {})

    def _call(
        self, path: str, body: Mapping[str, Any] | None, headers: dict[str, str], tries: int = _TRIES
    ) -> dict[str, Any]:
        """Post a body, or get what is there."""
        method, text = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
        session = URLLib3Session(timeout=_SECONDS)
        for attempt in range(1, tries + 1):
            request = AWSRequest(
                method, self.url + path, data=text, headers={"Content-Type": "application/json", **headers}
            )
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
            prepared = request.prepare()
            prepared.url = (self.via or self.url) + path
            try:
                answer = session.send(prepared)
            except BotoCoreError as error:
                if attempt == tries:
                    raise NoAnswerError(
                        tr("the helpdesk's API does not answer: see what was done with voter show")
                    ) from error
                continue
            if answer.status_code < 500 or attempt == tries:
                return read_answer(answer.status_code, answer.content, answer.headers.get("Retry-After", ""))
        raise AssertionError  # pragma: no cover - the last attempt returns or raises


def read_answer(status: int, content: bytes, retry_after: str) -> dict[str, Any]:
    """Return what the API answered; `retry_after` is its header of that name.

    Raises:
        NothingToDoError: it is so already.
        OperatorError: refused.
    """
    if status == 204:
        return {}
    try:
        body: dict[str, Any] = json.loads(content)
    except ValueError as error:
        said = tr("the helpdesk's API answered {status}, and not in JSON", status=status)
        raise HelpdeskRefusalError(said, status, "", "", _seconds(retry_after)) from error
    if status in (200, 202):
        return body
    if body.get("code") == "nothing-to-do":
        raise NothingToDoError(body["detail"])
    if status == 403 and "code" not in body:
        raise OperatorError(
            tr("your AWS credentials may not call the helpdesk's API: attach its policy (docs/runbook.md)")
        )
    faults = body.get("errors", [])
    details = [fault["message"] for fault in faults] or [body.get("detail", "")]
    said = tr("{details} ({code})", details=" ".join(details), code=body.get("code", status))
    first = f"{faults[0]['field']}/{faults[0]['code']}" if faults else ""
    raise HelpdeskRefusalError(said, status, body.get("code", ""), first, _seconds(retry_after))


def _seconds(retry_after: str) -> int | None:
    return int(retry_after) if retry_after.isdecimal() else None


def _given(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}
