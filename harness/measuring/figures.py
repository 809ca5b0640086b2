"""Writing what was measured: percentiles, tables, the machine, and sections of
bench/delivery.md.
"""

from __future__ import annotations

import os
import platform
import sysconfig
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from local.processes import ROOT

REPORT = ROOT / "bench" / "delivery.md"
_INTRODUCTION = (
    "# Delivery under load\n\n"
    "Written by `make bench-delivery` and `make bench-delivery-stack`, each "
    "section by the run that its last lines name.\n"
)


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [names, ["---", *("---:" for _ in names[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine() -> str:
    """Say when and on what a measurement was made."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in ("boto3", "ministack"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {model}, {os.cpu_count()} processors under a load of {load:.1f}, Python "
        f"{platform.python_version()}{'' if _is_optimised() else ' built without optimisation'}, {packages}."
    )


def _is_optimised() -> bool:
    """Tell whether this Python was built by its profile, as Debian's and uv's are: without, the
    same program takes half as long again.
    """
    return "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")


def write_section(name: str, text: str, report: Path = REPORT) -> None:
    """Put a section of that name into the report, instead of what a former run wrote there."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    content = report.read_text(encoding="utf-8") if report.exists() else _INTRODUCTION
    section = f"{start}{text.rstrip()}\n{end}"
    before, found, rest = content.partition(start)
    if found:
        content = before + section + rest.partition(end)[2]
    else:
        sections = content.split("\n<!-- ")[1:]
        later = next((part for part in sections if part.partition(" ")[0] > name and not part.startswith("end")), None)
        place = content.index(f"<!-- {later}") if later else len(content)
        content = f"{content[:place].rstrip()}\n\n{section}\n{content[place:]}".rstrip() + "\n"
    report.write_text(content, encoding="utf-8")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
