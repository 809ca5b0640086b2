"""The NUMEN as second proof, and its lock.

A failure is written on condition that nothing changed since the voter was read, and so is a success; whoever loses that
race reads again and meets the lock. So no number of simultaneous tries learns more than the limit allows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.problems import Code, Problem
from reassort.tables import update_one, update_request

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import NumenLimits
    from reassort.voters import Voter

    from reissue.deps import Deps

# Until the helpdesk unlocks there is no time to announce; a client is told to come back in a day.
_HELPDESK_RETRY_SECONDS = 86_400


class WrongNumenError(Problem):
    """The answer to a wrong NUMEN, told apart from a refusal of a voter who was locked before."""


def raise_if_locked(voter: Voter, now: datetime, limits: NumenLimits) -> None:
    """Refuse a voter whose tries are used up.

    Raises:
        Problem: `locked`, with the seconds until the lock ends.
    """
    if voter.numen_failures >= limits.helpdesk_after:
        raise Problem(Code.LOCKED, retry_after=_HELPDESK_RETRY_SECONDS, attempts_left=0)
    remaining = voter.numen_locked_until - epoch_milliseconds(now)
    if remaining > 0:
        raise Problem(Code.LOCKED, retry_after=-(-remaining // 1000), attempts_left=0)


def record_numen_failure(voter: Voter, now: datetime, deps: Deps) -> WrongNumenError:
    """Count a wrong NUMEN and return what to answer: `numen-mismatch`, or `locked` when it was the last try.

    Raises:
        ConditionFailedError: the voter changed since it was read; read again before anything is answered.
    """
    limits = deps.election.limits.numen
    failures = voter.numen_failures + 1
    locked_until = 0
    if failures == limits.lock_after:
        locked_until = epoch_milliseconds(now + timedelta(minutes=limits.lock_minutes))
    update_one(
        deps.dynamodb,
        update_request(
            deps.tables.voters,
            {"voter_id": voter.voter_id},
            "SET numen_failures = :failures, numen_locked_until = :locked_until",
            "chain_length = :read_length AND numen_failures = :read_failures",
            {
                ":failures": failures,
                ":locked_until": locked_until,
                ":read_length": voter.chain_length,
                ":read_failures": voter.numen_failures,
            },
        ),
    )
    if failures >= limits.helpdesk_after:
        return WrongNumenError(Code.LOCKED, retry_after=_HELPDESK_RETRY_SECONDS, attempts_left=0)
    if locked_until:
        return WrongNumenError(Code.LOCKED, retry_after=limits.lock_minutes * 60, attempts_left=0)
    next_lock = limits.lock_after if failures < limits.lock_after else limits.helpdesk_after
    return WrongNumenError(Code.NUMEN_MISMATCH, attempts_left=next_lock - failures)
