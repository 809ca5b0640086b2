"""Which identifiers a register has issued, and which NUMENs its voters have, in eight bytes for
each.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise


class IdentifierSet:
    """Identifiers by their keyed hashes. All are added, then it is closed, then it is asked.

    It keeps the first 48 bits of each and their count: of 1.2 million, a hash that was not added is
    taken for one of them in four cases of a thousand million.
    """

    def __init__(self) -> None:
        self._taken = array("Q")

    def add(self, identifier_hash: str) -> None:
        """Take one."""
        self._taken.append(_short(identifier_hash))

    def close(self) -> None:
        """End the adding."""
        self._taken = array("Q", sorted(self._taken))

    def __contains__(self, identifier_hash: str) -> bool:
        """Tell whether it was added."""
        short = _short(identifier_hash)
        place = bisect_left(self._taken, short)
        return place < len(self._taken) and self._taken[place] == short

    @property
    def repeated(self) -> IdentifierSet:
        """Return those that were added more than once."""
        found = IdentifierSet()
        found._taken = array("Q", dict.fromkeys(self._twice()))
        return found

    def without(self, hashes: Iterable[str]) -> IdentifierSet:
        """Return those that are none of these."""
        others = {_short(one) for one in hashes}
        found = IdentifierSet()
        found._taken = array("Q", (one for one in self._taken if one not in others))
        return found

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._taken)

    def _twice(self) -> Iterator[int]:
        return (one for one, other in pairwise(self._taken) if one == other)


def _short(identifier_hash: str) -> int:
    # Eight of its 43 characters of base64url.
    return int.from_bytes(identifier_hash.encode()[:8])
