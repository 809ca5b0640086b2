"""No route that takes a cookie tells who is on the roll, by its answer, its processor time or the
instructions that it takes. `make bench-oracle` measures the time with more pairs.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import pytest

from harness.service.cookie_oracle import COOKIES, ROUTES, look
from harness.service.openapi import operations
from harness.service.world import World
from harness.stack.timing import auc

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIRS = 40
# Five standard errors of the AUC of so few pairs.
FAR = 5 / (6 * PAIRS) ** 0.5
# Every operation that takes no cookie.
WITHOUT = {("POST", "/api/dispute"), ("POST", "/api/dispute/look"), ("GET", "/api/status")}


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    """A running service, kept for all routes."""
    with World() as world:
        for route in ROUTES:
            look(world, route, "forged", 2)
        yield world


@pytest.mark.req("S2", "S32", "I8")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("cookie", COOKIES)
def test_time_and_answer_are_alike_for_known_and_unknown(served: World, route: str, cookie: str) -> None:
    told = look(served, route, cookie, PAIRS)
    assert told.shapes[True] == told.shapes[False]
    assert len(told.shapes[True]) == 1
    found = auc(told.seconds[True], told.seconds[False])
    assert abs(found - 0.5) <= FAR, f"AUC {found:.3f}"


@pytest.mark.req("S2", "S32")
@pytest.mark.parametrize("route", [route for route in ROUTES if route != "ask for a code"])
def test_forged_cookie_takes_the_same_instructions_whomever_it_names(served: World, route: str) -> None:
    told = look(served, route, "forged", 3, counted=True)
    assert median(told.instructions[True]) > 500
    assert median(told.instructions[True]) == median(told.instructions[False])


def test_every_route_of_voters_is_looked_at() -> None:
    looked_at = {(method, path.replace("22222-22222", "{reference}")) for method, path, _ in ROUTES.values()}
    assert looked_at == {(method, path) for method, path in operations() if path.startswith("/api")} - WITHOUT
