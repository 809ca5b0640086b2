"""How long a developer waits: `make run` until its line, on a warm cache, and `make test` whole, in
a fresh clone of what is committed (P8).

make bench-loop
make bench-loop FLAGS='--runs 3 --without-tests'
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory

from harness.measuring.programs import Spread
from harness.measuring.results import Figure, Section, finish
from local.aws import free_port
from local.processes import ROOT

# In seconds.
RUN_BAR, TEST_BAR = 15, 600
# What they say of this very run is only known afterwards.
_OF_THIS_RUN = ("test_every_measurement_is_kept", "test_no_bar_is_missed")
_READY = "Espace électeur prêt"


def seconds_until_ready() -> float:
    """Start `make run`, wait for the line that says where the voter space is, and stop it as Ctrl-C
    does.

    Raises:
        RuntimeError: it ended before.
    """
    start = time.monotonic()
    with subprocess.Popen(
        ["make", "run"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(free_port())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if _READY in line:
                break
        else:
            raise RuntimeError(f"make run ended before it was ready: {''.join(lines)[-800:]}")
        taken = time.monotonic() - start
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    return taken


def whole_tests() -> tuple[float, str]:
    """Run `make test` in a fresh clone; return its seconds and the line that counts its tests.

    Raises:
        RuntimeError: a test failed.
    """
    options = " ".join(f"--deselect tests/unit/test_results.py::{name}" for name in _OF_THIS_RUN)
    environment = {**os.environ, "PYTEST_ADDOPTS": options}
    with TemporaryDirectory() as clone:
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        start = time.monotonic()
        finished = subprocess.run(["make", "test"], cwd=clone, env=environment, capture_output=True, text=True)
        taken = time.monotonic() - start
    lines = re.findall(r"^\d+ passed, 0 failed.* in \d+ s$", finished.stdout, re.MULTILINE)
    if finished.returncode != 0 or not lines:
        raise RuntimeError(f"make test failed: {finished.stdout[-3000:]}")
    return taken, lines[-1]


def section(runs: Sequence[float], tests: tuple[float, str] | None, command: str) -> Section:
    """Return the section of bench/results.md."""
    spread = Spread(tuple(runs))
    figures = [
        Figure("P8", "`make run` on a warm cache, to its ready line", spread.median, RUN_BAR, str(spread), 1, " s")
    ]
    if tests is not None:
        figures.append(Figure("P8", "`make test`, fresh clone", tests[0], TEST_BAR, tests[1], 0, " s"))
    return Section("loop", "Developer loop", command, tuple(figures))


def main() -> int:
    """Measure; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.developer_loop", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="of make run (default: %(default)s)")
    parser.add_argument("--without-tests", action="store_true", help="leave make test out; nothing is kept then")
    arguments = parser.parse_args()
    # The first one fills the cache.
    runs = [seconds_until_ready() for _ in range(arguments.runs + 1)][1:]
    tests = None if arguments.without_tests else whole_tests()
    flags = " ".join(sys.argv[1:])
    found = section(runs, tests, f"make bench-loop FLAGS='{flags}'" if flags else "make bench-loop")
    if tests is None:
        print(found.text())
        return 0
    return finish(found)


if __name__ == "__main__":
    sys.exit(main())
