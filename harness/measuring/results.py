"""bench/results.md and the table of docs/performance.md, both written from bench/results.json: what
each measurement found when it last ran.

.venv/bin/python -m harness.measuring.results    writes both again from what is kept
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from textwrap import wrap
from typing import Any

from harness.measuring.figures import machine, table
from local.processes import ROOT

STORE = ROOT / "bench" / "results.json"
REPORT = STORE.with_suffix(".md")
DOCUMENT = ROOT / "docs" / "performance.md"
# In the order of the report.
ORDER = (
    "cold",
    "warm",
    "calls",
    "import",
    "growth",
    "delivery",
    "first morning",
    "site",
    "loop",
)
# By name: the module and its flags.
MEASUREMENTS = {
    "cold": ("bench.cold",),
    "warm": ("bench.warm",),
    "calls": ("bench.calls",),
    "import": ("bench.roll_import",),
    "growth": ("bench.growth",),
    "delivery": ("bench.delivery_load", "--scenario", "S2", "--minutes", "10"),
    "first-morning": ("bench.first_morning", "--keep"),
    "site": ("bench.site_quality",),
    "loop": ("bench.developer_loop",),
}
_START, _END = "<!-- ratios, written by `make bench` -->\n", "<!-- end of ratios -->\n"
_INTRODUCTION = """# Results

Written by `make bench`, each section by the run that its last lines name. A ratio has both sides in
one run, by turns; a bar is what it must not exceed. Instructions are counted by cachegrind and
repeat; milliseconds and MiB are medians, with the span of the middle 80 % of the runs in brackets.
What was tried, what paid and what did not: [docs/performance.md](../docs/performance.md).
"""


@dataclass(frozen=True)
class Figure:
    """A ratio or another number, and the bar that it must not exceed, if it has one. `unit` stands
    behind both.
    """

    requirement: str
    name: str
    value: float
    bar: float | None = None
    note: str = ""
    digits: int = 2
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Tell whether the bar holds; a figure without one is only shown."""
        return self.bar is None or self.value <= self.bar

    @property
    def measured(self) -> str:
        """Return the value as text."""
        return f"{self.value:,.{self.digits}f}{self.unit}"

    @property
    def limit(self) -> str:
        """Return the bar as text, and whether it was missed."""
        return "" if self.bar is None else f"≤ {self.bar:,g}{self.unit}{'' if self.is_met else ' missed'}"


@dataclass(frozen=True)
class Section:
    """What one module measured. `command` measures it again; `more` are paragraphs or tables in
    Markdown; `measured` says when, and on what.
    """

    name: str
    title: str
    command: str
    figures: tuple[Figure, ...]
    more: tuple[str, ...] = ()
    measured: str = ""

    def text(self) -> str:
        """Return the section in Markdown."""
        rows = [
            [f"{figure.requirement} {figure.name}", f"**{figure.measured}**", figure.limit, figure.note]
            for figure in self.figures
        ]
        parts = [f"## {self.title}", table(["figure", "measured", "bar", "sides"], rows).rstrip(), *self.more]
        source = wrap(f"{self.measured} `{self.command}`", 100, break_long_words=False, break_on_hyphens=False)
        return "\n\n".join([*parts, "\n".join(source)])


def read_results() -> dict[str, Section]:
    """Return what is kept, by name, in the report's order."""
    kept: dict[str, Any] = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    sections = {
        name: Section(
            **{**section, "figures": tuple(Figure(**one) for one in section["figures"]), "more": tuple(section["more"])}
        )
        for name, section in kept.items()
    }
    return {name: sections[name] for name in ORDER if name in sections}


def report(sections: Mapping[str, Section]) -> str:
    """Return bench/results.md."""
    return "\n".join([_INTRODUCTION, *(f"{section.text()}\n" for section in sections.values())])


def ratios(sections: Mapping[str, Section]) -> str:
    """Return the table of docs/performance.md: each figure that has a bar, and its command."""
    rows = [
        [figure.name, figure.measured, figure.limit, f"`{section.command.partition(' FLAGS')[0]}`"]
        for section in sections.values()
        for figure in section.figures
        if figure.bar is not None
    ]
    return table(["figure", "measured", "bar", "command"], rows)


def with_ratios(document: str, sections: Mapping[str, Section]) -> str:
    """Return the document with the table in its place."""
    before, _, rest = document.partition(_START)
    return f"{before}{_START}{ratios(sections)}{_END}{rest.partition(_END)[2]}"


def keep(section: Section) -> None:
    """Keep a section instead of the one that a former run left, and write both documents."""
    sections = {**read_results(), section.name: replace(section, measured=section.measured or machine())}
    ordered = {name: asdict(sections[name]) for name in ORDER if name in sections}
    STORE.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write()


def write() -> None:
    """Write report and table from what is kept."""
    sections = read_results()
    REPORT.write_text(report(sections), encoding="utf-8")
    DOCUMENT.write_text(with_ratios(DOCUMENT.read_text(encoding="utf-8"), sections), encoding="utf-8")


def finish(section: Section) -> int:
    """Print a section and keep it; return the exit status, 1 when a bar is missed."""
    section = replace(section, measured=machine())
    print(re.sub(r"\*\*", "", section.text()))
    keep(section)
    return 0 if all(figure.is_met for figure in section.figures) else 1


if __name__ == "__main__":
    write()
