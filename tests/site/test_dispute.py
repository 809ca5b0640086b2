"""« Ce n’était pas moi » in the browser: what the voter knows before the click, and what they must
do after it.
"""

import re

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.mocked_space import (
    ADDRESS,
    DISPUTE,
    DISPUTE_LOOK,
    ELECTION,
    NOW,
    ORIGIN,
    REFERENCE,
    MockedSpace,
    disputed_request,
)
from harness.site.states.dispute import ABOUT, STATES
from tests.site.axe import violations, violations_in_both_schemes
from tests.site.reading import expect_shown

TOKEN = f"{REFERENCE}.mJ4nQ2vX8tLz6sKc1wPb9yRd5hGf3aTe7uVi0oZxNkM"


def shown(page: Page) -> str:
    return re.sub(r"\s+", " ", page.locator("main").inner_text())


@pytest.mark.req("U9", "U10", "S21")
def test_voter_is_told_what_happens_next(page: Page, mocked: MockedSpace) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.clock.install(time=NOW)
    page.goto(f"{ORIGIN}/contestation.html#{TOKEN}")
    assert page.url == f"{ORIGIN}/contestation.html", "the token stays in no history"
    for consequence in ("personne ne peut plus voter avec", "l’assistance est prévenue", "vous devez l’appeler"):
        expect_shown(page, consequence)
    assert violations(page) == []

    mocked.answer(DISPUTE, 202, disputed_request())
    page.get_by_role("button", name="Ce n’était pas moi").click()
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("h1")).to_have_text("Votre signalement est enregistré")
    assert mocked.asked == [("POST", path, {"token": TOKEN}) for path in ("/api/dispute/look", "/api/dispute")]
    expect(page.locator("#dispute")).to_be_hidden()
    steps = [re.sub(r"\s+", " ", step) for step in page.locator("#disputed ol h3").all_inner_texts()]
    assert steps == [
        "Changez le mot de passe de votre messagerie professionnelle",
        f"Appelez l’assistance au {ELECTION.helpdesk.phone}",
        "Dictez-lui cette référence",
        "Recevez un identifiant sûr",
    ]
    for text in (
        "L’identifiant est bloqué",
        "Elle ne vous appellera pas",
        "Ouverte maintenant, jusqu’à 20 h.",
        REFERENCE,
        "Avant cet appel, vous ne pouvez ni voter ni faire une nouvelle demande.",
    ):
        expect_shown(page, text)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations_in_both_schemes(page) == []


@pytest.mark.req("U9", "U19")
def test_voter_reads_which_request_it_was_before_the_press(page: Page, mocked: MockedSpace) -> None:
    STATES["dispute"].play(mocked)
    expect_shown(page, f"Référence : {REFERENCE}.", ABOUT)
    assert mocked.asked == [("POST", "/api/dispute/look", {"token": TOKEN})]


@pytest.mark.req("U9", "U19")
def test_a_link_that_was_opened_before_tells_nothing_of_the_next_ones_request(page: Page, mocked: MockedSpace) -> None:
    mocked.hold(DISPUTE_LOOK)
    mocked.open(f"contestation.html#{TOKEN}")
    mocked.let_later_ones_pass(DISPUTE_LOOK)
    later = disputed_request() | {"channel": "email", "destination": ADDRESS}
    mocked.answer(DISPUTE_LOOK, 200, later)
    page.evaluate("token => { location.hash = token }", TOKEN.replace(REFERENCE, "9QWX2-T7K3M"))
    expect_shown(page, "9QWX2-T7K3M", f"envoyée à l’adresse {ADDRESS}")
    mocked.answer(DISPUTE_LOOK, 200, disputed_request())
    with page.expect_response("**/api/dispute/look"):
        mocked.release()
    # The page has read the answer once a later task has run.
    page.evaluate("() => new Promise((done) => { setTimeout(done, 50) })")
    expect_shown(page, f"envoyée à l’adresse {ADDRESS}")


@pytest.mark.req("U9", "U10")
@pytest.mark.parametrize(
    ("code", "text"), [(Code.INVALID_TOKEN, "Ouvrez de nouveau le lien"), (Code.UNAVAILABLE, "Réessayer")]
)
def test_refused_dispute_says_what_to_do(page: Page, mocked: MockedSpace, code: Code, text: str) -> None:
    mocked.refuse(DISPUTE, code)
    page.goto(f"{ORIGIN}/contestation.html#{TOKEN}")
    page.get_by_role("button", name="Ce n’était pas moi").click()
    expect(page.locator("#errors")).to_be_focused()
    expect_shown(page, text)
    expect(page.locator("#disputed")).to_be_hidden()
    assert violations(page) == []


@pytest.mark.req("U9")
def test_cut_link_says_how_to_open_the_page(page: Page, mocked: MockedSpace) -> None:
    page.goto(f"{ORIGIN}/contestation.html")
    expect(page.locator("#incomplete")).to_be_visible()
    expect_shown(page, "Ouvrez cette page avec le lien du courriel de confirmation")
    expect(page.locator("#dispute")).to_be_hidden()
