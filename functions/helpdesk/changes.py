"""An agent's acts for one voter, other than a reissue: unlock, freeze, unfreeze, let in. One
transaction makes the change and records it: in the helpdesk's record, and in the register if it
changes which identifier may vote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.letting_in import BUCKET_ACTION, let_in_write
from reassort.problems import Code, Problem
from reassort.register import Change, append_entry
from reassort.tables import ConditionFailedError, ContentionError, update, write_all
from reassort.unreached import never_reached
from reassort.voters import NOT_FROZEN, NOT_VOTED, SAME_FAILURES, SAME_GENERATION, Voter, change_voter

from helpdesk.agent_record import Done, read_head, record_act
from helpdesk.voter_record import read_record, read_voter

if TYPE_CHECKING:
    from helpdesk.deps import Seat

ROUNDS = 8
_WAS_FROZEN = "attribute_exists(frozen_at)"


@dataclass(frozen=True)
class Note:
    """What is kept of an act: its reason as the register has it, what the caller's words showed,
    and the key of the request, which makes a second one a repetition.
    """

    reason: str
    caller: str
    request: str


@dataclass(frozen=True)
class _Step:
    """What a change writes."""

    assignments: str = ""
    values: Mapping[str, Any] | None = None
    clauses: tuple[str, ...] = ()
    removals: str = ""


def unlock(voter_id: str, note: Note, desk: Seat) -> None:
    """Forget a voter's wrong NUMENs.

    Raises:
        Problem: `no-such-voter`; `off-roll`; `nothing-to-do`; `unavailable` under contention.
    """

    def step(voter: Voter, _: int) -> _Step:
        if not voter.numen_failures and not voter.numen_locked_until:
            raise Problem(Code.NOTHING_TO_DO)
        forget = "numen_failures = :zero, numen_locked_until = :zero"
        return _Step(forget, {":zero": 0}, (SAME_FAILURES,))

    _change(voter_id, Change.UNLOCKED, Done.UNLOCKED, note, desk, step)


def freeze(voter_id: str, note: Note, desk: Seat) -> None:
    """Make a voter's identifier unusable, stop reissues until it is unfrozen, end their sessions.

    Raises:
        Problem: `no-such-voter`; `off-roll`; `nothing-to-do`; `already-voted`; `unavailable` under
            contention.
    """

    def step(voter: Voter, at: int) -> _Step:
        if voter.frozen_at is not None:
            raise Problem(Code.NOTHING_TO_DO)
        if voter.voted_at is not None:
            raise Problem(Code.ALREADY_VOTED)
        return _Step("frozen_at = :at, signed_out_at = :at", {":at": at}, (SAME_GENERATION, NOT_VOTED, NOT_FROZEN))

    _change(voter_id, Change.FROZEN, Done.FROZEN, note, desk, step)


def unfreeze(voter_id: str, note: Note, desk: Seat) -> None:
    """Make a frozen voter's identifier usable again.

    Raises:
        Problem: `no-such-voter`; `off-roll`; `nothing-to-do`; `disputed`; `unavailable` under
            contention.
    """

    def step(voter: Voter, _: int) -> _Step:
        if voter.frozen_at is None:
            raise Problem(Code.NOTHING_TO_DO)
        if voter.disputed == voter.generation:
            raise Problem(Code.DISPUTED)
        return _Step(clauses=(SAME_GENERATION, _WAS_FROZEN), removals="frozen_at")

    _change(voter_id, Change.UNFROZEN, Done.UNFROZEN, note, desk, step)


def let_in(voter_id: str, number: str, note: Note, desk: Seat) -> None:
    """Let the next code of a caller's browser pass; `number` is the one that its page shows.

    Raises:
        Problem: `nothing-to-do`: nobody asks for codes of this voter; `unavailable` under
            contention.
    """
    deps = desk.deps
    for _ in range(ROUNDS):
        head = read_head(desk)
        if head.last_request == note.request:
            return
        now = deps.clock()
        actions = [
            let_in_write(deps.sign_in_table, voter_id, number, now),
            *record_act(
                desk, head, Done.LET_IN, now, voter_id=voter_id, reason=note.reason, reference="",
                caller=note.caller, request=note.request,
            ),
        ]  # fmt: skip
        try:
            write_all(deps.dynamodb, actions)
        except ConditionFailedError as refusal:
            if BUCKET_ACTION in refusal.refused:
                raise Problem(Code.NOTHING_TO_DO) from refusal
            continue
        except ContentionError:
            continue
        return
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def settle(voter_id: str, note: Note, desk: Seat) -> None:
    """Take a voter off the list of those whom nothing reached. Nothing of their identifier changes,
    so the register has no entry of it.

    Raises:
        Problem: `no-such-voter`; `nothing-to-do`: something reached them, or it is settled;
            `unavailable` under contention.
    """
    deps = desk.deps
    for _ in range(ROUNDS):
        head = read_head(desk)
        if head.last_request == note.request:
            return
        now = deps.clock()
        record = read_record(voter_id, now, deps)
        delivery = never_reached(record.voter, record.deliveries)
        if delivery is None:
            raise Problem(Code.NOTHING_TO_DO)
        write = update(
            "voter",
            deps.tables.voters,
            {"voter_id": voter_id},
            "SET settled_at = :at",
            "attribute_exists(voter_id)",
            {":at": epoch_milliseconds(now)},
        )
        on_record = record_act(
            desk, head, Done.SETTLED, now, voter_id=voter_id, reason=note.reason, reference=delivery.delivery_id,
            caller=note.caller, request=note.request,
        )  # fmt: skip
        try:
            write_all(deps.dynamodb, [write, *on_record])
        except (ConditionFailedError, ContentionError):
            continue
        return
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def raise_if_left(voter: Voter) -> None:
    """Refuse to act on somebody who has left the roll.

    Raises:
        Problem: `off-roll`.
    """
    if voter.left_at is not None:
        raise Problem(Code.OFF_ROLL)


def _change(
    voter_id: str, change: Change, done: Done, note: Note, desk: Seat, decide: Callable[[Voter, int], _Step]
) -> None:
    deps = desk.deps
    for _ in range(ROUNDS):
        head = read_head(desk)
        if head.last_request == note.request:
            # An earlier try committed, and its answer was lost.
            return
        voter = read_voter(voter_id, deps)
        raise_if_left(voter)
        now = deps.clock()
        step = decide(voter, epoch_milliseconds(now))
        entry = voter.next_entry(change, now, desk.agent.id, generation=voter.generation, reference=note.reason)
        write = change_voter(
            deps.tables.voters,
            voter,
            entry,
            step.assignments,
            step.values or {},
            clauses=step.clauses,
            removals=step.removals,
        )
        on_record = record_act(
            desk, head, done, now, voter_id=voter_id, reason=note.reason, reference="",
            caller=note.caller, request=note.request,
        )  # fmt: skip
        try:
            write_all(deps.dynamodb, [write, append_entry(deps.tables.register, entry), *on_record])
        except (ConditionFailedError, ContentionError):
            continue
        return
    raise Problem(Code.UNAVAILABLE, retry_after=2)
