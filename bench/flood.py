"""Does a flood of requests for codes delay anybody else? 40,000 requests in a minute from 8
networks, and 160,000 in four minutes from 32, on the real handlers in virtual time.

    make bench-flood
    make bench-flood FLAGS='--part 20'    a twentieth of the requests and of the rate of codes

The exit status is 1 when a voter of another network waits for more than a minute. The run writes
bench/flood.md.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from harness.elections import election_content, read_election
from harness.load.flood import PROMISED_SECONDS, Flood, Flooded, play
from harness.measuring.figures import machine, table

REPORT = Path(__file__).parent / "flood.md"
FLOODS = (Flood(40_000, 60, 8), Flood(160_000, 240, 32))


def report(played: dict[Flood, Flooded], rate: int, arguments: str, seconds: float) -> str:
    """Return bench/flood.md."""
    rows = [
        [
            f"{flood.requests:,}",
            f"{flood.seconds}",
            f"{flood.networks}",
            f"{found.refused:,}",
            f"{found.sent:,}",
            *(f"**{wait:.0f}**" if wait is not None else "**never**" for wait in found.waited.values()),
        ]
        for flood, found in played.items()
    ]
    return (
        "# What a flood of requests for codes costs others\n\n"
        f"All for listed addresses; {rate} codes a second leave. Four voters of other networks ask: early in the "
        f"flood, in its middle, when it ends, a minute later. Each must have a code within {PROMISED_SECONDS} s.\n\n"
        + table(
            ["requests", "in seconds", "networks", "refused", "codes sent", *["s until the voter's code"] * 4], rows
        )
        + f"\n{machine()} {seconds:.0f} s. `make bench-flood{arguments}`\n"
    )


def main(arguments: list[str]) -> int:
    """Play the floods, write the report, and return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.flood", description="Does a flood of requests delay anybody else?")
    parser.add_argument("--part", type=int, default=1, help="play this part of the requests, at that part of the rate")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    sending = election_content("dijon-2018")["sending"]
    rate = max(1, sending["codes_per_second"] // options.part)
    election = read_election("dijon-2018", sending={**sending, "codes_per_second": rate})
    parts = [Flood(flood.requests // options.part, flood.seconds, flood.networks) for flood in FLOODS]
    with ProcessPoolExecutor(len(parts)) as processes:
        played = dict(zip(parts, processes.map(partial(play, election=election), parts), strict=True))
    flags = f" FLAGS='{shlex.join(arguments)}'" if arguments else ""
    text = report(played, rate, flags, time.monotonic() - started)
    REPORT.write_text(text, "utf-8")
    print(text)
    return 0 if all(found.kept for found in played.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
