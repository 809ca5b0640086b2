"""The helpdesk's page in pictures, written to docs/screenshots by `make screenshots`: every state
that matters, and every situation of a voter.
"""

import base64
import io
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from harness.helpdesk.mocked_desk import MockedDesk, built_helpdesk
from harness.helpdesk.states import STATES
from harness.helpdesk.steps import look, sign_in
from harness.helpdesk.stories import ADVICE, GOLDEN, story_sheet
from harness.site.voter_space import launch_chromium
from local.processes import ROOT

FOLDER = ROOT / "docs" / "screenshots"
SHEETS = {
    "helpdesk-sign-in": ("sign-in", "password-refused", "first-password", "authenticator", "second-factor"),
    "helpdesk-call": ("call", "ask-caller-code", "caller-verified", "caller-wrong-code", "nobody", "too-many-lookups"),
    "helpdesk-acts": ("form-unlock", "form-let-in", "form-reissue", "form-empty", "unlocked", "proposed"),
    "helpdesk-others": ("proposals", "confirming", "shift", "ending-sessions", "record", "session-idle"),
}
# Situations on one picture.
_SITUATIONS = 7
_WIDTH = 1280
_SHOWN = 640
_COLOURS = 64

type _Play = Callable[[MockedDesk], None]


def main() -> int:
    """Write the pictures; return the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch_chromium(playwright.chromium)
        built = built_helpdesk(Path(folder) / "helpdesk")
        for name, states in SHEETS.items():
            _write(browser, built, name, ((state, STATES[state].play) for state in states))
        stories = list(ADVICE)
        for first in range(0, len(stories), _SITUATIONS):
            shown = ((story, _looks_at(story)) for story in stories[first : first + _SITUATIONS])
            _write(browser, built, f"helpdesk-situations-{first // _SITUATIONS + 1}", shown)
        browser.close()
    return 0


def _looks_at(story: str) -> _Play:
    def play(desk: MockedDesk) -> None:
        sign_in(desk)
        look(desk, story_sheet(GOLDEN / f"{story}.txt"))

    return play


def _write(browser: Browser, built: Path, sheet: str, plays: Iterable[tuple[str, _Play]]) -> None:
    """Play each state, and put the pictures into one of few colours."""
    figures = []
    for name, play in plays:
        context = browser.new_context(
            viewport={"width": _WIDTH, "height": 760}, locale="fr-FR", timezone_id="Europe/Paris"
        )
        page = context.new_page()
        play(MockedDesk(page, built))
        page.wait_for_timeout(200)
        page.evaluate("scrollTo(0, 0)")
        picture = base64.b64encode(page.screenshot(full_page=True)).decode()
        context.close()
        figures.append(
            f'<figure><img width="{_SHOWN}" src="data:image/png;base64,{picture}" alt="">'
            f"<figcaption>{name}</figcaption></figure>"
        )
    page = browser.new_page(viewport={"width": 2 * _SHOWN + 60, "height": 700})
    page.set_content(
        "<!doctype html><style>body{margin:0;padding:20px;columns:2;column-gap:20px;"
        "background:#d9dde3;font:13px sans-serif}"
        "figure{margin:0 0 14px;break-inside:avoid}figcaption{padding-top:4px;color:#333}"
        "img{border:1px solid #8a93a0;display:block}</style>" + "".join(figures)
    )
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    whole.quantize(_COLOURS).save(FOLDER / f"{sheet}.png", optimize=True)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
