"""Files that are there whole or not at all, and readable by their owner alone."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write beside `path`, and put it there once the block has ended well and the disk has it.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    # What a run that was killed left is of no use to anybody.
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        flush_folder(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


@contextmanager
def whole_text(path: Path, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """Do the same of a text, whose ends of lines stay as they are written.

    Raises:
        OSError: it cannot be written.
    """
    with whole_file(path) as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, newline="")
        yield text
        # This flushes it first.
        text.detach()


def flush_folder(path: Path) -> None:
    """Make the disk have the name of a file that was just written, where the system can (POSIX)."""
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
