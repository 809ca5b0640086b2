"""The tracking page: what a voter reads in each state of a delivery, and what they can do."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code
from reassort.reasons import Reason

from harness.site.mocked_space import ADDRESS, REDELIVERY, REFERENCE, MockedSpace, step, tracked, why
from harness.site.states.following import REFUSALS, TRACKED, after_failed_sms, open_redelivery
from harness.site.steps import NUMEN
from tests.site.reading import expect_shown, plain, shown


def announced(page: Page) -> str:
    announcer = page.locator("#status-announcer")
    expect(announcer).to_have_role("status")
    return plain(announcer.text_content() or "")


@pytest.mark.req("U6", "R10", "R11")
@pytest.mark.parametrize("name", TRACKED)
def test_state_is_announced_and_offers_what_can_be_done(page: Page, mocked: MockedSpace, name: str) -> None:
    state = TRACKED[name]
    mocked.open_tracking(state.body)
    expect(page.locator("#status")).to_have_text(state.label)
    expect(page.locator("#redelivery")).to_be_visible(visible=state.button is not None)
    if state.button:
        expect(page.locator("#redeliver")).to_have_text(state.button)
    expect(page.locator("#new-request")).to_be_visible(visible=state.new_request)
    # Anyone who does not see the page hears it all once it is there.
    assert announced(page).startswith(f"État de l’envoi : {state.label}.")


@pytest.mark.req("R10", "R11")
def test_every_reason_of_a_failure_or_delay_has_words(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("queued"))
    cases = [
        tracked(status, channel, reason=why(reason))
        for status in ("sent", "failed")
        for channel in ("sms", "email")
        for reason in Reason
    ]
    words = page.evaluate(
        """async cases => {
          const { explain, stateWords } = await import(document.querySelector("link[href$='delivery.js']").href);
          return cases.map(reissue => [stateWords(reissue), explain(reissue).join(" ")]);
        }""",
        cases,
    )
    for case, (state, text) in zip(cases, words, strict=True):
        if case["status"] == "failed":
            assert state == "Échec de l’envoi"
            assert f"({case['reason']['words']})" in text
        else:
            assert state in {"Retardé", "Classé indésirable"}
            assert re.search(r"réessayons|Cherchez-le|Allumez-le", text)
        assert not re.search(r"undefined|null|NaN|\(\)", text)


@pytest.mark.req("U6", "R10")
def test_history_names_channel_and_reason(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(after_failed_sms("sent", Reason.UNKNOWN_NUMBER))
    steps = [plain(text).partition(" : ")[2] for text in page.locator("#history li").all_inner_texts()]
    assert steps == [
        "En attente d’envoi (SMS)",
        "Envoyé (SMS)",
        "Échec de l’envoi (SMS, numéro inconnu)",
        "En attente d’envoi (courriel)",
        "Envoyé (courriel)",
    ]


@pytest.mark.req("U6")
def test_long_wait_is_announced_once_while_the_minutes_go_down(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("queued", expected_wait=230))
    said = announced(page)
    assert "environ 4 minutes" in said
    assert "Pour ne pas attendre" in said
    mocked.next_status(tracked("queued", expected_wait=60))
    expect(page.locator("#status-text")).to_contain_text("environ 1")
    expect_shown(page, "environ 1 minute.")
    assert announced(page) == said


@pytest.mark.req("U6", "R10")
def test_automatic_email_after_a_failed_sms_is_announced(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    mocked.next_status(after_failed_sms("queued", Reason.UNKNOWN_NUMBER))
    expect(page.locator("#destination")).to_contain_text("l’adresse")
    assert "Le SMS n’a pas pu être remis (numéro inconnu). Le même identifiant part par courriel" in announced(page)
    mocked.next_status(after_failed_sms("delivered", Reason.UNKNOWN_NUMBER))
    expect(page.locator("#status")).to_have_text("Arrivé")


@pytest.mark.req("U6")
def test_page_goes_on_asking_after_the_identifier_has_arrived_until_the_confirmation_has(
    page: Page, mocked: MockedSpace
) -> None:
    mocked.open_tracking(tracked("delivered", confirmation={"status": "sent"}))
    expect(page.locator("#confirmation")).not_to_contain_text("remis")
    mocked.next_status(tracked("delivered", confirmation={"status": "failed", "reason": why(Reason.MAILBOX_FULL)}))
    expect(page.locator("#confirmation")).to_contain_text("boîte pleine")
    assert announced(page).startswith("Le courriel de confirmation n’a pas pu être remis")
    asked = len(mocked.asked)
    page.clock.fast_forward(120_000)
    assert len(mocked.asked) == asked


@pytest.mark.req("U6")
def test_voter_takes_the_email_instead_of_waiting(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("queued", expected_wait=600))
    sent = {"reference": REFERENCE, "generation": 2, "channel": "email", "destination": ADDRESS}
    mocked.answer(REDELIVERY, 202, sent)
    by_email = [step("queued", "sms", ago=5), step("queued", "email")]
    mocked.track(tracked("queued", "email", history=by_email))
    page.get_by_role("button", name="Recevoir par courriel maintenant").click()
    notice = page.locator("#redelivered")
    expect(notice).to_be_focused()
    assert plain(notice.inner_text()) == f"Le même identifiant part maintenant par courriel, à l’adresse {ADDRESS}."
    assert ("POST", f"/api/reissue/{REFERENCE}/redelivery", {"channel": "email"}) in mocked.asked
    expect(page.locator("#destination")).to_contain_text(ADDRESS)
    expect(page.locator("#redelivery")).to_be_hidden()
    # Once it has arrived, or failed, « part maintenant » is no longer so.
    mocked.next_status(tracked("delivered", "email", history=[*by_email, step("delivered", "email")]))
    expect(notice).to_be_hidden()


@pytest.mark.req("U6", "U9")
@pytest.mark.parametrize("code", REFUSALS)
def test_refused_redelivery_is_offered_again_only_if_it_may_succeed(
    page: Page, mocked: MockedSpace, code: Code
) -> None:
    open_redelivery(mocked, code, REFUSALS[code].retry_after)
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#redelivery")).to_be_visible(visible=REFUSALS[code].offered_again)
    expect(page.locator("#new-request")).to_be_hidden()
    assert "Seule l’assistance peut vous débloquer" not in shown(page)
    assert page.locator("#errors a[href='/suivi.html']").count() == 0


@pytest.mark.req("U6")
def test_identifier_that_has_arrived_meanwhile_is_shown_so(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent", history=[step("queued", "sms", ago=180)]))
    mocked.refuse(REDELIVERY, Code.ALREADY_DELIVERED)
    mocked.track(tracked("delivered"))
    page.locator("#redeliver").click()
    expect(page.locator("#errors")).to_contain_text("Votre identifiant est déjà arrivé")
    expect(page.locator("#status")).to_have_text("Arrivé")
    expect(page.locator("#redelivery")).to_be_hidden()


@pytest.mark.req("U5", "S27")
def test_an_open_page_asks_less_and_less(page: Page, mocked: MockedSpace) -> None:
    """A school's pages share one address, and the firewall counts by address."""
    mocked.open_tracking(tracked("sent"))
    mocked.asked.clear()
    for _ in range(120):
        page.clock.run_for(1_000)
    assert 1 < len(mocked.asked) <= 12


@pytest.mark.req("U16", "I7")
def test_numen_leaves_the_page_with_the_redelivery(page: Page, mocked: MockedSpace) -> None:
    redelivery = {"channels": ["email"], "numen": True}
    mocked.open_tracking(tracked("sent", history=[step("queued", "sms", ago=180)], redelivery=redelivery))
    page.locator("#numen").fill(NUMEN)
    mocked.answer(
        REDELIVERY, 202, {"reference": REFERENCE, "generation": 2, "channel": "email", "destination": ADDRESS}
    )
    page.locator("#redeliver").click()
    expect(page.locator("#redelivered")).to_be_focused()
    expect(page.locator("#numen")).to_have_value("")


@pytest.mark.req("U5")
def test_a_page_that_nobody_looks_at_asks_nothing_until_it_is_looked_at(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    mocked.asked.clear()
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.clock.run_for(120_000)
    assert mocked.asked == []
    page.evaluate("delete document.hidden")
    with page.expect_request("**/api/reissue/*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.clock.run_for(1_000)
