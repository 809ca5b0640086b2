"""`make screenshots`: plays the journey on a phone and writes docs/screenshots/*.png, and all of them side by side."""

import base64
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.voter_space import (
    ROOT,
    VoterSpace,
    confirm,
    demo_voters,
    fill_form,
    launch_chromium,
    running_voter_space,
)

FOLDER = ROOT / "docs" / "screenshots"
_PHONE = {"width": 390, "height": 844}
_JOURNEY = ("1-connexion", "2-code", "3-demande", "4-verification", "5-suivi")


def main() -> int:
    """Write the pictures; return the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_voter_space() as space, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        context = browser.new_context(viewport=_PHONE, device_scale_factor=1, locale="fr-FR")
        play(context.new_page(), space)
        desktop = browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR").new_page()
        desktop.goto(f"{space.origin}/")
        desktop.screenshot(path=FOLDER / "accueil-ordinateur.png")
        desktop.goto(f"{space.origin}/_local/")
        desktop.wait_for_load_state("networkidle")
        desktop.screenshot(path=FOLDER / "messages.png")
        put_side_by_side(browser)
        browser.close()
    return 0


def play(page: Page, space: VoterSpace) -> None:
    """Take a picture of each step of a reissue by SMS, and of an error."""
    voter = demo_voters()[0]

    def take(name: str, *, full_page: bool = False) -> None:
        page.screenshot(path=FOLDER / f"{name}.png", full_page=full_page)

    page.goto(f"{space.origin}/")
    take("0-accueil")
    page.goto(f"{space.origin}/connexion.html")
    page.get_by_label("Adresse électronique professionnelle").fill(voter.email)
    take("1-connexion")
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.locator("h1")).to_have_text("Le code reçu par courriel")
    page.get_by_label("Code à 6 chiffres").fill(space.code_for(voter.email))
    take("2-code")
    page.get_by_role("button", name="Continuer").click()
    expect(page.locator("h1")).to_have_text("Vos renseignements")
    page.get_by_role("button", name="Vérifier ma demande").click()
    page.locator("#errors").wait_for()
    take("erreur")
    fill_form(page, voter, "06 12 34 56 78", "sms")
    page.get_by_role("link", name="Modifier le NUMEN").click()
    page.evaluate("window.scrollTo(0, 0)")
    take("3-demande")
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("h1")).to_have_text("Vérifiez votre demande")
    take("4-verification")
    confirm(page)
    space.wait_for_message("+33612345678", channel="sms")
    space.wait_for_message(voter.email, "Confirmation")
    expect(page.locator("#status")).to_contain_text("nvoyé")
    page.evaluate("window.scrollTo(0, 0)")
    take("5-suivi")


def put_side_by_side(browser: Browser) -> None:
    """Write journey.png: the steps in a row."""
    pictures = "".join(
        f'<img width="300" src="data:image/png;base64,{_encoded(FOLDER / f"{name}.png")}">' for name in _JOURNEY
    )
    page = browser.new_page(viewport={"width": 1640, "height": 700})
    page.set_content(
        "<style>body{margin:0;padding:20px;display:flex;gap:20px;background:#d9dde3;width:max-content}"
        "img{border-radius:14px;border:1px solid #8a93a0;display:block}</style>" + pictures
    )
    page.locator("body").screenshot(path=FOLDER / "journey.png")


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


if __name__ == "__main__":
    sys.exit(main())
