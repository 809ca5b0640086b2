"""Browsers of some years ago, scripts that do not come, cookies that are refused: the journey
works, or the page says what to do and whom to call.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from reassort.problems import Code

from harness.site.intercepted import PausedRequest, answer_requests
from harness.site.mocked_space import ELECTION, OVERVIEW, REFERENCE, MockedSpace
from harness.site.steps import EMAIL, commit, confirm, fill_form, heading_is, open_form, sign_in
from harness.site.watched import watched_page
from local.processes import ROOT
from tests.site.reading import expect_shown

# What the scripts use beyond Safari 14, Firefox ESR 78 and Chrome 87, and what takes it away from a
# browser of today. Each has another way in the scripts, and the journey is run without it.
NEWER = {
    "BroadcastChannel": "delete window.BroadcastChannel",
    "showModal": """for (const name of ["show", "showModal", "close", "open"]) delete HTMLDialogElement.prototype[name];
        delete window.HTMLDialogElement;""",
}
# Not used, so that no other way is needed, and one journey does without all of them: anyone who
# uses one makes it a line above.
UNUSED = {
    "randomUUID": "delete Crypto.prototype.randomUUID",
    "requestSubmit": "delete HTMLFormElement.prototype.requestSubmit",
    "findLast": "delete Array.prototype.findLast; delete Array.prototype.findLastIndex",
    ".at(": "delete Array.prototype.at; delete String.prototype.at",
    "structuredClone": "delete window.structuredClone",
    "hasOwn": "delete Object.hasOwn",
    "toSorted": "delete Array.prototype.toSorted; delete Array.prototype.toReversed",
    "Promise.any": "delete Promise.any",
    "WeakRef": "delete window.WeakRef",
    "checkVisibility": "delete Element.prototype.checkVisibility",
    "AbortSignal": "delete AbortSignal.timeout; delete AbortSignal.any",
    "groupBy": "delete Object.groupBy; delete Map.groupBy",
    "setHTML": "delete Element.prototype.setHTML",
    "CloseWatcher": "delete window.CloseWatcher",
    "navigation": "delete window.navigation",
    "cookieStore": "delete window.cookieStore",
    "scheduler": "delete window.scheduler",
    "showPopover": "delete HTMLElement.prototype.showPopover",
    "scrollIntoViewIfNeeded": "delete Element.prototype.scrollIntoViewIfNeeded",
}
# Syntax that makes a browser of those refuse a whole module.
SYNTAX = {
    "a static block": r"\bstatic\s*\{",
    "a private member": r"#\w+\s*[=(;]",
    "await at the top of a module": r"^await\b|^(?:const|let)\b[^=]*= await\b",
    "a lookbehind": r"\(\?<[=!]",
    "an import attribute": r'from "[^"]+" (?:with|assert)\b',
    "a flag of expressions": r"/[a-z]*v[a-z]*\.(?:test|exec)",
}
# In style sheets: what would make a browser drop a whole rule.
NEWER_STYLES = (":has(", ":is(", ":where(", "@layer", "&:", "light-dark(", "color-mix(", "oklch(", "@scope")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a browser that remembers no script."""
    with watched_page(chromium) as page:
        yield page


def play_journey(space: MockedSpace) -> None:
    page = space.page
    sign_in(space)
    heading_is(page, "Vos renseignements")
    fill_form(space)
    page.clock.fast_forward(800_000)
    expect(page.locator("#session-warning")).to_be_visible()
    page.get_by_role("button", name="Continuer ma session").click()
    expect(page.locator("#session-warning")).to_be_hidden()
    page.get_by_role("button", name="Vérifier ma demande").click()
    heading_is(page, "Vérifiez votre demande")
    commit(space)
    confirm(space)
    page.wait_for_url("**/suivi.html")
    expect(page.locator("#reference")).to_have_text(REFERENCE)


@pytest.mark.req("U17")
@pytest.mark.parametrize("names", [*([name] for name in NEWER), UNUSED], ids=[*NEWER, "unused"])
def test_journey_works_without_what_is_newer(page: Page, mocked: MockedSpace, names: Iterable[str]) -> None:
    with page.add_init_script(";".join({**NEWER, **UNUSED}[name] for name in names)):
        play_journey(mocked)


@pytest.mark.req("U17")
def test_scripts_use_nothing_newer_than_what_is_written_down(site: Path) -> None:
    scripts = "\n".join(
        re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
        for path in sorted((ROOT / "site" / "scripts").glob("*.js"))
    )
    assert [name for name in NEWER if name not in scripts] == []
    assert [name for name in UNUSED if re.search(rf"(?<![\w-]){re.escape(name)}|\.{re.escape(name)}", scripts)] == []
    assert [name for name, pattern in SYNTAX.items() if re.search(pattern, scripts, re.MULTILINE)] == []


@pytest.mark.req("U17")
def test_style_sheets_use_nothing_that_drops_a_rule() -> None:
    for sheet in (ROOT / "site" / "styles").glob("*.css"):
        assert [name for name in NEWER_STYLES if name in sheet.read_text("utf-8")] == []
        # A list in :not() is of Chrome 88.
        assert not re.search(r":not\([^)]*,", sheet.read_text("utf-8"))


PAGES = ("connexion.html", "demande.html", "suivi.html", "contestation.html", "aide.html")


def lose(page: Page, pattern: str, status: int | None = None) -> None:
    answer_requests(page, pattern, PausedRequest.lose if status is None else lambda asked: asked.fulfill(status=status))


@pytest.mark.req("U17")
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("lost", "status"), [("*/elements.js", None), ("*/typography.js", 404)])
def test_module_that_does_not_load_is_told(
    page: Page, mocked: MockedSpace, name: str, lost: str, status: int | None
) -> None:
    lose(page, lost, status)
    mocked.open(name, scripts_run=False)
    expect(page.locator("#broken")).to_be_visible()
    expect_shown(page, "Cette page ne s’est pas chargée en entier.", ELECTION.helpdesk.phone, selector="#broken")


@pytest.mark.req("U17")
def test_press_where_a_module_is_missing_leads_to_the_reason(page: Page, mocked: MockedSpace) -> None:
    lose(page, "*/pasted.js")
    mocked.open("connexion.html", scripts_run=False)
    expect(page.locator("#broken")).to_be_visible()
    page.locator("#email").fill(EMAIL)
    page.locator("#email").press("Enter")
    expect(page.locator("#broken")).to_be_focused()
    assert page.url.endswith("/connexion.html"), "what was typed is in no address"


@pytest.mark.req("U17")
def test_module_that_fails_at_its_start_is_told(mocked: MockedSpace) -> None:
    browser = mocked.page.context.browser
    assert browser is not None
    page = browser.new_context(locale="fr-FR").new_page()
    space = MockedSpace(page, mocked.site)
    answer_requests(
        page,
        "*/voting.js",
        lambda asked: asked.fulfill(content_type="text/javascript", body="throw new Error('broken');"),
    )
    space.open("connexion.html", scripts_run=False)
    expect(page.locator("#broken")).to_be_visible()
    page.context.close()


@pytest.mark.req("U17")
def test_press_before_the_scripts_are_there_is_done_when_they_are(page: Page, mocked: MockedSpace) -> None:
    held: list[PausedRequest] = []
    answer_requests(page, "*/pasted.js", held.append)
    mocked.answer(("POST", "/api/login"), 202, {"sent": True, "expires_in": 600, "resend_in": 60})
    page.goto("https://electeur.example.fr/connexion.html", wait_until="commit")
    page.locator("#email").fill(EMAIL)
    page.locator("#email").press("Enter")
    expect(page.locator("#not-yet")).to_be_visible()
    assert page.url.endswith("/connexion.html")
    for asked in held:
        asked.pass_on()
    heading_is(page, "Le code reçu par courriel")
    expect(page.locator("#not-yet")).to_be_hidden()


@pytest.mark.req("U17")
def test_page_whose_scripts_never_come_says_so(page: Page, mocked: MockedSpace) -> None:
    answer_requests(page, "*/pasted.js", lambda _: None)
    page.clock.install()
    page.goto("https://electeur.example.fr/connexion.html", wait_until="commit")
    page.locator("#email").wait_for()
    expect(page.locator("#broken")).to_be_hidden()
    page.clock.fast_forward(16_000)
    expect(page.locator("#broken")).to_be_visible()


@pytest.mark.req("U17")
@pytest.mark.parametrize("name", ["connexion.html", "suivi.html"])
def test_refused_cookies_are_told_before_anything_is_typed(page: Page, mocked: MockedSpace, name: str) -> None:
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    with page.add_init_script("Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => false })"):
        mocked.open(name)
    expect_shown(page, "Votre navigateur refuse les cookies.", ELECTION.helpdesk.phone, selector="#no-cookies")


@pytest.mark.req("U17")
def test_nothing_of_it_shows_where_all_is_well(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    page.clock.fast_forward(20_000)
    for panel in ("#broken", "#not-yet", "#no-cookies"):
        expect(page.locator(panel)).to_be_hidden()
