"""The routes of the helpdesk, for agents' pages and operators' commands; API Gateway has checked
the signature and the right to call the route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.act_reasons import ReasonError, ReasonFault, checked_reason, recorded_reason
from reassort.addresses import mask_address
from reassort.agent_names import agent_name
from reassort.clock import from_milliseconds, iso
from reassort.http import Answer, Body, Request, Routes, is_true, one_of, optional, read_body, serve, text
from reassort.letting_in import normalise_request_number
from reassort.problems import Code, FieldFault, Problem
from reassort.references import derive_reference, normalise_reference

from helpdesk import changes
from helpdesk.agent_record import Done, looks_left, read_head, record_act, record_look, request_key
from helpdesk.agents import Role, agent_of, raise_unless
from helpdesk.changes import Note
from helpdesk.deps import Deps, Seat
from helpdesk.ended_sessions import end_sessions, raise_if_ended
from helpdesk.finding import Found, caller_of, find
from helpdesk.next_identifier import Issued, Order, given_before, reissue
from helpdesk.proposals import Decision, asks_second_person, confirm, latest_of, propose, read_proposals, refuse
from helpdesk.reading_record import read_day
from helpdesk.sheet import sheet
from helpdesk.shift import shift as shift_now
from helpdesk.situation import ACTS, Act, Caller
from helpdesk.voter_data import voter_data
from helpdesk.voter_record import find_voter, read_record, read_voter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reassort.election import Election
    from reassort.event_log import EventLog
    from reassort.tables import Action

LOOKING = (Role.AGENT, Role.SUPERVISOR, Role.OPERATOR)
READING = (Role.AUDITOR, Role.OPERATOR)
# Who may be the second person, see the shift and end an agent's sessions.
DECIDING = (Role.SUPERVISOR, Role.OPERATOR)
# Who answers a voter's request for their own data.
HANDING_OVER = (Role.OPERATOR,)
# Who gives many voters their next identifier.
BATCHING = (Role.OPERATOR,)
# Instead of an agent's name, which has no sign of that kind.
_BATCH = "#batch"
IDEMPOTENCY_HEADER = "idempotency-key"
_MESSAGES = {
    "who": "Saisissez une adresse professionnelle, ou une référence telle que 7K3M9-QWX2T.",
    "caller_code": "Tapez les deux mots que l’appelant lit sous « Deux mots à lire à l’assistance ».",
    "act": "Cette action n’existe pas.",
    "reason": "Écrivez pourquoi, en 80 caractères au plus.",
    "number": "Saisissez les 6 chiffres que la page de l’appelant affiche.",
    "decision": "Confirmez ou refusez.",
    "batch": "Un lot ne donne que des identifiants.",
}
_REASON_FAULTS = {
    ReasonFault.LENGTH: _MESSAGES["reason"],
    ReasonFault.PERSONAL: "Le registre ne garde ni adresse ni numéro d’une personne : écrivez le motif sans eux.",
    ReasonFault.RESERVED: "Le registre ajoute lui-même « appelant vérifié » : écrivez le motif seul.",
}


class LookBody(Body):
    """`POST /helpdesk/look`."""

    who = text(254)
    caller_code = optional(text(60))


class ActBody(LookBody):
    """`POST /helpdesk/acts`."""

    act = one_of(*Act)
    reason = text(200)
    number = optional(text(20))
    batch = optional(is_true())


class DataBody(Body):
    """`POST /helpdesk/data`."""

    who = text(254)
    reason = text(200)


class EndBody(Body):
    """`POST /helpdesk/sessions/{agent}/end`."""

    reason = text(200)


class DecisionBody(Body):
    """`POST /helpdesk/proposals/{reference}`."""

    decision = one_of(*Decision)
    reason = text(200)


@dataclass(frozen=True)
class AtDesk:
    """The rules' needs, and the event that says who acts."""

    deps: Deps
    event: Mapping[str, Any]

    @property
    def election(self) -> Election:
        return self.deps.election

    @property
    def event_log(self) -> EventLog:
        return self.deps.event_log

    def admit(self, request: Request, *roles: Role) -> Seat:
        """Return the desk of the caller who signed, if they have one of these roles and their
        sessions were not ended.

        Raises:
            Problem: `not-allowed`, `session-ended`.
        """
        agent = agent_of(self.event, self.deps.roles)
        raise_unless(agent, *roles)
        desk = Seat(self.deps, agent, request.request_id)
        raise_if_ended(desk)
        return desk


def me(request: Request, at: AtDesk) -> Answer:
    """Tell an agent who they are here."""
    desk = at.admit(request, *Role)
    election = desk.deps.election
    return Answer(
        200,
        {
            "name": agent_name(desk.agent.id),
            "role": desk.agent.role.value,
            "election": {"id": election.id, "name": election.name},
            "second_person": election.helpdesk.second_person is not None,
            "lookups_left": looks_left(desk) if desk.agent.role in LOOKING else 0,
            "acts": [
                *(["look", *Act] if desk.agent.role in LOOKING else []),
                *(["batch"] if desk.agent.role in BATCHING else []),
            ],
            "views": [
                *(["call"] if desk.agent.role in LOOKING else []),
                *(["proposals"] if desk.agent.role in DECIDING and election.helpdesk.second_person else []),
                *(["shift"] if desk.agent.role in DECIDING else []),
                *(["record"] if desk.agent.role in READING else []),
            ],
        },
    )


def look(request: Request, at: AtDesk) -> Answer:
    """Show one voter. The look is on record before anything is shown."""
    desk = at.admit(request, *LOOKING)
    body = read_body(request, LookBody, _MESSAGES)
    found = find(body.who, desk.deps)
    caller = caller_of(found, body.caller_code, desk.deps)
    left = record_look(desk, found.voter_id, caller.value)
    desk.deps.event_log.record("voter looked up", agent=desk.agent.id, voter=found.voter_id or None, left=left)
    return Answer(200, {**_sheet(found, caller, desk), "lookups_left": left})


def data(request: Request, at: AtDesk) -> Answer:
    """Give what is kept about one voter, for them to have. It is on record, with its reason, before
    anything is shown.
    """
    desk = at.admit(request, *HANDING_OVER)
    body = read_body(request, DataBody, _MESSAGES)
    reason, deps = _reason(body.reason), desk.deps
    found = find(body.who, deps)
    record_look(desk, found.voter_id, Caller.NOT_ASKED.value, Done.DATA_GIVEN, reason)
    deps.event_log.record("voter data given", agent=desk.agent.id, voter=found.voter_id or None)
    now = deps.clock()
    return Answer(200, voter_data(read_record(found.voter_id, now, deps), found, deps.election, now))


def act(request: Request, at: AtDesk) -> Answer:
    """Do something to one voter, and show them as they are then."""
    desk = at.admit(request, *LOOKING)
    body = read_body(request, ActBody, _MESSAGES)
    reason, deps = _reason(body.reason), desk.deps
    if body.batch:
        raise_unless(desk.agent, *BATCHING)
        if Act(body.act) is not Act.REISSUE:
            raise _refused("batch", "invalid", _MESSAGES["batch"])
    key = request.headers.get(IDEMPOTENCY_HEADER, "")
    if not 16 <= len(key) <= 64 or not key.isascii():
        raise _refused("Idempotency-Key", "missing", "Rechargez la page et recommencez.")
    found = find(body.who, deps)
    caller = caller_of(found, body.caller_code, deps)
    voter = find_voter(found.voter_id, deps)
    if caller is Caller.WRONG_CODE or voter is None:
        # Anyone who tries addresses or codes by acts is bounded as by looks.
        record_look(desk, found.voter_id, caller.value)
        read_voter(found.voter_id, deps)
        deps.event_log.warn("act refused, caller not verified", agent=desk.agent.id, voter=found.voter_id)
        raise Problem(Code.CALLER_NOT_VERIFIED)
    verified = caller is Caller.VERIFIED
    note = Note(recorded_reason(reason, caller_verified=verified), caller.value, request_key(desk, key))
    try:
        changes.raise_if_left(voter)
        return _perform(Act(body.act), body, found, caller, note, desk, key)
    except Problem as refusal:
        if refusal.status < 500:
            # Why it is refused tells where the voter stands, as a look does.
            record_look(desk, found.voter_id, caller.value, bounded=body.batch is None)
        raise


def proposals(request: Request, at: AtDesk) -> Answer:
    """Show what waits for the second person, oldest first."""
    desk = at.admit(request, *DECIDING)
    now = desk.deps.clock()
    waiting = [one.body() for one in read_proposals(desk.deps, now) if one.waits(now)]
    return Answer(200, {"proposals": waiting})


def decide(request: Request, at: AtDesk) -> Answer:
    """Confirm or refuse what somebody else proposed."""
    desk = at.admit(request, *DECIDING)
    body = read_body(request, DecisionBody, _MESSAGES)
    reason, reference = _reason(body.reason), normalise_reference(request.path_parameters.get("reference", ""))
    if reference is None:
        raise Problem(Code.NOT_FOUND)
    if Decision(body.decision) is Decision.REFUSE:
        refuse(reference, reason, desk)
        done = "La demande est refusée : rien n’a changé pour l’électeur."
    else:
        confirm(reference, reason, desk)
        done = ACTS[Act.REISSUE].done
    desk.deps.event_log.record("helpdesk decided", agent=desk.agent.id, reference=reference, decision=body.decision)
    return Answer(200, {"done": done})


def shift(request: Request, at: AtDesk) -> Answer:
    """Show the shift. It names no voter."""
    desk = at.admit(request, *DECIDING)
    return Answer(200, shift_now(desk.deps))


def end(request: Request, at: AtDesk) -> Answer:
    """End the sessions of an agent."""
    desk = at.admit(request, *DECIDING)
    reason = _reason(read_body(request, EndBody, _MESSAGES).reason)
    agent = request.path_parameters.get("agent", "")
    end_sessions(agent, reason, desk)
    desk.deps.event_log.record("sessions ended", agent=desk.agent.id, ended=agent)
    return Answer(204)


def record(request: Request, at: AtDesk) -> Answer:
    """Show who looked at whom and did what, on one day. Reading is logged, and changes nothing."""
    desk = at.admit(request, *READING)
    asked = at.event.get("queryStringParameters") or {}
    page = read_day(asked.get("day", ""), asked.get("from"), desk.deps)
    desk.deps.event_log.record("record read", agent=desk.agent.id, entries=len(page.entries))
    return Answer(200, {"entries": page.entries, "next": page.next_key})


def _perform(deed: Act, body: ActBody, found: Found, caller: Caller, note: Note, desk: Seat, key: str) -> Answer:
    """Do it. `key` makes the reference of a reissue.

    Raises:
        Problem: the voter's standing does not allow it.
    """
    deps = desk.deps
    done: dict[str, Any] = {"act": deed.value, "done": ACTS[deed].done, "caller": caller.value}
    match deed:
        case Act.UNLOCK:
            changes.unlock(found.voter_id, note, desk)
        case Act.FREEZE:
            changes.freeze(found.voter_id, note, desk)
        case Act.UNFREEZE:
            changes.unfreeze(found.voter_id, note, desk)
        case Act.LET_IN:
            number = normalise_request_number(body.number or "")
            if number is None:
                raise _refused("number", "invalid", _MESSAGES["number"])
            changes.let_in(found.voter_id, number, note, desk)
        case Act.SETTLE:
            changes.settle(found.voter_id, note, desk)
        case Act.REISSUE:
            if found.address is None:
                raise _refused("who", "address-needed", "Saisissez l’adresse : le courriel part à cette adresse.")
            in_batch = body.batch is not None
            # An operator who goes on with a batch finds what it gave before.
            scope = _BATCH if in_batch else desk.agent.id
            reference = derive_reference(deps.keyed_hash, found.voter_id, f"{scope} {key}")
            issued = given_before(reference, found.masked_address, deps) if in_batch else None
            if issued is None and asks_second_person(deed, deps.election):
                return _propose(found, found.address, caller, note, reference, desk, in_batch=in_batch)
            if issued is None:
                issued = _reissue(found.voter_id, found.address, note, reference, desk, in_batch=in_batch)
            done |= {"reference": issued.reference, "generation": issued.generation, "destination": issued.destination}
            if in_batch:
                done["before"] = issued.before
    deps.event_log.record("helpdesk acted", agent=desk.agent.id, voter=found.voter_id, act=deed.value)
    return Answer(200, {**done, "sheet": _sheet(found, caller, desk)})


def _reissue(voter_id: str, address: str, note: Note, reference: str, desk: Seat, *, in_batch: bool) -> Issued:
    """Give the next identifier at once, where no second person is asked for."""
    deps = desk.deps
    order = Order(
        voter_id=voter_id,
        reference=reference,
        actor=desk.agent.id,
        reason=note.reason,
        destination=mask_address(address),
        address=lambda: deps.sealer.seal_address(voter_id, address),
        in_batch=in_batch,
    )

    def on_record(now: datetime) -> list[Action]:
        return record_act(
            desk, read_head(desk), Done.REISSUED, now, voter_id=voter_id, reason=note.reason, reference=reference,
            caller=note.caller, request=note.request,
        )  # fmt: skip

    return reissue(order, on_record, desk)


def _propose(
    found: Found, address: str, caller: Caller, note: Note, reference: str, desk: Seat, *, in_batch: bool
) -> Answer:
    proposal = propose(address, found.voter_id, note, reference, desk, in_batch=in_batch)
    desk.deps.event_log.record("helpdesk proposed", agent=desk.agent.id, voter=found.voter_id, act=Act.REISSUE.value)
    told = {"id": proposal.reference, "expires_at": iso(from_milliseconds(proposal.expires_at))}
    return Answer(202, {"proposal": told, "sheet": _sheet(found, caller, desk)})


def _reason(typed: str) -> str:
    """Return a reason that the register takes."""
    try:
        return checked_reason(typed)
    except ReasonError as error:
        raise _refused("reason", error.fault.value, _REASON_FAULTS[error.fault]) from error


def _sheet(found: Found, caller: Caller, desk: Seat) -> dict[str, Any]:
    now = desk.deps.clock()
    record = read_record(found.voter_id, now, desk.deps)
    asked = latest_of(found.voter_id, desk.deps, now)
    return sheet(record, found, caller, desk.deps.election, now, asked)


def _refused(name: str, code: str, message: str) -> Problem:
    return Problem(Code.INVALID_FIELDS, errors=(FieldFault(name, code, message),))


ROUTES: Routes[AtDesk] = {
    ("GET", "/helpdesk/me"): me,
    ("POST", "/helpdesk/look"): look,
    ("POST", "/helpdesk/data"): data,
    ("POST", "/helpdesk/acts"): act,
    ("GET", "/helpdesk/proposals"): proposals,
    ("POST", "/helpdesk/proposals/{reference}"): decide,
    ("GET", "/helpdesk/shift"): shift,
    ("POST", "/helpdesk/sessions/{agent}/end"): end,
    ("GET", "/helpdesk/record"): record,
}


def answer(event: dict[str, Any], deps: Deps) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    return serve(event, ROUTES, AtDesk(deps, event), site_origin=None)
