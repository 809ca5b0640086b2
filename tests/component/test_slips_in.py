"""Each clause of each conditional write of the delivery, alone.

A worker has read a delivery. Something else slips in before it writes. The write is one that the
clause refuses, and leaves the delivery as what slipped in left it.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from notify.claims import await_turn, claim_message, record_sent, release_claim
from notify.delivery_writes import read_delivery
from notify.erasure import close_delivery
from notify.fallback import fail_claimed, fail_unsent
from notify.parking import defer_sweep, park, unpark
from notify.superseded import mark_superseded, settle_superseded
from reassort.clock import epoch_milliseconds
from reassort.outbox import Message
from reassort.reasons import Reason

from harness.service.events import ses_event, sms_log_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from notify.claims import Claim
    from reassort.outbox import Delivery

    from harness.service.world import Browser, Enrolled, World

type Slip = Callable[[World, str], None]
IDENTIFIER, CONFIRMATION = Message.IDENTIFIER, Message.CONFIRMATION
MINUTE = 60_000
TURN = 1


def message(name: Message = IDENTIFIER, **attributes: Any) -> Slip:
    """Something changes one message."""
    return lambda world, reference: world.change_message(reference, name, **attributes)


def delivery(**attributes: Any) -> Slip:
    """Something changes the delivery; None removes an attribute."""
    return lambda world, reference: world.change_delivery(reference, **attributes)


def in_a_minute(name: Message = IDENTIFIER, attribute: str = "lease_until", **attributes: Any) -> Slip:
    """Something sets a time of one message to a minute from now, by the world's clock."""

    def slip(world: World, reference: str) -> None:
        later = epoch_milliseconds(world.clock()) + MINUTE
        world.change_message(reference, name, **{attribute: later, **attributes})

    return slip


def deleted(world: World, reference: str) -> None:
    """Somebody deletes the delivery."""
    world.wire.operator.dynamodb.delete_item(
        TableName=world.tables["DeliveriesTable"], Key={"delivery_id": {"S": reference}}
    )


SENT_BY_ANOTHER = in_a_minute(status="sending")
# What each write that nobody else may be at with the message is refused by.
BUSY = {
    "another worker holds the lease": SENT_BY_ANOTHER,
    "another worker sent it": message(status="sent"),
    "another worker sent it under a lease that ran out": message(status="sent", lease_until=1),
    "another worker tried": message(attempts=1),
    "it was queued again by the other channel": message(round=1),
}


@pytest.fixture
def reference(browser: Browser, claire: Enrolled) -> str:
    """A reissue by SMS of which nothing was sent yet."""
    accepted: str = browser.reissue(claire.numen).json["reference"]
    return accepted


def _read(world: World, reference: str) -> Delivery:
    found = read_delivery(reference, world.notify)
    assert found is not None
    return found


def _claimed(world: World, reference: str, name: Message = IDENTIFIER) -> Claim:
    claim = claim_message(_read(world, reference), name, world.clock(), world.notify)
    assert claim is not None
    return claim


def _is_refused(world: World, reference: str, slip: Slip, write: Callable[[], object]) -> None:
    """Let something slip in between, write, and find the delivery as it was left."""
    slip(world, reference)
    before = world.engine.get("DeliveriesTable", {"delivery_id": reference})
    assert not write()
    assert world.engine.get("DeliveriesTable", {"delivery_id": reference}) == before


# ---------------------------------------------------------------- claims


@pytest.mark.req("R3", "I3", "I6")
@pytest.mark.parametrize(
    "slip",
    {
        "another worker holds the lease": SENT_BY_ANOTHER,
        "another worker sent it": message(status="sent"),
        "another worker sent it under a lease that ran out": message(status="sent", lease_until=1),
        "it waits for its next attempt": in_a_minute(attribute="not_before"),
        "what was sealed is erased": delivery(payload=None),
        "its voter has a later one": delivery(superseded_at=1),
        "its voter disputes it": delivery(disputed_at=1),
        "it was queued again by the other channel": message(round=1),
        "it is deleted": deleted,
    }.items(),
    ids=lambda case: case[0],
)
def test_a_message_is_not_claimed_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    read = _read(world, reference)
    _is_refused(world, reference, slip[1], lambda: claim_message(read, IDENTIFIER, world.clock(), world.notify))


@pytest.mark.req("R3", "I6")
@pytest.mark.parametrize(
    "write",
    {
        "sent": lambda claim, world: record_sent(claim, "id-of-sns", world.clock(), world.notify),
        "failed": lambda claim, world: fail_claimed(claim, Reason.UNKNOWN, world.notify),
        "given back": lambda claim, world: release_claim(claim, world.clock(), 5, world.notify, keeps_budget=False),
        "given back, uncounted": lambda claim, world: release_claim(
            claim, world.clock(), 5, world.notify, keeps_budget=True
        ),
    }.items(),
    ids=lambda case: case[0],
)
def test_nothing_is_recorded_under_the_lease_of_another(
    world: World, reference: str, write: tuple[str, Callable[[Claim, World], object]]
) -> None:
    claim = _claimed(world, reference, CONFIRMATION)
    _is_refused(world, reference, in_a_minute(CONFIRMATION), lambda: write[1](claim, world))


@pytest.mark.req("R8")
@pytest.mark.parametrize(
    "slip",
    {
        **BUSY,
        "it waits for something already": in_a_minute(attribute="not_before"),
        "nothing is due of it any more": delivery(due_shard=None, due_at=None),
    }.items(),
    ids=lambda case: case[0],
)
def test_a_message_does_not_wait_for_a_turn_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    read = _read(world, reference)
    until = epoch_milliseconds(world.clock()) + 1
    _is_refused(
        world,
        reference,
        slip[1],
        lambda: await_turn(read, IDENTIFIER, TURN, until, world.clock(), world.notify),
    )


@pytest.mark.req("R3", "R8")
@pytest.mark.parametrize("state", ["it is queued", "the lease of another ran out"])
@pytest.mark.parametrize(
    "write",
    {
        "waits for a turn": lambda read, world: await_turn(
            read, IDENTIFIER, TURN, epoch_milliseconds(world.clock()) + 1, world.clock(), world.notify
        ),
        "is given up": lambda read, world: fail_unsent(read, IDENTIFIER, Reason.NO_ANSWER, world.notify),
        "is settled": lambda read, world: settle_superseded(read, IDENTIFIER, world.clock(), world.notify),
        "is claimed": lambda read, world: claim_message(read, IDENTIFIER, world.clock(), world.notify),
    }.items(),
    ids=lambda case: case[0],
)
def test_nobody_is_at_a_message_when(
    world: World, reference: str, state: str, write: tuple[str, Callable[[Delivery, World], object]]
) -> None:
    if state != "it is queued":
        _claimed(world, reference)
        world.clock.move(seconds=30)
    assert write[1](_read(world, reference), world)


# ---------------------------------------------------------------- failures


@pytest.mark.req("R3", "I2")
@pytest.mark.parametrize("slip", BUSY.items(), ids=lambda case: case[0])
def test_a_message_is_not_given_up_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    read = _read(world, reference)
    _is_refused(world, reference, slip[1], lambda: fail_unsent(read, IDENTIFIER, Reason.NO_ANSWER, world.notify))


@pytest.mark.req("R5", "I3")
@pytest.mark.parametrize(
    "slip",
    {
        "what was sealed is erased": delivery(payload=None),
        "it fell back already": delivery(fell_back=True),
        "its voter has a later one": delivery(superseded_at=1),
        "its voter disputes it": delivery(disputed_at=1),
        "it was queued again by the other channel": message(round=1),
    }.items(),
    ids=lambda case: case[0],
)
def test_an_sms_that_fails_is_not_replaced_by_an_email_when(
    world: World, reference: str, slip: tuple[str, Slip]
) -> None:
    claim = _claimed(world, reference)
    slip[1](world, reference)
    failed = fail_claimed(claim, Reason.UNKNOWN, world.notify)
    assert failed is not None
    assert failed.status_of(IDENTIFIER) == "failed"
    assert failed.channel == "sms"
    assert world.metrics("Undelivered") == [1], "it will not arrive at all"


# ---------------------------------------------------------------- the end of a delivery


@pytest.mark.req("S16", "I2")
@pytest.mark.parametrize(
    "slip",
    {"somebody asked for it again": delivery(wake=1), "it is deleted": deleted}.items(),
    ids=lambda case: case[0],
)
@pytest.mark.parametrize("minutes", [0, 24 * 60])
def test_what_was_sealed_is_not_erased_when(world: World, reference: str, slip: tuple[str, Slip], minutes: int) -> None:
    world.change_delivery(reference, wake=None)
    read = _read(world, reference)
    world.clock.move(minutes=minutes)
    _is_refused(world, reference, slip[1], lambda: close_delivery(read, world.clock(), world.notify))


@pytest.mark.req("R6", "I2")
@pytest.mark.parametrize("name", [IDENTIFIER, CONFIRMATION])
@pytest.mark.parametrize(
    ("status", "slip"),
    [
        pytest.param("sending", in_a_minute, id="is being sent"),
        pytest.param("sent", message, id="was sent"),
        pytest.param("sent", partial(message, lease_until=1), id="was sent under a lease that ran out"),
    ],
)
def test_a_delivery_is_not_parked_when_a_message(
    world: World, reference: str, name: Message, status: str, slip: Callable[..., Slip]
) -> None:
    read = _read(world, reference)
    _is_refused(world, reference, slip(name, status=status), lambda: park(read, world.clock(), world.notify))


@pytest.mark.req("R6", "I2")
def test_a_delivery_is_parked_when_a_lease_ran_out(world: World, reference: str) -> None:
    claim = _claimed(world, reference)
    world.clock.move(minutes=1)
    parked = park(claim.delivery, world.clock(), world.notify)
    assert parked is not None
    assert parked.parked_at == epoch_milliseconds(world.clock())


@pytest.mark.req("R14", "I6")
@pytest.mark.parametrize(
    "slip",
    {"another brought it back": delivery(parked_at=None), "it was parked again": delivery(parked_at=7)}.items(),
    ids=lambda case: case[0],
)
def test_a_delivery_is_not_brought_back_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    parked = park(_read(world, reference), world.clock(), world.notify)
    assert parked is not None
    _is_refused(world, reference, slip[1], lambda: unpark(parked, world.clock(), world.notify))


@pytest.mark.req("R15")
@pytest.mark.parametrize(
    "slip",
    {
        "nothing is due of it any more": delivery(due_shard=None, due_at=None),
        "another keeps it away for longer": delivery(due_at=2**53),
        "it is deleted": deleted,
    }.items(),
    ids=lambda case: case[0],
)
def test_the_sweeper_is_not_kept_away_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    until = world.clock() + timedelta(minutes=5)
    _is_refused(world, reference, slip[1], lambda: defer_sweep(reference, until, world.notify))


@pytest.mark.req("I3")
@pytest.mark.parametrize(
    "slip",
    {"another said so before": delivery(superseded_at=1), "it is deleted": deleted}.items(),
    ids=lambda case: case[0],
)
def test_a_delivery_is_not_superseded_again_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    read = _read(world, reference)
    _is_refused(world, reference, slip[1], lambda: mark_superseded(read, world.clock(), world.notify))


@pytest.mark.req("I3", "R3")
@pytest.mark.parametrize("slip", BUSY.items(), ids=lambda case: case[0])
def test_a_superseded_message_is_not_settled_when(world: World, reference: str, slip: tuple[str, Slip]) -> None:
    read = _read(world, reference)
    _is_refused(world, reference, slip[1], lambda: settle_superseded(read, IDENTIFIER, world.clock(), world.notify))


# ---------------------------------------------------------------- receipts


@pytest.mark.req("R12", "I6")
@pytest.mark.parametrize("kind", ["delivery", "delay", "complaint"])
@pytest.mark.parametrize(
    "slip",
    {
        "it bounces": message(status="failed", reason="no-such-mailbox"),
        "it was queued again": message(status="sent", round=1),
    }.items(),
    ids=lambda case: case[0],
)
def test_a_receipt_is_not_applied_when(
    world: World, claire: Enrolled, browser: Browser, kind: str, slip: tuple[str, Slip]
) -> None:
    reference = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()

    def between() -> None:
        slip[1](world, reference)
        seen.append(world.delivery_item(reference))

    seen: list[dict[str, Any]] = []
    world.interleave("UpdateItem", between)
    world.wake("notify", ses_event(kind, reference, "identifier"))
    assert [world.delivery_item(reference)] == seen


@pytest.mark.req("R12")
@pytest.mark.parametrize(
    "slip",
    {
        "the same was noted": message(reason="mailbox-full"),
        "something later was noted": message(noted_at=2**53),
        "it has arrived": message(status="delivered"),
    }.items(),
    ids=lambda case: case[0],
)
def test_a_delay_is_not_noted_when(world: World, claire: Enrolled, browser: Browser, slip: tuple[str, Slip]) -> None:
    reference = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()
    seen: list[dict[str, Any]] = []

    def between() -> None:
        slip[1](world, reference)
        seen.append(world.delivery_item(reference))

    world.interleave("UpdateItem", between)
    world.wake("notify", ses_event("delay", reference, "identifier"))
    assert [world.delivery_item(reference)] == seen


@pytest.mark.req("R12")
def test_a_complaint_is_not_noted_of_an_email_that_arrives_meanwhile(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    """The history would say that it was sent after it had arrived."""
    reference = browser.reissue(claire.numen, channel="email").json["reference"]
    world.run_outbox()
    world.interleave("UpdateItem", lambda: world.change_message(reference, IDENTIFIER, status="delivered"))
    world.wake("notify", ses_event("complaint", reference, "identifier"))
    assert "reason" not in world.delivery_item(reference)["messages"]["identifier"]


@pytest.mark.req("R12", "R10")
@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
def test_a_carriers_report_is_not_applied_when_the_sms_was_sent_again(
    world: World, reference: str, status: str
) -> None:
    world.run_outbox()
    event = sms_log_event(world.delivery_item(reference)["sms_id"], status, "Invalid phone number")
    world.interleave("UpdateItem", lambda: world.change_message(reference, IDENTIFIER, message_id="of the next SMS"))
    world.wake("notify", event)
    assert world.delivery(reference).status_of(IDENTIFIER) == "sent"
