"""What agents and supervisors do at the same moment, on an engine whose transactions are atomic
under threads.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest

from harness.elections import with_second_person
from harness.service.world import Enrolled, World
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.service.world import Response

pytestmark = pytest.mark.req("S34", "H6")
# As many as a large helpdesk has supervisors.
MANY = 20


@pytest.fixture
def world() -> Iterator[World]:
    with World(with_second_person()) as world:
        yield world
        check_helpdesk_record(world)


def at_once(calls: Sequence[Callable[[], Response]]) -> list[Response]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@pytest.mark.parametrize("decisions", [("confirm",), ("refuse",), ("confirm", "refuse")])
def test_a_proposal_is_decided_once(world: World, claire: Enrolled, decisions: tuple[str, ...]) -> None:
    reference = world.agent("marie", "agent").act("reissue", claire.email, "jamais arrivé").json["proposal"]["id"]
    supervisors = [world.agent(f"supervisor{number}", "supervisor") for number in range(MANY)]
    said = list(islice(cycle(decisions), MANY))

    answers = at_once(
        [partial(one.decide, reference, decision) for one, decision in zip(supervisors, said, strict=True)]
    )

    (won,) = [number for number, answer in enumerate(answers) if answer.status == 200]
    others = Counter(answer.code for answer in answers if answer.status != 200)
    assert set(others) <= {"proposal-closed", "unavailable"}
    entries = world.register(claire)[1:]
    if said[won] == "refuse":
        assert entries == []
        assert world.check(claire.identifier)["status"] == "active"
    else:
        assert [entry["actor"].split(" + ")[1] for entry in entries] == [supervisors[won].id]
        assert world.check(claire.identifier)["status"] == "revoked"
        assert world.voter(claire).generation == 2


def test_one_proposal_waits_for_a_voter_when_many_agents_ask(world: World, claire: Enrolled) -> None:
    agents = [world.agent(f"agent{number}", "agent") for number in range(MANY)]
    answers = at_once([partial(one.act, "reissue", claire.email, "jamais arrivé") for one in agents])
    sacha = world.agent("sacha", "supervisor")
    waiting = sacha.call("GET", "/helpdesk/proposals").json["proposals"]
    accepted = [answer.json["proposal"]["id"] for answer in answers if answer.status == 202]
    assert sorted(accepted) == sorted(one["id"] for one in waiting)
    decided = [sacha.decide(reference).status for reference in accepted]
    # Whatever waited, the voter is given one identifier.
    assert decided.count(200) == 1
    assert world.voter(claire).generation == 2
