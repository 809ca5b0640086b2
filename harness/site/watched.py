"""A page in which a script that fails, or something that the security policy refuses, is a failure
of the test.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect

from harness.site.intercepted import answer_no_more

# On a busy machine all takes longer, and the first call of each function starts it. Only a test
# that fails waits for so long.
PATIENCE_SECONDS = 60
# Playwright has one for the whole process.
expect.set_options(timeout=PATIENCE_SECONDS * 1000)
# What a test leaves stays open until the next comes: a way to a blank page costs as much as a
# process. So it keeps nothing from now on, nor is it a page of which the next one opens a part.
_LEAVE_NOTHING = """() => {
  if (!location.protocol.startsWith("http")) return;
  for (const storage of [sessionStorage, localStorage]) storage.clear();
  Storage.prototype.setItem = () => {};
  history.replaceState(null, "", "/left");
}"""


@contextmanager
def watched_page(browser: Browser) -> Iterator[Page]:
    """Open a page in a session of its own, in French, and close it.

    Raises:
        AssertionError: a script of the page failed, or the policy refused something.
    """
    page = _new_page(browser)
    with _watched(page):
        yield page
        page.context.close()


class SharedTab:
    """One tab for many tests, each of which finds it as if it were new.

    A new one costs a process of the browser and all scripts compiled again: a quarter of a test
    that looks at one page. A script for all documents (`add_init_script`) is taken back by the test
    that added it.
    """

    # Each test sets the clock, and a new document goes through all that it was set to before.
    MOST_LOANS = 25

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._page: Page | None = None
        self._loans = 0

    @contextmanager
    def lend(self) -> Iterator[Page]:
        """Lend the tab to a test, which opens pages of one origin.

        Raises:
            AssertionError: a script of the page failed, or the policy refused something.
        """
        page = self._page or _new_page(self._browser)
        self._page = None
        with _watched(page):
            yield page
            cleaned = _clean(page)
        self._loans += 1
        if cleaned and self._loans % self.MOST_LOANS:
            self._page = page
        else:
            page.context.close()


def _new_page(browser: Browser) -> Page:
    # Nobody knows the issuer of the local certificate.
    context = browser.new_context(locale="fr-FR", timezone_id="Europe/Paris", ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    return context.new_page()


@contextmanager
def _watched(page: Page) -> Iterator[None]:
    faults: list[str] = []

    def hear_fault(fault: Error) -> None:
        faults.append(str(fault))

    def hear_line(line: ConsoleMessage) -> None:
        if "Content Security Policy" in line.text:
            faults.append(line.text)

    page.on("pageerror", hear_fault)
    page.on("console", hear_line)
    yield
    page.remove_listener("pageerror", hear_fault)
    page.remove_listener("console", hear_line)
    assert faults == [], "scripts failed, or the security policy refused something"


def _clean(page: Page) -> bool:
    """Make a tab as good as new. Return whether that was possible: it is not while the tab is under
    way to another page.
    """
    context = page.context
    try:
        for other in context.pages:
            if other != page:
                other.close()
        answer_no_more(page)
        context.unroute_all()
        page.unroute_all()
        context.set_offline(False)
        page.evaluate(_LEAVE_NOTHING)
        context.clear_cookies()
        context.clear_permissions()
        page.emulate_media(
            media="null", color_scheme="null", reduced_motion="null", forced_colors="null", contrast="null"
        )
        page.set_viewport_size({"width": 1280, "height": 720})
    except Error:
        return False
    return True
