"""A computer that several people use, and one person who has two tabs: nobody sees what another
typed, and nobody loses what they typed themselves.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import REISSUED_MEANWHILE, WORDINGS, Code

from harness.site.intercepted import answer_requests
from harness.site.mocked_space import (
    ADDRESS,
    ASK_CODE,
    OVERVIEW,
    REDEEM_CODE,
    REISSUE,
    SIGN_OUT,
    STATUS,
    MockedSpace,
    overview,
    tracked,
)
from harness.site.steps import (
    EMAIL,
    NUMEN,
    TYPED_PHONE,
    ask_code,
    confirm,
    earlier_reissue,
    fill_form,
    heading_is,
    open_form,
    open_review,
    redeem,
    sign_in,
)
from tests.site.reading import expect_shown

OTHER = "claire.petit@ac-dijon.fr"
SIGNED_OUT = "Vous avez quitté votre session."
# What a browser of some years ago does not have: the tabs tell each other in another way.
WITHOUT_CHANNEL = "delete window.BroadcastChannel"
# As a browser shows a page that it kept in memory.
COMES_BACK = "window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"


@pytest.fixture(params=["", WITHOUT_CHANNEL], ids=["channel", "storage"])
def first(request: pytest.FixtureRequest, page: Page, mocked: MockedSpace) -> Iterator[MockedSpace]:
    with page.context.add_init_script(request.param):
        yield mocked


@pytest.fixture
def second(first: MockedSpace) -> MockedSpace:
    """Another tab of the same browser."""
    return MockedSpace(first.page.context.new_page(), first.site)


def leave(space: MockedSpace) -> None:
    space.answer(SIGN_OUT, 204)
    space.page.get_by_role("button", name="Me déconnecter").first.click()
    space.page.wait_for_url("**/index.html*")


def typed(page: Page) -> list[str]:
    values: list[str] = page.evaluate("""() => [...document.querySelectorAll("input")]
      .filter(field => /radio|checkbox/.test(field.type) ? field.checked : field.value).map(field => field.id)""")
    return values


@pytest.mark.req("U16")
def test_signing_out_empties_every_tab(first: MockedSpace, second: MockedSpace) -> None:
    """The form, the sign-in with an address in it, the status, the code for the helpdesk, the
    secretariat.
    """
    open_form(first)
    fill_form(first)
    tabs = [first]
    for path, ready in (
        ("suivi.html", "#reference:not(:empty)"),
        ("aide.html", "#caller-code-words:not(:empty)"),
        ("numen.html#secretariat", "#secretariat"),
        ("connexion.html", "#email"),
    ):
        tab = MockedSpace(first.page.context.new_page(), first.site)
        tab.track(tracked("sent"))
        tab.open(path)
        if path == "aide.html":
            tab.page.get_by_role("button", name="Afficher mes deux mots").click()
        tab.page.locator(ready).wait_for()
        tabs.append(tab)
    tabs[-1].page.locator("#email").fill(EMAIL)
    second.track(tracked("sent"))
    second.open("suivi.html")
    second.page.locator("#reference:not(:empty)").wait_for()
    leave(second)
    for tab in tabs:
        tab.page.wait_for_url("**/index.html")
        expect_shown(tab.page, SIGNED_OUT)
        # Not in what Back leads to, either.
        tab.refuse(OVERVIEW, Code.SIGNED_OUT)
        tab.page.go_back()
        tab.page.wait_for_load_state()
        assert typed(tab.page) == []


@pytest.mark.req("U16", "S40")
def test_next_voter_finds_nothing_of_the_one_before(first: MockedSpace, second: MockedSpace) -> None:
    """They share the first letter and the domain. The first reloads the form, fills it in and signs
    out in another tab.
    """
    sign_in(first)
    heading_is(first.page, "Vos renseignements")
    first.page.reload()
    heading_is(first.page, "Vos renseignements")
    fill_form(first)
    second.track(tracked("sent"))
    second.open("suivi.html")
    second.page.locator("#reference:not(:empty)").wait_for()
    leave(second)
    first.page.wait_for_url("**/index.html")
    first.refuse(OVERVIEW, Code.SIGNED_OUT)
    first.page.get_by_role("link", name="Commencer ma demande").click()
    heading_is(first.page, "Votre adresse professionnelle")
    first.answer(ASK_CODE, 202, {"sent": True, "expires_in": 600, "resend_in": 60})
    first.answer(REDEEM_CODE, 200, {"expires_in": 900})
    first.answer(OVERVIEW, 200, overview(voter=OTHER))
    ask_code(first, OTHER)
    heading_is(first.page, "Le code reçu par courriel")
    redeem(first)
    heading_is(first.page, "Vos renseignements")
    assert typed(first.page) == []


@pytest.mark.req("U16")
@pytest.mark.parametrize("at_review", [False, True])
def test_voter_who_signs_in_elsewhere_finds_an_empty_form(
    first: MockedSpace, second: MockedSpace, at_review: bool
) -> None:
    """Nobody has signed out: the session of the second voter took the place of the first one's."""
    open_form(first)
    fill_form(first)
    if at_review:
        first.page.get_by_role("button", name="Vérifier ma demande").click()
        heading_is(first.page, "Vérifiez votre demande")
    first.answer(OVERVIEW, 200, overview(voter=OTHER))
    sign_in(second, voter=OTHER)
    heading_is(second.page, "Vos renseignements")
    heading_is(first.page, "Vos renseignements")
    expect(first.page.locator("#notice")).to_contain_text("Une autre personne s’est identifiée")
    assert typed(first.page) == []


@pytest.mark.req("U16")
def test_status_of_one_voter_is_not_shown_to_the_next(first: MockedSpace, second: MockedSpace) -> None:
    first.open_tracking(tracked("delivered"))
    first.answer(OVERVIEW, 200, overview(voter=OTHER))
    sign_in(second, voter=OTHER)
    expect(first.page.locator("#none")).to_be_visible()
    expect(first.page.locator("#reference")).to_be_hidden()


@pytest.mark.req("U16")
def test_status_that_belongs_to_nobody_here_is_taken_away(mocked: MockedSpace) -> None:
    """The tabs could not tell each other: the answer of the API does."""
    mocked.open_tracking(tracked("sent"))
    mocked.answer(OVERVIEW, 200, overview(voter=OTHER))
    mocked.refuse(STATUS, Code.NOT_FOUND)
    mocked.page.clock.fast_forward(31_000)
    expect(mocked.page.locator("#none")).to_be_visible()
    expect(mocked.page.locator("#reference")).to_be_hidden()


@pytest.mark.req("U16")
def test_session_is_prolonged_for_nobody_else(mocked: MockedSpace) -> None:
    open_form(mocked)
    fill_form(mocked)
    mocked.page.clock.fast_forward(800_000)
    mocked.answer(OVERVIEW, 200, overview(voter=OTHER))
    mocked.page.get_by_role("button", name="Continuer ma session").click()
    expect(mocked.page.locator("#notice")).to_contain_text("Une autre personne s’est identifiée")
    assert typed(mocked.page) == []


@pytest.mark.req("U16")
def test_address_and_code_leave_the_page_with_the_sign_in(page: Page, mocked: MockedSpace) -> None:
    sign_in(mocked)
    heading_is(page, "Vos renseignements")
    assert typed(page) == []
    assert EMAIL not in (page.locator("main").text_content() or "")


@pytest.mark.req("S40", "U16")
def test_second_review_of_one_voter_is_told_what_happened_and_loses_nothing(
    first: MockedSpace, second: MockedSpace
) -> None:
    open_review(first)
    second.track(tracked("sent"))
    second.open("suivi.html")
    second.page.locator("#reference:not(:empty)").wait_for()
    # The other tab is the same voter: this one stays as it is.
    heading_is(first.page, "Vérifiez votre demande")
    first.refuse(REISSUE, Code.STALE_PAGE, same_voter=True, wording=REISSUED_MEANWHILE)
    first.answer(OVERVIEW, 200, overview(**earlier_reissue()))
    confirm(first)
    heading_is(first.page, "Vos renseignements")
    expect(first.page.locator("#errors")).to_be_focused()
    expect_shown(first.page, REISSUED_MEANWHILE.title, REISSUED_MEANWHILE.detail, selector="#errors")
    expect_shown(first.page, "Vous avez déjà demandé un nouvel identifiant : c’est votre 2e.", ADDRESS)
    expect(first.page.locator("#errors a[href='/suivi.html']")).to_be_visible()
    expect(first.page.locator("#numen")).to_have_value(NUMEN)
    expect(first.page.locator("#phone")).to_have_value(TYPED_PHONE)
    expect(first.page.locator("#channel-sms")).to_be_checked()
    # It replaces another identifier than the one that was consented to.
    expect(first.page.locator("#consent")).not_to_be_checked()
    first.page.locator("#consent").check()
    first.page.get_by_role("button", name="Vérifier ma demande").click()
    expect_shown(first.page, "votre identifiant actuel (le 2e)")


@pytest.mark.req("S40", "U16")
def test_review_of_another_voter_says_who_is_there_now(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    mocked.refuse(REISSUE, Code.STALE_PAGE, same_voter=False)
    mocked.answer(OVERVIEW, 200, overview(address="d•••@u-bourgogne.fr"))
    confirm(mocked)
    heading_is(page, "Vos renseignements")
    expect_shown(page, WORDINGS[Code.STALE_PAGE].title, WORDINGS[Code.STALE_PAGE].detail, selector="#errors")
    expect(page.locator("#account-address")).to_have_text("d•••@u-bourgogne.fr")
    assert typed(page) == []


@pytest.mark.req("S40", "U16")
def test_lost_answer_of_one_voter_is_not_looked_for_among_the_requests_of_another(
    page: Page, mocked: MockedSpace
) -> None:
    open_review(mocked)
    mocked.drop(REISSUE)
    confirm(mocked)
    expect(page.locator("#errors")).to_be_focused()
    page.locator("[data-edit='phone']").click()
    mocked.answer(OVERVIEW, 200, overview(voter=OTHER))
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("#notice")).to_contain_text("Une autre personne s’est identifiée")
    assert page.url.endswith("/demande.html")
    assert typed(page) == []


@pytest.mark.req("U5", "U16")
def test_storage_keeps_nothing_of_what_tabs_tell(first: MockedSpace) -> None:
    open_form(first)
    assert first.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


@pytest.mark.req("U16")
def test_form_is_empty_though_the_next_page_does_not_come(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    fill_form(mocked)
    mocked.answer(SIGN_OUT, 204)
    # A browser stays where it is when there is no content.
    answer_requests(page, "*/index.html*", lambda asked: asked.fulfill(status=204))
    with page.expect_response("**/index.html*"):
        page.get_by_role("button", name="Me déconnecter").first.click()
    assert typed(page) == []


@pytest.mark.req("U16")
def test_form_that_comes_back_from_memory_after_signing_out_is_empty(page: Page, mocked: MockedSpace) -> None:
    open_review(mocked)
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    page.evaluate(COMES_BACK)
    heading_is(page, "Votre adresse professionnelle")


@pytest.mark.req("U16")
def test_tracking_that_comes_back_from_memory_is_asked_for_again(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("delivered"))
    mocked.asked.clear()
    with page.expect_response(lambda response: response.url.endswith(OVERVIEW[1])):
        page.evaluate(COMES_BACK)


@pytest.mark.req("U16")
def test_next_person_is_not_told_where_the_code_of_the_one_before_went(page: Page, mocked: MockedSpace) -> None:
    sign_in(mocked)
    heading_is(page, "Vos renseignements")
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    page.clock.fast_forward(901_000)
    heading_is(page, "Votre adresse professionnelle")
    # The button of a step that is not shown: what it would send is kept by the script alone.
    page.evaluate("document.getElementById('resend').click()")
    heading_is(page, "Votre adresse professionnelle")
    assert EMAIL not in (page.locator("main").text_content() or "")
    assert len([path for _, path, _ in mocked.asked if path == ASK_CODE[1]]) == 1
