"""The exact list of AWS calls of every operation of openapi.yaml and of every trigger of delivery,
and what a reissue costs in units.

A call that is added, dropped or moved to another place fails here: the usual case of each, without
contention.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from reassort.keyed_hash import HashKey
from reassort.tables import to_wire

from harness.elections import with_second_person
from harness.measuring.units import item_size, read_units, write_units
from harness.service.events import load_event, ses_event, sms_log_event
from harness.service.reading import dispute_token_in
from harness.service.wire import Call
from harness.service.world import Browser, Enrolled, World

_READ = "dynamodb.BatchGetItem SignInTable VotersTable DeliveriesTable"
_READ_TO_REISSUE = f"{_READ} ControlTable"
_UPDATE_DELIVERY = "dynamodb.UpdateItem DeliveriesTable"
_TURN = "dynamodb.UpdateItem PaceTable"
# Claimed, opened, sent, recorded.
_SEND_EMAIL = [_TURN, _UPDATE_DELIVERY, "kms.Decrypt", "kms.Decrypt", "sesv2.SendEmail", _UPDATE_DELIVERY]
_SEND_SMS = [_TURN, _UPDATE_DELIVERY, "kms.Decrypt", "sns.Publish", _UPDATE_DELIVERY]
_LOOK = "dynamodb.BatchGetItem DeliveriesTable VotersTable"


def _of_code(call: str) -> str:
    return call.replace("DeliveriesTable", "CodeDeliveriesTable")


type Step = Callable[[World, Enrolled, Browser], Any]


def _reissued(voter: Enrolled, browser: Browser) -> str:
    reference: str = browser.reissue(voter.numen).json["reference"]
    return reference


def _ask(world: World, voter: Enrolled, _: Browser) -> Step:
    return lambda *_: world.browser().ask_code(voter.email)


def _redeem(world: World, voter: Enrolled, _: Browser) -> Step:
    another = world.browser()
    another.ask_code(voter.email)
    world.run_outbox()
    code = world.code_for(voter.email)
    return lambda *_: another.redeem(code)


def _overview(world: World, voter: Enrolled, browser: Browser) -> Step:
    _reissued(voter, browser)
    world.clock.move(minutes=1)
    return lambda *_: browser.overview()


def _status(_: World, voter: Enrolled, browser: Browser) -> Step:
    reference = _reissued(voter, browser)
    return lambda *_: browser.status(reference)


def _redeliver(world: World, voter: Enrolled, browser: Browser) -> Step:
    reference = _reissued(voter, browser)
    world.run_outbox()
    return lambda *_: browser.redeliver(reference, "email")


def _dispute(world: World, voter: Enrolled, browser: Browser) -> Step:
    _reissued(voter, browser)
    world.run_outbox()
    token = dispute_token_in(world.emails[-1])
    return lambda *_: browser.dispute(token)


def _decide(world: World, voter: Enrolled, _: Browser) -> Step:
    proposal = world.agent().act("reissue", voter.email).json["proposal"]["id"]
    return lambda *_: world.agent("paul", "supervisor").decide(proposal)


def _look_at_dispute(world: World, voter: Enrolled, browser: Browser) -> Step:
    _reissued(voter, browser)
    world.run_outbox()
    token = dispute_token_in(world.emails[-1])
    return lambda *_: browser.call("POST", "/api/dispute/look", {"token": token})


_HEAD = "dynamodb.GetItem HelpdeskRecordTable"
# The end of the chain, the entry, and the day, whose first it is.
_ON_RECORD = "HelpdeskRecordTable HelpdeskRecordTable HelpdeskRecordTable"
_SHEET = [
    "dynamodb.GetItem VotersTable",
    "dynamodb.Query RegisterTable",
    "dynamodb.Query SignInTable",
    "dynamodb.GetItem ControlTable",
]
# Where a call is another in another election.
_ELECTIONS = {"helpdeskDecide": with_second_person()}
OPERATIONS: dict[str, tuple[Callable[[World, Enrolled, Browser], Step], list[str]]] = {
    "askCode": (
        _ask,
        [
            "dynamodb.UpdateItem SignInTable",
            "kms.Encrypt",
            "kms.Encrypt",
            "dynamodb.TransactWriteItems SignInTable CodeDeliveriesTable SignInTable",
        ],
    ),
    "redeemCode": (
        _redeem,
        [
            "dynamodb.UpdateItem SignInTable",
            "dynamodb.TransactWriteItems SignInTable SignInTable VotersTable",
        ],
    ),
    "signOut": (lambda _, __, browser: lambda *_: browser.sign_out(), ["dynamodb.DeleteItem SignInTable"]),
    "overview": (
        _overview,
        [
            "dynamodb.BatchGetItem SignInTable VotersTable ControlTable",
            "dynamodb.UpdateItem SignInTable",
            "dynamodb.GetItem DeliveriesTable",
        ],
    ),
    "reissue": (
        lambda _, voter, browser: lambda *_: browser.reissue(voter.numen),
        [
            _READ_TO_REISSUE,
            "kms.Encrypt",
            # Whether reissues are stopped is only checked.
            "dynamodb.TransactWriteItems VotersTable IdentifiersTable RegisterTable "
            "DeliveriesTable ControlTable LimitsTable",
        ],
    ),
    "reissueStatus": (_status, [_READ]),
    "redeliver": (_redeliver, [_READ, "dynamodb.TransactWriteItems DeliveriesTable"]),
    "dispute": (
        _dispute,
        [
            "dynamodb.GetItem DeliveriesTable",
            "dynamodb.GetItem VotersTable",
            "dynamodb.TransactWriteItems VotersTable RegisterTable DeliveriesTable",
        ],
    ),
    "lookAtDispute": (_look_at_dispute, ["dynamodb.GetItem DeliveriesTable"]),
    "serviceStatus": (
        lambda _, __, browser: lambda *_: browser.call("GET", "/api/status"),
        ["dynamodb.BatchGetItem ControlTable"],
    ),
    "helpdeskMe": (lambda world, *_: lambda *_: world.agent().call("GET", "/helpdesk/me"), [_HEAD]),
    "helpdeskLook": (
        lambda world, voter, _: lambda *_: world.agent().look(voter.email),
        [_HEAD, f"dynamodb.TransactWriteItems {_ON_RECORD}", *_SHEET],
    ),
    "helpdeskData": (
        lambda world, voter, _: (
            lambda *_: world.agent().call("POST", "/helpdesk/data", {"who": voter.email, "reason": "droit d’accès"})
        ),
        [_HEAD, f"dynamodb.TransactWriteItems {_ON_RECORD}", *_SHEET],
    ),
    "helpdeskAct": (
        lambda world, voter, _: lambda *_: world.agent().act("freeze", voter.email),
        [
            "dynamodb.GetItem VotersTable",
            _HEAD,
            "dynamodb.GetItem VotersTable",
            f"dynamodb.TransactWriteItems VotersTable RegisterTable {_ON_RECORD}",
            *_SHEET,
        ],
    ),
    "helpdeskProposals": (
        lambda world, *_: lambda *_: world.agent("paul", "supervisor").call("GET", "/helpdesk/proposals"),
        # Whether their sessions were ended comes first.
        [_HEAD, "dynamodb.Query HelpdeskRecordTable"],
    ),
    "helpdeskShift": (
        lambda world, *_: lambda *_: world.agent("paul", "supervisor").call("GET", "/helpdesk/shift"),
        [_HEAD, _HEAD, *["dynamodb.Query DeliveriesTable"] * 8, "dynamodb.GetItem ControlTable"],
    ),
    "helpdeskEndSessions": (
        lambda world, *_: lambda *_: world.agent("paul", "supervisor").end("marie"),
        [_HEAD, _HEAD, _HEAD, f"dynamodb.TransactWriteItems HelpdeskRecordTable {_ON_RECORD}"],
    ),
    "helpdeskDecide": (
        _decide,
        [
            _HEAD,
            "dynamodb.Query HelpdeskRecordTable",
            "dynamodb.Query HelpdeskRecordTable",
            _HEAD,
            "dynamodb.GetItem VotersTable",
            "dynamodb.GetItem ControlTable",
            "kms.Encrypt",
            "dynamodb.TransactWriteItems VotersTable IdentifiersTable RegisterTable DeliveriesTable ControlTable "
            f"HelpdeskRecordTable {_ON_RECORD}",
        ],
    ),
    "helpdeskRecord": (
        lambda world, *_: lambda *_: world.agent().call("GET", "/helpdesk/record?day=2018-11-30"),
        ["dynamodb.GetItem HelpdeskRecordTable"],
    ),
    "checkIdentifier": (
        lambda world, voter, _: lambda *_: world.check(voter.identifier),
        ["dynamodb.GetItem IdentifiersTable", "dynamodb.GetItem VotersTable", "dynamodb.Query RegisterTable"],
    ),
    "recordVote": (
        lambda world, voter, _: lambda *_: world.vote(voter.identifier),
        [
            "dynamodb.GetItem IdentifiersTable",
            "dynamodb.GetItem VotersTable",
            "dynamodb.Query RegisterTable",
            "dynamodb.TransactWriteItems VotersTable RegisterTable IdentifiersTable",
        ],
    ),
}


def _code_in_stream(world: World, voter: Enrolled, _: Browser) -> Step:
    world.browser().ask_code(voter.email)
    return lambda *_: world.deliver_stream()


def _sms_in_stream(world: World, voter: Enrolled, browser: Browser) -> Step:
    browser.reissue(voter.numen, channel="sms")
    return lambda *_: world.deliver_stream()


def _email_in_stream(world: World, voter: Enrolled, browser: Browser) -> Step:
    browser.reissue(voter.numen, channel="email")
    return lambda *_: world.deliver_stream()


def _alert_in_stream(world: World, voter: Enrolled, browser: Browser) -> Step:
    _dispute(world, voter, browser)(world, voter, browser)
    return lambda *_: world.deliver_stream()


def _overdue(world: World, voter: Enrolled, browser: Browser) -> Step:
    _reissued(voter, browser)
    world.lose_stream()
    world.clock.move(minutes=2)
    return lambda *_: world.sweep()


def _retried(world: World, voter: Enrolled, browser: Browser) -> Step:
    _overdue(world, voter, browser)(world, voter, browser)
    world.lose_stream()
    return lambda *_: world.drain_retries()


def _email_receipt(world: World, voter: Enrolled, browser: Browser) -> Step:
    reference = _reissued(voter, browser)
    world.run_outbox()
    return lambda *_: world.wake("notify", ses_event("delivery", reference))


def _sms_receipt(world: World, voter: Enrolled, browser: Browser) -> Step:
    reference = _reissued(voter, browser)
    world.run_outbox()
    sms_id = world.delivery_item(reference)["sms_id"]
    return lambda *_: world.wake("notify", sms_log_event(sms_id, at=world.clock()))


# The template's function looks at the register's key as well.
_KEYS = ["kms.DescribeKey"] * (1 + len(HashKey))
_SWEEP = ["dynamodb.Query CodeDeliveriesTable"] * 8 + ["dynamodb.Query DeliveriesTable"] * 16
TRIGGERS: dict[str, tuple[str, Callable[[World, Enrolled, Browser], Step], list[str]]] = {
    "a code": ("stream", _code_in_stream, [_of_code(call) for call in (_LOOK, *_SEND_EMAIL, _UPDATE_DELIVERY)]),
    "a reissue by SMS": (
        "stream",
        _sms_in_stream,
        # Both are settled after the first turn of the e-mail's lane; the last write removes what is
        # sealed or puts off its end.
        [_LOOK, *_SEND_SMS, *_SEND_EMAIL, _UPDATE_DELIVERY],
    ),
    "a reissue by e-mail": ("stream", _email_in_stream, [_LOOK, *_SEND_EMAIL, *_SEND_EMAIL, _UPDATE_DELIVERY]),
    "an alert": (
        "stream",
        _alert_in_stream,
        [_LOOK, _UPDATE_DELIVERY, "sns.Publish", _UPDATE_DELIVERY, _UPDATE_DELIVERY],
    ),
    "a retry": (
        "queue",
        _retried,
        ["dynamodb.GetItem DeliveriesTable", _LOOK, *_SEND_SMS, *_SEND_EMAIL, _UPDATE_DELIVERY],
    ),
    "one overdue": ("schedule", _overdue, [*_SWEEP, "sqs.SendMessageBatch", *_KEYS]),
    "nothing overdue": ("schedule", lambda world, *_: lambda *_: world.sweep(), [*_SWEEP, *_KEYS]),
    "a receipt of an e-mail": ("topic", _email_receipt, ["dynamodb.GetItem DeliveriesTable", _UPDATE_DELIVERY]),
    "a receipt of an SMS": (
        "log",
        _sms_receipt,
        ["dynamodb.Query DeliveriesTable", "dynamodb.GetItem DeliveriesTable", _UPDATE_DELIVERY, _UPDATE_DELIVERY],
    ),
}


def _recorded(world: World, step: Step, voter: Enrolled, browser: Browser) -> list[Call]:
    with world.recorded() as calls:
        step(world, voter, browser)
    return calls


@pytest.mark.req("P3")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_makes_these_calls(operation: str) -> None:
    prepare, expected = OPERATIONS[operation]
    with World(_ELECTIONS.get(operation, "dijon-2018")) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", "7K3M-9QWX-2TBD-HV5S")
        browser = world.signed_in(claire)
        calls = _recorded(world, prepare(world, claire, browser), claire, browser)
    assert [str(call) for call in calls] == expected


@pytest.mark.req("P3")
@pytest.mark.parametrize("name", TRIGGERS)
def test_trigger_makes_these_calls(world: World, claire: Enrolled, browser: Browser, name: str) -> None:
    _, prepare, expected = TRIGGERS[name]
    calls = _recorded(world, prepare(world, claire, browser), claire, browser)
    assert [str(call) for call in calls] == expected


def test_no_operation_and_no_trigger_is_left_out() -> None:
    api = yaml.load((Path(__file__).parents[2] / "openapi.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    described = {
        operation["operationId"]
        for path in api["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    assert set(OPERATIONS) == described
    assert {kind for kind, _, _ in TRIGGERS.values()} == {"stream", "queue", "schedule", "topic", "log"}
    # The five shapes that the handler tells apart.
    assert all(load_event(name) for name in ("outbox-stream", "retry-queue", "sweeper", "ses-delivery", "sms-log"))


@pytest.mark.req("P3")
def test_bars_of_round_trips() -> None:
    trips = {
        name: len([call for call in calls if call.startswith("dynamodb.")]) for name, (_, calls) in OPERATIONS.items()
    }
    assert (trips["askCode"], trips["redeemCode"], trips["reissue"], trips["reissueStatus"]) == (2, 2, 2, 1)


@pytest.mark.req("P3")
def test_request_units_of_a_reissue(world: World, claire: Enrolled, browser: Browser) -> None:
    """Six items of a transaction at two units each, one entry of an index, and four reads of one
    unit (docs/performance.md).
    """
    tables = ("VotersTable", "IdentifiersTable", "RegisterTable", "DeliveriesTable", "LimitsTable", "ControlTable")
    before = {table: _sizes(world, table) for table in tables}
    read, _, write = _recorded(world, lambda *_: browser.reissue(claire.numen), claire, browser)
    after = {table: _sizes(world, table) for table in tables}
    changed = {
        (table, key): max(size, before[table].get(key, 0))
        for table in tables
        for key, size in after[table].items()
        if before[table].get(key) != size
    }
    checked = [action["ConditionCheck"] for action in write.parameters["TransactItems"] if "ConditionCheck" in action]
    assert len(changed) + len(checked) == len(write.parameters["TransactItems"]) == 6
    assert max(changed.values()) <= 1024
    # An item that is only checked costs as much as one that is written, and one that is absent as
    # much as a small one.
    units = sum(write_units(size, transactional=True) for size in (*changed.values(), *(0 for _ in checked)))
    # `due` takes the delivery in; `sms` does not before an SMS has an id.
    assert units + write_units(100) == 13
    assert sum(read_units(1) for _ in read.parameters["RequestItems"]) == 4


def _sizes(world: World, table: str) -> dict[str, int]:
    return {_key(item): item_size(to_wire(item)) for item in world.items(table)}


def _key(item: dict[str, Any]) -> str:
    names = ("delivery_id", "identifier_hash", "voter_id", "sequence", "key")
    return "|".join(str(item[name]) for name in names if name in item)
