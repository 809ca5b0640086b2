"""When a voter may be given a further identifier, no matter who asks."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.problems import Code, Problem

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election
    from reassort.reissue_switch import ReissueSwitch
    from reassort.voters import Voter

_DAY = timedelta(days=1)


def raise_unless_open(voter: Voter, switch: ReissueSwitch, now: datetime, election: Election) -> None:
    """Refuse a reissue outside the window, while reissues are stopped, or after the vote.

    Raises:
        Problem: `window-closed`, `reissues-stopped`, `already-voted`.
    """
    if not election.windows.reissue.contains(now):
        raise Problem(Code.WINDOW_CLOSED)
    if not switch.lets(now):
        raise Problem(Code.REISSUES_STOPPED if switch.stopped else Code.WINDOW_CLOSED)
    if voter.voted_at is not None:
        raise Problem(Code.ALREADY_VOTED)


def wait_for_reissue(voter: Voter, now: datetime, election: Election, times: int = 1) -> int | None:
    """Return the seconds until a voter is below the election's limits of reissues, multiplied by
    `times`: until the window closes when they have had all. None when they are below them.
    """
    limits = election.limits.reissues
    reissued_at = voter.issued_at[1:]
    if len(reissued_at) >= times * limits.in_all:
        left = election.windows.reissue.closes_at - now
        return max(1, int(left.total_seconds()))
    day_ago = epoch_milliseconds(now - _DAY)
    recent = [at for at in reissued_at if at > day_ago]
    if len(recent) >= times * limits.per_day:
        return -(-(recent[-times * limits.per_day] - day_ago) // 1000)
    return None
