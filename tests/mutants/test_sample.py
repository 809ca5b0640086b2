"""The sample of slips: each is made in a copy of the tree, and a test there must fail."""

from __future__ import annotations

import subprocess
import sys

from local.processes import ROOT


def test_every_slip_is_noticed() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mutants.sample"], cwd=ROOT / "tools", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
