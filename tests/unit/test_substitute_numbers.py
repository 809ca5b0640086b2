"""What docs/rolls.md has the organiser draw for voters without a NUMEN is taken like one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from reassort.numen import normalise_numen

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rolls.md"


@pytest.mark.req("O7")
def test_the_command_of_the_document_draws_numbers_that_are_taken_as_they_are() -> None:
    (program,) = re.findall(r"^ *python3 -c '(.*)'$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    drawn = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert len(set(drawn)) == 10
    assert [normalise_numen(number.lower()) for number in drawn] == drawn
    # None of its letters is read as a digit.
    assert not re.search(r"[OIL]", "".join(drawn))
