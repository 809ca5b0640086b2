"""docs/asvs.md judges every requirement of ASVS 5.0.0 of levels 1 and 2 and every objective of the
CNIL, and what it names exists.
"""

import re
from collections import Counter

import pytest

from tests.requirements import ROOT, carriers

_DOCUMENT = (ROOT / "docs" / "asvs.md").read_text("utf-8")
_STANDARD = [
    line.split("\t")
    for line in (ROOT / "tests" / "asvs-5.0.0.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
# The objectives of each level of risk.
_OBJECTIVES = [f"{level}-{number:02}" for level, last in ((1, 11), (2, 7), (3, 5)) for number in range(1, last + 1)]


def _rows(identifier: str) -> list[list[str]]:
    lines = [line for line in _DOCUMENT.splitlines() if re.match(rf"\| {identifier} \|", line)]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


_ASVS, _CNIL = _rows(r"\d+\.\d+\.\d+"), _rows(r"\d-\d\d")
_VERDICTS = {"met", "not met", "not applicable"}


@pytest.mark.req("S41")
def test_every_requirement_has_one_line() -> None:
    assert len(_STANDARD) == 253
    assert [row[:3] for row in _ASVS] == _STANDARD
    assert [row[0] for row in _CNIL] == _OBJECTIVES


@pytest.mark.req("S41")
@pytest.mark.parametrize("row", [*_ASVS, *_CNIL], ids=lambda row: row[0])
def test_verdict_comes_with_what_shows_it_or_the_reason(row: list[str]) -> None:
    verdict, why = row[-2:]
    assert verdict in _VERDICTS
    named = re.findall(r"\]\(\.\./([^)]+)\)", why)
    ids = re.findall(r"\b[SRAUPIH]\d+\b", why)
    if verdict == "met":
        assert named or ids
    elif verdict == "not met":
        assert re.match(r"since \d+\.\d+\.\d+: ..", why)
    else:
        assert len(why) > 5
    assert all((ROOT / path).is_file() and path.startswith("tests/") for path in named)
    assert all(carriers().get(identifier) for identifier in ids)


@pytest.mark.req("S41")
def test_counts_at_the_top_are_those_of_the_lines() -> None:
    for title, rows in (("ASVS 5.0.0, levels 1 and 2", _ASVS), ("CNIL 2019-053", _CNIL)):
        counts = Counter(row[-2] for row in rows)
        cells = " | ".join(str(counts[verdict]) for verdict in ("met", "not met", "not applicable"))
        assert f"| {title} | {cells} |" in _DOCUMENT
