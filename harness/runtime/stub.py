"""An AWS that answers at once, in a process of its own:
`python -m harness.runtime.stub ANSWERS [CERTIFICATE KEY]` prints its port.

ANSWERS is a JSON file: by operation, or by operation and table ("GetItem VotersTable"), the body
that it answers. An operation that is not in it is answered `{}`. With a certificate it speaks TLS.
It ends when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
import threading
from pathlib import Path

_HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-RequestId: {id}\r\nContent-Length: "
    "{length}\r\n\r\n"
)


def main() -> None:
    """Serve until the standard input is closed."""
    answers: dict[str, object] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    bodies = {name: json.dumps(answer).encode() for name, answer in answers.items()}
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener, context, bodies), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


def _accept(listener: socket.socket, context: ssl.SSLContext | None, bodies: dict[str, bytes]) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection, context, bodies), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext | None, bodies: dict[str, bytes]) -> None:
    try:
        connection = context.wrap_socket(plain, server_side=True) if context else plain
        with connection, connection.makefile("rb") as reader:
            while request := reader.readline():
                headers = {}
                while line := reader.readline().strip():
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                content = reader.read(int(headers.get("content-length", 0)))
                body = b"healthy" if request.startswith(b"GET") else _answer(headers, content, bodies)
                head = _HEAD.format(id="0" * 36, length=len(body)).encode()
                # In one packet: two would wait for the client's delayed acknowledgement.
                connection.sendall(head + body)
    except OSError:
        return


def _answer(headers: dict[str, str], content: bytes, bodies: dict[str, bytes]) -> bytes:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation in bodies:
        return bodies[operation]
    table = json.loads(content or b"{}").get("TableName", "")
    return bodies.get(f"{operation} {table}", b"{}")


if __name__ == "__main__":
    main()
