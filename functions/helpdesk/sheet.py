"""What an agent sees of a voter: who they are, where they stand, what to do and say, what happened,
and which acts are possible. It contains no secret and no whole address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reassort.agent_names import actor_names, agent_name
from reassort.clock import from_milliseconds, iso
from reassort.french import french_hour, french_moment

from helpdesk.phrases import PHRASES
from helpdesk.proposals import Decision, Proposal, asks_second_person
from helpdesk.situation import ACTS, Act, Advice, Caller, advice, status_lines, why_not
from helpdesk.timeline import Event, timeline

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election

    from helpdesk.finding import Found
    from helpdesk.voter_record import VoterRecord


def sheet(
    record: VoterRecord, found: Found, caller: Caller, election: Election, now: datetime, asked: Proposal | None
) -> dict[str, Any]:
    """Return the body of `POST /helpdesk/look`. `asked` is what somebody last proposed for this
    voter.
    """
    steps = advice(record, election, now, caller)
    body: dict[str, Any] = {
        "address": found.masked_address,
        "voter_known_by": "reference" if found.address is None else "address",
        "establishment": record.voter.establishment,
        "secretariat": record.voter.secretariat,
        "caller": caller.value,
        "situation": steps[0].name if steps else "nothing-to-do",
        "status": [
            {"label": label, "words": words}
            for label, words in status_lines(record, found.masked_address, election, now, caller)
        ],
        "advice": [_advice(step) for step in steps],
        "timeline": timeline_body(record, election),
        "acts": [],
    }
    if asked is not None:
        body["status"].append({"label": "Deuxième personne", "words": _second_person(asked, election, now)})
    for act, told in ACTS.items():
        refused = why_not(act, record, found.address is not None, election, now)
        needs = list(told.needs)
        if asks_second_person(act, election):
            needs.append("second-person")
        if act is Act.REISSUE and asked is not None and asked.waits(now):
            refused = "Une demande attend déjà une deuxième personne."
        one = {"act": act.value, "label": told.label, "does": told.does, "needs": needs, "allowed": refused is None}
        if refused is None:
            body["acts"].append(one)
        elif act is not Act.SETTLE:
            # What concerns few voters is not offered to all.
            body["acts"].append({**one, "why": refused})
    if record.session_ends_at is not None:
        body["session_ends_at"] = iso(from_milliseconds(record.session_ends_at))
    if record.voter.last_reference is not None:
        body["reference"] = record.voter.last_reference
    return body


def timeline_body(record: VoterRecord, election: Election) -> list[dict[str, str]]:
    """Return what happened to a voter, oldest first, as answers have it."""
    return [_event(event, election) for event in timeline(record, election)]


def _second_person(asked: Proposal, election: Election, now: datetime) -> str:
    who = f"demandé par {agent_name(asked.agent)} à {french_hour(asked.proposed_at, election)}"
    if asked.decision is Decision.CONFIRM:
        return f"{who}, confirmé par {agent_name(asked.decided_by)}"
    if asked.decision is Decision.REFUSE:
        return f"{who}, refusé par {agent_name(asked.decided_by)} : « {asked.decided_reason} »"
    until = french_hour(asked.expires_at, election)
    return f"{who}, attend jusqu’à {until}" if asked.waits(now) else f"{who}, sans réponse à {until} : rien n’a changé"


def _advice(step: Advice) -> dict[str, str]:
    phrase = PHRASES[step.name]
    told = {"name": step.name, "words": step.words, "say": phrase.say, "never_say": phrase.never_say}
    return {**told, "act": step.act.value} if step.act is not None else told


def _event(event: Event, election: Election) -> dict[str, str]:
    told = {
        "at": iso(from_milliseconds(event.at)),
        "moment": french_moment(event.at, election),
        "name": event.name,
        "words": event.words,
    }
    if event.reference is not None:
        told["reference"] = event.reference
    if event.actor is not None:
        told["actor"] = actor_names(event.actor)
    return told
