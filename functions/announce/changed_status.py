"""Finds the identifier whose status an entry of the register changes, and what to tell the voting
platform.
"""

import json
from dataclasses import asdict, dataclass

from reassort.clock import from_milliseconds, iso
from reassort.keyed_hash import KeyedHash
from reassort.register import Change, Entry
from reassort.voters import IdentifierStatus

VERSION = 1
# The entry alone tells the status, whatever the voter's item says by now: a vote and a freeze are
# refused unless the identifier is the current one, unused and not frozen, and nothing but an
# unfreeze follows a freeze. Of whom is put back on the roll the first word tells it. The other
# changes leave every status as it was.
_STATUSES = {
    Change.REISSUED: IdentifierStatus.REVOKED,
    Change.VOTED: IdentifierStatus.USED,
    Change.FROZEN: IdentifierStatus.FROZEN,
    Change.UNFROZEN: IdentifierStatus.ACTIVE,
    Change.DEPARTED: IdentifierStatus.REVOKED,
    Change.REMOVED: IdentifierStatus.FROZEN,
}
# Anyone who was frozen when they were removed is frozen when they come back.
_RESTORED = {status.value: status for status in (IdentifierStatus.ACTIVE, IdentifierStatus.FROZEN)}
ANNOUNCED = frozenset({*_STATUSES, Change.RESTORED})


@dataclass(frozen=True)
class ChangedStatus:
    """An event for the voting platform, as `openapi.yaml` describes it (`ChangedStatus`)."""

    version: int
    event_id: str
    election: str
    handle: str
    generation: int
    status: IdentifierStatus
    sequence: int
    at: str

    def to_json(self) -> str:
        """Return the message: one JSON object."""
        return json.dumps(asdict(self), separators=(",", ":"))


def changed_status(entry: Entry, keyed_hash: KeyedHash, election_id: str) -> ChangedStatus | None:
    """Return the event of a change, the same each time; None for a change that gives no identifier
    another status.

    A reissue is announced of the identifier that it revokes. The next one is announced to nobody:
    the platform hears of it from its voter, so the event ties no two identifiers.
    """
    status = _STATUSES.get(entry.change)
    if entry.change is Change.RESTORED:
        status = _RESTORED.get(entry.first_word)
    if status is None:
        return None
    generation = entry.generation - 1 if entry.change is Change.REISSUED else entry.generation
    handle = keyed_hash.handle(entry.voter_id, generation)
    return ChangedStatus(
        version=VERSION,
        event_id=f"{handle}.{entry.sequence}",
        election=election_id,
        handle=handle,
        generation=generation,
        status=status,
        sequence=entry.sequence,
        at=iso(from_milliseconds(entry.at)),
    )
