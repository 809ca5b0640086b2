"""docs/dependencies.md names every package that pyproject.toml and tools/node/package.json ask for,
and no other.
"""

from __future__ import annotations

import json
import re
import tomllib

from local.processes import ROOT

DOCUMENT = (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def _asked_for() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = [*project["build-system"]["requires"]]
    lines += [line for group in project["dependency-groups"].values() for line in group if isinstance(line, str)]
    node = json.loads((ROOT / "tools" / "node" / "package.json").read_text("utf-8"))
    return {re.split(r"[\[<>=~!]", line)[0] for line in lines} | {*node["dependencies"], *node["devDependencies"]}


def _described() -> set[str]:
    packages, _, _ = DOCUMENT.partition("## What is written by hand")
    first_cells = re.findall(r"^\| (`[^|]*`) \|", packages, re.MULTILINE)
    return {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_package_is_described_and_nothing_else() -> None:
    assert _described() == _asked_for()


def test_every_place_that_it_names_exists() -> None:
    places = re.findall(r"`((?:[a-z_.]+/)+[a-z_.0-9]*)`", DOCUMENT)
    roots = (ROOT, ROOT / "layers/shared", ROOT / "ops/reassort_ops")
    assert len(places) > 20
    assert [place for place in places if not any((root / place).exists() for root in roots)] == []
