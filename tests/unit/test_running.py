"""What a run of the tests does not depend on: where it was started from."""

import signal
import subprocess
import sys

from local.processes import ROOT

_TELL = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_tests_and_what_they_start_take_ctrl_c() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    child = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, text=True, check=True)
    assert child.stdout == "True\n"


def test_so_they_do_in_a_background_job() -> None:
    test = f"{__file__}::{test_tests_and_what_they_start_take_ctrl_c.__name__}"
    deaf = [
        "sh",
        "-c",
        "trap '' INT; exec \"$@\"",
        "sh",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run([*deaf, test], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout
