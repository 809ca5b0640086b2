from pathlib import Path

import pytest
from playwright.sync_api import Page

from harness.helpdesk.mocked_desk import MockedDesk, built_helpdesk


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_helpdesk(tmp_path_factory.mktemp("helpdesk"))


@pytest.fixture
def desk(page: Page, built: Path) -> MockedDesk:
    """The page in front of a Cognito and an API that answer what the test says."""
    return MockedDesk(page, built)
