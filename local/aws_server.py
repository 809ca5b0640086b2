"""The process of the embedded AWS: MiniStack, whose Lambda environments share what they only read.

python local/aws_server.py 127.0.0.1:PORT
"""

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from threading import Lock, Semaphore
from types import SimpleNamespace
from typing import Any, Self, cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from ministack.app import app
from ministack.core import lambda_runtime

_unpacking = Lock()
# More at once only slow each other down, until their calls to AWS time out.
_starting = Semaphore(os.cpu_count() or 1)
_start = lambda_runtime.Worker._spawn


class SharedZip:
    """A zip of code or of a layer that is unpacked once for all environments: the folder of each is
    a link to one copy, which none of them writes to, as on Lambda.

    The layer has 1,400 files. MiniStack unpacks them for each environment, which is most of what it
    computes.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def namelist(self) -> list[str]:
        """Return no name that is to be checked: `zipfile` leaves the folder by none."""
        return []

    def extractall(self, folder: str) -> None:
        """Put a link to the content instead of an empty folder."""
        with self._path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        shared = Path(tempfile.gettempdir(), "unpacked", digest)
        with _unpacking:
            if not shared.is_dir():
                making = shared.with_suffix(".part")
                shutil.rmtree(making, ignore_errors=True)
                with zipfile.ZipFile(self._path) as archive:
                    archive.extractall(making)
                making.rename(shared)
        link = Path(folder)
        link.rmdir()
        link.symlink_to(shared)


def _start_in_turn(worker: Any) -> None:
    with _starting:
        _start(worker)


def main(address: str) -> None:
    """Serve at `host:port` until a signal comes."""
    lambda_runtime.Worker._spawn = _start_in_turn
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZip})
    config = Config()
    config.bind = [address]
    config.keep_alive_timeout = 75
    asyncio.run(serve(cast("ASGIFramework", app), config))


if __name__ == "__main__":
    main(sys.argv[1])
