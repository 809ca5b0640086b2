"""A page in which a script that fails, or something that the security policy refuses, is a failure
of the test.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect

# On a busy machine all takes longer, and the first call of each function starts it. Only a test
# that fails waits for so long.
PATIENCE_SECONDS = 60
# Playwright has one for the whole process.
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@contextmanager
def watched_page(browser: Browser) -> Iterator[Page]:
    """Open a page in a session of its own, in French, and close it.

    Raises:
        AssertionError: a script of the page failed, or the policy refused something.
    """
    # Nobody knows the issuer of the local certificate.
    context = browser.new_context(locale="fr-FR", timezone_id="Europe/Paris", ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    context.close()
    assert faults == [], "scripts failed, or the security policy refused something"
