"""Sign-in: a code to the professional mailbox, worth one session in the browser that asked for
it.
"""

from __future__ import annotations

import statistics

import pytest

from harness.service.world import SITE_ORIGIN, Browser, Enrolled, Response, World

STRANGER = "nobody.atall@ac-dijon.fr"


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def _ask(world: World, browser: Browser, email: str) -> str:
    """Ask for a code and read it in the mailbox."""
    assert browser.ask_code(email).status == 202
    world.run_outbox()
    return world.code_for(email)


# ---------------------------------------------------------------- asking


def test_code_goes_to_the_mailbox_and_opens_a_session(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    asked = browser.ask_code(claire.email)
    assert (asked.status, asked.json) == (202, {"expires_in": 600, "resend_in": 60})
    world.run_outbox()
    (email,) = world.emails
    assert email.to == claire.email
    assert email.sender.endswith("<elections@elections.example.fr>")
    assert email.configuration_set == "messages"
    redeemed = browser.redeem(world.code_for(claire.email))
    assert (redeemed.status, redeemed.json) == (200, {"expires_in": 900})
    assert browser.overview().status == 200


@pytest.mark.parametrize("typed", ["  Claire.MARTIN@AC-Dijon.fr ", "CLAIRE.MARTIN@ac-dijon.fr"])
def test_address_may_be_typed_in_capitals(world: World, claire: Enrolled, typed: str) -> None:
    assert world.browser().ask_code(typed).status == 202
    world.run_outbox()
    assert world.mail_to(claire.email)


def _shape(response: Response) -> object:
    """Everything of an answer but the cookie's random secret and the pseudonym before it."""
    cookies = {
        name: ([len(part) for part in cookie.value.split(".")], cookie.attributes)
        for name, cookie in response.cookies.items()
    }
    return response.status, response.text, response.headers, cookies


@pytest.mark.req("S1", "I8")
def test_known_and_unknown_addresses_get_the_same_answer(world: World, claire: Enrolled) -> None:
    known, unknown = world.browser(), world.browser()
    for _ in range(3):
        # Past the spacing, within it, and until the bucket is empty.
        for seconds in (0, 30, 61):
            world.clock.move(seconds=seconds)
            assert _shape(known.ask_code(claire.email)) == _shape(unknown.ask_code(STRANGER))
    world.run_outbox()
    wrong = [code for code in ("111111", "222222", "333333") if code not in world.emails[-1].text]
    for code in (*wrong, *wrong, *wrong):
        assert _shape(known.redeem(code)) == _shape(unknown.redeem(code))


@pytest.mark.req("S1", "S2", "I8")
def test_known_and_unknown_addresses_cost_the_same_calls(world: World, claire: Enrolled) -> None:
    with world.recorded() as for_known:
        world.browser().ask_code(claire.email)
    with world.recorded() as for_unknown:
        world.browser().ask_code(STRANGER)
    assert [str(call) for call in for_known] == [str(call) for call in for_unknown]


@pytest.mark.req("S1", "I8", "S11")
def test_stranger_gets_no_mail_and_no_session_even_with_the_right_code(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(STRANGER)
    world.run_outbox()
    assert not world.emails
    assert not world.items("DeliveriesTable")
    # Every code there is: the one that was drawn among them.
    statuses = {browser.redeem(f"{code:06d}").status for code in range(6)}
    assert statuses == {401, 429}
    assert not [item for item in world.items("SignInTable") if item["key"].startswith("session#")]


@pytest.mark.req("S3")
def test_nothing_is_sent_while_the_answer_is_awaited(world: World, claire: Enrolled) -> None:
    with world.recorded() as calls:
        world.browser().ask_code(claire.email)
    assert not [call for call in calls if call.service in {"sesv2", "sns", "sqs"}]
    assert not world.emails


@pytest.mark.req("S17")
def test_cookies_are_host_only_secure_and_hidden_from_scripts(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    asked = browser.ask_code(claire.email)
    world.run_outbox()
    redeemed = browser.redeem(world.code_for(claire.email))
    signed_out = browser.sign_out()
    for response in (asked, redeemed, signed_out):
        assert response.cookies
        for name, cookie in response.cookies.items():
            assert name.startswith("__Host-")
            flags = {flag: cookie.attributes[flag] for flag in ("path", "secure", "httponly", "samesite")}
            assert flags == {"path": "/", "secure": "", "httponly": "", "samesite": "Strict"}
            assert "domain" not in cookie.attributes


def test_other_domain_is_told_which_domains_are_accepted(world: World) -> None:
    refused = world.browser().ask_code("claire.martin@gmail.com")
    assert (refused.status, refused.code) == (422, "email-domain")
    assert [fault["field"] for fault in refused.json["errors"]] == ["email"]
    for domain in world.election.domains:
        assert domain.domain in refused.json["errors"][0]["message"]
        assert domain.staff in refused.json["detail"]
    assert not refused.cookies
    assert not world.items("SignInTable")


@pytest.mark.parametrize(
    "typed", ["claire.martin", "", "@ac-dijon.fr", "claire martin@ac-dijon.fr", "x\x00@ac-dijon.fr"]
)
def test_text_that_is_no_address_is_a_field_fault(world: World, typed: str) -> None:
    refused = world.browser().ask_code(typed)
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert refused.json["errors"][0]["field"] == "email"


# ---------------------------------------------------------------- the bucket of codes


@pytest.mark.req("S13")
def test_second_code_must_wait_a_minute(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.clock.move(seconds=40)
    assert browser.ask_code(claire.email).json == {"expires_in": 600, "resend_in": 20}
    world.run_outbox()
    assert len(world.mail_to(claire.email)) == 1
    world.clock.move(seconds=20)
    browser.ask_code(claire.email)
    world.run_outbox()
    assert len(world.mail_to(claire.email)) == 2


@pytest.mark.req("S12", "S13")
def test_stranger_who_keeps_asking_delays_the_voter_by_minutes(world: World, claire: Enrolled) -> None:
    attacker = world.browser()
    waits = []
    for _ in range(20):
        waits.append(attacker.ask_code(claire.email).json["resend_in"])
        world.clock.move(minutes=1)
    world.run_outbox()
    # 5 at once, then one every 3 minutes; nobody ever waits for longer than that.
    assert max(waits) <= 180
    world.clock.move(seconds=waits[-1] - 60)
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    assert browser.redeem(world.code_for(claire.email)).status == 200


def _ask_from(world: World, email: str, source: str) -> Response:
    return world.call("POST", "/api/login", {"email": email}, headers={"X-Viewer-Address": source})


@pytest.mark.req("S12")
def test_stranger_who_never_stops_keeps_the_voter_out_for_a_quarter_of_an_hour_at_most(
    world: World, claire: Enrolled
) -> None:
    """Each second somebody takes what the bucket gives; the voter asks once a minute, from another
    network.
    """
    for second in range(900):
        _ask_from(world, claire.email, "192.0.2.66")
        if second % 60 == 59:
            queued = len(world.items("DeliveriesTable"))
            _ask_from(world, claire.email, "203.0.113.24")
            if len(world.items("DeliveriesTable")) > queued:
                break
        world.clock.move(seconds=1)
    else:
        raise AssertionError("the voter got no code")


@pytest.mark.req("S12", "S13")
def test_reserve_gives_each_source_one_code_in_a_window_and_few_sources_any(world: World, claire: Enrolled) -> None:
    for _ in range(6):
        _ask_from(world, claire.email, "192.0.2.66")
        world.clock.move(seconds=61)
    while True:
        queued = len(world.items("DeliveriesTable"))
        _ask_from(world, claire.email, "192.0.2.66")
        if len(world.items("DeliveriesTable")) == queued:
            break
        world.clock.move(seconds=61)
    before = len(world.items("DeliveriesTable"))
    for number in range(20):
        _ask_from(world, claire.email, f"203.0.113.{number}")
        _ask_from(world, claire.email, f"203.0.113.{number}")
    reserve = [item for item in world.items("SignInTable") if item["key"].startswith("reserve#")]
    assert all(len(item["sources"]) <= 3 for item in reserve)
    assert len(world.items("DeliveriesTable")) - before <= 3
    assert "203.0.113" not in str(world.items("SignInTable"))


@pytest.mark.req("S13")
def test_bucket_holds_five_codes_refills_one_every_three_minutes_and_has_one_in_reserve(
    world: World, claire: Enrolled
) -> None:
    browser = world.browser()
    taken_at = []
    for minute in range(16):
        before = len(world.items("DeliveriesTable"))
        browser.ask_code(claire.email)
        if len(world.items("DeliveriesTable")) > before:
            taken_at.append(minute)
        world.clock.move(minutes=1)
    # Two refills come while the first five go, one a minute; the eighth is this source's of the
    # reserve.
    assert taken_at == [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 15]


# ---------------------------------------------------------------- redeeming


@pytest.mark.req("S6", "S22")
def test_code_works_once(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    challenge = browser.challenge_cookie
    assert challenge is not None
    assert browser.redeem(code).status == 200
    browser.hold("__Host-challenge", challenge)
    replayed = browser.redeem(code)
    assert (replayed.status, replayed.code) == (401, "wrong-code")


@pytest.mark.req("S6")
def test_two_requests_with_one_code_at_once_open_one_session(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    cookies = browser.cookies
    outcomes: list[int] = []
    world.interleave(
        "TransactWriteItems",
        lambda: outcomes.append(world.call("POST", "/api/login/code", {"code": code}, cookies).status),
    )
    outcomes.append(browser.redeem(code).status)
    assert sorted(outcomes) == [200, 401]
    assert len([item for item in world.items("SignInTable") if item["key"].startswith("session#")]) == 1


@pytest.mark.req("S7")
def test_code_works_only_in_the_browser_that_asked(world: World, claire: Enrolled) -> None:
    browser, other = world.browser(), world.browser()
    code = _ask(world, browser, claire.email)
    assert other.redeem(code).code == "wrong-code"
    world.clock.move(minutes=1)
    other_code = _ask(world, other, claire.email)
    if other_code != code:
        assert other.redeem(code).code == "wrong-code"
        assert browser.redeem(other_code).code == "wrong-code"
    assert browser.redeem(code).status == 200


@pytest.mark.req("S7")
@pytest.mark.parametrize("cookie", ["", "x", "a.b", "A" * 75, "é" * 75])
def test_forged_challenge_is_worth_nothing(world: World, claire: Enrolled, cookie: str) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    browser.hold("__Host-challenge", cookie)
    assert (browser.redeem(code).status, browser.redeem(code).code) == (401, "wrong-code")


@pytest.mark.req("S5")
def test_code_lives_ten_minutes(world: World, claire: Enrolled) -> None:
    for seconds, status in ((599.9, 200), (600, 401)):
        browser = world.browser()
        code = _ask(world, browser, claire.email)
        # The cookie ends with the code: what an attacker kept of it does not help.
        challenge = browser.challenge_cookie or ""
        world.clock.move(seconds=seconds)
        browser.hold("__Host-challenge", challenge)
        assert browser.redeem(code).status == status
        world.clock.move(minutes=10)


@pytest.mark.req("S5")
def test_resend_does_not_prolong_an_older_code(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    first = _ask(world, browser, claire.email)
    world.clock.move(minutes=9)
    second = _ask(world, browser, claire.email)
    world.clock.move(minutes=1)
    if first != second:
        assert browser.redeem(first).status == 401
    assert browser.redeem(second).status == 200


@pytest.mark.parametrize("chosen", [1, 2, 3])
def test_three_latest_codes_stay_valid(world: World, claire: Enrolled, chosen: int) -> None:
    browser = world.browser()
    codes = []
    for _ in range(4):
        codes.append(_ask(world, browser, claire.email))
        world.clock.move(minutes=1)
    if codes[0] not in codes[1:]:
        assert browser.redeem(codes[0]).status == 401
    assert browser.redeem(codes[chosen]).status == 200


@pytest.mark.req("S8")
def test_sixth_try_is_refused_even_if_right(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    left = [browser.redeem(_wrong(code)).json["attempts_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    refused = browser.redeem(code)
    assert (refused.status, refused.code) == (429, "too-many-tries")
    assert 0 < int(refused.headers["retry-after"]) <= 600


@pytest.mark.req("S8")
def test_new_code_does_not_reset_the_count(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    for expected in ([4, 3], [2, 1]):
        code = _ask(world, browser, claire.email)
        assert [browser.redeem(_wrong(code)).json["attempts_left"] for _ in expected] == expected
        world.clock.move(minutes=1)
    code = _ask(world, browser, claire.email)
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 0
    assert browser.redeem(code).code == "too-many-tries"


@pytest.mark.req("S8")
def test_try_is_counted_before_anything_is_compared(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    with world.recorded() as calls:
        browser.redeem(_wrong(code))
    (count,) = calls
    assert str(count) == "dynamodb.UpdateItem SignInTable"
    assert "tries = tries + :one" in count.parameters["UpdateExpression"]
    # A try whose answer is lost has been counted: a client that hangs up does not try for free.
    world.lose_reply("UpdateItem")
    assert browser.redeem(_wrong(code)).status == 503
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 2


@pytest.mark.req("S12")
def test_used_up_tries_bind_their_challenge_for_ten_minutes(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    for _ in range(5):
        browser.redeem(_wrong(code))
    wait = int(browser.redeem(code).headers["retry-after"])
    world.clock.move(seconds=wait)
    assert browser.sign_in(claire.email).status == 200


@pytest.mark.req("S12")
def test_used_up_tries_of_one_browser_do_not_bind_another(world: World, claire: Enrolled) -> None:
    attacker = world.browser()
    code = _ask(world, attacker, claire.email)
    for _ in range(6):
        attacker.redeem(_wrong(code))
    world.clock.move(minutes=1)
    assert world.browser().sign_in(claire.email).status == 200


@pytest.mark.parametrize("typed", ["12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 5", "-12345", "1e5000"])
def test_what_is_no_code_is_a_field_fault_and_no_try(world: World, claire: Enrolled, typed: str) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    refused = browser.redeem(typed)
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 4


def test_code_may_be_typed_with_blanks(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    assert browser.redeem(f" {code[:3]} {code[3:]} ").status == 200


@pytest.mark.req("S4")
def test_codes_are_spread_over_all_six_digit_numbers(world: World, claire: Enrolled) -> None:
    codes = []
    browser = world.browser()
    for _ in range(12):
        codes.append(int(_ask(world, browser, claire.email)))
        world.clock.move(minutes=15)
    # The mean of 12 fair draws leaves these bounds once in 10**6; two draws in 12 agree once in
    # 15,000.
    assert 100_000 < statistics.mean(codes) < 900_000
    assert len(set(codes)) > 10


# ---------------------------------------------------------------- signing out and refusals


@pytest.mark.req("S16")
def test_sign_out_ends_the_session_on_the_server(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)
    kept = browser.session_cookie or ""
    signed_out = browser.sign_out()
    assert (signed_out.status, signed_out.text) == (204, "")
    assert browser.session_cookie is None
    browser.hold("__Host-session", kept)
    assert browser.overview().code == "signed-out"


def test_signing_out_twice_or_without_a_session_is_fine(world: World) -> None:
    assert [world.browser().sign_out().status for _ in range(2)] == [204, 204]


@pytest.mark.req("S16")
def test_each_sign_in_has_a_session_of_its_own(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)
    first = browser.session_cookie
    world.clock.move(minutes=3)
    browser.sign_in(claire.email)
    assert browser.session_cookie != first


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/api/login", {"email": "claire.martin@ac-dijon.fr"}), ("DELETE", "/api/login", None)],
)
def test_foreign_origin_is_refused(world: World, claire: Enrolled, method: str, path: str, body: object) -> None:
    refused = world.call(method, path, body, headers={"Origin": "https://evil.example"})
    assert (refused.status, refused.code) == (403, "foreign-origin")
    assert world.call(method, path, body, headers={"Origin": SITE_ORIGIN}).status in {202, 204}


@pytest.mark.req("S23", "S9")
def test_what_is_stored_of_a_code_needs_the_browsers_secret(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = _ask(world, browser, claire.email)
    stored = repr(world.items("SignInTable")) + repr(world.items("DeliveriesTable"))
    secret = (browser.challenge_cookie or "")[:32]
    assert code not in stored
    assert secret not in stored
    assert claire.email not in stored
