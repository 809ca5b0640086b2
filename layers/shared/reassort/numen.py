"""The NUMEN, staff number of the French ministry of education: 2 digits, a letter, 7 digits, 3
letters.
"""

import re

from reassort.pasted import FieldFormatError, compact, has_accents

_SHAPE = re.compile(r"[0-9]{2}[A-Z][0-9]{7}[A-Z]{3}")
_LETTERS = (2, 10, 11, 12)
_LENGTH = 13
# What is read for a digit, where only a digit can stand. A letter is never guessed.
_AS_DIGITS = str.maketrans("OIL", "011")


class NumenFormatError(FieldFormatError):
    """The text is not a NUMEN: `accents`, `length`, `digit-expected`, `letter-expected` or
    `invalid`.
    """


def normalise_numen(typed: str) -> str:
    """Return the NUMEN in upper case without blanks or hyphens; O, I and L instead of a digit
    are 0 and 1.

    Raises:
        NumenFormatError: it has not 13 characters of the right kinds.
    """
    numen = compact(typed)
    if not numen:
        raise NumenFormatError("invalid")
    # Folding case turns some letters from elsewhere into ASCII ones (U+0131 into I), so this is
    # checked before.
    if numen.isascii():
        numen = numen.upper()
        if _SHAPE.fullmatch(numen) is not None:
            return numen
        numen = numen[:2].translate(_AS_DIGITS) + numen[2:3] + numen[3:10].translate(_AS_DIGITS) + numen[10:]
        if _SHAPE.fullmatch(numen) is not None:
            return numen
    elif has_accents(numen):
        raise NumenFormatError("accents")
    if len(numen) != _LENGTH:
        raise NumenFormatError("length", count=str(len(numen)))
    wrong = next(place for place, symbol in enumerate(numen) if not _stands_at(place, symbol))
    raise NumenFormatError("letter-expected" if wrong in _LETTERS else "digit-expected", place=str(wrong + 1))


def _stands_at(place: int, symbol: str) -> bool:
    return symbol.isascii() and (symbol.isalpha() if place in _LETTERS else symbol.isdigit())
