"""Runs tests in a copy of the tree, each time in a process forked from one that has what does not
change: the libraries, and MiniStack with the tables of the template. Of the project's modules that
have rules it holds none, so each child imports them as they are then.

Started by `mutants.running`, in the copy. Reads one request a line, answers with one line.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MONITOR = sys.monitoring.COVERAGE_ID
_OPTIONS = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-W", "ignore"]
# A mutant that waits for something is stopped after so long, however loaded the machine is.
_LONGEST_SECONDS = 240


class Looking:
    """Sees which lines of the project each test runs, and how long it takes."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}/"
        self.tests: dict[str, dict[str, Any]] = {}
        self.imported: dict[str, set[int]] = {}
        self._lines = self.imported
        self.failed = ""

    def start(self) -> None:
        """Begin to look; what runs before the first test is what an import runs."""
        sys.monitoring.use_tool_id(_MONITOR, "mutants")
        sys.monitoring.register_callback(_MONITOR, sys.monitoring.events.LINE, self._ran)
        sys.monitoring.set_events(_MONITOR, sys.monitoring.events.LINE)

    def _ran(self, code: Any, line: int) -> Any:
        if code.co_filename.startswith(self._root):
            self._lines.setdefault(code.co_filename[len(self._root) :], set()).add(line)
        return sys.monitoring.DISABLE

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Look at one test."""
        self._lines = {}
        sys.monitoring.restart_events()
        start = time.process_time()
        result = yield
        lines = {name: sorted(found) for name, found in self._lines.items()}
        self.tests[item.nodeid] = {"seconds": time.process_time() - start, "lines": lines}
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what failed."""
        if report.failed:
            self.failed = report.nodeid


class Choosing:
    """Runs the tests that were chosen, in that order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}
        self.failed = ""

    def _place(self, nodeid: str) -> int | None:
        """Return where a test comes: it is named itself, or without its case, or by its file."""
        for name in (nodeid, nodeid.partition("[")[0], nodeid.partition("::")[0]):
            if name in self._order:
                return self._order[name]
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        places = {item: self._place(item.nodeid) for item in items}
        chosen = [item for item, place in places.items() if place is not None]
        items[:] = sorted(chosen, key=lambda item: places[item] or 0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what failed."""
        if report.failed:
            self.failed = report.nodeid


def main() -> None:
    """Answer requests until there are no more."""
    root = Path.cwd()
    # The copy is compiled by its first children.
    sys.dont_write_bytecode = False
    _warm_up()
    libraries: set[str] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "look":
            answer = _forked(partial(_look, request["file"], root), _LONGEST_SECONDS * 4, None)
        else:
            answer = _try(request, root)
        new = sorted(set(answer.pop("libraries", [])) - libraries)
        libraries |= set(new)
        for name in new:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        # pytest collects garbage twice at its end, which then passes over what all have in common.
        gc.freeze()
        print(json.dumps(answer), flush=True)


def _warm_up() -> None:
    """Let MiniStack make its tables, as the first component test would; forget all of the project
    but what did that.
    """
    ministack = importlib.import_module("harness.engines.ministack")
    with ministack.MINISTACK.started():
        pass
    importlib.import_module("harness.service.openapi").description()
    for name in list(sys.modules):
        if name.partition(".")[0] in ("deployed", "reassort"):
            del sys.modules[name]


def _look(file: str, root: Path) -> dict[str, Any]:
    looking = Looking(root)
    looking.start()
    status = pytest.main([*_OPTIONS, file], plugins=[looking])
    return {
        "status": int(status),
        "failed": looking.failed,
        "tests": looking.tests,
        "imported": {name: sorted(found) for name, found in looking.imported.items()},
        "libraries": _libraries(),
    }


def _libraries() -> list[str]:
    return [
        name
        for name, module in list(sys.modules.items())
        if "/site-packages/" in (getattr(module, "__file__", None) or "") and not name.startswith("ministack")
    ]


def _try(request: dict[str, Any], root: Path) -> dict[str, Any]:
    path = root / request["module"]
    before, stat = path.read_text(encoding="utf-8"), path.stat()
    files = list(dict.fromkeys(test.partition("::")[0] for test in request["tests"]))
    choosing = Choosing(request["tests"])

    def run() -> dict[str, Any]:
        status = int(pytest.main([*_OPTIONS, *files], plugins=[choosing]))
        return {"status": status, "failed": choosing.failed, "libraries": _libraries()}

    path.write_text(request["code"], encoding="utf-8")
    # What was compiled is found by the second and the size of its source: two mutants may have both
    # in common.
    compiled = Path(importlib.util.cache_from_source(str(path)))
    compiled.unlink(missing_ok=True)
    try:
        return _forked(run, _LONGEST_SECONDS, request["seconds"])
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        compiled.unlink(missing_ok=True)


def _forked(run: Callable[[], dict[str, Any]], longest: float, processor_seconds: int | None) -> dict[str, Any]:
    """Run something in a child and return what it answers; status -1 when it did not end."""
    reading, writing = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reading)
        void = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(void, stream)
        if processor_seconds is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (processor_seconds, processor_seconds))
        answer = run()
        with os.fdopen(writing, "w", encoding="utf-8") as out:
            json.dump(answer, out)
        os._exit(0)
    os.close(writing)
    chunks = []
    while True:
        left = longest - (time.monotonic() - start)
        ready, _, _ = select.select([reading], [], [], max(0, left))
        chunk = os.read(reading, 1 << 20) if ready else b""
        if not chunk:
            break
        chunks.append(chunk)
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        found: dict[str, Any] = json.loads(b"".join(chunks))
    except ValueError:
        found = {"status": -1, "failed": "did not end"}
    return {**found, "took": time.monotonic() - start}


if __name__ == "__main__":
    main()
