"""An independent reading of the register: the documented format, recomputed with nothing of the
service's code.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def broken_links(entries: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the places (from 1) in one voter's entries, in order, at which the chain does not
    hold.

    An entry holds when its `sequence` is its place, its `previous` is the hash of the entry before
    (64 zeros for the first), and its `hash` is the SHA-256 of its other members as JSON: keys
    sorted, no blanks, UTF-8.
    """
    broken = []
    previous = "0" * 64
    for place, entry in enumerate(entries, start=1):
        content = {name: value for name, value in entry.items() if name != "hash"}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        right = hashlib.sha256(canonical).hexdigest()
        if (entry["sequence"], entry["previous"], entry["hash"]) != (place, previous, right):
            broken.append(place)
        previous = entry["hash"]
    return broken
