"""The edge: whatever the body, a request is read or refused with a 4xx, and nothing of a fault
reaches the client.
"""

import base64
import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reassort.event_log import EventLog
from reassort.http import (
    MAX_BODY_BYTES,
    Answer,
    Body,
    Request,
    Routes,
    clear_cookie,
    is_true,
    one_of,
    parse_request,
    read_body,
    serve,
    set_cookie,
    text,
)
from reassort.problems import Code, Problem
from reassort.tables import ContentionError

from harness.service.events import load_event, proxy_event

ORIGIN = "https://reassort.example.fr"
MESSAGES = {"numen": "Saisissez votre NUMEN."}


class FormBody(Body):
    """A body with a member of each kind."""

    numen = text(40)
    phone = text(40)
    channel = one_of("sms", "email")
    consent = is_true()


GOOD = {"numen": "09E9900123ABC", "phone": "06 12 34 56 78", "channel": "sms", "consent": True}


def _request(body: str | bytes, content_type: str = "application/json") -> Request:
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return Request("POST", "/form", {}, {"content-type": content_type}, {}, raw, "request-1", "203.0.113.24")


def _refusal(request: Request) -> Problem:
    with pytest.raises(Problem) as refusal:
        read_body(request, FormBody, MESSAGES)
    return refusal.value


def test_good_body_is_read() -> None:
    form = read_body(_request(json.dumps(GOOD)), FormBody, MESSAGES)
    assert (form.numen, form.channel, form.consent) == ("09E9900123ABC", "sms", True)


def test_members_nobody_asked_for_are_ignored() -> None:
    assert read_body(_request(json.dumps({**GOOD, "extra": [1, {"deep": None}]})), FormBody, MESSAGES)


NOT_JSON: dict[str, str | bytes] = {
    "nothing": "",
    "blank": "  ",
    "text": "numen=09E9900123ABC",
    "cut off": '{"numen": "09E9',
    "after the end": '{"numen": "x"} {"numen": "y"}',
    "duplicate member": '{"numen": "09E9900123ABC", "numen": "09E9900123ABD", "phone": "06 12 34 56 78", "channel": '
    '"sms", "consent": true}',
    "duplicate member, one escaped": '{"numen": "a", "\\u006eumen": "b", "phone": "06 12 34 56 78", "channel": "sms", '
    '"consent": true}',
    "duplicate member deep down": '{"numen": "a", "phone": "06 12 34 56 78", "channel": "sms", "consent": true, "x": '
    '{"y": 1, "y": 2}}',
    "NaN": '{"numen": NaN}',
    "Infinity": '{"numen": -Infinity}',
    "nested lists": "[" * 2000 + "]" * 2000,
    "nested and never closed": "[" * 4096,
    "list": json.dumps([GOOD]),
    "string": '"numen"',
    "number": "1",
    "null": "null",
    "comment": '{"numen": "x" /* */}',
    "single quotes": "{'numen': 'x'}",
    "line feed in a string": '{"numen": "a\nb"}',
    "NUL in a string": '{"numen": "a\x00b"}',
    "not UTF-8": b'{"numen": "\xff"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "surrogate, raw": '{"numen": "\ud800"}',
}


@pytest.mark.req("S29")
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_strict_json_is_refused(body: str | bytes) -> None:
    assert _refusal(_request(body)).code is Code.INVALID_JSON


WRONG_FIELDS: dict[str, tuple[dict[str, Any] | str, list[tuple[str, str]]]] = {
    "all missing": ({}, [("numen", "missing"), ("phone", "missing"), ("channel", "missing"), ("consent", "missing")]),
    "null": ({**GOOD, "numen": None}, [("numen", "invalid")]),
    "number for text": ({**GOOD, "numen": 9}, [("numen", "invalid")]),
    "list for text": ({**GOOD, "numen": ["09E9900123ABC"]}, [("numen", "invalid")]),
    "members for text": ({**GOOD, "numen": {"S": "x"}}, [("numen", "invalid")]),
    "text for a truth": ({**GOOD, "consent": "true"}, [("consent", "invalid")]),
    "number for a truth": ({**GOOD, "consent": 1}, [("consent", "invalid")]),
    "no consent": ({**GOOD, "consent": False}, [("consent", "invalid")]),
    "unknown channel": ({**GOOD, "channel": "pigeon"}, [("channel", "invalid")]),
    "channel in capitals": ({**GOOD, "channel": "SMS"}, [("channel", "invalid")]),
    "empty text": ({**GOOD, "numen": ""}, [("numen", "invalid")]),
    "long text": ({**GOOD, "numen": "9" * 41}, [("numen", "invalid")]),
    "lone surrogate": (
        '{"numen": "\\ud800", "phone": "06 12 34 56 78", "channel": "sms", "consent": true}',
        [("numen", "invalid")],
    ),
    "huge number": (
        '{"numen": ' + "9" * 3900 + ', "phone": "06 12 34 56 78", "channel": "sms", "consent": true}',
        [("numen", "invalid")],
    ),
    "number beyond any float": (
        '{"numen": 1e999, "phone": "06 12 34 56 78", "channel": "sms", "consent": true}',
        [("numen", "invalid")],
    ),
}


@pytest.mark.req("S29")
@pytest.mark.parametrize(("body", "faults"), WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys())
def test_each_wrong_field_is_named(body: dict[str, Any] | str, faults: list[tuple[str, str]]) -> None:
    problem = _refusal(_request(body if isinstance(body, str) else json.dumps(body)))
    assert problem.code is Code.INVALID_FIELDS
    assert [(fault.field, fault.code) for fault in problem.errors] == faults
    assert all(fault.message for fault in problem.errors)


@pytest.mark.req("S29")
def test_body_over_4_kib_is_refused_unread() -> None:
    padded = json.dumps({**GOOD, "padding": ""})
    exact = padded.replace('"padding": ""', f'"padding": "{"x" * (MAX_BODY_BYTES - len(padded))}"')
    assert len(exact) == MAX_BODY_BYTES == 4096
    assert read_body(_request(exact), FormBody, MESSAGES)
    assert _refusal(_request(exact + " ")).code is Code.BODY_TOO_LARGE
    # Bytes are counted, not characters.
    assert _refusal(_request("é" * 2049)).code is Code.BODY_TOO_LARGE


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", "text/json"],
)
def test_body_of_another_type_is_refused(content_type: str) -> None:
    assert _refusal(_request(json.dumps(GOOD), content_type)).code is Code.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_type_may_have_parameters(content_type: str) -> None:
    assert read_body(_request(json.dumps(GOOD), content_type), FormBody, MESSAGES)


@pytest.mark.req("S29")
@pytest.mark.parametrize("depth", [100, 400, 600])
def test_deep_members_end_in_a_refusal(depth: int) -> None:
    assert _refusal(_request('{"a":' * depth + "1" + "}" * depth)).status in {400, 422}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
nearly_forms = st.fixed_dictionaries(
    {},
    optional={
        "numen": json_values,
        "phone": json_values,
        "channel": json_values | st.just("sms"),
        "consent": json_values | st.just(True),
    },
)


@pytest.mark.req("S29")
@given(st.binary(max_size=200) | nearly_forms.map(lambda form: json.dumps(form).encode()))
@example(b'{"numen":"\\udfff\\ud800","phone":"06 12 34 56 78","channel":"sms","consent":true}')
def test_any_body_is_read_or_refused_by_a_problem(body: bytes) -> None:
    refused = 0
    try:
        # What was read is text that can be written: no surrogate is left in it.
        read_body(_request(body), FormBody, MESSAGES).numen.encode()
    except Problem as problem:
        refused = problem.status
    assert refused in {0, 400, 422}


# ---------------------------------------------------------------- requests and answers


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


def _raise(error: Exception) -> Answer:
    raise error


ROUTES: Routes[Any] = {
    ("GET", "/thing"): lambda *_: Answer(200, {"é": "œ"}),
    ("POST", "/thing"): lambda *_: Answer(204),
    ("GET", "/refused"): lambda *_: _raise(Problem(Code.LOCKED, retry_after=60)),
    ("GET", "/busy"): lambda *_: _raise(ContentionError("TransactionConflictException")),
    ("GET", "/broken"): lambda *_: _raise(KeyError("claire.martin@ac-dijon.fr")),
}


def _serve(method: str, resource: str, headers: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
    event_log = EventLog("edge")
    lines = io.StringIO()
    for handler in logging.getLogger("edge").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(lines)
    event = proxy_event(method, resource, resource, body=None, headers=headers or {})
    election = SimpleNamespace(helpdesk=SimpleNamespace(phone="03.80.44.89.96"))
    deps = SimpleNamespace(event_log=event_log, election=election)
    return serve(event, ROUTES, deps, site_origin=ORIGIN), lines.getvalue()


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
