"""What all rungs share, and what is printed at the end of a run."""

from __future__ import annotations

import gc
import signal
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.hooks
import botocore.session
import pytest
import typer.testing
import yaml
from botocore.hooks import EventAliaser, HierarchicalEmitter
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright

from harness.site.checkers import Checkers, running_checkers
from harness.site.voter_space import launch_chromium
from harness.site.watched import SharedTab, watched_page
from local.aws import free_port
from tests.matrix import table
from tests.requirements import IDS

if TYPE_CHECKING:
    from collections.abc import Iterator


# Modules, AWS's models and what the tables hold live to the end: to look through them again and
# again for garbage was a sixth of the time of all tests.
gc.set_threshold(50_000, 50, 1_000)

STACK = Path(__file__).parent / "stack"

# A loaded machine is no failure of the code under test.
settings.register_profile("reassort", deadline=None)
settings.load_profile("reassort")


@pytest.fixture(scope="session", autouse=True)
def _sessions_that_share_what_they_read() -> Iterator[None]:
    """Give all sessions one loader, as botocore gives one to all clients of a session, one memory
    of its events' names, and one of its handlers' signatures: to read them again was a third of the
    time of the command's tests, each of which begins a session.
    """
    aliaser: Any = EventAliaser
    names, name_of = aliaser(HierarchicalEmitter()), aliaser._alias_event_name
    takes_keywords = cache(botocore.hooks.accepts_kwargs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        patch.setattr(aliaser, "_alias_event_name", lambda _, name: name_of(names, name))
        patch.setattr(
            botocore.hooks, "accepts_kwargs", lambda handler: takes_keywords(getattr(handler, "__func__", handler))
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def _commands_that_are_built_once() -> Iterator[None]:
    """Let Typer read the signatures of all commands once, not for each that a test runs: that was
    most of the time of a short one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(scope="session", autouse=True)
def _yaml_that_is_parsed_once() -> Iterator[None]:
    """Parse each text once: election files are read by a thousand commands, 20 ms at a time."""
    parsed: dict[tuple[str, type], Any] = {}
    load = yaml.load

    def load_once(stream: Any, Loader: type) -> Any:  # noqa: N803 - callers name it so
        if not isinstance(stream, str):
            return load(stream, Loader)
        if (stream, Loader) not in parsed:
            parsed[stream, Loader] = load(stream, Loader)
        return deepcopy(parsed[stream, Loader])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "load", load_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Let this process, and all that it starts, take Ctrl-C as in a terminal: a shell starts
    background jobs deaf to it, and every child inherits that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that takes new wordings."""
    parser.addoption("--rewrite-golden", action="store_true", help="write tests/golden again instead of comparing")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a `req` mark with an id that does not exist, and let the tests that wait for a
    deployed stack begin.
    """
    items.sort(key=lambda item: not item.path.is_relative_to(STACK))
    carried = {str(argument) for item in items for mark in item.iter_markers("req") for argument in mark.args}
    # P1b, P2b and P2c refine P1 and P2.
    if unknown := sorted(carried - {*IDS, "P1b", "P2b", "P2c"}):
        raise pytest.UsageError(f"no such requirement: {', '.join(unknown)}")


def pytest_collection_finish() -> None:
    """Take all that was imported for good out of the search for garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table of the crash matrix, and what the state machine did."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())]
    if matrix := table.lines(reports):
        terminalreporter.write_sep("-", "crash matrix")
        for line in matrix:
            terminalreporter.write_line(line)
    _report_steps(terminalreporter)


def _report_steps(terminalreporter: Any) -> None:
    """Print how many steps the schedules had, by rule, and what they came upon: how much a passed
    test has seen.
    """
    totals = {name: Counter[str]() for name in ("steps", "outcomes")}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name in totals:
                totals[name] += Counter(value)
    if not totals["steps"]:
        return
    terminalreporter.write_sep("-", f"{totals['steps'].total()} steps of the stateful test")
    for counted in totals.values():
        terminalreporter.write_line(", ".join(f"{what} {count}" for what, count in counted.most_common()))


@pytest.fixture(scope="session")
def debugging_port() -> int:
    """Where the Chromium of a test of pages listens to its checkers."""
    return free_port()


# Playwright runs once in a process: the pages of voters and of agents share it.
@pytest.fixture(scope="session")
def chromium(debugging_port: int) -> Iterator[Browser]:
    """A browser without a stack behind it."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium, debugging_port)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_tab(chromium: Browser) -> SharedTab:
    """The tab of that browser that the tests of mocked pages use one after the other."""
    return SharedTab(chromium)


@pytest.fixture
def page(request: pytest.FixtureRequest, chromium: Browser, shared_tab: SharedTab) -> Iterator[Page]:
    """The shared tab, for a test of a built site: it has one origin, and sets the clock. Any other
    test has a page of its own.
    """
    shared = not {"site", "built"}.isdisjoint(request.fixturenames)
    with shared_tab.lend() if shared else watched_page(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def checkers(chromium: Browser, debugging_port: int) -> Iterator[Checkers]:
    """html-validate, pa11y and Lighthouse on that browser."""
    with running_checkers(debugging_port) as running:
        yield running
