"""The NUMEN, staff number of the French ministry of education: 2 digits, a letter, 7 digits, 3
letters.
"""

import re

_SHAPE = re.compile(r"[0-9]{2}[A-Z][0-9]{7}[A-Z]{3}")
_BLANKS = re.compile(r"[ \t\u00a0\u202f-]+")


class NumenFormatError(ValueError):
    """The text is not a NUMEN. The message never repeats it."""


def normalise_numen(typed: str) -> str:
    """Return the NUMEN in upper case without blanks or hyphens.

    Raises:
        NumenFormatError: it has not 13 characters of the right kinds.
    """
    numen = _BLANKS.sub("", typed)
    # Folding case turns some letters from elsewhere into ASCII ones (U+0131 into I), so this is
    # checked before.
    if not numen.isascii() or _SHAPE.fullmatch(numen.upper()) is None:
        raise NumenFormatError("not of the form 09E9900123ABC")
    return numen.upper()
