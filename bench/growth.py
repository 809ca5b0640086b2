"""Does anything grow with the roll? Sign-in and reissue with rolls of 1 k, 30 k and 1 M voters,
alternately, and how keys spread.

    make bench-growth
    make bench-growth FLAGS='--sizes 1000 100000 --runs 15'

The real functions run in this process against MiniStack's tables in memory, which hold every voter,
identifier and register entry of the roll. It shows what the functions do: which calls, how many
bytes, how much processor time, with nothing that looks at more than a voter's own items. What it
cannot show is DynamoDB's own time, which AWS says does not depend on a table's size for reads and
writes by key. A million voters take some 4 GB of memory. Writes bench/growth.md; the exit status is
1 when the bar of P5 is missed.
"""

from __future__ import annotations

import argparse
import gc
import resource
import shlex
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from reassort.tables import to_wire

from harness.engines.ministack import MINISTACK, NO_SORT_KEY
from harness.engines.quick import Aside, quick_engine
from harness.measuring.figures import machine, table
from harness.measuring.results import Figure, Section, keep
from harness.measuring.spread import URLSAFE, KeySpread, spreads
from harness.service.world import World

if TYPE_CHECKING:
    from harness.service.wire import Call
    from harness.service.world import Enrolled

REPORT = Path(__file__).with_suffix(".md")
BAR = 1.1
_ROLL_TABLES = ("VotersTable", "IdentifiersTable", "RegisterTable")
_A_RUN = 10


@dataclass
class Roll:
    """A roll of so many voters: the tables that hold them, and those of them who will come."""

    size: int
    tables: dict[str, Any]
    coming: list[Enrolled]
    figures: dict[str, StepFigures] = field(default_factory=dict)


@dataclass
class StepFigures:
    """What one step took: a figure for each run. Times are milliseconds of processor for each
    voter; `alone` leaves the tables' own out.
    """

    alone: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    steps: int = 0
    python_calls: int = 0


def make_roll(world: World, size: int, coming: int, draw: Random) -> Roll:
    """Fill the tables of a roll with voters like those that an import makes; `coming` of them by
    their real keys.
    """
    tables: dict[str, Any] = {name: defaultdict(dict) for name in _ROLL_TABLES}
    _use(tables)
    voters = [world.enrol(f"voter{number}.of{size}@ac-dijon.fr", f"09E{number:07d}ABC") for number in range(coming)]
    some = voters[0]
    templates = {
        name: to_wire(next(item for item in MINISTACK.items(name) if item["voter_id"] == some.voter_id))
        for name in _ROLL_TABLES
    }

    def key(length: int) -> str:
        return "".join(draw.choices(URLSAFE, k=length))

    for _ in range(size - coming):
        voter_id = {"S": key(22)}
        head = {"S": key(43)}
        voter = {**templates["VotersTable"], "voter_id": voter_id, "numen_hash": {"S": key(43)}, "chain_head": head}
        tables["VotersTable"][voter_id["S"]] = {NO_SORT_KEY: voter}
        identifier_hash = {"S": key(43)}
        tables["IdentifiersTable"][identifier_hash["S"]] = {
            NO_SORT_KEY: {
                **templates["IdentifiersTable"],
                "identifier_hash": identifier_hash,
                "voter_id": voter_id,
            }
        }
        tables["RegisterTable"][voter_id["S"]] = {
            "1": {**templates["RegisterTable"], "voter_id": voter_id, "hash": head}
        }
    return Roll(size, tables, voters)


def _use(tables: dict[str, Any]) -> None:
    """Put a roll's tables instead of those that MiniStack has."""
    for name, items in tables.items():
        MINISTACK._table(name)["items"] = items


def one_run(world: World, roll: Roll, aside: Aside) -> None:
    """Let the next voters of a roll sign in and ask for an identifier, and note what that took."""
    _use(roll.tables)
    for _ in range(_A_RUN):
        voter = roll.coming.pop()
        browser = world.browser()
        _measured(world, roll, "code asked for", aside, partial(browser.ask_code, voter.email))
        world.run_outbox()
        _measured(world, roll, "signed in", aside, partial(browser.redeem, world.code_for(voter.email)))
        phone = f"06{len(world.responses):08d}"
        _measured(world, roll, "reissued", aside, partial(browser.reissue, voter.numen, phone=phone, channel="email"))
        if world.responses[-1].status != 202:
            raise ValueError("a reissue was refused")
        world.run_outbox()
        world.clock.set(world.clock() + timedelta(seconds=1))
    world.wire.reset()


def _measured(world: World, roll: Roll, name: str, aside: Aside, step: Callable[[], object]) -> None:
    figures = roll.figures.setdefault(name, StepFigures())
    before = aside.seconds
    with world.recorded() as calls:
        started = time.thread_time()
        step()
        whole = time.thread_time() - started
    figures.whole.append(whole * 1000)
    figures.alone.append((whole - (aside.seconds - before)) * 1000)
    figures.steps += 1
    for call in calls:
        figures.calls[str(call)] += 1
        figures.sent += _size(call)


def _size(call: Call) -> int:
    return len(repr(call.parameters))


def count_python_calls(world: World, roll: Roll) -> dict[str, int]:
    """Count the functions that are entered, Python's and C's, in each step of one voter: nothing
    else on the machine changes that.
    """
    _use(roll.tables)
    voter = roll.coming.pop()
    browser = world.browser()
    counts: dict[str, int] = {}

    def counted(name: str, step: Callable[[], Any]) -> None:
        number = 0

        def note(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal number
            number += event in {"call", "c_call"}

        sys.setprofile(note)
        try:
            step()
        finally:
            sys.setprofile(None)
        counts[name] = number

    counted("code asked for", lambda: browser.ask_code(voter.email))
    world.run_outbox()
    code = world.code_for(voter.email)
    counted("signed in", lambda: browser.redeem(code))
    counted("reissued", lambda: browser.reissue(voter.numen, phone="06 98 76 54 32", channel="email"))
    return counts


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="bench.growth", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 30_000, 1_000_000], help="voters of each roll")
    parser.add_argument("--runs", type=int, default=15, help="of each roll, alternately (default: %(default)s)")
    arguments = parser.parse_args()
    draw = Random(2026)  # noqa: S311 - keys of a bench
    started = time.process_time()
    with World(seed=2026) as world, quick_engine() as aside:
        coming = _A_RUN * (arguments.runs + 1) + 1
        rolls = [make_roll(world, size, min(coming, size), draw) for size in arguments.sizes]
        # What the rolls hold is no garbage; looking through millions of items would be the
        # collector's time, not the functions'.
        gc.collect()
        gc.freeze()
        for roll in rolls:
            one_run(world, roll, aside)
            roll.figures.clear()
        for run in range(arguments.runs):
            for roll in rolls if run % 2 else reversed(rolls):
                one_run(world, roll, aside)
        python_calls = [count_python_calls(world, roll) for roll in rolls]
        scans = [
            str(call)
            for roll in rolls
            for figures in roll.figures.values()
            for call in figures.calls
            if "Scan" in call or "Query" in call
        ]
    spread_keys = spreads(max(arguments.sizes), draw)
    text, missed = _report(rolls, python_calls, spread_keys, scans)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    flags = shlex.join(sys.argv[1:])
    command = f"make bench-growth FLAGS={shlex.quote(flags)}" if flags else "make bench-growth"
    REPORT.write_text(
        f"{text}\nThe run took {time.process_time() - started:.0f} s of processor time and {memory:.1f} GiB. "
        f"{machine()} `{command}`\n",
        encoding="utf-8",
    )
    print(REPORT.read_text(encoding="utf-8"))
    keep(_section(rolls, spread_keys, command))
    for promise in missed:
        print(f"missed: {promise}", file=sys.stderr)
    return 1 if missed else 0


def _section(rolls: Sequence[Roll], keys: Sequence[KeySpread], command: str) -> Section:
    smallest, largest = rolls[0], rolls[-1]
    figures = []
    for name in smallest.figures:
        sides = [_median(roll.figures[name].alone) for roll in (largest, smallest)]
        note = " ÷ ".join(f"{middle:.2f} ({low:.2f}–{high:.2f})" for middle, low, high in sides)
        figures.append(
            Figure(
                "P5",
                f"{name}: a roll of {largest.size:,} ÷ one of {smallest.size:,}, ms of processor",
                sides[0][0] / sides[1][0],
                BAR,
                f"{note}, quartiles in brackets",
                digits=3,
            )
        )
    fullest = max(keys, key=lambda one: one.fullest)
    more = (
        f"No scan and no query. How {len(keys)} kinds of keys spread, the fullest of their buckets "
        f"({fullest.fullest:.3f} × the mean), and all sizes: [growth.md](growth.md)."
    )
    return Section("growth", "Growth with the roll", command, tuple(figures), (more,))


def _report(
    rolls: Sequence[Roll], python_calls: Sequence[dict[str, int]], keys: Sequence[KeySpread], scans: Sequence[str]
) -> tuple[str, list[str]]:
    smallest, largest = rolls[0], rolls[-1]
    missed: list[str] = []
    rows: list[list[str]] = []
    for name in smallest.figures:
        for position, roll in enumerate(rolls):
            figures = roll.figures[name]
            alone, low, high = _median(figures.alone)
            rows.append(
                [
                    name,
                    f"{roll.size:,}",
                    f"{alone:.2f} ({low:.2f}–{high:.2f})",
                    f"{_median(figures.whole)[0]:.2f}",
                    f"{alone / _median(smallest.figures[name].alone)[0]:.3f}",
                    f"{python_calls[position][name]:,}",
                    f"{sum(figures.calls.values()) / figures.steps:g}",
                    f"{figures.sent / figures.steps:,.0f}",
                ]
            )
        ratio = _median(largest.figures[name].alone)[0] / _median(smallest.figures[name].alone)[0]
        if ratio > BAR:
            missed.append(f"{name}: {ratio:.3f} with {largest.size:,} voters")
        if set(largest.figures[name].calls) != set(smallest.figures[name].calls):
            missed.append(f"{name}: other calls with {largest.size:,} voters")
    if scans:
        missed.append(f"not by key: {', '.join(sorted(set(scans)))}")
    missed += [f"{one.name}: uneven" for one in keys if not one.is_even]
    verdict = "the bar is kept" if not missed else f"missed: {'; '.join(missed)}"
    calls = [f"- {name}: {', '.join(f'`{call}`' for call in largest.figures[name].calls)}" for name in largest.figures]
    text = "\n".join(
        [
            "# Growth with the roll\n",
            "Written by `make bench-growth`.\n",
            f"Bar (P5): a roll of {largest.size:,} against one of {smallest.size:,}, time of each step at most "
            f"{BAR:g}. **{verdict[0].upper()}{verdict[1:]}.**\n",
            table(
                [
                    "step",
                    "voters",
                    "ms of processor, median (quartiles)",
                    "with the tables'",
                    "ratio",
                    "functions entered",
                    "AWS calls",
                    "size of what is sent, characters",
                ],
                rows,
            ),
            f"Medians of {len(smallest.figures['reissued'].alone)} voters of each roll, {_A_RUN} of one and then "
            f"{_A_RUN} of the next, in alternating order. Processor time of the real function and its SDK; beside it, "
            "with that of MiniStack's tables in memory. Functions entered, Python's and C's, are counted once, and no "
            "other program changes them; random "
            "values do by a few. The same calls at every size:\n",
            *calls,
            "\nNo call is a query or a scan; every key is whole. What this cannot show is DynamoDB's own time.\n",
            "## How keys spread\n",
            f"{keys[0].keys:,} keys as the functions make them, by their first bits; the fullest bucket against the "
            "mean, and how often chance alone would give "
            "so uneven a spread:\n",
            table(
                ["key", "keys", "buckets", "fullest ÷ mean", "chance"],
                [
                    [one.name, f"{one.keys:,}", str(one.buckets), f"{one.fullest:.3f}", f"{one.probability:.2f}"]
                    for one in keys
                ],
            ),
            "DynamoDB hashes each key once more to find its partition, so even keys that looked alike would spread; "
            "what it cannot divide is one key. The keys that voters share, and how near they come to what a partition "
            "takes, are in [first_morning.md](first_morning.md#tables): the pace of each lane, the record "
            "that stops reissues, which lies on 48 items alike, and the counter of a source, on 8.\n",
        ]
    )
    return text, missed


def _median(values: Sequence[float]) -> tuple[float, float, float]:
    low, _, high = quantiles(values, n=4)
    return median(values), low, high


if __name__ == "__main__":
    sys.exit(main())
