"""What the auditor reads: the helpdesk's record of one day, page by page."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from reassort.agent_names import agent_name
from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.problems import Code, FieldFault, Problem
from reassort.tables import from_wire, read_one, to_wire

from helpdesk.agent_record import day_key

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from reassort.tables import Item

    from helpdesk.deps import Deps

# Read for one page, before the other days of an agent are left out; an answer of the API has at
# most 10 MB.
_PAGE = 500
# DynamoDB holds no longer number.
_BEYOND = 10**38
# Before every agent: none has an empty name.
_FIRST = ("", 0)
_AS_KEPT = ("agent", "sequence", "action", "reason", "reference", "caller", "correlation_id", "previous", "hash")


@dataclass(frozen=True)
class RecordPage:
    """Entries of one day, and the key of the next page: None when there is none."""

    entries: list[dict[str, Any]]
    next_key: str | None


def read_day(day: str, after: str | None, deps: Deps) -> RecordPage:
    """Read a page of the entries of a day, `YYYY-MM-DD` in the election's local time: those of some
    of the agents who came on that day.

    Raises:
        Problem: `invalid-fields`: it is no day, or `after` is not what a page before gave.
        botocore.exceptions.ClientError: AWS refuses.
    """
    try:
        asked = date.fromisoformat(day)
        begins, ends = _bounds(asked, deps.election.zone)
    except (ValueError, OverflowError) as error:
        # No day, or one at an end of the calendar.
        raise _refused("day", "Choisissez un jour.") from error
    begun, sequence = _place(after) if after is not None else _FIRST
    came = read_one(deps.dynamodb, deps.record_table, day_key(f"{asked:%Y%m%d}")) or {"agents": set()}
    found: list[Item] = []
    left, place = _PAGE, None
    for agent in sorted(agent for agent in came["agents"] if agent >= begun):
        answer = deps.dynamodb.query(
            TableName=deps.record_table,
            KeyConditionExpression="#agent = :agent AND #sequence > :sequence",
            FilterExpression="#at >= :begins AND #at < :ends",
            ExpressionAttributeNames={"#agent": "agent", "#at": "at", "#sequence": "sequence"},
            ExpressionAttributeValues=to_wire(
                {
                    ":agent": agent,
                    # An agent's chain ends in the item before the first entry.
                    ":sequence": sequence if agent == begun else 0,
                    ":begins": begins,
                    ":ends": ends,
                }
            ),
            ConsistentRead=True,
            Limit=left,
        )
        found += map(from_wire, answer["Items"])
        left -= answer["ScannedCount"]
        # A page that is full has one, also at the end of a chain.
        if last := answer.get("LastEvaluatedKey"):
            place = (agent, from_wire(last)["sequence"])
            break
    # Those of one moment stay in the order of agents and of their chains.
    entries = sorted(found, key=lambda item: item["at"])
    return RecordPage([_told(item) for item in entries], _written(*place) if place else None)


def _bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Return when a day begins and the next one does, in milliseconds since 1970."""
    begins, ends = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return epoch_milliseconds(begins.astimezone(UTC)), epoch_milliseconds(ends.astimezone(UTC))


def _told(item: Item) -> dict[str, Any]:
    return {
        **{name: item[name] for name in _AS_KEPT},
        "name": agent_name(item["agent"]),
        "at": iso(from_milliseconds(item["at"])),
        "voter": item["voter_id"],
        "caller_verified": item["caller"] == "verified",
    }


def _written(agent: str, sequence: int) -> str:
    return urlsafe_b64encode(json.dumps([agent, sequence]).encode()).decode()


def _place(after: str) -> tuple[str, int]:
    """Read after which entry of which agent a page begins."""
    try:
        place = json.loads(urlsafe_b64decode(after))
    except (ValueError, RecursionError) as error:
        raise _refused("from", "Rechargez la page et recommencez.") from error
    match place:
        case [str(agent), int(sequence)] if agent and type(sequence) is int and 0 <= sequence < _BEYOND:
            return agent, sequence
    raise _refused("from", "Rechargez la page et recommencez.")


def _refused(name: str, message: str) -> Problem:
    return Problem(Code.INVALID_FIELDS, errors=(FieldFault(name, "invalid", message),))
