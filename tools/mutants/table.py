"""What is tried: modules and their tests, survivors that change nothing, and the sample."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
TABLE, SURVIVORS, SAMPLE = (_HERE / name for name in ("table.toml", "survivors.toml", "sample.toml"))


@dataclass(frozen=True)
class SampledSlip:
    """One mutant of the sample: in `module` the text `said`, which stands there once, becomes
    `slips`.

    `tests` are the files, or the tests of one, that must fail of it.
    """

    rule: str
    module: str
    said: str
    slips: str
    tests: tuple[str, ...]


def modules() -> dict[str, list[str]]:
    """Return the tests of each module."""
    found: dict[str, list[str]] = _read(TABLE)["modules"]
    return found


def exceptions() -> dict[str, str]:
    """Return why a module is left out, by its path, or by the name that all of its kind have."""
    found: dict[str, str] = _read(TABLE)["exceptions"]
    return found


def survivors() -> dict[tuple[str, str], str]:
    """Return why a mutant, by its module and name, changes nothing."""
    return {(entry["module"], entry["mutant"]): entry["why"] for entry in _read(SURVIVORS).get("survivor", [])}


def sample() -> list[SampledSlip]:
    """Return the sample."""
    return [
        SampledSlip(entry["rule"], entry["module"], entry["said"], entry["slips"], tuple(entry["tests"]))
        for entry in _read(SAMPLE)["slip"]
    ]


def _read(path: Path) -> dict[str, dict]:  # type: ignore[type-arg]
    return tomllib.loads(path.read_text(encoding="utf-8"))
