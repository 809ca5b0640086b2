"""What the command prints: results on standard output, progress on standard error and only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_results = Console(highlight=False, soft_wrap=True)
_progress = Console(stderr=True)


def say(text: str, style: str | None = None) -> None:
    """Print one line of a result as it is: never wrapped, never read as markup."""
    _results.print(Text(text, style=style or ""))


def say_json(content: dict[str, Any]) -> None:
    """Print the result for a program: one JSON object."""
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def may_ask() -> bool:
    """Tell whether somebody sits at a terminal, and can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Advance(Protocol):
    """Tell how many more are done."""

    def __call__(self, amount: float, /) -> None:
        """Move the bar by `amount`."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s".replace(",", " ") if task.speed else "", style="progress.data.speed")


@contextmanager
def progress(what: str, total: int | None, *, counted: bool = True) -> Iterator[Advance]:
    """Show a bar with rate and remaining time while the block runs; nothing when standard error is not a terminal.

    `counted` shows numbers beside the bar, which bytes do not deserve.
    """
    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    if counted:
        columns += [MofNCompleteColumn(), _Rate()]
    columns.append(TimeRemainingColumn())
    with Progress(*columns, console=_progress, disable=not _progress.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda amount: bar.advance(task, amount)
