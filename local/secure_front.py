"""The local voter space over HTTPS and HTTP/2. CloudFront ends both in production.

It is for browsers that keep `Secure` cookies of HTTPS pages only, even on this machine: Safari, and
all others of WebKit. Lighthouse measures here too: over HTTP/1.1 a page's scripts queue for six
connections.

The certificate is made at each start. No browser knows its issuer, so a person accepts it once.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import cast

import httpx
import trustme
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.desk import API_VIA
from local.gateway import API_SECONDS, METHODS, NOT_FORWARDED, pass_on

HOST = "127.0.0.1"
_FAREWELL_SECONDS = 2
_WITHOUT_ORIGIN = NOT_FORWARDED | {"origin"}


@contextmanager
def secure_front(origin: str, folder: Path) -> Iterator[str]:
    """Serve what `origin` serves over HTTPS while the block runs, from a thread; yield where. The
    certificate and its key are in `folder`.
    """
    pem = folder / "https.pem"
    trustme.CA().issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(pem)
    pem.chmod(0o600)
    # Callers wait in the backlog of the open socket until the server is there.
    with socket.create_server((HOST, 0)) as listener:
        secure = f"https://{HOST}:{listener.getsockname()[1]}"
        config = Config.from_mapping(
            bind=f"fd://{os.dup(listener.fileno())}",
            certfile=pem,
            keyfile=pem,
            loglevel="WARNING",
            include_server_header=False,
            graceful_timeout=_FAREWELL_SECONDS,
        )
        with serving(create_front(origin, secure), config):
            yield secure


@contextmanager
def serving(app: Starlette, config: Config) -> Iterator[None]:
    """Serve in a thread while the block runs. A client that does not say goodbye is not waited
    for.
    """
    ending = threading.Event()

    async def until_the_end() -> None:
        await serve(cast("ASGIFramework", app), config, shutdown_trigger=partial(asyncio.to_thread, ending.wait))

    thread = threading.Thread(target=asyncio.run, args=[until_the_end()], daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(_FAREWELL_SECONDS)


def create_front(origin: str, secure: str) -> Starlette:
    """Make the ASGI application that passes each request on to `origin`.

    The service knows its site by that name, so a page's own origin, `secure`, is replaced by it;
    another is left to be refused.
    """
    client = httpx.AsyncClient(timeout=API_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=None))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    async def answer(request: Request) -> Response:
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in _WITHOUT_ORIGIN]
        if (claimed := request.headers.get("origin")) is not None:
            headers.append((b"origin", (origin if claimed == secure else claimed).encode("latin-1")))
        return await pass_on(client, request, origin, headers)

    # As the gateway does: it compresses pages, not what the API answers.
    compressed = [Middleware(GZipMiddleware)]
    return Starlette(
        routes=[
            *(Route(f"{api}/{{path:path}}", answer, methods=METHODS) for api in ("/api", API_VIA)),
            Route("/{path:path}", answer, methods=METHODS, middleware=compressed),
        ],
        lifespan=lifespan,
    )
