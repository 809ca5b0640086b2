"""What importing a roll costs the operator's machine: processor time against boto3's batch writer,
memory, and a whole roll of 1.2 million.

    make bench-import
    make bench-import FLAGS='--voters 100000'

Both write the same items to an endpoint in another process that accepts everything
(harness/roll/accepting_aws.py), so the client is all that is measured. The batch writer gets items
that are finished, in four tables, unconditionally; the import makes its own (four keyed hashes and
a link of the register for each voter) and writes them in transactions on condition that nothing is
there. The run writes bench/roll_import.md; the exit status is 1 when a bar is missed or a row is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from pyrage import x25519

from harness.measuring.figures import machine, table
from harness.measuring.programs import Program, can_count_instructions, instructions
from harness.measuring.results import Figure, Section, keep
from harness.roll.accepting_aws import STACK, accepting_aws, client_environment, counted
from harness.roll.commands import BATCH, CPU_BAR, ITEMS_A_VOTER, MEMORY_BAR, CommandRun, Sides, reassort_roll
from harness.roll.generated import ELECTION_FILE, write_generated_roll

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


ROOT = Path(__file__).parent.parent
REPORT = ROOT / "bench" / "roll_import.md"
_SIDES = ("import", "batch writer")
_VOTERS_A_RUN = 1650
# Two lengths, whose difference leaves out what starting costs.
_COUNTED = (330, 990)
_SMALL = 10_000


def alternate(sides: Sides, runs: int) -> dict[str, list[float]]:
    """Return milliseconds of processor time for 25 items, both sides in turn."""
    for side in _SIDES:
        sides.run(side)
    found: dict[str, list[float]] = {side: [] for side in _SIDES}
    for _ in range(runs):
        for side in _SIDES:
            found[side].append(sides.milliseconds(side))
    return found


def instructions_of_batch(url: str, side: str) -> float:
    """Return the instructions for 25 items, in one thread, without the start.

    Raises:
        NoValgrindError: there is no valgrind.
    """
    path = (ROOT, *(Path(entry) for entry in sys.path if entry))
    few, many = (
        instructions(
            Program(
                f"from harness.roll.commands import Sides\nSides({url!r}, {voters}).run({side!r}, threads=1)",
                path,
                client_environment(url),
            )
        )
        for voters in _COUNTED
    )
    return (many - few) / ((_COUNTED[1] - _COUNTED[0]) * ITEMS_A_VOTER / BATCH)


def whole_rolls(url: str, folder: Path, voters: int, tell: Callable[[str], None]) -> dict[str, dict[int, CommandRun]]:
    """Check and import generated rolls, a short one and the whole one, through the command
    itself.
    """
    environment = client_environment(url)
    stack = ("--stack", STACK, "--elections", ELECTION_FILE.parent)
    key = str(x25519.Identity.generate().to_public())
    found: dict[str, dict[int, CommandRun]] = {}
    for length in (_SMALL, voters):
        utf_8 = write_generated_roll(folder / f"{length}.csv", length)
        windows = write_generated_roll(folder / f"{length}-windows.csv", length, "cp1252")
        bare = write_generated_roll(folder / f"{length}-bare.csv", length, identifiers=False)
        issue = ("--issue", folder / f"{length}.age", "--recipient", key)
        for name, arguments in {
            "check": ("check", utf_8, "--election", ELECTION_FILE),
            "check, Windows-1252": ("check", windows, "--election", ELECTION_FILE),
            "import": ("import", utf_8, *stack),
            "import, identifiers issued": ("import", bare, *stack, *issue),
        }.items():
            before = counted(url)["puts"]
            done = reassort_roll(environment, *arguments)
            imported = done.printed.get("imported", 0)
            taken = counted(url)["puts"] - before
            if done.printed["read"] != length or taken != ITEMS_A_VOTER * imported:
                raise RuntimeError(f"{name}: {length} rows, {done.printed}, {taken} items written")
            found.setdefault(name, {})[length] = done
            tell(f"{name}, {length} rows: {done.seconds:.0f} s, {done.memory:.1f} MiB")
        for file in (utf_8, windows, bare):
            file.unlink()
    return found


def main() -> None:
    """Measure and write bench/roll_import.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voters", type=int, default=1_200_000, help="rows of the whole roll")
    parser.add_argument("--runs", type=int, default=15, help="runs of each side")
    options = parser.parse_args()

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    started = time.monotonic()
    with accepting_aws() as url, tempfile.TemporaryDirectory() as folder:
        times = alternate(Sides(url, _VOTERS_A_RUN), options.runs)
        tell(f"processor time ÷ batch writer: {_ratio(times):.3f}")
        counts = {side: instructions_of_batch(url, side) for side in _SIDES} if can_count_instructions() else {}
        tell(f"instructions: {counts}")
        commands = whole_rolls(url, Path(folder), options.voters, tell)
    met = _write_report(times, counts, commands, options, time.monotonic() - started)
    sys.exit(0 if met else 1)


def _ratio(times: Mapping[str, Sequence[float]]) -> float:
    return median(times["import"]) / median(times["batch writer"])


def _write_report(
    times: Mapping[str, Sequence[float]],
    counts: Mapping[str, float],
    commands: Mapping[str, Mapping[int, CommandRun]],
    options: argparse.Namespace,
    seconds: float,
) -> bool:
    gate = counts["import"] / counts["batch writer"] if counts else _ratio(times)
    growth = {name: runs[options.voters].memory / runs[_SMALL].memory for name, runs in commands.items()}
    rows = []
    for side in _SIDES:
        low, _, high = quantiles(times[side], n=4)
        million = f"{counts[side] / 1e6:.2f}" if counts else "no valgrind"
        rows.append([side, f"{median(times[side]):.2f} ({low:.2f}–{high:.2f})", million])
    rows.append(["ratio", f"**{_ratio(times):.2f}**", f"**{gate:.2f}**" if counts else ""])
    whole = [
        [
            name,
            f"{(big := runs[options.voters]).seconds:,.0f}".replace(",", " "),
            f"{big.processor:,.0f}".replace(",", " "),
            f"{big.rows_a_second:,.0f}".replace(",", " "),
            f"{runs[_SMALL].memory:.1f}",
            f"{big.memory:.1f}",
            f"**{growth[name]:.3f}**",
        ]
        for name, runs in commands.items()
    ]
    flags = (
        ""
        if options.voters == 1_200_000 and options.runs == 15
        else f" FLAGS='--voters {options.voters} --runs {options.runs}'"
    )
    sizes = (f"MiB at {_SMALL:,}", f"MiB at {options.voters:,}")
    columns = ["", "seconds", "of processor", "rows a second", *sizes, "ratio"]
    REPORT.write_text(
        f"""# Importing a roll

Written by `make bench-import{flags}`, which took {seconds / 60:.0f} minutes: {machine()}

Both sides write to an endpoint in another process that accepts everything. What a real table takes beside that is in
[ADR 0023](../docs/adr/0023-the-roll-is-imported-by-transactions.md).

## Against boto3's batch writer

The client's processor time and instructions for 25 items. The batch writer of the resource API is
handed finished items and writes them unconditionally; the import makes them from rows of the roll
(keyed hashes, register entry) and writes them in transactions, each on condition that nothing is
there. Medians and quartiles of {options.runs} runs of {_VOTERS_A_RUN} voters in turn; the
instructions are those of one thread, without the start. Bar: {CPU_BAR}.

{table(["", "ms of processor", "million instructions"], rows)}
## A whole roll

`reassort roll check` and `roll import --threads 16`, from start to end: {options.voters:,} voters,
UTF-8 with BOM or Windows-1252, `;`, CRLF (harness/roll/generated.py). Peak memory is the process's
resident set; its bar is {MEMORY_BAR} times that of {_SMALL:,} voters. « Identifiers issued » draws
them, and writes the mailing file encrypted with age.

{table(columns, whole)}
The command reads the file three times: to find out its encoding, to check it, to import it; once
more to write the mailing file. The endpoint shares the processors with it.
""",
        encoding="utf-8",
    )
    print(REPORT.read_text(encoding="utf-8"))
    spread = [f"{median(times[side]):.2f}" for side in _SIDES]
    big, small = commands["import"][options.voters], commands["import"][_SMALL]
    figures = [
        Figure("P4", "import ÷ batch writer, ms of processor for 25 items", _ratio(times), CPU_BAR, " ÷ ".join(spread)),
        *([Figure("P4", "the same, instructions", gate, CPU_BAR)] if counts else []),
        Figure(
            "P4",
            f"peak memory of an import of {options.voters:,} ÷ {_SMALL:,}",
            big.memory / small.memory,
            MEMORY_BAR,
            f"{big.memory:.1f} ÷ {small.memory:.1f} MiB",
            digits=3,
        ),
    ]
    more = (
        f"{options.voters:,} rows in {big.seconds:,.0f} s, {big.rows_a_second:,.0f} a second; every command, and "
        "both encodings: [roll_import.md](roll_import.md)."
    )
    keep(Section("import", "Import of the roll", f"make bench-import{flags}", tuple(figures), (more,)))
    return gate <= CPU_BAR and _ratio(times) <= CPU_BAR and max(growth.values()) <= MEMORY_BAR


if __name__ == "__main__":
    main()
