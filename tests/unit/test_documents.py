"""The documents lead somewhere: each link has its page and heading, each page its reader, and no
cell of a table is a paragraph.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.core
import typer.main
from PIL import Image
from reassort_ops.cli import app

from local.processes import ROOT
from tests.browser.recording import FILE, MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAGES = [path for path in _LISTED.split() if not path.startswith(("bench/", "tests/")) and (ROOT / path).is_file()]
INDEX = ROOT / "docs" / "README.md"
WIDEST_CELL = 160
# The lists of others: requirements, numbering plans.
_OTHERS_WORDS = {"docs/asvs.md", "docs/phone-prefixes.md"}


def _prose(path: Path) -> str:
    return re.sub(r"^ *```.*?^ *```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


@cache
def _anchors(path: Path) -> set[str]:
    text = _prose(path)
    headings = [re.sub(r"<[^>]*>|\]\([^)]*\)", "", line) for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    slugs = {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)"', text))


def _links(path: Path) -> list[tuple[str, str]]:
    found = re.findall(r"\]\(([^)\s]+)\)", _prose(path))
    return [
        (file, anchor)
        for file, _, anchor in (link.partition("#") for link in found)
        if not file.startswith(("http:", "https:", "mailto:"))
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_its_heading(page: str) -> None:
    path = ROOT / page
    dead = []
    for file, anchor in _links(path):
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            dead.append(f"{file}#{anchor}")
    assert dead == []


def test_the_index_names_every_page() -> None:
    named = {(INDEX.parent / file).resolve() for file, _ in _links(INDEX)}
    own = [ROOT / page for page in PAGES if page.startswith("docs/") and not page.startswith("docs/adr/")]
    assert [str(page.relative_to(ROOT)) for page in own if page not in named | {INDEX}] == []


def test_the_index_of_decisions_names_every_decision() -> None:
    index = ROOT / "docs" / "adr" / "README.md"
    named = {file for file, _ in _links(index)}
    assert named == {Path(page).name for page in PAGES if re.match(r"docs/adr/\d", page)}


@pytest.mark.parametrize("page", sorted(set(PAGES) - _OTHERS_WORDS))
def test_no_cell_of_a_table_is_a_paragraph(page: str) -> None:
    wide = []
    for number, line in enumerate(_prose(ROOT / page).splitlines(), 1):
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", re.sub(r"\]\([^)]*\)", "]", line))
            wide += [f"{number}: {cell.strip()}" for cell in cells if len(cell.strip()) > WIDEST_CELL]
    assert wide == []


def _commands(group: typer.Typer) -> Iterator[str]:
    command = typer.main.get_command(group)
    assert isinstance(command, typer.core.TyperGroup)
    for name, own in command.commands.items():
        inner = own.commands if isinstance(own, typer.core.TyperGroup) else {"": own}
        yield from (f"{name} {one}".strip() for one in inner)


def test_the_page_of_commands_names_every_command() -> None:
    rows = re.findall(r"^\| (`reassort [^|]*) \|", (ROOT / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE)
    named = set()
    for row in rows:
        group = ""
        for words in re.findall(r"`([^`]+)`", row):
            full = words.removeprefix("reassort ")
            group = full.rpartition(" ")[0] if words != full else group
            named.add(full if words != full else f"{group} {words}".strip())
    assert sorted(set(_commands(app)) - named) == []


def test_the_recording_of_the_first_page_moves_and_is_light() -> None:
    with Image.open(FILE) as recording:
        assert getattr(recording, "n_frames", 1) >= 8
    assert FILE.stat().st_size <= MOST_BYTES
    assert (FILE.relative_to(ROOT).as_posix(), "") in _links(ROOT / "README.md")
