"""What the command prints: results on standard output, progress on standard error and only on a
terminal.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import typer
from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.prompt import InvalidResponse, PromptBase
from rich.table import Table
from rich.text import Text

from reassort_ops.language import in_english, joined, number, tr

type Watched = Mapping[str, str]

# How often a log is told how a long run stands.
_LINE_SECONDS = 10.0
_results = Console(highlight=False, soft_wrap=True)
_progress = Console(stderr=True)


def say(text: str, style: str | None = None) -> None:
    """Print one line of a result as it is: never wrapped, never read as markup."""
    _results.print(Text(text, style=style or ""))


def say_json(content: dict[str, Any]) -> None:
    """Print the result for a program: one JSON object, in English in any language."""
    typer.echo(json.dumps(in_english(content), ensure_ascii=False, indent=2))


class JsonObject:
    """The result for a program: one JSON object, printed member by member, so that a list of any
    length takes no memory.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._separator = ""
        self._list: str | None = None

    def put(self, name: str, value: Any) -> None:
        """Print one member."""
        self._end_list()
        self._begin(name)
        typer.echo(json.dumps(in_english(value), ensure_ascii=False), nl=False)

    def append(self, name: str, *elements: Any) -> None:
        """Print elements of a list; those of one list come one after another, and none at all make
        an empty one.
        """
        if self._list != name:
            self._end_list()
            self._begin(name)
            typer.echo("[", nl=False)
            self._list, self._separator = name, ""
        for element in elements:
            typer.echo(f"{self._separator}\n    {json.dumps(in_english(element), ensure_ascii=False)}", nl=False)
            self._separator = ","

    def end(self) -> None:
        """Print what closes the object."""
        self._end_list()
        typer.echo("\n}" if self._separator else "{}")

    def _begin(self, name: str) -> None:
        typer.echo(f"{self._separator or '{'}\n  {json.dumps(name)}: ", nl=False)
        self.names.add(name)
        self._separator = ","

    def _end_list(self) -> None:
        if self._list is not None:
            typer.echo("\n  ]" if self._separator else "]", nl=False)
            self._list, self._separator = None, ","


def say_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column is what, the others are numbers.

    On a terminal it fits the window. Elsewhere every row is one line, however long, for a log or
    `grep`.
    """
    if _results.is_terminal:
        table = Table(box=box.SIMPLE_HEAD, show_header=any(names), pad_edge=False, show_edge=False)
        for position, name in enumerate(names):
            table.add_column(name, justify="right" if position else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        _results.print(table, soft_wrap=False)
        return
    lines = [names, *rows] if any(names) else rows
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        say("  ".join((first.ljust(widths[0]), *numbers)).rstrip())


@contextmanager
def watch(title: str, look: Callable[[], Watched]) -> Iterator[Callable[[], None]]:
    """Show how a long run stands, on standard error: a table that changes on a terminal, else a
    line from time to time.

    The block calls what it is given, as often as it likes, to have `look` shown again.
    """
    told = time.monotonic()

    def line() -> None:
        nonlocal told
        if time.monotonic() >= told + _LINE_SECONDS:
            told = time.monotonic()
            said = joined("; ", (f"{name} {value}" for name, value in look().items()))
            _progress.print(Text(tr("{title}: {said}", title=title, said=said)), soft_wrap=True)

    if not _progress.is_terminal:
        yield line
        return

    def picture() -> Table:
        table = Table(title=title, box=box.SIMPLE, show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value in look().items():
            table.add_row(name, value)
        return table

    with Live(picture(), console=_progress, transient=True, refresh_per_second=4) as live:
        yield lambda: live.update(picture())


class YesOrNo(PromptBase[bool]):
    """A question that is answered by yes or no, in the language of the run; no by default."""

    response_type = bool
    prompt_suffix = " "
    validate_error_message = illegal_choice_message = tr("answer y for yes, or n for no")
    choices = [tr("y"), tr("n")]  # noqa: RUF012 - Rich's own form

    def render_default(self, default: Any) -> Text:
        """Show which answer holds when none is given."""
        return Text(f"({self.choices[0] if default else self.choices[1]})", "prompt.default")

    def process_response(self, value: str) -> bool:
        """Take one letter, or the whole word."""
        typed = value.strip().casefold()[:1]
        if typed not in self.choices:
            raise InvalidResponse(self.illegal_choice_message)
        return bool(typed == self.choices[0])


def confirmed(question: str) -> bool:
    """Ask on the terminal; nobody has agreed to anything until they say yes."""
    return YesOrNo.ask(Text(question), console=_results, default=False)


def may_ask() -> bool:
    """Tell whether somebody sits at a terminal, and can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Advance(Protocol):
    """Tell how many more are done."""

    def __call__(self, amount: float, /) -> None:
        """Move the bar by `amount`."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{number(task.speed)}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def progress(what: str, total: int | None, *, counted: bool = True) -> Iterator[Advance]:
    """Show a bar with rate and remaining time while the block runs; nothing when standard error is
    not a terminal.

    What is not `counted` is bytes, of which the rate alone is worth a number.
    """
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    columns += [MofNCompleteColumn(), _Rate()] if counted else [TransferSpeedColumn()]
    columns.append(TimeRemainingColumn())
    with Progress(*columns, console=_progress, disable=not _progress.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)
