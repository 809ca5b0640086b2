"""How `register verify` reads the register of a stack: consistently, as many keys at a time as AWS
takes, all of what it asked for; and the chain of the election too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from reassort.register import ELECTION_CHAIN, Change, entry_from_item
from reassort.tables import to_wire
from reassort_ops.election_control import close_reissues
from reassort_ops.register.chains import read_again, read_chains
from reassort_ops.register.check import verify_register
from reassort_ops.register.helpdesk_chains import read_helpdesk_chains

from harness.service.operated import stack_of
from tests.component.test_insider import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reassort_ops.account.operator import Operator
    from reassort_ops.register.check import Reconciliation

    from harness.service.world import Browser, Enrolled, World

KEYS_A_READ = 100


@pytest.fixture
def at_once() -> Iterator[None]:
    """Let nobody wait before another attempt."""
    stamina.set_testing(True, attempts=5, cap=True)
    yield
    stamina.set_testing(False)


def verified(world: World, dynamodb: Any = None) -> Reconciliation:
    """Verify the register with this client, or with one whose calls are recorded."""
    since = world.election.retention.deliveries_since(world.clock())
    client = dynamodb or world.wire.dynamodb
    return verify_register(client, stack_of(world), lambda _: None, reissued_since=since)


@pytest.mark.req("I9", "I10")
def test_every_read_of_the_check_is_consistent(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    world.agent("marie", "agent").look(claire.email)
    with world.recorded() as calls:
        assert verified(world).holds
        read_helpdesk_chains(world.wire.dynamodb, world.tables["HelpdeskRecordTable"])
    assert {call.operation for call in calls} == {"Scan", "BatchGetItem", "GetItem"}
    for call in calls:
        asked = call.parameters["RequestItems"].values() if "RequestItems" in call.parameters else [call.parameters]
        assert all(one["ConsistentRead"] is True for one in asked), call


@pytest.mark.req("I9")
def test_no_read_asks_for_more_keys_than_aws_gives(world: World) -> None:
    for number in range(KEYS_A_READ + 1):
        world.enrol(f"voter.{number}@ac-dijon.fr", f"09E99{number:05}ABC")
    with world.recorded() as calls:
        found = verified(world)
    assert (found.faults, found.voters) == ([], KEYS_A_READ + 1)
    read = [
        (table, len(asked["Keys"]))
        for call in calls
        if call.operation == "BatchGetItem"
        for table, asked in call.parameters["RequestItems"].items()
    ]
    assert max(keys for _, keys in read) == KEYS_A_READ
    assert sum(keys for table, keys in read if table == world.tables["RegisterTable"]) == KEYS_A_READ + 1


@pytest.mark.req("I7")
def test_of_a_delivery_nothing_is_read_but_whose_it_is(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    with world.recorded() as calls:
        verified(world)
    (asked,) = (
        asked["ProjectionExpression"]
        for call in calls
        if call.operation == "BatchGetItem"
        for table, asked in call.parameters["RequestItems"].items()
        if table == world.tables["DeliveriesTable"]
    )
    assert set(asked.split(", ")) == {"delivery_id", "voter_id", "generation"}


class OneItemAtATime:
    """A client whose AWS gives one of the items that were asked for, and leaves the others."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - AWS's name
        """Give one item."""
        ((table, asked),) = RequestItems.items()
        answer = self._client.batch_get_item(RequestItems={table: {**asked, "Keys": asked["Keys"][:1]}})
        left = {table: {**asked, "Keys": asked["Keys"][1:]}} if asked["Keys"][1:] else {}
        return {**answer, "UnprocessedKeys": left}


@pytest.mark.req("I9")
@pytest.mark.usefixtures("at_once")
def test_what_aws_leaves_for_another_call_is_read_too(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser
) -> None:
    browser.reissue(claire.numen)
    found = verified(world, OneItemAtATime(world.wire.operator.dynamodb))
    assert (found.faults, found.voters, found.entries) == ([], 2, 3)


@pytest.mark.req("I9")
def test_a_voter_is_read_again_as_they_stand_now(world: World, claire: Enrolled) -> None:
    client, stack = world.wire.operator.dynamodb, stack_of(world)
    assert world.vote(claire.identifier).status == 200
    again = read_again(claire.voter_id, client, stack)
    assert again is not None
    assert [item["change"] for item in again.items if item] == ["issued", "voted"]
    assert read_again("A" * 22, client, stack) is None


@pytest.mark.req("I9")
def test_the_chain_of_the_election_is_read_to_the_end_that_the_record_names(
    world: World, claire: Enrolled, operator: Operator
) -> None:
    chains = [chain.voter_id for chain in read_chains(operator.dynamodb, operator.stack)]
    assert chains == [claire.voter_id]
    close_reissues(world.election, "essai", operator)
    close_reissues(world.election, "essai", operator)
    found = verified(world)
    assert (found.faults, found.voters, found.entries, found.issued) == ([], 1, 3, 1)
    last = entry_from_item(world.engine.get("RegisterTable", {"voter_id": ELECTION_CHAIN, "sequence": 2}) or {})
    world.engine.put("RegisterTable", replace(last, change=Change.OPENED).to_item())
    assert faults(world) == ["election: entry 2 is not the last one that was written"]
    key = {"voter_id": ELECTION_CHAIN, "sequence": 1}
    operator.dynamodb.delete_item(TableName=world.tables["RegisterTable"], Key=to_wire(key))
    assert faults(world) == ["election: entry 1 is missing"]
