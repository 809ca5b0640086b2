"""Working through batches in several threads, with patience when the tables throttle, and an
orderly end on Ctrl-C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import stamina
from botocore.exceptions import HTTPClientError
from reassort.tables import ContentionError

# A table on demand doubles its capacity within minutes of being throttled.
_PATIENCE_SECONDS = 120.0

# Retries would be logged across the progress bar.
stamina.instrumentation.set_on_retry_hooks([])


class BatchPool:
    """Threads that work through batches. Their calls are tried again while the tables are busy,
    until the pool stops.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._stopping = threading.Event()

    def run[Row, Result](
        self,
        batches: Iterable[Sequence[Row]],
        work: Callable[[Sequence[Row]], list[Result]],
        settle: Callable[[Sequence[Result]], object],
    ) -> None:
        """Work through all batches, and tell the results of each as it is done, always in the
        calling thread.

        Only a few batches are taken ahead of the threads. An interruption or a failure lets the
        calls under way finish, and their results are told.

        Raises:
            whatever `work` raises, or the interruption.
        """
        pending: set[Future[list[Result]]] = set()
        with ThreadPoolExecutor(self._threads, "batch") as pool:
            try:
                for batch in batches:
                    pending.add(pool.submit(work, batch))
                    if len(pending) >= 2 * self._threads:
                        _settle_finished(pending, settle)
                while pending:
                    _settle_finished(pending, settle)
            except BaseException:
                self._stopping.set()
                pool.shutdown(cancel_futures=True)
                for future in pending:
                    if not future.cancelled() and future.exception() is None:
                        settle(future.result())
                raise

    def attempts(self) -> Iterator[stamina.Attempt]:
        """Return the tries of one call, as `patient_attempts` does, until the pool stops."""
        return patient_attempts(self._stopping)


def patient_attempts(stopping: threading.Event | None = None) -> Iterator[stamina.Attempt]:
    """Return the tries of one call: while the tables are busy or do not answer, for as long as is
    worth waiting.

    Raises:
        ContentionError: `stopping` is set.
    """
    passing = (ContentionError, HTTPClientError)
    for attempt in stamina.retry_context(on=passing, attempts=None, timeout=_PATIENCE_SECONDS, wait_jitter=0.5):
        if stopping is not None and stopping.is_set():
            raise ContentionError("stopped")
        yield attempt


def _settle_finished[Result](pending: set[Future[list[Result]]], settle: Callable[[Sequence[Result]], object]) -> None:
    """Wait for at least one batch and take what has finished out of `pending`, so that nothing is
    told twice.
    """
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        pending.discard(future)
        settle(future.result())
