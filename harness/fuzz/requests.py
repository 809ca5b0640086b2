"""Requests as the description of the API wants them, with a few things wrong.

A case starts from a request that would be answered, made of `openapi.yaml` and of what the voter of
its stage knows, and up to three mutations of its members, its bytes, its headers, its path, its
method or the way in which API Gateway hands it over.
"""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from login.routes import CHALLENGE_COOKIE
from reassort.http import MAX_BODY_BYTES
from reassort.sessions import SESSION_COOKIE

from harness.fuzz.stages import EMAIL, NEW_KEY, NUMEN, PHONE, USED_KEY, Situation, cookies_of
from harness.fuzz.strategies import any_text
from harness.service.events import proxy_event
from harness.service.openapi import operations
from harness.service.world import SITE_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Callable

# Somebody of the user pool.
AGENT = "bb881877-6d98-54c5-b812-c6223d414e46"
# What is signed, and takes no cookie.
SIGNED = ("/registry/", "/helpdesk/")
# A strategy takes longer to make than to draw from.
_pick = lru_cache(maxsize=4096)(st.sampled_from)

# What slips into texts: controls, lone surrogates, marks of direction, letters that fold to ASCII,
# digits and blanks from elsewhere, and what means something in some other language.
ODD = (
    *("\x00", "\x07", "\x1b[0m", "\x7f", "\n", "\r\n", "\t", "\u0085", "\u2028"),
    *("\ud800", "\udfff", "\udc80", "\uffff", "\U0010ffff", "\ufffd"),
    *("\u200b", "\u200f", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u0301", "\u20dd"),
    *("\u0130", "\u0131", "\u017f", "\u212a", "\ufb00", "\ufb03", "ß", "é", "а", "Ꞌ", "😀"),
    *("٣", "９", "１", "²", "Ⅷ", "\u00a0", "\u202f", "\u3000", "\u2011", "–", "＠", "．", "。"),
    *("'", '"', "\\", "<script>", "{{7*7}}", "${x}", "%00", "%s", "../", "$ne"),
    *(";", "=", "#", ".", "@", "-", "+", "(0)"),
)
TOKENS = (
    *("null", "true", "false", "0", "-0", "1", "-1", "1.5", "1e400", "-1e400", "9" * 400, "1" + "0" * 309),
    *("NaN", "Infinity", "-Infinity", "undefined", "tru", "+1", "01", "0x10", "'x'", "1_000"),
    *("[]", "{}", "[[]]", "[null]", '{"$ne": ""}', '{"S": "x"}', '""', '" "', '"\\x"', '"\\ud800"', '"\\u0000"'),
    *("[" * depth + "]" * depth for depth in (50, 900, 1500)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (50, 600)),
)
MEDIA_TYPES = (
    *("Application/JSON", "application/json;charset=utf-8", "application/json; charset=utf-16", "application/json;"),
    *('application/json; charset="', "application/json ; x=y; x=z", "\tapplication/json", "application/json\u00a0"),
    *("application/json, text/plain", "text/plain, application/json", "application/problem+json", "application/jsonp"),
    *("text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
    *("", "*/*", "é"),
)
ORIGINS = (
    *("null", "", "https://evil.example", f"{SITE_ORIGIN}/", SITE_ORIGIN.upper(), SITE_ORIGIN.replace("https", "http")),
    *(f"{SITE_ORIGIN}.evil.example", f"{SITE_ORIGIN}:443", f" {SITE_ORIGIN}", f"{SITE_ORIGIN}, https://evil.example"),
    "é",
)
FETCH_SITES = ("none", "same-origin", "same-site", "cross-site", "Cross-Site", "", "unknown", "cross-site, same-origin")
KEYS = (
    *(USED_KEY, "", "k" * 15, "k" * 16, "k" * 64, "k" * 65, "k" * 5000),
    *("k" * 16 + " ", "k" * 15 + "é", "９" * 16, "k\n" * 8),
)
# Ways in which a body reaches a function: as text that was not UTF-8, as base64 that is said to be
# or not, said to be and not.
TRANSPORTS = (
    *("surrogates", "base64", "base64", "base64, not said", "not base64", "cut base64"),
    *("no body, base64", "no headers"),
)
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", "", "POST ", "é")
OTHER_HEADERS = (
    ("X-Forwarded-For", "evil, 10.0.0.1, ::1"),
    ("X-Forwarded-For", "," * 2000),
    ("X-Forwarded-Host", "evil.example"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Forwarded", "for=_hidden;host=evil.example"),
    ("Content-Length", "99999999999999999999"),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "chunked"),
    ("Authorization", "AWS4-HMAC-SHA256 Credential=x"),
    ("Host", "evil.example"),
    ("Expect", "100-continue"),
    ("Range", "bytes=0-1"),
    ("Accept", "text/html;q=NaN"),
)


@dataclass
class Draft:
    """A request that is being made. `members` are pairs of JSON texts; `body` takes their place
    once it is touched.
    """

    stage: Situation
    method: str
    resource: str
    parameters: dict[str, str] | None
    headers: list[tuple[str, str]]
    members: list[tuple[str, str]] | None
    valid: dict[str, str]
    body: bytes | None = None
    # How API Gateway hands the body over.
    transport: str = "text"
    mutations: list[str] = field(default_factory=list)

    def content(self) -> bytes | None:
        """Return the body's bytes."""
        if self.body is not None or self.members is None:
            return self.body
        text = ", ".join(f"{name}: {value}" for name, value in self.members)
        return f"{{{text}}}".encode("utf-8", "surrogatepass")

    def set_header(self, name: str, value: str | None) -> None:
        """Put a header instead of those of that name; None removes it."""
        self.headers = [header for header in self.headers if header[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))


@dataclass(frozen=True)
class GeneratedCase:
    """A generated request: the event in which a function gets it, and what was done to it."""

    stage: Situation
    event: dict[str, Any]
    mutations: tuple[str, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython gives it
        """Show Hypothesis what differs from case to case."""
        told = ("httpMethod", "resource", "pathParameters", "headers", "body", "isBase64Encoded")
        printer.text(
            f"{self.stage}, {'+'.join(self.mutations) or 'whole'}: { {name: self.event[name] for name in told} }"
        )


def cases(operation_id: str, stages: tuple[Situation, ...]) -> st.SearchStrategy[GeneratedCase]:
    """Return the requests of one operation of the description."""
    ((method, resource),) = [
        route for route, operation in operations().items() if operation["operationId"] == operation_id
    ]
    return _case(st.sampled_from(stages), method, resource)


@st.composite
def _case(draw: st.DrawFn, stages: st.SearchStrategy[Situation], method: str, resource: str) -> GeneratedCase:
    draft = _whole(draw(stages), method, resource)
    mutations = _pick(tuple(mutation for mutation in _MUTATIONS if mutation.applies(draft)))
    for _ in range(draw(st.integers(0, 3))):
        mutation = draw(mutations)
        mutation.change(draw, draft)
        draft.mutations.append(mutation.name)
    return GeneratedCase(draft.stage, _event(draw, draft), tuple(draft.mutations))


def _whole(stage: Situation, method: str, resource: str) -> Draft:
    """Make the request that the description asks for, with what its sender would write."""
    operation = operations()[method, resource]
    known: dict[str, Any] = {
        "email": EMAIL,
        "code": stage.code,
        "revision": stage.revision,
        "numen": NUMEN,
        "phone": PHONE,
        "token": stage.dispute_token,
        "identifier": stage.identifier,
        "channel": "email",
        "who": EMAIL,
    }
    headers = [("Host", "reassort.example.fr"), ("User-Agent", "tests"), ("X-Forwarded-For", "203.0.113.24")]
    if not resource.startswith(SIGNED):
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies_of(stage).items())))
        headers.append(("Sec-Fetch-Site", "same-origin"))
        if method != "GET":
            headers.append(("Origin", SITE_ORIGIN))
    headers += [
        (parameter["name"], NEW_KEY) for parameter in operation.get("parameters", ()) if parameter["in"] == "header"
    ]
    members = None
    if "requestBody" in operation:
        headers.append(("Content-Type", "application/json"))
        properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
        members = [
            (name, known.get(name, _example(schema))) for name, schema in properties.items() if name not in _LEFT_OUT
        ]
    return Draft(
        stage=stage,
        method=method,
        resource=resource,
        parameters=_parameters(stage, resource),
        headers=headers,
        members=members and [(json.dumps(name), json.dumps(value)) for name, value in members],
        valid={name: value for name, value in members or () if isinstance(value, str)},
    )


def _parameters(stage: Situation, resource: str) -> dict[str, str] | None:
    if "{agent}" in resource:
        return {"agent": AGENT}
    if "{reference}" not in resource:
        return None
    return {"reference": stage.proposal if resource.startswith("/helpdesk/") else stage.reference}


# What most requests do without.
_LEFT_OUT = frozenset({"caller_code", "batch"})


def _example(schema: dict[str, Any]) -> Any:
    return schema.get("example", (schema.get("enum") or ["x"])[0])


def _event(draw: st.DrawFn, draft: Draft) -> dict[str, Any]:
    content = draft.content()
    flagged, body = False, None if content is None else content.decode("utf-8", "replace")
    match draft.transport:
        case "surrogates" if content is not None:
            body = content.decode("utf-8", "surrogateescape")
        case "base64" if content is not None:
            flagged, body = True, b64encode(content).decode()
        case "base64, not said":
            body = b64encode(content or b"").decode()
        case "not base64":
            flagged = True
        case "cut base64":
            flagged, body = True, b64encode(content or b"")[:-3].decode()
        case "no body, base64":
            flagged, body = True, None
    event = proxy_event(
        draft.method,
        draft.resource,
        re.sub(r"\{(\w+)\}", lambda found: (draft.parameters or {}).get(found[1], ""), draft.resource),
        body=body,
        headers=dict(draft.headers),
        path_parameters=draft.parameters,
        signed=draft.resource.startswith(SIGNED),
    )
    event["isBase64Encoded"] = flagged
    asked = operations().get((draft.method, draft.resource), {}).get("parameters", ())
    event["queryStringParameters"] = {
        one["name"]: one["schema"]["example"] for one in asked if one["in"] == "query" and one["required"]
    } or None
    if draft.transport == "no headers":
        event["headers"] = event["multiValueHeaders"] = None
    return event


# ------------------------------------------------------------ texts


@lru_cache(maxsize=4096)
def odd(text: str) -> st.SearchStrategy[str]:
    """Return texts that are nearly this one."""
    place = st.integers(0, max(len(text) - 1, 0))
    return st.one_of(
        st.builds(lambda at, slip: text[:at] + slip + text[at:], place, _pick(ODD)),
        st.builds(lambda at, slip: text[:at] + slip + text[at + 1 :], place, _pick(ODD)),
        st.builds(lambda at: text[:at] + text[at + 1 :], place),
        st.builds(lambda at: text[:at] + _next(text[at : at + 1]) + text[at + 1 :], place),
        st.sampled_from([fold(text) for fold in _FOLDS]),
    )


def _next(symbol: str) -> str:
    return {"9": "0", "Z": "A"}.get(symbol, chr(ord(symbol) + 1)) if symbol.isalnum() else symbol


_FOLDS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda text: "".join(chr(ord(symbol) + 0xFEE0) if "!" <= symbol <= "~" else symbol for symbol in text),
    lambda text: unicodedata.normalize("NFD", text + "é"),
    lambda text: f"  {text}\t\u00a0",
    lambda text: " ".join(text),
    lambda text: text * 2,
    lambda text: text[::-1],
    lambda text: text + "\u0301" * 30,
    lambda text: f"\u202e{text}\u2066",
    lambda _: "",
)


def _text(draw: st.DrawFn, draft: Draft, name: str) -> str:
    """Draw a text for a member: nearly the right one, somebody else's, as long as is allowed, or
    anything.
    """
    schema = _schema(draft).get(name, {})
    valid = draft.valid.get(name, "x")
    match draw(_pick(("odd", "odd", "odd", "others", "others", "limit", "any"))):
        case "odd":
            return draw(odd(valid))
        case "others":
            unlike = (*draft.valid.values(), *map(str, schema.get("enum", ())))
            other: str = draw(_pick(_others(draft.stage).get(name, unlike)))
            return other
        case "limit":
            longest: int = schema.get("maxLength", 100)
            letter: str = draw(_pick(("x", "9", "é", "\u0301")))
            times: int = draw(_pick((longest, longest + 1)))
            return letter * times
        case _:
            return draw(any_text)


def _others(stage: Situation) -> dict[str, tuple[str, ...]]:
    """Return what is right in form and somebody else's, or no longer right."""
    return {
        "email": ("paul.petit@u-bourgogne.fr", "claire.martin@gmail.com"),
        "code": (f"{(int(stage.code) + 7) % 10**6:06d}",),
        "revision": (stage.others_revision,),
        "numen": ("09E9900123ABC",),
        "token": (stage.others_dispute_token,),
        "identifier": (stage.voter.identifier,),
    }


def _schema(draft: Draft) -> dict[str, Any]:
    body = operations().get((draft.method, draft.resource), {}).get("requestBody", {})
    properties: dict[str, Any] = (
        body.get("content", {}).get("application/json", {}).get("schema", {}).get("properties", {})
    )
    return properties


def _written(draw: st.DrawFn, text: str) -> str:
    return json.dumps(text, ensure_ascii=draw(st.booleans()))


# ------------------------------------------------------------ mutations


@dataclass(frozen=True)
class Mutation:
    """One way to spoil a request."""

    name: str
    change: Callable[[st.DrawFn, Draft], None]
    applies: Callable[[Draft], bool]


def _has_members(draft: Draft) -> bool:
    return draft.members is not None


def _always(_: Draft) -> bool:
    return True


def _place(draw: st.DrawFn, draft: Draft) -> int:
    return draw(st.integers(0, len(draft.members or ()) - 1))


def _change_text(draw: st.DrawFn, draft: Draft) -> None:
    if not draft.members:
        return
    at = _place(draw, draft)
    name = draft.members[at][0]
    draft.members[at] = (name, _written(draw, _text(draw, draft, name.strip('"'))))


def _change_type(draw: st.DrawFn, draft: Draft) -> None:
    if draft.members:
        at = _place(draw, draft)
        draft.members[at] = (draft.members[at][0], draw(_pick(TOKENS)))


def _change_keys(draw: st.DrawFn, draft: Draft) -> None:
    if not draft.members:
        return
    at = _place(draw, draft)
    name, value = draft.members[at]
    match draw(_pick(("missing", "again", "escaped", "other", "extra", "prototype"))):
        case "missing":
            del draft.members[at]
        case "again":
            draft.members.append((name, draw(_pick((value, "null")))))
        case "escaped":
            # The same name, written otherwise; it may come twice then.
            again = f'"\\u{ord(name[1]):04x}{name[2:]}'
            draft.members.insert(draw(st.integers(0, len(draft.members))), (again, value))
        case "other":
            draft.members[at] = (_written(draw, draw(odd(name.strip('"')))), value)
        case "extra":
            draft.members.append((_written(draw, draw(any_text)), draw(_pick(TOKENS))))
        case "prototype":
            draft.members.append(('"__proto__"', '{"consent": true}'))


def _change_bytes(draw: st.DrawFn, draft: Draft) -> None:
    content = draft.content() or b""
    at = draw(st.integers(0, len(content)))
    match draw(_pick(("cut", "slip", "instead", "whole", "whole", "other"))):
        case "cut":
            draft.body = content[:at]
        case "slip":
            draft.body = content[:at] + draw(_SLIPS) + content[at:]
        case "instead":
            slip = draw(_SLIPS)
            draft.body = content[:at] + slip + content[at + len(slip) :]
        case "whole":
            draft.body = draw(_pick(_WHOLES))(content)
        case "other":
            draft.body = draw(_ANY_BYTES)


_SLIPS = st.binary(min_size=1, max_size=4)
_ANY_BYTES = st.binary(max_size=60) | any_text.map(lambda text: text.encode("utf-8", "surrogatepass"))
_WHOLES: tuple[Callable[[bytes], bytes], ...] = (
    lambda content: b"\xef\xbb\xbf" + content,
    lambda content: content.decode("utf-8", "replace").encode("utf-16"),
    lambda content: content.decode("utf-8", "replace").encode("utf-32"),
    lambda content: content + content,
    lambda content: content + b"\x00",
    lambda content: b"[" + content + b"]",
    lambda content: json.dumps(content.decode("utf-8", "replace")).encode(),
    lambda content: content[:-1] + b",}",
    lambda content: b"/* */" + content,
    lambda _: b"",
    lambda _: b"null",
    lambda _: b"[]",
    lambda _: b"{}",
    lambda _: b"\x1f\x8b\x08\x00",
    lambda _: b"a=b&c=d",
)


def _change_size(draw: st.DrawFn, draft: Draft) -> None:
    """Make the body exactly as long as is allowed, or one byte more or less, by blanks or by a
    member.
    """
    content = (draft.content() or b"{}").rstrip()
    size = draw(_pick((MAX_BODY_BYTES - 1, MAX_BODY_BYTES, MAX_BODY_BYTES + 1, 3 * MAX_BODY_BYTES)))
    if draw(st.booleans()):
        draft.body = content.ljust(size)
        return
    filler = draw(_pick((b"x", b"\xc3\xa9")))
    opened = content[:-1] + (b"" if content == b"{}" else b", ") + b'"padding": "'
    room = max(0, size - len(opened) - 2)
    draft.body = opened + (filler * room)[: room - room % len(filler)] + b"x" * (room % len(filler)) + b'"}'


def _change_type_header(draw: st.DrawFn, draft: Draft) -> None:
    draft.set_header("Content-Type", draw(_pick((None, *MEDIA_TYPES))))


def _change_transport(draw: st.DrawFn, draft: Draft) -> None:
    draft.transport = draw(_pick(TRANSPORTS))


def _change_cookies(draw: st.DrawFn, draft: Draft) -> None:
    own = cookies_of(draft.stage)
    name = draw(_pick((SESSION_COOKIE, CHALLENGE_COOKIE)))
    # Secret, hidden pseudonym, code: each is put beside the others' of another cookie.
    mine, others = own[name], draft.stage.others_session
    whole = "; ".join(f"{held}={kept}" for held, kept in own.items())
    values = (
        *(mine[:32] + others[32:], others[:32] + mine[32:], mine[:-8] + others[-8:], f'"{mine}"', mine[:-1]),
        *(*own.values(), "x" * 8000),
    )
    value = draw(odd(own[name]) if draw(st.booleans()) else _pick(values))
    changed = "; ".join(f"{held}={value if held == name else kept}" for held, kept in own.items())
    shapes = (
        *(changed, changed, f"{whole}; {name}={value}", f"{name}={value}; {whole}", whole.lower()),
        *("", ";" * 500, "=;=;=", name, f"{name}=", "a=b; " * 1000 + whole),
        *(whole.replace("; ", ","), whole.replace("; ", ";")),
    )
    header = draw(_pick((*shapes, None))) if draw(st.integers(0, 9)) else draw(any_text)
    draft.set_header(draw(_pick(("Cookie", "cookie", "COOKIE"))), header)
    if draw(st.integers(0, 9)) == 0:
        draft.headers.append(("cOOKIE", whole))


def _change_origin(draw: st.DrawFn, draft: Draft) -> None:
    if draw(st.booleans()):
        draft.set_header(
            draw(_pick(("Origin", "ORIGIN"))),
            draw(_pick((None, *ORIGINS)) if draw(st.integers(0, 4)) else any_text),
        )
    else:
        draft.set_header("Sec-Fetch-Site", draw(_pick((None, *FETCH_SITES))))


def _change_key(draw: st.DrawFn, draft: Draft) -> None:
    draft.set_header("Idempotency-Key", draw(_pick((None, *KEYS)) if draw(st.booleans()) else odd(NEW_KEY)))


_OTHER_HEADERS = _pick(OTHER_HEADERS) | st.tuples(any_text, any_text)


def _change_other_header(draw: st.DrawFn, draft: Draft) -> None:
    draft.headers.append(draw(_OTHER_HEADERS))


def _change_reference(draw: st.DrawFn, draft: Draft) -> None:
    reference = draft.stage.reference
    match draw(_pick(("odd", "odd", "others", "unlike", "any", "none"))):
        case "odd":
            chosen = draw(odd(reference))
        case "others":
            chosen = draft.stage.others_reference
        case "unlike":
            chosen = draw(_pick(("", "x" * 5000, "%2e%2e", "7K3M9-QWX2T", "0" * 10, " " * 10, "\ufb00" * 5)))
        case "any":
            chosen = draw(any_text)
        case _:
            draft.parameters = None
            return
    draft.parameters = dict.fromkeys(draft.parameters or (), chosen)


def _change_method(draw: st.DrawFn, draft: Draft) -> None:
    draft.method = draw(_pick(METHODS))


def _change_resource(draw: st.DrawFn, draft: Draft) -> None:
    draft.resource = draw(_pick(("/api", "/{proxy+}", f"{draft.resource}/", "", draft.resource.upper())))


_MUTATIONS = (
    *[Mutation("text", _change_text, _has_members)] * 6,
    *[Mutation("type", _change_type, _has_members)] * 3,
    *[Mutation("keys", _change_keys, _has_members)] * 3,
    *[Mutation("bytes", _change_bytes, _has_members)] * 2,
    *[Mutation("size", _change_size, _has_members)] * 2,
    *[Mutation("media type", _change_type_header, _always)] * 2,
    *[Mutation("transport", _change_transport, _always)] * 2,
    *[Mutation("cookies", _change_cookies, lambda draft: not draft.resource.startswith(SIGNED))] * 4,
    *[Mutation("origin", _change_origin, _always)] * 2,
    *[Mutation("key", _change_key, lambda draft: any(name == "Idempotency-Key" for name, _ in draft.headers))] * 4,
    Mutation("header", _change_other_header, _always),
    *[Mutation("reference", _change_reference, lambda draft: draft.parameters is not None)] * 4,
    Mutation("method", _change_method, _always),
    Mutation("resource", _change_resource, _always),
)
