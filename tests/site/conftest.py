from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.site.checkers import Checkers, running_checkers
from harness.site.mocked_space import MockedSpace, built_site
from harness.site.voter_space import launch_chromium
from harness.site.watched import watched_page
from local.aws import free_port


@pytest.fixture(scope="session")
def debugging_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def chromium(debugging_port: int) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium, debugging_port)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def checkers(chromium: Browser, debugging_port: int) -> Iterator[Checkers]:
    with running_checkers(debugging_port) as running:
        yield running


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with watched_page(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def mocked(page: Page, site: Path) -> MockedSpace:
    """The voter space in front of an API that answers what the test says."""
    return MockedSpace(page, site)
