"""The page of the helpdesk in every state: what it says, where the focus is, how it is built, and
what three checkers find in it.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from harness.helpdesk.mocked_desk import PASSWORD, SECRET, TOTP, MockedDesk
from harness.helpdesk.states import STATES
from harness.site.checkers import Checkers
from tests.site.axe import violations_in_both_schemes
from tests.site.reading import plain

WIDTHS = (320, 640, 1280)
ENLARGED = "200%"
# What the page gets from the API is masked: in no state is more shown.
UNMASKED = re.compile(r"[\w.+-]{2,}@[\w-]+\.\w+|(?<!\d)0[67](?:[\s.]?\d\d){4}(?!\d)")


@pytest.mark.req("H2", "H3", "H4", "H7")
@pytest.mark.parametrize("name", STATES)
def test_state(page: Page, desk: MockedDesk, checkers: Checkers, name: str) -> None:
    state = STATES[name]
    page.set_viewport_size({"width": 320, "height": 640})
    state.play(desk)

    expect(page.locator("h1")).to_have_text(state.heading)
    if state.focus is not None:
        expect(page.locator(state.focus)).to_be_focused()
    expect(page.locator("#errors")).to_be_visible(visible=state.error)
    assert plain(page.title()).startswith("Erreur : ") is state.error
    shown = plain(page.locator("body").inner_text())
    for text in state.texts:
        assert text in shown

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        assert not _scrolls_sideways(page), f"scrolls at {width} px"
    assert violations_in_both_schemes(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert violations_in_both_schemes(page) == []
    page.set_viewport_size({"width": 640, "height": 640})
    page.evaluate(f"document.documentElement.style.fontSize = '{ENLARGED}'")
    assert not _scrolls_sideways(page), "scrolls with enlarged text"
    page.evaluate("document.documentElement.removeAttribute('style')")
    content = page.content()
    assert checkers.html(content, rendered=True) == []
    assert not UNMASKED.findall(content)
    shows_secret = name == "authenticator"
    for secret in (TOTP, PASSWORD, "session-token", "id-token", *(() if shows_secret else (SECRET,))):
        assert secret not in content


@pytest.mark.req("H7")
@pytest.mark.parametrize("name", ["ask-caller-code", "form-reissue", "unlocked", "act-refused", "shift"])
def test_forced_colours_leave_borders(page: Page, desk: MockedDesk, name: str) -> None:
    """Tints vanish: what they distinguished still has a border."""
    page.emulate_media(forced_colors="active")
    STATES[name].play(desk)
    boxes = page.locator(".caller:visible, .panel:visible, .errors:visible, .phrase:visible, .in-place:visible")
    assert boxes.count() > 0
    for box in boxes.all():
        assert box.evaluate("element => getComputedStyle(element).borderTopStyle") == "solid"


def _scrolls_sideways(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide
