"""`make recording`: the journey of a voter on a stack of this machine, with the messages as they
arrive, as docs/screenshots/journey.gif.
"""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from harness.site.voter_space import VoterSpace, confirm, demo_voters, launch_chromium, running_voter_space
from local.processes import ROOT

FILE = ROOT / "docs" / "screenshots" / "journey.gif"
# A front page is read over a telephone's network too.
MOST_BYTES = 1_500_000
_PHONE: ViewportSize = {"width": 390, "height": 760}
_STAGE: ViewportSize = {"width": 860, "height": 640}
_PHONE_NUMBER = "06 12 34 56 78"
_COLOURS = 96
_STYLE = """
body{margin:0;padding:24px;display:flex;gap:28px;background:#d9dde3;font:15px/1.4 sans-serif;color:#1c2430}
img{width:304px;height:592px;border-radius:16px;border:1px solid #8a93a0;background:#fff}
h1{font-size:22px;margin:0 0 4px}p{margin:0 0 18px;color:#3c4756}section{width:480px}
article{background:#fff;border:1px solid #aeb6c2;border-radius:12px;padding:12px 16px;margin-bottom:14px}
article b{display:block;color:#0b5063;margin-bottom:4px}pre{font:14px/1.4 sans-serif;white-space:pre-wrap;margin:0}
"""


@dataclass
class Recording:
    """Frames of a telephone beside what was sent so far. `stage` is the page that they are put
    together on.
    """

    phone: Page
    stage: Page
    frames: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)
    _messages: list[tuple[str, str]] = field(default_factory=list)

    def arrived(self, title: str, lines: Iterable[str]) -> None:
        """Show a message from the next frame on."""
        self._messages.append((title, "\n".join(lines)))

    def take(self, title: str, text: str, milliseconds: int = 2200) -> None:
        """Add a frame under a title, shown for so long."""
        picture = base64.b64encode(self.phone.screenshot()).decode()
        cards = "".join(
            f"<article><b>{html.escape(head)}</b><pre>{html.escape(body)}</pre></article>"
            for head, body in self._messages
        )
        self.stage.set_content(
            f'<style>{_STYLE}</style><img src="data:image/png;base64,{picture}" alt="">'
            f"<section><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{cards}</section>"
        )
        self.frames.append(Image.open(io.BytesIO(self.stage.screenshot())).convert("RGB"))
        self.milliseconds.append(milliseconds)

    def written(self) -> bytes:
        """Return the GIF, in one palette, so that what stands still costs nothing."""
        strip = Image.new("RGB", (_STAGE["width"], _STAGE["height"] * len(self.frames)))
        for number, frame in enumerate(self.frames):
            strip.paste(frame, (0, _STAGE["height"] * number))
        palette = strip.quantize(_COLOURS, dither=Image.Dither.NONE)
        first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        file = io.BytesIO()
        first.save(file, "GIF", save_all=True, append_images=others, duration=self.milliseconds, loop=0, optimize=True)
        return file.getvalue()


def play(recording: Recording, space: VoterSpace) -> None:
    """Play a reissue by SMS."""
    page, voter = recording.phone, demo_voters()[0]
    take = recording.take
    sign_in = "1. Sign in", "with the professional mailbox: no password, a one-time code."
    page.goto(f"{space.origin}/connexion.html")
    take(*sign_in, 1400)
    address = page.get_by_label("Adresse électronique professionnelle")
    address.fill(voter.email)
    _in_view(address)
    take(*sign_in)
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.locator("h1")).to_have_text("Le code reçu par courriel")
    code = space.code_for(voter.email)
    recording.arrived("E-mail: the code", [f"Votre code de connexion : {code}"])
    page.get_by_label("Code à 6 chiffres").fill(code)
    take("1. Sign in", "The code works once, in the browser that asked for it.")
    page.get_by_role("button", name="Valider le code").click()
    expect(page.locator("h1")).to_have_text("Vos renseignements")
    form = "2. Ask for the next identifier", "with the NUMEN and a mobile number."
    take(*form, 1400)
    numen = page.get_by_label("NUMEN", exact=True)
    numen.fill(voter.numen)
    _in_view(numen)
    take(*form)
    number = page.get_by_label("Numéro de téléphone mobile")
    number.fill(_PHONE_NUMBER)
    page.locator("#channel-sms").check()
    _in_view(number)
    take(*form)
    page.locator("#consent").check()
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("h1")).to_have_text("Vérifiez votre demande")
    page.evaluate("window.scrollTo(0, 0)")
    take("3. Check", "Nothing has happened yet.")
    _in_view(page.locator(".panel-warning:visible"))
    take("3. Check", "The page says what stops working.")
    confirm(page)
    page.evaluate("window.scrollTo(0, 0)")
    sms = space.wait_for_message("+33612345678", channel="sms")
    mail = space.wait_for_message(voter.email, "Confirmation")
    expect(page.locator("#status")).to_contain_text("nvoyé")
    recording.arrived("SMS: the new identifier", sms["text"].splitlines())
    take("4. Receive it", "The previous identifier has stopped working.", 3200)
    recording.arrived("E-mail, always: the confirmation", [mail["subject"], "« Ce n’était pas moi » freezes it."])
    take("4. Receive it", "A confirmation always goes to the professional mailbox.", 4200)


def record(browser: Browser, space: VoterSpace) -> bytes:
    """Return the recording of a journey.

    Raises:
        AssertionError: it is larger than a front page may be.
    """
    context = browser.new_context(viewport=_PHONE, locale="fr-FR", timezone_id="Europe/Paris")
    recording = Recording(context.new_page(), browser.new_page(viewport=_STAGE))
    play(recording, space)
    context.close()
    written = recording.written()
    assert len(written) <= MOST_BYTES, f"{len(written)} bytes"
    return written


def _in_view(element: Locator) -> None:
    element.evaluate("element => element.scrollIntoView({block: 'center'})")


def main() -> int:
    """Write the file; return the exit status."""
    with sync_playwright() as playwright, running_voter_space() as space:
        browser = launch_chromium(playwright.chromium)
        FILE.write_bytes(record(browser, space))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
