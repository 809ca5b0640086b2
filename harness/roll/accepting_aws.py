"""An AWS endpoint that accepts every write at once, so that what a client costs is all there is to
measure. It runs in a process of its own.

    python -m harness.roll.accepting_aws

prints its port and serves until it is ended. It knows the few calls that `reassort roll import`
makes, checks no signature, keeps nothing, and tells at `/counted` how many writes it took.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any, ClassVar, cast

from reassort.election_file import read_election_file

from harness.elections import election_layer
from harness.engines.template import read_template
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "eu-west-3"
STACK = "reassort"
_ELECTION = "dijon-2018"


class _Accepting(asyncio.Protocol):
    """One connection."""

    counted: ClassVar = {"requests": 0, "puts": 0, "bytes": 0}

    def __init__(self) -> None:
        self._received = bytearray()

    def connection_made(self, transport: Any) -> None:
        """Keep the connection."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end])
            headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = end + 4 + int(headers.get(b"content-length", b"0"))
            if len(self._received) < length:
                if headers.get(b"expect"):
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body = bytes(self._received[end + 4 : length])
            del self._received[:length]
            answer = self._answer(head, headers.get(b"x-amz-target", b"").decode().rpartition(".")[2], body)
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    def _answer(self, head: bytes, operation: str, body: bytes) -> bytes:
        if head.startswith(b"GET /counted "):
            return json.dumps(self.counted).encode()
        if head.startswith(b"GET /layer "):
            return election_layer(read_election_file(ROOT / "elections" / f"{_ELECTION}.yaml"))
        self.counted["requests"] += 1
        if head.startswith(b"GET /2018-10-31/layers?"):
            return b'{"Content": {"Location": "http://localhost/layer"}}'
        self.counted["bytes"] += len(body)
        match operation:
            case "transactwriteitems":
                self.counted["puts"] += body.count(b'"ConditionExpression"')
                return b"{}"
            case "batchwriteitem":
                self.counted["puts"] += body.count(b'"PutRequest"')
                return b'{"UnprocessedItems":{}}'
            case "generatemac":
                return json.dumps({"Mac": base64.b64encode(sha256(b"bench").digest()).decode()}).encode()
            case "encrypt":
                return json.dumps({"CiphertextBlob": json.loads(body)["Plaintext"]}).encode()
            case "decrypt":
                return json.dumps({"Plaintext": json.loads(body)["CiphertextBlob"]}).encode()
        if b"Action=DescribeStacks" in body:
            values = {name: name for name in read_template()["Outputs"]} | {"ElectionId": _ELECTION}
            outputs = "".join(
                f"<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
                for name, value in values.items()
            )
            return (
                "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>reassort</StackName>"
                "<CreationTime>2026-11-02T08:00:00Z</CreationTime>"
                f"<Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
            ).encode()
        if b"Action=GetCallerIdentity" in body:
            return (
                b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/bench</Arn>"
                b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        raise ValueError(f"nobody said that {operation or body!r} would come")


@contextmanager
def accepting_aws() -> Iterator[str]:
    """Start one on a free port of this machine; yield its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "harness.roll.accepting_aws"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield f"http://127.0.0.1:{int(cast('IO[str]', process.stdout).readline())}"
        finally:
            process.terminate()


def counted(url: str) -> dict[str, int]:
    """Return how many requests, puts and bytes an endpoint has taken."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/counted") as answer:
        content: dict[str, int] = json.load(answer)
    return content


def client_environment(url: str) -> Mapping[str, str]:
    """Return the environment of a client of an endpoint."""
    hidden = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    return {
        **hidden,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Accepting, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
