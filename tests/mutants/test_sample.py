"""The sample of slips: each is made in a copy of the tree, and a test there must fail."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local.processes import ROOT

# One for each of the two processes that run tests.
PARTS = 2


@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_every_slip_is_noticed(part: int) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mutants.sample", "--part", f"{part}/{PARTS}"],
        cwd=ROOT / "tools",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
