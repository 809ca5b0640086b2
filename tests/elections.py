"""Elections for tests: the files that are really deployed, with parts replaced where a test needs another rule."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from reassort.election_file import ElectionFile, parse_election

FOLDER = Path(__file__).parent.parent / "elections"
IDS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def _content(election_id: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{election_id}.yaml").read_text(encoding="utf-8"))
    return content


def election_content(election_id: str) -> dict[str, Any]:
    """Return what a file of `elections/` holds, not validated; the caller may change it."""
    return deepcopy(_content(election_id))


def read_election(election_id: str, **replaced: Any) -> ElectionFile:
    """Read a file of `elections/`; `replaced` members of its top level are put in before it is validated."""
    return parse_election({**election_content(election_id), **replaced}, f"{election_id}.yaml")
