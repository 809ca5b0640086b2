"""The voter space as `make run` starts it, and a browser in front of it."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserType, Page, expect

from harness import plain_http
from local.aws import free_port
from local.processes import ROOT

ROLL = ROOT / "data" / "demo-roll.csv"
# Where `make firefox` writes down which one it has brought.
_FIREFOX = ROOT / ".build" / "firefox"
_READY = "Espace électeur prêt"
_START_SECONDS = 600
_STOP_SECONDS = 30
_MESSAGE_SECONDS = 120


@dataclass(frozen=True)
class DemoVoter:
    """A line of the demo roll."""

    email: str
    numen: str
    establishment: str
    secretariat: str
    identifier: str


@dataclass(frozen=True)
class VoterSpace:
    """A running voter space, over HTTP and over HTTPS."""

    origin: str
    secure_origin: str

    def messages(self, to: str, channel: str = "email") -> list[dict[str, str]]:
        """Return what was "sent" to somebody, oldest first."""
        answer = plain_http.get(f"{self.origin}/_local/messages", timeout=_MESSAGE_SECONDS)
        return [message for message in answer.json() if message["to"] == to and message["channel"] == channel]

    def wait_for_message(self, to: str, subject: str = "", channel: str = "email", count: int = 1) -> dict[str, str]:
        """Return the newest message to somebody once there are `count` of that subject.

        Raises:
            AssertionError: it did not come in time.
        """
        deadline = time.monotonic() + _MESSAGE_SECONDS
        while time.monotonic() < deadline:
            found = [message for message in self.messages(to, channel) if subject in (message["subject"] or "")]
            if len(found) >= count:
                return found[-1]
            time.sleep(0.2)
        raise AssertionError(f"no message {subject!r} by {channel} within {_MESSAGE_SECONDS} s")

    def code_for(self, email: str, count: int = 1) -> str:
        """Return the newest one-time code sent to an address."""
        text = self.wait_for_message(email, "code de connexion", count=count)["text"]
        found = re.search(r"\b(\d{6})\b", text)
        assert found is not None
        return found[1]


def demo_voters() -> list[DemoVoter]:
    """Read the demo roll."""
    with ROLL.open(encoding="utf-8-sig", newline="") as lines:
        return [DemoVoter(**row) for row in csv.DictReader(lines, delimiter=";")]


@contextmanager
def running_voter_space() -> Iterator[VoterSpace]:
    """Start `python -m local.run` on a free port, as `make run` does, and stop it as Ctrl-C
    does.
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        line = _wait_until_ready(process)
        (secure_origin,) = re.findall(r"https://\S+", line)
        yield VoterSpace(f"http://127.0.0.1:{port}", secure_origin)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[str]) -> str:
    """Wait until it says so, and return the line.

    All that it says is read by a thread: two lines that come at once are no reason to wait, nor is
    a full pipe.
    """
    lines: list[str] = []
    told = threading.Event()

    def read() -> None:
        for line in process.stdout or ():
            lines.append(line)
            if _READY in line:
                told.set()
        told.set()

    threading.Thread(target=read, daemon=True).start()
    told.wait(_START_SECONDS)
    ready = next((line for line in lines if _READY in line), None)
    assert ready is not None, "the voter space did not start:\n" + "".join(lines)
    return ready


def launch_chromium(chromium: BrowserType, debugging_port: int | None = None, *, whole: bool = False) -> Browser:
    """Launch the system's Chromium if there is one, else Playwright's own; others may drive it by
    the port, if one is given.

    The shell without windows takes half as long for a page. The `whole` browser ends a trace at
    once, which the shell often does after 5 s only.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    system = next((path for name in names[whole:] if (path := shutil.which(name))), None)
    return chromium.launch(
        executable_path=system,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            *([] if debugging_port is None else [f"--remote-debugging-port={debugging_port}"]),
        ],
    )


def firefox_executable() -> str:
    """Return the system's Firefox if there is one, else the one that `make firefox` has brought.

    Raises:
        AssertionError: there is none.
    """
    system = shutil.which("firefox-esr") or shutil.which("firefox")
    if system:
        return system
    brought = _FIREFOX.read_text(encoding="utf-8").strip() if _FIREFOX.exists() else ""
    assert Path(brought).is_file(), "no Firefox: install one, or run `make firefox`"
    return brought


def sign_in(page: Page, space: VoterSpace, voter: DemoVoter, *, secure: bool = False) -> None:
    """Sign in with the one-time code, up to the form; `secure` over HTTPS."""
    page.goto(f"{space.secure_origin if secure else space.origin}/connexion.html")
    page.get_by_label("Adresse électronique professionnelle").fill(voter.email)
    page.get_by_role("button", name="Recevoir le code").click()
    expect(page.locator("h1")).to_have_text("Le code reçu par courriel")
    page.get_by_label("Code à 6 chiffres").fill(space.code_for(voter.email))
    page.get_by_role("button", name="Valider le code").click()
    expect(page.locator("h1")).to_have_text("Vos renseignements")


def fill_form(page: Page, voter: DemoVoter, phone: str, channel: str) -> None:
    """Fill in the form and go to the review."""
    page.get_by_label("NUMEN", exact=True).fill(voter.numen)
    page.get_by_label("Numéro de téléphone mobile").fill(phone)
    page.locator(f"#channel-{channel}").check()
    page.locator("#consent").check()
    page.get_by_role("button", name="Vérifier ma demande").click()


def confirm(page: Page) -> None:
    """Confirm the review and wait for the status page."""
    expect(page.locator("h1")).to_have_text("Vérifiez votre demande")
    page.get_by_role("button", name="Confirmer ma demande").click()
    page.wait_for_url("**/suivi.html*")
