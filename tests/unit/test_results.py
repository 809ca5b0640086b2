"""What `make bench` writes: one store, and two documents that say what it holds."""

from __future__ import annotations

import re

import pytest

from harness.measuring import results
from harness.measuring.results import MEASUREMENTS, Figure, Section, ratios, read_results, report, with_ratios
from local.processes import ROOT

KEPT = read_results()


def test_both_documents_say_what_is_kept() -> None:
    """What was measured is never typed by hand: `python -m harness.measuring.results` writes both
    again.
    """
    assert results.REPORT.read_text(encoding="utf-8") == report(KEPT)
    document = results.DOCUMENT.read_text(encoding="utf-8")
    assert with_ratios(document, KEPT) == document


def test_every_measurement_is_kept() -> None:
    assert tuple(KEPT) == results.ORDER
    assert len(MEASUREMENTS) == len(results.ORDER)
    for section in KEPT.values():
        assert re.fullmatch(r"2\d{3}-\d\d-\d\d, .* processors under a load of .*", section.measured), section.name


@pytest.mark.req("P1", "P2", "P4", "P5", "P6", "P7", "P8", "P9")
def test_no_bar_is_missed() -> None:
    assert [figure.name for section in KEPT.values() for figure in section.figures if not figure.is_met] == []


def test_every_command_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for section in KEPT.values():
        target = section.command.split()[1]
        assert re.search(rf"^{target}: ", makefile, re.MULTILINE), section.command


@pytest.mark.parametrize(
    ("figure", "is_met", "limit"),
    [
        (Figure("P1", "start", 0.97, 1.10), True, "≤ 1.1"),
        (Figure("P1", "start", 1.11, 1.10), False, "≤ 1.1 missed"),
        (Figure("P6", "lost", 0, 0, digits=0), True, "≤ 0"),
        (Figure("P6", "lost", 1, 0, digits=0), False, "≤ 0 missed"),
        (Figure("P6", "cost", 46.75), True, ""),
    ],
)
def test_a_missed_bar_is_said(figure: Figure, is_met: bool, limit: str) -> None:
    assert (figure.is_met, figure.limit) == (is_met, limit)


def test_the_table_of_ratios_leaves_out_what_has_no_bar() -> None:
    section = Section(
        "cold",
        "Cold start",
        "make bench-cold FLAGS='--runs 3'",
        (Figure("P1", "start of login", 0.833, 1.0), Figure("P1", "start of notify", 1.2)),
    )
    assert ratios({"cold": section}).splitlines()[2:] == ["| start of login | 0.83 | ≤ 1 | `make bench-cold` |"]
    document = "before\n<!-- ratios, written by `make bench` -->\nformer\n<!-- end of ratios -->\nafter\n"
    written = with_ratios(document, {"cold": section})
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "former" not in written
    assert with_ratios(written, {"cold": section}) == written
