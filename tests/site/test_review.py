"""Before the irreversible act: what is shown, what can be changed, what a lost answer leads to."""

import pytest
from playwright.sync_api import Page, expect

from harness.site.mocked_space import ADDRESS, OVERVIEW, REFERENCE, REISSUE, MockedSpace, overview
from harness.site.steps import (
    NUMEN,
    TYPED_PHONE,
    ask_code,
    commit,
    confirm,
    earlier_reissue,
    fill_form,
    heading_is,
    open_form,
    open_review,
    redeem,
    sign_in,
)
from tests.site.reading import expect_shown, shown


def reissues(space: MockedSpace) -> list[object]:
    return [body for method, path, body in space.asked if (method, path) == REISSUE]


def change_after_lost_answer(space: MockedSpace) -> None:
    """Confirm a request whose answer is lost, and change its number."""
    open_review(space)
    space.drop(REISSUE)
    confirm(space)
    expect(space.page.locator("#errors")).to_be_focused()
    space.page.locator("[data-edit='phone']").click()
    space.page.locator("#phone").fill("07 81 23 45 67")


@pytest.mark.req("U4")
def test_review_warns_before_the_act_and_in_its_own_words(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    warning = shown(page, "[data-view=review] .panel-warning")
    assert "En confirmant, vous annulez votre identifiant actuel (le 1er)." in warning
    assert "Il cesse de fonctionner tout de suite et pour toujours." in warning
    assert reissues(mocked) == []
    # The warning comes before the button that acts, in reading order too.
    order = "(a, b) => !!(document.querySelector(a).compareDocumentPosition(document.querySelector(b)) & 4)"
    assert page.evaluate(f"({order})('[data-view=review] .panel-warning', '#review-form button[type=submit]')")
    expect(page.get_by_role("button", name="Confirmer ma demande")).to_be_visible()


@pytest.mark.req("U4")
def test_review_names_the_number_that_is_replaced(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked, **earlier_reissue())
    fill_form(mocked)
    page.get_by_role("button", name="Vérifier ma demande").click()
    heading_is(page, "Vérifiez votre demande")
    expect_shown(page, "votre identifiant actuel (le 2e)")


@pytest.mark.req("U4")
def test_each_answer_can_be_changed_and_nothing_is_lost(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    for name, field, value in (("numen", "#numen", NUMEN), ("phone", "#phone", TYPED_PHONE)):
        page.locator(f"[data-edit='{name}']").click()
        expect(page.locator(field)).to_be_focused()
        expect(page.locator(field)).to_have_value(value)
        page.go_back()
        heading_is(page, "Vérifiez votre demande")
    page.locator("[data-edit='channel-sms']").click()
    page.locator("#channel-email").check()
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("#review-channel")).to_contain_text("Par courriel")
    expect(page.locator("#review-numen")).to_have_text(NUMEN)


@pytest.mark.req("U4", "U7", "S21")
def test_confirmed_request_leads_to_its_status_and_back_does_not_repeat_it(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    commit(mocked)
    confirm(mocked)
    page.wait_for_url("**/suivi.html")
    expect(page.locator("#receipt-title")).to_have_text("Votre 2e identifiant (il remplace le 1er)")
    expect(page.locator("#reissue-number")).to_have_text("Réassort n° 2, remplace le n° 1")
    expect(page.locator("#reference")).to_have_text(REFERENCE)
    expect(page.locator("#requested-at time")).to_contain_text("vendredi 30 novembre à 10 h 14")
    expect(page.locator("#replaced")).to_contain_text("Le 1er ne fonctionne plus.")
    page.go_back()
    heading_is(page, "Vos renseignements")
    expect(page.locator("#numen")).to_have_value("")
    expect(page.locator("#phone")).to_have_value("")
    assert len(reissues(mocked)) == 1


@pytest.mark.req("U4", "R2")
def test_double_press_sends_one_request(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    commit(mocked)
    mocked.hold(REISSUE)
    page.get_by_role("button", name="Confirmer ma demande").dblclick()
    page.get_by_role("button", name="Confirmer ma demande").click()
    page.clock.run_for(1_000)
    expect(page.locator("#busy")).to_have_text("Envoi de la demande…")
    assert len(reissues(mocked)) == 1
    mocked.release()
    page.wait_for_url("**/suivi.html")
    assert len(reissues(mocked)) == 1


@pytest.mark.req("U4", "R2")
def test_lost_answer_is_repeated_under_the_same_key(page: Page, mocked: MockedSpace) -> None:
    keys: list[str | None] = []
    page.on(
        "request", lambda asked: keys.append(asked.headers.get("idempotency-key")) if asked.method == "POST" else None
    )
    open_review(mocked)
    mocked.drop(REISSUE)
    confirm(mocked)
    expect(page.locator("#errors")).to_be_focused()
    commit(mocked)
    page.locator("#errors").get_by_role("button", name="Réessayer").click()
    page.wait_for_url("**/suivi.html")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert keys[0]


@pytest.mark.req("U4", "R2")
def test_lost_answer_of_a_committed_request_is_found_out_before_another_one(page: Page, mocked: MockedSpace) -> None:
    """The voter changes the form after a lost answer: the first request may have been taken."""
    change_after_lost_answer(mocked)
    commit(mocked)
    page.get_by_role("button", name="Vérifier ma demande").click()
    page.wait_for_url("**/suivi.html")
    expect(page.locator("#reference")).to_have_text(REFERENCE)
    assert len(reissues(mocked)) == 1


@pytest.mark.req("U4", "U5")
@pytest.mark.parametrize(
    ("masked", "typed"), [("d•••@ac-dijon.fr", "denis.roux@ac-dijon.fr"), (ADDRESS, "claire.petit@ac-dijon.fr")]
)
def test_form_of_one_voter_is_not_shown_to_the_next(page: Page, mocked: MockedSpace, masked: str, typed: str) -> None:
    """On a shared computer somebody else signs in where a session has ended, perhaps with an
    address masked alike.
    """
    sign_in(mocked)
    heading_is(page, "Vos renseignements")
    fill_form(mocked)
    page.clock.fast_forward(901_000)
    heading_is(page, "Votre adresse professionnelle")
    mocked.answer(OVERVIEW, 200, overview(address=masked, voter=typed))
    ask_code(mocked, typed)
    heading_is(page, "Le code reçu par courriel")
    redeem(mocked)
    heading_is(page, "Vos renseignements")
    expect(page.locator("#account-address")).to_have_text(masked)
    expect(page.locator("#numen")).to_have_value("")
    expect(page.locator("#phone")).to_have_value("")
    expect(page.locator("#consent")).not_to_be_checked()


@pytest.mark.req("U4")
def test_look_that_failed_is_repeated_and_confirms_nothing(page: Page, mocked: MockedSpace) -> None:
    """After an answer that was lost, the form was changed."""
    change_after_lost_answer(mocked)
    mocked.drop(OVERVIEW)
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("#errors")).to_be_focused()
    mocked.answer(OVERVIEW, 200, overview())
    page.locator("#errors").get_by_role("button", name="Réessayer").click()
    heading_is(page, "Vérifiez votre demande")
    assert len(reissues(mocked)) == 1


@pytest.mark.req("U6", "U9")
def test_a_request_without_an_answer_is_given_up_after_20_seconds(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    mocked.hold(REISSUE)
    confirm(mocked)
    page.locator("body.working").wait_for()
    page.clock.run_for(20_500)
    expect(page.locator("#errors")).to_be_focused()
    expect_shown(page, "Le service ne répond pas", selector="#errors")


@pytest.mark.req("U16")
def test_tracking_takes_the_place_of_the_review(page: Page, mocked: MockedSpace) -> None:
    """Back leads to no review and to no NUMEN."""
    open_review(mocked)
    commit(mocked)
    before = page.evaluate("history.length")
    confirm(mocked)
    page.wait_for_url("**/suivi.html")
    page.locator("#reference:not(:empty)").wait_for()
    assert page.evaluate("history.length") == before
    page.go_back()
    heading_is(page, "Vos renseignements")
    expect(page.locator("#numen")).to_have_value("")
