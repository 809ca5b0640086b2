"""The code itself: drawn, stored as a keyed hash, compared with what was typed."""

import secrets
from datetime import datetime
from enum import Enum, auto

from reassort.clock import epoch_milliseconds
from reassort.keyed_hash import KeyedHash, Purpose, same
from reassort.sessions import Token
from reassort.tables import Item

CODE_DIGITS = 6


class CodeState(Enum):
    """What a typed code is to a challenge."""

    VALID = auto()
    EXPIRED = auto()
    UNKNOWN = auto()


def draw_code() -> str:
    """Draw a code from the system's CSPRNG."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def stored_code(code: str, challenge: Token, valid_until: datetime, delivery_id: str, keyed_hash: KeyedHash) -> Item:
    """Return what a challenge keeps of a code. It works only with that challenge."""
    return {
        "code": _code_hash(code, challenge, keyed_hash),
        "valid_until": epoch_milliseconds(valid_until),
        "delivery": delivery_id,
    }


def _code_hash(code: str, challenge: Token, keyed_hash: KeyedHash) -> str:
    # The challenge's secret is part of it, so a code works only in the browser that asked for it.
    return keyed_hash.hash(Purpose.CODE, challenge.voter_id, challenge.secret, code)


def state_of(code: str, held: Token, challenge: Item, now: datetime, keyed_hash: KeyedHash) -> CodeState:
    """Tell whether a typed code is one of the challenge's, and whether it is valid still."""
    given = _code_hash(code, held, keyed_hash)
    at = epoch_milliseconds(now)
    stored = [challenge[name] for name in ("codes_1", "codes_2", "codes_3") if name in challenge]
    # Every code is compared, so the time does not tell which one, or that none, was near.
    outcomes = [(same(given, entry["code"]), entry["valid_until"] > at) for entry in stored]
    if (True, True) in outcomes:
        return CodeState.VALID
    return CodeState.EXPIRED if (True, False) in outcomes else CodeState.UNKNOWN
