"""How a function starts: now, or under SnapStart in each environment that resumes."""

import gc
import importlib
import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.settings import is_under_snap_start


@pytest.fixture
def begin() -> Iterator[Callable[..., None]]:
    from reassort.start import begin

    yield begin
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What the function asked Lambda's runtime to call after a restore."""
    hooks: list[Callable[[], None]] = []
    runtime: Any = ModuleType("snapshot_restore_py")
    runtime.register_after_restore = hooks.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)
    return hooks


def test_each_environment_does_its_own_part_at_once(begin: Callable[..., None]) -> None:
    done: list[str] = []
    begin(lambda: done.append("key"), lambda: done.append("connection"), snapshot=False)
    assert done == ["key", "connection"]


def test_collector_leaves_aside_what_was_made_by_then(begin: Callable[..., None]) -> None:
    gc.disable()
    begin(snapshot=False)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


def test_collector_rests_while_a_function_is_imported(begin: Callable[..., None]) -> None:
    gc.enable()
    importlib.reload(sys.modules[begin.__module__])
    assert not gc.isenabled()


@pytest.mark.req("S9")
@pytest.mark.parametrize(("kind", "at_once"), [("snap-start", False), ("on-demand", True)])
def test_a_function_starts_as_lambda_says(
    begin: Callable[..., None],
    restored: list[Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    at_once: bool,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    done: list[str] = []
    begin(lambda: done.append("key"))
    assert (bool(done), bool(restored)) == (at_once, not at_once)


@pytest.mark.req("S9", "S4")
def test_snapshot_holds_no_key_and_no_connection(
    begin: Callable[..., None], restored: list[Callable[[], None]]
) -> None:
    done: list[str] = []
    begin(lambda: done.append("key"), lambda: done.append("connection"), snapshot=True)
    assert done == []
    for hook in restored:
        hook()
    assert done == ["key", "connection"]


def test_environments_of_one_snapshot_draw_different_jitter(
    begin: Callable[..., None], restored: list[Callable[[], None]]
) -> None:
    state = random.getstate()
    begin(snapshot=True)
    drawn = set()
    for _ in range(4):
        random.setstate(state)
        for hook in restored:
            hook()
        drawn.add(random.random())  # noqa: S311 - jitter
    assert len(drawn) == 4


@pytest.mark.req("S9")
def test_nothing_is_hashed_before_the_key_is_there() -> None:
    with pytest.raises(RuntimeError, match="not been derived"):
        KeyedHash().hash(Purpose.NUMEN, "09E9900123ABC")


@pytest.mark.parametrize(
    ("kind", "expected"), [("snap-start", True), ("on-demand", False), ("provisioned-concurrency", False)]
)
def test_lambda_says_how_it_starts(kind: str, expected: bool) -> None:
    assert is_under_snap_start({"AWS_LAMBDA_INITIALIZATION_TYPE": kind}) is expected
    assert is_under_snap_start({}) is False
