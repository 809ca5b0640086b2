"""Stopping all reissues: what voters are told, and that nothing commits from then on, however far
it had got.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from reassort.clock import epoch_milliseconds
from reassort.table_keys import control_shard_keys
from reassort_ops.election_control import close_reissues, open_reissues, read_standing

from harness.service.reading import identifier_in
from tests.component.operators import operator_of
from tests.register_chain import broken_links

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World

NUMEN_TABLES = ("VotersTable", "IdentifiersTable", "DeliveriesTable")


def stop(world: World) -> None:
    close_reissues(world.election, "leak", operator_of(world))


def reopen(world: World) -> None:
    open_reissues(world.election, "leak stopped", operator_of(world))


def state(world: World) -> list[object]:
    return [world.items(table) for table in NUMEN_TABLES]


@pytest.mark.req("U9", "I1")
def test_stop_refuses_and_tells_what_to_do(world: World, claire: Enrolled, browser: Browser) -> None:
    stop(world)
    before = state(world)
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "reissues-stopped")
    assert world.election.helpdesk.phone in refused.json["detail"]
    assert state(world) == before
    window = browser.overview().json["window"]
    assert (window["open"], window["stopped"]) == (False, True)
    assert world.check(claire.identifier)["status"] == "active"


@pytest.mark.req("I1")
def test_stop_overtakes_a_reissue_that_has_been_read(world: World, claire: Enrolled, browser: Browser) -> None:
    world.interleave("TransactWriteItems", lambda: stop(world))
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "reissues-stopped")
    assert world.voter(claire).generation == 1
    assert not [item for item in world.deliveries() if item["kind"] == "reissue"]


@pytest.mark.req("I1")
@pytest.mark.parametrize(
    ("opens_in", "closes_in", "status"), [(0, 1, 202), (1, 2, 409), (-1, 0, 409)], ids=["open", "later", "closed"]
)
def test_a_record_that_slips_in_lets_a_reissue_commit_within_its_window_alone(
    world: World, claire: Enrolled, browser: Browser, opens_in: int, closes_in: int, status: int
) -> None:
    now = epoch_milliseconds(world.clock())
    record = {"opens_at": now + opens_in, "closes_at": now + closes_in}

    def between() -> None:
        for key in control_shard_keys():
            world.engine.put("ControlTable", {"key": key, **record})

    world.interleave("TransactWriteItems", between)
    assert browser.reissue(claire.numen).status == status
    assert world.voter(claire).generation == (2 if status == 202 else 1)


@pytest.mark.req("I6", "R2")
def test_what_had_committed_is_answered_and_delivered(world: World, claire: Enrolled, browser: Browser) -> None:
    first = browser.reissue(claire.numen, key="the-same-key-0123")
    stop(world)
    again = browser.reissue(claire.numen, key="the-same-key-0123")
    assert (again.status, again.json) == (202, first.json)
    world.run_outbox()
    (sms,) = world.sms
    assert world.check(identifier_in(sms.text))["status"] == "active"


def test_open_lifts_a_stop(world: World, claire: Enrolled, browser: Browser) -> None:
    stop(world)
    reopen(world)
    window = browser.overview().json["window"]
    assert (window["open"], window["stopped"]) == (True, False)
    assert browser.reissue(claire.numen).status == 202


@pytest.mark.req("I5")
def test_votes_go_on_while_reissues_are_stopped(world: World, claire: Enrolled) -> None:
    stop(world)
    assert world.vote(claire.identifier).status == 200


@pytest.mark.parametrize(("seconds", "status"), [(-1, 202), (0, 409)], ids=["just before", "from then on"])
def test_reissues_close_early(world: World, claire: Enrolled, browser: Browser, seconds: int, status: int) -> None:
    at = world.clock.now + timedelta(minutes=5)
    close_reissues(world.election, "bureau", operator_of(world), at)
    assert browser.overview().json["window"]["open"]
    world.clock.set(at + timedelta(seconds=seconds))
    answer = browser.reissue(claire.numen)
    assert answer.status == status
    if status == 409:
        assert answer.code == "window-closed"
        window = browser.overview().json["window"]
        assert (window["open"], window["stopped"]) == (False, False)
        # The page tells the date that holds, not the election file's.
        assert window["closes_at"] == at.isoformat(timespec="seconds").replace("+00:00", "Z")


@pytest.mark.req("S26")
def test_operators_are_stopped_too(world: World, claire: Enrolled) -> None:
    stop(world)
    assert world.agent().act("reissue", claire.email).code == "reissues-stopped"
    assert world.voter(claire).generation == 1


@pytest.mark.req("S26", "I1")
def test_stop_overtakes_an_agent(world: World, claire: Enrolled) -> None:
    world.interleave("TransactWriteItems", lambda: stop(world))
    assert world.agent("marie", "agent").act("reissue", claire.email).code == "reissues-stopped"
    assert world.voter(claire).generation == 1


@pytest.mark.req("I9", "S24")
def test_each_change_is_in_the_register(world: World) -> None:
    stop(world)
    reopen(world)
    chain = world.election_chain()
    assert broken_links(chain) == []
    assert [(entry["change"], entry["actor"], entry["reference"]) for entry in chain] == [
        ("closed", "anne", "leak"),
        ("opened", "anne", "leak stopped"),
    ]
    operator = operator_of(world)
    standing = read_standing(operator.dynamodb, operator.stack)
    assert standing.differing == ()
    assert standing.latest is not None
    assert standing.latest.hash == chain[-1]["hash"]
