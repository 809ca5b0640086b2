"""What all calls to AWS have in common: reads that are consistent, writes with a condition, each
function at its own tables.
"""

from __future__ import annotations

import pytest

from harness.service.events import ses_event
from harness.service.reading import dispute_token_in
from harness.service.wire import Call
from harness.service.world import Browser, Enrolled, World

# What no reissue has anything to do with; operators alone write the NUMENs.
_NOT_OF_REISSUES = {"CodeDeliveriesTable", "PaceTable", "HelpdeskRecordTable", "NumensTable"}


def _round_trips(calls: list[Call]) -> int:
    return len([call for call in calls if call.service == "dynamodb"])


@pytest.mark.req("S1", "S2", "I8")
@pytest.mark.parametrize("minutes", [0, 1, 30], ids=["too soon", "another code", "full bucket again"])
def test_asking_again_never_looks_at_the_roll_either(world: World, claire: Enrolled, minutes: int) -> None:
    browser, stranger = world.browser(), world.browser()
    browser.ask_code(claire.email)
    stranger.ask_code("nobody.atall@ac-dijon.fr")
    world.clock.move(minutes=minutes)
    with world.recorded() as for_claire:
        browser.ask_code(claire.email)
    with world.recorded() as for_stranger:
        stranger.ask_code("nobody.atall@ac-dijon.fr")
    assert [str(call) for call in for_claire] == [str(call) for call in for_stranger]
    assert not [call for call in for_claire if "VotersTable" in call.tables]


@pytest.mark.req("P3")
def test_second_reissue_also_marks_the_delivery_it_replaces(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    with world.recorded() as calls:
        browser.reissue(claire.numen)
    assert _round_trips(calls) == 2
    assert calls[-1].tables.count("DeliveriesTable") == 2


def test_every_read_is_consistent(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    browser.overview()
    browser.status(reference)
    world.check(claire.identifier)
    browser.dispute(dispute_token_in(world.emails[-1]))
    for call in world.calls:
        if call.operation == "GetItem":
            assert call.parameters["ConsistentRead"] is True
        if call.operation == "BatchGetItem":
            assert all(keys["ConsistentRead"] is True for keys in call.parameters["RequestItems"].values())
        if call.operation == "Query":
            # Only the sweeper's index is read otherwise, and it names keys alone.
            assert call.parameters["ConsistentRead"] is True
        assert call.operation != "Scan"


def test_no_write_is_without_a_condition(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    world.clock.move(minutes=1)
    browser.overview()
    browser.redeliver(reference, "email")
    world.run_outbox()
    browser.dispute(dispute_token_in(world.emails[0]))
    world.run_outbox()
    for call in world.calls:
        if call.operation == "UpdateItem":
            assert call.parameters["ConditionExpression"]
        if call.operation == "TransactWriteItems":
            assert all(
                next(iter(action.values()))["ConditionExpression"] for action in call.parameters["TransactItems"]
            )
        assert call.operation not in {"PutItem", "BatchWriteItem"}


@pytest.mark.req("S28")
def test_each_function_touches_its_own_tables(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    touched: dict[str, set[str]] = {}

    def note(function: str, calls: list[Call]) -> None:
        touched.setdefault(function, set()).update(table for call in calls for table in call.tables)

    with world.recorded() as calls:
        browser.ask_code(claire.email)
    note("login", calls)
    with world.recorded() as calls:
        world.run_outbox()
    note("notify", calls)
    with world.recorded() as calls:
        browser.redeem(world.code_for(claire.email))
    note("login", calls)
    with world.recorded() as calls:
        browser.reissue(claire.numen)
        browser.overview()
    note("reissue", calls)
    with world.recorded() as calls:
        world.run_outbox()
        world.sweep()
    note("notify", calls)
    returned = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()
    with world.recorded() as calls:
        world.wake("notify", ses_event("bounce", returned, "identifier"))
    note("notify", calls)
    with world.recorded() as calls:
        world.check(claire.identifier)
        world.vote(claire.identifier)
    note("registry", calls)
    with world.recorded() as calls:
        world.announce()
    note("announce", calls)
    assert {str(call) for call in calls} == {"sns.Publish"}
    assert touched == {
        "login": {"SignInTable", "CodeDeliveriesTable", "VotersTable"},
        "reissue": set(world.tables) - _NOT_OF_REISSUES,
        "notify": {"CodeDeliveriesTable", "DeliveriesTable", "VotersTable", "PaceTable", "LimitsTable"},
        "registry": {"IdentifiersTable", "VotersTable", "RegisterTable"},
        "announce": set(),
    }
