"""What every test relies on in the AWS that plays in its process, whichever it is."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from reassort.tables import from_wire

from harness.engines.ministack import MINISTACK
from harness.engines.moto import MOTO
from harness.service.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from harness.engines.engine import Engine


@pytest.fixture(params=[MOTO, MINISTACK], ids=["moto", "MiniStack"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """One engine after the other."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    """A world on that engine."""
    with World(engine=engine) as world:
        yield world


def test_a_world_starts_empty(engine: Engine) -> None:
    for _ in range(2):
        with World(engine=engine) as world:
            assert not any(world.items(table) for table in world.tables)
            assert (world.new_records(), world.queued_bodies(), world.emails) == ([], [], [])
            claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
            world.browser().sign_in(claire.email)
            world.wire.operator.sqs.send_message(QueueUrl=world.retry_queue, MessageBody="left")
            assert world.new_records()


def test_items_are_what_the_api_gives(world: World) -> None:
    item = {
        "delivery_id": "A",
        "due_at": 7,
        "payload": b"\x00\xff",
        # Names and values that look like DynamoDB's own way of writing a value.
        "parts": {
            "list": [1, "two", None, {"x": True}],
            "B": "text",
            "BS": b"\x01",
            "sets": {"S": {"a"}},
        },
    }
    world.engine.put("DeliveriesTable", item)
    assert world.deliveries() == [item]
    assert world.delivery_item("A") == item
    (given,) = world.wire.operator.dynamodb.scan(TableName=world.tables["DeliveriesTable"])["Items"]
    assert given["due_at"] == {"N": "7"}
    assert given["parts"]["M"]["sets"]["M"]["S"] == {"SS": ["a"]}
    assert from_wire(given) == item


def test_queue_follows_the_worlds_clock(world: World) -> None:
    sqs = world.wire.operator.sqs
    sqs.send_message(QueueUrl=world.retry_queue, MessageBody="later", DelaySeconds=900)
    assert world.queued_bodies() == ["later"]
    for _ in range(2):
        assert not world.engine.has_visible(world.retry_queue)
        assert "Messages" not in sqs.receive_message(QueueUrl=world.retry_queue)
        world.clock.move(minutes=15)
        assert world.engine.has_visible(world.retry_queue)
        # Received and not deleted: hidden for the queue's visibility timeout.
        assert sqs.receive_message(QueueUrl=world.retry_queue)["Messages"][0]["Body"] == "later"


def _put(name: str) -> TransactWriteItemTypeDef:
    return {
        "Put": {
            "TableName": "VotersTable",
            "Item": {"voter_id": {"S": "A"}, "name": {"S": name}},
            "ConditionExpression": "attribute_not_exists(voter_id)",
        }
    }


def test_ministack_repeats_no_transaction_of_the_same_token() -> None:
    with World(engine=MINISTACK) as world:
        for _ in range(2):
            world.wire.dynamodb.transact_write_items(TransactItems=[_put("one")], ClientRequestToken="token")
        with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
            world.wire.dynamodb.transact_write_items(TransactItems=[_put("two")], ClientRequestToken="token")


def test_ministack_lets_one_of_many_threads_win() -> None:
    with World(engine=MINISTACK) as world, ThreadPoolExecutor(8) as threads:

        def compete(number: int) -> bool:
            try:
                world.wire.dynamodb.transact_write_items(TransactItems=[_put(str(number))])
            except ClientError:
                return False
            return True

        assert sum(threads.map(compete, range(64))) == 1


def test_ministack_deletes_no_expired_item() -> None:
    """Its reaper wakes once a minute of the machine's time, and would make a test depend on how
    long it runs.
    """
    with World(engine=MINISTACK) as world:
        for table in world.tables.values():
            answer = world.wire.operator.dynamodb.describe_time_to_live(TableName=table)
            assert answer["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"


def test_ministack_replaces_what_it_stores() -> None:
    with World(engine=MINISTACK) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        before = MINISTACK.stored("VotersTable")
        kept = deepcopy(before)
        browser = world.signed_in(claire)
        assert browser.reissue("99Z9999999ZZZ").code == "numen-mismatch"
        assert MINISTACK.stored("VotersTable") != before
        assert browser.reissue(claire.numen).status == 202
        assert before == kept


def test_a_seeded_world_is_the_same_each_time() -> None:
    def play(seed: int | None) -> list[str]:
        with World(engine=MINISTACK, seed=seed) as world:
            claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
            browser = world.browser()
            browser.sign_in(claire.email)
            browser.reissue(claire.numen, key="request-0000000001")
            world.run_outbox()
            return [claire.identifier, claire.voter_id, *(email.text for email in world.emails), world.sms[0].text]

    assert play(1) == play(1)
    assert play(1)[0] != play(2)[0]
    assert play(None)[0] != play(None)[0]


def test_ministack_logs_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with World(engine=MINISTACK) as world:
        world.browser().sign_in(world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC").email)
        assert world.emails
    assert {record.name for record in caplog.records} <= {"login", "notify"}
