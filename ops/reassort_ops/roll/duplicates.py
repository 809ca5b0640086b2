"""Finding values that come twice in a file of any length, in a few megabytes of memory.

Values are kept as keyed digests under a key that lives as long as the search, so the temporary
files that a large roll spills into give away no NUMEN and no identifier.
"""

from __future__ import annotations

import heapq
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from itertools import groupby
from types import TracebackType
from typing import IO, Self

# 1.2 million values make 19,000 records a part, sorted in 2 MB.
_PART_BITS = 6
_DIGEST = 16
_LINE = 4
_RECORD = _DIGEST + _LINE
# All parts together hold 400 kB before they spill.
_SPILL = 300 * _RECORD
_RECORDS_A_READ = 256


class DuplicateSearch:
    """Takes every value with its line, then tells which lines share one. Use it as a context
    manager.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._buffers = [bytearray() for _ in range(1 << _PART_BITS)]
        self._files: dict[int, IO[bytes]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def add(self, value: str, line: int) -> None:
        """Note a value."""
        digest = blake2b(value.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_DIGEST).digest()
        part = digest[0] >> 8 - _PART_BITS
        buffer = self._buffers[part]
        buffer += digest
        buffer += line.to_bytes(_LINE, "big")
        if len(buffer) >= _SPILL:
            self._spill(part)

    def groups(self) -> Iterator[list[int]]:
        """Return the lines of each value that came more than once, ascending; nothing can be added
        any more.
        """
        for part in self.parts():
            yield from part

    def parts(self) -> Iterator[Iterator[list[int]]]:
        """Return the same in portions that fit into memory."""
        for part, buffer in enumerate(self._buffers):
            content = bytes(buffer)
            buffer.clear()
            if part in self._files:
                file = self._files[part]
                file.seek(0)
                content = file.read() + content
            yield _repeated(content)

    def _spill(self, part: int) -> None:
        if part not in self._files:
            self._files[part] = self._open.enter_context(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 - closed with the search
        self._files[part].write(self._buffers[part])
        self._buffers[part].clear()


class SortedRuns:
    """Sorts records of one length that do not fit into memory: portion by portion, merged from a
    file. A context manager.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []
        self._length = 0
        self._open = ExitStack()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def add(self, records: Iterable[bytes]) -> None:
        """Sort one portion and put it aside."""
        run = sorted(records)
        if not run:
            return
        if self._file is None:
            self._file = self._open.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - closed with the runs
        self._length = len(run[0])
        start = self._file.tell()
        self._file.writelines(run)
        self._runs.append((start, self._file.tell()))

    def merged(self) -> Iterator[bytes]:
        """Return all records in order; nothing can be added any more."""
        if self._file is not None:
            self._file.flush()
            yield from heapq.merge(*(self._read(self._file.fileno(), *run) for run in self._runs))

    def _read(self, file: int, start: int, end: int) -> Iterator[bytes]:
        step = self._length * _RECORDS_A_READ
        for at in range(start, end, step):
            block = os.pread(file, min(step, end - at), at)
            for place in range(0, len(block), self._length):
                yield block[place : place + self._length]


def _repeated(content: bytes) -> Iterator[list[int]]:
    records = sorted(content[at : at + _RECORD] for at in range(0, len(content), _RECORD))
    for _, group in groupby(records, key=lambda record: record[:_DIGEST]):
        lines = [int.from_bytes(record[_DIGEST:], "big") for record in group]
        if len(lines) > 1:
            yield lines
