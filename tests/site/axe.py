"""axe-core, in the words of a test."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

_RUN = """options => axe.run(document, options).then(
  ({violations}) => violations.map(({id, nodes}) => `${id}: ${nodes[0].html.slice(0, 120)}`))"""


def violations(page: Page, *rules: str) -> list[str]:
    """Return each rule that the page breaks, with the first element that does: of all of axe's
    rules, or of some.
    """
    # Half a megabyte: once for each document.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # What passes is most of a report, and none of it is asked for.
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found: list[str] = page.evaluate(_RUN, options)
    return found


def violations_in_both_schemes(page: Page) -> list[str]:
    """Return what is wrong in light colours, then what their dark counterparts add."""
    page.emulate_media(color_scheme="light")
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    return found + violations(page, "color-contrast", "link-in-text-block")
