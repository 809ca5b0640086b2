"""What the check reads of the DNS and of the web, from servers on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from reassort_ops.account.probes import NotSeenError
from reassort_ops.account.reach import Dns, Reach, reach

from tests.unit.ops.check.answers import AnsweringAws, Answers

# Name and kind → the records of the answer, those of the names that it leads to included.
ZONE = {
    ("vote.example.fr.", "A"): [
        ("vote.example.fr.", "CNAME", ["D111.cloudfront.example."]),
        ("d111.cloudfront.example.", "A", ["192.0.2.1", "192.0.2.2"]),
    ],
    ("vote.example.fr.", "AAAA"): [
        ("vote.example.fr.", "CNAME", ["D111.cloudfront.example."]),
        ("d111.cloudfront.example.", "AAAA", ["2001:db8::1"]),
    ],
    ("example.fr.", "TXT"): [("example.fr.", "TXT", ['"v=spf1 include:amazonses.com" " ~all"', '"other"'])],
}


def _answer(wire: bytes) -> bytes:
    query = dns.message.from_wire(wire)
    (question,) = query.question
    kind = dns.rdatatype.to_text(question.rdtype)
    response = dns.message.make_response(query)
    response.flags |= dns.flags.RA
    for name, of_kind, values in ZONE.get((str(question.name), kind), []):
        response.answer.append(dns.rrset.from_text_list(name, 60, "IN", of_kind, values))
    if not response.answer and str(question.name) not in {name for name, _ in ZONE}:
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response.to_wire()


@contextmanager
def _server() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    wire, peer = server.recvfrom(4096)
                except TimeoutError:
                    continue
                server.sendto(_answer(wire), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            thread.join()


@pytest.fixture(scope="module")
def records() -> Iterator[Dns]:
    """The records of the zone."""
    with _server() as port:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        yield Dns(resolver)


def test_where_a_name_leads(records: Dns) -> None:
    assert records.aliases("vote.example.fr") == ["d111.cloudfront.example"]
    assert records.addresses("vote.example.fr") == {"192.0.2.1", "192.0.2.2", "2001:db8::1"}


def test_the_strings_of_a_text_are_one(records: Dns) -> None:
    assert sorted(records.texts("example.fr")) == ["other", "v=spf1 include:amazonses.com ~all"]


def test_what_is_not_there_is_nothing(records: Dns) -> None:
    assert records.texts("_dmarc.example.fr") == []
    assert records.texts("vote.example.fr") == []
    assert records.aliases("nobody.example.fr") == []
    assert records.addresses("nobody.example.fr") == set()


def test_a_server_that_fails_is_not_a_name_that_is_missing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.timeout = ["127.0.0.1"], silent.getsockname()[1], 0.2
        with pytest.raises(NotSeenError, match=r"does not answer for example\.fr: LifetimeTimeout"):
            Dns(resolver, seconds=0.5).texts("example.fr")


class Unreachable(dns.resolver.Resolver):
    """A resolver of a machine that has no network."""

    def resolve(self, *_: Any, **__: Any) -> Any:
        """Fail as a socket does."""
        raise OSError("Network is unreachable")


def test_a_machine_without_a_network_sees_no_name() -> None:
    with pytest.raises(NotSeenError, match=r"^the DNS does not answer for example\.fr: OSError$"):
        Dns(Unreachable(configure=False)).texts("example.fr")


def test_unless_it_is_told_otherwise_the_machines_own_resolver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with _server() as port:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        monkeypatch.setattr(dns.resolver, "get_default_resolver", lambda: resolver)
        assert Dns().aliases("vote.example.fr") == ["d111.cloudfront.example"]


class Elsewhere(BaseHTTPRequestHandler):
    """A site that sends everybody to a page that it does not have."""

    def do_GET(self) -> None:
        """Answer one request."""
        self.send_response(302 if self.path == "/" else 404)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_redirect_is_the_answer_and_is_not_followed() -> None:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            answer = reach(AnsweringAws(Answers())).get(f"http://127.0.0.1:{site.server_port}/")
        finally:
            site.shutdown()
            thread.join()
    assert (answer.status_code, answer.headers["location"]) == (302, "/elsewhere")


def test_only_an_emulator_is_refused_to_be_looked_at() -> None:
    nothing: Any = None
    Reach(nothing, nothing, nothing, nothing).raise_if_elsewhere()
    with pytest.raises(NotSeenError, match=r"^not seen here: http://127\.0\.0\.1:9 stands in for AWS$"):
        Reach(nothing, nothing, nothing, nothing, "http://127.0.0.1:9").raise_if_elsewhere()
