"""Which code page a file of French names is in, when it is not UTF-8: told by its letters, or not
at all.

Each byte that is no ASCII is read in every code page that offices write, with its neighbours. In
the right one nearly all are letters of French in their place: small ones inside words, capitals at
their beginning or among capitals. In a wrong one é becomes ‚, Ú, Ž or È, which stands out.
"""

from __future__ import annotations

import re
from collections import Counter

# In the order in which they win when they read a file alike.
CODE_PAGES = {"cp1252": "Windows-1252", "iso8859-15": "ISO-8859-15", "cp850": "CP850", "mac-roman": "Mac Roman"}
_FRENCH = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒ")
# Of names that are not French, or hardly ever: ’ of Windows-1252 is Æ in CP850.
_OTHERS = frozenset("ÆáãåíìñóòõøßúýšžÁÃÅÍÌÑÓÒÕØÚÝŠŽ")
# What stands between letters, or beside them, in names of people and places.
_SIGNS = frozenset("’‘“”«»–—°·€\u00a0\u00ad")
_WITH_NEIGHBOURS = re.compile(rb"(?=([\x00-\xff][\x80-\xff][\x00-\xff]))", re.DOTALL)
# By so much, for each letter that two code pages read differently, one of them must be ahead.
_AHEAD = 0.5


class LetterCount:
    """What a file shows of its code page: how often each byte that is no ASCII stands between which
    neighbours.
    """

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def add(self, line: bytes) -> None:
        """Count a line."""
        self._seen.update(_WITH_NEIGHBOURS.findall(b"\n" + line + b"\n"))

    def code_page(self) -> str | None:
        """Return the code page, or None when it cannot be told."""
        scores = {page: self._score(page) for page in CODE_PAGES}
        best = max(CODE_PAGES, key=lambda page: scores[page])
        if scores[best] <= 0:
            return None
        for page in CODE_PAGES:
            unlike = sum(count for seen, count in self._seen.items() if _read(seen, page)[1] != _read(seen, best)[1])
            if unlike and scores[best] - scores[page] < _AHEAD * unlike:
                return None
        return best

    def _score(self, page: str) -> float:
        return sum(count * _worth(*_read(seen, page)) for seen, count in self._seen.items())


def _read(seen: bytes, page: str) -> tuple[str, str, str]:
    before, letter, after = (bytes((byte,)).decode(page, "replace") for byte in seen)
    return before, letter, after


def _worth(before: str, letter: str, after: str) -> float:
    """Judge a letter in its place: 1 as it should be, less than 0 where no name has it."""
    if letter in _SIGNS:
        return 0.2 if not (before.isalpha() and after.isalpha()) or letter in "’‘·" else -2
    if letter not in _FRENCH and letter not in _OTHERS:
        # No sign at all is worse than one that no name has.
        return -4 if letter.isprintable() and letter != "\ufffd" else -10
    worth = 1.0 if letter in _FRENCH else -0.5
    if letter.isupper() and before.islower():
        return -1
    if letter.islower() and before.isupper() and after.isupper():
        return -1
    return worth
