"""Requests with cookies that this service does not take, for addresses on the roll and others, on
every route that reads one: what their answers, their time and their instructions tell.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from login.routes import CHALLENGE_COOKIE
from reassort.cookies import write_cookie
from reassort.keyed_hash import KeyedHash
from reassort.sessions import SESSION_COOKIE, draw_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.service.world import Response, World

# Method, path and body of each route that reads a cookie.
ROUTES: dict[str, tuple[str, str, Any]] = {
    "ask for a code": ("POST", "/api/login", None),
    "code": ("POST", "/api/login/code", {"code": "123456"}),
    "sign out": ("DELETE", "/api/login", None),
    "overview": ("GET", "/api/reissue", None),
    "status": ("GET", "/api/reissue/22222-22222", None),
    "reissue": (
        "POST",
        "/api/reissue",
        {"revision": "-", "numen": "09E9900123ABC", "phone": "06 12 34 56 78", "channel": "sms", "consent": True},
    ),
    "redelivery": ("POST", "/api/reissue/22222-22222/redelivery", {"channel": "email"}),
}
# Written under another key; written by the service for a challenge or session that is no longer
# kept.
COOKIES = ("forged", "expired")
_WRONG_KEY = KeyedHash(b"x" * 32)
_TOOL = sys.monitoring.PROFILER_ID
_numbers = count()


@dataclass
class Told:
    """What was seen of one route and kind of cookie, by whether the address is on the roll."""

    seconds: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    instructions: dict[bool, list[int]] = field(default_factory=lambda: {True: [], False: []})
    shapes: dict[bool, set[str]] = field(default_factory=lambda: {True: set(), False: set()})


def look(world: World, route: str, cookie: str, pairs: int, *, counted: bool = False) -> Told:
    """Make pairs of requests in random order. `seconds` are of this thread's processor time; with
    `counted` each request's Python instructions are counted too, which makes it much slower.
    """
    told, order = Told(), random.Random(1)  # noqa: S311 - the order of a measurement
    # Made ready beforehand: what comes before a request makes it slower or quicker.
    ready = [{listed: _request(world, route, cookie, listed=listed) for listed in (True, False)} for _ in range(pairs)]
    for pair in ready:
        for listed in order.sample((True, False), 2):
            request = pair[listed]
            started = time.thread_time()
            if counted:
                with _counting() as instructions:
                    answer = request()
                told.instructions[listed].append(instructions[0])
            else:
                answer = request()
            told.seconds[listed].append(time.thread_time() - started)
            told.shapes[listed].add(_shape(answer))
    return told


def _request(world: World, route: str, cookie: str, *, listed: bool) -> Callable[[], Response]:
    email = f"{'listed' if listed else 'nobody'}{next(_numbers):09}@ac-dijon.fr"
    if listed:
        world.enrol(email, "09E9900123ABC")
    key = world.keyed_hash if cookie == "expired" else _WRONG_KEY
    token = draw_token(world.keyed_hash.voter_id(email))
    cookies = {name: write_cookie(name, token, key) for name in (CHALLENGE_COOKIE, SESSION_COOKIE)}
    if cookie == "expired" and route not in {"code", "sign out", "ask for a code"}:
        # Nobody has a session of an address that is not on the roll.
        cookies[SESSION_COOKIE] = cookies[CHALLENGE_COOKIE]
    method, path, body = ROUTES[route]
    sent = {"email": email} if route == "ask for a code" else body
    return lambda: world.call(method, path, sent, cookies, {"Idempotency-Key": "k" * 16})


def _shape(answer: Response) -> str:
    cookies = [(name, len(cookie.value), cookie.attributes) for name, cookie in answer.cookies.items()]
    return f"{answer.status} {answer.text} {answer.headers} {cookies}"


@contextmanager
def _counting() -> Iterator[list[int]]:
    executed = [0]

    def note(*_: object) -> None:
        executed[0] += 1

    sys.monitoring.use_tool_id(_TOOL, "cookie oracle")
    sys.monitoring.register_callback(_TOOL, sys.monitoring.events.INSTRUCTION, note)
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.INSTRUCTION)
    try:
        yield executed
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.register_callback(_TOOL, sys.monitoring.events.INSTRUCTION, None)
        sys.monitoring.free_tool_id(_TOOL)
