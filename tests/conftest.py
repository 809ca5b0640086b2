"""Reports which requirements and invariants no collected test carries, and what the crash matrix counted."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from hypothesis import settings

from tests.matrix import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# A loaded machine is no failure of the code under test.
settings.register_profile("reassort", deadline=None)
settings.load_profile("reassort")


@pytest.fixture(scope="session", autouse=True)
def _models_that_are_read_once() -> Iterator[None]:
    """Give all sessions one loader, as botocore gives one to all clients of a session: parsing its models was a quarter of the unit tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


def _numbered(letter: str, last: int) -> list[str]:
    return [f"{letter}{number}" for number in range(1, last + 1)]


IDS = [*_numbered("S", 30), *_numbered("R", 15), *_numbered("U", 13), *_numbered("P", 9), *_numbered("I", 10)]
# Tests of one group run in one process, one after the other (`--dist loadgroup`): most of those on the deployed stack; and beside them those of the
# browser, and those that stop workers and providers, which wait for most of their time.
_GROUPS = {"test_faults.py": "beside", "browser": "beside", "stack": "stack"}
_CARRIED = pytest.StashKey[set[str]]()
_WORKER_KEY = "carried_requirements"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that asks for the report, and the one that takes new wordings."""
    parser.addoption("--requirements", action="store_true", help="print the requirement ids that no test carries")
    parser.addoption("--rewrite-golden", action="store_true", help="write tests/golden anew instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    """Start an empty set of carried ids."""
    config.stash[_CARRIED] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests stay together; note the ids of the `req` marks, and refuse an id that does not exist."""
    for item in items:
        if group := _GROUPS.get(item.path.name) or _GROUPS.get(item.path.parent.name):
            item.add_marker(pytest.mark.xdist_group(group))
    carried = {str(argument) for item in items for mark in item.iter_markers("req") for argument in mark.args}
    # P1b, P2b and P2c refine P1 and P2.
    if unknown := sorted(carried - {*IDS, "P1b", "P2b", "P2c"}):
        raise pytest.UsageError(f"no such requirement: {', '.join(unknown)}")
    config.stash[_CARRIED] |= carried
    if (worker_output := getattr(config, "workeroutput", None)) is not None:
        worker_output[_WORKER_KEY] = sorted(carried)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """With xdist the workers collect: each hands over what it saw."""
    worker_output: dict[str, Iterable[str]] = getattr(node, "workeroutput", {})
    node.config.stash[_CARRIED].update(worker_output.get(_WORKER_KEY, ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of the crash matrix, what the state machine did, and the ids that no test carries when asked for."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())]
    if matrix := table.lines(reports):
        terminalreporter.write_sep("-", "crash matrix")
        for line in matrix:
            terminalreporter.write_line(line)
    _report_steps(terminalreporter)
    if not config.getoption("--requirements"):
        return
    if missing := [identifier for identifier in IDS if identifier not in config.stash[_CARRIED]]:
        terminalreporter.write_sep("-", f"{len(missing)} of {len(IDS)} requirements are carried by no collected test")
        terminalreporter.write_line(" ".join(missing))
    else:
        terminalreporter.write_sep("-", f"all {len(IDS)} requirements are carried by a collected test")


def _report_steps(terminalreporter: Any) -> None:
    """Print how many steps the schedules had, by rule, and what they came upon: how much a passed test has seen."""
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
