"""The code to read to the helpdesk: where a signed-in voter finds it, how long it stays, and who
never sees it.
"""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.intercepted import answer_requests
from harness.site.mocked_space import OVERVIEW, STATUS, MockedSpace, caller_code, last_reissue, overview, tracked
from harness.site.pages import PAGES
from harness.site.states import STATES
from tests.site.reading import expect_shown, plain, shown

BOX = "#caller-code"
WORDS = "#caller-code-words"
SHOWN = "girafe tambour"
# The states that send a signed-in voter to the helpdesk.
SENT_TO_THE_HELPDESK = ("locked", "locked-until-helpdesk", "phone-in-use", "too-many-reissues", "frozen", "voted")


def position(page: Page, selector: str) -> list[float]:
    """Return where an element is in its part of the page, which may be scrolled or stick to the
    window: left, top, height.
    """
    script = """e => {
      const [own, part] = [e, e.closest("aside, main")].map(one => one.getBoundingClientRect());
      return [own.left - part.left, own.top - part.top, own.height];
    }"""
    where: list[float] = page.locator(selector).evaluate(script)
    return where


def test_signed_in_voter_finds_it_beside_the_helpdesks_number(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    expect(page.locator(f"aside.helpdesk {BOX}")).to_be_visible()
    text = shown(page, BOX)
    assert text.startswith("Deux mots à lire à l’assistance")
    assert SHOWN in text
    assert "Ne les donnez à personne d’autre." in text


def test_words_are_read_as_they_are_shown(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    assert plain(page.locator(WORDS).text_content() or "") == SHOWN
    expect(page.locator(f"{WORDS} [aria-hidden=true]")).to_have_count(0)
    # Nothing in the box could be taken for a code of sign-in.
    assert not re.search(r"\d{3}", shown(page, BOX))


PLACES = (".helpdesk-phone", ".helpdesk-note:not(.no-print)", "h1")


@pytest.mark.parametrize("name", SENT_TO_THE_HELPDESK)
def test_who_is_sent_to_the_helpdesk_is_told_of_it(page: Page, mocked: MockedSpace, name: str) -> None:
    STATES[name].play(mocked)
    expect(page.locator("h1")).to_have_text(STATES[name].heading)
    expect_shown(page, "Elle vous demandera les deux mots affichés sous « Besoin d’aide ? ».")
    expect_shown(page, SHOWN, selector=BOX)


def test_after_both_ways_failed_a_link_leads_to_it(page: Page, mocked: MockedSpace) -> None:
    STATES["tracking-fallback-failed"].play(mocked)
    page.locator("#new-request").get_by_role("link", name="deux mots à lire à l’assistance").click()
    expect(page.locator(BOX)).to_be_in_viewport()


@pytest.mark.parametrize("name", [name for name in PAGES if name not in {"suivi.html", "demande.html"}])
def test_who_is_not_signed_in_sees_none_and_nothing_is_asked_for_it(page: Page, mocked: MockedSpace, name: str) -> None:
    mocked.open(name)
    page.wait_for_load_state("networkidle")
    expect(page.locator(f"{BOX}:visible")).to_have_count(0)
    assert ("GET", "/api/reissue", None) not in mocked.asked


def test_it_goes_with_the_session(page: Page, mocked: MockedSpace) -> None:
    STATES["tracking-session-ended"].play(mocked)
    expect(page.locator(BOX)).to_be_hidden()
    assert "girafe" not in (page.locator(WORDS).text_content() or "")


def test_it_changes_in_its_place_when_the_session_is_prolonged(page: Page, mocked: MockedSpace) -> None:
    STATES["tracking-session-about-to-end"].play(mocked)
    before = position(page, BOX)
    fresh = overview(
        generation=2, last_reissue=last_reissue(tracked("delivered")), caller_code=caller_code("citron volcan", 1900)
    )
    mocked.answer(OVERVIEW, 200, fresh)
    page.get_by_role("button", name="Continuer ma session").click()
    expect(page.locator(WORDS)).to_contain_text("citron")
    expect_shown(page, "citron volcan", selector=BOX)
    assert position(page, BOX) == before


def test_it_ends_when_the_helpdesk_takes_it_no_more_and_a_new_one_is_a_click_away(
    page: Page, mocked: MockedSpace
) -> None:
    last = last_reissue(tracked("delivered"))
    mocked.answer(OVERVIEW, 200, overview(last_reissue=last, caller_code=caller_code(lives=60)))
    mocked.answer(STATUS, 200, tracked("delivered"))
    mocked.open("suivi.html")
    expect(page.locator(WORDS)).to_be_visible()
    before = position(page, BOX)
    page.clock.fast_forward(61_000)
    renew = page.get_by_role("button", name="Afficher d’autres mots")
    expect(renew).to_be_visible()
    expect(page.locator(WORDS)).to_be_hidden()
    assert position(page, BOX) == before

    mocked.answer(OVERVIEW, 200, overview(last_reissue=last, caller_code=caller_code("abeille zèbre", 1200)))
    renew.click()
    expect(page.locator(WORDS)).to_be_focused()
    expect_shown(page, "abeille zèbre", selector=BOX)
    assert position(page, BOX) == before


def test_who_asks_for_a_new_one_after_the_session_is_sent_to_sign_in(page: Page, mocked: MockedSpace) -> None:
    STATES["tracking-caller-code-expired"].play(mocked)
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    page.get_by_role("button", name="Afficher d’autres mots").click()
    expect(page.locator("#notice")).to_contain_text("Votre session est terminée")
    expect(page.locator(BOX)).to_be_hidden()


def test_nothing_moves_when_it_comes(page: Page, mocked: MockedSpace) -> None:
    """It stands last in the box, so what is read meanwhile stays where it is."""
    page.set_viewport_size({"width": 1280, "height": 860})
    mocked.hold(OVERVIEW)
    mocked.track(tracked("sent"))
    mocked.open("suivi.html")
    before = [position(page, selector) for selector in PLACES]
    mocked.release()
    expect(page.locator(BOX)).to_be_visible()
    assert [position(page, selector) for selector in PLACES] == before


def test_it_is_not_printed(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    page.emulate_media(media="print")
    expect(page.locator(BOX)).to_be_hidden()


def test_page_that_is_newer_than_the_api_does_without(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    body = overview(generation=2, last_reissue=last_reissue(tracked("sent")))
    del body["caller_code"]
    answer_requests(
        page, "*/api/reissue", lambda asked: asked.fulfill(body=json.dumps(body), content_type="application/json")
    )
    page.reload()
    page.locator("#reference:not(:empty)").wait_for()
    expect(page.locator(BOX)).to_be_hidden()


def test_help_page_shows_it_to_who_asks(page: Page, mocked: MockedSpace) -> None:
    STATES["help-caller-code"].play(mocked)
    expect(page.locator(WORDS)).to_be_focused()
    expect(page.get_by_role("button", name="Afficher mes deux mots")).to_be_hidden()
    page.clock.fast_forward(1_201_000)
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    page.get_by_role("button", name="Afficher d’autres mots").click()
    expect(page.locator("#caller-code-answer")).to_contain_text("Identifiez-vous")
    expect(page.locator(BOX)).to_be_hidden()
