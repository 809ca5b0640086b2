from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.site.voter_space import DemoVoter, VoterSpace, demo_voters, launch_chromium, running_voter_space
from harness.site.watched import watched_page


@pytest.fixture(scope="session")
def space() -> Iterator[VoterSpace]:
    with running_voter_space() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def fresh_voters() -> Iterator[DemoVoter]:
    return iter(demo_voters())


@pytest.fixture
def voter(fresh_voters: Iterator[DemoVoter]) -> DemoVoter:
    """A voter of the demo roll whom no other test has touched."""
    return next(fresh_voters)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with watched_page(chromium) as page:
        yield page
