"""The helpdesk's page on this machine, with its people, and what it asks of Cognito.

CloudFront's part in production is the same: the page below `/helpdesk/`, with headers of its own,
and the API's routes of the helpdesk behind the same origin. Cognito is behind it here alone.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
from botocore.exceptions import ClientError
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from local.edge import PolicyHeader
from local.helpdesk_headers import security_headers
from local.identity_pool import IdentityPool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from local.agents import Agent
    from local.aws import LocalAws
    from local.deploy import EmbeddedStack

PAGE = "/helpdesk/"
# As in edge.yaml and `reassort helpdesk config`.
API_VIA = "/helpdesk-api"
_USERS, _IDENTITIES = "/_local/cognito-idp", "/_local/cognito-identity"
_CREDENTIALS = "AWSCognitoIdentityService.GetCredentialsForIdentity"
_AMAZON_JSON = "application/x-amz-json-1.1"


class Desk:
    """The page in `folder`, at `origin`, for the people of a stack."""

    def __init__(self, folder: Path, origin: str, aws: LocalAws, stack: EmbeddedStack, agents: Sequence[Agent]) -> None:
        self._folder, self._aws, self._agents = folder, aws, agents
        pool, users = stack.outputs["HelpdeskIdentityPoolId"], stack.outputs["HelpdeskUserPoolId"]
        self._pool = IdentityPool(aws, pool, users)
        self.config = {
            "region": stack.region,
            "api_url": stack.api_url,
            "api_via": API_VIA,
            "user_pool_id": users,
            "client_id": stack.outputs["HelpdeskClientId"],
            "identity_pool_id": pool,
            "cognito_idp_url": origin + _USERS,
            "cognito_identity_url": origin + _IDENTITIES,
        }

    @property
    def headers(self) -> tuple[PolicyHeader, ...]:
        """Return the headers of the page and of all that it loads."""
        return tuple(PolicyHeader(name, value, override=True) for name, value in security_headers(self.config).items())

    def routes(self, forward: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
        """Return what is served for the page; `forward` hands a request on to the API."""
        return [
            Route(PAGE.rstrip("/"), _with_slash),
            Route(PAGE, self._index),
            Route(f"{PAGE}index.html", self._index),
            Route(f"{PAGE}config.json", self._config),
            Mount(f"{PAGE}assets", StaticFiles(directory=self._folder / "assets")),
            Route(f"{API_VIA}/helpdesk/{{path:path}}", forward, methods=["GET", "POST"]),
        ]

    def cognito(self) -> list[BaseRoute]:
        """Return what stands for Cognito's two addresses, below `/_local`."""
        return [
            Route(_USERS.removeprefix("/_local"), self._hand_on, methods=["POST"]),
            Route(_IDENTITIES.removeprefix("/_local"), self._identities, methods=["POST"]),
        ]

    async def people(self, _request: Request) -> Response:
        """Answer who may sign in, with the codes of this moment."""
        return JSONResponse([agent.as_json(time.time()) for agent in self._agents])

    async def _index(self, _request: Request) -> Response:
        return FileResponse(self._folder / "index.html")

    async def _config(self, _request: Request) -> Response:
        return JSONResponse(self.config)

    async def _identities(self, request: Request) -> Response:
        if request.headers.get("x-amz-target") != _CREDENTIALS:
            return await self._hand_on(request)
        try:
            asked = json.loads(await request.body())
            answer: dict[str, Any] = await run_in_threadpool(
                self._pool.credentials, str(asked["IdentityId"]), dict(asked.get("Logins") or {})
            )
        except ClientError as error:
            fault = error.response["Error"]
            return JSONResponse({"__type": fault["Code"], "message": fault["Message"]}, 400, media_type=_AMAZON_JSON)
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"__type": "InvalidParameterException"}, 400, media_type=_AMAZON_JSON)
        told = {name: answer[name] for name in ("IdentityId", "Credentials")}
        return JSONResponse(told, media_type=_AMAZON_JSON)

    async def _hand_on(self, request: Request) -> Response:
        headers = {name: request.headers.get(name, "") for name in ("content-type", "x-amz-target")}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await client.post(f"{self._aws.endpoint_url}/", headers=headers, content=await request.body())
        return Response(answer.content, answer.status_code, media_type=_AMAZON_JSON)


async def _with_slash(_request: Request) -> Response:
    return RedirectResponse(PAGE, 301)
