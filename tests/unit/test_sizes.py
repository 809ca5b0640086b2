"""A file of tests has at most 400 lines, or its docstring says why it has more."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent.parent
MOST = 400
REASON = f"More than {MOST} lines, because "


def unexplained(content: str) -> bool:
    """Tell whether a file of tests is long and does not say why."""
    explained = REASON in (ast.get_docstring(ast.parse(content)) or "")
    return (content.count("\n") > MOST) != explained


def test_long_files_of_tests_say_why_they_are() -> None:
    paths = sorted(TESTS.rglob("*.py"))
    assert len(paths) > 100
    assert [path.name for path in paths if unexplained(path.read_text("utf-8"))] == []


def test_long_file_without_a_reason_is_found() -> None:
    explained = f'"""Tests.\n\n{REASON}it is a table.\n"""\n'
    assert unexplained("\n" * (MOST + 1))
    assert not unexplained(explained + "\n" * MOST)
    # A reason that no longer holds is found as well.
    assert unexplained(explained)
    assert not unexplained("\n" * MOST)
