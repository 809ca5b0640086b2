"""Each clause of each conditional write on voters, challenges, sessions and identifiers, alone.

A request has read what it needs. Something else slips in just before it writes, and touches one
fact alone: not the length of the voter's chain, which would refuse any change by itself. The write
is refused for that fact; the request reads again and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.tables import to_wire
from reassort_ops.roll.leaving import Leaving

from harness.service.reading import dispute_token_in
from tests.component.test_unreached import lose

if TYPE_CHECKING:
    from collections.abc import Callable

    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, Enrolled, World

type Slip = Callable[[World, Enrolled], None]
OTHER = "8N4P-2RWY-6UCE-JW7T"


def voter(**attributes: Any) -> Slip:
    """Something changes one fact of the voter."""
    return lambda world, owner: world.change_voter(owner, **attributes)


VOTED, FROZEN, LEFT = voter(voted_at=1), voter(frozen_at=1), voter(left_at=1)
REISSUED = voter(generation=2, issued_at=[1, 2])


def _writes(world: World) -> dict[str, Any]:
    """Return what a change of a voter writes."""
    return {table: world.items(table) for table in ("RegisterTable", "IdentifiersTable", "DeliveriesTable")}


def _slips_in(world: World, owner: Enrolled, slip: Slip) -> dict[str, Any]:
    """Let something slip in before the next transaction; return what is written by then."""
    world.interleave("TransactWriteItems", lambda: slip(world, owner))
    return _writes(world)


# ---------------------------------------------------------------- a voter's own acts


@pytest.mark.req("R13", "I5")
@pytest.mark.parametrize(
    ("slip", "code"),
    [
        (VOTED, "already-voted"),
        (FROZEN, "frozen"),
        (LEFT, "signed-out"),
        (REISSUED, "stale-page"),
        (voter(numen_failures=10), "locked"),
        (voter(numen_locked_until=2**45), "locked"),
    ],
    ids=["vote", "freeze", "removal", "reissue", "failures", "lock"],
)
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_reissue_that_overlooks_nothing(
    world: World, claire: Enrolled, browser: Browser, slip: Slip, code: str, channel: str
) -> None:
    before = _slips_in(world, claire, slip)
    assert browser.reissue(claire.numen, channel=channel).code == code
    assert _writes(world) == before


@pytest.mark.req("R13", "I5")
@pytest.mark.parametrize(
    ("slip", "code"),
    [(VOTED, "already-voted"), (FROZEN, "frozen"), (LEFT, "frozen"), (REISSUED, "revoked")],
    ids=["vote", "freeze", "removal", "reissue"],
)
def test_a_vote_that_overlooks_nothing(world: World, claire: Enrolled, slip: Slip, code: str) -> None:
    before = _slips_in(world, claire, slip)
    assert world.vote(claire.identifier).code == code
    assert _writes(world) == before


@pytest.mark.req("I5", "I11")
@pytest.mark.parametrize(
    "slip",
    [{"voter_id": "somebody else"}, {"generation": 2}, {"voted_at": 1}],
    ids=["points to another voter", "is of another generation", "has voted"],
)
def test_no_identifier_votes_that_meanwhile(world: World, claire: Enrolled, slip: dict[str, Any]) -> None:
    (item,) = world.items("IdentifiersTable")
    world.interleave("TransactWriteItems", lambda: world.engine.put("IdentifiersTable", item | slip))
    assert world.vote(claire.identifier).code == "unknown-identifier"
    assert world.voter(claire).voted_at is None
    assert [entry["change"] for entry in world.register(claire)] == ["issued"]


@pytest.mark.req("I12", "I5")
@pytest.mark.parametrize(
    ("slip", "change"),
    [(VOTED, "disputed"), (FROZEN, "disputed"), (REISSUED, "disputed")],
    ids=["vote", "freeze", "reissue"],
)
def test_a_dispute_does_not_freeze_over(
    world: World, claire: Enrolled, browser: Browser, slip: Slip, change: str
) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    token = dispute_token_in(world.emails[-1])
    if slip is REISSUED:
        slip = voter(generation=3, issued_at=[1, 2, 3])
    _slips_in(world, claire, slip)
    frozen = {VOTED: None, FROZEN: 1}.get(slip)
    assert browser.dispute(token).status == 202
    assert world.register(claire)[-1]["change"] == change
    assert world.voter(claire).frozen_at == frozen


@pytest.mark.req("I6", "I12")
@pytest.mark.parametrize("slip", ["disputed", "deleted"])
def test_a_dispute_is_not_written_to_a_delivery_that_meanwhile_is(
    world: World, claire: Enrolled, browser: Browser, slip: str
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    token = dispute_token_in(world.emails[-1])

    def between() -> None:
        if slip == "disputed":
            world.change_delivery(reference, disputed_at=7)
        else:
            key = to_wire({"delivery_id": reference})
            world.wire.operator.dynamodb.delete_item(TableName=world.tables["DeliveriesTable"], Key=key)

    world.interleave("TransactWriteItems", between)
    answer = browser.dispute(token)
    assert answer.status == 202 if slip == "disputed" else answer.code == "invalid-token"
    assert [delivery.get("disputed_at") for delivery in world.items("DeliveriesTable")] == [7] * (slip == "disputed")
    assert world.voter(claire).frozen_at is None
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "reissued"]


@pytest.mark.req("R10", "I3")
@pytest.mark.parametrize(
    "slip",
    {
        "what was sealed is erased": {"payload": None},
        "it was asked for by another request": {"redeliveries": 1},
        "its voter has a later one": {"superseded_at": 1},
        "its voter disputes it": {"disputed_at": 1},
    }.items(),
    ids=lambda case: case[0],
)
def test_an_identifier_is_not_queued_again_when(
    world: World, claire: Enrolled, browser: Browser, slip: tuple[str, dict[str, Any]]
) -> None:
    reference = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()
    world.interleave("TransactWriteItems", lambda: world.change_delivery(reference, **slip[1]))
    assert browser.redeliver(reference, "sms").code == "delivery-in-progress"
    assert world.delivery(reference).channel == "email"
    assert world.sms == []


@pytest.mark.req("R10", "I3")
@pytest.mark.parametrize(
    "slip",
    {
        "it arrives": {"status": "delivered"},
        "it was queued by the other channel": {"round": 1},
        "it is being sent": {"status": "sending", "lease_until": 2**45},
    }.items(),
    ids=lambda case: case[0],
)
def test_a_message_is_not_queued_again_when(
    world: World, claire: Enrolled, browser: Browser, slip: tuple[str, dict[str, Any]]
) -> None:
    reference = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()
    world.interleave("TransactWriteItems", lambda: world.change_message(reference, "identifier", **slip[1]))
    assert browser.redeliver(reference, "sms").code == "delivery-in-progress"
    assert world.delivery(reference).channel == "email"
    assert world.sms == []


# ---------------------------------------------------------------- what the helpdesk does


@pytest.mark.req("R13", "I5")
@pytest.mark.parametrize(
    ("before", "act", "slip", "after"),
    [
        ({}, "freeze", {"voted_at": 1}, "already-voted"),
        ({}, "freeze", {"frozen_at": 1}, "nothing-to-do"),
        ({"frozen_at": 1}, "unfreeze", {"frozen_at": None}, "nothing-to-do"),
        ({"numen_failures": 10}, "unlock", {"numen_failures": 0}, "nothing-to-do"),
        ({"numen_locked_until": 9}, "unlock", {"numen_locked_until": 0}, "nothing-to-do"),
    ],
    ids=["freeze after a vote", "freeze twice", "unfreeze twice", "unlock twice", "unlock after the lock"],
)
def test_an_act_that_overlooks_nothing(
    world: World, claire: Enrolled, before: dict[str, Any], act: str, slip: dict[str, Any], after: str
) -> None:
    world.change_voter(claire, **before)
    world.interleave("TransactWriteItems", lambda: world.change_voter(claire, **slip))
    assert world.agent().act(act, claire.email).code == after
    assert [entry["change"] for entry in world.register(claire)] == ["issued"]


@pytest.mark.req("R13")
@pytest.mark.parametrize("act", ["freeze", "unfreeze"])
def test_an_act_is_of_the_generation_that_it_was_written_for(world: World, claire: Enrolled, act: str) -> None:
    world.change_voter(claire, frozen_at=1 if act == "unfreeze" else None)
    world.interleave("TransactWriteItems", lambda: REISSUED(world, claire))
    assert world.agent().act(act, claire.email).status == 200
    assert world.register(claire)[-1]["generation"] == 2


@pytest.mark.req("R13", "H3")
@pytest.mark.parametrize("act", ["unlock", "freeze", "unfreeze", "reissue"])
def test_nothing_is_done_for_a_voter_who_leaves_the_roll_meanwhile(
    world: World, claire: Enrolled, operator: Operator, act: str
) -> None:
    world.change_voter(claire, numen_failures=10, frozen_at=1 if act == "unfreeze" else None)
    leaving = Leaving(operator, world.election)
    world.interleave("TransactWriteItems", lambda: leaving.remove(claire.voter_id, "radié"))
    assert world.agent().act(act, claire.email).code == "off-roll"
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "removed"]


@pytest.mark.req("O8")
def test_a_voter_who_is_gone_meanwhile_does_not_come_back_as_settled(world: World, claire: Enrolled) -> None:
    lose(world, claire)
    key = to_wire({"voter_id": claire.voter_id})
    remove = world.wire.operator.dynamodb.delete_item
    world.interleave("TransactWriteItems", lambda: remove(TableName=world.tables["VotersTable"], Key=key))
    assert world.agent().act("settle", claire.email).code == "no-such-voter"
    assert world.items("VotersTable") == []


# ---------------------------------------------------------------- sign-in


def _challenge(world: World) -> dict[str, Any]:
    (found,) = (item for item in world.items("SignInTable") if item["key"].startswith("challenge#"))
    return found


@pytest.mark.req("S6", "S22")
@pytest.mark.parametrize("slip", ["used", "expired", "removed"])
def test_a_challenge_does_not_go_on_that_meanwhile_is(world: World, claire: Enrolled, slip: str) -> None:
    """A second code goes to a new challenge, and the old one keeps what it had."""
    browser = world.browser()
    browser.ask_code(claire.email)
    world.clock.move(minutes=2)
    before = _challenge(world)
    left = {"used": {"used_at": 1}, "expired": {"valid_until": epoch_milliseconds(world.clock())}}.get(slip)

    def between() -> None:
        if left is None:
            key = to_wire({name: before[name] for name in ("voter_id", "key")})
            world.wire.operator.dynamodb.delete_item(TableName=world.tables["SignInTable"], Key=key)
        else:
            world.engine.put("SignInTable", before | left)

    world.interleave("TransactWriteItems", between)
    cookie = browser.challenge_cookie
    assert browser.ask_code(claire.email).json["sent"]
    assert browser.challenge_cookie != cookie
    old = [item for item in world.items("SignInTable") if item["key"] == before["key"]]
    assert old == ([] if left is None else [before | left])
    world.run_outbox()
    assert browser.redeem(world.code_for(claire.email)).status == 200


@pytest.mark.req("S6")
def test_a_challenge_works_once_though_it_was_read_unused(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    used = _challenge(world) | {"used_at": 1}
    world.interleave("TransactWriteItems", lambda: world.engine.put("SignInTable", used))
    assert browser.redeem(world.code_for(claire.email)).code == "code-used"
    assert not [item for item in world.items("SignInTable") if item["key"].startswith("session#")]


def _deleted(world: World, voter: Enrolled) -> None:
    key = to_wire({"voter_id": voter.voter_id})
    world.wire.operator.dynamodb.delete_item(TableName=world.tables["VotersTable"], Key=key)


@pytest.mark.req("S31")
@pytest.mark.parametrize("slip", [LEFT, _deleted], ids=["leaves", "is deleted"])
def test_who_leaves_the_roll_while_signing_in_does_not(world: World, claire: Enrolled, slip: Slip) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    world.interleave("TransactWriteItems", lambda: slip(world, claire))
    assert browser.redeem(world.code_for(claire.email)).code == "wrong-code"
    assert not [item for item in world.items("SignInTable") if item["key"].startswith("session#")]


@pytest.mark.req("S22")
def test_a_session_that_was_signed_out_meanwhile_does_not_come_back(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    world.clock.move(minutes=5)
    cookies = browser.cookies
    world.interleave("UpdateItem", lambda: world.call("DELETE", "/api/login", cookies=cookies))
    browser.overview()
    assert not [item for item in world.items("SignInTable") if item["key"].startswith("session#")]
