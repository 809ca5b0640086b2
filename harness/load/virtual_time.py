"""Many things at once in virtual time: each is ordinary code on a thread, and exactly one of them
runs at any moment.

Anyone who waits hands over to whatever comes next, so hours pass as quickly as the code between the
waits runs, and what happens in which order does not depend on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from threading import Lock, Thread, current_thread
from typing import Any

_real_sleep = time.sleep


class DeadlineError(BaseException):
    """The time that a task was given is over: it ends here, and no handler of the code under test
    may catch it.
    """


@dataclass
class Task:
    """Something that takes time. `kind` says what it is, for the accounts; `deadline` is in
    seconds, None for none.
    """

    body: Callable[[], object]
    kind: str
    deadline: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class _Worker:
    """A thread that runs one task after another, whenever the simulation lets it."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._go = Lock()
        self._go.acquire()
        self.task: Task | None = None
        self.thread = Thread(target=self._run, daemon=True)
        self.thread.start()

    def wake(self) -> None:
        self._go.release()

    def wait(self) -> None:
        self._go.acquire()

    def _run(self) -> None:
        while True:
            self.wait()
            if self.task is None:
                return
            self._simulation._perform(self)


class Simulation:
    """A clock in seconds from 0, and what happens when.

    Args:
        set_clock: is told each new time.
        after_step: is called before time moves on, to see what has just been done.
    """

    def __init__(self, set_clock: Callable[[float], None], after_step: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self.after_step = after_step
        self.running: Task | None = None
        self._set_clock = set_clock
        self._events: list[tuple[float, int, _Worker | Task | Callable[[], None]]] = []
        self._count = 0
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._back = Lock()
        self._back.acquire()
        self._fault: BaseException | None = None

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something that takes no time, at `when` seconds or now if that is past."""
        self._push(when, action)

    def start(self, when: float, kind: str, body: Callable[[], object]) -> None:
        """Start a task at `when` seconds, or now if that is past."""
        self._push(when, Task(body, kind))

    def sleep(self, seconds: float) -> None:
        """Let a task wait. Outside of a task no time passes.

        Raises:
            DeadlineError: the task's time was over while it waited.
        """
        task = self.running
        if task is None:
            return
        until = self.now + max(seconds, 0.0)
        late = task.deadline is not None and until > task.deadline
        if late:
            until = max(self.now, task.deadline or 0.0)
        self.after_step()
        if self._events and self._events[0][0] <= until:
            worker = task.facts["worker"]
            self._push(until, worker)
            self._back.release()
            worker.wait()
            self.running = task
        else:
            self._move(until)
        if late:
            raise DeadlineError

    def pause(self, seconds: float) -> None:
        """Stand in for `time.sleep`: a task waits in virtual time; threads that are none of the
        simulation's sleep.
        """
        if self.running is not None and self.running.facts["worker"].thread is current_thread():
            self.sleep(seconds)
        else:
            _real_sleep(seconds)

    def run(self) -> None:
        """Let everything happen, until nothing is left to happen."""
        try:
            while self._events:
                when, _, event = heappop(self._events)
                self._move(when)
                if isinstance(event, Task):
                    worker = self._idle.pop() if self._idle else self._new_worker()
                    worker.task = event
                    event.facts["worker"] = worker
                    self._let_run(worker)
                elif isinstance(event, _Worker):
                    self._let_run(event)
                else:
                    event()
                    self.after_step()
                if self._fault is not None:
                    raise self._fault
        finally:
            for worker in self._idle:
                worker.task = None
                worker.wake()

    def _new_worker(self) -> _Worker:
        worker = _Worker(self)
        self._workers.append(worker)
        return worker

    def _let_run(self, worker: _Worker) -> None:
        self.running = worker.task
        worker.wake()
        self._back.acquire()
        self.running = None

    def _perform(self, worker: _Worker) -> None:
        task = worker.task
        assert task is not None
        try:
            task.body()
            self.after_step()
        except BaseException as fault:  # noqa: BLE001 - `run` raises it
            self._fault = fault
        self._idle.append(worker)
        self._back.release()

    def _push(self, when: float, event: _Worker | Task | Callable[[], None]) -> None:
        self._count += 1
        heappush(self._events, (max(when, self.now), self._count, event))

    def _move(self, when: float) -> None:
        if when > self.now:
            self.now = when
            self._set_clock(when)
