"""The second person: one agent proposes, another confirms or refuses.

A proposal is an item of the record's table, beside the chains. A conditional write in the
transaction of the act decides it once. Proposing, confirming and refusing are entries of the
record, each in the chain of its author. All of them and the register have the same reference: that
of the reissue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from reassort.addresses import mask_address
from reassort.agent_names import agent_name, both
from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.problems import Code, Problem
from reassort.tables import (
    Action,
    ConditionFailedError,
    ContentionError,
    put_if_absent,
    read_partition,
    update,
    update_one,
    update_request,
    write_all,
)

from helpdesk.agent_record import Done, read_head, record_act
from helpdesk.agents import Role
from helpdesk.changes import ROUNDS, Note
from helpdesk.next_identifier import Order, raise_if_spared, raise_unless_given, reissue
from helpdesk.situation import Act
from helpdesk.voter_record import read_switch, read_voter

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election
    from reassort.tables import Item

    from helpdesk.deps import Deps, Seat

# No agent has a sign of that kind in their name.
_PARTITION = "#proposals"
_PROPOSAL, _DECISION = "proposal", "decision"
# How long what was decided, or was not, is shown.
_REMEMBERED = timedelta(days=1)


class Decision(StrEnum):
    """What the second person says."""

    CONFIRM = "confirm"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Proposal:
    """A reissue that waits for the second person, or did. `reason` is as the register has it,
    `address` sealed. Times are milliseconds since 1970.
    """

    reference: str
    proposed_at: int
    expires_at: int
    agent: str
    role: Role
    voter_id: str
    generation: int
    destination: str
    reason: str
    caller: str
    request: str
    address: bytes | None
    in_batch: bool
    decision: Decision | None = None
    decided_by: str = ""
    decided_reason: str = ""

    def waits(self, now: datetime) -> bool:
        """Tell whether it can be decided."""
        return self.decision is None and epoch_milliseconds(now) < self.expires_at

    def body(self) -> dict[str, Any]:
        """Return what the second person sees."""
        return {
            "id": self.reference,
            "act": Act.REISSUE.value,
            "address": self.destination,
            "reason": self.reason,
            "agent": agent_name(self.agent),
            "at": iso(from_milliseconds(self.proposed_at)),
            "expires_at": iso(from_milliseconds(self.expires_at)),
            "caller_verified": self.caller == "verified",
        }


def asks_second_person(act: Act, election: Election) -> bool:
    """Tell whether the election wants an act confirmed by another person."""
    return election.helpdesk.second_person == act.value


def read_proposals(deps: Deps, now: datetime) -> list[Proposal]:
    """Read what waits and what was decided lately, oldest first.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    minutes = timedelta(minutes=deps.election.helpdesk.second_person_minutes)
    since = epoch_milliseconds(now - minutes - _REMEMBERED)
    items = read_partition(deps.dynamodb, deps.record_table, {"agent": _PARTITION}, after=("sequence", since))
    return list(map(_from_item, items))


def latest_of(voter_id: str, deps: Deps, now: datetime) -> Proposal | None:
    """Return the last proposal for a voter, while it is remembered.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    if deps.election.helpdesk.second_person is None:
        return None
    return next((one for one in reversed(read_proposals(deps, now)) if one.voter_id == voter_id), None)


def propose(address: str, voter_id: str, note: Note, reference: str, desk: Seat, *, in_batch: bool) -> Proposal:
    """Ask the second person for a reissue, once for each reference. Nothing of the voter changes.

    Raises:
        Problem: what a reissue is refused for; `nothing-to-do`: one waits for this voter;
            `proposal-closed`: this request was answered long ago; `unavailable` under contention.
        botocore.exceptions.ClientError: AWS refuses. Whether it committed is unknown; the same
            request with the same key finds out.
    """
    deps = desk.deps
    sealed = None
    for _ in range(ROUNDS):
        now = deps.clock()
        head, known = read_head(desk), read_proposals(deps, now)
        mine = next((one for one in known if one.reference == reference), None)
        if mine is not None:
            # An earlier try committed, and its answer was lost.
            return mine
        if head.last_request == note.request:
            raise Problem(Code.PROPOSAL_CLOSED)
        voter = read_voter(voter_id, deps)
        raise_unless_given(voter, read_switch(deps), now, deps.election)
        if in_batch:
            raise_if_spared(voter, now, deps)
        if any(one.voter_id == voter_id and one.waits(now) for one in known):
            raise Problem(Code.NOTHING_TO_DO)
        sealed = sealed or deps.sealer.seal_address(voter_id, address)
        minutes = timedelta(minutes=deps.election.helpdesk.second_person_minutes)
        proposal = Proposal(
            reference=reference,
            # It is the item's place: no two have the same.
            proposed_at=max([epoch_milliseconds(now), *(one.proposed_at + 1 for one in known)]),
            expires_at=epoch_milliseconds(now + minutes),
            agent=desk.agent.id,
            role=desk.agent.role,
            voter_id=voter_id,
            generation=voter.generation,
            destination=mask_address(address),
            reason=note.reason,
            caller=note.caller,
            request=note.request,
            address=sealed,
            in_batch=in_batch,
        )
        on_record = record_act(
            desk, head, Done.PROPOSED, now, voter_id=voter_id, reason=note.reason, reference=reference,
            caller=note.caller, request=note.request,
        )  # fmt: skip
        try:
            write_all(
                deps.dynamodb,
                [put_if_absent(_PROPOSAL, deps.record_table, _to_item(proposal), "proposal"), *on_record],
            )
        except (ConditionFailedError, ContentionError):
            # Another one at the same moment, or another act of the agent.
            continue
        _forget_addresses(known, now, deps)
        return proposal
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def confirm(reference: str, reason: str, desk: Seat) -> None:
    """Do what was proposed. The register names both people.

    Raises:
        Problem: `not-found`; `proposal-closed`: somebody else decided, or it is too late;
            `same-person`; what a reissue is refused for. Nothing was issued.
        botocore.exceptions.ClientError: AWS cannot be reached. Whether it committed is unknown; the
            same request finds out.
    """
    deps = desk.deps
    proposal = _find(reference, deps)
    if _is_mine(proposal, Decision.CONFIRM, desk):
        # An earlier try committed, and its answer was lost.
        return
    known: dict[str, Proposal] = {}

    def confirmed(now: datetime) -> list[Action]:
        known["proposal"] = found = _find(reference, deps)
        if not _is_mine(found, Decision.CONFIRM, desk):
            _raise_unless_open(found, desk)
        return [
            _decided(found, Decision.CONFIRM, reason, now, desk),
            *record_act(
                desk, read_head(desk), Done.CONFIRMED, now, voter_id=found.voter_id, reason=reason,
                reference=reference, caller=found.caller, request="",
            ),
        ]  # fmt: skip

    order = Order(
        voter_id=proposal.voter_id,
        reference=reference,
        actor=both(proposal.agent, desk.agent.id),
        reason=proposal.reason,
        destination=proposal.destination,
        address=lambda: known["proposal"].address or b"",
        generation=proposal.generation,
        in_batch=proposal.in_batch,
    )
    reissue(order, confirmed, desk)


def refuse(reference: str, reason: str, desk: Seat) -> None:
    """Let nothing come of what was proposed.

    Raises:
        Problem: `not-found`; `proposal-closed`; `same-person`; `unavailable` under contention.
    """
    deps = desk.deps
    for _ in range(ROUNDS):
        now = deps.clock()
        proposal = _find(reference, deps)
        if _is_mine(proposal, Decision.REFUSE, desk):
            return
        _raise_unless_open(proposal, desk)
        actions = [
            _decided(proposal, Decision.REFUSE, reason, now, desk),
            *record_act(
                desk, read_head(desk), Done.REFUSED, now, voter_id=proposal.voter_id, reason=reason,
                reference=reference, caller=proposal.caller, request="",
            ),
        ]  # fmt: skip
        try:
            write_all(deps.dynamodb, actions)
        except (ConditionFailedError, ContentionError):
            continue
        return
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def _find(reference: str, deps: Deps) -> Proposal:
    found = next((one for one in read_proposals(deps, deps.clock()) if one.reference == reference), None)
    if found is None:
        raise Problem(Code.NOT_FOUND)
    return found


def _is_mine(proposal: Proposal, decision: Decision, desk: Seat) -> bool:
    return proposal.decision is decision and proposal.decided_by == desk.agent.id


def _raise_unless_open(proposal: Proposal, desk: Seat) -> None:
    """Refuse to decide what is decided or too old, or by who proposed it.

    Operators choose the names of their sessions, so two of them may be one person.
    """
    if not proposal.waits(desk.deps.clock()):
        raise Problem(Code.PROPOSAL_CLOSED)
    if proposal.agent == desk.agent.id or {proposal.role, desk.agent.role} == {Role.OPERATOR}:
        raise Problem(Code.SAME_PERSON)


def _decided(proposal: Proposal, decision: Decision, reason: str, now: datetime, desk: Seat) -> Action:
    """Decide, unless somebody has, or it is too late, or it is one's own."""
    return update(
        _DECISION,
        desk.deps.record_table,
        {"agent": _PARTITION, "sequence": proposal.proposed_at},
        "SET decision = :decision, decided_by = :me, decided_reason = :reason REMOVE address",
        "attribute_not_exists(decision) AND decide_before > :now AND proposed_by <> :me AND proposal = :proposal",
        {
            ":decision": decision.value,
            ":me": desk.agent.id,
            ":reason": reason,
            ":now": epoch_milliseconds(now),
            ":proposal": proposal.reference,
        },
    )


def _forget_addresses(known: list[Proposal], now: datetime, deps: Deps) -> None:
    """Remove where an identifier would have gone from what nobody decided in time."""
    for one in known:
        if one.address is not None and not one.waits(now):
            key = {"agent": _PARTITION, "sequence": one.proposed_at}
            values = {":now": epoch_milliseconds(now)}
            update_one(
                deps.dynamodb,
                update_request(deps.record_table, key, "REMOVE address", "decide_before <= :now", values),
            )


def _to_item(proposal: Proposal) -> Item:
    return {
        "agent": _PARTITION,
        "sequence": proposal.proposed_at,
        "proposal": proposal.reference,
        "decide_before": proposal.expires_at,
        "proposed_by": proposal.agent,
        "role": proposal.role.value,
        "voter_id": proposal.voter_id,
        "generation": proposal.generation,
        "destination": proposal.destination,
        "reason": proposal.reason,
        "caller": proposal.caller,
        "request": proposal.request,
        "address": proposal.address,
        "in_batch": proposal.in_batch,
    }


def _from_item(item: Item) -> Proposal:
    decision = item.get("decision")
    return Proposal(
        reference=item["proposal"],
        proposed_at=item["sequence"],
        expires_at=item["decide_before"],
        agent=item["proposed_by"],
        role=Role(item["role"]),
        voter_id=item["voter_id"],
        generation=item["generation"],
        destination=item["destination"],
        reason=item["reason"],
        caller=item["caller"],
        request=item["request"],
        address=item.get("address"),
        # One that an earlier version kept has none.
        in_batch=item.get("in_batch", False),
        decision=None if decision is None else Decision(decision),
        decided_by=item.get("decided_by", ""),
        decided_reason=item.get("decided_reason", ""),
    )
