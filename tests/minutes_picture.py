"""`make screenshots`: the minutes of a small election that was lived, as
docs/screenshots/minutes.png.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from reassort_ops.minutes.figures import Minutes, PlatformReconciled
from reassort_ops.minutes.page import render_minutes

from harness.service.world import World
from harness.site.voter_space import launch_chromium
from local.processes import ROOT
from tests.minutes_history import AlarmsOfCloudWatch, enrol_voters, live, minutes_of

PICTURE = ROOT / "docs" / "screenshots" / "minutes.png"
_RANG = datetime(2018, 11, 29, 8, 12, tzinfo=UTC)
# A4 at 96 dots an inch, with the margins of a printed page.
_WIDTH = 794
_COLOURS = 32


def minutes_of_election() -> Minutes:
    """Live the election and gather its minutes. What it draws is drawn alike each time."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    with World(seed=2018) as world, tempfile.TemporaryDirectory() as folder:
        live(world, enrol_voters(world, 40))
        alarms = AlarmsOfCloudWatch((("reassort-UndeliveredAlarm", "ALARM", _RANG),))
        platform = PlatformReconciled(votes=3, compared=9, used=3, differences=0)
        return minutes_of(world, Path(folder), alarms, platform)


def main() -> int:
    """Write the picture; return the exit status."""
    page_of_minutes = render_minutes(minutes_of_election())
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium)
        page = browser.new_page(viewport={"width": _WIDTH, "height": 1123})
        page.set_content(page_of_minutes)
        picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
        browser.close()
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
