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

from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.register import ELECTION_CHAIN, GENESIS, Change, Entry, append_entry, entry_from_item
from reassort.reissue_switch import AS_THE_FILE_SAYS, STOPPED, SWITCH, ReissueSwitch, switch_from_item
from reassort.table_keys import CONTROL_KEY, control_shard_keys
from reassort.tables import (
    Action,
    ConditionFailedError,
    ContentionError,
    Item,
    read_items,
    read_one,
    to_wire,
    write_all,
)

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

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
    something else than the record. `ballot_closes_at` is the close that was last recorded, in
    milliseconds since 1970; None before the first act.
    """

    switch: ReissueSwitch
    latest: Entry | None
    differing: tuple[str, ...]
    ballot_closes_at: int | None = None


def read_standing(dynamodb: DynamoDBClient, stack: Stack) -> Standing:
    """Read the record and everything that depends on it.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    keys = (CONTROL_KEY, *control_shard_keys())
    found = read_items(dynamodb, stack.control_table, [{"key": key} for key in keys])
    items = {item["key"]: item for item in found}
    record = items.get(CONTROL_KEY)
    switch = switch_from_item(record)
    differing = tuple(key for key in keys if switch_from_item(items.get(key)) != switch)
    latest = None
    if record is not None:
        place = {"voter_id": ELECTION_CHAIN, "sequence": record["chain_length"]}
        item = read_one(dynamodb, stack.register_table, place)
        latest = entry_from_item(item) if item else None
    return Standing(switch, latest, differing, record.get("ballot_closes_at") if record else None)


def open_reissues(election: Election, reason: str, operator: Operator) -> ReissueSwitch:
    """Let reissues commit inside the window of the election that the functions run with, whatever
    it will be.

    Raises:
        OperatorError: the record is contended.
    """
    return _write(election, AS_THE_FILE_SAYS, Change.OPENED, reason, operator)


def close_reissues(election: Election, reason: str, operator: Operator, at: datetime | None = None) -> ReissueSwitch:
    """Let no reissue commit any more: from now on until they are opened again, or from `at` on.

    Raises:
        OperatorError: `at` has passed or is not inside the window of the election; the record is
            contended.
    """
    if at is None:
        return _write(election, STOPPED, Change.CLOSED, reason, operator)
    raise_if_not_ahead(election, at, operator.clock())
    switch = ReissueSwitch(epoch_milliseconds(election.windows.reissue.opens_at), epoch_milliseconds(at))
    return _write(election, switch, Change.CLOSED, f"{iso(at)} {reason}", operator)


def raise_if_not_ahead(election: Election, at: datetime, now: datetime) -> None:
    """Refuse a time at which reissues cannot close.

    Raises:
        OperatorError: it has passed or is not inside their window.
    """
    window = election.windows.reissue
    if at <= now:
        raise OperatorError(tr("{at} has passed: without --at, reissues are closed at once", at=iso(at)))
    if not window.opens_at < at <= window.closes_at:
        raise OperatorError(
            tr(
                "{at} is not within the window of the election, which ends {closes_at}",
                at=iso(at),
                closes_at=iso(window.closes_at),
            )
        )


def prolong_ballot(deployed: Election, prolonged: Election, reason: str, operator: Operator) -> ReissueSwitch:
    """Record that ballot and reissues close later, and let reissues follow the file; a stop stays.

    The functions follow once `prolonged` is deployed.

    Raises:
        OperatorError: it prolongs nothing, or changes something else; the ballot has closed; the
            record is contended.
    """
    before, after = deployed.windows, prolonged.windows
    standing = read_standing(operator.dynamodb, operator.stack)
    closes_at = epoch_milliseconds(after.voting.closes_at)
    known = standing.ballot_closes_at or epoch_milliseconds(before.voting.closes_at)
    if closes_at <= known:
        raise OperatorError(
            tr(
                "nothing to prolong: the ballot closes {closes_at} in the file and {known} by the record",
                closes_at=iso(after.voting.closes_at),
                known=iso(from_milliseconds(known)),
            )
        )
    if after != before and after.reissue.closes_at <= before.reissue.closes_at:
        raise OperatorError(
            tr("windows.reissue.closes_at is not later too: who votes longer needs reissues for longer")
        )
    if deployed.replaced(windows=after) != prolonged or (after.voting.opens_at, after.reissue.opens_at) != (
        before.voting.opens_at,
        before.reissue.opens_at,
    ):
        raise OperatorError(tr("the file changes more than the two closes: deploy the rest before, or after"))
    if operator.clock() >= before.voting.closes_at:
        raise OperatorError(
            tr(
                "the ballot closed {closes_at}: a closed ballot is not prolonged",
                closes_at=iso(before.voting.closes_at),
            )
        )
    switch = STOPPED if standing.switch.stopped else AS_THE_FILE_SAYS
    note = f"{iso(after.voting.closes_at)} {reason}"
    return _write(prolonged, switch, Change.PROLONGED, note, operator, ballot_closes_at=closes_at)


def _write(
    election: Election,
    switch: ReissueSwitch,
    change: Change,
    reason: str,
    operator: Operator,
    *,
    ballot_closes_at: int | None = None,
) -> ReissueSwitch:
    """Write the record, all that depends on it and the entry. No act but a prolongation changes the
    close of the ballot that was recorded first.
    """
    stack = operator.stack
    deployed_close = epoch_milliseconds(election.windows.voting.closes_at)
    for _ in range(_ROUNDS):
        record = read_one(operator.dynamodb, stack.control_table, {"key": CONTROL_KEY})
        entry = Entry(
            voter_id=ELECTION_CHAIN,
            sequence=record["chain_length"] + 1 if record else 1,
            change=change,
            generation=0,
            at=epoch_milliseconds(operator.clock()),
            actor=operator.name,
            reference=reason,
            previous=record["chain_head"] if record else GENESIS,
        )
        said = {"opens_at": switch.opens_at, "closes_at": switch.closes_at}
        known = {
            "chain_length": entry.sequence,
            "chain_head": entry.hash,
            "ballot_closes_at": ballot_closes_at or (record or {}).get("ballot_closes_at") or deployed_close,
        }
        actions = [
            # Anyone who changed it meanwhile has appended to the chain in this place.
            append_entry(stack.register_table, entry),
            _put(stack.control_table, {"key": CONTROL_KEY, **said, **known}),
            *(_put(stack.control_table, {"key": key, **said}) for key in control_shard_keys()),
        ]
        try:
            write_all(operator.dynamodb, actions)
        except (ConditionFailedError, ContentionError):
            # A reissue is being written under one of the conditions.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
            continue
        return switch
    raise OperatorError(tr("reissues are written all the time: nothing was changed; run the same command again"))


def _put(table: str, item: Item) -> Action:
    return Action(SWITCH, "Put", {"TableName": table, "Item": to_wire(item)})
