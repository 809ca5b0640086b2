from pathlib import Path

import pytest
from playwright.sync_api import Page

from harness.site.mocked_space import MockedSpace, built_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def mocked(page: Page, site: Path) -> MockedSpace:
    """The voter space in front of an API that answers what the test says."""
    return MockedSpace(page, site)
