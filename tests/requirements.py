"""Which tests carry which requirement: read from the `req` marks of the files, without importing
them.

`python -m tests.requirements S A` prints the tests of each requirement of these groups, and then
which of any group no test carries; `--write` writes docs/traceability.md.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Collection
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "traceability.md"
PROMISES = ROOT / "docs" / "promises.md"
IDS = [
    f"{letter}{number}"
    for letter, numbers in {
        "S": range(1, 42),
        "R": range(1, 19),
        "A": range(1, 16),
        "U": range(1, 21),
        "P": range(1, 10),
        "I": range(1, 13),
        "H": tuple(range(1, 9)),
        "O": range(1, 15),
    }.items()
    for number in numbers
]
_HEAD = """# Which test shows what

Written by `python -m tests.requirements --write`; a test compares it. The promises are those of
[promises.md](promises.md). A number is how many tests of that file carry the id.
"""
_WIDTH = 100


@cache
def carriers() -> dict[str, list[str]]:
    """Return the tests of each requirement id as `tests/unit/test_phones.py::test_name`, in the
    order of files and lines. The result is shared: do not change it.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "node_modules" in path.parts:
            continue
        for name, identifiers in _marked(ast.parse(path.read_text("utf-8"))):
            for identifier in identifiers:
                found[identifier].append(f"{path.relative_to(ROOT)}::{name}")
    return dict(found)


def promises() -> dict[str, tuple[str, list[str]]]:
    """Return the heading and the cells of each id's row in docs/promises.md."""
    found, heading = {}, ""
    for line in PROMISES.read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif row := re.fullmatch(r"\| ([A-Z]\d+b?c?) \| (.*) \|", line):
            found[row[1]] = heading, row[2].split(" | ")
    return found


def written() -> str:
    """Return docs/traceability.md."""
    tests = carriers()
    lines, before = [_HEAD], ""
    for identifier, (heading, cells) in promises().items():
        if heading != before:
            lines.append(f"## {heading}\n")
            before = heading
        files: defaultdict[str, int] = defaultdict(int)
        for test in tests.get(identifier, ()):
            files[test.partition("::")[0]] += 1
        named = [f"[{_short(file)}](../{file})&nbsp;{count}" for file, count in files.items()]
        lines += [*_wrapped([f"**{identifier}**", *": ".join(cells).split(" "), "\u2014", *named]), ""]
    return "\n".join(lines)


def _short(file: str) -> str:
    path = Path(file).relative_to("tests")
    return f"{path.parent}/{path.stem.removeprefix('test_')}"


def _wrapped(words: list[str]) -> list[str]:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def report(group: str) -> list[str]:
    """Return a line for each requirement of a group (a letter of `IDS`), with its tests below."""
    lines = []
    tests = carriers()
    for identifier in sorted(
        (name for name in tests if name[0] == group), key=lambda name: int(re.sub(r"\D", "", name))
    ):
        files: defaultdict[str, list[str]] = defaultdict(list)
        for test in tests[identifier]:
            file, _, name = test.partition("::")
            files[file.removeprefix("tests/")].append(name.removeprefix("test_"))
        lines.append(f"{identifier}: {len(tests[identifier])} tests")
        lines += [f"    {file}: {', '.join(names)}" for file, names in files.items()]
    return lines


def missing(carried: Collection[str]) -> str:
    """Return a line that names the ids of any group that are not among those that tests carry."""
    found = [identifier for identifier in IDS if identifier not in carried]
    if found:
        return f"{len(found)} of {len(IDS)} requirements are carried by no test: {' '.join(found)}"
    return f"all {len(IDS)} requirements are carried by a test"


def _marked(tree: ast.Module) -> list[tuple[str, list[str]]]:
    of_module = [
        identifier
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        for identifier in _identifiers(node.value)
    ]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            own = [identifier for decorator in node.decorator_list for identifier in _identifiers(decorator)]
            found.append((node.name, [*of_module, *own]))
    return found


def _identifiers(expression: ast.expr) -> list[str]:
    return [
        argument.value
        for node in ast.walk(expression)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def main(arguments: list[str]) -> int:
    """Print a group, or write the document; return the exit status."""
    match arguments:
        case ["--write"]:
            DOCUMENT.write_text(written(), "utf-8")
        case [_, *_] if lines := [line for group in arguments for line in report(group)]:
            print("\n".join([*lines, missing(carriers())]))  # noqa: T201
        case _:
            print("usage: python -m tests.requirements S|R|A|U|P|I|H|O … | --write", file=sys.stderr)  # noqa: T201
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
