"""What the stack serves to a browser: pages that axe-core finds sound, headers, a light start."""

import pytest
from playwright.sync_api import Page

from harness.site.voter_space import DemoVoter, VoterSpace, fill_form, sign_in
from tests.site.axe import violations


@pytest.mark.req("U10")
def test_steps_of_the_journey_have_no_violation(page: Page, space: VoterSpace, voter: DemoVoter) -> None:
    sign_in(page, space, voter)
    assert violations(page) == []
    page.get_by_role("button", name="Vérifier ma demande").click()
    assert violations(page) == []
    fill_form(page, voter, "06 12 34 56 07", "email")
    assert violations(page) == []
    page.get_by_role("button", name="Confirmer ma demande").click()
    page.wait_for_url("**/suivi.html*")
    page.locator("#reference:not(:empty)").wait_for()
    assert violations(page) == []


@pytest.mark.req("S20", "S21")
def test_pages_are_served_with_the_security_headers_of_the_template(page: Page, space: VoterSpace) -> None:
    answer = page.goto(f"{space.origin}/")
    assert answer is not None
    headers = answer.headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "default-src 'none'"):
        assert directive in policy
    assert int(headers["strict-transport-security"].partition("max-age=")[2].partition(";")[0]) >= 31_536_000
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.req("U11", "S20")
def test_first_load_is_small_and_stays_at_home(page: Page, space: VoterSpace) -> None:
    sizes: list[int] = []
    strangers: list[str] = []

    def weigh(url: str, size: int) -> None:
        sizes.append(size)
        if not url.startswith(space.origin):
            strangers.append(url)

    page.on("response", lambda answer: weigh(answer.url, len(answer.body())))
    page.goto(f"{space.origin}/connexion.html", wait_until="networkidle")
    assert strangers == []
    # Uncompressed, so more than goes over the wire.
    assert sum(sizes) <= 120_000, f"{sum(sizes)} bytes"
