"""Everything that is measured, one after the other, each in a process of its own: `make bench`,
some 50 minutes on two processors.

    make bench FLAGS='cold warm'    some of it

Each measurement is a command of its own too (`make bench-<name>`), writes its section of
bench/results.md and the table of docs/performance.md, and fails when a bar is missed; the others
run all the same. The exit status is 1 when one failed. What is kept has met its bars: `make test`
fails on results that missed one, until they are measured again or taken back.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from harness.measuring.results import MEASUREMENTS, REPORT


def main() -> int:
    """Run the measurements that the command line names, or all."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)} (default: all)")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(MEASUREMENTS)):
        parser.error(f"no such measurement: {', '.join(unknown)}")
    failed = []
    for name in arguments.names or MEASUREMENTS:
        start = time.monotonic()
        print(f"— {name}", file=sys.stderr, flush=True)
        status = subprocess.run([sys.executable, "-m", *MEASUREMENTS[name]], check=False).returncode
        print(f"— {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        if status != 0:
            failed.append(name)
    print(f"Written: {REPORT.relative_to(REPORT.parents[1])}, and the table in docs/performance.md.")
    if failed:
        print(f"A bar was missed, or nothing measured: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
