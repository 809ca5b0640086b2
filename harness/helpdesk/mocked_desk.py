"""The page of the helpdesk in front of a Cognito and an API that answer what a test says: the page
from its build, no server, no stack.
"""

from __future__ import annotations

import json
import mimetypes
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reassort.clock import iso

from harness.elections import FOLDER, read_election
from local.helpdesk_headers import security_headers
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page, Request, Route

type Operation = tuple[str, str]

ORIGIN = "https://assistance.example.fr"
API = "https://api.example.fr/live"
REGION = "eu-west-3"
CONFIG = {
    "region": REGION,
    "api_url": API,
    "user_pool_id": "eu-west-3_Example",
    "client_id": "client",
    "identity_pool_id": "eu-west-3:11111111-2222-3333-4444-555555555555",
}
ELECTION = read_election("dijon-2018")
# A Friday of the vote, while the helpdesk is open.
NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AGENT = "nadia.benali"
PASSWORD = "quatre mots sans rapport"
TOTP = "314159"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "ASIAEXAMPLE", "secret-key-of-the-session", "session-token"

ME = "GET", "/helpdesk/me"
LOOK = "POST", "/helpdesk/look"
ACT = "POST", "/helpdesk/acts"
PROPOSALS = "GET", "/helpdesk/proposals"
DECIDE = "POST", "/helpdesk/proposals/p-1"
SHIFT = "GET", "/helpdesk/shift"
NADIA = "bb881877-6d98-54c5-b812-c6223d414e46"
LOUIS = "0c6c1f0e-6a1d-4a6e-9f8e-2f0f7a3b1c08"
END = "POST", f"/helpdesk/sessions/{LOUIS}/end"
RECORD = "GET", "/helpdesk/record"


def built_helpdesk(folder: Path, election_id: str = ELECTION.id) -> Path:
    """Build an election's page into `folder` as it is deployed, and return the folder."""
    build: list[str | Path] = [
        sys.executable,
        ROOT / "site" / "build_helpdesk.py",
        FOLDER / f"{election_id}.yaml",
        folder,
    ]
    subprocess.run(build, check=True)
    return folder


def me(role: str = "agent", **members: Any) -> dict[str, Any]:
    """Return the body of `GET /helpdesk/me`."""
    acts = ["look", "unlock", "freeze", "unfreeze", "let-in", "reissue"]
    return {
        "name": "Nadia Benali",
        "role": role,
        "election": {"id": ELECTION.id, "name": ELECTION.name},
        "second_person": True,
        "lookups_left": 60,
        "acts": [] if role == "auditor" else acts,
        "views": ["call", "proposals", "shift", "record"],
        **members,
    }


class MockedDesk:
    """The page at `ORIGIN`. What it asks the API is kept in `asked`, and the requests themselves in
    `requests`, oldest first.
    """

    def __init__(self, page: Page, built: Path) -> None:
        self.page = page
        self.asked: list[tuple[str, str, Any]] = []
        self.requests: list[Request] = []
        self.cognito: list[tuple[str, Any]] = []
        self.config: dict[str, Any] | None = dict(CONFIG)
        self._built = built
        self._answers: dict[Operation, Callable[[Route], None]] = {}
        self._cognito_answers: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        page.route(f"{ORIGIN}/**", self._serve)
        page.route(f"{API}/**", self._serve_api)
        page.route("https://cognito-*.amazonaws.com/**", self._serve_cognito)
        self.cognito_says("InitiateAuth", {"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "session-1"})
        self.cognito_says("RespondToAuthChallenge", {"AuthenticationResult": tokens()})
        self.cognito_says("AssociateSoftwareToken", {"SecretCode": SECRET, "Session": "session-2"})
        self.cognito_says("VerifySoftwareToken", {"Status": "SUCCESS", "Session": "session-3"})
        self.cognito_says("RevokeToken", {})
        self.cognito_says("GetId", {"IdentityId": "eu-west-3:identity"})
        self.cognito_says("GetCredentialsForIdentity", credentials())
        self.answer(ME, 200, me())

    def open(self, *, now: datetime = NOW) -> None:
        """Open the page at that time."""
        self.page.clock.install(time=now)
        self.page.goto(f"{ORIGIN}/index.html")

    def answer(self, operation: Operation, status: int, body: dict[str, Any] | None = None) -> None:
        """Answer an operation so from now on."""
        kind = "application/json" if status < 400 else "application/problem+json"
        content = "" if body is None else json.dumps(body)
        self._answers[operation] = lambda route: route.fulfill(
            status=status, body=content, content_type=kind, headers=_SHARED
        )

    def refuse(
        self, operation: Operation, status: int, code: str, title: str, detail: str = "", **members: Any
    ) -> None:
        """Answer an operation with a problem."""
        body = {"type": "about:blank", "status": status, "code": code, "title": title, "detail": detail, **members}
        self.answer(operation, status, body)

    def drop(self, operation: Operation) -> None:
        """Let no answer come from now on."""
        self._answers[operation] = lambda route: route.abort("connectionreset")

    def cognito_says(self, action: str, *bodies: dict[str, Any]) -> None:
        """Let Cognito answer an action so: one body after the other, the last forever."""
        self._cognito_answers[action] = [(200, body) for body in bodies]

    def cognito_refuses(self, action: str, kind: str, then: dict[str, Any] | None = None) -> None:
        """Let Cognito refuse an action, once when there is something `then`."""
        refusal = (400, {"__type": kind, "message": "in English"})
        self._cognito_answers[action] = [refusal, *([(200, then)] if then else [])]

    def _serve(self, route: Route) -> None:
        path = urlsplit(route.request.url).path.removeprefix("/") or "index.html"
        if path == "config.json":
            if self.config is None:
                route.fulfill(status=404, body="")
            else:
                route.fulfill(status=200, body=json.dumps(self.config), content_type="application/json")
            return
        file = self._built / path
        route.fulfill(
            status=200 if file.is_file() else 404,
            body=file.read_bytes() if file.is_file() else b"",
            content_type=mimetypes.guess_type(file.name)[0] or "text/html",
            headers=security_headers(CONFIG),
        )

    def _serve_api(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path.removeprefix("/live")
        self.requests.append(request)
        self.asked.append((request.method, path, json.loads(request.post_data) if request.post_data else None))
        self._answers[request.method, path](route)

    def _serve_cognito(self, route: Route) -> None:
        action = route.request.headers["x-amz-target"].partition(".")[2]
        self.cognito.append((action, json.loads(route.request.post_data or "{}")))
        waiting = self._cognito_answers[action]
        status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        route.fulfill(status=status, body=json.dumps(body), content_type="application/x-amz-json-1.1", headers=_SHARED)


_SHARED = {"Access-Control-Allow-Origin": "*"}


def tokens(refresh: str = "refresh-token") -> dict[str, Any]:
    """Return what Cognito gives to anyone who has signed in."""
    return {"IdToken": "id-token", "AccessToken": "access-token", "RefreshToken": refresh, "ExpiresIn": 3600}


def credentials(lives: timedelta = timedelta(hours=1), since: datetime = NOW) -> dict[str, Any]:
    """Return what the identity pool gives for a token."""
    return {
        "IdentityId": "eu-west-3:identity",
        "Credentials": {
            "AccessKeyId": ACCESS_KEY,
            "SecretKey": SECRET_KEY,
            "SessionToken": SESSION_TOKEN,
            "Expiration": (since + lives).timestamp(),
        },
    }


def proposal(**members: Any) -> dict[str, Any]:
    """Return a proposal as a supervisor gets it."""
    return {
        "id": "p-1",
        "act": "reissue",
        "address": "c•••@ac-dijon.fr",
        "reason": "appelant vérifié, identifiant jamais arrivé",
        "agent": "Nadia Benali",
        "at": iso(NOW - timedelta(minutes=2)),
        "expires_at": iso(NOW + timedelta(minutes=13)),
        "caller_verified": True,
        **members,
    }


def shift(**members: Any) -> dict[str, Any]:
    """Return the body of `GET /helpdesk/shift`."""
    people = ((NADIA, "agent BB8-818", 34, 30, 12), (LOUIS, "agent 0C6-C1F", 57, 2, 3), ("anne", "anne", 1, 0, 0))
    return {
        "since": iso(NOW.replace(hour=7, minute=0)),
        "agents": [
            {
                "agent": agent,
                "name": name,
                "looks": looks,
                "verified": verified,
                "acts": acts,
                "last_at": iso(NOW - timedelta(minutes=3)),
            }
            for agent, name, looks, verified, acts in people
        ],
        "acts": {"unlocked": 9, "let-in": 2, "frozen": 1, "reissued": 3},
        "queues": {"waiting": 214, "oldest_seconds": 95},
        "alarms": [
            {
                "name": "messages-late",
                "words": "Les messages partent avec retard : faites patienter, ne proposez pas de nouvel identifiant.",
                "since": iso(NOW - timedelta(minutes=25)),
            }
        ],
        **members,
    }


def entry(sequence: int, **members: Any) -> dict[str, Any]:
    """Return a line of the record."""
    return {
        "agent": NADIA,
        "name": "agent BB8-818",
        "sequence": sequence,
        "at": iso(NOW + timedelta(minutes=sequence)),
        "action": "looked",
        "voter": "v7Qm2xK9",
        "reason": "",
        "correlation_id": f"c-{sequence}",
        "caller_verified": True,
        "previous": f"{sequence - 1:064x}",
        "hash": f"{sequence:064x}",
        **members,
    }
