"""Counting instructions and taking times of processes; both sides of a ratio by turns, so that the
machine's mood strikes both.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from reassort_ops.rehearsal.outcome import percentile

RUNS = 15
NO_VALGRIND = "valgrind is missing: `apt-get install valgrind` (Debian, Ubuntu), `dnf install valgrind` (Fedora)"


class NoValgrindError(RuntimeError):
    """Instructions cannot be counted here. The message says how they can."""


@dataclass(frozen=True)
class Program:
    """A Python program in a process of its own: what to run, where its modules are, what it finds
    in the environment.
    """

    code: str
    path: tuple[Path, ...]
    environment: Mapping[str, str]

    def command(self) -> list[str]:
        """Return the command: the interpreter itself, without this environment's packages."""
        return [str(Path(sys.executable).resolve()), "-S", "-s", "-P", "-c", self.code]

    def surroundings(self) -> dict[str, str]:
        """Return the whole environment."""
        return {
            **self.environment,
            "PYTHONPATH": ":".join(map(str, self.path)),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def output(self) -> str:
        """Run it; return what it printed."""
        finished = subprocess.run(
            self.command(), env=self.surroundings(), capture_output=True, text=True, check=True, timeout=300
        )
        return finished.stdout

    def run(self) -> dict[str, float]:
        """Run it; return what it printed last, and the milliseconds of processor and clock that it
        took.
        """
        wrapper = (
            "import json, resource, subprocess, sys, time\n"
            "start = time.perf_counter()\n"
            "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
            "wall = time.perf_counter() - start\n"
            "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "print(json.dumps({'status': done.returncode, 'err': done.stderr[-800:], 'out': done.stdout,\n"
            "    'wall': wall * 1000, 'cpu': (used.ru_utime + used.ru_stime) * 1000}))\n"
        )
        finished = subprocess.run(
            [sys.executable, "-I", "-S", "-c", wrapper, *self.command()],
            env=self.surroundings(),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        told = json.loads(finished.stdout)
        if told["status"] != 0:
            raise RuntimeError(told["err"])
        lines = [line for line in told["out"].splitlines() if line.startswith('{"measured"')]
        own: dict[str, float] = json.loads(lines[-1])["measured"] if lines else {}
        return {"wall": told["wall"], "cpu": told["cpu"], **own}


def functions_entered(program: Program) -> int:
    """Count the functions that a program enters, Python's and C's: on any machine, the same each
    time except what it draws at random.
    """
    code = (
        "import sys\n"
        "entered = [0]\n"
        "def note(frame, event, argument):\n"
        "    entered[0] += event in ('call', 'c_call')\n"
        f"sys.setprofile(note)\n{program.code}\nsys.setprofile(None)\nprint('entered', entered[0])\n"
    )
    output = Program(code, program.path, program.environment).output()
    return int(output.rstrip().rpartition("entered ")[2])


def can_count_instructions() -> bool:
    """Tell whether there is a valgrind."""
    return shutil.which("valgrind") is not None


def instructions(program: Program) -> int:
    """Count the instructions of a program, under cachegrind: the same to some thousandths of a per
    cent each time.

    Raises:
        NoValgrindError: there is no valgrind.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NoValgrindError(NO_VALGRIND)
    finished = subprocess.run(
        [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", *program.command()],
        env=program.surroundings(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    counted = re.search(r"I\s+refs:\s+([\d,]+)", finished.stderr)
    if finished.returncode != 0 or counted is None:
        raise RuntimeError(finished.stderr[-800:])
    return int(counted[1].replace(",", ""))


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)

    def __str__(self) -> str:
        """Return the median, and the span that holds the middle eight of ten."""
        return f"{self.median:,.1f} ({percentile(self.values, 10):,.1f}–{percentile(self.values, 90):,.1f})"


def by_turns(programs: Mapping[str, Program], runs: int = RUNS) -> dict[str, dict[str, Spread]]:
    """Run each program once to warm the files, then all of them by turns; return by program and
    measure.
    """
    for program in programs.values():
        program.run()
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            taken[name].append(program.run())
    return {
        name: {measure: Spread(tuple(run[measure] for run in of_one)) for measure in of_one[0]}
        for name, of_one in taken.items()
    }


def counted(programs: Mapping[str, Program]) -> dict[str, int]:
    """Count the instructions of each program."""
    return {name: instructions(program) for name, program in programs.items()}
