"""Who is signed in goes on: nobody asks them for their address again."""

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.mocked_space import ORIGIN, OVERVIEW, MockedSpace, overview, tracked
from harness.site.steps import heading_is


@pytest.mark.req("U9", "S21")
@pytest.mark.parametrize("way", ["index.html", "numen.html", "aide.html"])
def test_a_signed_in_voter_goes_on_where_they_were(page: Page, mocked: MockedSpace, way: str) -> None:
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open(way)
    page.locator("main a[href='/demande.html#commencer']").click()
    heading_is(page, "Vos renseignements")
    assert page.url == f"{ORIGIN}/demande.html"
    page.reload()
    heading_is(page, "Vos renseignements")
    page.get_by_role("link", name="Aide").first.click()
    heading_is(page, "Aide")
    page.go_back()
    heading_is(page, "Vos renseignements")
    assert [path for _, path, _ in mocked.asked if "login" in path] == []


@pytest.mark.req("U9")
def test_who_begins_is_asked_for_the_address_without_a_reproach(page: Page, mocked: MockedSpace) -> None:
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    mocked.open("index.html")
    page.get_by_role("link", name="Commencer ma demande").click()
    heading_is(page, "Votre adresse professionnelle")
    expect(page.locator("#notice")).to_be_hidden()
    assert page.url == f"{ORIGIN}/connexion.html"


@pytest.mark.req("U7")
def test_reference_is_copied_by_one_press(page: Page, mocked: MockedSpace) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=ORIGIN)
    mocked.open_tracking(tracked("delivered"))
    page.get_by_role("button", name="Copier la référence").click()
    expect(page.get_by_role("button", name="Référence copiée")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#reference").inner_text()
