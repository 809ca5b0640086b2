"""What importing a roll costs the operator's machine: processor time against boto3's batch writer, memory, and a whole roll of 1.2 million.

    make bench-import
    make bench-import FLAGS='--voters 100000'

Both write the same items to an endpoint in another process that accepts everything (bench/accepting_aws.py), so the client is all that is
measured. The batch writer gets items that are finished, in three tables, unconditionally; the import makes its own (four keyed hashes and a
link of the register for each voter) and writes them in transactions on condition that nothing is there. The run writes bench/roll_import.md; the
exit status is 1 when a bar is missed or a row is.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from pyrage import x25519
from reassort.election_file import read_election_file
from reassort.keyed_hash import KeyedHash
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.roll.check import check_roll, valid_rows
from reassort_ops.roll.enrolment import Enroller, Enrolment
from reassort_ops.roll.file import open_roll
from reassort_ops.roll.importing import RollImport
from reassort_ops.roll.writes import TransactionWriter

from bench.accepting_aws import REGION, STACK, accepting_aws, client_environment, counted
from bench.figures import machine, table
from bench.generated_roll import ELECTION_FILE, write_generated_roll
from bench.measuring import Program, can_count_instructions, instructions
from bench.results import Figure, Section, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reassort_ops.roll.rows import RollRow

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "bench" / "roll_import.md"
CPU_BAR, MEMORY_BAR = 0.5, 1.1
_SIDES = ("import", "batch writer")
_ITEMS_A_VOTER = 3
_BATCH = 25
_VOTERS_A_RUN = 1650
# Two lengths, whose difference leaves out what starting costs.
_COUNTED = (330, 990)
_SMALL = 10_000


class Sides:
    """The two that are compared, on the same voters. `url` is where they write to."""

    def __init__(self, url: str, voters: int) -> None:
        os.environ.update(client_environment(url))
        self.stack: Stack = Aws(region=REGION).find_stack(STACK)
        self._rows: list[RollRow] = _rows(voters)
        self._enroller = Enroller(KeyedHash(bytes(32)), "import:bench", 1_543_480_000_000)
        self._finished: list[Enrolment] = [self._enroller.enrol(row) for row in self._rows]
        session = Session(region_name=REGION)
        resource: Any = session.resource("dynamodb")
        names = (self.stack.voters_table, self.stack.identifiers_table, self.stack.register_table)
        self._tables = [resource.Table(name) for name in names]
        aws = Aws(region=REGION)
        self._imports = {threads: self._make_import(aws, threads) for threads in (1, 16)}

    def run(self, side: str, threads: int = 16) -> None:
        """Write all voters once."""
        if side == "import":
            self._imports[threads].run(self._rows, lambda _: None, threads)
        else:
            voters, identifiers, register = self._tables
            with voters.batch_writer() as one, identifiers.batch_writer() as two, register.batch_writer() as three:
                for enrolment in self._finished:
                    one.put_item(Item=enrolment.voter)
                    two.put_item(Item=enrolment.identifier)
                    three.put_item(Item=enrolment.entry.to_item())

    def milliseconds(self, side: str) -> float:
        """Return the processor time of this process for 25 items, system calls included."""
        start = time.process_time()
        self.run(side)
        return (time.process_time() - start) * 1000 / (len(self._rows) * _ITEMS_A_VOTER / _BATCH)

    def _make_import(self, aws: Aws, threads: int) -> RollImport:
        writer = TransactionWriter(aws.session, threads)
        return RollImport(reader=aws.dynamodb(threads), writer=writer, stack=self.stack, enroller=self._enroller)


@dataclass(frozen=True)
class CommandRun:
    """One run of `reassort`: seconds by the clock and of the processor, peak memory in MiB, what it printed."""

    seconds: float
    processor: float
    memory: float
    printed: dict[str, Any]

    @property
    def rows_a_second(self) -> float:
        """Return the rate over the whole run, its start included."""
        return float(self.printed["read"] / self.seconds)


def reassort_roll(environment: Mapping[str, str], *arguments: object) -> CommandRun:
    """Run `reassort roll` in a process of its own.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "output").open("w+b") as output:
        memory = Path(folder) / "memory"
        command = [sys.executable, "-m", "bench.peak_memory", *map(str, (memory, "roll", *arguments)), "--json"]
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        output.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}: {output.read().decode()[-2000:]}")
        peak = int(memory.read_text(encoding="ascii")) / 1024
        return CommandRun(seconds, usage.ru_utime + usage.ru_stime, peak, json.load(output))


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
                f"from bench.roll_import import Sides\nSides({url!r}, {voters}).run({side!r}, threads=1)",
                path,
                client_environment(url),
            )
        )
        for voters in _COUNTED
    )
    return (many - few) / ((_COUNTED[1] - _COUNTED[0]) * _ITEMS_A_VOTER / _BATCH)


def whole_rolls(url: str, folder: Path, voters: int, tell: Callable[[str], None]) -> dict[str, dict[int, CommandRun]]:
    """Check and import generated rolls, a short one and the whole one, through the command itself."""
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
            if done.printed["read"] != length or taken != _ITEMS_A_VOTER * imported:
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


def _rows(voters: int) -> list[RollRow]:
    election = read_election_file(ELECTION_FILE)
    with tempfile.TemporaryDirectory() as folder:
        roll = open_roll(write_generated_roll(Path(folder) / "roll.csv", voters))
        return list(valid_rows(roll, election, check_roll(roll, election, print)))


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
    REPORT.write_text(
        f"""# Importing a roll

Written by `make bench-import{flags}`, which took {seconds / 60:.0f} minutes: {machine()}

Both sides write to an endpoint in another process that accepts everything. What a real table takes beside that is in
[ADR 0023](../docs/adr/0023-the-roll-is-imported-by-transactions.md).

## Against boto3's batch writer

The client's processor time and instructions for 25 items. The batch writer of the resource API is handed finished items and writes them unconditionally; the import makes them
from rows of the roll (keyed hashes, register entry) and writes them in transactions, each on condition that nothing is there. Medians and quartiles of {options.runs} runs of
{_VOTERS_A_RUN} voters in turn; the instructions are those of one thread, without the start. Bar: {CPU_BAR}.

{table(["", "ms of processor", "million instructions"], rows)}
## A whole roll

`reassort roll check` and `roll import --threads 16`, from start to end: {options.voters:,} voters, UTF-8 with BOM or Windows-1252, `;`, CRLF (bench/generated_roll.py). Peak memory
is the process's resident set; its bar is {MEMORY_BAR} times that of {_SMALL:,} voters. « Identifiers issued » draws them, and writes the mailing file encrypted with age.

{table(["", "seconds", "of processor", "rows a second", f"MiB at {_SMALL:,}", f"MiB at {options.voters:,}", "ratio"], whole)}
The command reads the file three times: to find out its encoding, to check it, to import it; once more to write the mailing file. The endpoint shares the processors with it.
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
    more = f"{options.voters:,} rows in {big.seconds:,.0f} s, {big.rows_a_second:,.0f} a second; every command, and both encodings: [roll_import.md](roll_import.md)."
    keep(Section("import", "Import of the roll", f"make bench-import{flags}", tuple(figures), (more,)))
    return gate <= CPU_BAR and _ratio(times) <= CPU_BAR and max(growth.values()) <= MEMORY_BAR


if __name__ == "__main__":
    main()
