"""The code that a signed-in voter reads to the helpdesk, two everyday words: it shows an agent that
the caller reads the professional mailbox now.

It looks and sounds different from a sign-in code, so that nobody learns to dictate those. It
is derived from voter and time under the election's key, and stored nowhere. It opens nothing: no
session, no form, no call of the API takes it; only who helps voters can compare it, on the
helpdesk's page or with `reassort voter … --caller-code`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from reassort.caller_words import WORDS
from reassort.clock import epoch_milliseconds, from_milliseconds
from reassort.keyed_hash import KeyedHash, Purpose, same
from reassort.pasted import plain

# A new code begins with each slot. The shorter it is, the less a code outlives the session that
# showed it.
SLOT = timedelta(minutes=5)
# Two of 1,024: 20 bits, a million pairs.
_PAIRS: Final = len(WORDS) ** 2
# Where an accent is a sign of its own, it is dropped with whatever else is no letter.
_BARE = str.maketrans(
    {**dict(zip("àâäçéèêëîïôöùûüÿ", "aaaceeeeiioouuuy", strict=True)), "œ": "oe"},
)


@dataclass(frozen=True)
class CallerCode:
    """Two words with a blank between them, and when they stop being accepted."""

    words: str
    expires_at: datetime


def current_code(keyed_hash: KeyedHash, voter_id: str, now: datetime, idle_minutes: int) -> CallerCode:
    """Return the code to show to a voter now.

    `idle_minutes` is how long a session lives that nobody uses. The code outlives that by one slot
    at most, and never ends before: whatever prolongs a session shows a new code as well, so a page
    need not ask for one.
    """
    slot = _slot(now)
    end = (slot + _slots_accepted(idle_minutes)) * (SLOT // timedelta(milliseconds=1))
    return CallerCode(" ".join(_words(keyed_hash, voter_id, slot)), from_milliseconds(end))


def is_code_of(keyed_hash: KeyedHash, voter_id: str, typed: str, now: datetime, idle_minutes: int) -> bool:
    """Tell whether a code was shown to this voter and is accepted still; `typed` is as
    `normalise_caller_code` returns it.

    Every code that might be right is compared, in constant time.
    """
    slot = _slot(now)
    ages = range(_slots_accepted(idle_minutes))
    # All of them, so the time does not tell which one was right.
    outcomes = [same(typed, _letters("".join(_words(keyed_hash, voter_id, slot - age)))) for age in ages]
    return any(outcomes)


def normalise_caller_code(typed: str) -> str | None:
    """Return the letters of two words as somebody may type them, or None when they can be no code.

    Accents, capitals, blanks and whatever else stands between the words do not matter.
    """
    letters = _letters(plain(typed))
    known = _known_words()
    pairs = (letters[:end] in known and letters[end:] in known for end in range(len(letters)))
    return letters if any(pairs) else None


def _known_words() -> frozenset[str]:
    return frozenset(_letters(word) for word in WORDS)


def _letters(text: str) -> str:
    """Return the letters a to z of a text, without accents."""
    return re.sub("[^a-z]", "", text.lower().translate(_BARE))


def _slot(now: datetime) -> int:
    return epoch_milliseconds(now) // (SLOT // timedelta(milliseconds=1))


def _slots_accepted(idle_minutes: int) -> int:
    """Return how many slots a code counts in: its own, and those that cover an idle session from
    the end of its own.
    """
    return 1 + -(-timedelta(minutes=idle_minutes) // SLOT)


def _words(keyed_hash: KeyedHash, voter_id: str, slot: int) -> tuple[str, str]:
    # 2^256 is a multiple of 2^20: no pair is likelier than another.
    number = int.from_bytes(keyed_hash.digest(Purpose.CALLER, voter_id, str(slot))) % _PAIRS
    first, second = divmod(number, len(WORDS))
    return WORDS[first], WORDS[second]
