"""A word stands for one thing in the whole tree: no two classes have the same name."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = (
    *("functions", "layers", "ops", "local", "site", "bench", "tests", "tools", "harness"),
    *("examples", "packaging", "data"),
)
# What each function is given, by its template and by its wiring: one shape, whose members each
# function says for itself.
OF_EACH_FUNCTION = {"Deps", "Settings"}


def classes_named_twice(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the files of each name that more than one class has, given each file's name and
    content.
    """
    files: defaultdict[str, list[str]] = defaultdict(list)
    for file, content in sources:
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.ClassDef) and not (node.name in OF_EACH_FUNCTION and file.startswith("functions/")):
                files[node.name].append(file)
    return {name: found for name, found in files.items() if len(found) > 1}


def test_each_class_has_a_name_of_its_own() -> None:
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    # Counter-examples of the rules are what they forbid, and packages of Node.js are not ours.
    own = [path for path in paths if not {"counterexamples", "node_modules"} & set(path.parts)]
    assert len(own) > 200
    assert classes_named_twice((path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in own) == {}


def test_a_second_class_of_a_name_is_found() -> None:
    twice = [("ops/a.py", "class Outcome: ..."), ("bench/b.py", "class Outcome: ...\nclass Other: ...")]
    assert classes_named_twice(twice) == {"Outcome": ["ops/a.py", "bench/b.py"]}
    functions = [("functions/login/deps.py", "class Deps: ..."), ("functions/notify/deps.py", "class Deps: ...")]
    assert classes_named_twice(functions) == {}
    assert classes_named_twice([*functions, ("ops/c.py", "class Deps: ..."), ("ops/d.py", "class Deps: ...")])
