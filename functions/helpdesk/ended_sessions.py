"""Ends the sessions of an agent: from that moment on, every request that they sign is refused.

API Gateway says whose credentials signed, but not when they were issued. So all of the agent's
requests are refused for the length of a session. To let them work sooner, remove and invite them
again: they get another number in the pool.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reassort.agent_names import is_agent
from reassort.clock import epoch_milliseconds
from reassort.problems import Code, Problem
from reassort.tables import ConditionFailedError, ContentionError, read_one, update, write_all

from helpdesk.agent_record import Done, read_head, record_act
from helpdesk.changes import ROUNDS

if TYPE_CHECKING:
    from helpdesk.deps import Seat

# RefreshTokenValidity of helpdesk.yaml, the hour of the last token that it brings, and the hour of
# the credentials that this one brings at its end.
LONGEST_SESSION = timedelta(hours=12)
# Within so long it is the same request, whose answer was lost.
_REPEATED = timedelta(minutes=10)
# No agent has a sign of that kind in their name.
_PLACE = "#ended "


def raise_if_ended(desk: Seat) -> None:
    """Refuse an agent whose sessions were ended.

    Raises:
        Problem: `session-ended`.
        ContentionError: DynamoDB throttles.
    """
    # An operator's session is AWS's own to end.
    if not is_agent(desk.agent.id):
        return
    ended = read_one(desk.deps.dynamodb, desk.deps.record_table, _key(desk.agent.id))
    if ended is not None and epoch_milliseconds(desk.deps.clock()) < ended["ended_until"]:
        raise Problem(Code.SESSION_ENDED)


def end_sessions(agent: str, reason: str, desk: Seat) -> None:
    """End all sessions of an agent. It may be repeated.

    Raises:
        Problem: `not-found`: nobody of the user pool has that number; `not-allowed`: it is one's
            own; `unavailable` under contention.
    """
    if not is_agent(agent):
        raise Problem(Code.NOT_FOUND)
    if agent == desk.agent.id:
        raise Problem(Code.NOT_ALLOWED)
    deps = desk.deps
    for _ in range(ROUNDS):
        now = deps.clock()
        before = read_one(deps.dynamodb, deps.record_table, _key(agent))
        if before is not None and before["ended_until"] > epoch_milliseconds(now + LONGEST_SESSION - _REPEATED):
            return
        on_record = record_act(
            desk, read_head(desk), Done.ENDED_SESSIONS, now, voter_id="", reason=reason, reference=agent,
            caller="not-asked", request="",
        )  # fmt: skip
        until = {":until": epoch_milliseconds(now + LONGEST_SESSION)}
        ended = update(
            "ended",
            deps.record_table,
            _key(agent),
            "SET ended_until = :until",
            "attribute_not_exists(ended_until) OR ended_until <= :until",
            until,
        )
        try:
            write_all(deps.dynamodb, [ended, *on_record])
        except (ConditionFailedError, ContentionError):
            continue
        return
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def _key(agent: str) -> dict[str, str | int]:
    return {"agent": _PLACE + agent, "sequence": 0}
