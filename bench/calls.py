"""What each step of a voter's journey asks of AWS: round trips, and request units by the size of
the items (P3).

    make bench-calls

The real functions against MiniStack's tables; `tests/component/test_route_calls.py` pins the exact
calls.
"""

from __future__ import annotations

import sys

from bench.journey_cost import JourneyStep, measure
from harness.measuring.figures import table
from harness.measuring.results import Figure, Section, finish

COMMAND = "make bench-calls"
_VOTERS = 20
# The steps whose round trips have a bar.
BARS = {"POST login": 2, "POST code": 2, "POST reissue": 2, "GET status": 1}


def round_trips(step: JourneyStep) -> float:
    """Return how often a step waits for DynamoDB."""
    return sum(count for call, count in step.per_voter(step.calls).items() if call.startswith("dynamodb."))


def section(steps: dict[str, JourneyStep]) -> Section:
    """Return the section of bench/results.md."""
    figures = [
        Figure("P3", f"round trips to DynamoDB of {name}", round_trips(steps[name]), bar, digits=0)
        for name, bar in BARS.items()
    ]
    reissue = steps["POST reissue"]
    units = {"write": sum(reissue.writes.values()), "read": sum(reissue.reads.values())}
    less = {"write": 8, "read": 1}
    figures += [
        Figure(
            "P3",
            f"{kind} units of POST reissue",
            total / reissue.times,
            note=f"{less[kind]} without exact limits of a phone, tables of their own and a stop: [ADR "
            "0006](../docs/adr/0006-phone-caps-inside-the-transaction.md), [performance.md](../docs/performance.md)",
            digits=1,
        )
        for kind, total in units.items()
    ]
    rows = [
        [
            name,
            step.function,
            f"{round_trips(step):g}",
            ", ".join(
                f"{count:g} × {call}"
                for call, count in step.per_voter(step.calls).items()
                if not call.startswith("dynamodb.")
            )
            or "–",
            f"{sum(step.writes.values()) / step.times:.1f}",
            f"{sum(step.reads.values()) / step.times:.1f}",
        ]
        for name, step in steps.items()
    ]
    names = ["step", "function", "round trips to DynamoDB", "other calls", "write units", "read units"]
    return Section("calls", "Calls and request units", COMMAND, tuple(figures), (table(names, rows).rstrip(),))


if __name__ == "__main__":
    sys.exit(finish(section(measure(_VOTERS))))
