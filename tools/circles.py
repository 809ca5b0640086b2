"""Who may import whom: no module imports itself by way of others, not even for its types alone, and
some rooms are kept apart.

    python tools/circles.py

It prints a circle, and each import that is not allowed; the exit status is 1 when there is one.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Folders whose modules are imported by their names in them.
SOURCES = (ROOT / "functions", ROOT / "layers/shared", ROOT / "ops", ROOT / "tools")
# Packages at the root.
PACKAGES = tuple(ROOT / name for name in ("bench", "harness", "local", "tests"))
_DEPLOYED = ("reassort", *(handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")))
# By package, those that it may not import.
APART = {
    "bench": ("tests",),
    "tests": ("bench",),
    "harness": ("bench", "tests"),
    "local": ("bench", "harness", "tests"),
    "reassort_ops": ("bench", "harness", "local", "tests"),
    **dict.fromkeys(_DEPLOYED, ("bench", "harness", "local", "reassort_ops", "tests")),
}


def imports_of(*sources: Path, packages: Collection[Path] = ()) -> dict[str, set[str]]:
    """Return, for each module of these folders, the modules of these folders that it imports
    anywhere in its text.

    Modules of `sources` are named from there, those of `packages` from the folder above.
    """
    places = [(source, source) for source in sources] + [(package, package.parent) for package in packages]
    files = {_name(file.relative_to(base)): file for folder, base in places for file in folder.rglob("*.py")}
    return {name: _imported(file, files.keys()) - {name} for name, file in files.items()}


def circle_in(imports: Mapping[str, Collection[str]]) -> list[str]:
    """Return the modules of a circle, the first one again at the end; nothing when there is
    none.
    """
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def not_allowed(imports: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Yield a line for each import of a module that its package is kept apart from."""
    for module, imported in sorted(imports.items()):
        apart = APART.get(module.partition(".")[0], ())
        yield from (f"{module} imports {other}" for other in sorted(imported) if other.partition(".")[0] in apart)


def main() -> int:
    """Print what is wrong; return the exit status."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    imports = imports_of(*SOURCES, packages=PACKAGES)
    circle = circle_in(imports)
    wrong = [*([f"a circle: {' → '.join(circle)}"] if circle else []), *not_allowed(imports)]
    print("\n".join([*wrong, f"{len(imports)} modules: {len(wrong) or 'no'} wrong imports"]))
    return 1 if wrong else 0


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


if __name__ == "__main__":
    sys.exit(main())
