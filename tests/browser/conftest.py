from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.voter_space import DemoVoter, VoterSpace, demo_voters, launch_chromium, running_voter_space
from tests.site.mocked_space import MockedSpace, built_site

# The first call of each function starts it, on a machine that may be busy.
_PAGE_TIMEOUT_MS = 30_000
expect.set_options(timeout=_PAGE_TIMEOUT_MS)


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
    context = chromium.new_context(locale="fr-FR", timezone_id="Europe/Paris")
    context.set_default_timeout(_PAGE_TIMEOUT_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    context.close()
    assert faults == [], "scripts failed, or the security policy refused something"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def mocked(page: Page, site: Path) -> MockedSpace:
    """The voter space in front of an API that answers what the test says."""
    return MockedSpace(page, site)
