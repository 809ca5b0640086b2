"""What each page of the voter space weighs on the wire, and what Lighthouse says of it.

    make bench-site

Starts the whole stack as `make run` does, and writes bench/site.md. The exit status is 1 when a
page is over its limit.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from harness.measuring.figures import machine, table
from harness.measuring.results import Figure, Section, keep
from harness.site.checkers import BAR, Checkers, LighthouseReport, running_checkers
from harness.site.pages import FIRST_LOAD, MISSING, PAGES
from harness.site.states import STATES
from harness.site.voter_space import (
    confirm,
    demo_voters,
    fill_form,
    launch_chromium,
    running_voter_space,
    sign_in,
)
from local.aws import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import Browser, BrowserContext, Page

REPORT = Path(__file__).parent / "site.md"


@dataclass(frozen=True)
class Weighed:
    """Answers of a first load, and their bytes as the browser received them: headers, compressed
    bodies.
    """

    answers: int
    bytes: int


def main() -> int:
    """Measure every page, write the report, and return the exit status."""
    port = free_port()
    with running_voter_space() as space, sync_playwright() as playwright:
        browser = launch_chromium(playwright.chromium, port, whole=True)
        voter = demo_voters()[0]
        session = new_context(browser)
        page = session.new_page()
        sign_in(page, space, voter, secure=True)
        fill_form(page, voter, "06 12 34 56 01", "email")
        confirm(page)
        page.locator("#reference:not(:empty)").wait_for()
        cookies = session.cookies()
        with running_checkers(port) as checkers:
            measured = {name: measure(browser, checkers, cookies, f"{space.secure_origin}/{name}") for name in PAGES}
        browser.close()
    good = lowest_score(measured) >= BAR and all(weighed.bytes <= FIRST_LOAD for weighed, *_ in measured.values())
    REPORT.write_text(report(measured), "utf-8")
    print(report(measured))
    keep(section(measured))
    return 0 if good else 1


def new_context(browser: Browser) -> BrowserContext:
    """Open a session of its own. Nobody knows the issuer of the local certificate."""
    return browser.new_context(locale="fr-FR", ignore_https_errors=True)


def lowest_score(measured: Mapping[str, tuple[Weighed, LighthouseReport, LighthouseReport]]) -> float:
    """Return the lowest of all scores, except what the status 404 costs the page that has it: the
    browser writes it into its console, and Lighthouse counts that as an error.
    """
    return min(
        score
        for name, (_, *reports) in measured.items()
        for report in reports
        for category, score in report.scores.items()
        if (name, category) != (MISSING, "best-practices")
    )


def section(measured: dict[str, tuple[Weighed, LighthouseReport, LighthouseReport]]) -> Section:
    """Return what bench/results.md says of it."""
    heaviest = max(measured, key=lambda name: measured[name][0].bytes)
    lowest = lowest_score(measured)
    return Section(
        "site",
        "The site",
        "make bench-site",
        (
            Figure(
                "U11",
                "first load of the heaviest page, all answers and headers",
                measured[heaviest][0].bytes / 1000,
                FIRST_LOAD / 1000,
                heaviest,
                digits=1,
                unit=" kB",
            ),
        ),
        (
            f"The lowest score that Lighthouse gave to any of {len(measured)} pages, on a slow phone or a desktop, "
            f"for accessibility, best practices or performance: {lowest * 100:.0f}, except the 404 that the browser "
            f"logs as an error of {MISSING}. Page by page: [site.md](site.md).",
        ),
    )


def measure(
    browser: Browser, checkers: Checkers, cookies: Sequence[Any], url: str
) -> tuple[Weighed, LighthouseReport, LighthouseReport]:
    """Weigh a page's first load, and score it as a slow phone and as a desktop, each with nothing
    in the cache.
    """
    context = new_context(browser)
    context.add_cookies(cookies)
    page = context.new_page()
    weighed = weigh(page, url)
    phone, desktop = (checkers.best_look(page, url, desktop=desktop) for desktop in (False, True))
    context.close()
    return weighed, phone, desktop


def weigh(page: Page, url: str) -> Weighed:
    """Return what a first load of a page receives."""
    received: list[float] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url, wait_until="networkidle")
    return Weighed(len(received), round(sum(received)))


def report(measured: dict[str, tuple[Weighed, LighthouseReport, LighthouseReport]]) -> str:
    """Return bench/site.md."""

    def scores(lighthouse: LighthouseReport) -> str:
        order = ("accessibility", "best-practices", "performance")
        return " / ".join(f"{lighthouse.scores[name] * 100:.0f}" for name in order)

    rows = [
        [name, str(weighed.answers), f"{weighed.bytes / 1000:.1f}", scores(phone), scores(desktop)]
        for name, (weighed, phone, desktop) in measured.items()
    ]
    return (
        "# The pages of the voter space\n\n"
        "First load with an empty cache, through the local gateway over HTTP/2, which "
        "compresses and sets headers as CloudFront does: bytes as the browser received them, the API's answers and "
        f"all headers included (limit {FIRST_LOAD / 1000:.0f} kB). Lighthouse: accessibility / best practices / "
        "performance, on a slow phone (4 × slower processor, 1.6 Mbit/s) and on a "
        "desktop, from a server that answers after 50 ms. `demande.html` and `suivi.html` with a session.\n\n"
        + table(["page", "answers", "kB", "Lighthouse, phone", "Lighthouse, desktop"], rows)
        + f"\naxe (light and dark), html-validate and pa11y: 0 findings in {len(STATES)} states, "
        "`.venv/bin/pytest -n 2 tests/site/test_states.py`.\n\n"
        f"{machine()} `make bench-site`\n"
    )


if __name__ == "__main__":
    sys.exit(main())
