"""Codes from one source: a wide bound that no number of addresses or of simultaneous requests gets
past.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from login.source_limit import SHARDS
from reassort.clock import epoch_seconds

from harness.elections import election_content, read_election
from harness.service.world import START, World

if TYPE_CHECKING:
    from reassort.election_file import ElectionFile

    from harness.service.world import Response

CODES = 5 * SHARDS
assert SHARDS <= 8, "limits.source.codes of an election file may be as low as 8"
SCHOOL = "203.0.113.24"


def _election(codes: int = CODES) -> ElectionFile:
    limits: dict[str, Any] = election_content("dijon-2018")["limits"]
    return read_election("dijon-2018", limits={**limits, "source": {"codes": codes, "window_minutes": 15}})


def _ask(world: World, number: int, source: str = SCHOOL) -> Response:
    headers = {"X-Viewer-Address": source}
    return world.call("POST", "/api/login", {"email": f"voter{number}@ac-dijon.fr"}, headers=headers)


def _counted(world: World) -> int:
    return sum(item["codes"] for item in world.items("SignInTable") if item["voter_id"].startswith("source#"))


@pytest.mark.req("S13")
def test_hundred_simultaneous_requests_get_no_more_than_the_bound() -> None:
    with World(election=_election()) as world, ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda number: _ask(world, number), range(100)))
        accepted = [answer for answer in answers if answer.status == 202]
        refused = [answer for answer in answers if answer.status == 429]
        assert len(accepted) + len(refused) == 100
        # A shard may be full while another is not, so a little less is given now and then, and
        # never more.
        assert CODES / 2 < len(accepted) <= CODES
        assert {answer.code for answer in refused} == {"source-limit"}
        assert _counted(world) == len(accepted)
        assert len(world.deliveries()) == len(accepted)


@pytest.mark.req("S12", "S13")
def test_bound_ends_with_its_window_and_touches_nobody_else() -> None:
    with World(election=_election()) as world:
        world.clock.set(START - timedelta(minutes=START.minute % 15, seconds=START.second))
        for number in range(20 * SHARDS):
            _ask(world, number)
        refused = _ask(world, 1000)
        assert (refused.status, refused.code) == (429, "source-limit")
        assert int(refused.headers["retry-after"]) == 15 * 60
        world.clock.move(minutes=4)
        assert int(_ask(world, 1000).headers["retry-after"]) == 11 * 60
        assert _ask(world, 1001, source="203.0.113.25").status == 202
        assert _ask(world, 1002, source="2001:db8::1").status == 202
        # Anyone who shares the address is kept out for a quarter of an hour at most.
        world.clock.move(minutes=11)
        assert _ask(world, 1000).status == 202


@pytest.mark.req("S13")
def test_school_of_two_thousand_behind_one_address_is_not_blocked() -> None:
    """The bound of the election files, at the worst: everybody within a few minutes, and half of
    them asks again. A tenth of both: the fewer the requests, the more unevenly chance spreads them.
    """
    codes = read_election("dijon-2018").limits.source.codes
    with World(election=_election(codes // 10)) as world:
        for number in range(200):
            assert _ask(world, number).status == 202
        world.clock.move(minutes=2)
        for number in range(100):
            assert _ask(world, number).status == 202


@pytest.mark.req("S1", "S13", "I8")
def test_refusal_says_nothing_of_the_roll() -> None:
    with World(election=_election(SHARDS)) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        for number in range(20 * SHARDS):
            _ask(world, number)
        headers = {"X-Viewer-Address": SCHOOL}
        known = world.call("POST", "/api/login", {"email": claire.email}, headers=headers)
        unknown = _ask(world, 9999)
        assert (known.status, known.text, known.headers) == (unknown.status, unknown.text, unknown.headers)
        assert known.status == 429


@pytest.mark.req("S12", "S13")
def test_refused_request_costs_the_voter_no_code() -> None:
    """As the refusal says: from another network, at once."""
    with World(election=_election(SHARDS)) as world:
        for number in range(20 * SHARDS):
            _ask(world, number)
        assert _ask(world, 9999).status == 429
        queued = len(world.deliveries())
        assert _ask(world, 9999, source="203.0.113.99").status == 202
        assert len(world.deliveries()) == queued + 1


@pytest.mark.req("S13")
def test_refused_request_refills_no_bucket_that_it_took_nothing_from() -> None:
    """A code of the reserve is none of the bucket's: to give it back there would be a way to more
    codes.
    """
    with World(election=_election(SHARDS)) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")

        def ask(source: str) -> Response:
            return world.call("POST", "/api/login", {"email": claire.email}, headers={"X-Viewer-Address": source})

        def full_at() -> int:
            (bucket,) = [
                item
                for item in world.items("SignInTable")
                if item["voter_id"] == claire.voter_id and item["key"] == "codes"
            ]
            value: int = bucket["full_at"]
            return value

        for number in range(20 * SHARDS):
            _ask(world, number)
        for minute in range(7):
            ask(f"192.0.2.{minute}")
            world.clock.move(seconds=61)
        before = full_at()
        assert not [item for item in world.items("SignInTable") if item["key"].startswith("reserve#")]
        assert ask(SCHOOL).code == "source-limit"
        assert [item for item in world.items("SignInTable") if item["key"].startswith("reserve#")], (
            "the bucket was not empty"
        )
        assert full_at() == before


@pytest.mark.req("S23")
def test_count_of_a_network_is_kept_for_an_hour_after_its_window() -> None:
    with World(election=_election()) as world:
        _ask(world, 1)
        (count,) = [item for item in world.items("SignInTable") if item["voter_id"].startswith("source#")]
        ends_at = START + timedelta(minutes=15 - START.minute % 15, hours=1)
        assert count["expires_at"] == epoch_seconds(ends_at)


@pytest.mark.req("S9", "S13", "I7")
def test_address_of_the_network_is_kept_only_as_a_keyed_hash() -> None:
    with World(election=_election()) as world:
        _ask(world, 1)
        assert _counted(world) == 1
        assert SCHOOL not in str(
            [world.items(table) for table in ("SignInTable", "CodeDeliveriesTable", "LimitsTable", "PaceTable")]
        )
