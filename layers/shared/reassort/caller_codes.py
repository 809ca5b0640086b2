"""The code that a signed-in voter reads to the helpdesk: it shows an agent that whoever calls reads
the professional mailbox now.

It is derived from voter and time under the election's key, and stored nowhere. It opens nothing: no
session, no form, no call of the API takes it; only an operator can compare it, with
`reassort voter … --caller-code`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.keyed_hash import KeyedHash, Purpose, same

DIGITS = 6
# A new code begins with each slot. The shorter it is, the less a code outlives the session that
# showed it.
SLOT = timedelta(minutes=5)


@dataclass(frozen=True)
class CallerCode:
    """A code of six digits, and when it stops being accepted."""

    code: str
    expires_at: datetime


def current_code(keyed_hash: KeyedHash, voter_id: str, now: datetime, idle_minutes: int) -> CallerCode:
    """Return the code to show to a voter now.

    `idle_minutes` is how long a session lives that nobody uses. The code outlives that by one slot
    at most, and never ends before: whatever prolongs a session shows a new code as well, so a page
    need not ask for one.
    """
    slot = _slot(now)
    end = (slot + _slots_accepted(idle_minutes)) * (SLOT // timedelta(milliseconds=1))
    return CallerCode(_code(keyed_hash, voter_id, slot), from_milliseconds(end))


def is_code_of(keyed_hash: KeyedHash, voter_id: str, typed: str, now: datetime, idle_minutes: int) -> bool:
    """Tell whether a code was shown to this voter and is accepted still; `typed` is six ASCII
    digits.

    Every code that might be right is compared, in constant time.
    """
    slot = _slot(now)
    ages = range(_slots_accepted(idle_minutes))
    # All of them, so the time does not tell which one was right.
    outcomes = [same(typed, _code(keyed_hash, voter_id, slot - age)) for age in ages]
    return any(outcomes)


def normalise_caller_code(typed: str) -> str | None:
    """Return the six digits of a code as somebody may type it (`482 913`), or None when it cannot
    be one.
    """
    digits = "".join(typed.split())
    return digits if len(digits) == DIGITS and digits.isascii() and digits.isdigit() else None


def _slot(now: datetime) -> int:
    return epoch_milliseconds(now) // (SLOT // timedelta(milliseconds=1))


def _slots_accepted(idle_minutes: int) -> int:
    """Return how many slots a code counts in: its own, and those that cover an idle session from
    the end of its own.
    """
    return 1 + -(-timedelta(minutes=idle_minutes) // SLOT)


def _code(keyed_hash: KeyedHash, voter_id: str, slot: int) -> str:
    # 256 bits modulo a million: no code is likelier than another by more than one part in 10^71.
    number = int.from_bytes(keyed_hash.digest(Purpose.CALLER, voter_id, str(slot))) % 10**DIGITS
    return f"{number:0{DIGITS}d}"
