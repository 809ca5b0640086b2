"""What every test relies on in the AWS that plays in its process, whichever it is."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from reassort.tables import from_wire

from harness.engines.engine import ACCOUNT, REGION
from harness.engines.ministack import MINISTACK
from harness.engines.moto import MOTO
from harness.service.reading import dispute_token_in, identifier_in
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


_TEXT = {":a": {"S": "x"}}
_REFUSED: dict[str, dict[str, Any]] = {
    "a value that no expression uses": {
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {**_TEXT, ":b": {"S": "y"}},
    },
    "a name that no expression uses": {
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": _TEXT,
    },
    "a value that is not given": {"UpdateExpression": "SET a = :b", "ExpressionAttributeValues": _TEXT},
    "a reserved word": {"UpdateExpression": "SET name = :a", "ExpressionAttributeValues": _TEXT},
    "a reserved word in a condition": {
        "UpdateExpression": "SET a = :a",
        "ConditionExpression": "state = :a",
        "ExpressionAttributeValues": _TEXT,
    },
    "a path twice": {"UpdateExpression": "SET a = :a REMOVE a", "ExpressionAttributeValues": _TEXT},
    "a path within another": {"UpdateExpression": "SET a = :a REMOVE a.b", "ExpressionAttributeValues": _TEXT},
    "a clause twice": {"UpdateExpression": "SET a = :a SET b = :a", "ExpressionAttributeValues": _TEXT},
    "a sign that it does not know": {"UpdateExpression": "SET a := :a", "ExpressionAttributeValues": _TEXT},
    "another key": {"UpdateExpression": "SET voter_id = :a", "ExpressionAttributeValues": _TEXT},
    "a map that is not there": {"UpdateExpression": "SET a.b = :a", "ExpressionAttributeValues": _TEXT},
    "a sum with a text": {"UpdateExpression": "ADD s :a", "ExpressionAttributeValues": {":a": {"N": "1"}}},
    "a sum with nothing": {"UpdateExpression": "SET b = b + :a", "ExpressionAttributeValues": {":a": {"N": "1"}}},
    "brackets that say nothing": {
        "UpdateExpression": "SET a = :a",
        "ConditionExpression": "((a = :a))",
        "ExpressionAttributeValues": _TEXT,
    },
    "no values": {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {}},
}


@pytest.mark.parametrize("update", _REFUSED.values(), ids=_REFUSED)
def test_what_dynamodb_cannot_read_is_refused(world: World, update: dict[str, Any]) -> None:
    world.engine.put("VotersTable", {"voter_id": "A", "s": "text"})
    with pytest.raises(ClientError, match="ValidationException"):
        world.wire.operator.dynamodb.update_item(**_updating(world, update))


# moto alone refuses the first, MiniStack alone the second.
@pytest.mark.parametrize(
    "name", sorted(_REFUSED.keys() - {"another key", "no values", "a value that no expression uses"})
)
def test_what_dynamodb_cannot_read_is_refused_in_a_transaction(world: World, name: str) -> None:
    world.engine.put("VotersTable", {"voter_id": "A", "s": "text"})
    with pytest.raises(ClientError, match="Validation"):
        world.wire.operator.dynamodb.transact_write_items(TransactItems=[{"Update": _updating(world, _REFUSED[name])}])


def _updating(world: World, update: dict[str, Any]) -> Any:
    return {"TableName": world.tables["VotersTable"], "Key": {"voter_id": {"S": "A"}}, **update}


def test_a_whole_story_is_the_same_on_both() -> None:
    assert _story(MOTO) == _story(MINISTACK)


def _story(engine: Engine) -> tuple[object, ...]:
    """Play what voters can live through. Return what was answered, sent and recorded of it."""
    with World(engine=engine) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        paul = world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ")
        browser = world.browser()
        browser.sign_in(claire.email)
        browser.reissue("99Z9999999ZZZ")
        reference = browser.reissue(claire.numen, "06 12 34 56 78", "sms").json["reference"]
        world.run_outbox()
        browser.redeliver(reference, "email")
        world.run_for(minutes=20)
        world.vote(claire.identifier)
        world.vote(identifier_in(world.sms[-1].text))
        world.signed_in(paul).reissue(paul.numen, channel="email")
        world.run_outbox()
        paul_again = dispute_token_in(world.emails[-1])
        world.browser().dispute(paul_again)
        world.agent().act("reissue", paul.email, channel="email")
        world.run_for(hours=3)
        answers = [(response.status, response.code) for response in world.responses]
        # It was a story, and no list of faults that are alike.
        assert [status for status, _ in answers].count(500) == 0
        assert {change for change, _ in _register(world)} >= {"issued", "reissued", "voted", "frozen"}
        return (
            answers,
            [sms.to for sms in world.sms],
            [(email.to, email.subject) for email in world.emails],
            _register(world),
            sorted(str(delivery["messages"].keys()) for delivery in world.deliveries()),
        )


def _register(world: World) -> list[tuple[str, int]]:
    """Return what the register says of each voter, in an order that no key of a hash changes."""
    entries = sorted(world.items("RegisterTable"), key=lambda entry: (entry["at"], entry["sequence"], entry["change"]))
    return [(entry["change"], entry["generation"]) for entry in entries]


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


def test_a_second_world_on_ministack_is_refused() -> None:
    with World(engine=MINISTACK), pytest.raises(RuntimeError, match="a world runs already"), World(engine=MINISTACK):
        pass


def test_moto_saw_the_same_messages() -> None:
    with World(engine=MOTO) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        world.signed_in(claire).reissue(claire.numen, "06 12 34 56 78", "sms")
        world.run_outbox()
        sms = sns_backends[ACCOUNT][REGION].sms_messages.values()
        assert list(sms) == [(one.to, one.text) for one in world.sms] != []
        emails = ses_backends[ACCOUNT][REGION].sent_messages
        assert [(email.destinations["ToAddresses"], email.subject) for email in emails] == [
            ([email.to], email.subject) for email in world.emails
        ]
        assert len(emails) == 1
