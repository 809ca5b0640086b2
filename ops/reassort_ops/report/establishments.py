"""Reissues by establishment, so that nobody can be recognised.

An establishment is named where at least `FLOOR` of its voters were given an identifier again in the
period. The others are one line together. Anyone who takes the named from the total of the report
knows that line as well, so it has as many voters at least: the smallest of the named go into it.
Where there are too few in all, even their number is not told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reassort_ops.report.figures import Establishments, ReissuesOfEstablishment

if TYPE_CHECKING:
    from reassort.tables import Item

    from reassort_ops.report.period import Period

# Voters: of fewer, a colleague might tell who it was.
FLOOR = 10


@dataclass
class EstablishmentsTally:
    """Voters who were given an identifier again in the period, by establishment."""

    period: Period
    voters: Counter[str] = field(default_factory=Counter)
    reissues: Counter[str] = field(default_factory=Counter)

    def take(self, item: Item) -> None:
        """Count a voter. The first identifier is that of the first mailing, or of a new address."""
        first, last = self.period.bounds
        count = sum(first <= at <= last for at in item["issued_at"][1:])
        if count:
            self.voters[item["establishment"]] += 1
            self.reissues[item["establishment"]] += count

    def figures(self) -> Establishments:
        """Return what may be told."""
        named = sorted(self.voters, key=lambda one: (-self.voters[one], one))
        others: list[str] = []
        voters = 0
        while named and (self.voters[named[-1]] < FLOOR or 0 < voters < FLOOR):
            others.append(named.pop())
            voters += self.voters[others[-1]]
        told = voters >= FLOOR or not others
        return Establishments(
            floor=FLOOR,
            named=tuple(ReissuesOfEstablishment(name, self.voters[name], self.reissues[name]) for name in named),
            others=len(others),
            others_voters=voters if told else None,
            others_reissues=sum(self.reissues[name] for name in others) if told else None,
        )
