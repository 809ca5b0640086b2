"""Child processes that never outlive this one."""

import fcntl
import itertools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """Give a folder `.local/<name>` that no other process uses meanwhile: with a number when that
    one is taken.
    """
    for number in itertools.count(1):
        folder = ROOT / ".local" / (name if number == 1 else f"{name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                # The kernel drops it with the process, however that ends.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder
            return


class CommandError(Exception):
    """A command failed. The message is one line: which, why, and where its output is."""


@contextmanager
def guarded(
    command: list[str], *, environment: Mapping[str, str], log: Path, cwd: Path = ROOT, scratch: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` under `guard.py` with its output in the file `log`; end it, and all it started,
    on leaving.

    `scratch` is a folder of the command's own, removed with it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    guard = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), str(scratch or "-")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*guard, *command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal must reach this process alone, which then closes the guard's
            # input.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait()


def run(command: list[str], *, environment: Mapping[str, str], log: Path, cwd: Path = ROOT) -> None:
    """Run `command` to its end.

    Raises:
        CommandError: its exit status is not 0.
    """
    with guarded(command, environment=environment, log=log, cwd=cwd) as process:
        status = process.wait()
    if status != 0:
        name = " ".join([Path(command[0]).name, *command[1:2]])
        raise CommandError(f"{name}: {reason(log)} (status {status}, {log})")


def reason(log: Path) -> str:
    """Give the line of a log that most likely says why a command failed."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
    return (telling or lines or ["no output"])[-1][:300]
