"""Mutations that cosmic-ray does not know: of DynamoDB's expressions, which are text to Python, and
of what is listed, said or bound.

A clause that is gone still names its values: DynamoDB refuses a value that no expression uses, and
a test that dies of that has not seen the rule.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import parso
from cosmic_ray.exceptions import CosmicRayTestingException
from cosmic_ray.operators.operator import Example, Operator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

type Node = Any
type Span = tuple[tuple[int, int], tuple[int, int]]

_NAME = r"(?:[\w#]|\{[^{}]*\})+"
_PATH = rf"(?<![\w#.:}}])(?:{_NAME}\.)*{_NAME}"
_VALUE = r":(?:\w|\{[^{}]*\})+"
_CLAUSE = re.compile(
    rf"(?:NOT )?attribute_(?:not_)?exists\({_NAME}(?:\.{_NAME})*\)"
    rf"|(?:NOT )?contains\({_PATH}, {_VALUE}\)"
    rf"|size\({_PATH}\) [<>=]+ {_VALUE}"
    rf"|{_PATH} (?:<=|>=|<>|<|>|=) {_VALUE}"
)
_ASSIGNMENT = re.compile(rf"({_PATH}) = (?={_VALUE}|if_not_exists|list_append|{_NAME})")
_REMOVED = re.compile(rf"(?<=REMOVE ){_PATH}")
_EXPRESSION = re.compile(
    r" (?:=|<>|<|<=|>|>=) :|attribute_|SET |REMOVE |ADD | AND | OR |messages\.|, \{?\w+\}?\.\w+ = "
)
# What no item has.
_NOWHERE = "gone"
# Up to here a number is mutated by one, above by its magnitude.
_SMALL = 10


class _OfText(Operator):
    """An operator of string literals, docstrings excepted."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield the literal once for each of its mutations."""
        if node.type not in {"string", "fstring"} or _is_docstring(node):
            return
        for _ in self.variants(node.get_code(include_prefix=False)):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the literal with its mutation of that number."""
        return _in_place_of(node, list(self.variants(node.get_code(include_prefix=False)))[index])

    @abstractmethod
    def variants(self, text: str) -> Iterator[str]:
        """Yield the source of the literal with one mutation each."""


class Clauses(_OfText):
    """A clause of a condition holds always, or never."""

    def variants(self, text: str) -> Iterator[str]:
        """Yield both for each clause."""
        if "SET " in text or re.search(rf"{_VALUE}, |list_append|if_not_exists", text):
            return
        for clause in _CLAUSE.finditer(text):
            before, after = text[: clause.start()], text[clause.end() :]
            yield f"{before}(attribute_not_exists({_NOWHERE}) OR {clause[0]}){after}"
            yield f"{before}(attribute_exists({_NOWHERE}) AND {clause[0]}){after}"

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one of each."""
        source = 'x = "seen_at = :read"'
        return (
            Example(source, 'x = "(attribute_not_exists(gone) OR seen_at = :read)"'),
            Example(source, 'x = "(attribute_exists(gone) AND seen_at = :read)"', occurrence=1),
        )


class Assignments(_OfText):
    """An attribute is not written, or not removed."""

    def variants(self, text: str) -> Iterator[str]:
        """Yield the expression with each attribute in turn written elsewhere."""
        is_update = "SET " in text or "REMOVE " in text
        if not is_update and not re.search(rf"{_VALUE}, |list_append|if_not_exists|^f?['\"]{_PATH} = {_VALUE}", text):
            return
        for pattern in (_ASSIGNMENT, _REMOVED):
            for found in pattern.finditer(text):
                if "#" not in found[0]:
                    start = found.start()
                    target = found[1] if pattern is _ASSIGNMENT else found[0]
                    yield f"{text[:start]}{_NOWHERE}{text[start + len(target) :]}"

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one of each."""
        source = 'x = "SET seen_at = :now REMOVE wake"'
        return (
            Example(source, 'x = "SET gone = :now REMOVE wake"'),
            Example(source, 'x = "SET seen_at = :now REMOVE gone"', occurrence=1),
        )


class Placeholders(_OfText):
    """A text does without one of the values that it is made of; DynamoDB's expressions have
    mutations of their own.
    """

    def variants(self, text: str) -> Iterator[str]:
        """Yield the f-string without each of its values."""
        if not re.match(r"[a-z]*f", text, re.IGNORECASE) or _EXPRESSION.search(text):
            return
        for found in re.finditer(r"(?<!\{)\{[^{}]+\}(?!\})", text):
            yield text[: found.start()] + text[found.end() :]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one."""
        return (Example('x = f"{voter}#{code}"', 'x = f"#{code}"'),)


class Elements(Operator):
    """A tuple, a list or a set lacks one of its elements."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield each element of a display."""
        for element in self._elements(node):
            yield element.start_pos, element.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the display without the element of that number."""
        left = [element.get_code() for element in self._elements(node)]
        del left[index]
        opening, closing = (node.children[place].value for place in (0, -1))
        comma = "," if opening == "(" and left else ""
        return _in_place_of(
            node, f"{opening}{','.join(left).strip()}{comma}{closing}" if left or opening != "{" else "()"
        )

    @staticmethod
    def _elements(node: Node) -> list[Node]:
        if node.type != "atom" or node.children[0].value not in {"(", "[", "{"} or len(node.children) != 3:
            return []
        if node.parent is not None and node.parent.type in {"except_clause", "for_stmt", "expr_stmt"}:
            first = node.parent.children[0] is node
            if node.parent.type != "expr_stmt" or first:
                return []
        inside, opening = node.children[1], node.children[0].value
        if inside.type not in {"testlist_comp", "dictorsetmaker"}:
            # One element and no comma: a list or a set of one.
            return [inside] if opening == "[" and inside.type != "operator" else []
        if any(child.type == "sync_comp_for" or child == ":" or child == "**" for child in inside.children):
            return []
        return [child for child in inside.children if child != ","]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one of each."""
        return (
            Example("x = (A, B)", "x = (B,)"),
            Example("x = [a, b]", "x = [a]", occurrence=1),
        )


class Entries(Operator):
    """A dictionary lacks one of its entries; values and names of expressions are not among them."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield each entry of a display."""
        for entry in self._entries(node):
            yield entry[0].start_pos, entry[-1].end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the display without the entry of that number."""
        left = ["".join(part.get_code() for part in entry) for entry in self._entries(node)]
        del left[index]
        return _in_place_of(node, f"{{{','.join(left).strip()}}}")

    @staticmethod
    def _entries(node: Node) -> list[list[Node]]:
        if node.type != "atom" or node.children[0] != "{" or node.children[1].type != "dictorsetmaker":
            return []
        parts = node.children[1].children
        if any(part.type in {"sync_comp_for", "comp_for"} for part in parts) or not any(part == ":" for part in parts):
            return []
        entries: list[list[Node]] = [[]]
        for part in parts:
            if part == ",":
                entries.append([])
            else:
                entries[-1].append(part)
        entries = [entry for entry in entries if entry]
        if any(re.match(r"f?['\"][:#]", entry[0].get_code().strip()) for entry in entries):
            return []
        return entries

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one."""
        return (Example('x = {"voter": voter, **more}', 'x = {"voter": voter}', occurrence=1),)


class Magnitudes(Operator):
    """A number above ten is ten times as great, or a tenth."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield a number twice."""
        if node.type == "number" and self._value(node) > _SMALL:
            yield node.start_pos, node.end_pos
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the number times ten, then its tenth."""
        value = self._value(node)
        return _in_place_of(node, str((value * 10, value // 10)[index]))

    @staticmethod
    def _value(node: Node) -> int:
        try:
            return int(node.value, 0)
        except ValueError:
            return 0

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give both."""
        return (Example("x = 30", "x = 300"), Example("x = 30", "x = 3", occurrence=1))


class Arguments(Operator):
    """A keyed hash does without one of the values that it binds."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield each argument of a call of something named `hash`."""
        for argument in self._arguments(node):
            yield argument.start_pos, argument.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the call without the argument of that number."""
        left = [argument.get_code() for argument in self._arguments(node)]
        del left[index]
        called = "".join(child.get_code() for child in node.children[:-1]).strip()
        return _in_place_of(node, f"{called}({','.join(left).strip()})")

    @staticmethod
    def _arguments(node: Node) -> list[Node]:
        if node.type not in {"atom_expr", "power"} or not re.search(
            r"\bhash\($", node.get_code().rpartition("(")[0] + "("
        ):
            return []
        last = node.children[-1]
        if last.type != "trailer" or last.children[0] != "(" or last.children[1].type != "arglist":
            return []
        return [child for child in last.children[1].children if child != ","]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one."""
        return (Example("x = keys.hash(P, voter, code)", "x = keys.hash(P, code)", occurrence=1),)


class Statements(Operator):
    """A call whose result nobody takes, a `raise` or an addition in place is not made."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield a statement that does something."""
        if self._does(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:  # noqa: ARG002 - cosmic-ray's form
        """Return the statement that does nothing."""
        return _in_place_of(node, "pass")

    @staticmethod
    def _does(node: Node) -> bool:
        if node.parent is None or node.parent.type != "simple_stmt":
            return False
        if node.type in {"atom_expr", "power"}:
            return bool(node.children[-1].type == "trailer" and node.children[-1].children[0] == "(")
        if node.type == "expr_stmt":
            return bool(node.children[1].type == "operator" and node.children[1].value.rstrip("=")) or (
                node.children[1].type == "augassign"
            )
        return bool(node.type == "raise_stmt")

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one of each."""
        return (
            Example("check(voter)\n", "pass\n"),
            Example("raise Refused\n", "pass\n"),
            Example("n += 1\n", "pass\n"),
        )


class Handlers(Operator):
    """An exception is not caught. cosmic-ray's own operator fails at a dotted name."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield each exception that a handler names."""
        for caught in self._caught(node):
            yield caught.start_pos, caught.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return the handler, which catches something else instead of the exception of that
        number.
        """
        caught = self._caught(node)[index]
        siblings = caught.parent.children
        siblings[siblings.index(caught)] = _in_place_of(caught, CosmicRayTestingException.__name__)
        return node

    @staticmethod
    def _caught(node: Node) -> list[Node]:
        if node.type != "except_clause":
            return []
        named = node.children[1]
        if named.type != "atom":
            return [named]
        inside = named.children[1]
        return inside.children[::2] if inside.type == "testlist_comp" else [inside]

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Give one of each."""
        replaced = CosmicRayTestingException.__name__
        return (
            Example("try: f()\nexcept csv.Error: pass", f"try: f()\nexcept {replaced}: pass"),
            Example(
                "try: f()\nexcept (OSError, yaml.YAMLError) as error: pass",
                f"try: f()\nexcept (OSError, {replaced}) as error: pass",
                occurrence=1,
            ),
        )


OWN = (Clauses, Assignments, Placeholders, Elements, Entries, Magnitudes, Arguments, Statements, Handlers)


def _in_place_of(node: Node, text: str) -> Node:
    """Parse what takes a node's place, behind the blanks that the node stood behind."""
    parsed = parso.parse(text).children[0]  # type: ignore[no-untyped-call]
    parsed.get_first_leaf().prefix = node.get_first_leaf().prefix
    return parsed


def _is_docstring(node: Node) -> bool:
    parent = node.parent
    if parent is not None and parent.type == "strings":
        parent = parent.parent
    return parent is None or parent.type == "simple_stmt"
