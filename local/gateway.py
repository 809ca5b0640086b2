"""One origin in front of the local stack: the built site, the deployed API behind it, and what was
"sent".

CloudFront's part in production, and no more: it routes by path, forwards, and adds the security
headers of the template.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.deploy import EmbeddedStack
from local.edge import ASSETS, PolicyHeader, read_error_texts, read_pages, read_security_headers
from local.outgoing import Outgoing
from local.receipts import Receipts

INBOX = Path(__file__).with_name("inbox")
# RFC 9110 section 7.6.1.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The client that forwards writes its own.
NOT_FORWARDED = HOP_BY_HOP | {"host", "content-length", "x-forwarded-for"}
# The body has been decoded on its way, and the server in front dates and signs its own answers.
NOT_RETURNED = HOP_BY_HOP | {"content-length", "content-encoding", "date", "server"}
METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
# The bucket's answer for a key that is not there, to whom it does not let list its keys.
_S3_DENIES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)
# What API Gateway says itself; a function's refusals have other members.
_OF_THE_GATEWAY = re.compile(rb'\s*\{\s*"message"\s*:')
# API Gateway gives up after 29 s.
API_SECONDS = 30


def create_gateway(*, site: Path, template: Path, stack: EmbeddedStack, receipts: Receipts) -> Starlette:
    """Make the ASGI application.

    Args:
        site: the built voter site.
        template: the template whose response headers policy is applied.
        stack: where the API is, and where messages end up.
        receipts: reports what became of messages while this serves.

    Raises:
        HeadersPolicyError: the template's policy holds something that this gateway does not know.
    """
    api = httpx.AsyncClient(timeout=API_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=None))
    outgoing = Outgoing(stack.endpoint_url)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with api, outgoing.watched(), receipts.emitted():
            yield

    async def messages(_request: Request) -> Response:
        try:
            await outgoing.refresh()
        except httpx.HTTPError as error:
            return _unavailable("embedded AWS", error)
        return JSONResponse([message.as_json() for message in outgoing.messages()])

    async def info(_request: Request) -> Response:
        return JSONResponse({"api_url": stack.api_url, "region": stack.region, "stack": stack.name})

    async def inbox_without_slash(_request: Request) -> Response:
        return RedirectResponse("/_local/")

    local_routes = [
        Route("/messages", _fresh(messages)),
        Route("/info", _fresh(info)),
        Mount("/", StaticFiles(directory=INBOX, html=True)),
    ]
    return Starlette(
        routes=[
            Route("/_local", inbox_without_slash),
            Mount("/_local", routes=local_routes),
            receipts.route(),
            Route(
                "/api/{path:path}",
                _forward(api, stack.api_url, read_error_texts(template.with_name("openapi.gateway.json"))),
                methods=METHODS,
            ),
            Mount("/", GZipMiddleware(SiteFiles(site, read_pages(template)))),
        ],
        middleware=[Middleware(AddHeaders, headers=read_security_headers(template))],
        lifespan=lifespan,
    )


class SiteFiles(StaticFiles):
    """Files as CloudFront serves them from the bucket: a default root object, no directory indexes,
    the site's own 404 page.
    """

    def __init__(self, directory: Path, pages: frozenset[str]) -> None:
        super().__init__(directory=directory)
        self._missing = directory / "404.html"
        self._pages = pages

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a page or an asset; 404.html for any other page, and for a missing file what the
        bucket says.
        """
        if scope["method"] not in {"GET", "HEAD"}:
            # CloudFront's own answer to a method that the behaviour does not allow.
            return Response("Forbidden", status_code=403)
        # The path as CloudFront's functions see it: not decoded.
        asked = scope["raw_path"].decode("ascii")
        if asked not in self._pages and not asked.startswith(ASSETS):
            return FileResponse(self._missing, status_code=404)
        try:
            return await super().get_response("index.html" if path == "." else path, scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            return Response(_S3_DENIES, status_code=403, media_type="application/xml")


class AddHeaders:
    """ASGI middleware that applies a response headers policy."""

    def __init__(self, app: ASGIApp, headers: tuple[PolicyHeader, ...]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for header in self._headers:
                    if header.override or header.name not in headers:
                        headers[header.name] = header.value
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _unavailable(part: str, error: Exception) -> Response:
    return JSONResponse({"message": f"The {part} does not answer: {type(error).__name__}"}, status_code=502)


def _fresh(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def uncached(request: Request) -> Response:
        response = await endpoint(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return uncached


def _forward(
    client: httpx.AsyncClient, api_url: str, error_texts: dict[int, str]
) -> Callable[[Request], Awaitable[Response]]:
    async def forward(request: Request) -> Response:
        # The raw target: decoding and encoding again could change what the API sees.
        target = request.scope["raw_path"].decode("ascii")
        if request.url.query:
            target += f"?{request.url.query}"
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in NOT_FORWARDED]
        if request.client is not None:
            # As CloudFront does: what the client claims stays in front, the address that was seen
            # comes last.
            addresses = [*request.headers.getlist("x-forwarded-for"), request.client.host]
            headers.append((b"x-forwarded-for", ", ".join(addresses).encode("latin-1")))
        try:
            answer = await client.request(
                request.method, api_url + target, headers=headers, content=await request.body()
            )
        except httpx.HTTPError as error:
            return _unavailable("API", error)
        if answer.status_code >= 400 and _OF_THE_GATEWAY.match(answer.content):
            # The embedded AWS answers these as API Gateway does without texts of one's own.
            return Response(error_texts[answer.status_code // 100], answer.status_code, media_type="application/json")
        response = Response(answer.content, status_code=answer.status_code)
        kept = [
            (name.lower(), value) for name, value in answer.headers.raw if name.lower().decode() not in NOT_RETURNED
        ]
        response.raw_headers = [*kept, (b"content-length", str(len(answer.content)).encode())]
        return response

    return forward
