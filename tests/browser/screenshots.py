"""The journey of a voter on the deployed stack, in pictures: the steps side by side, and the
messages.
"""

import base64

from playwright.sync_api import Browser, Page, ViewportSize, expect

from harness.site.voter_space import VoterSpace, confirm, demo_voters, fill_form, running_voter_space
from local.processes import ROOT

FOLDER = ROOT / "docs" / "screenshots"
_PHONE: ViewportSize = {"width": 390, "height": 844}


def write_journey(browser: Browser) -> None:
    """Write journey.png and messages.png into docs/screenshots."""
    with running_voter_space() as space:
        context = browser.new_context(viewport=_PHONE, device_scale_factor=1, locale="fr-FR")
        put_side_by_side(browser, play(context.new_page(), space))
        context.close()
        desktop = browser.new_page(viewport={"width": 1280, "height": 900}, locale="fr-FR")
        desktop.goto(f"{space.origin}/_local/")
        desktop.wait_for_load_state("networkidle")
        desktop.screenshot(path=FOLDER / "messages.png")
        desktop.close()


def play(page: Page, space: VoterSpace) -> list[bytes]:
    """Return a picture of each step of a reissue by SMS."""
    voter = demo_voters()[0]
    pictures: list[bytes] = []

    def take() -> None:
        pictures.append(page.screenshot())

    page.goto(f"{space.origin}/connexion.html")
    page.get_by_label("Adresse électronique professionnelle").fill(voter.email)
    take()
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.locator("h1")).to_have_text("Le code reçu par courriel")
    page.get_by_label("Code à 6 chiffres").fill(space.code_for(voter.email))
    take()
    page.get_by_role("button", name="Valider le code").click()
    expect(page.locator("h1")).to_have_text("Vos renseignements")
    fill_form(page, voter, "06 12 34 56 78", "sms")
    page.get_by_role("link", name="Modifier le NUMEN").click()
    page.evaluate("window.scrollTo(0, 0)")
    take()
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("h1")).to_have_text("Vérifiez votre demande")
    take()
    confirm(page)
    space.wait_for_message("+33612345678", channel="sms")
    space.wait_for_message(voter.email, "Confirmation")
    expect(page.locator("#status")).to_contain_text("nvoyé")
    page.evaluate("window.scrollTo(0, 0)")
    take()
    return pictures


def put_side_by_side(browser: Browser, pictures: list[bytes]) -> None:
    """Write journey.png: the steps in a row."""
    images = "".join(
        f'<img width="300" src="data:image/png;base64,{base64.b64encode(picture).decode()}">' for picture in pictures
    )
    page = browser.new_page(viewport={"width": 1640, "height": 700})
    page.set_content(
        "<style>body{margin:0;padding:20px;display:flex;gap:20px;background:#d9dde3;width:max-content}"
        "img{border-radius:14px;border:1px solid #8a93a0;display:block}</style>" + images
    )
    page.locator("body").screenshot(path=FOLDER / "journey.png")
