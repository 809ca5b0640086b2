"""Cleans what people paste, before any field is read. Addresses, NUMENs, telephone numbers, codes,
references and identifiers share this one cleaner: on the page, in the API, at the registry and in
the roll.

Full-width forms stay as they are: no keyboard of these voters writes them, and digits that are not
ASCII cost nothing only as long as they are refused. `site/scripts/pasted.js` does the same;
tests/site/test_pasted.py compares the two on `tests/pasted_cases.json`.
"""

import re

# Soft hyphen, joiners, marks of direction, byte order mark, variation selectors.
_UNSEEN = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063"
    "\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06"
    "\ufe07\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f\ufeff"
)
# Line breaks are not among them: two lines are two texts.
_BLANKS = (
    " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3000\u3164"
)
_DASHES = (
    "-\u02d7\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2e17\u2e1a\u2e3a"
    "\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead"
)
_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4"
# Around a text that was copied out of a sentence.
_BEFORE = " \t\r\n\v\f\"'«»“”„"
_BEHIND = _BEFORE + ".,;:!?"

_PLAIN = str.maketrans(
    {
        **dict.fromkeys(_UNSEEN, ""),
        **dict.fromkeys(_BLANKS, " "),
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_APOSTROPHES, "'"),
    }
)
_SIX_DIGITS = re.compile(r"[0-9]{6}")
_CODE = re.compile(r"(?:^|[^0-9])([0-9]{3})[ -]?([0-9]{3})(?![0-9])")
_COMPACT = str.maketrans(dict.fromkeys(_UNSEEN + _BLANKS + _DASHES, ""))


class FieldFormatError(ValueError):
    """A text is not what its field takes. `code` says why; neither it nor `values` repeats the
    text.
    """

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def plain(typed: str) -> str:
    """Return a text with plain blanks, hyphens and apostrophes, nothing unseen in it, and neither
    blanks nor the punctuation of a sentence around it.
    """
    return typed.translate(_PLAIN).lstrip(_BEFORE).rstrip(_BEHIND)


def compact(typed: str) -> str:
    """Return a text without blanks, hyphens and unseen marks, nor the punctuation of a sentence
    around it.
    """
    return typed.translate(_COMPACT).lstrip(_BEFORE).rstrip(_BEHIND)


def has_accents(text: str) -> bool:
    """Tell whether a text is ASCII except French letters with accents, composed or not."""
    return not text.isascii() and all(
        symbol.isascii() or "\u00c0" <= symbol <= "\u017f" or "\u0300" <= symbol <= "\u036f" for symbol in text
    )


def six_digits(typed: str) -> str | None:
    """Return the six digits of a code as somebody types it (`482 913`) or pastes it with its
    sentence (`Votre code est : 482913`); None when there are none, or more than one such number.
    """
    digits = compact(typed)
    if _SIX_DIGITS.fullmatch(digits):
        return digits
    found = {"".join(halves) for halves in _CODE.findall(plain(typed))}
    return found.pop() if len(found) == 1 else None
