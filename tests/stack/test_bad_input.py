"""Bad input over HTTP: the contract's answer each time, never a fault, and nothing changed.

That each answer has the shape that `openapi.yaml` gives it is checked by the browser of these
tests, for every call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from reassort.cookies import read_cookie, write_cookie
from reassort.sessions import SESSION_COOKIE, Token, draw_token

from harness.service.reading import code_in, find_identifier
from harness.stack.deployed import SITE_ORIGIN, DeployedBrowser, DeployedVoter, Deployment, Platform, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = {"Idempotency-Key": "0123456789abcdef"}
# Under the gateway's limit, over the service's 4 KiB.
LONG = b'{"email": "' + b"a" * 5120 + b'"}'
DEEP = b"[" * 2000 + b"]" * 2000


@dataclass(frozen=True)
class UnchangedVoter:
    """A voter, their signed-in browser, and all that the tables hold of them."""

    voter: DeployedVoter
    browser: DeployedBrowser
    state: dict[str, Any]


@pytest.fixture(scope="module")
def signed_in(deployment: Deployment) -> UnchangedVoter:
    """Somebody for all tests that must change nothing."""
    voter = deployment.enrol()
    return UnchangedVoter(voter, deployment.signed_in(voter), state_of(deployment, voter))


@pytest.fixture
def browser(deployment: Deployment, signed_in: UnchangedVoter) -> Iterator[DeployedBrowser]:
    """A signed-in browser of `signed_in`, whose entries must be the same after the test."""
    yield DeployedBrowser(deployment, dict(signed_in.browser.cookies))
    assert state_of(deployment, signed_in.voter) == signed_in.state


def state_of(deployment: Deployment, voter: DeployedVoter) -> dict[str, Any]:
    """Return all that the tables hold of a voter, the order of items aside."""
    tables = ("VotersTable", "IdentifiersTable", "RegisterTable", "DeliveriesTable")
    return {table: sorted(map(repr, deployment.scan(table, voter.voter_id))) for table in tables}


def form(deployment: Deployment, voter: DeployedVoter, **replaced: Any) -> dict[str, Any]:
    """Return a reissue form."""
    return {
        "revision": deployment.revision(voter),
        "numen": voter.numen,
        "phone": voter.phone,
        "channel": "sms",
        "consent": True,
        **replaced,
    }


@pytest.mark.req("S29", "S18")
@pytest.mark.parametrize("path", ["/api/login", "/api/login/code", "/api/reissue", "/api/dispute"])
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid-json"),
        (b"[]", 400, "invalid-json"),
        (b"null", 400, "invalid-json"),
        (b'{"email": 1, "email": 2}', 400, "invalid-json"),
        (b'{"email": NaN}', 400, "invalid-json"),
        (b"\xff\xfe", 400, "invalid-json"),
        (DEEP, 400, "invalid-json"),
        (b"{}", 422, "invalid-fields"),
        (b'{"email": 1, "code": [], "numen": {}, "token": null}', 422, "invalid-fields"),
        (b'{"email": "\\ud800", "code": "\\ud800", "token": "\\ud800"}', 422, None),
        (LONG, 413, "body-too-large"),
    ],
    ids=["cut", "list", "null", "twice", "nan", "bytes", "deep", "empty", "types", "surrogate", "long"],
)
def test_a_body_that_is_none(
    browser: DeployedBrowser, path: str, content: bytes, status: int, code: str | None
) -> None:
    answer = browser.call("POST", path, content=content, headers=KEY)
    # A lone surrogate is a string: which check refuses it depends on the field.
    assert answer.status_code == status or (code is None and answer.status_code < 500)
    if code is not None:
        assert answer.json()["code"] == code


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
        ({"Origin": "https://example.org"}, 403, "foreign-origin"),
        ({"Origin": "null"}, 403, "foreign-origin"),
        ({"Origin": SITE_ORIGIN, "Sec-Fetch-Site": "cross-site"}, 403, "foreign-origin"),
        ({"Idempotency-Key": "short"}, 422, "invalid-fields"),
        ({"Idempotency-Key": "spaces are not admitted"}, 422, "invalid-fields"),
    ],
)
def test_headers_of_another_page(
    deployment: Deployment,
    browser: DeployedBrowser,
    signed_in: UnchangedVoter,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = browser.call("POST", "/api/reissue", form(deployment, signed_in.voter), KEY | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.req("S14", "U2")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "+44 7911 123456"),
        ("phone", "03 80 44 89 96"),
        ("phone", "0899 12 34 56"),
        ("phone", "+8816 12345678"),
        ("phone", "06 12 34 56 78;ext=1"),
        ("phone", "٠٦١٢٣٤٥٦٧٨"),
        ("numen", "09E99"),
        ("channel", "fax"),
        ("consent", False),
        ("consent", "true"),
    ],
)
def test_a_field_that_is_not_admitted_is_named(
    deployment: Deployment, browser: DeployedBrowser, signed_in: UnchangedVoter, field: str, value: object
) -> None:
    answer = browser.call("POST", "/api/reissue", form(deployment, signed_in.voter, **{field: value}), KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


@pytest.mark.req("S1", "I8")
def test_a_stranger_is_answered_like_a_voter_and_gets_nothing(deployment: Deployment, voter: DeployedVoter) -> None:
    known, unknown = deployment.browser(), deployment.browser()
    stranger = f"stranger.{voter.email}"
    answers = [
        browser.call("POST", "/api/login", {"email": email})
        for browser, email in ((known, voter.email), (unknown, stranger))
    ]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].content == answers[1].content
    assert [len(cookie) for cookie in known.cookies.values()] == [len(cookie) for cookie in unknown.cookies.values()]
    changing = {
        "date",
        "set-cookie",
        "x-amzn-requestid",
        "x-amz-request-id",
        "x-amz-apigw-id",
        "x-amzn-trace-id",
        "x-amz-id-2",
    }
    kept = [{name: value for name, value in answer.headers.items() if name not in changing} for answer in answers]
    assert kept[0] == kept[1]
    wait_for(lambda: deployment.mails_to(voter.email))
    stranger_id = deployment.keyed_hash.voter_id(stranger)
    wait_for(lambda: not deployment.scan("CodeDeliveriesTable", stranger_id))
    assert deployment.mails_to(stranger) == []


@pytest.mark.req("S1")
@pytest.mark.parametrize("email", ["claire@example.org", "claire@ac-dijon.fr.example.org"])
def test_an_address_of_another_domain_is_told_the_accepted_ones(deployment: Deployment, email: str) -> None:
    answer = deployment.browser().call("POST", "/api/login", {"email": email})
    assert (answer.status_code, answer.json()["code"]) == (422, "email-domain")
    assert all(domain in answer.json()["detail"] for domain in deployment.election.domain_names)


@pytest.mark.req("S6", "S7", "S16")
def test_a_code_works_once_and_only_where_it_was_asked_for(deployment: Deployment, voter: DeployedVoter) -> None:
    browser = deployment.browser()
    browser.call("POST", "/api/login", {"email": voter.email})
    (mail,) = wait_for(lambda: deployment.mails_to(voter.email))
    code = {"code": code_in(mail)}
    challenge = dict(browser.cookies)
    elsewhere = deployment.browser().call("POST", "/api/login/code", code)
    wrong = browser.call("POST", "/api/login/code", {"code": f"{(int(code['code']) + 1) % 10**6:06d}"})
    assert (elsewhere.status_code, wrong.status_code) == (401, 401)
    assert wrong.json()["attempts_left"] == 4
    assert browser.call("POST", "/api/login/code", code).status_code == 200
    session = browser.cookies[SESSION_COOKIE]

    browser.cookies = challenge
    replayed = browser.call("POST", "/api/login/code", code)

    assert (replayed.status_code, replayed.json()["code"]) == (401, "code-used")
    assert SESSION_COOKIE not in browser.cookies
    browser.cookies = {SESSION_COOKIE: session}
    assert browser.call("GET", "/api/reissue").status_code == 200


@pytest.mark.req("S16", "S22")
@pytest.mark.parametrize("kind", ["none", "nonsense", "unknown", "expired", "other voter's"])
def test_without_a_live_session_nothing_is_shown_or_done(
    deployment: Deployment, voter: DeployedVoter, kind: str
) -> None:
    browser, before = deployment.signed_in(voter), state_of(deployment, voter)
    token = browser.cookies[SESSION_COOKIE]
    own = read_cookie(SESSION_COOKIE, token, deployment.keyed_hash)
    assert own is not None
    others = Token(deployment.enrol().voter_id, own.secret)
    cookies = {
        "none": {},
        "nonsense": {SESSION_COOKIE: "é;=.."},
        "unknown": {SESSION_COOKIE: write_cookie(SESSION_COOKIE, draw_token(voter.voter_id), deployment.keyed_hash)},
        "expired": {SESSION_COOKIE: token},
        "other voter's": {SESSION_COOKIE: write_cookie(SESSION_COOKIE, others, deployment.keyed_hash)},
    }
    if kind == "expired":
        (item,) = deployment.query("SignInTable", voter.voter_id)
        deployment.client("dynamodb").update_item(
            TableName=deployment.table("SignInTable"),
            Key={"voter_id": {"S": item["voter_id"]}, "key": {"S": item["key"]}},
            UpdateExpression="SET seen_at = :seen",
            ExpressionAttributeValues={":seen": {"N": str(item["seen_at"] - 15 * 60_000)}},
        )
    browser.cookies = {name: value.encode().decode("latin-1") for name, value in cookies[kind].items()}
    for answer in (
        browser.call("GET", "/api/reissue"),
        browser.call("GET", "/api/reissue/22222-22222"),
        browser.call("POST", "/api/reissue", form(deployment, voter), KEY),
        browser.call("POST", "/api/reissue/22222-22222/redelivery", {"channel": "email"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "signed-out")
    assert state_of(deployment, voter) == before


@pytest.mark.req("I6", "S22")
def test_a_key_that_served_another_form_is_refused(deployment: Deployment, voter: DeployedVoter) -> None:
    browser = deployment.signed_in(voter)
    first = browser.reissue(voter, key="0123456789abcdef")
    reference = first.json()["reference"]
    browser.wait_until_sent(reference)
    wait_for(lambda: deployment.mails_to(voter.email))
    before = state_of(deployment, voter)

    other = browser.reissue(voter, key="0123456789abcdef", channel="email")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert browser.reissue(voter, key="0123456789abcdef").json() == first.json()
    assert state_of(deployment, voter) == before


@pytest.mark.req("I1", "I3", "I5")
def test_a_superseded_identifier_is_worth_nothing(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    browser = deployment.signed_in(voter)
    references = []
    for _ in range(2):
        references.append(browser.reissue(voter).json()["reference"])
        browser.wait_until_sent(references[-1])
    older, _ = (find_identifier(text) or "" for text in deployment.texts_to(voter.phone))
    wait_for(lambda: len(deployment.mails_to(voter.email)) == 2)
    before = state_of(deployment, voter)

    redelivery = browser.call("POST", f"/api/reissue/{references[0]}/redelivery", {"channel": "email"})

    assert (redelivery.status_code, redelivery.json()["code"]) == (409, "superseded")
    assert browser.status(references[0])["status"] == "superseded"
    for identifier in (voter.identifier, older):
        assert platform.check(identifier)["status"] == "revoked"
        vote = platform.vote(identifier)
        assert (vote.status_code, vote.json()["code"]) == (409, "revoked")
    assert state_of(deployment, voter) == before


@pytest.mark.req("S29")
@pytest.mark.parametrize("identifier", ["", "7K3M", "7K3M-9QWX-2TBD-HV5Z", "0" * 16, "\u0000", "é" * 50])
def test_an_identifier_that_nobody_was_given(platform: Platform, identifier: str) -> None:
    checked = platform.call("/registry/check", {"identifier": identifier})
    voted = platform.call("/registry/votes", {"identifier": identifier})
    if identifier:
        assert checked.json() == {"status": "unknown", "generation": None, "superseded_at": None}
        assert (voted.status_code, voted.json()["code"]) == (409, "unknown-identifier")
    else:
        assert {checked.status_code, voted.status_code} == {422}


@pytest.mark.req("S7", "S22")
@pytest.mark.parametrize("token", ["x", "22222-22222", "22222-22222.AAAA", "é.é"])
def test_a_dispute_needs_the_token_of_the_confirmation(browser: DeployedBrowser, token: str) -> None:
    answer = browser.call("POST", "/api/dispute", {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-token")


@pytest.mark.req("S22")
@pytest.mark.parametrize("reference", ["22222-22222", "not-a-reference"])
def test_a_reference_of_nobody_is_not_found(browser: DeployedBrowser, reference: str) -> None:
    assert browser.call("GET", f"/api/reissue/{reference}").json()["code"] == "not-found"
    answer = browser.call("POST", f"/api/reissue/{reference}/redelivery", {"channel": "email"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.req("S22")
def test_somebody_elses_reissue_is_not_found(deployment: Deployment, browser: DeployedBrowser) -> None:
    other = deployment.enrol()
    reference = deployment.signed_in(other).reissue(other).json()["reference"]
    assert browser.call("GET", f"/api/reissue/{reference}").status_code == 404
    answer = browser.call("POST", f"/api/reissue/{reference}/redelivery", {"channel": "email"})
    assert answer.status_code == 404
