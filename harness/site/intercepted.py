"""What a page asks for, answered by a test, while the browser keeps scripts and styles in memory.

Playwright's routes turn all of that memory off, so that each page asks for its twenty files again.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from playwright.sync_api import Error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import CDPSession, Page

type Answer = Callable[[PausedRequest], None]


@dataclass(frozen=True)
class PausedRequest:
    """A request that waits for its answer. The names of its headers are in small letters."""

    session: CDPSession
    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    post_data: str | None
    # Who answers when nobody before does.
    others: Sequence[Answer]

    def fulfill(
        self,
        *,
        status: int = 200,
        body: str | bytes = "",
        content_type: str = "text/html",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer it."""
        content = body.encode() if isinstance(body, str) else body
        told = {"Content-Type": content_type, **(headers or {})}
        self._decide(
            "Fetch.fulfillRequest",
            responseCode=status,
            responseHeaders=[{"name": name, "value": value} for name, value in told.items()],
            body=b64encode(content).decode(),
        )

    def lose(self) -> None:
        """Lose the connection that it came by."""
        self._decide("Fetch.failRequest", errorReason="ConnectionReset")

    def pass_on(self) -> None:
        """Let it be answered as before this answer was set."""
        answer, *others = self.others
        answer(PausedRequest(self.session, self.id, self.method, self.url, self.headers, self.post_data, others))

    def _decide(self, command: str, **parameters: Any) -> None:
        # Once the page has been left, nobody waits for it.
        with suppress(Error):
            self.session.send(command, {"requestId": self.id, **parameters})


@dataclass
class _Interception:
    """The answers that are set for a page, the last one first, by the pattern of their URLs."""

    session: CDPSession
    answers: list[tuple[str, Answer]] = field(default_factory=list)

    def hear(self, paused: dict[str, Any]) -> None:
        request = paused["request"]
        url = request["url"].partition("#")[0]
        PausedRequest(
            self.session,
            paused["requestId"],
            request["method"],
            url,
            {name.lower(): value for name, value in request["headers"].items()},
            request.get("postData"),
            [answer for pattern, answer in self.answers if fnmatchcase(url, pattern)],
        ).pass_on()


_interceptions: WeakKeyDictionary[Page, _Interception] = WeakKeyDictionary()


def answer_requests(page: Page, pattern: str, answer: Answer) -> None:
    """Let a page's requests be answered so from now on: those to the URLs of a pattern, in which
    `*` is any text.
    """
    if page not in _interceptions:
        _interceptions[page] = _Interception(page.context.new_cdp_session(page))
        _interceptions[page].session.on("Fetch.requestPaused", _interceptions[page].hear)
    interception = _interceptions[page]
    interception.answers.insert(0, (pattern, answer))
    patterns = [{"urlPattern": pattern} for pattern, _ in interception.answers]
    interception.session.send("Fetch.enable", {"patterns": patterns})


def answer_no_more(page: Page) -> None:
    """Let its requests go to the network again."""
    if interception := _interceptions.pop(page, None):
        interception.session.detach()
