"""What a page says, as somebody reads it."""

import re

from playwright.sync_api import Page


def plain(text: str) -> str:
    """Undo the no-break spaces of French typography."""
    return re.sub(r"\s+", " ", text)


def shown(page: Page, selector: str = "main") -> str:
    """Return the visible text of a part of the page."""
    return plain(page.locator(selector).inner_text())
