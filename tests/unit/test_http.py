"""The edge: what is asked is read as it was sent, and nothing of a fault reaches the client."""

import base64
import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from reassort.event_log import EventLog
from reassort.http import Answer, Request, Routes, clear_cookie, parse_request, read_idempotency_key, serve, set_cookie
from reassort.problems import Code, Problem
from reassort.tables import ContentionError

from harness.service.events import load_event, proxy_event

ORIGIN = "https://reassort.example.fr"


@pytest.mark.parametrize(
    "name", ["api-login", "api-login-code", "api-reissue-get", "api-reissue-post", "api-dispute", "registry-vote"]
)
def test_real_event_is_read(name: str) -> None:
    event = load_event(name)
    request = parse_request(event)
    assert (request.method, request.resource) == (event["httpMethod"], event["resource"])
    assert request.request_id == event["requestContext"]["requestId"]
    assert all(header == header.lower() for header in request.headers)
    assert (request.body or b"").decode() == (event["body"] or "")


def test_cookies_and_path_parameters_are_read() -> None:
    request = parse_request(load_event("api-reissue-status"))
    assert set(request.cookies) == {"__Host-session"}
    assert request.path_parameters == {"reference": "7K3M9-QWX2T"}


def test_base64_body_is_decoded() -> None:
    event = load_event("api-login") | {"body": base64.b64encode(b"{}").decode(), "isBase64Encoded": True}
    assert parse_request(event).body == b"{}"


def with_key(key: str | None) -> Request:
    event = load_event("api-reissue-post")
    headers = {name: value for name, value in event["headers"].items() if name.lower() != "idempotency-key"}
    return parse_request(event | {"headers": headers | ({} if key is None else {"Idempotency-Key": key})})


@pytest.mark.parametrize("key", ["x" * 16, "x" * 64, "4f9d2c7a-1b3e-4d5f-8a60-7c9e1d2b3a45", "ABC_def-0123456789"])
def test_idempotency_key_of_the_contract_is_taken_as_it_is(key: str) -> None:
    assert read_idempotency_key(with_key(key)) == key


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "missing"),
        *(
            (key, "invalid")
            for key in (
                "",
                "x" * 15,
                "x" * 65,
                "key with blanks in it",
                "clé-de-seize-signes",
                "a/b" * 6,
                "x" * 16 + "\n",
            )
        ),
    ],
)
def test_another_idempotency_key_is_refused_by_its_name(key: str | None, code: str) -> None:
    with pytest.raises(Problem) as caught:
        read_idempotency_key(with_key(key))
    assert caught.value.code is Code.INVALID_FIELDS
    assert [(fault.field, fault.code) for fault in caught.value.errors] == [("Idempotency-Key", code)]


@pytest.mark.parametrize("body", ["e30", "e3\n0=", "!e30=", "é30="])
def test_body_that_is_not_the_base64_it_is_said_to_be_is_none(body: str) -> None:
    assert parse_request(load_event("api-login") | {"body": body, "isBase64Encoded": True}).body is None


@pytest.mark.req("S27")
@pytest.mark.parametrize(
    ("identity", "source"),
    [({"identity": {"sourceIp": "192.0.2.9"}}, "192.0.2.9"), ({"identity": {}}, "unknown"), ({}, "unknown")],
)
def test_source_is_the_address_that_the_gateway_saw(identity: dict[str, Any], source: str) -> None:
    assert parse_request(load_event("api-login") | {"requestContext": {"requestId": "1", **identity}}).source == source


def test_first_cookie_of_a_name_counts() -> None:
    event = load_event("api-reissue-get")
    event["headers"]["Cookie"] = "a=1; __Host-session=first; __Host-session=second; broken; b=x=y"
    assert parse_request(event).cookies == {"a": "1", "__Host-session": "first", "b": "x=y"}


def test_event_without_headers_or_body_is_read() -> None:
    event = load_event("api-login") | {"headers": None, "body": None, "pathParameters": None}
    assert parse_request(event).body == b""


@pytest.mark.req("S17")
@pytest.mark.parametrize("cookie", [set_cookie("__Host-x", "v", 60), clear_cookie("__Host-x")])
def test_cookies_are_seen_by_this_host_alone_and_by_no_script(cookie: str) -> None:
    attributes = {part.strip() for part in cookie.split(";")}
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} <= attributes
    assert not any(attribute.lower().startswith("domain") for attribute in attributes)


def test_a_cookie_lasts_as_long_as_it_is_said_and_one_that_is_cleared_not_at_all() -> None:
    assert set_cookie("__Host-x", "v", 60).startswith("__Host-x=v; Max-Age=60; ")
    assert clear_cookie("__Host-x").startswith("__Host-x=; Max-Age=0; ")


def _raise(error: Exception) -> Answer:
    raise error


ROUTES: Routes[Any] = {
    ("GET", "/thing"): lambda *_: Answer(200, {"é": "œ"}),
    ("POST", "/thing"): lambda *_: Answer(204),
    ("GET", "/refused"): lambda *_: _raise(Problem(Code.LOCKED, retry_after=60)),
    ("GET", "/busy"): lambda *_: _raise(ContentionError("TransactionConflictException")),
    ("GET", "/broken"): lambda *_: _raise(KeyError("claire.martin@ac-dijon.fr")),
}


def _serve(
    method: str, resource: str, headers: dict[str, str] | None = None, site_origin: str | None = ORIGIN
) -> tuple[dict[str, Any], str]:
    event_log = EventLog("edge")
    lines = io.StringIO()
    for handler in logging.getLogger("edge").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(lines)
    event = proxy_event(method, resource, resource, body=None, headers=headers or {})
    election = SimpleNamespace(helpdesk=SimpleNamespace(phone="03.80.44.89.96"))
    deps = SimpleNamespace(event_log=event_log, election=election)
    return serve(event, ROUTES, deps, site_origin=site_origin), lines.getvalue()


def test_answer_is_a_proxy_answer_that_nothing_stores() -> None:
    answer, _ = _serve("GET", "/thing")
    assert answer == {
        "statusCode": 200,
        "headers": {"Cache-Control": "no-store", "Content-Type": "application/json"},
        "body": '{"é": "œ"}',
        "isBase64Encoded": False,
    }


@pytest.mark.req("S21")
@pytest.mark.parametrize("resource", ["/thing", "/refused", "/busy", "/broken", "/nowhere"])
def test_no_answer_may_be_stored(resource: str) -> None:
    answer, _ = _serve("GET", resource)
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "resource", "status", "code"),
    [("GET", "/nowhere", 404, "not-found"), ("DELETE", "/thing", 405, "method-not-allowed")],
)
def test_unknown_route_is_a_problem(method: str, resource: str, status: int, code: str) -> None:
    answer, _ = _serve(method, resource)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)


@pytest.mark.parametrize(
    ("resource", "status", "wait"), [("/refused", 429, "60"), ("/busy", 503, "2"), ("/broken", 503, "5")]
)
def test_refusal_says_when_to_come_back(resource: str, status: int, wait: str) -> None:
    answer, _ = _serve("GET", resource)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (status, wait)
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"])["retry_after"] == int(wait)


@pytest.mark.req("S25", "S23")
def test_fault_reaches_neither_client_nor_log_in_its_own_words() -> None:
    answer, lines = _serve("GET", "/broken")
    assert json.loads(answer["body"])["code"] == "unavailable"
    assert "claire" not in answer["body"] + lines
    logged = json.loads(lines.splitlines()[-1])
    assert (logged["level"], logged["error_type"]) == ("ERROR", "KeyError")


@pytest.mark.parametrize(("resource", "code"), [("/refused", "locked"), ("/nowhere", "not-found")])
def test_a_refusal_is_logged_with_its_code_and_the_request(resource: str, code: str) -> None:
    answer, lines = _serve("GET", resource)
    assert json.loads(answer["body"])["code"] == code
    logged = json.loads(lines.splitlines()[-1])
    assert (logged["level"], logged["message"]) == ("WARNING", "request refused")
    assert (logged["code"], logged["resource"]) == (code, resource)
    assert logged["correlation_id"]


@pytest.mark.req("S25")
@pytest.mark.parametrize(
    ("resource", "message", "error"),
    [("/busy", "contention", "ContentionError"), ("/broken", "request failed", "KeyError")],
)
def test_a_fault_is_logged_by_its_kind_and_where_it_was(resource: str, message: str, error: str) -> None:
    _, lines = _serve("GET", resource)
    logged = json.loads(lines.splitlines()[-1])
    assert (logged["message"], logged["error_type"], logged["resource"]) == (message, error, resource)


@pytest.mark.req("S18")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_way_to_change_something_is_open_to_another_site(method: str) -> None:
    answer, _ = _serve(method, "/thing", {"Origin": "https://evil.example"})
    assert json.loads(answer["body"])["code"] == "foreign-origin"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_what_changes_nothing_is_answered_to_whoever_asks(headers: dict[str, str]) -> None:
    assert _serve("GET", "/thing", headers)[0]["statusCode"] == 200


def test_programs_come_from_no_site() -> None:
    answer, _ = _serve("POST", "/thing", {"Origin": "https://evil.example"}, site_origin=None)
    assert answer["statusCode"] == 204


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"origin": "https://reassort.example.fr.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://reassort.example.fr"},
        {"Origin": ""},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_change_asked_by_another_site_is_refused(headers: dict[str, str]) -> None:
    answer, _ = _serve("POST", "/thing", headers)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (403, "foreign-origin")


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}])
def test_change_asked_by_the_site_or_by_a_program_is_done(headers: dict[str, str]) -> None:
    answer, _ = _serve("POST", "/thing", headers)
    assert answer["statusCode"] == 204


@pytest.mark.req("S19")
def test_no_answer_allows_another_origin_to_read_it() -> None:
    for method, resource in [("GET", "/thing"), ("GET", "/refused"), ("OPTIONS", "/thing")]:
        answer, _ = _serve(method, resource, {"Origin": "https://evil.example"})
        assert not [name for name in answer["headers"] if name.lower().startswith("access-control-")]
