"""« Réessayer » does again what has failed, and nothing else."""

import pytest
from playwright.sync_api import Page, expect

from harness.site.mocked_space import MockedSpace
from harness.site.states import STATES

RETRIED = [name for name, state in STATES.items() if "Réessayer" in (state.summary or ())]


@pytest.mark.req("U9")
@pytest.mark.parametrize("name", RETRIED)
def test_what_failed_is_asked_for_again(page: Page, mocked: MockedSpace, name: str) -> None:
    STATES[name].play(mocked)
    again = page.locator("#errors").get_by_role("button", name="Réessayer")
    expect(again).to_be_visible()
    *_, failed = mocked.asked
    mocked.asked.clear()
    with page.expect_request(lambda request: request.method == failed[0] and request.url.endswith(failed[1])):
        again.click()
    expect(page.locator("#errors")).to_be_focused()
    assert failed in mocked.asked
    # What is read before it may be read again; nothing else is written.
    assert [one for one in mocked.asked if one[0] != "GET"] == [failed][: failed[0] != "GET"]
