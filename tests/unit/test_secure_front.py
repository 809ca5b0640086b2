"""The local voter space over HTTPS: what the front in CloudFront's place does on the way."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from local.secure_front import secure_front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "Espace électeur. " * 100


class Origin(BaseHTTPRequestHandler):
    """Says which origin the page has, as the service sees it, and then enough to be compressed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.headers.get('Origin')}\n{LONG}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Origin) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with running_origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def secure(origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with secure_front(origin, tmp_path_factory.mktemp("certificate")) as secure:
        yield secure


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(http2=True, verify=False, trust_env=False) as client:  # noqa: S501 nobody knows its issuer
        yield client


def test_it_speaks_http_2_as_cloudfront_does(client: httpx.Client, secure: str) -> None:
    assert client.get(f"{secure}/index.html").http_version == "HTTP/2"


def test_pages_are_compressed_and_answers_of_the_api_are_not(client: httpx.Client, secure: str) -> None:
    page = client.get(f"{secure}/index.html")
    assert (page.headers.get("content-encoding"), page.text.endswith(LONG)) == ("gzip", True)
    for path in ("/api/status", "/helpdesk-api/helpdesk/voters"):
        assert "content-encoding" not in client.get(secure + path).headers


def test_a_page_of_its_own_counts_as_one_of_the_site_and_a_foreign_one_stays_foreign(
    client: httpx.Client, origin: str, secure: str
) -> None:
    def seen(claimed: str) -> str:
        return client.get(f"{secure}/api/status", headers={"Origin": claimed}).text.splitlines()[0]

    assert seen(secure) == origin
    assert seen("https://elsewhere.example") == "https://elsewhere.example"


def test_it_ends_with_its_block_though_a_client_stays_and_frees_its_port(
    client: httpx.Client, origin: str, tmp_path: Path
) -> None:
    with secure_front(origin, tmp_path) as secure:
        client.get(secure)
    with pytest.raises(httpx.ConnectError):
        httpx.get(secure, verify=False, trust_env=False)  # noqa: S501 nobody knows its issuer
