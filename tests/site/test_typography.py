"""French typography is the same in what Python writes and in what the scripts write."""

import json
import subprocess
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from reassort.french import french_date, french_time, typeset

from harness.site.checkers import NODE_PROGRAM
from local.processes import ROOT
from tests.typography_cases import TYPESET

DAYS = [date(2018, month, day) for month in range(1, 13) for day in (1, 2, 31 if month in {1, 8, 12} else 28)]
TIMES = [time(0), time(8), time(9, 5), time(17, 30), time(23, 59)]
PROGRAM = """
import { clockInWords, dayInWords, typeset } from "./typography.js";
const { texts, days, minutes } = JSON.parse(process.argv[2]);
console.log(JSON.stringify([texts.map(typeset), days.map(dayInWords), minutes.map(clockInWords)]));
"""


@pytest.fixture(scope="module")
def by_script(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Return what the script makes of all cases: texts, days and times."""
    folder = tmp_path_factory.mktemp("typography")
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "election.js").write_text("export const election = {};", "utf-8")
    (folder / "api.js").write_text("export const serverTime = () => new Date();", "utf-8")
    (folder / "main.js").write_text(PROGRAM, "utf-8")
    script = (ROOT / "site" / "scripts" / "typography.js").read_text("utf-8")
    (folder / "typography.js").write_text(script, "utf-8")
    cases: dict[str, Any] = {
        "texts": list(TYPESET),
        "days": [day.isoformat() for day in DAYS],
        "minutes": [one.hour * 60 + one.minute for one in TIMES],
    }
    return _told(folder / "main.js", cases)


def _told(program: Path, cases: dict[str, Any]) -> list[list[str]]:
    done = subprocess.run([NODE_PROGRAM, program, json.dumps(cases)], capture_output=True, text=True, check=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_script_typesets_alike(by_script: list[list[str]]) -> None:
    assert by_script[0] == list(TYPESET.values())


def test_script_writes_days_alike(by_script: list[list[str]]) -> None:
    assert by_script[1] == [typeset(french_date(day)).removesuffix(" 2018") for day in DAYS]


def test_script_writes_times_alike(by_script: list[list[str]]) -> None:
    assert by_script[2] == [typeset(french_time(one)) for one in TIMES]
