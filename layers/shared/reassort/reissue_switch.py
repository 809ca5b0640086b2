"""Whether reissues may commit: a record that the operators write, and that every reissue is
conditioned on.

The election file says when reissues are open. The record can only narrow that: it stops reissues at
once, or from an earlier instant on. It lies on many items alike, because a condition on one item
would make all reissues of a morning conflict with each other. The items are written together, so a
stop holds for all voters from one instant on; a reissue that has not committed by then is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.table_keys import control_shard_key
from reassort.tables import Action, Item, require

if TYPE_CHECKING:
    from datetime import datetime

# The action that is refused when the record does not let a reissue commit.
SWITCH = "switch"
# Before any instant: closed now and until it is opened again.
_AT_ONCE = 0
_LETS = "attribute_not_exists(closes_at) OR (opens_at <= :now AND closes_at > :now)"


@dataclass(frozen=True)
class ReissueSwitch:
    """From when until when reissues may commit: milliseconds since 1970, `closes_at` excluded.
    None: whenever the election file says.
    """

    opens_at: int | None = None
    closes_at: int | None = None

    @property
    def stopped(self) -> bool:
        """Tell whether reissues are stopped until an operator opens them again."""
        return self.closes_at == _AT_ONCE

    def lets(self, now: datetime) -> bool:
        """Tell whether a reissue may commit."""
        if self.opens_at is None or self.closes_at is None:
            return True
        return self.opens_at <= epoch_milliseconds(now) < self.closes_at


STOPPED = ReissueSwitch(_AT_ONCE, _AT_ONCE)
# From before any election to the year 9999: the election file alone says when, also once a deploy
# has prolonged it.
AS_THE_FILE_SAYS = ReissueSwitch(1, 253_402_300_799_000)


def switch_from_item(item: Item | None) -> ReissueSwitch:
    """Read the record; without an item nothing is narrowed."""
    return ReissueSwitch() if item is None else ReissueSwitch(item["opens_at"], item["closes_at"])


def switch_item_key(voter_id: str) -> Item:
    """Return the key of the item that a voter's reissues are conditioned on, in the control
    table.
    """
    return {"key": control_shard_key(voter_id)}


def require_open(table: str, voter_id: str, now: datetime) -> Action:
    """Return the condition under which a voter's reissue commits; it is refused as `SWITCH`."""
    return require(SWITCH, table, switch_item_key(voter_id), _LETS, {":now": epoch_milliseconds(now)})
