"""What a voter sees when something is wrong: a summary that leads to the field, and what to do
next.
"""

import pytest
from playwright.sync_api import Page, Route, expect

from harness.site.voter_space import DemoVoter, VoterSpace, sign_in


@pytest.mark.req("U2")
def test_empty_form_lists_each_fault_and_leads_to_its_field(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    sign_in(page, space, voter)
    page.get_by_role("button", name="Vérifier ma demande").click()
    summary = page.locator("#errors")
    expect(summary).to_be_focused()
    assert page.title().startswith("Erreur")
    entries = summary.get_by_role("link")
    expect(entries).to_have_count(4)
    for field, entry in zip(("numen", "phone", "channel", "consent"), entries.all(), strict=True):
        assert page.locator(f"#{field}-error").inner_text().strip().endswith(entry.inner_text().strip())
    entries.first.click()
    expect(page.locator("#numen")).to_be_focused()
    assert page.evaluate(
        "document.querySelector('#errors').getBoundingClientRect().top"
        " < document.querySelector('h1').getBoundingClientRect().top"
    )


@pytest.mark.req("U9")
def test_foreign_domain_is_told_which_addresses_are_accepted(page: Page, space: VoterSpace) -> None:
    page.goto(f"{space.origin}/connexion.html")
    page.get_by_label("Adresse électronique professionnelle").fill("anne.martin@example.org")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("main")).to_contain_text("prenom.nom@ac-dijon.fr")


@pytest.mark.req("U9", "S8")
def test_wrong_code_keeps_the_voter_on_the_page(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    page.goto(f"{space.origin}/connexion.html")
    page.get_by_label("Adresse électronique professionnelle").fill(voter.email)
    page.get_by_role("button", name="Recevoir le code").click()
    right = space.code_for(voter.email)
    page.get_by_label("Code à 6 chiffres").fill("000000" if right != "000000" else "111111")
    page.get_by_role("button", name="Valider le code").click()
    expect(page.locator("#errors")).to_be_focused()
    page.get_by_label("Code à 6 chiffres").fill(right)
    page.get_by_role("button", name="Valider le code").click()
    expect(page.locator("h1")).to_have_text("Vos renseignements")


@pytest.mark.req("U9")
def test_wrong_numen_keeps_what_was_typed(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    sign_in(page, space, voter)
    wrong = voter.numen[:-1] + ("A" if voter.numen[-1] != "A" else "B")
    page.get_by_label("NUMEN", exact=True).fill(wrong)
    page.get_by_label("Numéro de téléphone mobile").fill("06 12 34 56 05")
    page.locator("#channel-sms").check()
    page.locator("#consent").check()
    page.get_by_role("button", name="Vérifier ma demande").click()
    page.get_by_role("button", name="Confirmer ma demande").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#numen")).to_have_value(wrong)
    expect(page.locator("#phone")).to_have_value("06 12 34 56 05")


@pytest.mark.req("R2")
def test_lost_connection_keeps_the_request_and_sends_it_once(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    sign_in(page, space, voter)
    page.get_by_label("NUMEN", exact=True).fill(voter.numen)
    page.get_by_label("Numéro de téléphone mobile").fill("06 12 34 56 06")
    page.locator("#channel-email").check()
    page.locator("#consent").check()
    page.get_by_role("button", name="Vérifier ma demande").click()

    def lose_the_answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/reissue", lose_the_answer)
    page.get_by_role("button", name="Confirmer ma demande").click()
    expect(page.locator("#errors, #notice").filter(visible=True).first).to_be_visible()
    page.unroute("**/api/reissue")
    page.get_by_role("button", name="Confirmer ma demande").click()
    page.wait_for_url("**/suivi.html*")
    space.wait_for_message(voter.email, "Confirmation")
    expect(page.locator("main")).to_contain_text("n° 2")
    assert len([m for m in space.messages(voter.email) if "Confirmation" in m["subject"]]) == 1


def test_unknown_page_is_a_french_404(page: Page, space: VoterSpace) -> None:
    answer = page.goto(f"{space.origin}/nulle-part")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("html")).to_have_attribute("lang", "fr")


@pytest.mark.req("U11")
def test_without_javascript_the_form_says_what_it_needs(page: Page, space: VoterSpace) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{space.origin}/connexion.html")
    # Playwright leaves noscript out of an element's text, so its paragraph is looked at.
    notice = plain.locator("noscript p").first
    expect(notice).to_be_visible()
    assert "JavaScript" in (notice.text_content() or "")
    context.close()
