"""A recorded terminal: the commands of those who run an election, on a local stack, as
docs/screenshots/terminal.svg.

    make terminal

Each command really runs, on a stack of its own; what it writes is drawn by Rich, colours included.
Of a progress bar, which wipes itself away, the picture keeps one moment.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness import plain_http
from harness.stack.deployed import wait_for
from local.processes import ROOT, own_folder
from local.run import ROLL, LocalStack, brought_up, listen

PICTURE = ROOT / "docs" / "screenshots" / "terminal.svg"
_COLUMNS = 136
_PORT = "8088"
_VOTERS = 3000
# What ends or rewrites a line; colours are kept.
_MOVES = re.compile(r"\r|\x1b\[\d*[A-HJK]|\x1b\[\?\d+[hl]|\n")
_BAR = re.compile(r"\d+/\d+")


class Recorder:
    """Runs commands and draws what they write."""

    def __init__(self, local: LocalStack, folder: Path) -> None:
        self._console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
        self._environment = {
            **local.aws.environment(),
            "FORCE_COLOR": "1",
            # The page that shows it is English.
            "REASSORT_LANG": "en",
            "COLUMNS": str(_COLUMNS),
            "TERM": "xterm-256color",
        }
        self._folder = folder

    def run(self, command: str) -> None:
        """Run `reassort …` in the folder, and draw the prompt, one moment of its progress, and its
        result.
        """
        program = str(Path(sys.executable).with_name("reassort"))
        done = subprocess.run(
            [program, *shlex.split(command)[1:]],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self._console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        moments = [part for part in _MOVES.split(done.stderr) if _BAR.search(Text.from_ansi(part).plain)]
        if moments:
            self._console.print(Text.from_ansi(moments[len(moments) * 2 // 3]), soft_wrap=True)
        self._console.print(Text.from_ansi(done.stdout.rstrip()), soft_wrap=True)
        self._console.print()

    def save(self) -> None:
        """Write the picture."""
        PICTURE.write_text(self._console.export_svg(title="reassort"), encoding="utf-8")


def write_rolls(folder: Path) -> None:
    """Write a long roll, and a short one with the faults that ministries' files have."""
    made = subprocess.run(
        [sys.executable, str(ROOT / "data" / "make_demo_roll.py"), "--rows", str(_VOTERS)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (folder / "roll.csv").write_bytes(made.stdout)
    with ROLL.open(encoding="utf-8-sig", newline="") as demo:
        rows = list(csv.reader(demo, delimiter=";"))[:9]
    rows[2][1] = rows[2][1][:-1]
    rows[4][0] = rows[4][0].replace("@", "@ac-lyon.fr@")
    rows[6][0] = rows[1][0].upper()
    rows[7][4] = rows[7][4][:-1] + "0"
    with (folder / "draft.csv").open("w", encoding="cp1252", newline="", errors="replace") as draft:
        csv.writer(draft, delimiter=";").writerows(rows)


def ask_for_an_identifier(local: LocalStack, roll: Path) -> str:
    """Let the first voter of a roll sign in and ask by SMS, as their browser would; return their
    address.
    """
    with roll.open(encoding="utf-8-sig", newline="") as file:
        voter = next(csv.DictReader(file, delimiter=";"))
    cookies: dict[str, str] = {}

    def call(method: str, path: str, body: object = None, **headers: str) -> dict[str, object]:
        answer = plain_http.request(
            method,
            local.origin + path,
            content=json.dumps(body),
            headers={
                "Content-Type": "application/json",
                "Origin": local.origin,
                "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
                **headers,
            },
            timeout=60,
        ).raise_for_status()
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            cookies[name] = value
        content: dict[str, object] = answer.json()
        return content

    def messages(to: str) -> list[dict[str, str]]:
        found = plain_http.get(f"{local.origin}/_local/messages", timeout=60).json()
        return [message for message in found if message["to"] == to]

    call("POST", "/api/login", {"email": voter["email"]})
    mail = wait_for(lambda: messages(voter["email"]))[-1]
    found = re.search(r"^ {4}(\d{6})$", mail["text"], re.MULTILINE)
    call("POST", "/api/login/code", {"code": found[1] if found else ""})
    # The local stack reports of this number that its telephone takes no SMS.
    revision = call("GET", "/api/reissue")["revision"]
    form = {"revision": revision, "numen": voter["numen"], "phone": "06 12 99 00 02", "channel": "sms", "consent": True}
    call("POST", "/api/reissue", form, **{"Idempotency-Key": "a-recorded-terminal"})
    wait_for(lambda: len(messages(voter["email"])) >= 3)
    return voter["email"]


def main() -> int:
    """Record the commands; return the exit status."""
    with (
        listen(_PORT) as listener,
        own_folder("terminal") as folder,
        brought_up(listener, folder, None) as local,
        local.served(listener),
    ):
        write_rolls(folder)
        recorder = Recorder(local, folder)
        recorder.run("reassort rehearse --stack reassort --voters 50 --share 40 --minutes 0.3 --clients 4 --seed 7")
        recorder.run("reassort rehearse --stack reassort --clean --yes")
        recorder.run("reassort roll check draft.csv")
        recorder.run("reassort roll import roll.csv --stack reassort")
        email = ask_for_an_identifier(local, folder / "roll.csv")
        recorder.run(f"reassort voter show {email} --stack reassort")
        recorder.run("reassort register verify --stack reassort")
        recorder.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
