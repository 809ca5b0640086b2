"""The table of what `make mutants` tries: whole, and true."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from mutants.mutations import mutants_of
from mutants.operators import OWN
from mutants.report import DOCUMENT, STORE, document
from mutants.sample import mutant_of
from mutants.table import SampledSlip, exceptions, modules, sample, survivors

from local.processes import ROOT


def test_every_module_exists_and_has_its_tests() -> None:
    table = modules()
    named = {*table, *(test for tests in table.values() for test in tests)}
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []
    assert all(tests for tests in table.values())
    assert list(table) == sorted(table)


def test_every_module_of_functions_and_layers_is_tried_or_left_out_for_a_reason() -> None:
    table, left_out = set(modules()), exceptions()
    found = [
        str(path.relative_to(ROOT))
        for folder in ("functions", "layers/shared/reassort")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    missing = [path for path in found if path not in table and not {path, Path(path).name} & set(left_out)]
    assert missing == []
    assert sorted(table & set(left_out)) == []
    names = {Path(path).name for path in found} | {path for path in left_out if (ROOT / path).is_file()}
    assert sorted(set(left_out) - names) == []


def test_every_module_with_a_condition_is_tried() -> None:
    """What writes under a condition has a rule, wherever it lies."""
    table = set(modules())
    conditional = [
        str(path.relative_to(ROOT))
        for folder in ("functions", "layers/shared", "ops")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if any("attribute_exists(" in text or "attribute_not_exists(" in text for text in _texts(path))
    ]
    assert len(conditional) > 25
    assert sorted(set(conditional) - table - set(exceptions())) == []


@pytest.mark.parametrize("slip", sample(), ids=lambda slip: slip.rule)
def test_each_slip_of_the_sample_stands_where_it_says(slip: SampledSlip) -> None:
    ast.parse(mutant_of(slip).code)
    table = modules()
    assert slip.module in table
    for test in slip.tests:
        file, *names = test.split("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert all(f"def {name}(" in text or f"class {name}:" in text for name in names)


def test_the_sample_says_each_rule_once() -> None:
    rules = [slip.rule for slip in sample()]
    assert len(rules) == len(set(rules)) >= 25


def test_each_survivor_is_a_mutant_and_has_a_reason() -> None:
    listed = survivors()
    for module in sorted({module for module, _ in listed}):
        source = (ROOT / module).read_text(encoding="utf-8")
        wanted = {name for of, name in listed if of == module}
        # To make all slips would take minutes: those of the lines that one of these changes.
        changed = " ".join(wanted)
        lines = {
            number for number, line in enumerate(source.splitlines(), 1) if line.strip() and line.strip() in changed
        }
        assert sorted(wanted - {mutant.name for mutant in mutants_of(module, source, lines)}) == []
    assert all(len(why.split()) >= 4 for why in listed.values())


@pytest.mark.parametrize("operator", OWN)
def test_own_mutations_do_what_their_examples_say(operator: type) -> None:
    for example in operator.examples():  # type: ignore[attr-defined]
        found = mutate_code(example.pre_mutation_code, operator(), example.occurrence)  # type: ignore[no-untyped-call]
        assert found == example.post_mutation_code


def test_no_slip_is_made_in_a_type() -> None:
    source = "def f(a: Callable[[A, B], C]) -> Callable[[A, B], C]: ...\nx: Callable[[A, B], C] = y\n"
    assert mutants_of("types.py", source) == []


def test_what_was_kept_is_what_the_document_says() -> None:
    store = json.loads(STORE.read_text(encoding="utf-8"))
    assert DOCUMENT.read_text(encoding="utf-8") == document(store)
    assert set(store["modules"]) <= set(modules())
    assert [module for module, kept in store["modules"].items() if kept["survived"]] == []


def _texts(path: Path) -> list[str]:
    """Return the texts of a module, docstrings apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        str(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]
