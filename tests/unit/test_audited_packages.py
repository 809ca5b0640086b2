"""An audit fails for a vulnerable package that voters' data passes through, and one that could not
ask says so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from harness.runtime.trees import uv_program
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = "http://127.0.0.1:9"

pytestmark = pytest.mark.req("S30")


@contextmanager
def _services(*vulnerable: str, npm_answers: bool = True) -> Iterator[str]:
    """Play OSV and the npm registry on this machine: some packages have a vulnerability."""

    class Services(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/querybatch":
                names = [query["package"]["name"] for query in json.loads(asked)["queries"]]
                hit = {"vulns": [{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-01T00:00:00Z"}]}
                self._answer({"results": [hit if name in vulnerable else {} for name in names]})
            else:
                self._answer({}, 200 if npm_answers else 405)

        def do_GET(self) -> None:
            found = {
                "id": "GHSA-aaaa-bbbb-cccc",
                "modified": "2026-01-01T00:00:00Z",
                "summary": "A hole",
                "affected": [],
            }
            self._answer(found)

        def _answer(self, content: object, status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Services) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _audit(osv: str, npm: str) -> tuple[int, str]:
    environment = {
        **os.environ,
        "UV": uv_program(),
        "UV_DEFAULT_INDEX": f"{NOBODY}/simple",
        "UV_HTTP_RETRIES": "0",
        "npm_config_registry": npm,
        "npm_config_fetch_retries": "0",
    }
    command = [sys.executable, "tools/audit.py", "--service-url", f"{osv}/"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("packages", "status"), [(("jinja2",), 1), (("ministack", "checkov"), 0)], ids=["deployed", "tools"]
)
def test_audit_fails_for_what_voters_data_passes_through_and_tells_the_rest(
    packages: tuple[str, ...], status: int
) -> None:
    with _services(*packages) as url:
        returned, said = _audit(url, url)
    assert returned == status, said
    assert "COULD NOT BE ASKED" not in said
    told = re.findall(r"^  (\S+) \S+: GHSA-aaaa-bbbb-cccc: A hole \(no fix\)$", said, re.MULTILINE)
    assert set(told) == set(packages)


def test_audit_that_could_not_ask_does_not_pass() -> None:
    with _services(npm_answers=False) as url:
        without_npm = _audit(url, url)
    without_any = _audit(NOBODY, NOBODY)
    assert without_npm[0] == without_any[0] == 2
    assert without_npm[1].count("COULD NOT BE ASKED") == 1
    assert without_any[1].count("COULD NOT BE ASKED") == 4
