"""docs/traceability.md names, for each promise, the tests that show it."""

from __future__ import annotations

import re

import pytest

from tests.requirements import DOCUMENT, IDS, ROOT, carriers, promises, written


def test_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text("utf-8") == written(), "run python -m tests.requirements --write"


@pytest.mark.parametrize("identifier", IDS)
def test_each_promise_is_shown_by_tests(identifier: str) -> None:
    (entry,) = re.findall(
        rf"^\*\*{identifier}\*\* .*?(?=\n\n|\n\Z)", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    links = re.findall(r"\]\(\.\./(tests/[^)]+)\)", entry)
    assert links == list(dict.fromkeys(test.partition("::")[0] for test in carriers()[identifier]))
    assert all((ROOT / link).is_file() for link in links)
    first_words = promises()[identifier][1][0].split()[:3]
    assert " ".join(first_words) in " ".join(entry.split())
