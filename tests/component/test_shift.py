"""Who leads the helpdesk sees the shift, names no voter by it, and ends an agent's sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort.agent_names import agent_name
from reassort.caller_codes import current_code
from reassort.clock import iso
from reassort_ops.election_control import close_reissues

from tests.component.operators import operator_of
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from harness.service.world import Enrolled, SeatedAgent, World


@pytest.fixture
def marie(world: World) -> SeatedAgent:
    return world.agent("marie", "agent")


@pytest.fixture
def sacha(world: World) -> SeatedAgent:
    return world.agent("sacha", "supervisor")


def shift(leader: SeatedAgent) -> dict[str, Any]:
    answer = leader.call("GET", "/helpdesk/shift")
    assert answer.status == 200
    told: dict[str, Any] = answer.json
    return told


@pytest.mark.req("H5", "H6")
def test_each_agents_looks_and_acts_of_today_are_told_and_no_voter(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    idle = world.election.limits.session.idle_minutes
    code = current_code(world.keyed_hash, claire.voter_id, world.clock(), idle).words
    marie.look(claire.email)
    marie.look(claire.email, caller_code=code)
    world.agent("paul", "agent").look(claire.email)
    world.clock.move(minutes=1)
    for act in ("freeze", "unfreeze", "freeze"):
        marie.act(act, claire.email, "boîte piratée")
    told = shift(sacha)
    assert {one["name"]: (one["looks"], one["verified"], one["acts"], one["last_at"]) for one in told["agents"]} == {
        agent_name(marie.id): (2, 1, 3, "2018-11-30T09:16:00Z"),
        agent_name(world.agent("paul", "agent").id): (1, 0, 0, "2018-11-30T09:15:00Z"),
    }
    assert told["acts"] == {"frozen": 2, "unfrozen": 1}
    text = json.dumps(told, ensure_ascii=False)
    for secret in (claire.email, claire.voter_id, "c•••", "boîte"):
        assert secret not in text
    # Tomorrow it begins again, and nobody is read who was there today.
    world.clock.move(days=1)
    with world.recorded() as calls:
        assert shift(sacha)["agents"] == []
    assert marie.id not in str(calls)
    marie.look(claire.email)
    assert [(one["looks"], one["acts"]) for one in shift(sacha)["agents"]] == [(1, 0)]


@pytest.mark.req("H6")
def test_what_waits_and_what_is_wrong_is_told_in_words(world: World, claire: Enrolled, sacha: SeatedAgent) -> None:
    long_wait = world.election.sending.long_wait_seconds
    assert (shift(sacha)["queues"], shift(sacha)["alarms"]) == ({"waiting": 0, "oldest_seconds": 0}, [])
    asked_at = iso(world.clock())
    assert world.signed_in(claire).reissue(claire.numen).status == 202
    world.clock.move(seconds=long_wait)
    assert (shift(sacha)["queues"], shift(sacha)["alarms"]) == ({"waiting": 1, "oldest_seconds": long_wait}, [])
    world.clock.move(seconds=1)
    told = shift(sacha)
    assert told["queues"] == {"waiting": 1, "oldest_seconds": long_wait + 1}
    assert [(one["name"], one["since"]) for one in told["alarms"]] == [("messages-late", asked_at)]
    world.run_outbox()
    close_reissues(world.election, "leak", operator_of(world))
    told = shift(sacha)
    # Midnight in Paris.
    assert told["since"] == "2018-11-29T23:00:00Z"
    assert [(one["name"], one["since"]) for one in told["alarms"]] == [("reissues-stopped", told["since"])]


@pytest.mark.req("H5")
def test_who_has_used_up_their_looks_is_told(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    for _ in range(world.election.helpdesk.lookups_per_hour):
        marie.look(claire.email)
    (alarm,) = shift(sacha)["alarms"]
    assert (alarm["name"], alarm["since"]) == ("look-ups-used-up", iso(world.clock()))
    assert agent_name(marie.id) in alarm["words"]


@pytest.mark.req("H5")
def test_who_has_used_up_the_looks_of_a_day_is_told_too(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    marie.look(claire.email)
    (head,) = [item for item in world.items("HelpdeskRecordTable") if "chain_length" in item]
    most = world.election.helpdesk.lookups_per_day
    world.engine.put("HelpdeskRecordTable", head | {"looks_in_day": most - 1})
    assert shift(sacha)["alarms"] == []
    world.engine.put("HelpdeskRecordTable", head | {"looks_in_day": most})
    assert [one["name"] for one in shift(sacha)["alarms"]] == ["look-ups-used-up"]


@pytest.mark.req("P5", "H6")
def test_the_shift_costs_no_more_at_the_end_of_the_day(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    marie.look(claire.email)
    with world.recorded() as first:
        shift(sacha)
    for _ in range(20):
        marie.look(claire.email)
    with world.recorded() as last:
        shift(sacha)
    assert [str(call) for call in first] == [str(call) for call in last]
    assert not any(call.operation == "Scan" for call in last)


@pytest.mark.req("H6", "S34")
@pytest.mark.parametrize(("role", "allowed"), [("agent", False), ("supervisor", True), ("auditor", False)])
def test_only_who_leads_sees_the_shift_and_ends_sessions(
    world: World, marie: SeatedAgent, role: str, *, allowed: bool
) -> None:
    somebody = world.agent("lou", role)
    assert (somebody.call("GET", "/helpdesk/shift").status == 200) is allowed
    assert (somebody.end("marie").status == 204) is allowed
    assert (marie.call("GET", "/helpdesk/me").status == 403) is allowed


@pytest.mark.req("H6", "S34")
def test_an_agent_whose_sessions_were_ended_does_nothing_more_from_that_moment(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    marie.look(claire.email)
    assert sacha.end("marie", "compte volé").status == 204
    # Again, after a lost answer.
    assert sacha.end("marie", "compte volé").status == 204
    refused = [
        marie.look(claire.email),
        marie.act("freeze", claire.email),
        marie.call("GET", "/helpdesk/me"),
    ]
    assert {answer.code for answer in refused} == {"session-ended"}
    assert world.check(claire.identifier)["status"] == "active"
    ended = [item for item in world.items("HelpdeskRecordTable") if item.get("action") == "ended-sessions"]
    assert [(item["agent"], item["reference"], item["reason"]) for item in ended] == [
        (sacha.id, marie.id, "compte volé")
    ]
    check_helpdesk_record(world)
    # The longest session that may have begun before, with the last credentials that it brings.
    world.clock.move(hours=11, minutes=59)
    assert marie.look(claire.email).code == "session-ended"
    world.clock.move(minutes=1)
    assert marie.look(claire.email).status == 200
    assert world.agent("paul", "agent").look(claire.email).status == 200


def _ended_until(world: World, agent: SeatedAgent) -> int:
    (until,) = [item["ended_until"] for item in world.items("HelpdeskRecordTable") if item["agent"] == _place(agent)]
    assert isinstance(until, int)
    return until


def _place(agent: SeatedAgent) -> str:
    return f"#ended {agent.id}"


@pytest.mark.req("H6", "S34")
def test_sessions_that_are_ended_again_after_ten_minutes_stay_ended_so_much_longer(
    world: World, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    sacha.end("marie")
    first = _ended_until(world, marie)
    world.clock.move(minutes=9, seconds=59)
    assert sacha.end("marie").status == 204
    assert _ended_until(world, marie) == first
    world.clock.move(seconds=1)
    assert sacha.end("marie").status == 204
    assert _ended_until(world, marie) == first + 600_000
    check_helpdesk_record(world)
    assert len([item for item in world.items("HelpdeskRecordTable") if item.get("action") == "ended-sessions"]) == 2


@pytest.mark.req("H6", "S34")
def test_sessions_that_somebody_ended_for_longer_meanwhile_are_not_ended_for_less(
    world: World, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    ended = {"agent": _place(marie), "sequence": 0, "ended_until": 2**45}
    world.interleave("TransactWriteItems", lambda: world.engine.put("HelpdeskRecordTable", ended))
    assert sacha.end("marie").status == 204
    assert _ended_until(world, marie) == 2**45


@pytest.mark.req("H6")
def test_nobody_ends_their_own_or_an_operators(world: World, sacha: SeatedAgent) -> None:
    assert sacha.end("sacha").code == "not-allowed"
    for name in ("anne", "", "x" * 200):
        assert sacha.call("POST", f"/helpdesk/sessions/{name or '-'}/end", {"reason": "x"}).code == "not-found"
    assert world.agent("anne").call("GET", "/helpdesk/me").status == 200


@pytest.mark.req("H3")
def test_a_reason_is_asked_for(sacha: SeatedAgent, marie: SeatedAgent) -> None:
    assert sacha.end("marie", "appel du 06 12 34 56 78").code == "invalid-fields"
    assert marie.call("GET", "/helpdesk/me").status == 200
