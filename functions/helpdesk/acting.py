"""Acts upon one voter: who the caller is, whether the voter's standing allows it, and what the
record keeps, also of a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.act_reasons import recorded_reason
from reassort.addresses import mask_address
from reassort.clock import from_milliseconds, iso
from reassort.http import Answer
from reassort.letting_in import normalise_request_number
from reassort.problems import Code, Problem
from reassort.references import derive_reference

from helpdesk import changes
from helpdesk.agent_record import Done, read_head, record_act, record_look, request_key
from helpdesk.changes import Note
from helpdesk.fields import MESSAGES, ActBody, given_reason, refused
from helpdesk.finding import Found, caller_of, find
from helpdesk.next_identifier import Issued, Order, given_before, reissue
from helpdesk.proposals import asks_second_person, latest_of, propose
from helpdesk.sheet import sheet
from helpdesk.situation import ACTS, Act, Caller
from helpdesk.voter_record import find_voter, read_record, read_voter

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.tables import Action

    from helpdesk.deps import Seat

# Instead of an agent's name, which has no sign of that kind.
_BATCH = "#batch"


@dataclass(frozen=True)
class _Case:
    """An act that is asked for. `key` is the request's, and makes the reference of a reissue."""

    act: Act
    found: Found
    caller: Caller
    note: Note
    key: str
    number: str
    in_batch: bool
    desk: Seat


def act_upon_voter(body: ActBody, key: str, desk: Seat) -> Answer:
    """Do something to one voter, once for each idempotency key, and show them as they are then.

    Raises:
        Problem: `invalid-fields`; `caller-not-verified`; what the voter's standing does not allow.
    """
    reason, deps, deed = given_reason(body.reason), desk.deps, Act(body.act)
    if body.batch and deed is not Act.REISSUE:
        raise refused("batch", "invalid", MESSAGES["batch"])
    found = find(body.who, deps)
    caller = caller_of(found, body.caller_code, deps)
    voter = find_voter(found.voter_id, deps)
    if caller is Caller.WRONG_CODE or voter is None:
        # Anyone who tries addresses or codes by acts is bounded as by looks.
        record_look(desk, found.voter_id, caller.value)
        read_voter(found.voter_id, deps)
        deps.event_log.warn("act refused, caller not verified", agent=desk.agent.id, voter=found.voter_id)
        raise Problem(Code.CALLER_NOT_VERIFIED)
    kept_reason = recorded_reason(reason, caller_verified=caller is Caller.VERIFIED)
    note = Note(kept_reason, caller.value, request_key(desk, key))
    case = _Case(deed, found, caller, note, key, body.number or "", body.batch is not None, desk)
    try:
        changes.raise_if_left(voter)
        return _reissue(case) if deed is Act.REISSUE else _change(case)
    except Problem as refusal:
        if refusal.code is not Code.UNAVAILABLE:
            # Why it is refused tells where the voter stands, as a look does.
            record_look(desk, found.voter_id, caller.value, bounded=not case.in_batch)
        raise


def shown_sheet(found: Found, caller: Caller, desk: Seat) -> dict[str, Any]:
    """Read a voter, and return what an agent sees of them."""
    now = desk.deps.clock()
    record = read_record(found.voter_id, now, desk.deps)
    asked = latest_of(found.voter_id, desk.deps, now)
    return sheet(record, found, caller, desk.deps.election, now, asked)


def _change(case: _Case) -> Answer:
    voter_id, note, desk = case.found.voter_id, case.note, case.desk
    match case.act:
        case Act.UNLOCK:
            changes.unlock(voter_id, note, desk)
        case Act.FREEZE:
            changes.freeze(voter_id, note, desk)
        case Act.UNFREEZE:
            changes.unfreeze(voter_id, note, desk)
        case Act.LET_IN:
            number = normalise_request_number(case.number)
            if number is None:
                raise refused("number", "invalid", MESSAGES["number"])
            changes.let_in(voter_id, number, note, desk)
        case Act.SETTLE:
            changes.settle(voter_id, note, desk)
    return _done(case)


def _reissue(case: _Case) -> Answer:
    """Give the next identifier, or propose it where a second person is asked for."""
    deps, voter_id, address = case.desk.deps, case.found.voter_id, case.found.address
    if address is None:
        raise refused("who", "address-needed", "Saisissez l’adresse : le courriel part à cette adresse.")
    # An operator who goes on with a batch finds what it gave before.
    scope = _BATCH if case.in_batch else case.desk.agent.id
    reference = derive_reference(deps.keyed_hash, voter_id, f"{scope} {case.key}")
    issued = given_before(reference, case.found.masked_address, deps) if case.in_batch else None
    if issued is None and asks_second_person(case.act, deps.election):
        return _propose(case, address, reference)
    if issued is None:
        issued = _issue(case, address, reference)
    told = {"reference": issued.reference, "generation": issued.generation, "destination": issued.destination}
    return _done(case, told | ({"before": issued.before} if case.in_batch else {}))


def _issue(case: _Case, address: str, reference: str) -> Issued:
    desk, voter_id, note = case.desk, case.found.voter_id, case.note
    order = Order(
        voter_id=voter_id,
        reference=reference,
        actor=desk.agent.id,
        reason=note.reason,
        destination=mask_address(address),
        address=lambda: desk.deps.sealer.seal_address(voter_id, address),
        in_batch=case.in_batch,
    )

    def on_record(now: datetime) -> list[Action]:
        return record_act(
            desk, read_head(desk), Done.REISSUED, now, voter_id=voter_id, reason=note.reason, reference=reference,
            caller=note.caller, request=note.request,
        )  # fmt: skip

    return reissue(order, on_record, desk)


def _propose(case: _Case, address: str, reference: str) -> Answer:
    desk, voter_id = case.desk, case.found.voter_id
    proposal = propose(address, voter_id, case.note, reference, desk, in_batch=case.in_batch)
    desk.deps.event_log.record("helpdesk proposed", agent=desk.agent.id, voter=voter_id, act=case.act.value)
    told = {"id": proposal.reference, "expires_at": iso(from_milliseconds(proposal.expires_at))}
    return Answer(202, {"proposal": told, "sheet": shown_sheet(case.found, case.caller, desk)})


def _done(case: _Case, told: dict[str, Any] | None = None) -> Answer:
    desk, act = case.desk, case.act
    desk.deps.event_log.record("helpdesk acted", agent=desk.agent.id, voter=case.found.voter_id, act=act.value)
    body = {"act": act.value, "done": ACTS[act].done, "caller": case.caller.value, **(told or {})}
    return Answer(200, {**body, "sheet": shown_sheet(case.found, case.caller, desk)})
