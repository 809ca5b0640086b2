"""Run a command and outlive the process that asked for it, by just long enough to end it.

    python -I -S guard.py SCRATCH COMMAND…

The command gets a process group of its own. When this program's standard input closes, which the
kernel does even for an asker killed by SIGKILL, the whole group is killed; so it is when the
command ends by itself and leaves children behind. Then the folder SCRATCH is removed ("-" means
none). The exit status is the command's.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run, wait, clean up."""
    scratch, *command = sys.argv[1:]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def kill_group() -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)

    def kill_when_asker_is_gone() -> None:
        os.read(0, 1)
        kill_group()

    threading.Thread(target=kill_when_asker_is_gone, daemon=True).start()
    status = child.wait()
    kill_group()
    if scratch != "-":
        shutil.rmtree(scratch, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
