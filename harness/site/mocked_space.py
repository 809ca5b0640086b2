"""The voter space in front of an API that answers what a test says: pages from the build, no
server, no stack.
"""

from __future__ import annotations

import json
import mimetypes
import subprocess
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openapi_schema_validator import OAS30Validator, oas30_format_checker
from reassort.clock import iso
from reassort.problems import Code, Problem

from harness.elections import FOLDER, read_election
from harness.service.openapi import operations
from harness.site.intercepted import answer_requests
from local.edge import page_of, read_security_headers
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page
    from reassort.problems import FieldFault
    from reassort.reasons import Reason

    from harness.site.intercepted import PausedRequest

type Operation = tuple[str, str]

ORIGIN = "https://electeur.example.fr"
ELECTION = read_election("dijon-2018")
REFERENCE = "7K3M9-QWX2T"
ADDRESS = "c•••@ac-dijon.fr"
PHONE = "•• •• •• 56 78"
SECRETARIAT = "Secrétariat du lycée Carnot"
# A Friday of the vote, while the helpdesk is open.
NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
ASK_CODE = "POST", "/api/login"
REDEEM_CODE = "POST", "/api/login/code"
SIGN_OUT = "DELETE", "/api/login"
OVERVIEW = "GET", "/api/reissue"
REISSUE = "POST", "/api/reissue"
STATUS = "GET", "/api/reissue/{reference}"
REDELIVERY = "POST", "/api/reissue/{reference}/redelivery"
DISPUTE = "POST", "/api/dispute"
DISPUTE_LOOK = "POST", "/api/dispute/look"
SERVICE = "GET", "/api/status"
_HEADERS = {header.name: header.value for header in read_security_headers(ROOT / "edge.yaml")}


def built_site(folder: Path, election_id: str = ELECTION.id, source: Path | None = None) -> Path:
    """Build an election's site into `folder` as it is deployed, from `source` if that is given, and
    return the folder.
    """
    build: list[str | Path] = [
        sys.executable,
        ROOT / "site" / "build.py",
        source or FOLDER / f"{election_id}.yaml",
        folder,
    ]
    subprocess.run(build, check=True)
    return folder


def why(reason: Reason) -> dict[str, str]:
    """Return a reason as the API gives it."""
    return {"code": reason.value, "words": reason.words}


def step(status: str, channel: str, *, ago: int = 0, because: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a step of the history, `ago` seconds before `NOW`."""
    made: dict[str, Any] = {"at": iso(NOW - timedelta(seconds=ago)), "status": status, "channel": channel}
    return made | ({"reason": because} if because else {})


def tracked(
    status: str,
    channel: str = "sms",
    *,
    history: list[dict[str, Any]] | None = None,
    confirmation: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """Return the body of `GET /api/reissue/{reference}`."""
    return {
        "reference": REFERENCE,
        "generation": 2,
        "channel": channel,
        "destination": PHONE if channel == "sms" else ADDRESS,
        "status": status,
        "redelivery": {"channels": ["email" if channel == "sms" else "sms"], "numen": False},
        "history": history or [step("queued", channel, ago=5)],
        "confirmation": confirmation or {"status": "delivered"},
        **members,
    }


def caller_code(words: str = "girafe tambour", lives: int = 1200) -> dict[str, str]:
    """Return a code for the helpdesk that is accepted for so many seconds after `NOW`."""
    return {"words": words, "expires_at": iso(NOW + timedelta(seconds=lives))}


def revision(voter: str, generation: int) -> str:
    """Return what the service would show of a voter at a generation."""
    return urlsafe_b64encode(sha256(f"{voter} {generation}".encode()).digest()[:16]).rstrip(b"=").decode()


def overview(**members: Any) -> dict[str, Any]:
    """Return the body of `GET /api/reissue` of a voter who has asked for nothing yet; `members`
    replace its own.

    `voter` names another voter of the same masked address.
    """
    window = ELECTION.windows.reissue
    amiss = {"used": "already-voted", "frozen": "frozen"}.get(members.get("status", "active"))
    if amiss is None and members.get("lock"):
        amiss = "locked"
    if amiss is None and not members.get("window", {"open": True})["open"]:
        amiss = "window-closed"
    return {
        "election": {"id": ELECTION.id, "name": ELECTION.name},
        "window": {
            "opens_at": iso(window.opens_at),
            "closes_at": iso(window.closes_at),
            "open": True,
            "stopped": False,
        },
        "address": ADDRESS,
        "establishment": "Lycée Carnot, Dijon",
        "secretariat": SECRETARIAT,
        "generation": 1,
        "voter": revision(members.get("voter", members.get("address", ADDRESS)), 0),
        "revision": revision(members.get("voter", members.get("address", ADDRESS)), members.get("generation", 1)),
        "issued_at": iso(NOW - timedelta(days=20)),
        "status": "active",
        "lock": None,
        "request": {"refused": amiss, "again_at": None},
        "last_reissue": None,
        "session": {"expires_in": 900},
        "caller_code": caller_code(),
        **{name: value for name, value in members.items() if name != "voter"},
    }


def last_reissue(status: dict[str, Any]) -> dict[str, Any]:
    """Return what the overview says of a reissue."""
    summary = {name: status[name] for name in ("reference", "generation", "channel", "destination", "status")}
    redeliverable = bool(status["redelivery"]["channels"])
    return {**summary, "at": status["history"][0]["at"], "redeliverable": redeliverable}


def disputed_request() -> dict[str, Any]:
    """Return what is told of the request that a confirmation is about, before and after a
    dispute.
    """
    return {"reference": REFERENCE, "at": iso(NOW), "channel": "sms", "destination": PHONE}


class MockedSpace:
    """The site at `ORIGIN` in one page. What it asks the API is kept in `asked`, oldest first."""

    def __init__(self, page: Page, site: Path) -> None:
        self.page = page
        self.asked: list[tuple[str, str, Any]] = []
        self.refused: set[tuple[Operation, Code]] = set()
        self.site = site
        self.now = NOW
        # What a cache in front of the site says of its answers.
        self.dated: dict[str, str] = {}
        self._answers: dict[Operation, Callable[[PausedRequest], None]] = {}
        self._held: set[Operation] = set()
        self._waiting: list[tuple[Operation, PausedRequest]] = []
        answer_requests(page, f"{ORIGIN}/*", self._serve)
        self.answer(DISPUTE_LOOK, 200, disputed_request())

    def open(
        self, path: str, *, now: datetime = NOW, wrong_by: timedelta = timedelta(), scripts_run: bool = True
    ) -> None:
        """Open a page at that time, on a computer whose clock is wrong by so much.

        Wait until it says what depends on the time, unless its scripts are not to run.
        """
        self.now = now
        self.page.clock.install(time=now + wrong_by)
        if SERVICE not in self._answers:
            self.answer_service(now)
        self.page.goto(f"{ORIGIN}/{path}")
        if scripts_run:
            self.page.locator("#helpdesk-state:not(:empty)").wait_for(state="attached")

    def answer_service(self, now: datetime, *, stopped: bool = False) -> None:
        """Answer whether identifiers are issued at that time, by whose clock the page goes."""
        window = ELECTION.windows.reissue
        told = {
            "opens_at": iso(window.opens_at),
            "closes_at": iso(window.closes_at),
            "open": window.contains(now) and not stopped,
            "stopped": stopped,
        }
        self.answer(SERVICE, 200, {"at": iso(now), "window": told}, dated=False)

    def answer(
        self, operation: Operation, status: int, body: dict[str, Any] | None = None, *, dated: bool = True
    ) -> None:
        """Answer an operation of `openapi.yaml` so from now on; an answer that it does not describe
        is an error.
        """
        method, path = operation
        described = operations()[method, path]["responses"][str(status)]
        kind = "application/json" if status < 400 else "application/problem+json"
        if body is not None:
            schema = described["content"][kind]["schema"]
            OAS30Validator(schema, format_checker=oas30_format_checker).validate(body)
            assert body.get("code") in described.get("x-codes", [None]), f"{path} does not answer {body['code']}"
        content = "" if body is None else json.dumps(body)

        def fulfil(asked: PausedRequest) -> None:
            headers = {"Date": format_datetime(self.now, usegmt=True)} if dated else {}
            asked.fulfill(status=status, body=content, content_type=kind, headers=headers)

        self._answers[operation] = fulfil

    def refuse(
        self,
        operation: Operation,
        code: Code,
        errors: tuple[FieldFault, ...] = (),
        values: dict[str, str] | None = None,
        **facts: Any,
    ) -> None:
        """Answer an operation with a problem, in the words of the service."""
        problem = Problem(code, errors, values=values or {}, **facts)
        self.answer(operation, problem.status, problem.body(ELECTION.helpdesk.phone))
        self.refused.add((operation, code))

    def refuse_in_front(self, operation: Operation, status: int) -> None:
        """Let what stands in front of the API answer in its stead: not in its words, nor in
        JSON.
        """
        self._answers[operation] = lambda asked: asked.fulfill(status=status, body="<h1>Error</h1>")

    def drop(self, operation: Operation) -> None:
        """Let no answer come from now on."""
        self._answers[operation] = lambda asked: asked.lose()

    def hold(self, operation: Operation) -> None:
        """Keep the answers of an operation back until `release`."""
        self._held.add(operation)

    def let_later_ones_pass(self, operation: Operation) -> None:
        """Keep back no further answers of an operation; what waits goes on waiting."""
        self._held.remove(operation)

    def release(self) -> None:
        """Send what was kept back, and keep nothing back any more."""
        self._held.clear()
        for operation, asked in self._waiting:
            self._answers[operation](asked)
        self._waiting.clear()

    def track(self, status: dict[str, Any]) -> None:
        """Answer that a signed-in voter's last reissue stands so."""
        self.answer(OVERVIEW, 200, overview(generation=2, issued_at=iso(NOW), last_reissue=last_reissue(status)))
        self.answer(STATUS, 200, status)

    def open_tracking(self, status: dict[str, Any]) -> None:
        """Open the tracking page of a reissue that stands so, at `NOW`."""
        self.track(status)
        self.open("suivi.html")
        self.page.locator("#reference:not(:empty)").wait_for()

    def next_status(self, status: dict[str, Any]) -> None:
        """Let the page ask again and be answered so."""
        self.track(status)
        with self.page.expect_response(lambda answer: answer.url.endswith(REFERENCE)):
            self.page.clock.fast_forward(31_000)

    def _serve(self, asked: PausedRequest) -> None:
        path = urlsplit(asked.url).path
        if path.startswith("/api/"):
            self._serve_api(asked, path)
            return
        file = self.site / (page_of(path).removeprefix("/") or "index.html")
        asked.fulfill(
            status=200 if file.is_file() else 404,
            body=(file if file.is_file() else self.site / "404.html").read_bytes(),
            content_type=mimetypes.guess_type(file.name)[0] or "text/html",
            headers=_HEADERS
            | (self.dated if asked.method == "HEAD" else {})
            # As they are uploaded (docs/deploy.md): the name of the folder is a hash of all.
            | ({"Cache-Control": "public, max-age=31536000, immutable"} if path.startswith("/assets/") else {}),
        )

    def _serve_api(self, asked: PausedRequest, path: str) -> None:
        method, body = asked.method, asked.post_data
        self.asked.append((method, path, json.loads(body) if body else None))
        operation = method, path.replace(REFERENCE, "{reference}")
        if operation in self._held:
            self._waiting.append((operation, asked))
        else:
            self._answers[operation](asked)
