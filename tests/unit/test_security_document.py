"""docs/security.md names, for each promise, the tests that show it."""

import re

import pytest

from tests.requirements import DOCUMENT, IDS, ROOT, carriers, written


def test_links_to_the_tests_are_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert text == written(text), "run python -m tests.requirements --write"


@pytest.mark.parametrize("identifier", [identifier for identifier in IDS if identifier[0] == "S"])
def test_each_promise_is_shown_by_a_test(identifier: str) -> None:
    assert carriers()[identifier]
    (row,) = re.findall(rf"^\| {identifier} \|.*$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    links = re.findall(r"\]\(\.\./([^)]+)\)", row)
    assert links
    assert all((ROOT / link).is_file() for link in links)
