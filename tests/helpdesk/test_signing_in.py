"""Signing in with a second factor, in the page alone; what is signed, and what is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from playwright.sync_api import Page, Request, Route, expect

from harness.helpdesk.mocked_desk import (
    ACCESS_KEY,
    AGENT,
    LOOK,
    ME,
    PASSWORD,
    PROPOSALS,
    REGION,
    SECRET,
    SECRET_KEY,
    SESSION_TOKEN,
    TOTP,
    MockedDesk,
    credentials,
    proposal,
    tokens,
)
from harness.helpdesk.sheets import LOCKED, sheet
from harness.helpdesk.states import STATES
from harness.helpdesk.steps import ADDRESS, CALLER_CODE, give_password, heading_is, look, sign_in

if TYPE_CHECKING:
    from collections.abc import Mapping


def signature_of(request: Request, headers: Mapping[str, str]) -> str:
    """Return the signature that botocore gives to the same request, at the same second."""
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    again = AWSRequest(
        request.method,
        request.url,
        data=request.post_data or "",
        headers={name: headers[name] for name in signed if name not in ("host", "x-amz-date", "x-amz-security-token")},
    )
    auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, SESSION_TOKEN), "execute-api", REGION)
    again.context["timestamp"] = headers["x-amz-date"]
    again.headers["X-Amz-Date"] = headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = SESSION_TOKEN
    canonical = auth.canonical_request(again)
    return auth.signature(auth.string_to_sign(again, canonical), again)


@pytest.mark.req("H1")
def test_every_call_is_signed_as_botocore_would_sign_it(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    look(desk, sheet(*LOCKED), ADDRESS, CALLER_CODE)
    assert [path for _, path, _ in desk.asked] == ["/helpdesk/me", "/helpdesk/look"]
    for request in desk.requests:
        headers = request.all_headers()
        assert headers["x-amz-security-token"] == SESSION_TOKEN
        assert headers["authorization"].endswith(f"Signature={signature_of(request, headers)}")


@pytest.mark.req("H1")
def test_first_sign_in_asks_for_a_password_and_an_application(page: Page, desk: MockedDesk) -> None:
    desk.cognito_says("InitiateAuth", {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "session-1"})
    desk.cognito_says(
        "RespondToAuthChallenge",
        {"ChallengeName": "MFA_SETUP", "Session": "session-2"},
        {"AuthenticationResult": tokens()},
    )
    give_password(desk)
    heading_is(desk, "Choisir un mot de passe")
    page.locator("#new-password").fill("cheval correct pile agrafe")
    page.keyboard.press("Enter")
    heading_is(desk, "Ajouter le second facteur")
    link = page.locator("#otpauth-link").get_attribute("href")
    assert link is not None
    assert link.startswith("otpauth://totp/Assistance%3Anadia.benali?")
    assert f"secret={SECRET}" in link
    squares = page.locator("#qr").evaluate("canvas => canvas.width")
    assert squares > 20
    page.locator("#first-code").fill(f"{TOTP[:3]} {TOTP[3:]}")
    page.keyboard.press("Enter")
    heading_is(desk, "Nouvel appel")

    said = dict(desk.cognito)
    assert said["VerifySoftwareToken"] == {"Session": "session-2", "UserCode": TOTP}
    assert said["RespondToAuthChallenge"]["ChallengeName"] == "MFA_SETUP"
    assert said["RespondToAuthChallenge"]["Session"] == "session-3"
    assert said["GetId"]["Logins"] == {f"cognito-idp.{REGION}.amazonaws.com/eu-west-3_Example": "id-token"}


@pytest.mark.req("H1")
def test_a_wrong_code_may_be_given_again(page: Page, desk: MockedDesk) -> None:
    give_password(desk)
    heading_is(desk, "Code du second facteur")
    desk.cognito_refuses("RespondToAuthChallenge", "CodeMismatchException", {"AuthenticationResult": tokens()})
    page.locator("#totp").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#totp-error")).to_contain_text("le code suivant")
    page.locator("#totp").fill(TOTP)
    page.keyboard.press("Enter")
    heading_is(desk, "Nouvel appel")


@pytest.mark.req("H1")
@pytest.mark.parametrize("kind", ["NotAuthorizedException", "UserNotFoundException"])
def test_whether_an_account_exists_is_told_to_nobody(page: Page, desk: MockedDesk, kind: str) -> None:
    desk.cognito_refuses("InitiateAuth", kind)
    give_password(desk)
    expect(page.locator(".errors-title")).to_have_text("Nom d’utilisateur ou mot de passe refusé")


@pytest.mark.req("H1")
def test_who_waits_too_long_for_the_code_begins_again(page: Page, desk: MockedDesk) -> None:
    give_password(desk)
    heading_is(desk, "Code du second facteur")
    desk.cognito_refuses("RespondToAuthChallenge", "NotAuthorizedException")
    page.locator("#totp").fill(TOTP)
    page.keyboard.press("Enter")
    heading_is(desk, "S’identifier")
    expect(page.locator("#notice")).to_have_text("Trop de temps a passé. Recommencez avec votre mot de passe.")


@pytest.mark.req("H1")
def test_credentials_are_renewed_without_asking(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    desk.cognito_says("InitiateAuth", {"AuthenticationResult": {"IdToken": "id-2", "AccessToken": "access-2"}})
    for minutes in (20, 20, 18):
        page.clock.fast_forward(timedelta(minutes=minutes) // timedelta(milliseconds=1))
        page.keyboard.press("Shift")
    look(desk, sheet(*LOCKED))
    asked = [(action, body) for action, body in desk.cognito if action in ("InitiateAuth", "GetCredentialsForIdentity")]
    assert [action for action, _ in asked] == ["InitiateAuth", "GetCredentialsForIdentity"] * 2
    assert asked[2][1]["AuthFlow"] == "REFRESH_TOKEN_AUTH"
    assert list(asked[3][1]["Logins"].values()) == ["id-2"]


@pytest.mark.req("H1")
def test_a_session_that_was_ended_elsewhere_asks_to_sign_in(page: Page, desk: MockedDesk) -> None:
    """By the supervisor: the credentials are refused, and nothing of the voter stays."""
    sign_in(desk)
    look(desk, sheet(*LOCKED))
    desk.answer(LOOK, 403, {"message": "The security token included in the request is expired"})
    page.locator("#who").press("Enter")
    heading_is(desk, "S’identifier")
    expect(page.locator("#notice")).to_have_text("Votre session est terminée. Identifiez-vous de nouveau.")
    assert "c•••@" not in page.content()


@pytest.mark.req("H1")
def test_a_refused_renewal_ends_the_session(page: Page, desk: MockedDesk) -> None:
    desk.cognito_says("GetCredentialsForIdentity", credentials(timedelta(minutes=6)))
    sign_in(desk)
    desk.cognito_refuses("InitiateAuth", "NotAuthorizedException")
    page.clock.fast_forward("02:00")
    page.locator("#who").fill(ADDRESS)
    page.keyboard.press("Enter")
    heading_is(desk, "S’identifier")


@pytest.mark.req("H1", "H4")
def test_signing_out_leaves_nothing(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    look(desk, sheet(*LOCKED), ADDRESS, CALLER_CODE)
    page.get_by_role("button", name="Me déconnecter").click()
    heading_is(desk, "S’identifier")
    expect(page.locator("#notice")).to_have_text("Vous êtes déconnecté.")
    values = page.locator("input").evaluate_all("fields => fields.map(field => field.value)")
    for secret in (ADDRESS, CALLER_CODE, "c•••@", PASSWORD, TOTP):
        assert secret not in page.content()
        assert secret not in values
    assert desk.cognito[-1] == ("RevokeToken", {"ClientId": "client", "Token": "refresh-token"})


@pytest.mark.req("H1", "H4")
def test_nothing_is_kept_and_a_reload_asks_to_sign_in(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    look(desk, sheet(*LOCKED), ADDRESS, CALLER_CODE)
    kept = page.evaluate("""async () => [
      localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length,
      document.cookie, window.name, JSON.stringify(history.state), location.search, location.hash]""")
    assert kept == [0, 0, 0, 0, "", "", "null", "", ""]
    page.reload()
    heading_is(desk, "S’identifier")
    assert "c•••@" not in page.content()


@pytest.mark.req("H1")
def test_the_end_of_a_shift_is_announced_before_it_comes(page: Page, desk: MockedDesk) -> None:
    assert desk.config is not None
    desk.config["session_minutes"] = 20
    sign_in(desk)
    expect(page.locator("#account")).to_contain_text("Session jusqu’à 10 h 35")
    page.clock.fast_forward("10:30")
    expect(page.locator("#session-warning")).to_be_visible()
    expect(page.locator("#session-warning-text")).to_contain_text("Elle se termine à 10 h 35")
    page.keyboard.press("Escape")
    expect(page.locator("#session-warning")).to_be_hidden()
    page.clock.fast_forward("10:00")
    heading_is(desk, "S’identifier")


@pytest.mark.req("H1")
def test_who_still_works_is_not_signed_out(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    page.clock.fast_forward("28:30")
    expect(page.locator("#session-extend")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#session-warning")).to_be_hidden()
    page.clock.fast_forward("27:00")
    expect(page.locator("#account")).to_be_visible()
    assert not page.locator("#session-warning").is_visible()


@pytest.mark.req("H1")
def test_a_wrong_clock_is_named(page: Page, desk: MockedDesk) -> None:
    desk.answer(ME, 403, {"message": "Signature expired: 20181130T091500Z is now earlier than 20181130T100000Z"})
    give_password(desk)
    heading_is(desk, "Code du second facteur")
    page.locator("#totp").fill(TOTP)
    page.keyboard.press("Enter")
    expect(page.locator(".errors-title")).to_have_text("L’heure de cet ordinateur est fausse")


@pytest.mark.req("H1")
def test_requests_may_go_by_the_pages_own_origin(page: Page, desk: MockedDesk) -> None:
    """Signed for the API, sent to a path of the page's origin that hands them on."""
    assert desk.config is not None
    desk.config["api_via"] = "/relay"
    asked: list[Request] = []

    def relay(route: Route) -> None:
        asked.append(route.request)
        route.fulfill(status=404, body="{}")

    page.route("**/relay/**", relay)
    give_password(desk)
    heading_is(desk, "Code du second facteur")
    page.locator("#totp").fill(TOTP)
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_be_visible()
    assert [request.url for request in asked] == ["https://assistance.example.fr/relay/helpdesk/me"]
    assert asked[0].all_headers()["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/")
    assert AGENT not in asked[0].url


@pytest.mark.req("H1")
def test_what_the_second_factor_is_made_of_leaves_the_page_once_it_is_there(page: Page, desk: MockedDesk) -> None:
    desk.cognito_says("InitiateAuth", {"ChallengeName": "MFA_SETUP", "Session": "session-1"})
    desk.cognito_says("RespondToAuthChallenge", {"AuthenticationResult": tokens()})
    give_password(desk)
    heading_is(desk, "Ajouter le second facteur")
    assert SECRET in (page.locator("#otp-secret").text_content() or "").replace(" ", "")
    page.locator("#first-code").fill(TOTP)
    page.keyboard.press("Enter")
    heading_is(desk, "Nouvel appel")
    assert SECRET not in page.content().replace(" ", "")
    assert page.locator("#qr").evaluate("canvas => canvas.width") == 0


@pytest.mark.req("H1", "H4")
def test_a_supervisor_who_signs_out_leaves_nothing(page: Page, desk: MockedDesk) -> None:
    desk.answer(PROPOSALS, 200, {"proposals": [proposal()]})
    sign_in(desk, "supervisor")
    page.get_by_role("button", name="À confirmer").click()
    page.get_by_text(proposal()["reason"]).wait_for()
    page.get_by_role("button", name="Me déconnecter").click()
    heading_is(desk, "S’identifier")
    for shown in (proposal()["reason"], proposal()["address"], proposal()["agent"]):
        assert shown not in page.content()


@pytest.mark.req("H1", "H4")
@pytest.mark.parametrize(
    ("state", "holder", "known"), [("shift", "#shift", "0C6-C1F"), ("record", "#record", "Fiche consultée")]
)
def test_no_list_stays_when_its_reader_signs_out(
    page: Page, desk: MockedDesk, state: str, holder: str, known: str
) -> None:
    STATES[state].play(desk)
    expect(page.locator(holder)).to_contain_text(known)
    page.get_by_role("button", name="Me déconnecter").click()
    heading_is(desk, "S’identifier")
    assert known not in (page.locator(holder).text_content() or "")


@pytest.mark.req("H4")
def test_no_sheet_stays_behind_another_tab(page: Page, desk: MockedDesk) -> None:
    desk.answer(PROPOSALS, 200, {"proposals": []})
    sign_in(desk, "supervisor")
    look(desk, sheet(*LOCKED), ADDRESS, CALLER_CODE)
    page.get_by_role("button", name="À confirmer").click()
    expect(page.locator("#proposals-none")).to_be_visible()
    assert "c•••@" not in page.content()
    assert page.locator("#who, #caller-code").evaluate_all("fields => fields.map(field => field.value)") == ["", ""]
