"""Holding both sides of each change of address together: where one chain ends, another begins."""

from __future__ import annotations

from dataclasses import dataclass, field

from reassort.register import Change, Entry

from reassort_ops.language import tr


@dataclass(frozen=True, slots=True)
class Move:
    """A change of address as either side tells it: both pseudonyms, the NUMEN and the time."""

    former: str
    present: str
    numen_hash: str
    at: int


def move_of(entry: Entry) -> Move | None:
    """Return the change of address that an entry is a side of, or None."""
    match entry.change:
        case Change.DEPARTED:
            return Move(entry.voter_id, entry.first_word, entry.numen_hash, entry.at)
        case Change.ARRIVED:
            return Move(entry.first_word, entry.voter_id, entry.numen_hash, entry.at)
    return None


@dataclass
class MoveLedger:
    """Takes entries in any order; what is left in the end has one side alone."""

    _open: dict[Move, int] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Take an entry."""
        move = move_of(entry)
        if move is None:
            return
        balance = self._open.get(move, 0) + (1 if entry.change is Change.DEPARTED else -1)
        if balance:
            self._open[move] = balance
        else:
            del self._open[move]

    @property
    def unmatched(self) -> tuple[Move, ...]:
        """Return the moves of which one side is missing."""
        return tuple(self._open)

    def fault(self, move: Move) -> str:
        """Say of a move which side is missing."""
        if self._open[move] > 0:
            return tr(
                "voter {former}: departed to voter {present}, who has no such arrival",
                former=move.former,
                present=move.present,
            )
        return tr(
            "voter {present}: arrived from voter {former}, who has no such departure",
            present=move.present,
            former=move.former,
        )
