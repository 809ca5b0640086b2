"""The rules of tools/cfn_rules: each catches its counter-examples, lets its good examples pass, and
finds nothing in the template.

A counter-example begins with comments: all that the rule finds there, where and in which words. A
line that begins further in belongs to the one before it.
"""

from __future__ import annotations

from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode
from cfnlint.rules import Rules
from cfnlint.template import Template

if TYPE_CHECKING:
    from cfnlint.rules import CloudFormationLintRule

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "tools" / "cfn_rules"
EXAMPLES = Path(__file__).parent / "counterexamples"
BAD = sorted(EXAMPLES.glob("*/bad_*.yaml"))
GOOD = sorted(EXAMPLES.glob("*/good_*.yaml"))
REQUIREMENTS = [f"A{number}" for number in range(1, 16)]


@cache
def own_rules() -> dict[str, CloudFormationLintRule]:
    """Return the rules by id, loaded by cfn-lint from their files."""
    return {rule.id: rule for rule in Rules.create_from_directory(str(RULES)).values()}


@cache
def translated(path: Path) -> Template:
    """Return a template as cfn-lint hands it to rules."""
    template, faults = decode(str(path))
    assert not faults
    assert template is not None
    cfn = Template(str(path), template, ["eu-west-3"])
    assert not cfn.transform()
    return cfn


def said(rule: str, path: Path) -> list[str]:
    """Return what a rule says about a template, behind the place of which it says it."""
    found = own_rules()[rule].match(translated(path))
    return [f"{'/'.join(map(str, match.path))}: {match.message}" for match in found]


def name(path: Path) -> str:
    """Return a short name of an example."""
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.req("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15")
@pytest.mark.parametrize("path", BAD, ids=name)
def test_counter_example_is_caught(path: Path) -> None:
    comments = takewhile(lambda line: line.startswith("# "), path.read_text("utf-8").splitlines())
    expected = "\n".join(comments).replace("\n#   ", " ").splitlines()
    assert [f"# {found}" for found in said(path.parent.name, path)] == expected


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_good_example_passes(path: Path) -> None:
    assert said(path.parent.name, path) == []


@pytest.mark.parametrize("rule", sorted(own_rules()))
def test_rule_has_examples_of_both_kinds(rule: str) -> None:
    assert [path for path in BAD if path.parent.name == rule]
    assert [path for path in GOOD if path.parent.name == rule]


@pytest.mark.parametrize("rule", sorted(own_rules()))
def test_rule_names_its_page_and_its_requirement(rule: str) -> None:
    found = own_rules()[rule]
    assert found.source_url.startswith("https://docs.aws.amazon.com/")
    assert found.shortdesc
    assert found.description
    assert f"A{int(rule[-2:])}" in found.tags


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_requirement_has_a_rule(requirement: str) -> None:
    assert [rule for rule in own_rules().values() if requirement in rule.tags]


@pytest.mark.req("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15")
@pytest.mark.parametrize("rule", sorted(own_rules()))
def test_template_keeps_the_rule(rule: str) -> None:
    assert said(rule, ROOT / "template.yaml") == []


def test_plain_cfn_lint_loads_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert RULES in [Path(folder).resolve() for folder in ConfigMixIn([]).append_rules]
