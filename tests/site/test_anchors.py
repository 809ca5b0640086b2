"""Anchors within a page: they move the focus, and nothing else; a token in an address is found
whatever stands around it.
"""

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.mocked_space import (
    DISPUTE,
    ORIGIN,
    OVERVIEW,
    REFERENCE,
    REISSUE,
    MockedSpace,
    disputed_request,
    overview,
)
from harness.site.pages import PAGES
from harness.site.states import STATES
from harness.site.states.dispute import TOKEN, press
from harness.site.steps import NUMEN, confirm, heading_is, open_review
from tests.site.reading import expect_shown

# A step, an error, a refusal and a notice of each kind.
SHOWN = (
    "address-empty",
    "address-after-tracking",
    "code",
    "code-wrong",
    "form-empty",
    "numen-mismatch",
    "review",
    "review-offline",
    "locked",
    "voted",
    "frozen-meanwhile",
    "stopped",
    "tracking-late",
    "redelivery-numen-missing",
    "dispute",
    "dispute-invalid-token",
    "disputed",
)
CUT = ("#", "#%", "#%E9", "#suivi", "#main", f"#{TOKEN[:-1]}", f"#{REFERENCE}", "#%23", "%23", "%23%")
WHOLE = (
    f"#{TOKEN}",
    f"#{TOKEN}.",
    f"#{TOKEN}>",
    f"#{TOKEN}%3E",
    f"#{TOKEN}%",
    f"#{TOKEN})%",
    f"#{TOKEN}%20",
    f"#%20{TOKEN}",
    f"#<{TOKEN}>,",
    f"#%23{TOKEN}",
    f"##{TOKEN}",
    f"%23{TOKEN}",
    f"%2523{TOKEN}",
    f"%23{TOKEN}.",
    f"?utm_source=mail#{TOKEN}",
)


def skip(page: Page) -> None:
    page.locator(".skip").focus()
    page.keyboard.press("Enter")


def seen(page: Page) -> tuple[str, str, str, str]:
    """Return what an anchor must leave alone."""
    # Except what counts the seconds until another code.
    shown = page.evaluate("""() => [...document.querySelectorAll("main *")]
      .filter((one) => !one.children.length && one.checkVisibility() && !one.closest(".actions, #resend-wait"))
      .map((one) => one.textContent).join("\\n")""")
    return page.url, page.title(), page.locator("h1").inner_text(), shown


@pytest.mark.req("U15")
@pytest.mark.parametrize("name", PAGES)
def test_skip_link_leads_to_the_content_of_every_page(page: Page, mocked: MockedSpace, name: str) -> None:
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open(name)
    skip(page)
    expect(page.locator("main")).to_be_focused()
    assert "#" not in page.url


@pytest.mark.req("U15")
@pytest.mark.parametrize("name", SHOWN)
def test_anchor_changes_no_step_and_wipes_no_error(page: Page, mocked: MockedSpace, name: str) -> None:
    STATES[name].play(mocked)
    expect(page.locator("h1")).to_have_text(STATES[name].heading)
    expect_shown(page, *STATES[name].texts)
    page.context.set_offline(False)
    if STATES[name].summary is not None:
        expect(page.locator("#errors")).to_be_focused()
    before = seen(page)
    skip(page)
    expect(page.locator("main")).to_be_focused()
    assert seen(page) == before
    # The same by hand in the address bar, or by an anchor that was pressed before any script was
    # there: it is a step of the history, and Back leads to where the voter is.
    page.evaluate("location.hash = 'main'")
    page.wait_for_timeout(100)
    assert seen(page)[1:] == before[1:]
    page.evaluate("history.back()")
    page.wait_for_timeout(100)
    assert seen(page)[1:] == before[1:]


@pytest.mark.req("U15")
def test_back_from_a_refusal_shows_no_form(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    mocked.refuse(REISSUE, Code.ALREADY_VOTED)
    confirm(mocked)
    heading_is(page, "Vous avez déjà voté")
    mocked.answer(OVERVIEW, 200, overview(status="used"))
    page.go_back()
    page.wait_for_timeout(100)
    heading_is(page, "Vous avez déjà voté")
    expect(page.locator("#request-form")).to_be_hidden()


@pytest.mark.req("U15")
@pytest.mark.parametrize("link", WHOLE)
def test_token_opens_the_page_whatever_a_mailer_put_around_it(page: Page, mocked: MockedSpace, link: str) -> None:
    mocked.answer(DISPUTE, 202, disputed_request())
    mocked.open(f"contestation.html{link}")
    expect(page).to_have_url(f"{ORIGIN}/contestation.html")
    skip(page)
    expect(page.locator("#dispute")).to_be_visible()
    press(mocked)
    heading_is(page, "Votre signalement est enregistré")
    assert mocked.asked == [("POST", path, {"token": TOKEN}) for path in ("/api/dispute/look", "/api/dispute")]


@pytest.mark.req("U15")
@pytest.mark.parametrize("link", CUT)
def test_link_without_a_whole_token_says_what_to_do(page: Page, mocked: MockedSpace, link: str) -> None:
    mocked.open(f"contestation.html{link}")
    expect(page).to_have_url(f"{ORIGIN}/contestation.html")
    expect_shown(page, "Ouvrez cette page avec le lien du courriel de confirmation.", "appeler l’assistance")
    expect(page.locator("#dispute")).to_be_hidden()


@pytest.mark.req("U15")
def test_second_link_in_the_same_tab_is_another_dispute(page: Page, mocked: MockedSpace) -> None:
    STATES["disputed"].play(mocked)
    heading_is(page, "Votre signalement est enregistré")
    other = TOKEN[:-1] + "0"
    page.evaluate("token => { location.hash = token; }", other)
    heading_is(page, "Cette demande ne vient pas de vous ?")
    expect(page.locator("#disputed")).to_be_hidden()
    press(mocked)
    heading_is(page, "Votre signalement est enregistré")
    assert mocked.asked[-1] == ("POST", "/api/dispute", {"token": other})


@pytest.mark.req("U15")
def test_anchor_of_another_page_is_told_to_it_also_when_it_was_written_out(page: Page, mocked: MockedSpace) -> None:
    mocked.open("connexion.html%23suivi")
    expect_shown(page, "Identifiez-vous pour continuer.")
    assert page.url == f"{ORIGIN}/connexion.html"


@pytest.mark.req("U15", "U5")
def test_skip_link_at_the_form_keeps_what_was_typed(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    page.locator("[data-edit='numen']").click()
    skip(page)
    page.go_back()
    heading_is(page, "Vérifiez votre demande")
    expect(page.locator("#review-numen")).to_have_text(NUMEN)
