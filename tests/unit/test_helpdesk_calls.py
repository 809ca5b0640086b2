"""How the command calls the helpdesk's API, and what it makes of the answers, without any API."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError
from reassort_ops.failures import OperatorError
from reassort_ops.voter import api
from reassort_ops.voter.api import HelpdeskApi, HelpdeskRefusalError, NoAnswerError, NothingToDoError, read_answer

URL = "https://api.example.org/v1"
NOWHERE = EndpointConnectionError(endpoint_url=URL)
DONE = (200, {"done": True})


class SpokenLine:
    """What the command sends, and what comes back, one answer a request."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.sent: list[Any] = []
        self.patience: set[int] = set()

    def session(self, timeout: int) -> SpokenLine:
        """Begin a session."""
        self.patience.add(timeout)
        return self

    def send(self, request: Any) -> Any:
        """Answer."""
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return SimpleNamespace(status_code=status, content=json.dumps(body).encode(), headers={"Retry-After": "7"})

    def body(self) -> Any:
        """Return the body of the last request."""
        return json.loads(self.sent[-1].body)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> SpokenLine:
    """The line to the API."""
    made = SpokenLine()
    monkeypatch.setattr(api, "URLLib3Session", made.session)
    return made


def calling(via: str | None = None) -> HelpdeskApi:
    return HelpdeskApi(URL, "eu-west-3", Credentials("key", "secret"), via)


def test_what_is_there_is_got_and_signed(wire: SpokenLine) -> None:
    wire.answers = [DONE]
    assert calling().me() == {"done": True}
    (request,) = wire.sent
    assert (request.method, request.url, request.body) == ("GET", f"{URL}/helpdesk/me", None)
    assert "/eu-west-3/execute-api/aws4_request" in str(request.headers["Authorization"])
    assert request.headers["Content-Type"] in ("application/json", b"application/json")
    # API Gateway gives up after 29 s.
    assert wire.patience == {35}


def test_each_call_posts_what_it_was_given_and_nothing_else(wire: SpokenLine) -> None:
    wire.answers = [DONE] * 4 + [(200, {"proposals": [{"proposal": "p"}]}), (204, None), DONE]
    there = calling("https://front.example.org")
    there.look("a@b.fr", None)
    assert (wire.sent[-1].method, wire.sent[-1].url) == ("POST", "https://front.example.org/helpdesk/look")
    assert wire.body() == {"who": "a@b.fr"}
    there.data("a@b.fr", "r")
    assert (wire.sent[-1].url.endswith("/helpdesk/data"), wire.body()) == (True, {"who": "a@b.fr", "reason": "r"})
    there.act("freeze", "a@b.fr", "r", number="1")
    assert wire.body() == {"act": "freeze", "who": "a@b.fr", "reason": "r", "number": "1"}
    assert len(wire.sent[-1].headers["Idempotency-Key"]) == 36
    there.give_in_batch("a@b.fr", "r", "k")
    assert wire.body() == {"act": "reissue", "who": "a@b.fr", "reason": "r", "batch": True}
    assert wire.sent[-1].headers["Idempotency-Key"] in ("k", b"k")
    assert there.proposals() == [{"proposal": "p"}]
    there.end_sessions("1/2", "r")
    assert wire.sent[-1].url.endswith("/helpdesk/sessions/1%2F2/end")
    assert wire.body() == {"reason": "r"}
    there.decide("p/1", "confirm", "r")
    assert wire.sent[-1].url.endswith("/helpdesk/proposals/p%2F1")
    assert wire.body() == {"decision": "confirm", "reason": "r"}


def test_a_request_is_made_three_times_at_most(wire: SpokenLine) -> None:
    wire.answers = [NOWHERE, (500, {}), DONE]
    assert calling().me() == {"done": True}
    wire.answers = [NOWHERE] * 3 + [DONE]
    with pytest.raises(NoAnswerError, match="voter show"):
        calling().me()
    wire.answers = [(503, {"code": "a"}), (503, {"code": "b"}), (503, {"code": "c"}), DONE]
    with pytest.raises(HelpdeskRefusalError) as refused:
        calling().me()
    assert (refused.value.code, refused.value.retry_after) == ("c", 7)
    assert len(wire.sent) == 9


def test_a_refusal_is_final_and_a_batch_asks_once(wire: SpokenLine) -> None:
    wire.answers = [(499, {"code": "x"}), DONE]
    with pytest.raises(HelpdeskRefusalError, match="x"):
        calling().me()
    answers: list[Any] = [NOWHERE, (500, {})]
    for answer in answers:
        wire.answers = [answer, DONE]
        with pytest.raises((NoAnswerError, HelpdeskRefusalError)):
            calling().give_in_batch("a@b.fr", "r", "k")
        assert wire.answers == [DONE]


def test_an_answer_is_read_by_its_status() -> None:
    assert read_answer(204, b"", "") == {}
    assert read_answer(200, b'{"a": 1}', "") == read_answer(202, b'{"a": 1}', "") == {"a": 1}
    with pytest.raises(NothingToDoError, match="déjà"):
        read_answer(409, '{"code": "nothing-to-do", "detail": "déjà"}'.encode(), "")
    with pytest.raises(OperatorError, match="attach its policy"):
        read_answer(403, b'{"message": "Forbidden"}', "")


@pytest.mark.parametrize(
    ("status", "content", "retry_after", "told"),
    [
        (502, b"<html>", "12", ("the helpdesk's API answered 502, and not in JSON", 502, "", "", 12)),
        (403, b'{"code": "not-allowed", "detail": "no"}', "", ("no (not-allowed)", 403, "not-allowed", "", None)),
        (404, b'{"detail": "nowhere"}', "soon", ("nowhere (404)", 404, "", "", None)),
        (500, b"{}", "-1", (" (500)", 500, "", "", None)),
        (
            400,
            b'{"code": "c", "errors": [{"field": "who", "code": "domain", "message": "one"},'
            b'{"field": "reason", "code": "long", "message": "two"}]}',
            "3",
            ("one two (c)", 400, "c", "who/domain", 3),
        ),
    ],
)
def test_a_refusal_says_what_the_api_says(status: int, content: bytes, retry_after: str, told: tuple[Any, ...]) -> None:
    with pytest.raises(HelpdeskRefusalError) as refused:
        read_answer(status, content, retry_after)
    found = refused.value
    assert (str(found), found.status, found.code, found.fault, found.retry_after) == told
