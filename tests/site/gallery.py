"""`make screenshots`: the voter space in pictures, state by state, written to docs/screenshots and
docs/gallery.md.
"""

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from harness.site.mocked_space import MockedSpace, built_site
from harness.site.states import STATES
from harness.site.states.following import TRACKED
from harness.site.voter_space import launch_chromium
from local.processes import ROOT
from tests.browser import screenshots

FOLDER = ROOT / "docs" / "screenshots"
PAGE = ROOT / "docs" / "gallery.md"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 860}
_JOURNEY = ("home", "address", "code", "form", "review", "tracking-sent")


@dataclass(frozen=True)
class Sheet:
    """Pictures side by side. `media` is what the browser is told of the reader: colours, paper."""

    name: str
    title: str
    states: tuple[str, ...]
    viewport: ViewportSize = field(default_factory=lambda: PHONE)
    media: dict[str, Any] = field(default_factory=dict)
    election: str = "dijon-2018"
    shown_width: int = 260


SHEETS = (
    Sheet("phone", "On a phone", _JOURNEY),
    Sheet("desktop", "On a desktop", _JOURNEY, DESKTOP, shown_width=520),
    Sheet("dark", "In dark colours", _JOURNEY, media={"color_scheme": "dark"}),
    Sheet(
        "errors",
        "When something is wrong",
        (
            "form-empty",
            "address-slip",
            "code-wrong",
            "code-too-many-tries",
            "numen-mismatch",
            "locked",
            "locked-until-helpdesk",
            "phone-in-use",
            "review-offline",
            "address-very-slow",
            "session-about-to-end",
            "session-ended",
            "too-early",
            "closed",
            "voted",
            "frozen",
            "not-found",
            "unavailable",
        ),
    ),
    Sheet("tracking", "Every state of a delivery", tuple(f"tracking-{name}" for name in TRACKED)),
    Sheet(
        "caller-code",
        "The two words that the helpdesk asks for",
        ("tracking-delivered", "locked-until-helpdesk", "help-caller-code"),
        {"width": 1280, "height": 1240},
        shown_width=520,
    ),
    Sheet("dispute", "« Ce n’était pas moi »", ("dispute", "dispute-cut-link", "dispute-invalid-token", "disputed")),
    Sheet("information", "What voters read", ("help", "numen-secretariat", "accessibility", "legal-notice", "privacy")),
    Sheet(
        "paper",
        "On paper",
        ("tracking-delivered",),
        {"width": 794, "height": 1123},
        {"media": "print"},
        shown_width=520,
    ),
    Sheet("another-election", "Another election file", ("home", "form", "review"), election="normandie-2026"),
    Sheet(
        "another-election-dark",
        "Another election file, in dark colours",
        ("home", "form", "review"),
        media={"color_scheme": "dark"},
        election="normandie-2026",
    ),
)


def main() -> int:
    """Write the pictures; return the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch_chromium(playwright.chromium)
        sites = {sheet.election: built_site(Path(folder) / sheet.election, sheet.election) for sheet in SHEETS}
        for sheet in SHEETS:
            write_sheet(browser, sheet, sites[sheet.election])
        screenshots.write_journey(browser)
        browser.close()
    PAGE.write_text(gallery_page(), "utf-8")
    return 0


def write_sheet(browser: Browser, sheet: Sheet, site: Path) -> None:
    """Play each state of a sheet, and put the pictures into one."""
    figures = []
    for name in sheet.states:
        with _page(browser, sheet) as page:
            STATES[name].play(MockedSpace(page, site))
            # The fonts, the helpdesk's state and the focus are there a moment later.
            page.wait_for_timeout(200)
            picture = base64.b64encode(page.screenshot()).decode()
        figures.append(
            f'<figure><img width="{sheet.shown_width}" src="data:image/png;base64,{picture}" alt="">'
            f"<figcaption>{name}</figcaption></figure>"
        )
    width = 6 * 280 if sheet.viewport == PHONE else 3 * 540
    page = browser.new_page(viewport={"width": width + 40, "height": 700})
    page.set_content(
        "<style>body{margin:0;padding:20px;display:flex;flex-wrap:wrap;gap:20px;background:#d9dde3;width:max-content;"
        f"max-width:{width}px;font:13px sans-serif}}figure{{margin:0}}figcaption{{padding-top:4px;color:#333}}"
        "img{border-radius:10px;border:1px solid #8a93a0;display:block}</style>" + "".join(figures)
    )
    page.locator("body").screenshot(path=FOLDER / f"{sheet.name}.png")
    page.close()


def gallery_page() -> str:
    """Return docs/gallery.md."""
    sections = "\n".join(f"## {sheet.title}\n\n![{sheet.title}](screenshots/{sheet.name}.png)\n" for sheet in SHEETS)
    return (
        "# The voter space in pictures\n\n"
        "Written by `make screenshots`. The names under the pictures are those of "
        "`harness/site/states/`, where each state is "
        "described and tested.\n\n"
        "The whole journey on the deployed stack, and what was sent meanwhile:\n\n"
        "![The steps of the journey](screenshots/journey.png)\n\n"
        "![The messages of the journey](screenshots/messages.png)\n\n" + sections
    )


@contextmanager
def _page(browser: Browser, sheet: Sheet) -> Iterator[Page]:
    context = browser.new_context(viewport=sheet.viewport, locale="fr-FR", timezone_id="Europe/Paris")
    page = context.new_page()
    page.emulate_media(**sheet.media)
    yield page
    context.close()


if __name__ == "__main__":
    sys.exit(main())
