"""Opening and closing reissues for everybody at once. Each change is in the register, with who made
it and why.

The record and all items that reissues are conditioned on are written in one transaction, so there
is an instant from which on no reissue commits.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds, iso
from reassort.register import ELECTION_CHAIN, GENESIS, Change, Entry, append_entry, entry_from_item
from reassort.reissue_switch import STOPPED, ReissueSwitch, switch_from_item
from reassort.table_keys import CONTROL_KEY, control_shard_keys
from reassort.tables import Action, ConditionFailedError, ContentionError, Item, from_wire, read_one, to_wire, write_all

from reassort_ops.failures import OperatorError

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.election import Election

    from reassort_ops.account.operator import Operator
    from reassort_ops.account.stack import Stack

# On a busy morning about every other round meets a reissue that is being written.
_ROUNDS = 60
_LONGEST_PAUSE_SECONDS = 0.3


@dataclass(frozen=True)
class Standing:
    """How the record stands: what it says, its latest entry in the register, and items that say
    something else than the record.
    """

    control: ReissueSwitch
    latest: Entry | None
    differing: tuple[str, ...]


def read_switch(dynamodb: DynamoDBClient, stack: Stack) -> ReissueSwitch:
    """Read what the operators' record says, strongly consistent."""
    return switch_from_item(read_one(dynamodb, stack.control_table, {"key": CONTROL_KEY}))


def read_standing(dynamodb: DynamoDBClient, stack: Stack) -> Standing:
    """Read the record and everything that depends on it.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    keys = (CONTROL_KEY, *control_shard_keys())
    answer = dynamodb.batch_get_item(
        RequestItems={stack.control_table: {"Keys": [to_wire({"key": key}) for key in keys], "ConsistentRead": True}}
    )
    if answer.get("UnprocessedKeys"):
        raise ContentionError("UnprocessedKeys")
    items = {item["key"]: item for item in map(from_wire, answer["Responses"].get(stack.control_table, []))}
    record = items.get(CONTROL_KEY)
    control = switch_from_item(record)
    differing = tuple(key for key in keys if switch_from_item(items.get(key)) != control)
    latest = None
    if record is not None:
        place = {"voter_id": ELECTION_CHAIN, "sequence": record["chain_length"]}
        item = read_one(dynamodb, stack.register_table, place)
        latest = entry_from_item(item) if item else None
    return Standing(control, latest, differing)


def open_reissues(election: Election, reason: str, helpdesk: Operator) -> ReissueSwitch:
    """Let reissues commit inside the window of the election file.

    Raises:
        OperatorError: the record is contended.
    """
    window = election.windows.reissue
    control = ReissueSwitch(epoch_milliseconds(window.opens_at), epoch_milliseconds(window.closes_at))
    return _write(control, Change.OPENED, reason, helpdesk)


def close_reissues(election: Election, reason: str, helpdesk: Operator, at: datetime | None = None) -> ReissueSwitch:
    """Let no reissue commit any more: from now on until they are opened again, or from `at` on.

    Raises:
        OperatorError: `at` has passed or is not inside the window of the election file; the record
            is contended.
    """
    if at is None:
        return _write(STOPPED, Change.CLOSED, reason, helpdesk)
    window = election.windows.reissue
    if at <= helpdesk.clock():
        raise OperatorError(f"{iso(at)} has passed: without --at, reissues are closed at once")
    if not window.opens_at < at <= window.closes_at:
        raise OperatorError(
            f"{iso(at)} is not within the window of the election file, which ends {iso(window.closes_at)}"
        )
    control = ReissueSwitch(epoch_milliseconds(window.opens_at), epoch_milliseconds(at))
    return _write(control, Change.CLOSED, f"{iso(at)} {reason}", helpdesk)


def _write(control: ReissueSwitch, change: Change, reason: str, helpdesk: Operator) -> ReissueSwitch:
    stack = helpdesk.stack
    for _ in range(_ROUNDS):
        record = read_one(helpdesk.dynamodb, stack.control_table, {"key": CONTROL_KEY})
        entry = Entry(
            voter_id=ELECTION_CHAIN,
            sequence=record["chain_length"] + 1 if record else 1,
            change=change,
            generation=0,
            at=epoch_milliseconds(helpdesk.clock()),
            actor=helpdesk.name,
            reference=reason,
            previous=record["chain_head"] if record else GENESIS,
        )
        said = {"opens_at": control.opens_at, "closes_at": control.closes_at}
        chain = {"chain_length": entry.sequence, "chain_head": entry.hash}
        actions = [
            # Whoever changed it meanwhile has appended to the chain in this place.
            append_entry(stack.register_table, entry),
            _put(stack.control_table, {"key": CONTROL_KEY, **said, **chain}),
            *(_put(stack.control_table, {"key": key, **said}) for key in control_shard_keys()),
        ]
        try:
            write_all(helpdesk.dynamodb, actions)
        except (ConditionFailedError, ContentionError):
            # A reissue is being written under one of the conditions.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
            continue
        return control
    raise OperatorError("reissues are written all the time: nothing was changed; run the same command again")


def _put(table: str, item: Item) -> Action:
    return Action("control", "Put", {"TableName": table, "Item": to_wire(item)})
