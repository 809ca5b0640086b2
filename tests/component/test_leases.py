"""What a worker leaves behind that records a message, gives it back or lets it wait for a turn."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from notify.claims import await_turn, claim_message, record_sent, release_claim
from reassort.clock import epoch_milliseconds
from reassort.outbox import OVERDUE_AFTER, Message

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from notify.claims import Claim

    from harness.service.world import Browser, Enrolled, World

WAIT = timedelta(minutes=5)


@pytest.fixture
def reference(world: World, browser: Browser, claire: Enrolled) -> str:
    """A reissue by SMS that its event has not brought to delivery, and will not."""
    accepted: str = browser.reissue(claire.numen).json["reference"]
    world.lose_stream()
    return accepted


def _claim(world: World, reference: str) -> Claim | None:
    return claim_message(world.delivery(reference), Message.IDENTIFIER, world.clock(), world.notify)


def _claimed(world: World, reference: str) -> Claim:
    claim = _claim(world, reference)
    assert claim is not None
    return claim


def _give_back(world: World, reference: str, until: datetime) -> None:
    claim = _claimed(world, reference)
    release_claim(claim, world.clock(), (until - world.clock()).seconds, world.notify, keeps_budget=False)


def _let_wait(world: World, reference: str, until: datetime) -> None:
    at = epoch_milliseconds(until)
    delivery = world.delivery(reference)
    assert await_turn(delivery, Message.IDENTIFIER, at + 1000, at, world.clock(), world.notify)


def _earliest(world: World, reference: str) -> timedelta:
    """Return how long nobody may take the message, to the tenth of a second."""
    start = world.clock()
    world.clock.set(start + WAIT - timedelta(seconds=2))
    while _claim(world, reference) is None:
        world.clock.move(seconds=0.1)
    return world.clock() - start


@pytest.mark.req("R9")
def test_a_message_that_was_given_back_is_taken_a_second_before_its_time_at_the_earliest(
    world: World, reference: str
) -> None:
    """Two workers' clocks differ by as much."""
    _give_back(world, reference, world.clock() + WAIT)
    assert _earliest(world, reference) == WAIT - timedelta(seconds=1)


@pytest.mark.req("R9")
def test_a_message_is_not_taken_before_its_turn(world: World, reference: str) -> None:
    _let_wait(world, reference, world.clock() + WAIT)
    assert _earliest(world, reference) == WAIT


@pytest.mark.req("R4", "R9")
@pytest.mark.parametrize("leave", [_give_back, _let_wait])
def test_the_sweeper_comes_a_minute_after_the_time_of_what_waits(
    world: World, reference: str, leave: Callable[[World, str, datetime], None]
) -> None:
    leave(world, reference, world.clock() + WAIT)
    world.clock.set(world.clock() + WAIT + OVERDUE_AFTER - timedelta(milliseconds=1))
    assert world.sweep() == 0
    world.clock.move(milliseconds=1)
    assert world.sweep() == 1


@pytest.mark.req("R5")
@pytest.mark.parametrize("leave", [_give_back, _let_wait])
def test_what_waits_is_not_woken_by_the_write_that_lets_it_wait(
    world: World, reference: str, leave: Callable[[World, str, datetime], None]
) -> None:
    leave(world, reference, world.clock() + WAIT)
    with world.recorded() as calls:
        world.deliver_stream()
    assert calls == []


@pytest.mark.req("R9")
@pytest.mark.parametrize("throttled", [1, 2])
def test_throttled_attempts_are_tries_as_well(world: World, reference: str, throttled: int) -> None:
    for _ in range(throttled):
        release_claim(_claimed(world, reference), world.clock(), 1, world.notify, keeps_budget=True)
    claim = _claimed(world, reference)
    assert (claim.attempt, claim.tries) == (1, 1 + throttled)


@pytest.mark.req("R5")
def test_a_sending_is_recorded_once(world: World, reference: str) -> None:
    claim = _claimed(world, reference)
    assert record_sent(claim, "id-of-sns", world.clock(), world.notify) is not None
    assert record_sent(claim, "id-of-sns", world.clock(), world.notify) is None
