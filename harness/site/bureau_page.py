"""The page of the election bureau in a browser: built, given files, and read."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from playwright.sync_api import FilePayload, Page

_PLACE = re.compile(
    r"^Première ligne en cause\s: ligne (\d+)(?:, (?:électeur )?([^,:]+?))?(?:, entrée (\d+))?[\s\u202f\u00a0]: "
)
_VALID = "Le registre est entier"
_INVALID = "Le registre n’est PAS entier"


_READ = """() => [
  document.getElementById("verdict").textContent,
  [...document.querySelectorAll("#faults li")].map(item => item.textContent),
]"""
_VERIFY_EACH = f"""async ({{key, files}}) => {{
  const read = {_READ};
  const result = document.getElementById("result");
  const give = (id, content) => {{
    const data = new DataTransfer();
    data.items.add(new File([content], id));
    document.getElementById(id).files = data.files;
  }};
  const found = [];
  give("key", key);
  for (const file of files) {{
    give("register", Uint8Array.from(atob(file), symbol => symbol.charCodeAt(0)));
    result.hidden = true;
    const shown = new Promise(done => {{
      const watcher = new MutationObserver(() => {{
        if (result.hidden) return;
        watcher.disconnect();
        done();
      }});
      watcher.observe(result, {{ attributes: true }});
    }});
    document.getElementById("form").requestSubmit();
    await shown;
    found.push(read());
  }}
  return found;
}}"""


@dataclass(frozen=True)
class Said:
    """What the page says: its verdict, the line that it names, and how many other faults."""

    whole: bool
    place: tuple[int, str | None, int | None] | None
    faults: int


def built_bureau(folder: Path) -> Path:
    """Build the page into a folder, as `make verifier` does, and return its file."""
    file = folder / "verificateur.html"
    subprocess.run([sys.executable, ROOT / "site" / "build_bureau.py", file], check=True, capture_output=True)
    return file


@dataclass(frozen=True)
class BureauPage:
    """The page in a browser."""

    page: Page

    def give(self, **contents: bytes) -> None:
        """Choose files, by the field that each goes into."""
        for field, content in contents.items():
            if field in ("earlier", "helpdesk"):
                self.page.evaluate("document.getElementById('optional').open = true")
            self.page.set_input_files(f"#{field}", _payload(f"{field}.jsonl", content))

    def verify(self, **contents: bytes) -> Said:
        """Choose files and check them."""
        self.give(**contents)
        self.page.get_by_role("button", name="Vérifier").click()
        self.page.locator("#result").wait_for()
        return self.said()

    def verify_each(self, key: bytes, registers: Iterable[bytes]) -> list[Said]:
        """Check one register after the other with a key, faster than by the hands of a user."""
        files = [b64encode(content).decode() for content in registers]
        return [_said(*found) for found in self.page.evaluate(_VERIFY_EACH, {"key": key.decode(), "files": files})]

    def said(self) -> Said:
        """Read the result."""
        return _said(*self.page.evaluate(f"({_READ})()"))

    @property
    def faults(self) -> list[str]:
        """Return what is named as wrong, without the special spaces."""
        found: list[str] = self.page.locator("#faults li").all_inner_texts()
        return [re.sub("[\u202f\u00a0]", " ", fault) for fault in found]


def _said(verdict: str, faults: list[str]) -> Said:
    assert verdict in (_VALID, _INVALID)
    place = next((found for fault in faults if (found := _PLACE.match(fault))), None)
    return Said(
        verdict == _VALID,
        place and (int(place[1]), place[2], int(place[3]) if place[3] else None),
        len(faults) - (place is not None),
    )


def _payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}
