"""The room for codes: in any 24 hours no more leave than the election file says, and neither
identifiers nor those who ask for little pay for a flood.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from notify.pacing import CodesUsedUpError

from harness.elections import election_content, read_election
from harness.service.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

# 100 may leave at once, of which 20 are kept, one for each network.
_A_DAY, _FOR_ALL, _KEPT = 200, 80, 20
_FLOOD = "198.51.100.7"


@pytest.fixture
def world() -> Iterator[World]:
    """A service with a small room for codes, whose lane nobody fills."""
    rates: dict[str, Any] = {"codes_per_day": _A_DAY, "codes_per_second": 1000}
    sending = {**election_content("dijon-2018")["sending"], **rates}
    with World(election=read_election("dijon-2018", sending=sending)) as world:
        yield world


@pytest.fixture
def flooded(world: World) -> World:
    """The same, after one network has asked for more codes than there is room for."""
    for number in range(_FOR_ALL + 30):
        ask(world, _FLOOD, f"listed{number}@ac-dijon.fr")
    world.run_outbox()
    return world


def ask(world: World, source: str, email: str, *, listed: bool = True) -> dict[str, Any]:
    """Ask for a code of an address that nobody has asked for before."""
    if listed:
        world.enrol(email, "09E9900123ABC")
    answer = world.call("POST", "/api/login", {"email": email}, headers={"X-Viewer-Address": source})
    assert answer.status == 202
    told: dict[str, Any] = answer.json
    return told


@pytest.mark.req("S31")
def test_flood_uses_up_what_is_for_all_and_one_of_what_is_kept(flooded: World) -> None:
    assert len(flooded.emails) == _FOR_ALL + 1
    assert flooded.metrics("CodesUsed")[-1] == 100
    failed = [item for item in flooded.items("CodeDeliveriesTable") if item["messages"]["code"]["status"] == "failed"]
    assert {item["messages"]["code"]["reason"] for item in failed} == {"codes-used-up"}
    assert len(failed) == 29


@pytest.mark.req("S31")
def test_networks_that_ask_for_little_still_have_codes(flooded: World) -> None:
    for network in range(_KEPT + 5):
        ask(flooded, f"203.0.113.{network}", f"light{network}@ac-dijon.fr")
        ask(flooded, _FLOOD, f"heavy{network}@ac-dijon.fr")
        flooded.run_outbox()
    had = [email.to for email in flooded.emails[_FOR_ALL + 1 :]]
    assert had == [f"light{network}@ac-dijon.fr" for network in range(_KEPT - 1)]


@pytest.mark.req("S31", "I2")
def test_identifiers_and_confirmations_have_their_room(flooded: World) -> None:
    voter = flooded.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
    assert flooded.signed_in(voter).reissue(voter.numen, channel="email").status == 202
    flooded.run_outbox()
    assert len(flooded.mail_to(voter.email)) == 2


@pytest.mark.req("S1", "S2", "S31")
def test_known_and_unknown_addresses_are_answered_alike_when_it_is_used_up(flooded: World) -> None:
    with flooded.recorded() as for_known:
        known = ask(flooded, _FLOOD, "known@ac-dijon.fr")
    with flooded.recorded() as for_unknown:
        unknown = ask(flooded, _FLOOD, "unknown@ac-dijon.fr", listed=False)
    assert known == unknown
    assert [str(call) for call in for_known] == [str(call) for call in for_unknown]
    assert known["sent"] is True


@pytest.mark.req("S31")
def test_addresses_that_nobody_has_use_up_nothing(world: World) -> None:
    for number in range(_A_DAY):
        ask(world, f"203.0.113.{number}", f"nobody{number}@ac-dijon.fr", listed=False)
    world.run_outbox()
    assert not world.metrics("CodesUsed")
    ask(world, _FLOOD, "listed@ac-dijon.fr")
    world.run_outbox()
    assert len(world.emails) == 1


@pytest.mark.req("S13", "S31")
def test_no_24_hours_have_more_than_the_day_whoever_asks_and_whenever(world: World) -> None:
    left = []
    pace, number = world.notify.pace, count()
    for minutes in (*[0] * 150, *[2] * 1500):
        world.clock.move(minutes=minutes)
        try:
            pace.take_code_turn(f"network {next(number)}", world.clock(), 2**53 // 1000)
        except CodesUsedUpError:
            continue
        left.append(world.clock())
    day = timedelta(days=1)
    assert _A_DAY - 2 < max(sum(1 for at in left if start <= at < start + day) for start in left) <= _A_DAY


@pytest.mark.req("S13")
def test_workers_who_know_nothing_of_each_other_keep_it_together(world: World) -> None:
    workers = [world._build_notify().pace for _ in range(4)]
    left = 0
    for number in range(_A_DAY):
        try:
            workers[number % 4].take_code_turn("one network", world.clock(), 2**53 // 1000)
            left += 1
        except CodesUsedUpError:
            continue
    assert left == _FOR_ALL + 1
