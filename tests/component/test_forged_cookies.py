"""No answer gives away a pseudonym, and a cookie that this service did not write costs nothing and
names nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from login.routes import CHALLENGE_COOKIE
from reassort.cookies import write_cookie
from reassort.keyed_hash import KeyedHash
from reassort.sessions import SESSION_COOKIE, draw_token

from harness.service.cookie_oracle import ROUTES

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World

# Asking for a code begins again with any cookie.
REQUESTS = {name: request for name, request in ROUTES.items() if name != "ask for a code"}


@pytest.mark.req("S32")
def test_no_answer_of_a_whole_journey_holds_a_pseudonym(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    browser.overview()
    browser.status(reference)
    browser.redeliver(reference, "email")
    world.run_outbox()
    answers = [f"{answer.headers} {answer.cookies} {answer.text}" for answer in world.responses]
    sent = [f"{email.subject} {email.text} {email.html}" for email in world.emails] + [sms.text for sms in world.sms]
    assert len(answers) >= 6
    assert not [text for text in [*answers, *sent] if claire.voter_id in text]


@pytest.mark.req("S32")
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("listed", [True, False])
def test_forged_cookie_is_refused_before_a_table_is_read(
    world: World, claire: Enrolled, name: str, listed: bool
) -> None:
    method, path, body = REQUESTS[name]
    voter_id = claire.voter_id if listed else world.keyed_hash.voter_id("stranger@ac-dijon.fr")
    token, wrong_key = draw_token(voter_id), KeyedHash(b"x" * 32)
    forgeries = [f"{voter_id}.{token.secret}", "A" * 76, write_cookie(SESSION_COOKIE, token, wrong_key)]
    for forged in forgeries:
        with world.recorded() as calls:
            answer = world.call(
                method,
                path,
                body,
                {SESSION_COOKIE: forged, CHALLENGE_COOKIE: forged},
                {"Idempotency-Key": "k" * 16},
            )
        assert answer.status == (204 if name == "sign out" else 401)
        assert [call.operation for call in calls] == []
    assert voter_id not in world.log_text


@pytest.mark.req("S32", "S7")
def test_cookie_of_one_kind_is_not_the_other(world: World, claire: Enrolled, browser: Browser) -> None:
    asking = world.browser()
    asking.ask_code(claire.email)
    session, challenge = browser.session_cookie or "", asking.challenge_cookie or ""
    asking.hold(SESSION_COOKIE, challenge)
    assert asking.overview().code == "signed-out"
    browser.hold(CHALLENGE_COOKIE, session)
    assert browser.redeem("123456").status == 401
