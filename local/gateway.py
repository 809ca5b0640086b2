"""One origin in front of the local stack: the built site, the deployed API behind it, and what was
"sent".

CloudFront's part in production, and no more: it routes by path, forwards, and adds the security
headers of the template.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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
from local.desk import API_VIA, PAGE, Desk
from local.edge import ASSETS, PolicyHeader, page_of, read_error_texts, read_pages, read_security_headers
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
# The type with which it is uploaded (docs/deploy.md): not every system's list of types has it.
_CALENDAR = "text/calendar; charset=utf-8"
# API Gateway gives up after 29 s.
API_SECONDS = 30


def create_gateway(
    *, site: Path, template: Path, stack: EmbeddedStack, receipts: Receipts, desk: Desk | None = None
) -> Starlette:
    """Make the ASGI application.

    Args:
        site: the built voter site.
        template: the template whose response headers policy is applied.
        stack: where the API is, and where messages end up.
        receipts: reports what became of messages while this serves.
        desk: the helpdesk's page, if it is served.

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

    error_texts = read_error_texts(template.with_name("openapi.gateway.json"))
    local_routes = [
        *([Route("/agents", _fresh(desk.people)), *desk.cognito()] if desk else []),
        Route("/messages", _fresh(messages)),
        Route("/info", _fresh(info)),
        Mount("/", StaticFiles(directory=INBOX, html=True)),
    ]
    return Starlette(
        routes=[
            Route("/_local", inbox_without_slash),
            Mount("/_local", routes=local_routes),
            receipts.route(),
            *(desk.routes(_forward(api, stack.api_url, error_texts, prefix=API_VIA)) if desk else []),
            Route("/api/{path:path}", _forward(api, stack.api_url, error_texts), methods=METHODS),
            Mount("/", GZipMiddleware(SiteFiles(site, read_pages(template)))),
        ],
        middleware=[
            Middleware(AddHeaders, headers=read_security_headers(template), others={PAGE: desk.headers} if desk else {})
        ],
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
        page = page_of(asked)
        if not asked.startswith(ASSETS):
            if page not in self._pages:
                return FileResponse(self._missing, status_code=404)
            path = page.removeprefix("/") or "index.html"
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            return Response(_S3_DENIES, status_code=403, media_type="application/xml")
        if path.endswith(".ics"):
            response.headers["Content-Type"] = _CALENDAR
        return response


class AddHeaders:
    """ASGI middleware that applies a response headers policy: `headers`, or those that `others` has
    for the beginning of the path.
    """

    def __init__(
        self,
        app: ASGIApp,
        headers: tuple[PolicyHeader, ...],
        others: Mapping[str, tuple[PolicyHeader, ...]] | None = None,
    ) -> None:
        self._app = app
        self._headers = headers
        self._others = others or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its response."""
        path = scope.get("path", "")
        policy = next((own for start, own in self._others.items() if path.startswith(start)), self._headers)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for header in policy:
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
    client: httpx.AsyncClient, api_url: str, error_texts: dict[int, str], *, prefix: str = ""
) -> Callable[[Request], Awaitable[Response]]:
    async def forward(request: Request) -> Response:
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in NOT_FORWARDED]
        if request.client is not None:
            # As CloudFront does: what the client claims stays in front, the address that was seen
            # comes last.
            addresses = [*request.headers.getlist("x-forwarded-for"), request.client.host]
            headers.append((b"x-forwarded-for", ", ".join(addresses).encode("latin-1")))
        response = await pass_on(client, request, api_url, headers, prefix=prefix)
        if response.status_code >= 400 and _OF_THE_GATEWAY.match(response.body):
            # The embedded AWS answers these as API Gateway does without texts of one's own.
            return Response(
                error_texts[response.status_code // 100], response.status_code, media_type="application/json"
            )
        return response

    return forward


async def pass_on(
    client: httpx.AsyncClient, request: Request, origin: str, headers: list[tuple[bytes, bytes]], *, prefix: str = ""
) -> Response:
    """Ask `origin` for what a request asks, without the `prefix` of its path, and return what it
    answers; 502 when it does not.
    """
    # The raw target: decoding and encoding again could change what is asked for.
    target = request.scope["raw_path"].decode("ascii").removeprefix(prefix)
    if request.url.query:
        target += f"?{request.url.query}"
    try:
        answer = await client.request(request.method, origin + target, headers=headers, content=await request.body())
    except httpx.HTTPError as error:
        return _unavailable("API", error)
    response = Response(answer.content, status_code=answer.status_code)
    kept = [(name.lower(), value) for name, value in answer.headers.raw if name.lower().decode() not in NOT_RETURNED]
    response.raw_headers = [*kept, (b"content-length", str(len(answer.content)).encode())]
    return response
