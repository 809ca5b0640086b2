"""bench/results.md: a section for each figure's module, written by whichever run measured it last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.figures import machine, table, write_section

REPORT = Path(__file__).parent / "results.md"
_INTRODUCTION = """# Results

Written by `make bench`, each section by the run that its last lines name. A ratio has both sides in one run, by turns; a bar is what
it must not exceed. Milliseconds and MiB are medians, with the span of the middle eight of ten runs in brackets.
"""


@dataclass(frozen=True)
class Figure:
    """A ratio or another number, and the bar that it must not exceed, if it has one."""

    requirement: str
    name: str
    value: float
    bar: float | None = None
    note: str = ""
    digits: int = 2

    @property
    def is_met(self) -> bool:
        """Tell whether the bar holds; a figure without one is only shown."""
        return self.bar is None or self.value <= self.bar


@dataclass(frozen=True)
class Section:
    """What one module measured. `command` measures it again; `more` are paragraphs or tables in Markdown."""

    name: str
    title: str
    command: str
    figures: tuple[Figure, ...]
    more: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the section in Markdown."""
        rows = [
            [
                f"{figure.requirement} {figure.name}".strip(),
                f"**{figure.value:,.{figure.digits}f}**",
                "" if figure.bar is None else f"≤ {figure.bar:g}{'' if figure.is_met else ' missed'}",
                figure.note,
            ]
            for figure in self.figures
        ]
        parts = [f"## {self.title}", table(["figure", "measured", "bar", "sides"], rows).rstrip(), *self.more]
        return "\n\n".join([*parts, f"{machine()} `{self.command}`"])


def write_result(section: Section) -> None:
    """Put a section into bench/results.md, in the place of the one that a former run wrote."""
    if not REPORT.exists():
        REPORT.write_text(_INTRODUCTION, encoding="utf-8")
    write_section(section.name, section.text(), REPORT)


def print_section(section: Section) -> int:
    """Write a section to the terminal and to bench/results.md; return the exit status, 1 when a bar is missed."""
    print(re.sub(r"\*\*", "", section.text()))
    write_result(section)
    return 0 if all(figure.is_met for figure in section.figures) else 1
