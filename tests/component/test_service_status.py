"""What everybody may know before they sign in: whether identifiers are issued, alike for all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort_ops.election_control import close_reissues, open_reissues

from tests.component.operators import operator_of

if TYPE_CHECKING:
    from harness.service.world import Browser, World


def told(world: World) -> dict[str, Any]:
    answer = world.browser().call("GET", "/api/status")
    assert answer.status == 200
    window: dict[str, Any] = answer.json["window"]
    return window


@pytest.mark.req("U9", "S21")
def test_status_is_alike_for_everybody_and_may_be_kept_for_half_a_minute(world: World, browser: Browser) -> None:
    stranger, voter = (one.call("GET", "/api/status") for one in (world.browser(), browser))
    assert stranger.headers["cache-control"] == "public, max-age=30"
    assert voter.text == stranger.text
    assert not voter.cookies
    assert not stranger.cookies
    assert stranger.json["window"] == browser.overview().json["window"]
    assert stranger.json["window"]["open"]


@pytest.mark.req("U9")
def test_a_stop_and_an_early_close_are_told_before_anybody_signs_in(world: World) -> None:
    at = world.clock.now + timedelta(minutes=5)
    close_reissues(world.election, "bureau", operator_of(world), at)
    window = told(world)
    assert (window["open"], window["stopped"]) == (True, False)
    assert window["closes_at"] == at.isoformat(timespec="seconds").replace("+00:00", "Z")
    close_reissues(world.election, "leak", operator_of(world))
    assert (told(world)["open"], told(world)["stopped"]) == (False, True)
    open_reissues(world.election, "leak stopped", operator_of(world))
    assert (told(world)["open"], told(world)["stopped"]) == (True, False)


@pytest.mark.req("U9", "S25")
def test_refusal_of_the_status_is_not_kept(world: World) -> None:
    world.fail("BatchGetItem", "InternalServerError")
    answer = world.browser().call("GET", "/api/status")
    assert answer.status == 503
    assert answer.headers["cache-control"] == "no-store"
