"""Runs `reassort` with the arguments after the first, then writes the most memory that it held
(KiB, resident) to the file of that name.

Linux counts what a process inherits into `ru_maxrss`, so a child of a large parent never looks
small; VmHWM starts again with the program.
"""

from __future__ import annotations

import atexit
import re
import runpy
import sys
from pathlib import Path


def _write(report: Path) -> None:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    report.write_text(found[1] if found else "", encoding="ascii")


if __name__ == "__main__":
    atexit.register(_write, Path(sys.argv.pop(1)))
    runpy.run_module("reassort_ops", run_name="__main__", alter_sys=True)
