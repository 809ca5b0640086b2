"""Every page in every state: what it says, how it is built, and what three checkers find in it."""

import pytest
from playwright.sync_api import Page, expect

from harness.site.checkers import Checkers
from harness.site.mocked_space import MockedSpace
from harness.site.states import STATES
from tests.site.axe import violations_in_both_schemes
from tests.site.reading import expect_shown, plain, shown

# Widths of the window, and what a person sees in each who has asked for larger letters: every
# length in rem grows with them, so that what fits at the largest fits at those between.
SIZES = {320: (1, 2), 360: (2,), 640: (2,), 1280: (2,)}
WIDER_THAN_WINDOW = """sizes => {
  const { style } = document.documentElement;
  const wide = sizes.map((times) => {
    style.fontSize = "";
    style.fontSize = `${parseFloat(getComputedStyle(document.documentElement).fontSize) * times}px`;
    return [times, document.documentElement.scrollWidth];
  });
  document.documentElement.removeAttribute("style");
  return wide.filter(([, width]) => width > window.innerWidth);
}"""


@pytest.mark.req("U1", "U2", "U9", "U10")
@pytest.mark.parametrize("name", STATES)
def test_state(page: Page, mocked: MockedSpace, checkers: Checkers, name: str) -> None:
    state = STATES[name]
    page.set_viewport_size({"width": 320, "height": 640})
    state.play(mocked)

    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("h1")).to_have_text(state.heading)
    if state.summary is not None:
        expect(page.locator("#errors")).to_be_focused()
        assert_summary(page, state.summary)
    else:
        assert not page.title().startswith("Erreur")
        assert page.locator("#errors:visible").count() == 0
    expect_shown(page, *state.texts, selector="main" if state.dialog is None else "body")
    expect(page.locator("dialog[open]")).to_have_count(0 if state.dialog is None else 1)
    if name.endswith("slow"):
        # Anyone who pressed a button at the bottom of a phone sees that something happens.
        expect(page.locator("#busy")).to_be_in_viewport()
    assert_structure(page)

    assert cut_off(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert checkers.html(page.content(), rendered=True) == []
    assert checkers.pa11y(page) == []
    assert violations_in_both_schemes(page) == []


def cut_off(page: Page) -> list[str]:
    """Return at which widths and sizes of letters the page is wider than its window."""
    found = []
    for width, enlarged in SIZES.items():
        page.set_viewport_size({"width": width, "height": 640})
        found += [
            f"{wide} px of {width} px with letters at {times:.0%}"
            for times, wide in page.evaluate(WIDER_THAN_WINDOW, enlarged)
        ]
    return found


def assert_summary(page: Page, texts: tuple[str, ...]) -> None:
    """Check an error summary by the pattern of GOV.UK: above the title, each entry worded as at its
    field, and linked to it.
    """
    summary = shown(page, "#errors")
    for text in texts:
        assert text in summary
    assert plain(page.title()).startswith("Erreur : ")
    above = "document.querySelector('#errors').getBoundingClientRect().bottom"
    assert page.evaluate(f"{above} <= document.querySelector('h1').getBoundingClientRect().top")
    for entry in page.locator("#errors a[href^='#']").all():
        field = page.locator(entry.get_attribute("href") or "")
        group = field.locator("xpath=ancestor-or-self::*[@aria-invalid='true']").first
        expect(group).to_be_visible()
        described = page.locator(f"#{group.get_attribute('id')}-error")
        assert plain(described.inner_text()) == plain(entry.inner_text())
        described_by = (group.get_attribute("aria-describedby") or "").split()
        assert described.get_attribute("id") in described_by


def assert_structure(page: Page) -> None:
    """Check what every page has: its language, its landmarks, and a first stop of the keyboard that
    leads to its content.
    """
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    for selector in ("header", "main", "aside", "footer", "header nav", "footer nav"):
        expect(page.locator(f"body {selector}")).to_have_count(1)
    expect(page.locator("body > :first-child")).to_have_attribute("href", "#main")
