"""A proxy in front of the embedded AWS that breaks the calls by which messages leave, and the
worker that makes them.

The deployed function is pointed to it for the duration of a test. A request is passed on byte for
byte, since its signature covers host and path.
"""

from __future__ import annotations

import asyncio
import os
import queue
import select
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from harness.stack.deployed import Deployment

_SETTLE_SECONDS = 60
_HEAD_END = b"\r\n\r\n"


class BrokenService(StrEnum):
    """What a request is for. Only these two are ever broken."""

    EMAIL = "e-mail"
    SMS = "sms"


class Breakage(StrEnum):
    """What becomes of a request."""

    UNAVAILABLE = "answered 503"
    THROTTLED = "answered: too many requests"
    DROPPED = "dropped before the provider saw it"
    REPLY_LOST = "taken by the provider, reply lost"
    HELD = "held before the provider saw it"
    REPLY_HELD = "taken by the provider, reply held"


@dataclass(frozen=True)
class Held:
    """A request that waits in the proxy. `client_port` is the port of its sender; `taken` says
    that the provider has it.
    """

    service: BrokenService
    client_port: int
    taken: bool
    released: asyncio.Event


@dataclass
class _Rule:
    fault: Breakage
    skip: int
    times: int | None

    def applies(self) -> bool:
        """Count one request and tell whether it is to be broken."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class FaultProxy:
    """Runs in a thread of its own on a port of 127.0.0.1. `counts` is what it did, by service."""

    upstream: str
    counts: Counter[tuple[BrokenService, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rules: dict[BrokenService, _Rule] = {}
        self._lock = threading.Lock()
        self._held: queue.Queue[Held] = queue.Queue()

    def __enter__(self) -> Self:
        """Listen."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_raised: object) -> None:
        """Drop what is still held, and stop."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """The endpoint to give to a client."""
        port: int = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    # ------------------------------------------------------------ orders

    def break_(self, service: BrokenService, fault: Breakage, *, skip: int = 0, times: int | None = None) -> None:
        """Break requests of a service, after `skip` that pass: the next `times`, or all until
        `repair`.
        """
        with self._lock:
            self._rules[service] = _Rule(fault, skip, times)

    def repair(self) -> None:
        """Break nothing more."""
        with self._lock:
            self._rules.clear()

    def wait_until_held(self, seconds: float = _SETTLE_SECONDS) -> Held:
        """Return the next request that is held, once there is one.

        Raises:
            queue.Empty: none came.
        """
        return self._held.get(timeout=seconds)

    def release(self, held: Held) -> None:
        """Let a held request go on; if its client is gone by then, it is dropped, and a reply held
        for it is lost.
        """
        self._loop.call_soon_threadsafe(held.released.set)

    def told(self) -> dict[str, int]:
        """Return the counts, as one line shows them."""
        return {f"{service}: {what}": count for (service, what), count in sorted(self.counts.items())}

    # ------------------------------------------------------------ traffic

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(_HEAD_END)
            body = await reader.readexactly(_content_length(head))
            service = _service(head, body)
            fault = self._fault_for(service)
            reply = await self._reply(service, fault, head, body, reader, writer)
            writer.write(reply)
            await writer.drain()
        writer.close()

    async def _reply(
        self,
        service: BrokenService | None,
        fault: Breakage | None,
        head: bytes,
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bytes:
        """Return what the client gets; nothing, and the connection is closed."""
        if service is None:
            return await self._pass_on(head, body)
        self.counts[service, fault or "passed"] += 1
        match fault:
            case Breakage.UNAVAILABLE:
                return _refusal(service, 503, "ServiceUnavailable")
            case Breakage.THROTTLED:
                return _refusal(
                    service, 429, "TooManyRequestsException" if service is BrokenService.EMAIL else "Throttling"
                )
            case Breakage.DROPPED:
                return b""
            case Breakage.REPLY_LOST:
                await self._pass_on(head, body)
                return b""
            case Breakage.HELD:
                if await self._hold(service, reader, writer, taken=False):
                    return await self._pass_on(head, body)
                self.counts[service, "dropped, for its sender was dead"] += 1
                return b""
            case Breakage.REPLY_HELD:
                reply = await self._pass_on(head, body)
                return reply if await self._hold(service, reader, writer, taken=True) else b""
            case _:
                return await self._pass_on(head, body)

    async def _hold(
        self, service: BrokenService, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, taken: bool
    ) -> bool:
        """Hold until `release`; tell whether the client is still there."""
        held = Held(service, writer.get_extra_info("peername")[1], taken, asyncio.Event())
        self._held.put(held)
        await held.released.wait()
        # A client that waits for its reply says nothing, so what can be read is the end of its
        # connection.
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
            return False
        return True

    async def _pass_on(self, head: bytes, body: bytes) -> bytes:
        target = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        first, _, headers = head.partition(b"\r\n")
        kept = [line for line in headers.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([first, *kept, b"Connection: close"]) + _HEAD_END + body)
        await writer.drain()
        reply = await reader.read()
        writer.close()
        return reply

    def _fault_for(self, service: BrokenService | None) -> Breakage | None:
        with self._lock:
            rule = self._rules.get(service) if service else None
            return rule.fault if rule is not None and rule.applies() else None

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SETTLE_SECONDS)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _service(head: bytes, body: bytes) -> BrokenService | None:
    """Tell what a request is for: SES has a path for it, SNS a form."""
    method, path, _ = head.decode("latin-1").split(" ", 2)
    if method == "POST" and path.partition("?")[0] == "/v2/email/outbound-emails":
        return BrokenService.EMAIL
    form = parse_qs(body.decode("utf-8", "replace"))
    return BrokenService.SMS if form.get("Action") == ["Publish"] and "PhoneNumber" in form else None


def _refusal(service: BrokenService, status: int, code: str) -> bytes:
    """Write an error as the service does: SES in JSON, SNS in XML."""
    if service is BrokenService.EMAIL:
        headers = f"Content-Type: application/json\r\nx-amzn-ErrorType: {code}\r\n"
        body = b'{"message": "broken by the test"}'
    else:
        headers = "Content-Type: text/xml\r\n"
        body = (
            '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
            f"<Code>{code}</Code><Message>broken by the test</Message></Error></ErrorResponse>"
        ).encode()
    return (
        f"HTTP/1.1 {status} Broken\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )


# ---------------------------------------------------------------- the function behind it


@contextmanager
def notify_through(deployment: Deployment, proxy: FaultProxy) -> Iterator[None]:
    """Have the deployed delivery function reach SES and SNS through the proxy. Workers that run
    before are ended by both changes.
    """
    functions, name = deployment.client("lambda"), deployment.physical_id("NotifyFunction")
    before: dict[str, str] = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    through = {**before, "AWS_ENDPOINT_URL_SESV2": proxy.url, "AWS_ENDPOINT_URL_SNS": proxy.url}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": through})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def kill_worker_of(deployment: Deployment, held: Held, seconds: float = _SETTLE_SECONDS) -> int:
    """Kill the worker that made a held request, as an out-of-memory kill does, and return its
    process id once it is dead. Linux only.

    The embedded AWS runs each worker of a function as a child process, whose script lies in a
    folder named after the function inside the folder of this deployment.

    Raises:
        TimeoutError: no worker has that connection.
    """
    script = f"{deployment.aws.log.parent}/".encode()
    folder = f"ministack-lambda-{deployment.physical_id('NotifyFunction')}-".encode()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes()
                if script in command and folder in command and _has_connection_from(process, held.client_port):
                    return _kill(int(process.name))
        time.sleep(0.1)
    raise TimeoutError("no worker has the connection that is held")


def _kill(process: int) -> int:
    """Kill a process and wait until the kernel has closed its connections, which takes a moment on
    a busy machine.
    """
    watched = os.pidfd_open(process)
    try:
        signal.pidfd_send_signal(watched, signal.SIGKILL)
        select.select([watched], [], [])
    finally:
        os.close(watched)
    return process


def _has_connection_from(process: Path, port: int) -> bool:
    """Tell whether a process has a TCP connection from that local port (proc(5): addresses are in
    hexadecimal).
    """
    inodes = {
        columns[9]
        for line in (process / "net" / "tcp").read_text().splitlines()[1:]
        if (columns := line.split())[1].endswith(f":{port:04X}")
    }
    open_files = {str(descriptor.readlink()) for descriptor in (process / "fd").iterdir()}
    return any(f"socket:[{inode}]" in open_files for inode in inodes)
