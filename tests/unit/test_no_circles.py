"""No module imports itself by way of others, not even for its types alone: each can be read after those below it."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "functions", ROOT / "layers/shared")


def imports_of(*sources: Path) -> dict[str, set[str]]:
    """Return, for each module of these folders, the modules of these folders that it imports anywhere in its text."""
    files = {_name(file.relative_to(source)): file for source in sources for file in source.rglob("*.py")}
    return {name: _imported(file, files.keys()) - {name} for name, file in files.items()}


def _name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(file: Path, modules: Collection[str]) -> set[str]:
    named: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported from a package may be a module of it.
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= members & set(modules) or {node.module}
    return named & set(modules)


def test_functions_and_layer_have_no_circle() -> None:
    imports = imports_of(*SOURCES)
    assert len(imports) > 60
    TopologicalSorter(imports).prepare()


def test_circle_of_types_alone_is_found(tmp_path: Path) -> None:
    """The counterproof."""
    (tmp_path / "rule.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from form import Form\n"
    )
    (tmp_path / "form.py").write_text("import rule\n")
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of(tmp_path)).prepare()
