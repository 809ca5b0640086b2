"""What a page costs and where it comes from: bytes over the wire, no stranger, nothing kept in the
browser.
"""

import gzip
import mimetypes
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.site.mocked_space import ORIGIN, MockedSpace, tracked
from harness.site.pages import FIRST_LOAD, PAGES
from harness.site.states import STATES
from harness.site.steps import NUMEN, TYPED_PHONE, commit, confirm, fill_form, heading_is, sign_in

# Status line and headers of an answer; the security headers are the larger part.
HEADERS = 1_200


def wire_size(path: Path) -> int:
    """Return the bytes of an answer with that file: what CloudFront compresses is compressed."""
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or ""
    compressed = kind.startswith("text/") or "javascript" in kind or "svg" in kind
    return HEADERS + len(gzip.compress(content, 6) if compressed else content)


@pytest.mark.req("U11", "S20")
@pytest.mark.parametrize("name", PAGES)
def test_first_load_is_small_and_comes_from_one_place(page: Page, site: Path, name: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    space = MockedSpace(page, site)
    space.track(tracked("queued"))
    space.open(name)
    page.wait_for_load_state("networkidle")
    strangers = [url for url in asked if not url.startswith(ORIGIN)]
    assert strangers == []
    files = {url.removeprefix(f"{ORIGIN}/").partition("#")[0] for url in asked if "/api/" not in url}
    size = sum(wire_size(site / file) for file in files)
    assert len(files) >= 4
    assert size <= FIRST_LOAD, f"{size} bytes in {len(files)} files"


@pytest.mark.req("S21", "U11")
def test_nothing_is_kept_in_the_browser(page: Page, mocked: MockedSpace) -> None:
    """After a whole journey: no storage of the web, no worker, no cookie that a script can read, no
    secret in an address.
    """
    addresses: list[str] = []
    page.on("framenavigated", lambda frame: addresses.append(frame.url))
    sign_in(mocked)
    heading_is(page, "Vos renseignements")
    fill_form(mocked)
    page.get_by_role("button", name="Vérifier ma demande").click()
    heading_is(page, "Vérifiez votre demande")
    commit(mocked)
    confirm(mocked)
    page.wait_for_url("**/suivi.html")
    expect(page.locator("#reference")).not_to_be_empty()
    kept = page.evaluate("""async () => ({
      local: localStorage.length,
      session: sessionStorage.length,
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
      workers: (await navigator.serviceWorker.getRegistrations()).length,
      cookies: document.cookie,
      state: JSON.stringify(history.state),
      name: window.name,
    })""")
    empty = {"local": 0, "session": 0, "databases": 0, "caches": 0, "workers": 0, "cookies": "", "name": ""}
    assert {name: kept[name] for name in empty} == empty
    for secret in (NUMEN, TYPED_PHONE, "482915", "camille"):
        assert secret not in kept["state"]
        assert not any(secret in address for address in addresses)


@pytest.mark.req("S21")
def test_token_of_a_dispute_leaves_the_address_at_once(page: Page, mocked: MockedSpace) -> None:
    STATES["dispute"].play(mocked)
    assert page.url == f"{ORIGIN}/contestation.html"
    assert page.evaluate("history.state") is None
