"""Nothing grows with the roll: every call names whole keys, what it reads is bounded, and keys
spread.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from reassort.table_keys import DUE_INDEX, ERASE_SHARDS, SMS_INDEX

from harness.engines.template import read_template
from harness.measuring.spread import spread, spreads
from harness.service.events import ses_event, sms_log_event
from harness.service.reading import dispute_token_in
from harness.service.world import World

if TYPE_CHECKING:
    from harness.service.wire import Call

# A voter's own items, the most that one call reads or writes.
_KEYS_A_READ = 4
_ACTIONS_A_TRANSACTION = 8
_OTHERS = 300


def play_everything(world: World) -> None:
    """Let a voter and everybody around them do whatever makes a function call AWS."""
    claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", "7K3M-9QWX-2TBD-HV5S")
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    browser.redeem("000000")
    browser.redeem(world.code_for(claire.email))
    browser.overview()
    browser.reissue("09E9900123ABD")
    reference = browser.reissue(claire.numen, channel="sms").json["reference"]
    world.run_outbox()
    browser.status(reference)
    sms_id = world.delivery_item(reference)["sms_id"]
    world.wake("notify", sms_log_event(sms_id, "FAILURE", "Phone is opted out"))
    world.run_outbox()
    world.wake("notify", ses_event("delivery", reference, "confirmation", at=world.clock()))
    world.clock.move(minutes=2)
    world.sweep()
    world.drain_retries()
    second = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()
    browser.redeliver(second, "sms")
    world.run_outbox()
    world.check(claire.identifier)
    paul = world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ", "2345-6789-ABCD-EFGH")
    world.vote(paul.identifier)
    browser.dispute(dispute_token_in(world.emails[-1]))
    world.run_outbox()
    browser.sign_out()


def database_calls(others: int) -> list[Call]:
    """Return the calls of all functions to DynamoDB with so many other voters on the roll."""
    with World(seed=7) as world:
        for number in range(others):
            world.enrol(f"somebody{number}@ac-dijon.fr", f"00E{number:07d}ABC")
        play_everything(world)
        return [call for call in world.calls if call.service == "dynamodb"]


@pytest.mark.req("P5")
def test_no_function_ever_scans_and_every_read_is_bounded() -> None:
    calls = database_calls(0)
    assert {call.operation for call in calls} == {
        "BatchGetItem",
        "DeleteItem",
        "GetItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    }
    for call in calls:
        parameters = call.parameters
        match call.operation:
            case "BatchGetItem":
                assert sum(len(wanted["Keys"]) for wanted in parameters["RequestItems"].values()) <= _KEYS_A_READ
            case "TransactWriteItems":
                assert len(parameters["TransactItems"]) <= _ACTIONS_A_TRANSACTION
            case "Query":
                _assert_bounded(parameters)


def _assert_bounded(query: dict[str, Any]) -> None:
    """A query is of one voter's chain, or of one partition of a sparse index: what waits to be
    sent, never the roll; and it asks for so many or for a page.
    """
    if query["TableName"].endswith("RegisterTable"):
        assert query["KeyConditionExpression"] == "#key = :key"
        assert query["ExpressionAttributeNames"] == {"#key": "voter_id"}
        return
    assert query["IndexName"] in {DUE_INDEX, SMS_INDEX}
    assert query["KeyConditionExpression"].split(" AND ")[0] in {"due_shard = :shard", "sms_id = :id"}
    shard = query["ExpressionAttributeValues"].get(":shard", {}).get("S", "")
    assert query.get("Limit", 0) or (query["IndexName"] == DUE_INDEX and shard not in ERASE_SHARDS)


@pytest.mark.req("P5")
def test_the_calls_and_their_size_are_the_same_however_many_others_are_on_the_roll() -> None:
    def seen(others: int) -> list[tuple[str, int]]:
        # Sizes to the byte: random values of one length, and one clock.
        return [(str(call), len(str(call.parameters)) // 64) for call in database_calls(others)]

    alone, among_others = seen(0), seen(_OTHERS)
    assert [call for call, _ in alone] == [call for call, _ in among_others]
    assert sum(size for _, size in among_others) <= 1.01 * sum(size for _, size in alone)


@pytest.mark.req("P5", "S28")
def test_no_role_may_scan() -> None:
    template = read_template()["Resources"]
    roles = {name: part for name, part in template.items() if part["Type"] == "AWS::IAM::Role"}
    allowed: set[str] = set()
    for role in roles.values():
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                allowed |= {actions} if isinstance(actions, str) else set(actions)
    on_tables = {action for action in allowed if action.startswith(("dynamodb:", "*"))}
    assert "dynamodb:BatchGetItem" in on_tables
    assert not {action for action in on_tables if "*" in action or "Scan" in action or "PartiQL" in action}


@pytest.mark.req("P5")
def test_keys_spread_evenly() -> None:
    for found in spreads(20_000, Random(1)):  # noqa: S311 - keys of a test
        assert found.is_even, found
        assert found.keys == 20_000


def test_an_uneven_spread_is_noticed() -> None:
    draw = Random(1)  # noqa: S311 - numbers of a test
    even = [draw.randrange(8) for _ in range(8000)]
    assert spread("even", even, 8).is_even
    assert not spread("one bucket has a tenth more", [*even, *[3] * 200], 8).is_even
