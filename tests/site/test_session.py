"""The end of a session: a warning in time, a way to stay, and nothing typed is lost."""

import re

import pytest
from playwright.sync_api import Page, expect
from reassort.clock import iso
from reassort.problems import Code

from harness.site.mocked_space import NOW, OVERVIEW, REISSUE, SIGN_OUT, MockedSpace, last_reissue, overview, tracked
from harness.site.steps import (
    NUMEN,
    TYPED_PHONE,
    ask_code,
    confirm,
    fill_form,
    heading_is,
    open_form,
    open_review,
    redeem,
)
from tests.site.reading import expect_shown

IDLE = 900
WARNING = "#session-warning"


@pytest.mark.req("U5")
def test_warning_comes_a_minute_before_the_end_at_the_latest(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    page.clock.fast_forward((IDLE - 125) * 1000)
    expect(page.locator(WARNING)).to_be_hidden()
    page.clock.run_for(10_000)
    expect(page.locator(WARNING)).to_be_visible()
    expect_shown(page, "Temps restant : 1 min", selector=WARNING)


@pytest.mark.req("U5")
def test_short_session_is_warned_of_a_minute_ahead_too(page: Page, mocked: MockedSpace) -> None:
    """A page opened late in the longest life of a session."""
    open_form(mocked, session={"expires_in": 120})
    page.clock.fast_forward(57_000)
    expect(page.locator(WARNING)).to_be_hidden()
    page.clock.run_for(4_000)
    expect(page.locator(WARNING)).to_be_visible()


@pytest.mark.req("U5")
def test_session_is_prolonged_with_one_press(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    fill_form(mocked)
    page.clock.fast_forward((IDLE - 100) * 1000)
    expect(page.locator(WARNING)).to_be_visible()
    page.get_by_role("button", name="Continuer ma session").click()
    expect(page.locator(WARNING)).to_be_hidden()
    page.clock.fast_forward((IDLE - 200) * 1000)
    expect(page.locator(WARNING)).to_be_hidden()
    heading_is(page, "Vos renseignements")
    expect(page.locator("#numen")).to_have_value(NUMEN)


@pytest.mark.req("U5")
@pytest.mark.parametrize("at_review", [False, True])
def test_nothing_typed_is_lost_when_the_session_ends(page: Page, mocked: MockedSpace, at_review: bool) -> None:
    if at_review:
        open_review(mocked)
        mocked.refuse(REISSUE, Code.SIGNED_OUT)
        confirm(mocked)
    else:
        open_form(mocked)
        fill_form(mocked)
        page.clock.fast_forward((IDLE + 1) * 1000)
    heading_is(page, "Votre adresse professionnelle")
    expect(page.locator("#notice")).to_be_focused()
    expect_shown(page, "Ce que vous avez saisi est conservé.", selector="#notice")
    mocked.answer(("POST", "/api/login"), 202, {"sent": True, "expires_in": 600, "resend_in": 60})
    mocked.answer(("POST", "/api/login/code"), 200, {"expires_in": IDLE})
    ask_code(mocked)
    heading_is(page, "Le code reçu par courriel")
    redeem(mocked)
    # Back where the voter was.
    heading_is(page, "Vérifiez votre demande" if at_review else "Vos renseignements")
    expect(page.locator("#numen")).to_have_value(NUMEN)
    expect(page.locator("#phone")).to_have_value(TYPED_PHONE)
    expect(page.locator("#channel-sms")).to_be_checked()


@pytest.mark.req("U5")
def test_another_tab_prolongs_and_ends_the_session_here_too(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    other = MockedSpace(page.context.new_page(), mocked.site)
    status = tracked("sent")
    other.track(status)
    longer = overview(
        generation=2, issued_at=iso(NOW), last_reissue=last_reissue(status), session={"expires_in": 3 * IDLE}
    )
    other.answer(OVERVIEW, 200, longer)
    page.clock.fast_forward((IDLE - 100) * 1000)
    expect(page.locator(WARNING)).to_be_visible()
    other.open("suivi.html")
    other.page.locator("#reference:not(:empty)").wait_for()
    expect(page.locator(WARNING)).to_be_hidden()
    other.answer(SIGN_OUT, 204)
    other.page.get_by_role("button", name="Me déconnecter").first.click()
    other.page.wait_for_url("**/index.html*")
    page.wait_for_url("**/index.html")
    expect_shown(page, "Vous avez quitté votre session.")


@pytest.mark.req("U5", "U6")
def test_status_stays_readable_when_the_session_ends(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("delivered"))
    page.clock.fast_forward((IDLE - 100) * 1000)
    expect(page.locator(WARNING)).to_be_visible()
    page.clock.fast_forward(101_000)
    expect(page.locator(WARNING)).to_be_hidden()
    expect(page.locator("#notice")).to_be_focused()
    expect_shown(page, "Votre session est terminée", selector="#notice")
    expect(page.locator("#reference")).to_be_visible()


@pytest.mark.req("U5")
def test_lost_connection_does_not_end_the_session(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    fill_form(mocked)
    page.clock.fast_forward((IDLE - 100) * 1000)
    mocked.drop(OVERVIEW)
    page.get_by_role("button", name="Continuer ma session").click()
    expect(page.locator("#errors")).to_be_focused()
    mocked.answer(OVERVIEW, 200, overview())
    page.locator("#errors").get_by_role("button", name="Réessayer").click()
    expect(page.locator("#errors")).to_be_hidden()
    expect(page.locator("#numen")).to_have_value(NUMEN)


@pytest.mark.req("U9", "S12")
def test_lock_counts_down_and_says_when_it_is_over(page: Page, mocked: MockedSpace) -> None:
    # The lock lasts as long as an idle session: the voter prolongs theirs, or signs in again.
    open_form(mocked, session={"expires_in": 3600})
    fill_form(mocked)
    page.get_by_role("button", name="Vérifier ma demande").click()
    heading_is(page, "Vérifiez votre demande")
    mocked.refuse(REISSUE, Code.LOCKED, retry_after=900, attempts_left=0)
    confirm(mocked)
    countdown = page.locator("#countdown")
    expect(countdown).to_have_text(re.compile(r"^1[45]\smin\s\d\d\ss$"))
    page.clock.run_for(60_000)
    expect(countdown).to_have_text(re.compile(r"^1[34]\smin\s\d\d\ss$"))
    page.clock.fast_forward(840_000)
    ending = page.locator("#errors").get_by_role("status")
    expect(ending).to_contain_text("Vous pouvez recommencer.")
    # What was typed is there for the next try.
    expect(page.locator("#review-numen")).to_have_text(NUMEN)
