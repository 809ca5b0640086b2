"""The HTML parts of the e-mails, as a mail program shows them: axe, a narrow screen, light and
dark.
"""

import pytest
from notify.texts import Email
from playwright.sync_api import Page

from harness.elections import IDS, read_election
from harness.service.messages import emails
from tests.site.axe import violations_in_both_schemes

EMAILS = [
    pytest.param(email, id=f"{election_id}-{name}")
    for election_id in IDS
    for name, email in emails(read_election(election_id))
]


@pytest.mark.req("U12", "U10")
@pytest.mark.parametrize("email", EMAILS)
def test_email_has_no_violation_and_fits_a_phone(page: Page, email: Email) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 320, "height": 640})
    page.set_content(email.html)
    assert violations_in_both_schemes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert asked == []


@pytest.mark.req("U12")
@pytest.mark.parametrize("email", EMAILS)
def test_code_and_identifier_stand_on_one_line(page: Page, email: Email) -> None:
    page.set_content(email.html)
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 640})
        assert lines_of_secrets(page) == [1] * email.html.count('class="secret"')
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def lines_of_secrets(page: Page) -> list[int]:
    """Return on how many lines each code and identifier stands."""
    lines: list[int] = page.locator(".secret").evaluate_all(
        """secrets => secrets.map(secret => {
          const all = document.createRange();
          all.selectNodeContents(secret);
          return all.getClientRects().length;
        })"""
    )
    return lines
