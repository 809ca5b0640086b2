"""Whatever somebody of the helpdesk does: it is tried again when a table is busy or something of
theirs comes in between, and otherwise it ends with nothing done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.elections import with_second_person
from harness.service.openapi import raise_if_undescribed
from harness.service.world import World
from tests.component.test_unreached import lose
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.service.world import Enrolled, Response, SeatedAgent

_TABLES = ("VotersTable", "RegisterTable", "IdentifiersTable", "DeliveriesTable", "HelpdeskRecordTable")


@dataclass(frozen=True)
class Deed:
    """What somebody with a role does about a voter, and what is there before. `by_two` is an
    election that asks for a second person.
    """

    do: Callable[[SeatedAgent, Enrolled], Response]
    before: Callable[[World, Enrolled], object] = lambda _world, _voter: None
    role: str = "agent"
    by_two: bool = False


def act(name: str, **more: str) -> Callable[[SeatedAgent, Enrolled], Response]:
    """One act of the page."""
    return lambda agent, voter: agent.act(name, voter.email, **more)


def decide(decision: str) -> Callable[[SeatedAgent, Enrolled], Response]:
    """Decide what waits."""

    def decided(agent: SeatedAgent, _: Enrolled) -> Response:
        (waiting,) = agent.call("GET", "/helpdesk/proposals").json["proposals"]
        return agent.decide(waiting["id"], decision)

    return decided


def proposed(world: World, voter: Enrolled) -> None:
    """Somebody else asks for a reissue."""
    assert world.agent("marie", "agent").act("reissue", voter.email).status == 202


DEEDS = {
    "look": Deed(lambda agent, voter: agent.look(voter.email)),
    "data": Deed(
        lambda agent, voter: agent.call("POST", "/helpdesk/data", {"who": voter.email, "reason": "asked"}),
        role="operator",
    ),
    "unlock": Deed(act("unlock"), lambda world, voter: world.change_voter(voter, numen_failures=10)),
    "freeze": Deed(act("freeze")),
    "unfreeze": Deed(act("unfreeze"), lambda world, voter: world.change_voter(voter, frozen_at=1)),
    "let in": Deed(act("let-in", number="482913"), lambda world, voter: world.browser().ask_code(voter.email)),
    "settle": Deed(act("settle"), lose),
    "reissue": Deed(act("reissue")),
    "propose": Deed(act("reissue"), by_two=True),
    "confirm": Deed(decide("confirm"), proposed, "supervisor", by_two=True),
    "refuse": Deed(decide("refuse"), proposed, "supervisor", by_two=True),
    "end sessions": Deed(lambda agent, _: agent.end("marie"), role="supervisor"),
}
pytestmark = [
    pytest.mark.req("R15", "I6", "H5"),
    pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS),
]


@pytest.fixture
def world(deed: Deed, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A service of that election, which pauses for no time."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with World(with_second_person() if deed.by_two else "dijon-2018") as world:
        yield world
        check_helpdesk_record(world)
        assert "request failed" not in world.log_text
        for response in world.responses:
            raise_if_undescribed(response)


@pytest.fixture
def somebody(world: World, deed: Deed, claire: Enrolled) -> SeatedAgent:
    """Who does it, when what is there before is there."""
    deed.before(world, claire)
    return world.agent("sacha", deed.role)


def _on_record(world: World, agent: SeatedAgent) -> int:
    return len([one for one in world.items("HelpdeskRecordTable") if one["agent"] == agent.id and "action" in one])


def _kept(world: World) -> dict[str, Any]:
    return {table: world.items(table) for table in _TABLES}


def test_a_busy_table_is_tried_again(world: World, claire: Enrolled, deed: Deed, somebody: SeatedAgent) -> None:
    world.fail("TransactWriteItems", "TransactionInProgressException", times=2)
    assert deed.do(somebody, claire).status < 300
    assert _on_record(world, somebody) == 1


def test_a_look_of_theirs_in_between_does_not_matter(
    world: World, claire: Enrolled, paul: Enrolled, deed: Deed, somebody: SeatedAgent
) -> None:
    world.interleave("TransactWriteItems", lambda: somebody.look(paul.email))
    assert deed.do(somebody, claire).status < 300
    assert _on_record(world, somebody) == 2


def test_a_table_that_stays_busy_ends_it_with_nothing_done(
    world: World, claire: Enrolled, deed: Deed, somebody: SeatedAgent
) -> None:
    before = _kept(world)
    world.fail("TransactWriteItems", "TransactionInProgressException", times=-1)
    refused = deed.do(somebody, claire)
    assert (refused.status, refused.code) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert _kept(world) == before
