"""Percentiles of any number of durations in little memory."""

from __future__ import annotations

from collections import Counter

# Durations are counted by their first so many digits: at most 900 counters for each power of ten,
# and an error under 0.5 %.
_DIGITS = 3


class Durations:
    """Counts durations in milliseconds, rounded to three significant digits."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.longest: int | None = None

    def add(self, milliseconds: int) -> None:
        """Count a duration; one that a provider's clock makes negative counts as zero."""
        duration = max(0, milliseconds)
        self._counts[_rounded(duration)] += 1
        self.longest = duration if self.longest is None else max(self.longest, duration)

    def __len__(self) -> int:
        """Return how many were counted."""
        return self._counts.total()

    def percentile(self, percent: int) -> int | None:
        """Return the least duration that so many per cent do not exceed (nearest rank), None when
        there is none.
        """
        rank = -(-len(self) * percent // 100)
        for duration in sorted(self._counts):
            rank -= self._counts[duration]
            if rank <= 0:
                return min(duration, self.longest or duration)
        return None


def _rounded(duration: int) -> int:
    unit: int = 10 ** max(0, len(str(duration)) - _DIGITS)
    return (duration + unit // 2) // unit * unit
