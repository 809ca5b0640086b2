"""A folder that processes share: made by one of them, seen whole by all."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from local.made_once import made_once
from local.processes import ROOT

PROCESSES = 4
# What was made is written down; each file takes a while, so that a look in between would see
# half of them.
_PROGRAM = """
import os, sys, time
from pathlib import Path
from local.made_once import made_once

folder, log = map(Path, sys.argv[1:])

def make(making):
    with log.open("a") as lines:
        print(os.getpid(), file=lines, flush=True)
    making.mkdir()
    for number in range(20):
        (making / str(number)).write_text("made")
        time.sleep(0.01)

print("ready", flush=True)
sys.stdin.readline()
print(len(list(made_once(folder, make).iterdir())))
"""
# Holds on in the midst of it.
_STUCK = """
import sys
from pathlib import Path
from local.made_once import made_once

def make(making):
    making.mkdir()
    print("making", flush=True)
    sys.stdin.readline()

made_once(Path(sys.argv[1]), make)
"""


def start(program: str, *arguments: Path) -> subprocess.Popen[str]:
    """Start a program, and wait until it says something."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").write_text("whole")


def test_one_of_many_processes_makes_it_and_all_see_the_whole(tmp_path: Path) -> None:
    folder, log = tmp_path / "shared" / "tree", tmp_path / "log"
    processes = [start(_PROGRAM, folder, log) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["20\n"] * PROCESSES
    assert len(log.read_text().splitlines()) == 1
    assert sorted(path.name for path in folder.parent.iterdir()) == ["tree", "tree.lock"]


def test_threads_may_make_it_at_once(tmp_path: Path) -> None:
    here = Barrier(PROCESSES)

    def make(folder: Path) -> None:
        here.wait(60)
        fill(folder)

    with ThreadPoolExecutor(PROCESSES) as pool:
        made = list(pool.map(lambda _: made_once(tmp_path / "tree", make), range(PROCESSES)))
    assert made == [tmp_path / "tree"] * PROCESSES
    assert (tmp_path / "tree" / "file").read_text() == "whole"


def test_what_could_not_be_made_is_not_there(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        made_once(tmp_path / "tree", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["tree.lock"]
    assert (made_once(tmp_path / "tree", fill) / "file").read_text() == "whole"


def test_a_process_that_was_killed_keeps_nobody_waiting(tmp_path: Path) -> None:
    process = start(_STUCK, tmp_path / "tree")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (made_once(tmp_path / "tree", fill) / "file").read_text() == "whole"


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    fill(tmp_path / "tree")
    assert made_once(tmp_path / "tree", lambda _: pytest.fail("made again")) == tmp_path / "tree"
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
