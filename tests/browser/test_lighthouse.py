"""Lighthouse on pages as they are served, over HTTPS and HTTP/2: accessibility, best practices,
performance, on a slow phone.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from harness.site.checkers import BAR, Checkers, running_checkers
from harness.site.pages import MISSING, SCORED, SCORED_SIGNED_IN
from harness.site.voter_space import DemoVoter, VoterSpace, confirm, fill_form, launch_chromium, sign_in
from harness.site.watched import watched_page
from local.aws import free_port


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def browser(port: int, chromium: Browser) -> Iterator[Browser]:
    """A Chromium that Lighthouse may drive too."""
    started = launch_chromium(chromium.browser_type, port, whole=True)
    yield started
    started.close()


@pytest.fixture(scope="module")
def checkers(browser: Browser, port: int) -> Iterator[Checkers]:
    with running_checkers(port) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser) as page:
        yield page


def assert_scores(checkers: Checkers, page: Page, url: str) -> None:
    report = checkers.best_look(page, url)
    assert {name: score for name, score in report.scores.items() if score < BAR} == {}, report.weak
    assert set(report.scores) == {"accessibility", "best-practices", "performance"}


@pytest.mark.req("U10")
def test_page_of_missing_pages_scores_but_for_its_status(page: Page, space: VoterSpace, checkers: Checkers) -> None:
    """The browser writes the status 404 into its console, and Lighthouse counts that as an error of
    the page.
    """
    report = checkers.best_look(page, f"{space.secure_origin}/nowhere")
    assert "errors-in-console" in report.weak
    assert {name: score for name, score in report.scores.items() if score < BAR}.keys() <= {"best-practices"}, (
        report.weak
    )
    assert report.scores["best-practices"] >= 0.95


@pytest.mark.req("U10", "U11")
@pytest.mark.parametrize("name", [name for name in SCORED if name != MISSING])
def test_page_scores(page: Page, space: VoterSpace, checkers: Checkers, name: str) -> None:
    assert_scores(checkers, page, f"{space.secure_origin}/{name}")


@pytest.mark.req("U10", "U11")
def test_pages_of_a_signed_in_voter_score(page: Page, space: VoterSpace, checkers: Checkers, voter: DemoVoter) -> None:
    form, tracking = SCORED_SIGNED_IN
    sign_in(page, space, voter, secure=True)
    assert_scores(checkers, page, f"{space.secure_origin}/{form}")
    page.goto(f"{space.secure_origin}/{form}")
    page.locator("#numen").wait_for()
    fill_form(page, voter, "06 12 34 56 09", "email")
    confirm(page)
    assert_scores(checkers, page, f"{space.secure_origin}/{tracking}")
    assert page.url.endswith(f"/{tracking}"), "the session was lost"
