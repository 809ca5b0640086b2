"""What a page says, as somebody reads it."""

import re
import time

from playwright.sync_api import Page

from harness.site.watched import PATIENCE_SECONDS


def plain(text: str) -> str:
    """Undo the no-break spaces of French typography."""
    return re.sub(r"\s+", " ", text)


def shown(page: Page, selector: str = "main") -> str:
    """Return the visible text of a part of the page."""
    return plain(page.locator(selector).inner_text())


def expect_shown(page: Page, *texts: str, selector: str = "main") -> None:
    """Wait until a part of the page shows these texts: an answer may still be under way.

    Raises:
        AssertionError: it did not for as long as a page is waited for.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    missing = [text for text in texts if text not in shown(page, selector)]
    while missing and time.monotonic() < deadline:
        page.wait_for_timeout(20)
        missing = [text for text in texts if text not in shown(page, selector)]
    assert not missing, f"{selector} shows: {shown(page, selector)}"
