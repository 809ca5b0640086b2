"""The tab that tests share: nobody finds there what another left."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from harness.site.checkers import Checkers
from harness.site.intercepted import answer_requests
from harness.site.mocked_space import MockedSpace
from harness.site.watched import SharedTab
from local.aws import free_port

# What a document tells of the tab that it is in.
TOLD = """async () => ({
  stored: [{ ...sessionStorage }, { ...localStorage }, document.cookie],
  permitted: (await navigator.permissions.query({ name: "geolocation" })).state,
  media: ["print", "(prefers-color-scheme: dark)", "(prefers-reduced-motion: reduce)", "(forced-colors: active)"]
    .map((query) => matchMedia(query).matches),
  window: [innerWidth, innerHeight],
  agent: navigator.userAgent,
})"""


@pytest.fixture
def tab(chromium: Browser) -> SharedTab:
    return SharedTab(chromium)


def told(page: Page, site: Path) -> object:
    MockedSpace(page, site).open("index.html")
    return page.evaluate(TOLD)


def test_next_test_finds_the_tab_as_the_first_did(tab: SharedTab, site: Path, checkers: Checkers) -> None:
    with tab.lend() as first:
        found = told(first, site)
        assert checkers.pa11y(first) == []
    with tab.lend() as page:
        assert page is first
        assert told(page, site) == found
        page.evaluate("sessionStorage.a = localStorage.a = document.cookie = 'a=1'")
        page.context.grant_permissions(["geolocation"])
        page.emulate_media(media="print", color_scheme="dark", reduced_motion="reduce", forced_colors="active")
        page.set_viewport_size({"width": 320, "height": 640})
        page.context.new_page()
        assert told(page, site) != found
    with tab.lend() as page:
        assert page is first
        assert page.context.pages == [page]
        assert told(page, site) == found


def test_nothing_answers_any_more_as_the_last_test_said(tab: SharedTab) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/"
    with tab.lend() as page:
        answer_requests(page, "*", lambda asked: asked.fulfill(body="of the test"))
        page.context.route("**", lambda route: route.fulfill(body="of the context"))
        page.route("**", lambda route: route.fulfill(body="of the page"))
        page.goto(nobody)
        page.context.set_offline(True)
    with tab.lend() as page, pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        page.goto(nobody)


def test_tab_that_cannot_be_cleaned_is_lent_to_nobody(tab: SharedTab) -> None:
    with tab.lend() as first:
        first.close()
    with tab.lend() as page:
        assert page is not first


def test_part_of_the_page_that_the_last_test_saw_is_loaded(tab: SharedTab, site: Path) -> None:
    with tab.lend() as page:
        MockedSpace(page, site).open("connexion.html")
    with tab.lend() as page:
        MockedSpace(page, site).open("connexion.html#suivi")
        expect(page.get_by_text("Identifiez-vous pour continuer.")).to_be_visible()


def test_what_one_test_left_running_keeps_nothing(tab: SharedTab, site: Path) -> None:
    with tab.lend() as page:
        MockedSpace(page, site).open("index.html")
        page.evaluate("addEventListener('pagehide', () => sessionStorage.setItem('typed', 'NUMEN'))")
    with tab.lend() as page:
        MockedSpace(page, site).open("index.html")
        assert page.evaluate("sessionStorage.length") == 0


def test_faults_are_those_of_the_test_alone(tab: SharedTab, site: Path) -> None:
    lent = tab.lend()
    first = lent.__enter__()
    with first.expect_event("pageerror"):
        first.evaluate("() => { Promise.reject(new Error('of a script')) }")
    with pytest.raises(AssertionError, match="scripts failed"):
        lent.__exit__(None, None, None)
    with tab.lend() as page:
        assert page is not first
        MockedSpace(page, site).open("index.html")


def test_tab_is_renewed_before_it_has_too_much_to_remember(tab: SharedTab) -> None:
    pages = set()
    for _ in range(2 * tab.MOST_LOANS):
        with tab.lend() as page:
            pages.add(page)
    assert len(pages) == 2
    assert all(page.is_closed() for page in pages)
