"""The helpdesk's record: one entry for each look and act, chained by hash agent by agent, so that
none can be replaced or removed unseen.

A look is on record before it is answered, and an act in the transaction that does it. Entries hold
pseudonyms, times and reasons, as the register does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.keyed_hash import Purpose
from reassort.problems import Code, Problem
from reassort.register import GENESIS, canonical
from reassort.tables import (
    Action,
    ConditionFailedError,
    ContentionError,
    add,
    put_if_absent,
    read_one,
    update,
    write_all,
)

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.tables import Item

    from helpdesk.deps import Seat

# Where each agent's chain ends, and what counts their looks.
_HEAD = 0
_HOUR = 3600
_ROUNDS = 8
HEAD_ACTION, ENTRY_ACTION = "record head", "record entry"


class Done(StrEnum):
    """What an agent did."""

    LOOKED = "looked"
    # All that is kept about a voter, for them to have.
    DATA_GIVEN = "data-given"
    UNLOCKED = "unlocked"
    LET_IN = "let-in"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    REISSUED = "reissued"
    # That nothing reached a voter is taken care of.
    SETTLED = "settled"
    # Of what another person must confirm.
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    # Of another agent.
    ENDED_SESSIONS = "ended-sessions"


@dataclass(frozen=True)
class RecordEntry:
    """One look or act. `sequence` counts from 1 within an agent; `at` is milliseconds since 1970;
    `caller` is what the caller's words showed.

    `voter_id` is empty when the reference that was typed is nobody's.
    """

    agent: str
    sequence: int
    at: int
    action: Done
    voter_id: str
    reason: str
    reference: str
    caller: str
    correlation_id: str
    previous: str

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 of the entry, the former entry's hash included: 64 hexadecimal
        digits.
        """
        return sha256(canonical(self.content())).hexdigest()

    def content(self) -> dict[str, Any]:
        """Return what is hashed."""
        return {
            "agent": self.agent,
            "sequence": self.sequence,
            "at": self.at,
            "action": self.action.value,
            "voter_id": self.voter_id,
            "reason": self.reason,
            "reference": self.reference,
            "caller": self.caller,
            "correlation_id": self.correlation_id,
            "previous": self.previous,
        }

    def to_item(self) -> Item:
        """Return the item of the record's table."""
        return {**self.content(), "hash": self.hash}


@dataclass(frozen=True)
class Head:
    """Where an agent's chain ends. `hour` and `day` are what looks and acts are counted in;
    `verified_in_day` are the looks with a caller's code, `last_at` is when the agent last did
    something, `last_request` the key of the latest act.
    """

    length: int = 0
    hash: str = GENESIS
    hour: str = ""
    looks_in_hour: int = 0
    day: str = ""
    looks_in_day: int = 0
    verified_in_day: int = 0
    acts_in_day: Mapping[str, int] = field(default_factory=dict)
    last_at: int = 0
    last_request: str = ""


def head_key(agent: str) -> Item:
    """Return where an agent's chain ends."""
    return {"agent": agent, "sequence": _HEAD}


def day_key(day: str) -> Item:
    """Return where those are named who did something on a day, `YYYYMMDD`."""
    return {"agent": f"#day {day}", "sequence": _HEAD}


def read_head(desk: Seat) -> Head:
    """Read where the agent's chain ends.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    item = read_one(desk.deps.dynamodb, desk.deps.record_table, head_key(desk.agent.id))
    return Head() if item is None else head_from_item(item)


def head_from_item(item: Item) -> Head:
    """Read where a chain ends."""
    return Head(
        item["chain_length"],
        item["chain_head"],
        item["hour"],
        item["looks_in_hour"],
        item["day"],
        item["looks_in_day"],
        # A chain that an earlier version began has none of these.
        item.get("verified_in_day", 0),
        item.get("acts_in_day", {}),
        item.get("last_at", 0),
        item["last_request"],
    )


def request_key(desk: Seat, idempotency_key: str) -> str:
    """Return what is kept of the key of an act's request."""
    return desk.deps.keyed_hash.hash(Purpose.REQUEST, desk.agent.id, idempotency_key)


def record_act(
    desk: Seat, head: Head, done: Done, now: datetime, *, voter_id: str, reason: str, reference: str, caller: str,
    request: str,
) -> list[Action]:  # fmt: skip
    """Return the writes that put an act on record; they are refused when the agent did something
    else meanwhile.
    """
    counted = _counted(head, now.astimezone(desk.deps.election.zone))
    acts = {**counted.acts_in_day, done.value: counted.acts_in_day.get(done.value, 0) + 1}
    counted = replace(counted, acts_in_day=acts, last_request=request)
    return _written(desk, head, counted, done, now, voter_id, reason, reference, caller)


def looks_left(desk: Seat) -> int:
    """Return how many more looks the agent has in this hour and day.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    limits = desk.deps.election.helpdesk
    counted = _counted(read_head(desk), desk.deps.clock().astimezone(desk.deps.election.zone))
    return max(0, min(limits.lookups_per_hour - counted.looks_in_hour, limits.lookups_per_day - counted.looks_in_day))


def record_look(
    desk: Seat, voter_id: str, caller: str, done: Done = Done.LOOKED, reason: str = "", *, bounded: bool = True
) -> int:
    """Put a look on record, and return how many more the agent has in this hour and day. `done` and
    `reason` are of a look that shows more than a sheet. One that is not `bounded` counts for no
    limit.

    Raises:
        Problem: `too-many-lookups`, with nothing recorded; `unavailable` under contention.
        botocore.exceptions.ClientError: AWS refuses; nothing may be shown then.
    """
    deps = desk.deps
    limits = deps.election.helpdesk
    for _ in range(_ROUNDS):
        now = deps.clock()
        local = now.astimezone(deps.election.zone)
        head = read_head(desk)
        counted = _counted(head, local)
        in_hour, in_day = counted.looks_in_hour + bounded, counted.looks_in_day + bounded
        if bounded and (in_hour > limits.lookups_per_hour or in_day > limits.lookups_per_day):
            deps.event_log.warn("too many look-ups", agent=desk.agent.id)
            wait = _HOUR - local.minute * 60 - local.second if in_day <= limits.lookups_per_day else _HOUR
            raise Problem(Code.TOO_MANY_LOOKUPS, retry_after=wait)
        counted = replace(
            counted,
            looks_in_hour=in_hour,
            looks_in_day=in_day,
            verified_in_day=counted.verified_in_day + (caller == "verified"),
        )
        actions = _written(desk, head, counted, done, now, voter_id, reason, "", caller)
        try:
            write_all(deps.dynamodb, actions)
        except (ConditionFailedError, ContentionError):
            continue
        return min(limits.lookups_per_hour - in_hour, limits.lookups_per_day - in_day)
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def _counted(head: Head, local: datetime) -> Head:
    """Return a head as it counts in this hour and on this day."""
    hour, day = f"{local:%Y%m%d%H}", f"{local:%Y%m%d}"
    if head.hour != hour:
        head = replace(head, hour=hour, looks_in_hour=0)
    return head if head.day == day else replace(head, day=day, looks_in_day=0, verified_in_day=0, acts_in_day={})


def _written(
    desk: Seat, head: Head, counted: Head, done: Done, now: datetime, voter_id: str, reason: str, reference: str,
    caller: str,
) -> list[Action]:  # fmt: skip
    """Return the writes of an entry: the entry, the end of the chain with what is `counted`, and
    with an agent's first entry of a day their name in that day.
    """
    entry = RecordEntry(
        agent=desk.agent.id,
        sequence=head.length + 1,
        at=epoch_milliseconds(now),
        action=done,
        voter_id=voter_id,
        reason=reason,
        reference=reference,
        caller=caller,
        correlation_id=desk.correlation_id,
        previous=head.hash,
    )
    table = desk.deps.record_table
    values = {
        "chain_length": entry.sequence,
        "chain_head": entry.hash,
        "hour": counted.hour,
        "looks_in_hour": counted.looks_in_hour,
        "day": counted.day,
        "looks_in_day": counted.looks_in_day,
        "verified_in_day": counted.verified_in_day,
        "acts_in_day": counted.acts_in_day,
        "last_at": entry.at,
        "last_request": counted.last_request,
    }
    came = {":agent": {desk.agent.id}}
    return [
        update(
            HEAD_ACTION,
            table,
            head_key(desk.agent.id),
            "SET " + ", ".join(f"#{name} = :{name}" for name in values),
            "attribute_not_exists(chain_length)" if head.length == 0 else "chain_length = :before",
            {
                **{f":{name}": value for name, value in values.items()},
                **({":before": head.length} if head.length else {}),
            },
            {f"#{name}": name for name in values},
        ),
        put_if_absent(ENTRY_ACTION, table, entry.to_item(), "voter_id"),
        *([] if head.day == counted.day else [add("day", table, day_key(counted.day), "ADD agents :agent", came)]),
    ]
