"""How batches are worked through: how far ahead, what is told of an interrupted run, what is tried
again.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
import stamina
from botocore.exceptions import HTTPClientError
from reassort.tables import ContentionError
from reassort_ops import batch_pool
from reassort_ops.batch_pool import BatchPool, patient_attempts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


def doubled(batch: Sequence[int]) -> list[int]:
    return [2 * number for number in batch]


def test_every_result_is_told_once_in_the_calling_thread() -> None:
    told: list[int] = []
    threads: set[str] = set()

    def settle(results: Sequence[int]) -> None:
        told.extend(results)
        threads.add(threading.current_thread().name)

    BatchPool(2).run([[number] for number in range(50)], doubled, settle)
    assert sorted(told) == list(range(0, 100, 2))
    assert threads == {threading.current_thread().name}


def test_twice_as_many_batches_as_threads_are_taken_ahead() -> None:
    taken, ahead, told = 0, list[int](), list[int]()
    go = threading.Event()

    def batches() -> Iterator[list[int]]:
        nonlocal taken
        for number in range(12):
            taken += 1
            ahead.append(taken - len(told))
            if taken == 7:
                # The seventh is asked for only once one of six is done.
                assert told
            if taken == 6:
                go.set()
            yield [number]

    def work(batch: Sequence[int]) -> list[int]:
        assert go.wait(5)
        return list(batch)

    BatchPool(3).run(batches(), work, told.extend)
    assert (max(ahead), sorted(told)) == (6, list(range(12)))


def test_an_interruption_tells_what_was_under_way_and_begins_nothing_more() -> None:
    told, begun = list[int](), list[int]()
    both, ended = threading.Barrier(3), threading.Event()
    pool = BatchPool(2)
    stopped: list[bool] = []

    def work(batch: Sequence[int]) -> list[int]:
        begun.extend(batch)
        both.wait(5)
        assert ended.wait(5)
        try:
            next(iter(pool.attempts()))
            stopped.append(False)
        except ContentionError:
            stopped.append(True)
        return list(batch)

    def batches() -> Iterator[list[int]]:
        # The third waits for a thread.
        yield from ([1], [2], [3])
        both.wait(5)
        threading.Timer(0.1, ended.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.run(batches(), work, told.extend)
    assert (sorted(begun), sorted(told), stopped) == ([1, 2], [1, 2], [True, True])


def test_a_failure_cancels_what_waits_and_tells_what_has_its_result() -> None:
    told, begun = list[int](), list[int]()
    go = threading.Event()

    def work(batch: Sequence[int]) -> list[int]:
        (number,) = batch
        begun.append(number)
        assert go.wait(5)
        if number == 1:
            raise ValueError("one")
        return [number]

    def batches() -> Iterator[list[int]]:
        yield from ([number] for number in (1, 2, 3))
        go.set()
        yield [4]

    with pytest.raises(ValueError, match="one"):
        BatchPool(2).run(batches(), work, told.extend)
    assert {1, 2} <= set(begun)
    assert 2 in told
    assert set(told) == set(begun) - {1}


@pytest.mark.parametrize("passing", [ContentionError("busy"), HTTPClientError(error="gone")])
def test_what_is_busy_or_does_not_answer_is_tried_again(passing: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tries = 0
    for attempt in patient_attempts():
        with attempt:
            tries += 1
            if tries < 3:
                raise passing
    # Nothing is logged across the progress bar.
    assert (tries, caplog.records) == (3, [])


def test_another_fault_is_not_tried_again_and_nothing_is_once_the_pool_stops() -> None:
    tries = 0
    with pytest.raises(ValueError, match="other"):  # noqa: PT012 - each try is a block
        for attempt in patient_attempts(threading.Event()):
            with attempt:
                tries += 1
                raise ValueError("other")
    assert tries == 1
    stopping = threading.Event()
    with pytest.raises(ContentionError, match="stopped"):  # noqa: PT012
        for attempt in patient_attempts(stopping):
            with attempt:
                tries += 1
                stopping.set()
                raise ContentionError("busy")
    assert tries == 2
    assert batch_pool._PATIENCE_SECONDS == 120
