"""The local voter space over HTTPS. CloudFront ends TLS in production.

It is for browsers that keep `Secure` cookies of HTTPS pages only, even on this machine: Safari, and
all others of WebKit.

The certificate is made at each start. No browser knows its issuer, so a person accepts it once.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.aws import free_port
from local.gateway import API_SECONDS, METHODS, NOT_FORWARDED, pass_on

HOST = "127.0.0.1"
_WITHOUT_ORIGIN = NOT_FORWARDED | {"origin"}


@contextmanager
def secure_front(origin: str, folder: Path) -> Iterator[str]:
    """Serve what `origin` serves over HTTPS while the block runs, from a thread; yield where. The
    certificate and its key are in `folder`.
    """
    pem = folder / "https.pem"
    trustme.CA().issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(pem)
    pem.chmod(0o600)
    port = free_port()
    secure = f"https://{HOST}:{port}"
    config = uvicorn.Config(
        create_front(origin, secure),
        host=HOST,
        port=port,
        ssl_certfile=pem,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serving = threading.Thread(target=lambda: asyncio.run(server.serve()))
    serving.start()
    try:
        while not server.started and serving.is_alive():
            time.sleep(0.01)
        yield secure
    finally:
        server.should_exit = True
        serving.join()


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

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)], lifespan=lifespan)
