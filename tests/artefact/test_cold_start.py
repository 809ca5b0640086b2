"""The guard of the cold start: what each function imports, what a start and a request cost beside
the references, and what is deployed.

`make bench` measures the same at length: there, requests are counted in instructions too, which
takes more than four times as long as to count the functions that they enter.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.measuring.programs import (
    Program,
    by_turns,
    can_count_instructions,
    counted,
    functions_entered,
)
from harness.runtime.starts import BARS, function, ref
from harness.runtime.surroundings import Surroundings, surroundings
from harness.runtime.trees import FUNCTIONS, deployed_copy, product, reference_packages, zipped_size
from harness.runtime.warm import connections_opened, first_beside_warm, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALLOWED = Path(__file__).with_name("allowed_imports.txt")
_IMPORTED = """
import json, sys
{statement}
own = tuple(path for path in sys.path if path.startswith({folders!r}))
print(json.dumps(sorted(
    name for name, module in sys.modules.items() if (getattr(module, "__file__", None) or "").startswith(own)
)))
"""


def least_time(programs: Mapping[str, Program]) -> dict[str, float]:
    """Return milliseconds of processor: the least of several, which other work disturbs least."""
    return {name: min(taken["cpu"].values) for name, taken in by_turns(programs, 5).items()}


# Lambda's runtime has the module; what it is given to run after each restore is run once.
_RESUMED = """
import json, sys, types
hooks, opened = [], []
runtime = types.ModuleType("snapshot_restore_py")
runtime.register_after_restore = hooks.append
sys.modules["snapshot_restore_py"] = runtime
sys.addaudithook(lambda event, _: opened.append(event) if event == "socket.connect" else None)
import {name}.handler as handler
keyed_hash = handler._deps.keyed_hash
found = [(bool(opened), bool(keyed_hash._keyed))]
for hook in hooks:
    hook()
found.append((bool(opened), bool(keyed_hash._keyed)))
print(json.dumps({{"connected": [one for one, _ in found], "has its key": [one for _, one in found]}}))
"""
# What the standard library compiles is no part of the deployed tree, nor is a text that is run.
_COMPILED = """
import json, sys
compiled = []
sys.addaudithook(lambda event, told: compiled.append(str(told[1])) if event == "compile" else None)
import {name}.handler
print(json.dumps([path for path in compiled if path.startswith({folders!r})]))
"""


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as found:
        yield found


def allowed() -> dict[str, set[str]]:
    """Read the list: `[function]`, then what it may import beside what `[all]` may, one a line."""
    lists: dict[str, set[str]] = {}
    for line in ALLOWED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = lists.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            section.add(line)
    return lists


def is_in(module: str, entry: str) -> bool:
    """Tell whether an entry of the list allows a module."""
    package = entry.removesuffix(".*")
    return module == package or (entry != package and module.startswith(f"{package}."))


def imported(name: str, around: Surroundings) -> list[str]:
    """Return the modules from outside the standard library that a function has imported once it has
    started.
    """
    path = product().path(name)
    code = _IMPORTED.format(statement=f"import {name}.handler", folders=tuple(map(str, path)))
    program = Program(code, path, around.environment)
    found: list[str] = json.loads(program.output().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def modules_of(around: Surroundings) -> dict[str, list[str]]:
    """What each function has imported once it has started."""
    return {name: imported(name, around) for name in FUNCTIONS}


@pytest.mark.req("P1")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_imports_nothing_that_is_not_allowed(name: str, modules_of: dict[str, list[str]]) -> None:
    lists = allowed()
    modules = modules_of[name]
    assert f"{name}.handler" in modules
    entries = lists["all"] | lists[name]
    refused = [module for module in modules if not any(is_in(module, entry) for entry in entries)]
    assert refused == [], f"{ALLOWED.name} does not allow them: each costs every voter who meets a cold start"


@pytest.mark.req("P1")
def test_list_refuses_what_it_does_not_name() -> None:
    """The counterproof: what was measured and left out, and a module inside a package of which
    others are allowed.
    """
    entries = set().union(*allowed().values())
    for module in (
        "boto3",
        "pydantic",
        "aws_xray_sdk.core",
        "aws_lambda_powertools.utilities.parser",
        "reassort.election_file",
    ):
        assert not any(is_in(module, entry) for entry in entries), module


def test_list_allows_nothing_that_nobody_imports(modules_of: dict[str, list[str]]) -> None:
    lists = allowed()
    for section, entries in lists.items():
        users = FUNCTIONS if section == "all" else (section,)
        for entry in entries:
            for user in users:
                assert any(is_in(module, entry) for module in modules_of[user]), (user, entry)


@pytest.mark.req("P1")
def test_starts_beside_ref(around: Surroundings, tell: Callable[[str], None]) -> None:
    # Reading bytecode is a part of a start that enters no function.
    measure = counted if can_count_instructions() else least_time
    found: Mapping[str, float] = measure({"REF": ref(around), **{name: function(name, around) for name in BARS}})
    for name, bar in BARS.items():
        measured = found[name] / found["REF"]
        tell(f"start of {name}, {measure.__name__}: {measured:.3f} × REF")
        assert measured <= bar


def compiled_at_start(name: str, path: tuple[Path, ...], around: Surroundings) -> list[str]:
    """Return the files that Python compiles when a function starts from this path."""
    program = Program(_COMPILED.format(name=name, folders=tuple(map(str, path))), path, around.environment)
    found: list[str] = json.loads(program.output().splitlines()[-1])
    return found


@pytest.mark.req("P1b")
def test_nothing_is_compiled_when_a_deployed_function_starts(around: Surroundings, tmp_path: Path) -> None:
    """Lambda unpacks each file with the date 1980; bytecode that is older than its source would not
    be taken.
    """
    layer = deployed_copy(product().layer, tmp_path / "layer")
    for name in FUNCTIONS:
        function_folder = deployed_copy(product().path(name)[0], tmp_path / name)
        assert compiled_at_start(name, (function_folder, layer), around) == []
        # The counterproof: without its bytecode, the handler is compiled.
        shutil.rmtree(function_folder / name / "__pycache__")
        assert f"{function_folder / name / 'handler.py'}" in compiled_at_start(name, (function_folder, layer), around)


@pytest.mark.req("S9")
@pytest.mark.parametrize("name", ["login", "reissue"])
def test_snapshot_holds_neither_key_nor_connection(name: str, around: Surroundings) -> None:
    code = _RESUMED.format(name=name)
    program = Program(
        code, product().path(name), {**around.environment, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    )
    assert json.loads(program.output().splitlines()[-1]) == {
        "connected": [False, True],
        "has its key": [False, True],
    }


@pytest.mark.req("P7")
def test_deployed_zips_beside_those_of_a_usual_handler(tell: Callable[[str], None]) -> None:
    measured = zipped_size(*product().artefacts()) / zipped_size(reference_packages(compiled=False))
    tell(f"deployed zips: {measured:.3f} × NAIVE's")
    assert measured <= 0.40


@pytest.mark.req("P2")
def test_warm_reissue_beside_its_bare_calls_and_a_usual_handler(
    around: Surroundings, tell: Callable[[str], None]
) -> None:
    few, many = (programs(around, "invoke()\n" * times) for times in (2, 12))
    cost = {
        name: functions_entered(many[name]) - functions_entered(few[name])
        for name in ("reissue", "bare calls", "NAIVE")
    }
    bare, naive = cost["reissue"] / cost["bare calls"], cost["reissue"] / cost["NAIVE"]
    tell(f"warm reissue, functions entered: {bare:.3f} × its bare calls, {naive:.3f} × NAIVE")
    assert bare <= 1.15
    assert naive <= 0.40


@pytest.mark.req("P2b")
def test_first_request_beside_a_warm_one_over_tls(tell: Callable[[str], None]) -> None:
    with surroundings(tls=True) as secure:
        measured = first_beside_warm(secure, functions_entered)
    tell(f"first request, functions entered: {measured:.2f} × a warm one")
    assert measured <= 3


@pytest.mark.req("P2")
def test_requests_find_their_connections_open(around: Surroundings) -> None:
    opened = connections_opened(around)
    assert opened["reissue"] == 0
    # The counterproof: what connects when it is first asked is counted.
    assert opened["NAIVE"] > 0


@pytest.mark.req("P2c")
def test_memory_beside_a_usual_handler(around: Surroundings, tell: Callable[[str], None]) -> None:
    measure = 'print(json.dumps({"measured": {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}}))'
    measured_ones = programs(around, "invoke()\n" * 100 + measure)
    peaks = {name: measured_ones[name].run()["peak"] for name in ("reissue", "NAIVE")}
    measured = peaks["reissue"] / peaks["NAIVE"]
    tell(f"peak memory: {measured:.3f} × NAIVE")
    assert measured <= 0.65
