"""bench/mutants.json, what came of each module when it was last tried to be kept, and the document
that says it.
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mutants.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

STORE, DOCUMENT = ROOT / "bench" / "mutants.json", ROOT / "bench" / "mutants.md"
_HEAD = (
    "# Which slips the tests notice\n\n"
    "`make mutants` makes one slip at a time in a module that holds rules, and runs the tests that\n"
    "belong to it (`tools/mutants/table.toml`). Killed: one of them failed. Listed: it changes nothing,\n"
    "and `tools/mutants/survivors.toml` says why. At first: survived when the module was first tried. A\n"
    "module that is not here was not tried yet.\n\n"
)


@dataclass(frozen=True)
class Kept:
    """Counts of one module."""

    mutants: int
    killed: int
    listed: int
    survived: int


def report(kept: Mapping[str, Kept], first: Mapping[str, int]) -> str:
    """Return the table, with its sums. `first`: how many survived when each was first tried."""
    rows = [
        (f"`{module}`", counted.mutants, first[module], counted.killed, counted.listed,
         counted.survived)
        for module, counted in sorted(kept.items())
    ]  # fmt: skip
    sums = ("in all", *(sum(row[column] for row in rows) for column in range(1, 6)))  # type: ignore[misc]
    lines = [
        "| module | mutants | survived at first | killed | listed | survived |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join(map(str, row))} |" for row in [*rows, sums]),
    ]
    return "\n".join(lines) + "\n"


def keep(kept: Mapping[str, Kept], first: Mapping[str, int]) -> None:
    """Write what came of these modules; what is kept of others stays."""
    store = read_store()
    for module, counted in kept.items():
        former = store["modules"].get(module, {}).get("first", first[module])
        store["modules"][module] = {"first": former, **asdict(counted)}
    store["modules"] = dict(sorted(store["modules"].items()))
    store["measured"] = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}"
    STORE.write_text(json.dumps(store, indent=1) + "\n", "utf-8")
    DOCUMENT.write_text(document(store), "utf-8")


def read_store() -> dict[str, Any]:
    """Return what is kept."""
    found: dict[str, Any] = json.loads(STORE.read_text("utf-8")) if STORE.is_file() else {"modules": {}}
    return found


def document(store: Mapping[str, Any]) -> str:
    """Return bench/mutants.md."""
    modules = store["modules"]
    kept = {
        module: Kept(*(entry[name] for name in ("mutants", "killed", "listed", "survived")))
        for module, entry in modules.items()
    }
    first = {module: entry["first"] for module, entry in modules.items()}
    return f"{_HEAD}{report(kept, first)}\n{store['measured']}. `make mutants FLAGS=--keep`\n"
