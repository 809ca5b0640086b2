"""What the helpdesk does to one voter: unlock, freeze, unfreeze. Each change is in the register,
with who made it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.register import Change, append_entry
from reassort.tables import ConditionFailedError, ContentionError, write_all
from reassort.voters import NOT_FROZEN, NOT_VOTED, SAME_FAILURES, SAME_GENERATION, Voter, change_voter

from reassort_ops.failures import OperatorError
from reassort_ops.voter.record import read_voter

if TYPE_CHECKING:
    from reassort_ops.account.operator import Operator

_ROUNDS = 8
_LONGEST_REASON = 80
# What the register adds to a reason when a read-back code has shown who was calling.
CALLER_VERIFIED = "appelant vérifié"
# The register outlives the election and holds no personal data: no address, and no number long
# enough to be a NUMEN's or a phone's.
_ADDRESS = re.compile("@")
_NUMBER = re.compile(r"(?:[0-9][ .-]?){6}")
_WAS_FROZEN = "attribute_exists(frozen_at)"


@dataclass(frozen=True)
class _Step:
    """What a change writes, or why there is nothing to write."""

    assignments: str = ""
    values: Mapping[str, Any] | None = None
    clauses: tuple[str, ...] = ()
    removals: str = ""
    needless: str | None = None


def checked_reason(typed: str) -> str:
    """Return the reason as the register keeps it.

    Raises:
        OperatorError: it is empty, too long, looks as if it held personal data, or says what only a
            check may say.
    """
    reason = " ".join(typed.split())
    if not reason or len(reason) > _LONGEST_REASON or not reason.isprintable():
        raise OperatorError(f"--reason takes 1 to {_LONGEST_REASON} characters")
    if _ADDRESS.search(reason) or _NUMBER.search(reason):
        raise OperatorError("--reason goes into the register, which holds no address and no number of a person")
    if _without_accents(CALLER_VERIFIED) in _without_accents(reason):
        raise OperatorError(f"--reason may not say « {CALLER_VERIFIED} »: the register does, with --caller-code")
    return reason


def recorded_reason(reason: str, *, caller_verified: bool) -> str:
    """Return a checked reason as the register keeps it, with what is known of the caller."""
    return f"{reason} ({CALLER_VERIFIED})" if caller_verified else reason


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum() and letter.isascii())


def unlock(voter_id: str, reason: str, helpdesk: Operator) -> str:
    """Forget a voter's wrong NUMENs. Return what was done.

    Raises:
        OperatorError: no such voter, or the entry is contended.
    """

    def step(voter: Voter, _: int) -> _Step:
        if not voter.numen_failures and not voter.numen_locked_until:
            return _Step(needless="was not locked: nothing changed")
        forget = "numen_failures = :zero, numen_locked_until = :zero"
        return _Step(forget, {":zero": 0}, (SAME_FAILURES,))

    return _change(voter_id, Change.UNLOCKED, reason, helpdesk, step) or "unlocked"


def freeze(voter_id: str, reason: str, helpdesk: Operator) -> str:
    """Make a voter's identifier unusable, stop reissues until it is unfrozen, end their sessions.
    Return what was done.

    Raises:
        OperatorError: no such voter, the voter has voted, or the entry is contended.
    """

    def step(voter: Voter, at: int) -> _Step:
        if voter.frozen_at is not None:
            return _Step(needless="was frozen already: nothing changed")
        if voter.voted_at is not None:
            raise OperatorError("the voter has voted: there is nothing left to freeze")
        return _Step("frozen_at = :at, signed_out_at = :at", {":at": at}, (SAME_GENERATION, NOT_VOTED, NOT_FROZEN))

    return _change(voter_id, Change.FROZEN, reason, helpdesk, step) or "frozen"


def unfreeze(voter_id: str, reason: str, helpdesk: Operator) -> str:
    """Make a frozen voter's identifier usable again. Return what was done.

    Raises:
        OperatorError: no such voter, their identifier was disputed, or the entry is contended.
    """

    def step(voter: Voter, _: int) -> _Step:
        if voter.frozen_at is None:
            return _Step(needless="was not frozen: nothing changed")
        if voter.disputed == voter.generation:
            raise OperatorError(
                "a disputed identifier never works again: give the voter the next one with voter reissue"
            )
        return _Step(clauses=(SAME_GENERATION, _WAS_FROZEN), removals="frozen_at")

    return _change(voter_id, Change.UNFROZEN, reason, helpdesk, step) or "unfrozen"


def _change(
    voter_id: str, change: Change, reason: str, helpdesk: Operator, decide: Callable[[Voter, int], _Step]
) -> str | None:
    stack = helpdesk.stack
    for _ in range(_ROUNDS):
        voter = read_voter(helpdesk.dynamodb, stack, voter_id)
        now = helpdesk.clock()
        step = decide(voter, epoch_milliseconds(now))
        if step.needless is not None:
            return step.needless
        entry = voter.next_entry(change, now, helpdesk.name, generation=voter.generation, reference=reason)
        write = change_voter(
            stack.voters_table,
            voter,
            entry,
            step.assignments,
            step.values or {},
            clauses=step.clauses,
            removals=step.removals,
        )
        try:
            write_all(helpdesk.dynamodb, [write, append_entry(stack.register_table, entry)])
        except (ConditionFailedError, ContentionError):
            continue
        return None
    raise OperatorError("the voter's entry is being written by somebody else; try again")
