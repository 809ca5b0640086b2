"""Everything that is measured, one module after another: `make bench`, or `python -m bench cold warm` for some of them.

Each module of `MODULES` has `measure(runs)`, which returns a `Section` of bench/results.md, and runs alone as `python -m bench.<name>`. The exit status
is 1 when a bar is missed or a module failed; the others run all the same.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback

from bench.measuring import RUNS
from bench.results import print_section

MODULES = ("cold", "warm")


def main() -> int:
    """Run the modules that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and write bench/results.md.")
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], metavar="MODULE", help=", ".join(MODULES))
    parser.add_argument("--runs", type=int, default=RUNS, help="of each timed side (default: %(default)s)")
    arguments = parser.parse_args()
    failed = []
    for name in arguments.modules or MODULES:
        start = time.monotonic()
        try:
            missed = print_section(importlib.import_module(f"bench.{name}").measure(arguments.runs))
        except Exception:  # noqa: BLE001 - one that fails must not keep the others from being measured
            traceback.print_exc()
            missed = 1
        if missed:
            failed.append(name)
        print(f"\n{name}: {time.monotonic() - start:.0f} s\n", flush=True)
    if failed:
        print(f"A bar was missed, or nothing measured, in {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
