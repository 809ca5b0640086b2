"""Every mutant of a module, each with a name that outlives a move of its lines."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

from mutants.operators import OWN

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

# Of cosmic-ray's 213: one of each kind of replacement, and nothing that turns types into others.
_KEPT = (
    *(
        f"ReplaceComparisonOperator_{change}"
        for change in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Is_IsNot", "IsNot_Is")
    ),
    *(
        f"ReplaceBinaryOperator_{change}"
        for change in ("Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul", "Mod_Add")
    ),
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "AddNot",
    "NumberReplacer",
    "ZeroIterationForLoop",
)
_REPLACED = {"==", "!=", "is", "is not"}
# Of what is written there no test can tell anything.
_PASSED_OVER = {"decorator", "decorators", "tfpdef", "import_from", "import_name"}


@dataclass(frozen=True)
class Mutant:
    """A module with one slip. `lines` are those of the statement that it is in, in the module as it
    is.
    """

    module: str
    name: str
    code: str
    lines: tuple[int, ...]


def mutants_of(module: str, source: str, lines: Container[int] | None = None) -> list[Mutant]:
    """Return every mutant of a module, or those of some of its lines. Two that read alike are
    numbered.
    """
    places = _statements(source)
    seen: Counter[str] = Counter()
    found = []
    for code, line in _mutated(source, lines):
        if not _compiles(code):
            continue
        change = _change(source, code)
        scope, statement = places(line)
        name = f"{scope}: {change}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} ({seen[name]})"
        found.append(Mutant(module, name, code, statement))
    return found


def _mutated(source: str, lines: Container[int] | None) -> Iterator[tuple[str, int]]:
    blocks = _blocks(source, lines)
    for operator in [*_cosmic_rays(), *(own() for own in OWN)]:
        for before, block, after, nodes in blocks:
            first, occurrence = before.count("\n"), 0
            for node in nodes:
                # Positions are told one after the other, as `mutate_code` counts them.
                for (line_of_block, _), _ in operator.mutation_positions(node):
                    line = first + line_of_block
                    is_asked_for = lines is None or line in lines
                    if is_asked_for and not _is_passed_over(node) and not _says_it_again(type(operator).__name__, node):
                        code = mutate_code(block, operator, occurrence)  # type: ignore[no-untyped-call]
                        if code is not None and code != block:
                            yield f"{before}{code}{after}", line
                    occurrence += 1


def _blocks(source: str, lines: Container[int] | None) -> list[tuple[str, str, str, list[Any]]]:
    """Return each statement of the module's own level that has one of the lines, with what stands
    before and after it, and its nodes: `mutate_code` reads all that it is given, for each slip.
    """
    blocks, end = [], 0
    for statement in parso.parse(source).children:  # type: ignore[no-untyped-call]
        block = statement.get_code()
        start, end = end, end + len(block)
        first = source.count("\n", 0, start) + 1
        if lines is not None and not any(line in lines for line in range(first, first + block.count("\n") + 1)):
            continue
        nodes = list(ast_nodes(parso.parse(block)))  # type: ignore[no-untyped-call]
        blocks.append((source[:start], block, source[end:], nodes))
    return blocks


def _cosmic_rays() -> list[Any]:
    return [get_operator(f"core/{name}")() for name in _KEPT]  # type: ignore[no-untyped-call]


def _is_passed_over(node: Any) -> bool:
    while node is not None:
        if node.type in _PASSED_OVER or _is_annotation(node):
            return True
        if node.type == "if_stmt" and node.children[1].get_code().strip() == "TYPE_CHECKING":
            return True
        node = node.parent
    return False


def _is_annotation(node: Any) -> bool:
    """Tell whether a node is the type of a variable or of what a function returns."""
    parent = node.parent
    match parent.type if parent is not None else "":
        case "annassign":
            return parent.children[1] is node
        case "funcdef":
            return parent.children[3] == "->" and parent.children[4] is node
    return False


def _says_it_again(operator: str, node: Any) -> bool:
    """Tell whether another operator makes the same slip, or a better one."""
    if operator == "NumberReplacer":
        return not re.fullmatch(r"\d|10", node.value)
    if operator == "AddNot":
        condition = node.children[2 if node.type == "test" else 1]
        is_replaced = condition.type == "comparison" and condition.children[1].get_code().strip() in _REPLACED
        return bool(is_replaced or condition.type == "not_test")
    return False


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _change(before: str, after: str) -> str:
    """Return the lines that differ, as they were and as they are."""
    old, new = before.splitlines(), after.splitlines()
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    old, new = old[head:], new[head:]
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(old), reversed(new), strict=False)))
    return " → ".join(" ".join(line.strip() for line in side[: len(side) - tail]) for side in (old, new))


def _statements(source: str) -> Any:
    """Return what gives, for a line, the name of what it is in, and the lines of its statement that
    run.
    """
    tree = ast.parse(source)
    spans: list[tuple[int, int]] = []
    scopes: list[tuple[int, int, str]] = []

    def walk(node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{scope}.{child.name}" if scope else child.name
                scopes.append((child.lineno, child.end_lineno or child.lineno, inner))
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                body = getattr(child, "body", None)
                first = child.lineno if not isinstance(child, ast.match_case) else child.pattern.lineno
                last = body[0].lineno - 1 if body else getattr(child, "end_lineno", first)
                spans.append((first, max(first, last)))
            walk(child, inner)

    walk(tree, "")

    @cache
    def place(line: int) -> tuple[str, tuple[int, ...]]:
        inside = [span for span in spans if span[0] <= line <= span[1]]
        first, last = max(inside) if inside else (line, line)
        names = [(end - start, name) for start, end, name in scopes if start <= line <= end]
        return min(names)[1] if names else "module", tuple(range(first, last + 1))

    return place
