"""`tools/prose_width.py` finds comments and lines of code that are too wide, and nothing else."""

from __future__ import annotations

import prose_width
import pytest

WORDS = "word " * 25


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("elections/one.yaml", f"  # {WORDS}"),
        ("Makefile", f"# {WORDS}"),
        ("site/scripts/one.js", f"  // {WORDS}"),
        ("site/scripts/one.js", f"/** @type {{string}} */\nlet one;\n/**\n * {WORDS}\n */"),
        ("site/styles/one.css", f"/* {WORDS} */"),
        ("template.yaml", f"  Description: {WORDS}"),
        ("pyproject.toml", f'words = "{WORDS}"'),
        ("site/scripts/one.js", f'const text = "{WORDS}";'),
    ],
)
def test_a_line_that_is_too_wide_is_found(path: str, text: str) -> None:
    assert len(list(prose_width.too_wide(path, text))) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("elections/one.yaml", f"  text: {WORDS[:-40]}"),
        ("template.yaml", f'  - &arn !Sub "{"x" * 125} x"'),
        ("tests/aws/counterexamples/E9000/good.yaml", f"  text: {WORDS}"),
        ("Makefile", f"\techo {WORDS}"),
        ("site/scripts/one.js", f"/**\n * @typedef {{{WORDS[:-40]}}} One\n */"),
        ("site/scripts/one.js", f'const text = "{WORDS[:-40]}";'),
        ("site/scripts/one.js", f"  /{'x' * 125}/;"),
        ("helpdesk/vendor/one.js", f'const text = "{WORDS}";'),
    ],
)
def test_anything_else_may_be_wide(path: str, text: str) -> None:
    assert list(prose_width.too_wide(path, text)) == []
