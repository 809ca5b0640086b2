"""Every text that reaches the screen is marked, so that it has a French one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import reassort_ops

CODE = Path(reassort_ops.__file__).parent
# What is given to these is shown: to functions and errors by place, to Typer by name.
SHOWN = {
    "say", "tell", "echo", "progress", "watch", "confirmed", "_ask", "joined",
    "OperatorError", "ElectionFileError", "RollFileError", "MoveRefusedError", "NotSeenError", "NoAnswerError",
    "HelpdeskRefusalError", "Subject", "judged", "unseen", "SheetLine",
}  # fmt: skip
BY_NAME = {"help", "epilog", "metavar", "message"}
MARKS = {"tr", "trn", "trc", "state_word"}
# Arguments that are no text of the screen: a style, an anchor of a page, the separator of a list,
# and what the French list of faults says of a file.
NOT_A_TEXT = {("say", 1), ("Subject", 2), ("SheetLine", 1), ("joined", 0), ("RollFileError", 2)}
# They write French files.
FRENCH_FILES = {"minutes/pdf.py"}
# Names that AWS and the DNS give, the same in every language; and the titles of the agents' sheet,
# which is French as the API's words in it are.
NAMES = {
    "DKIM",
    "SPF",
    "DMARC",
    "ISSUED",
    "SUCCESS",
    "Enabled",
    "RegistryConcurrency=",
    "RegistryConcurrency=0",
    "Allow",
    "HEALTHY",
    "TXT v=DMARC1",
    "one TXT v=DMARC1",
    "Que faire",
    "Historique",
    "RecursiveLoop=Allow",
    "SenderIdentity=shared",
    "SenderIdentity=own",
    "SenderIdentity=",
    "AccountResources=",
    "aws:RequestedRegion",
    "CREATE_COMPLETE",
    "N",
}
WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _bare(node: ast.AST) -> Iterator[ast.Constant]:
    """Give the literals inside of an expression that would be shown as they are."""
    match node:
        case ast.Constant(value=str() as value):
            if WORD.search(value) and value.strip() not in NAMES:
                yield node
        case ast.Call(func=function) if _name(function) in MARKS:
            return
        case ast.Call(func=function, args=arguments):
            # What a call reads by name is no text; what it joins is.
            if _name(function) == "join":
                for one in arguments:
                    yield from _bare(one)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _bare(body)
            yield from _bare(orelse)
        case ast.Compare() | ast.Subscript() | ast.Lambda():
            return
        case ast.FormattedValue(value=value):
            yield from _bare(value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _bare(child)


def unmarked(source: str) -> Iterator[tuple[int, str]]:
    """Give line and text of each literal that is shown and not marked."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name in SHOWN:
            for place, argument in enumerate(node.args):
                if (name, place) not in NOT_A_TEXT:
                    yield from ((one.lineno, str(one.value)) for one in _bare(argument))
        for keyword in node.keywords:
            if keyword.arg in BY_NAME:
                yield from ((one.lineno, str(one.value)) for one in _bare(keyword.value))


@pytest.mark.req("O13")
@pytest.mark.parametrize("path", sorted(CODE.rglob("*.py")), ids=lambda path: path.relative_to(CODE).as_posix())
def test_what_is_shown_is_marked(path: Path) -> None:
    if path.relative_to(CODE).as_posix() not in FRENCH_FILES:
        assert list(unmarked(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        'say("nothing was done")',
        'say(f"{count} voters")',
        'say(tr("{a}", a=b) if c else "nothing")',
        'raise OperatorError(f"{path}: is empty")',
        'typer.Option("--x", help="The file to write")',
        'with progress("reading", None): pass',
        'X = Subject(tr("Alarms"), "each watches something", "alarms")',
        'say(", ".join(f"{n} voters" for n in found))',
    ],
)
def test_a_bare_text_is_found(source: str) -> None:
    assert len(list(unmarked(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'say(tr("nothing was done"), "yellow")',
        'say(f"{name:12}{span}")',
        "say(f\"{answer['address']} {names.get('stack')}\")",
        'typer.Option("--x", help=tr("The file to write"), metavar=tr("FILE"))',
    ],
)
def test_names_and_styles_are_no_texts(source: str) -> None:
    assert list(unmarked(source)) == []
