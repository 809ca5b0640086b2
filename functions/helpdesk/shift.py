"""The shift, for who leads it: what each agent did today, what waits to be sent, what is wrong. It
names no voter.

It reads one item for the day, one for each agent on duty, and one page of each part of the queue.
So it costs as much in the evening as in the morning.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from reassort.agent_names import agent_name
from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.table_keys import DUE_INDEX, DUE_SHARDS
from reassort.tables import read_items, read_one, to_wire

from helpdesk.agent_record import Head, day_key, head_from_item, head_key
from helpdesk.voter_record import read_switch

if TYPE_CHECKING:
    from helpdesk.deps import Deps

# Of each part of the queue. Beyond that many, the number matters less than the wait.
_COUNTED = 500


def shift(deps: Deps) -> dict[str, Any]:
    """Return the body of `GET /helpdesk/shift`.

    Raises:
        ContentionError: DynamoDB throttles.
        botocore.exceptions.ClientError: AWS refuses.
    """
    now = deps.clock()
    local = now.astimezone(deps.election.zone)
    day = f"{local:%Y%m%d}"
    came = read_one(deps.dynamodb, deps.record_table, day_key(day)) or {"agents": set()}
    keys = [head_key(agent) for agent in sorted(came["agents"])]
    heads = {item["agent"]: head_from_item(item) for item in read_items(deps.dynamodb, deps.record_table, keys)}
    today = {agent: head for agent, head in sorted(heads.items()) if head.day == day}
    acts: Counter[str] = Counter()
    for head in today.values():
        acts.update(head.acts_in_day)
    begins = datetime.combine(local.date(), time(), deps.election.zone).astimezone(UTC)
    waiting = _waiting(deps)
    at = epoch_milliseconds(now)
    return {
        "since": iso(begins),
        "agents": [_agent(agent, head) for agent, head in today.items()],
        "acts": dict(acts),
        "queues": {"waiting": len(waiting), "oldest_seconds": (at - min(waiting, default=at)) // 1000},
        "alarms": _alarms(today, waiting, at, begins, deps),
    }


def _agent(agent: str, head: Head) -> dict[str, Any]:
    return {
        "agent": agent,
        "name": agent_name(agent),
        "looks": head.looks_in_day,
        "verified": head.verified_in_day,
        "acts": sum(head.acts_in_day.values()),
        "last_at": iso(from_milliseconds(head.last_at)),
    }


def _waiting(deps: Deps) -> list[int]:
    """Return since when each delivery waits that owes its voter a message, at most so many."""
    since = []
    for shard in DUE_SHARDS:
        answer = deps.dynamodb.query(
            TableName=deps.tables.deliveries,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard",
            ExpressionAttributeValues=to_wire({":shard": shard}),
            Limit=_COUNTED,
        )
        since += [int(item["queued_at"]["N"]) for item in answer["Items"]]
    return since


def _alarms(today: dict[str, Head], waiting: list[int], at: int, begins: datetime, deps: Deps) -> list[dict[str, str]]:
    """Return what agents must know or their lead must look into, in words."""
    told = []
    oldest = min(waiting, default=at)
    if at - oldest > deps.election.sending.long_wait_seconds * 1000:
        words = "Les messages partent avec retard : faites patienter, ne proposez pas de nouvel identifiant."
        told.append({"name": "messages-late", "words": words, "since": iso(from_milliseconds(oldest))})
    if read_switch(deps).stopped:
        words = "Les demandes d’identifiant sont suspendues pour tous."
        told.append({"name": "reissues-stopped", "words": words, "since": iso(begins)})
    limits = deps.election.helpdesk
    for agent, head in today.items():
        if head.looks_in_day >= limits.lookups_per_day or head.looks_in_hour >= limits.lookups_per_hour:
            words = f"{agent_name(agent)} a fait toutes les recherches permises : regardez si ce sont des appels."
            told.append({"name": "look-ups-used-up", "words": words, "since": iso(from_milliseconds(head.last_at))})
    return told
