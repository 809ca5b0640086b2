"""What an import costs the operator's machine, in little: `make bench-import` measures it in full
(bench/roll_import.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from harness.roll.accepting_aws import STACK, accepting_aws, client_environment, counted
from harness.roll.commands import CPU_BAR, MEMORY_BAR, Sides, reassort_roll
from harness.roll.generated import ELECTION_FILE, write_generated_roll

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An endpoint that accepts everything, which this process's clients talk to."""
    with accepting_aws() as url:
        for name, value in client_environment(url).items():
            monkeypatch.setenv(name, value)
        yield url


@pytest.mark.req("P4")
def test_it_takes_half_the_processor_time_of_the_batch_writer_at_most(url: str) -> None:
    sides = Sides(url, 330)
    found: dict[str, list[float]] = {"import": [], "batch writer": []}
    for _ in range(5):
        for side, milliseconds in found.items():
            milliseconds.append(sides.milliseconds(side))
    # Both wrote all of it: four items of each voter.
    assert counted(url)["puts"] == 2 * 5 * 330 * 4
    # The least of several is what the machine's other work disturbs least. It is 0.3 in quiet.
    assert min(found["import"]) / min(found["batch writer"]) <= CPU_BAR


@pytest.mark.req("P4")
def test_a_longer_roll_takes_no_more_memory(url: str, tmp_path: Path) -> None:
    stack = ("--stack", STACK, "--elections", ELECTION_FILE.parent)
    short, long = (
        reassort_roll(
            client_environment(url), "import", write_generated_roll(tmp_path / f"{voters}.csv", voters), *stack
        )
        for voters in (4_000, 20_000)
    )
    assert (short.printed["imported"], long.printed["imported"]) == (4_000, 20_000)
    assert long.memory / short.memory <= MEMORY_BAR


def test_a_generated_roll_is_valid_in_either_encoding_and_the_same_each_time(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "cp1252"):
        file = write_generated_roll(tmp_path / "roll.csv", 2_000, encoding)
        done = reassort_roll({"PATH": ""}, "check", file, "--election", ELECTION_FILE)
        assert (done.printed["read"], done.printed["valid"], done.printed["faults"]) == (2_000, 2_000, [])
        assert done.printed["encoding"] == ("Windows-1252" if encoding == "cp1252" else "UTF-8")
        again = write_generated_roll(tmp_path / "again.csv", 2_000, encoding)
        assert file.read_bytes() == again.read_bytes()
