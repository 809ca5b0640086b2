"""docs/promises.md names every id that a test may carry."""

import re

from tests.requirements import IDS, PROMISES, carriers, missing, report


def test_every_id_is_described_once() -> None:
    described = re.findall(r"^\| ([A-Z]\d+) \|", PROMISES.read_text("utf-8"), re.MULTILINE)
    assert sorted(described) == sorted(IDS)


def test_report_of_a_group_names_its_tests() -> None:
    lines = report("I")
    assert lines[0].startswith("I1: ")
    assert any("stack/test_races.py" in line for line in lines)
    assert report("X") == []


def test_what_no_test_carries_is_named() -> None:
    assert missing(carriers()) == f"all {len(IDS)} requirements are carried by a test"
    assert missing({*IDS} - {"S7", "P8"}) == f"2 of {len(IDS)} requirements are carried by no test: S7 P8"
