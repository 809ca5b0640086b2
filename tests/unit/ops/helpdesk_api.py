"""The helpdesk's API on a port of its own, for commands that call it: its function behind what is
left of API Gateway.
"""

from __future__ import annotations

import re
from functools import cached_property
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from helpdesk.routes import answer
from helpdesk.wiring import Settings, build
from reassort.aws import Clients
from reassort.clock import utc_now

from harness.elections import read_election
from harness.engines.engine import ACCOUNT, REGION
from harness.service.events import proxy_event
from harness.service.world import GROUP_ROLES

if TYPE_CHECKING:
    from helpdesk.deps import Deps
    from reassort.keyed_hash import KeyedHash
    from reassort_ops.account.stack import Stack

# What moto signs with, for execute-api.
_SIGNED = re.compile(rf"AWS4-HMAC-SHA256 Credential=[^/]+/[0-9]{{8}}/{REGION}/execute-api/aws4_request, ")
_OF_ONE = (
    re.compile(r"(?P<before>/helpdesk/proposals/)(?P<reference>[^/]+)$"),
    re.compile(r"(?P<before>/helpdesk/sessions/)(?P<agent>[^/]+)(?P<after>/end)$"),
)
# Where API Gateway has it, and where CloudFront does.
_PLACES = re.compile(r"^/(v1|helpdesk-api)")
OPERATOR = "anne"


def helpdesk_of(stack: Stack, keyed_hash: KeyedHash) -> Deps:
    """Return what the function works with on a stack."""
    settings = Settings(
        election=stack.election_id,
        encryption_key=stack.encryption_key_id,
        voter_hash_key="",
        reissue_hash_key="",
        identifier_hash_key="",
        voters_table=stack.voters_table,
        identifiers_table=stack.identifiers_table,
        sign_in_table=stack.sign_in_table,
        deliveries_table=stack.deliveries_table,
        code_deliveries_table=stack.code_deliveries_table,
        register_table=stack.register_table,
        control_table=stack.control_table,
        helpdesk_record_table="HelpdeskRecordTable",
        **{f"{role}_role": name for role, name in GROUP_ROLES.items()},
    )
    return build(settings, Clients(checked=True), utc_now, read_election(stack.election_id), keyed_hash)


class LocalApi:
    """The function on 127.0.0.1, for as long as the process lives. `deps` are those of the stack
    that is being tested.
    """

    def __init__(self) -> None:
        self.deps: Deps | None = None

    @cached_property
    def url(self) -> str:
        """Return the API's URL; it is served from then on."""
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.say(api.answer("POST", self.path, body, dict(self.headers)))

            def do_GET(self) -> None:
                self.say(api.answer("GET", self.path, None, dict(self.headers)))

            def say(self, proxy: dict[str, Any]) -> None:
                content = proxy["body"].encode()
                self.send_response(proxy["statusCode"])
                for name, value in {**proxy["headers"], "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/v1"

    def answer(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> dict[str, Any]:
        """Answer as API Gateway and the function do. An unsigned request has no caller."""
        assert self.deps is not None
        path = _PLACES.sub("", path)
        resource, given = path, None
        for found in filter(None, (pattern.match(path) for pattern in _OF_ONE)):
            given = {name: text for name, text in found.groupdict().items() if name not in ("before", "after")}
            (name,) = given
            resource = f"{found['before']}{{{name}}}{found.groupdict().get('after', '')}"
        event = proxy_event(method, resource, path, body=body, headers=headers, path_parameters=given, signed=True)
        signed = _SIGNED.match(headers.get("Authorization", ""))
        operator = f"arn:aws:sts::{ACCOUNT}:assumed-role/Operators/{OPERATOR}"
        event["requestContext"]["identity"]["userArn"] = operator if signed else None
        return answer(event, self.deps)
