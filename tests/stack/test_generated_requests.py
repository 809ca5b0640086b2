"""Requests that Schemathesis makes of `openapi.yaml`, over HTTP: API Gateway's own answers count as
much as the functions'.

Half of them fit the description, half do not. Most have the session, the signature and a part of
the values that are right. `make fuzz` sends more of another kind to the functions themselves.

    SCHEMATHESIS_EXAMPLES=500   as many for each operation and kind
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from harness.service.openapi import FILE, kept_for
from harness.stack.deployed import PATIENCE_SECONDS, SITE_ORIGIN, Deployment, Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "25"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


def _operations() -> Iterator[APIOperation[Any, Any, Any, Any]]:
    for found in schemathesis.openapi.from_path(str(FILE)).get_all_operations():
        if isinstance(found, Err):
            raise found.err()
        yield found.ok()


_FOUND = {operation.label: operation for operation in _operations()}
# A request of an operation that takes nothing cannot be wrong.
OPERATIONS = [
    pytest.param(operation, mode, id=f"{mode.value} {label}")
    for label, operation in _FOUND.items()
    for mode in GenerationMode
    if mode.is_positive or operation.body or list(operation.iter_parameters())
]


@dataclass(frozen=True)
class Known:
    """What a voter knows after a sign-in by a code and a reissue: cookies, members of bodies, the
    reissue's reference.
    """

    cookies: dict[str, str]
    members: dict[str, Any]
    reference: str


@pytest.fixture(scope="module")
def known(deployment: Deployment) -> Iterator[Known]:
    """A voter who is signed in during all of these tests, and whose register must bear out the roll
    after them.
    """
    voter, other = deployment.enrol(), deployment.enrol()
    browser = deployment.browser()
    browser.sign_in(voter)
    reference = browser.reissue(voter).json()["reference"]
    session = dict(browser.cookies)
    browser.call("POST", "/api/login", {"email": other.email})
    members = {
        "email": voter.email,
        "code": "000000",
        "revision": deployment.revision(voter),
        "numen": voter.numen,
        "phone": voter.phone,
        "channel": "email",
        "consent": True,
        "token": f"{reference}.{'A' * 43}",
        "identifier": other.identifier,
        "who": voter.email,
        "act": "unlock",
        "reason": "identité vérifiée",
        "day": "2026-11-30",
    }
    yield Known({**browser.cookies, **session}, members, reference)
    for enrolled in (voter, other):
        deployment.reconcile(enrolled)


class Signing(AuthBase):
    """Signs a request as the voting platform does."""

    def __init__(self, credentials: Credentials, region: str) -> None:
        self._signer = SigV4Auth(credentials, "execute-api", region)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the signature, over what is really sent."""
        signed = AWSRequest(request.method, request.url, data=request.body, headers={})
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


def _operator(deployment: Deployment) -> Credentials:
    """Return the credentials of the deployer, who may call everything."""
    keys = deployment.aws.environment()
    return Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])


@pytest.mark.req("S22", "S25", "S29")
@pytest.mark.parametrize(("operation", "mode"), OPERATIONS)
def test_a_request_that_the_description_makes_is_answered_as_it_says(
    deployment: Deployment,
    platform: Platform,
    known: Known,
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    record_property: Callable[[str, object], None],
) -> None:
    signing = {
        "registry": Signing(platform.signing(), deployment.aws.region),
        "helpdesk": Signing(_operator(deployment), deployment.aws.region),
    }.get(operation.path.split("/")[1])
    answers: list[int] = []

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode), st.integers(0, 4), st.frozensets(st.sampled_from(sorted(known.members))))
    def send(case: Case[Any], stranger: int, right: frozenset[str]) -> None:
        signed = stranger < 4
        if signed:
            case.cookies = {name: known.cookies.get(name, value) for name, value in (case.cookies or {}).items()}
            # What was made up is hardly ever somebody's. A body that lacks a member, or is no
            # object, stays so.
            if isinstance(case.body, dict):
                case.body |= {name: known.members[name] for name in right & case.body.keys()}
            if case.path_parameters and right:
                case.path_parameters |= {"reference": known.reference} if "reference" in case.path_parameters else {}
        answer = case.call(
            base_url=deployment.stack.api_url,
            headers={"Origin": SITE_ORIGIN},
            auth=signing if signed else None,
            timeout=PATIENCE_SECONDS,
        )
        answers.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)
        # 403 may be API Gateway's own, whose headers the embedded one does not take from the
        # description.
        assert answer.status_code == 403 or answer.headers["cache-control"] == [
            kept_for(operation.method.upper(), operation.path, answer.status_code)
        ]

    send()
    record_property("answers", dict(Counter(answers)))
    assert answers
