"""Which metrics a function's code writes in CloudWatch's embedded format, read from its source
without running it.

A metric is an entry of a dict whose value is a tuple that begins with a `MetricUnit`, or a call of
`add_metric(name=…)`. The names of its dimensions are the other keys of dicts in the same method,
and in the methods of the class that it calls or that call it with them.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_UNIT = "MetricUnit"


@dataclass(frozen=True, slots=True)
class Emitted:
    """A metric and the dimensions that it may have; `bare` when it is written without any as
    well.
    """

    name: str
    dimensions: frozenset[str]
    bare: bool

    def has(self, dimensions: frozenset[str]) -> bool:
        """Tell whether the metric is written under exactly these dimensions, as far as the source
        tells.
        """
        return dimensions <= self.dimensions if dimensions else self.bare


@dataclass(slots=True)
class _Method:
    metrics: set[str] = field(default_factory=set)
    dimensions: set[str] = field(default_factory=set)
    bare: bool = False
    calls: set[str] = field(default_factory=set)


@cache
def emitted_by(folder: Path) -> tuple[Emitted, ...]:
    """Return the metrics of the Python files of a folder."""
    found: defaultdict[str, list[Emitted]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        for emitted in _of_module(ast.parse(path.read_text("utf-8"))):
            found[emitted.name].append(emitted)
    return tuple(
        Emitted(
            name, frozenset[str]().union(*(one.dimensions for one in all_of_it)), any(one.bare for one in all_of_it)
        )
        for name, all_of_it in found.items()
    )


def _of_module(tree: ast.Module) -> Iterator[Emitted]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _of_class({one.name: one for one in node.body if isinstance(one, ast.FunctionDef)})
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_metric":
            for keyword in node.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    yield Emitted(str(keyword.value.value), frozenset(), bare=True)


def _of_class(functions: dict[str, ast.FunctionDef]) -> Iterator[Emitted]:
    methods = {name: _read(function) for name, function in functions.items()}
    for name, method in methods.items():
        callers = {other for other in methods if name in methods[other].calls}
        dimensions = {key for one in _reached(methods, name) | callers for key in methods[one].dimensions}
        for metric in method.metrics:
            yield Emitted(metric, frozenset(dimensions), method.bare)


def _reached(methods: dict[str, _Method], name: str) -> set[str]:
    reached = {name}
    while more := {call for one in reached for call in methods[one].calls if call in methods} - reached:
        reached |= more
    return reached


def _read(function: ast.FunctionDef) -> _Method:
    method = _Method()
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    (method.metrics if _is_metric(value) else method.dimensions).add(key.value)
            method.bare = method.bare or not node.keys
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_self(node.func.value):
            method.calls.add(node.func.attr)
            # Nothing but the metrics is handed over.
            handed = [*node.args, *(keyword.value for keyword in node.keywords)]
            method.bare = method.bare or (bool(handed) and all(map(_holds_metric, handed)))
    return method


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _is_metric(value: ast.expr) -> bool:
    return isinstance(value, ast.Tuple) and any(
        isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == _UNIT
        for part in value.elts
    )


def _holds_metric(node: ast.expr) -> bool:
    return isinstance(node, ast.Dict) and any(map(_is_metric, node.values))
