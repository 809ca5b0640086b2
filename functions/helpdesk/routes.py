"""The routes of the helpdesk, for agents' pages and operators' commands; API Gateway has checked
the signature and the right to call the route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.agent_names import agent_name
from reassort.http import Answer, Request, Routes, read_body, read_idempotency_key, serve
from reassort.references import normalise_reference

from helpdesk.acting import act_upon_voter, shown_sheet
from helpdesk.agent_record import Done, looks_left, record_look
from helpdesk.agents import Role, agent_of, raise_unless
from helpdesk.deps import Deps, Seat
from helpdesk.ended_sessions import end_sessions, raise_if_ended
from helpdesk.fields import MESSAGES, ActBody, DataBody, DecisionBody, EndBody, LookBody, given_reason
from helpdesk.finding import caller_of, find
from helpdesk.proposals import Decision, confirm, read_proposals, refuse
from helpdesk.reading_record import read_day
from helpdesk.shift import shift as shift_now
from helpdesk.situation import ACTS, Act, Caller
from helpdesk.voter_data import voter_data
from helpdesk.voter_record import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reassort.election import Election
    from reassort.event_log import EventLog

LOOKING = (Role.AGENT, Role.SUPERVISOR, Role.OPERATOR)
READING = (Role.AUDITOR, Role.OPERATOR)
# Who may be the second person, see the shift and end an agent's sessions.
DECIDING = (Role.SUPERVISOR, Role.OPERATOR)
# Who answers a voter's request for their own data.
HANDING_OVER = (Role.OPERATOR,)
# Who gives many voters their next identifier.
BATCHING = (Role.OPERATOR,)


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
    body = read_body(request, LookBody, MESSAGES)
    found = find(body.who, desk.deps)
    caller = caller_of(found, body.caller_code, desk.deps)
    left = record_look(desk, found.voter_id, caller.value)
    desk.deps.event_log.record("voter looked up", agent=desk.agent.id, voter=found.voter_id or None, left=left)
    return Answer(200, {**shown_sheet(found, caller, desk), "lookups_left": left})


def data(request: Request, at: AtDesk) -> Answer:
    """Give what is kept about one voter, for them to have. It is on record, with its reason, before
    anything is shown.
    """
    desk = at.admit(request, *HANDING_OVER)
    body = read_body(request, DataBody, MESSAGES)
    reason, deps = given_reason(body.reason), desk.deps
    found = find(body.who, deps)
    record_look(desk, found.voter_id, Caller.NOT_ASKED.value, Done.DATA_GIVEN, reason)
    deps.event_log.record("voter data given", agent=desk.agent.id, voter=found.voter_id or None)
    now = deps.clock()
    return Answer(200, voter_data(read_record(found.voter_id, now, deps), found, deps.election, now))


def act(request: Request, at: AtDesk) -> Answer:
    """Do something to one voter, and show them as they are then."""
    desk = at.admit(request, *LOOKING)
    body = read_body(request, ActBody, MESSAGES)
    if body.batch:
        raise_unless(desk.agent, *BATCHING)
    return act_upon_voter(body, read_idempotency_key(request), desk)


def proposals(request: Request, at: AtDesk) -> Answer:
    """Show what waits for the second person, oldest first."""
    desk = at.admit(request, *DECIDING)
    now = desk.deps.clock()
    waiting = [one.body() for one in read_proposals(desk.deps, now) if one.waits(now)]
    return Answer(200, {"proposals": waiting})


def decide(request: Request, at: AtDesk) -> Answer:
    """Confirm or refuse what somebody else proposed."""
    desk = at.admit(request, *DECIDING)
    body = read_body(request, DecisionBody, MESSAGES)
    reason = given_reason(body.reason)
    # What is no reference is that of no proposal.
    reference = normalise_reference(request.path_parameters.get("reference", "")) or ""
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
    reason = given_reason(read_body(request, EndBody, MESSAGES).reason)
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
