"""The table of the crash matrix, printed after all tests, whichever workers ran them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

PROPERTY = "crash matrix"


def lines(reports: Iterable[Any]) -> list[str]:
    """Return a line for each scenario that was tried, and their sums; nothing when none was."""
    rows = [value for report in reports for name, value in getattr(report, "user_properties", ()) if name == PROPERTY]
    if not rows:
        return []
    rows.sort(key=lambda row: str(row["name"]))
    counts = [
        (row["name"], row["calls"], row["cases"], row["cases"] - len(row["broken"]), row["repeated"]) for row in rows
    ]
    sums = [sum(column) for column in list(zip(*counts, strict=True))[1:]]
    heading = ("scenario", "calls", "cases", "survivors", "sent twice")
    table = [heading, *counts, (f"{len(counts)} scenarios", *sums)]
    return ["{:<50}{:>8}{:>8}{:>11}{:>12}".format(*row) for row in table]
