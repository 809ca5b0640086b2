"""The reason for an act, as the register keeps it. It outlives the election, so it must hold no
personal data.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

LONGEST = 80
# What the register adds to a reason when a caller's code has shown who was calling.
CALLER_VERIFIED = "appelant vérifié"
_ADDRESS = re.compile("@")
# The number of a ticket or of a file: letters before it, as in INC0012345, RITM-20418 or #4821. No
# telephone: those begin with 0 and have ten digits.
_TICKET = re.compile(r"(?<![^\W_])(?:(?!TEL|NUM)[A-Z]{2,8}[-_ ]?|#)(?!0[1-9][0-9]{8}\b)[0-9]{3,10}(?![^\W_])")
# Long enough to be a NUMEN's or a telephone's.
_NUMBER = re.compile(r"(?:[0-9][ .-]?){6}")
# Somebody who is named: « Mme Martin », « M. Le Gall », prenom.nom.
_NAME = re.compile(
    r"\b(?:M\.|MM\.|Mrs?\b|Mme\b|Mlle\b|Madame\b|Monsieur\b)\s*(?:(?:de|du|des)\s+(?:la\s+)?|d[’'])?[A-ZÀ-Ý]"
    r"|(?<![\w.])[a-zà-ÿ]{2,}\.[a-zà-ÿ]{2,}(?![\w.])"
)


class ReasonFault(StrEnum):
    """Why a reason is refused."""

    LENGTH = "length"
    PERSONAL = "personal-data"
    RESERVED = "reserved-words"


class ReasonError(ValueError):
    """A reason that the register does not take."""

    def __init__(self, fault: ReasonFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def checked_reason(typed: str) -> str:
    """Return the reason as the register keeps it.

    Raises:
        ReasonError: it is empty or too long, looks as if it held personal data (an address, a
            name after its title, a long number that is no ticket's), or says what only a
            check may say.
    """
    reason = " ".join(typed.split())
    if not reason or len(reason) > LONGEST or not reason.isprintable():
        raise ReasonError(ReasonFault.LENGTH)
    if _ADDRESS.search(reason) or _NAME.search(reason) or _NUMBER.search(_TICKET.sub("", reason)):
        raise ReasonError(ReasonFault.PERSONAL)
    if _letters(CALLER_VERIFIED) in _letters(reason):
        raise ReasonError(ReasonFault.RESERVED)
    return reason


def recorded_reason(reason: str, *, caller_verified: bool) -> str:
    """Return a checked reason as the register keeps it, with what is known of the caller."""
    return f"{reason} ({CALLER_VERIFIED})" if caller_verified else reason


def _letters(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalnum() and letter.isascii())
