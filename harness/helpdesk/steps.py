"""What an agent does, step by step, in front of the mocked API."""

from typing import Any

from harness.helpdesk.mocked_desk import AGENT, LOOK, ME, PASSWORD, TOTP, MockedDesk, me

ADDRESS = "claire.martin@ac-dijon.fr"
CALLER_CODE = "girafe tambour"


def heading_is(desk: MockedDesk, text: str) -> None:
    """Wait until the page's title is `text`, and the page is as its style sheets have it."""
    desk.page.locator("h1", has_text=text).wait_for()
    desk.page.wait_for_load_state("load")


def give_password(desk: MockedDesk) -> None:
    """Open the page and send name and password."""
    desk.open()
    desk.page.locator("#username").fill(AGENT)
    desk.page.locator("#password").fill(PASSWORD)
    desk.page.keyboard.press("Enter")


def sign_in(desk: MockedDesk, role: str = "agent", **members: Any) -> None:
    """Sign in with both factors, as somebody of that role."""
    desk.answer(ME, 200, me(role, **members))
    give_password(desk)
    heading_is(desk, "Code du second facteur")
    desk.page.locator("#totp").fill(TOTP)
    desk.page.keyboard.press("Enter")
    desk.page.locator("#account").wait_for()


def look(desk: MockedDesk, sheet: dict[str, Any], who: str = ADDRESS, code: str = "") -> None:
    """Look a voter up whose sheet is this."""
    desk.answer(LOOK, 200, sheet)
    desk.page.locator("#who").fill(who)
    desk.page.locator("#caller-code").fill(code)
    desk.page.locator("#caller-code").press("Enter")
    desk.page.locator("#sheet").wait_for()
