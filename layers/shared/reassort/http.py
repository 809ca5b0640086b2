"""The edge of a function behind API Gateway: strict reading of requests, one form of answers,
nothing of the rules.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from reassort.client_network import NO_HEADER, read_source
from reassort.problems import Code, FieldFault, Problem
from reassort.tables import ContentionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reassort.election import Election
    from reassort.event_log import EventLog

    class Answering(Protocol):
        """What each function's rules are given that every answer needs as well."""

        @property
        def election(self) -> Election:
            """The election, whose helpdesk is named in each refusal."""

        @property
        def event_log(self) -> EventLog:
            """Where refusals and faults are recorded."""


# A reissue request has some 200 bytes.
MAX_BODY_BYTES = 4096
_IDEMPOTENCY_HEADER = "Idempotency-Key"
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_STATE_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Field[T]:
    """A member of a JSON body: `takes` tells which values it may have, all of them of one type."""

    def __init__(self, takes: Callable[[object], bool], *, required: bool = True) -> None:
        self.takes = takes
        self.required = required

    def __set_name__(self, _: type[Body], name: str) -> None:
        self._name = name

    def __get__(self, body: Body, _: type[Body]) -> T:
        # The body has what is required; an optional member's type admits None.
        value: Any = body.content.get(self._name)
        return value  # type: ignore[no-any-return]  # checked when the body was read


class Body:
    """A JSON body with the fields that its class names.

    All but the `optional` ones are required, none is coerced to another type, and members that it
    does not name are ignored.
    """

    fields: ClassVar[Mapping[str, Field[Any]]] = {}

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content

    def __init_subclass__(cls) -> None:
        """Gather the fields, those of a body that it extends first."""
        cls.fields = {**cls.fields, **{name: member for name, member in vars(cls).items() if isinstance(member, Field)}}


def text(max_length: int) -> Field[str]:
    """Take a text of 1 to `max_length` characters that can be written as UTF-8: a lone surrogate,
    which JSON can spell, cannot.
    """

    def check(value: object) -> bool:
        return isinstance(value, str) and 0 < len(value) <= max_length and _is_encodable(value)

    return Field(check)


def one_of(*values: str) -> Field[str]:
    """Take one of these texts."""
    return Field(lambda value: isinstance(value, str) and value in values)


def optional[T](member: Field[T]) -> Field[T | None]:
    """Take what `member` takes, or nothing: None when the body has no such member."""
    return Field(member.takes, required=False)


def is_true() -> Field[Literal[True]]:
    """Take `true`, but not the number 1, which is equal to it."""
    return Field(lambda value: value is True)


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True)
class Request:
    """A request as API Gateway's REST proxy event gives it; header names are in lower case.

    `body` is None when it is not the base64 that it is said to be.
    """

    method: str
    resource: str
    path_parameters: Mapping[str, str]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes | None
    request_id: str
    source: str


@dataclass(frozen=True)
class Answer:
    """What a route answers. `body` None means no content."""

    status: int
    body: Mapping[str, Any] | None = None
    cookies: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


# `D` is what the function's rules need.
type Route[D] = Callable[[Request, D], Answer]
type Routes[D] = Mapping[tuple[str, str], Route[D]]


def set_cookie(name: str, value: str, max_age: int) -> str:
    """Return a Set-Cookie value that no script, no other site and no plain connection sees."""
    return f"{name}={value}; Max-Age={max_age}; Path=/; Secure; HttpOnly; SameSite=Strict"


def clear_cookie(name: str) -> str:
    """Return a Set-Cookie value that removes a cookie."""
    return set_cookie(name, "", 0)


def read_idempotency_key(request: Request) -> str:
    """Return the key under which a request is done once: 16 to 64 letters without accents, digits,
    `-` and `_`.

    Raises:
        Problem: 422, the header is not there or has another form.
    """
    key = request.headers.get(_IDEMPOTENCY_HEADER.lower())
    if key is None or _IDEMPOTENCY_KEY.fullmatch(key) is None:
        message = "L’en-tête Idempotency-Key est requis : 16 à 64 lettres, chiffres, tirets. Rechargez la page."
        fault = FieldFault(_IDEMPOTENCY_HEADER, "missing" if key is None else "invalid", message)
        raise Problem(Code.INVALID_FIELDS, errors=(fault,))
    return key


def read_body[B: Body](request: Request, model: type[B], messages: Mapping[str, str]) -> B:
    """Read the JSON body of a request into its model.

    `messages` has the French message of each field.

    Raises:
        Problem: 415 not JSON by its type; 413 over 4 KiB; 400 not strict JSON (duplicate members,
            NaN, too deep); 422 with one fault for each field.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(Code.UNSUPPORTED_MEDIA_TYPE)
    if request.body is None:
        raise Problem(Code.INVALID_JSON)
    if len(request.body) > MAX_BODY_BYTES:
        raise Problem(Code.BODY_TOO_LARGE)
    try:
        content = json.loads(
            request.body.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise Problem(Code.INVALID_JSON) from error
    if not isinstance(content, dict):
        raise Problem(Code.INVALID_JSON)
    faults = [
        FieldFault(
            name,
            "invalid" if name in content else "missing",
            messages.get(name, "Cette valeur n’est pas acceptée. Vérifiez-la."),
        )
        for name, member in model.fields.items()
        if (not member.takes(content[name]) if name in content else member.required)
    ]
    if faults:
        raise Problem(Code.INVALID_FIELDS, errors=tuple(faults))
    return model(content)


def parse_request(event: Mapping[str, Any], source_header: str = NO_HEADER) -> Request:
    """Read a REST API proxy event. `source_header` is where the trusted hop in front of the API
    writes who spoke to it.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=event["httpMethod"],
        resource=event["resource"],
        path_parameters=event.get("pathParameters") or {},
        headers=headers,
        cookies=_cookies(headers.get("cookie", "")),
        body=_body(event.get("body") or "", encoded=bool(event.get("isBase64Encoded"))),
        request_id=event["requestContext"]["requestId"],
        source=read_source(
            headers, (event["requestContext"].get("identity") or {}).get("sourceIp") or "", source_header
        ),
    )


def serve[D: Answering](
    event: Mapping[str, Any],
    routes: Routes[D],
    deps: D,
    *,
    site_origin: str | None,
    source_header: str = NO_HEADER,
) -> dict[str, Any]:
    """Answer one event: route it, turn refusals into problem documents, and fail closed on anything
    unforeseen.

    `site_origin` is the only origin that may change state; None where callers are programs.
    """
    request = parse_request(event, source_header)
    event_log, helpdesk = deps.event_log, deps.election.helpdesk.phone
    event_log.begin(request.request_id)
    try:
        _raise_if_foreign(request, site_origin)
        answer = _route(request, routes)(request, deps)
    except Problem as problem:
        event_log.warn("request refused", code=problem.code.value, resource=request.resource)
        answer = _problem_answer(problem, helpdesk)
    except ContentionError as error:
        event_log.fault("contention", error, resource=request.resource)
        answer = _problem_answer(Problem(Code.UNAVAILABLE, retry_after=2), helpdesk)
    except Exception as error:  # noqa: BLE001 - the last resort: nothing of a fault may reach the voter
        event_log.fault("request failed", error, resource=request.resource)
        answer = _problem_answer(Problem(Code.UNAVAILABLE, retry_after=5), helpdesk)
    return _to_proxy(answer)


def _route[D](request: Request, routes: Routes[D]) -> Route[D]:
    route = routes.get((request.method, request.resource))
    if route is not None:
        return route
    known = any(resource == request.resource for _, resource in routes)
    raise Problem(Code.METHOD_NOT_ALLOWED if known else Code.NOT_FOUND)


def _raise_if_foreign(request: Request, site_origin: str | None) -> None:
    if site_origin is None or request.method not in _STATE_CHANGING:
        return
    origin = request.headers.get("origin")
    if origin is not None and origin != site_origin:
        raise Problem(Code.FOREIGN_ORIGIN)
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise Problem(Code.FOREIGN_ORIGIN)


def _problem_answer(problem: Problem, helpdesk: str) -> Answer:
    headers = {"Content-Type": "application/problem+json"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return Answer(problem.status, problem.body(helpdesk), headers=headers)


def _to_proxy(answer: Answer) -> dict[str, Any]:
    headers = {"Cache-Control": "no-store", **answer.headers}
    if answer.body is not None:
        headers.setdefault("Content-Type", "application/json")
    proxy: dict[str, Any] = {
        "statusCode": answer.status,
        "headers": headers,
        "body": "" if answer.body is None else json.dumps(answer.body, ensure_ascii=False),
        "isBase64Encoded": False,
    }
    if answer.cookies:
        proxy["multiValueHeaders"] = {"Set-Cookie": list(answer.cookies)}
    return proxy


def _body(body: str, *, encoded: bool) -> bytes | None:
    if not encoded:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        return None


def _cookies(header: str) -> dict[str, str]:
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        # A second cookie of the same name was planted by somebody: the first is the one this host
        # set.
        if equals and name not in cookies:
            cookies[name] = value
    return cookies


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
