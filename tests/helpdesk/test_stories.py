"""Every situation that a voter sheet is kept of, as the page shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpdesk.phrases import PHRASES
from playwright.sync_api import Browser, expect

from harness.helpdesk.mocked_desk import MockedDesk
from harness.helpdesk.steps import look, sign_in
from harness.helpdesk.stories import ADVICE, GOLDEN, story_sheet
from harness.site.watched import watched_page
from tests.site.axe import violations
from tests.site.reading import plain, shown


@pytest.fixture(scope="module")
def shift(chromium: Browser, built: Path) -> Iterator[MockedDesk]:
    """An agent who takes one call after the other."""
    with watched_page(chromium) as page:
        desk = MockedDesk(page, built)
        sign_in(desk)
        yield desk


def test_every_sheet_that_is_kept_is_shown() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*ADVICE}


@pytest.mark.req("H2", "H4")
@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.stem)
def test_situation(shift: MockedDesk, path: Path) -> None:
    sheet, page = story_sheet(path), shift.page
    page.keyboard.press("Alt+n")
    expect(page.locator("#sheet")).to_be_hidden()
    look(shift, sheet)
    text = shown(page)
    for line in sheet["status"][1:]:
        assert plain(line["words"]) in text
    for step in sheet["advice"]:
        assert plain(step["words"]) in text
    first = PHRASES[sheet["advice"][0]["name"]]
    assert plain(first.say) in text
    assert plain(first.never_say) in text
    for summary in page.locator("summary").all():
        summary.click()
    for step in sheet["advice"]:
        assert plain(step["say"]) in shown(page)
    events = page.locator("#timeline li span").all_inner_texts()
    assert [plain(words) for words in reversed(events)] == [plain(event["words"]) for event in sheet["timeline"]]
    allowed = [act for act in sheet["acts"] if act["allowed"]]
    expect(page.locator("#acts button")).to_have_count(len(allowed))
    assert violations(page) == []
