"""The further proof that an election may ask for: a day, or letters and digits, in the one form
that is hashed.
"""

import re
from datetime import date

from reassort.election import ExtraProof
from reassort.pasted import compact, plain

_SEPARATORS = re.compile(r"[ /.-]+")
# A phone's numeric keypad has no separator, so a day may be typed without any. No year starts like
# a month, so eight digits that begin with the year are never taken for another day.
_DAY_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/((?:19|20)[0-9]{2})|([0-9]{2})([0-9]{2})((?:19|20)[0-9]{2})")
_YEAR_FIRST = re.compile(r"((?:19|20)[0-9]{2})/([0-9]{1,2})/([0-9]{1,2})")
_LETTERS_AND_DIGITS = re.compile(r"[A-Za-z0-9]*")


class ExtraProofFormatError(ValueError):
    """The text is not of the kind that the election asks for. The message never repeats it."""


def normalise_extra_proof(typed: str, wanted: ExtraProof) -> str:
    """Return a day as `1968-03-17`, a text in upper case without blanks and hyphens.

    A day is JJ/MM/AAAA, also with blanks, dots or hyphens, or without any; or AAAA-MM-JJ.

    Raises:
        ExtraProofFormatError: it is no day of 1900 to 2099; or it has other characters than ASCII
            letters and digits, or too few or too many.
    """
    if wanted.kind == "date":
        return _normalise_day(typed)
    text = compact(typed)
    # Folding case turns some letters from elsewhere into ASCII ones (U+0131 into I), so this is
    # checked before.
    if _LETTERS_AND_DIGITS.fullmatch(text) is None:
        raise ExtraProofFormatError("not letters without accents and digits")
    if not (wanted.min_length or 0) <= len(text) <= (wanted.max_length or 0):
        raise ExtraProofFormatError("too few or too many letters and digits")
    return text.upper()


def _normalise_day(typed: str) -> str:
    text = _SEPARATORS.sub("/", plain(typed)).strip("/")
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year = (part for part in found.groups() if part is not None)
    elif found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found.groups()
    else:
        raise ExtraProofFormatError("not a day of the form JJ/MM/AAAA")
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise ExtraProofFormatError("not a day of the calendar") from error
