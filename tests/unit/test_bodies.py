"""Bodies of requests: each is read, or refused with a 4xx that names what is wrong in it."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reassort.http import MAX_BODY_BYTES, Body, Request, is_true, one_of, optional, read_body, text
from reassort.problems import Code, Problem

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


def test_a_text_has_as_many_characters_as_its_field_takes() -> None:
    for numen in ("9", "é" * 40):
        assert read_body(_request(json.dumps({**GOOD, "numen": numen})), FormBody, MESSAGES).numen == numen


class LongerForm(FormBody):
    """A form with more members, one of which may be missing."""

    reason = optional(text(5))
    note = text(5)


def test_an_optional_member_may_be_missing_and_is_checked_where_it_is_not() -> None:
    form = {**GOOD, "note": "x"}
    assert read_body(_request(json.dumps(form)), LongerForm, MESSAGES).reason is None
    assert read_body(_request(json.dumps({**form, "reason": "short"})), LongerForm, MESSAGES).reason == "short"
    for refused in ("longer", None):
        with pytest.raises(Problem) as refusal:
            read_body(_request(json.dumps({**form, "reason": refused})), LongerForm, MESSAGES)
        assert [(fault.field, fault.code) for fault in refusal.value.errors] == [("reason", "invalid")]


def test_a_form_that_extends_another_has_the_members_of_both() -> None:
    with pytest.raises(Problem) as refusal:
        read_body(_request("{}"), LongerForm, MESSAGES)
    assert [fault.field for fault in refusal.value.errors] == ["numen", "phone", "channel", "consent", "note"]
    assert [fault.message for fault in refusal.value.errors][:2] == [
        "Saisissez votre NUMEN.",
        "Cette valeur n’est pas acceptée. Vérifiez-la.",
    ]


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
