"""What a voter does, step by step, in front of the mocked API."""

from typing import Any

from playwright.sync_api import Page

from harness.site.mocked_space import (
    ASK_CODE,
    OVERVIEW,
    REDEEM_CODE,
    REISSUE,
    MockedSpace,
    last_reissue,
    overview,
    tracked,
)

EMAIL = "camille.morvandel@ac-dijon.fr"
CODE = "482915"
NUMEN = "09E9900123ABC"
TYPED_PHONE = "06 12 34 56 78"


def heading_is(page: Page, text: str) -> None:
    """Wait until the page's title is `text`, and the page is as its style sheets have it."""
    page.locator("h1", has_text=text).wait_for()
    page.wait_for_load_state("load")


def ask_code(space: MockedSpace, address: str = EMAIL) -> None:
    """Send an address from the open sign-in page."""
    space.page.locator("#email").fill(address)
    space.page.get_by_role("button", name="Recevoir le code").click()


def open_code(space: MockedSpace, *, sent: bool = True) -> None:
    """Go to the page that takes the code."""
    space.answer(ASK_CODE, 202, {"sent": sent, "expires_in": 600, "resend_in": 60})
    space.open("connexion.html")
    ask_code(space)
    heading_is(space.page, "Le code reçu par courriel")


def redeem(space: MockedSpace, code: str = CODE) -> None:
    """Send a code from the page that takes it."""
    space.page.locator("#code").fill(code)
    space.page.get_by_role("button", name="Valider le code").click()


def sign_in(space: MockedSpace, **members: Any) -> None:
    """Sign in with an address and a code, as a voter who stands as `members` of the overview
    say.
    """
    open_code(space)
    space.answer(REDEEM_CODE, 200, {"expires_in": 900})
    space.answer(OVERVIEW, 200, overview(**members))
    redeem(space)


def open_form(space: MockedSpace, **members: Any) -> None:
    """Open the form with a session that is there already."""
    space.answer(OVERVIEW, 200, overview(**members))
    space.open("demande.html")
    heading_is(space.page, "Vos renseignements")


def fill_form(space: MockedSpace, channel: str = "sms", numen: str = NUMEN, phone: str = TYPED_PHONE) -> None:
    """Fill in the form that is shown."""
    space.page.locator("#numen").fill(numen)
    space.page.locator("#phone").fill(phone)
    space.page.locator(f"#channel-{channel}").check()
    space.page.locator("#consent").check()


def open_review(space: MockedSpace, channel: str = "sms") -> None:
    """Fill in the form and go to the review."""
    open_form(space)
    fill_form(space, channel)
    space.page.get_by_role("button", name="Vérifier ma demande").click()
    heading_is(space.page, "Vérifiez votre demande")


def confirm(space: MockedSpace) -> None:
    """Confirm the review that is shown."""
    space.page.get_by_role("button", name="Confirmer ma demande").click()


def commit(space: MockedSpace, status: str = "queued", channel: str = "sms") -> None:
    """Let the next confirmation succeed: from then on the voter's last reissue stands at
    `status`.
    """
    body = tracked(status, channel)
    accepted = {name: body[name] for name in ("reference", "generation", "channel", "destination")}
    space.answer(REISSUE, 202, {**accepted, "replaces": 1})
    space.track(body)


def earlier_reissue(status: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return members of the overview for a voter who has asked before: sent, unless `status` is
    given.
    """
    return {"generation": 2, "last_reissue": last_reissue(status or tracked("sent"))}
