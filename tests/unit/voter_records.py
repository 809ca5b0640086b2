"""A voter's record as the rules of the helpdesk are given it, made up fact by fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from helpdesk.voter_record import AskedCode, SignIn, VoterRecord
from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Delivery, Message, Status, code_delivery_item, delivery_from_item, history_step
from reassort.outbox import reissue_delivery_item as reissue_item
from reassort.reasons import Reason
from reassort.register import Change, Entry
from reassort.reissue_switch import ReissueSwitch
from reassort.voters import Voter

from harness.elections import read_election

ELECTION = read_election("dijon-2018")
# A morning inside the window.
NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AT = epoch_milliseconds(NOW)
SECOND, MINUTE, DAY = 1000, 60_000, 86_400_000
REFERENCE = "7K3M9-QWX2T"
MASKED = "c•••@ac-dijon.fr"


def record(
    *,
    deliveries: tuple[Delivery, ...] = (),
    chain: tuple[Entry, ...] = (),
    sign_ins: tuple[SignIn, ...] = (),
    session_starts: tuple[int, ...] = (),
    session_ends_at: int | None = None,
    codes_today: int = 0,
    switch: ReissueSwitch | None = None,
    **of_voter: Any,
) -> VoterRecord:
    """Return the record of a voter with the first identifier, of whom these things differ."""
    last = deliveries[-1].delivery_id if deliveries else None
    voter = Voter("v", "hash", "Lycée Carnot, Dijon", None, (AT - 10 * DAY,), 1, "0" * 64, last_reference=last)
    return VoterRecord(
        replace(voter, **of_voter),
        switch or ReissueSwitch(),
        chain,
        deliveries,
        sign_ins,
        session_starts,
        session_ends_at,
        codes_today,
    )


def delivery(
    status: Status = Status.QUEUED,
    reason: Reason | None = None,
    channel: Channel = Channel.SMS,
    *,
    failed_by: tuple[tuple[Channel, Reason], ...] = (),
    confirmation: dict[str, Any] | None = None,
    reference: str = REFERENCE,
    age: timedelta = timedelta(0),
    **attributes: Any,
) -> Delivery:
    """Return the delivery of a second identifier, queued so long ago, whose identifier stands
    so.
    """
    at = NOW - age
    item = reissue_item(
        reference=reference,
        voter_id="v",
        generation=2,
        channel=channel,
        destinations={Channel.SMS: "•• •• •• 12 34", Channel.EMAIL: MASKED},
        phone_hash="hash",
        address=b"sealed",
        payload=b"sealed",
        request_hash="hash",
        now=at,
        retention=ELECTION.retention,
    )
    item["messages"]["identifier"] |= {"status": status.value, **({"reason": reason.value} if reason else {})}
    item["messages"]["confirmation"] |= confirmation or {}
    for way, why in failed_by:
        item["history"].append(history_step(epoch_milliseconds(at), Message.IDENTIFIER, Status.FAILED, way, why))
    return delivery_from_item(item | attributes)


def code(status: Status = Status.SENT, reason: Reason | None = None) -> Delivery:
    """Return the delivery of a one-time code."""
    item = code_delivery_item(
        delivery_id="C0DE",
        voter_id="v",
        address=b"sealed",
        payload=b"sealed",
        source="hash",
        now=NOW,
        lifetime=timedelta(minutes=10),
    )
    item["messages"]["code"] |= {"status": status.value, **({"reason": reason.value} if reason else {})}
    return delivery_from_item(item)


def sign_in(
    *codes: AskedCode, wrong_codes: int = 0, used_at: int | None = None, valid_until: int = AT + MINUTE
) -> SignIn:
    """Return a sign-in that goes on for a minute still."""
    return SignIn(codes, wrong_codes, used_at, valid_until)


def entry(change: Change, actor: str = "voter", reference: str = "", generation: int = 1) -> Entry:
    """Return a change of this moment."""
    return Entry("v", 1, change, generation, AT, actor, reference, "0" * 64)
