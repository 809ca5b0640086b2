"""The journey of a voter who lost their identifier, in Chromium, against the deployed stack."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.site.voter_space import DemoVoter, VoterSpace, confirm, fill_form, sign_in

IDENTIFIER = re.compile(r"\b[2-9A-Z]{4}(?:-[2-9A-Z]{4}){3}\b")


@pytest.mark.req("U4", "U6", "U7", "I4")
def test_voter_receives_a_new_identifier_by_sms(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    sign_in(page, space, voter)
    fill_form(page, voter, "06 12 34 56 01", "sms")
    expect(page.locator(".panel-warning:visible")).to_contain_text("vous annulez votre identifiant actuel")
    confirm(page)
    expect(page.locator("main")).to_contain_text("n° 2")
    expect(page.locator("main")).to_contain_text("n° 1")
    expect(page.locator("#destination")).to_contain_text("56 01")
    reference = page.locator("#reference").inner_text().strip()
    sms = space.wait_for_message("+33612345601", channel="sms")
    confirmation = space.wait_for_message(voter.email, "Confirmation")
    expect(page.locator("#status")).to_have_text(re.compile("envoyé", re.IGNORECASE))
    found = IDENTIFIER.search(sms["text"])
    assert found is not None
    assert found[0] != voter.identifier
    assert reference in sms["text"]
    assert reference in confirmation["text"]
    assert found[0] not in confirmation["text"] + confirmation["html"]
    assert "ne fonctionne plus" in confirmation["text"]


@pytest.mark.req("U1")
def test_journey_with_the_keyboard_alone_on_a_narrow_screen(
    chromium: Browser, space: VoterSpace, voter: DemoVoter
) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640}, locale="fr-FR")
    page = context.new_page()

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} cannot be reached with Tab")

    def no_sideways_scrolling() -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.goto(f"{space.origin}/connexion.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')").startswith("#"), (
        "the first stop skips to content"
    )
    no_sideways_scrolling()
    tab_to("#email")
    page.keyboard.type(voter.email)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Le code reçu par courriel")
    no_sideways_scrolling()
    tab_to("#code")
    page.keyboard.type(space.code_for(voter.email))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Vos renseignements")
    no_sideways_scrolling()
    tab_to("#numen")
    page.keyboard.type(voter.numen.lower())
    tab_to("#phone")
    page.keyboard.type("0612345603")
    tab_to("#channel-sms, #channel-email")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#channel-email")).to_be_checked()
    tab_to("#consent")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Vérifiez votre demande")
    no_sideways_scrolling()
    tab_to("#review-form button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/suivi.html*")
    expect(page.locator("#reference")).not_to_be_empty()
    no_sideways_scrolling()
    space.wait_for_message(voter.email, "Votre 2e identifiant de vote")
    context.close()


@pytest.mark.req("S26", "U9")
def test_dispute_is_recorded_and_ends_the_session(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    sign_in(page, space, voter)
    fill_form(page, voter, "06 12 34 56 04", "email")
    confirm(page)
    confirmation = space.wait_for_message(voter.email, "Confirmation")
    link = re.search(r"http\S+/contestation\.html#\S+", confirmation["text"])
    assert link is not None
    page.goto(link[0])
    expect(page).to_have_url(re.compile(r"/contestation\.html$"))
    page.locator("main button[type=submit], main button").first.click()
    expect(page.locator("h1")).to_have_text("Votre signalement est enregistré")
    page.goto(f"{space.origin}/demande.html")
    expect(page.locator("h1")).to_have_text("Votre adresse professionnelle")
    expect(page.locator("#notice")).to_contain_text("session est terminée")
