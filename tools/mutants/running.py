"""Trying mutants: copies of the tree, the workers in them, and which tests see which line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mutants.mutations import Mutant

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build" / "mutants"
_PATHS = ("functions", "layers/shared", "ops", "tools", ".")
# A test may take so much more processor time than it took without a slip.
_SLACK_SECONDS, _SLACK_TIMES = 15, 4


class BrokenTestsError(Exception):
    """Tests fail without any slip: nothing can be told of one."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: the test that killed it, or None; and whether any test runs its
    line.
    """

    killed_by: str | None
    reached: bool
    seconds: float


class Worker:
    """A copy of the tree, and a process that runs tests there."""

    def __init__(self, name: str) -> None:
        self.root = BUILD / name
        _copy_tree(self.root)
        self._log = (BUILD / f"{name}.log").open("w", encoding="utf-8")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(self.root / path) for path in _PATHS),
            "PYTHONHASHSEED": "0",
            "AWS_DEFAULT_REGION": "eu-west-3",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mutants.worker"],
            cwd=self.root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._to, self._of = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Let it do something."""
        self._to.write(json.dumps(request) + "\n")
        self._to.flush()
        answer: dict[str, Any] = json.loads(self._of.readline())
        return answer

    def end(self) -> None:
        """Stop it."""
        self._to.close()
        self._process.wait()
        self._log.close()


class Trials:
    """Several workers, and what is known of the tests."""

    def __init__(self, workers: list[Worker]) -> None:
        self._all = workers
        # All copies are alike; the tree itself may change meanwhile.
        self.root = workers[0].root
        self._free: SimpleQueue[Worker] = SimpleQueue()
        for worker in workers:
            self._free.put(worker)

    def all_of[T, R](self, do: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Do something of each, as many at a time as there are workers."""
        with ThreadPoolExecutor(len(self._all)) as threads:
            yield from threads.map(do, items)

    def look(self, file: str, modules: Iterable[str]) -> dict[str, Any]:
        """Return what a file of tests runs of the project: from a former look, while neither has
        changed.

        Raises:
            BrokenTestsError: a test of it fails.
        """
        kept = BUILD / "seen" / f"{file.replace('/', '.')}.json"
        now = {name: self.digest(name) for name in (file, *modules)}
        if kept.is_file():
            found: dict[str, Any] = json.loads(kept.read_text("utf-8"))
            if all(found["digests"].get(name) == value for name, value in now.items()):
                return found
        found = self._ask(do="look", file=file)
        if found["status"] != 0:
            raise BrokenTestsError(f"{file}: {found['failed'] or 'cannot be collected'}")
        names = {name for test in found["tests"].values() for name in test["lines"]} | set(found["imported"])
        found["digests"] = {
            name: self.digest(name) for name in sorted(names | set(now)) if (self.root / name).is_file()
        }
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found), "utf-8")
        return found

    def try_out(self, mutant: Mutant, files: Iterable[str]) -> Outcome:
        """Run the tests that run the mutant's line, quickest first, until one fails."""
        tests: dict[str, float] = {}
        lines = set(mutant.lines)
        for file in files:
            seen = self.look(file, [mutant.module])
            imports = bool(lines & set(seen["imported"].get(mutant.module, ())))
            for test, ran in seen["tests"].items():
                if imports or lines & set(ran["lines"].get(mutant.module, ())):
                    tests[test] = ran["seconds"]
        if not tests:
            return Outcome(None, reached=False, seconds=0)
        return self.run(mutant, sorted(tests, key=tests.__getitem__), sum(tests.values()))

    def run(self, mutant: Mutant, tests: list[str], seconds: float) -> Outcome:
        """Run tests, which take so many seconds of processor time, until one fails."""
        limit = int(_SLACK_SECONDS + _SLACK_TIMES * seconds)
        answer = self._ask(do="try", module=mutant.module, code=mutant.code, tests=tests, seconds=limit)
        if answer["status"] == 5:  # pytest: nothing was collected
            raise BrokenTestsError(f"no such test: {tests}")
        killed = answer["status"] != 0
        return Outcome((answer["failed"] or "import") if killed else None, reached=True, seconds=answer["took"])

    def digest(self, name: str) -> str:
        """Return a short hash of a file, as the workers have it."""
        return sha256((self.root / name).read_bytes()).hexdigest()[:16]

    def _ask(self, **request: Any) -> dict[str, Any]:
        worker = self._free.get()
        try:
            return worker.ask(**request)
        finally:
            self._free.put(worker)


@contextmanager
def trials(workers: int, name: str = "worker") -> Iterator[Trials]:
    """Start workers, and stop them at the end."""
    started = [Worker(f"{name}-{number}") for number in range(workers)]
    try:
        yield Trials(started)
    finally:
        for worker in started:
            worker.end()


def _copy_tree(to: Path) -> None:
    """Copy what is tracked, and what will be."""
    shutil.rmtree(to, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (to / ".venv").symlink_to(ROOT / ".venv")
