"""axe-core, in the words of a test."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page, *rules: str) -> list[str]:
    """Return each rule that the page breaks, with the first element that does: of all of axe's rules, or of some."""
    report = Axe().run(page, options={"runOnly": list(rules)} if rules else None)
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in report.response["violations"]]


def violations_in_both_schemes(page: Page) -> list[str]:
    """Return what is wrong in light colours, then what their dark counterparts add."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    return found + violations(page, "color-contrast", "link-in-text-block")
