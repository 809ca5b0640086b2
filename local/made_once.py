"""What several processes of this repository use and each would make: one of them makes it, the
others wait for it.
"""

import fcntl
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Give `folder`; when there is none, `make` fills another one, which becomes it whole or not at
    all.

    Its name must say everything that its content depends on, because it is never made again.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        # The kernel drops it with this process, however that ends; children, which may live on, do
        # not inherit it.
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            with TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as scratch:
                making = Path(scratch) / folder.name
                make(making)
                try:
                    making.rename(folder)
                except OSError:
                    # Threads of one process share a lock, and some file systems have none: another
                    # was first, with the same content.
                    if not folder.is_dir():
                        raise
    return folder
