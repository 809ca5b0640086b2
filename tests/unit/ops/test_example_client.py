"""The example of a voting platform's client, run as its engineer runs it."""

from __future__ import annotations

import os
import subprocess
import sys

from local.processes import ROOT


def test_a_role_that_cannot_be_taken_is_told_in_one_line() -> None:
    """No port of this machine answers at 9, so nothing is ever asked of AWS."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-3"}
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
        **keys,
    }
    program = ROOT / "examples" / "voting_platform.py"
    asked = [
        sys.executable,
        str(program),
        "check",
        "--api-url",
        "http://127.0.0.1:9",
        "--role",
        "arn:aws:iam::1:role/x",
    ]
    done = subprocess.run(
        asked, env=environment, input="X", capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("AWS: ")
    assert done.stderr.count("\n") == 1
