"""The documents lead somewhere: each link has its page and heading, each page its reader."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from local.processes import ROOT
from tests.browser.recording import FILE, MOST_BYTES

_LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAGES = [path for path in _LISTED.split() if not path.startswith(("bench/", "tests/")) and (ROOT / path).is_file()]
INDEX = ROOT / "docs" / "README.md"


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


def test_the_recording_of_the_first_page_moves_and_is_light() -> None:
    with Image.open(FILE) as recording:
        assert getattr(recording, "n_frames", 1) >= 8
    assert FILE.stat().st_size <= MOST_BYTES
    assert (FILE.relative_to(ROOT).as_posix(), "") in _links(ROOT / "README.md")
