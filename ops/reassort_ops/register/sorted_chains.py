"""Putting chains into the order of their pseudonyms, however many, in some tens of megabytes of
memory.

The order makes two exports of the same register equal line by line, and a chain that comes twice
easy to see.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

# A run of sorted chains before it is written down: 1.2 million voters make about a dozen.
_RUN_BYTES = 32 * 1024 * 1024
# JSON escapes tabs, so none stands in a line.
_TAB = b"\t"


class SortedChains:
    """Takes chains in any order and gives their lines back in order. Use it as a context manager.

    Runs are temporary files in `folder`: where the export itself goes there is room, and the same
    protection.
    """

    def __init__(self, folder: Path, run_bytes: int = _RUN_BYTES) -> None:
        self._folder = folder
        self._run_bytes = run_bytes
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._runs: list[IO[bytes]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def add(self, voter_id: str, lines: Sequence[bytes]) -> None:
        """Take the lines of a chain, in their order."""
        record = _TAB.join((voter_id.encode(), *lines)) + b"\n"
        self._held.append(record)
        self._held_bytes += len(record)
        if self._held_bytes >= self._run_bytes:
            self._write_run()

    def lines(self) -> Iterator[bytes]:
        """Return all lines in order; nothing can be added any more."""
        self._held.sort(key=_pseudonym)
        for run in self._runs:
            run.seek(0)
        for record in heapq.merge(*self._runs, self._held, key=_pseudonym):
            yield from record[:-1].split(_TAB)[1:]

    def _write_run(self) -> None:
        self._held.sort(key=_pseudonym)
        run = self._open.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 - closed with the chains
        run.writelines(self._held)
        self._runs.append(run)
        self._held.clear()
        self._held_bytes = 0


def _pseudonym(record: bytes) -> bytes:
    return record.partition(_TAB)[0]
