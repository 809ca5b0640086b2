"""What the helpdesk's act does that lets a caller in, and what it does not; and how long the counts
of codes are kept.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.letting_in import normalise_request_number

from tests.component.callers import ask, call_in

if TYPE_CHECKING:
    from harness.service.world import Enrolled, World

# What the voter's page has drawn.
_NUMBER = "482913"
_HOME = "203.0.113.24"


@pytest.mark.req("S23")
def test_bucket_is_kept_for_two_days_and_the_reserve_for_an_hour_after_its_window(
    world: World, claire: Enrolled
) -> None:
    def kept(key: str) -> dict[str, Any]:
        items = [item for item in world.items("SignInTable") if item["voter_id"] == claire.voter_id]
        return next(item for item in items if item["key"].startswith(key))

    for _ in range(2):
        ask(world.browser(), claire.email, _HOME)
        assert kept("codes")["expires_at"] == epoch_seconds(world.clock() + timedelta(days=2))
        world.clock.move(minutes=2)
    # Somebody else has emptied it.
    full_at = epoch_milliseconds(world.clock() + timedelta(hours=1))
    world.engine.put("SignInTable", {**kept("codes"), "full_at": full_at, "last_source": "another"})
    assert ask(world.browser(), claire.email, _HOME)["sent"] is True
    minutes_left = 15 - world.clock().minute % 15
    assert kept("reserve#")["expires_at"] == epoch_seconds(world.clock() + timedelta(minutes=minutes_left, hours=1))


def test_letting_in_is_for_one_code_of_one_browser_within_a_quarter_of_an_hour(world: World, claire: Enrolled) -> None:
    voter, other = world.browser(), world.browser()
    ask(voter, claire.email, _HOME)
    ask(voter, claire.email, _HOME, _NUMBER)
    assert call_in(world, claire, _NUMBER)
    for number in ("482914", "48291", "x", "４８２９１３"):
        assert ask(other, claire.email, _HOME, number)["sent"] is False
    assert [ask(voter, claire.email, _HOME, _NUMBER)["sent"] for _ in range(2)] == [True, False]
    assert "let_in" not in str(world.items("SignInTable"))
    # It is one of the day's, for the alarm on many.
    bucket = world.engine.get("SignInTable", {"voter_id": claire.voter_id, "key": "codes"})
    assert bucket is not None
    assert bucket["codes_20181130"] == 2


@pytest.mark.parametrize(("seconds", "sent"), [(1, True), (2, False)], ids=["just before", "after ten minutes"])
def test_letting_in_ends(world: World, claire: Enrolled, seconds: int, sent: bool) -> None:
    voter = world.browser()
    ask(voter, claire.email, _HOME)
    ask(voter, claire.email, _HOME, _NUMBER)
    assert call_in(world, claire, _NUMBER)
    world.clock.move(minutes=9, seconds=58)
    ask(world.browser(), claire.email, _HOME)
    world.clock.move(seconds=seconds)
    assert ask(voter, claire.email, _HOME, _NUMBER)["sent"] is sent


def test_letting_in_is_refused_while_nobody_asks_for_a_code(world: World, claire: Enrolled) -> None:
    assert not call_in(world, claire, "482913")
    assert not world.items("SignInTable")


@pytest.mark.req("S31")
def test_letting_in_passes_the_bound_of_the_callers_network(world: World, claire: Enrolled) -> None:
    voter = world.browser()
    ask(voter, claire.email, _HOME)
    ask(voter, claire.email, _HOME, _NUMBER)
    assert call_in(world, claire, _NUMBER)
    for item in world.items("SignInTable"):
        if item["voter_id"].startswith("source#"):
            for shard in range(8):
                key = item["key"].rsplit("#", 1)[0]
                world.engine.put("SignInTable", {**item, "key": f"{key}#{shard}", "codes": 10_000})
    assert ask(voter, claire.email, _HOME, _NUMBER)["sent"] is True


def test_letting_in_is_for_the_number_that_was_read_out_last(world: World, claire: Enrolled) -> None:
    """The agent lets another page in while the first one asks."""
    voter = world.browser()
    ask(voter, claire.email, _HOME)
    ask(voter, claire.email, _HOME, _NUMBER)
    assert call_in(world, claire, _NUMBER)
    world.interleave("UpdateItem", lambda: call_in(world, claire, "111222"), skip=2)
    assert ask(voter, claire.email, _HOME, _NUMBER)["sent"] is False
    assert ask(world.browser(), claire.email, _HOME, "111222")["sent"] is True


@pytest.mark.req("S31")
def test_letting_in_counts_for_no_network_and_no_other_caller(world: World, claire: Enrolled) -> None:
    paul = world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ")
    for voter in (claire, paul):
        ask(world.browser(), voter.email, _HOME)
        assert call_in(world, voter, _NUMBER)
        assert ask(world.browser(), voter.email, _HOME, _NUMBER)["sent"] is True
    counted = Counter[str]()
    for item in world.items("SignInTable"):
        if item["voter_id"].startswith("source#"):
            counted[item["voter_id"]] += item["codes"]
    assert sorted(counted.values()) == [1, 1, 2]


@pytest.mark.parametrize(("typed", "number"), [("482 913", "482913"), ("482913 ", "482913"), ("48291", None)])
def test_number_is_taken_as_it_is_typed(typed: str, number: str | None) -> None:
    assert normalise_request_number(typed) == number
