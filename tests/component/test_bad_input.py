"""Whatever is sent to any route: a 4xx, never a 5xx, and nothing has changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.fuzz.strategies import any_text
from harness.service.openapi import raise_if_undescribed
from harness.service.world import Browser, Enrolled, World

ROUTES = [
    pytest.param("POST", "/api/login", "email", id="login"),
    pytest.param("POST", "/api/login/code", "code", id="code"),
    pytest.param("POST", "/api/reissue", "numen", id="reissue"),
    pytest.param("POST", "/api/reissue/7K3M9-QWX2T/redelivery", "channel", id="redelivery"),
    pytest.param("POST", "/api/dispute", "token", id="dispute"),
    pytest.param("POST", "/registry/check", "identifier", id="check"),
    pytest.param("POST", "/registry/votes", "identifier", id="vote"),
]
BODIES = {
    "nothing": "",
    "not JSON": "email=claire",
    "list": "[]",
    "duplicate": '{"FIELD": "a", "FIELD": "b"}',
    "NaN": '{"FIELD": NaN}',
    "deep": '{"FIELD": ' + "[" * 1500 + "]" * 1500 + "}",
    "surrogate": '{"FIELD": "\\ud83d"}',
    "NUL": '{"FIELD": "\\u0000"}',
    "right to left": '{"FIELD": "\\u202e\\u2066abc"}',
    "null": '{"FIELD": null}',
    "number": '{"FIELD": 123456}',
    "huge number": '{"FIELD": 1e400}',
    "true": '{"FIELD": true}',
    "object": '{"FIELD": {"$ne": ""}}',
    "other member": '{"field": "x"}',
    "over 4 KiB": '{"FIELD": "' + "x" * 4096 + '"}',
}


def _kept(world: World) -> list[str]:
    return sorted(repr(item) for table in world.tables for item in world.items(table))


@pytest.mark.req("S29", "S22")
@pytest.mark.parametrize(("method", "path", "field"), ROUTES)
def test_bad_bodies(world: World, claire: Enrolled, browser: Browser, method: str, path: str, field: str) -> None:
    before = _kept(world)
    outcomes = {}
    for name, body in BODIES.items():
        answer = browser.call(method, path, headers={"Idempotency-Key": "k" * 16}, body=body.replace("FIELD", field))
        unknown = path == "/registry/check" and answer.json.get("status") == "unknown"
        outcomes[name] = answer.status if not unknown else 400
    assert all(400 <= status < 500 for status in outcomes.values()), outcomes
    assert (outcomes["over 4 KiB"], outcomes["duplicate"], outcomes["NaN"]) == (413, 400, 400)
    assert _kept(world) == before


@pytest.mark.req("S29", "S22")
@pytest.mark.parametrize("body", ["a", "{}", "e30", "é", "e\nx"])
@pytest.mark.parametrize(("method", "path", "field"), ROUTES)
def test_a_body_that_is_not_the_base64_that_it_is_said_to_be(
    world: World, browser: Browser, method: str, path: str, field: str, body: str
) -> None:
    before = _kept(world)
    answer = browser.call(method, path, body=body, headers={"Idempotency-Key": "k" * 16}, is_base64=True)
    assert (answer.status, answer.code) == (400, "invalid-json")
    assert _kept(world) == before


@pytest.mark.req("S29")
def test_a_body_that_nobody_reads_may_be_anything(browser: Browser) -> None:
    assert browser.call("GET", "/api/reissue", body="é", is_base64=True).status == 200
    assert browser.call("DELETE", "/api/login", body="é", is_base64=True).status == 204


@pytest.mark.req("S18", "S29")
@pytest.mark.parametrize(("method", "path", "field"), ROUTES)
def test_other_media_types(world: World, browser: Browser, method: str, path: str, field: str) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = browser.call(method, path, headers={"Content-Type": media_type}, body=f'{{"{field}": "x"}}')
        assert (answer.status, answer.code) == (415, "unsupported-media-type")


@pytest.mark.req("S18")
@pytest.mark.parametrize(("method", "path", "field"), ROUTES[:5])
def test_foreign_origin(world: World, browser: Browser, method: str, path: str, field: str) -> None:
    answer = browser.call(method, path, {field: "x"}, {"Origin": "https://evil.example"})
    assert (answer.status, answer.code) == (403, "foreign-origin")


@pytest.mark.req("S29", "S25")
def test_any_text_in_any_field() -> None:
    with World() as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        browser = world.signed_in(claire)
        browser.ask_code(claire.email)

        @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
        @given(
            st.sampled_from([route.values for route in ROUTES]),
            any_text | st.integers() | st.booleans() | st.lists(any_text, max_size=2),
            any_text,
        )
        def send(route: tuple[str, str, str], value: Any, other: str) -> None:
            method, path, field = route
            shown = {"revision": browser.revision}
            form = {**shown, "numen": other, "phone": other, "channel": "sms", "consent": True, "identifier": other}
            answer = browser.call(
                method, path, body=json.dumps({**form, field: value}), headers={"Idempotency-Key": "k" * 16}
            )
            raise_if_undescribed(answer)
            assert answer.status < 500

        send()
        assert world.voter(claire).generation == 1


@pytest.mark.req("S29")
@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-session",
        "__Host-session=",
        "=;=;=",
        "__Host-session=" + "é" * 76,
        "__Host-session=\x00; a=b",
        ";" * 500,
        "\ud800",
    ],
)
def test_odd_cookies_are_no_session(world: World, cookie: str) -> None:
    answer = world.call("GET", "/api/reissue", headers={"Cookie": cookie})
    assert (answer.status, answer.code) == (401, "signed-out")


@pytest.mark.req("S27")
def test_no_header_of_a_client_changes_an_answer(world: World, claire: Enrolled) -> None:
    plain = world.browser().ask_code(claire.email)
    dressed = world.call(
        "POST",
        "/api/login",
        {"email": "nobody.atall@ac-dijon.fr"},
        headers={
            "X-Forwarded-For": "10.0.0.1, evil",
            "X-Forwarded-Host": "evil.example",
            "X-HTTP-Method-Override": "DELETE",
            "Forwarded": "for=10.0.0.1",
            "X-Real-IP": "10.0.0.1",
        },
    )
    assert (dressed.status, dressed.text, dressed.headers) == (plain.status, plain.text, plain.headers)
