"""Sign-in: a code to the professional mailbox, worth one session in the browser that asked for
it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.tables import to_wire

from harness.elections import election_content, read_election
from harness.service.openapi import raise_if_undescribed
from harness.service.world import SITE_ORIGIN, Enrolled, Response, World
from tests.component.voters import code_asked_for

STRANGER = "nobody.atall@ac-dijon.fr"


# ---------------------------------------------------------------- asking


def test_code_goes_to_the_mailbox_and_opens_a_session(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    asked = browser.ask_code(claire.email)
    assert (asked.status, asked.json) == (202, {"sent": True, "expires_in": 600, "resend_in": 60})
    world.run_outbox()
    (email,) = world.emails
    assert email.to == claire.email
    assert email.sender.endswith("<elections@elections.example.fr>")
    # An answer reaches people, and no machine answers.
    assert email.reply_to == (world.election.helpdesk.email,)
    assert email.headers == {"Auto-Submitted": "auto-generated"}
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
def test_stranger_gets_no_mail_and_no_session_even_with_the_right_code(
    world: World, claire: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("login.codes.secrets.randbelow", lambda _below: 271828)
    browser = world.browser()
    browser.ask_code(STRANGER)
    world.run_outbox()
    assert not world.emails
    assert not world.deliveries()
    wrong, right = browser.redeem("000000"), browser.redeem("271828")
    assert (right.status, right.code) == (wrong.status, wrong.code) == (401, "wrong-code")
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
    first = browser.ask_code(claire.email).json
    world.clock.move(seconds=40)
    assert browser.ask_code(claire.email).json == {**first, "sent": False}
    world.run_outbox()
    assert len(world.mail_to(claire.email)) == 1
    world.clock.move(seconds=20)
    browser.ask_code(claire.email)
    world.run_outbox()
    assert len(world.mail_to(claire.email)) == 2


@pytest.mark.req("S13")
def test_code_must_wait_for_the_spacing_though_the_bucket_is_full_before() -> None:
    limits: dict[str, Any] = election_content("dijon-2018")["limits"]
    code = {**limits["code"], "resend_seconds": 120, "refill_minutes": 1}
    with World(read_election("dijon-2018", limits={**limits, "code": code})) as world:
        sent = []
        for _ in range(3):
            sent.append(world.browser().ask_code("claire.martin@ac-dijon.fr").json["sent"])
            world.clock.move(minutes=1)
        assert sent == [True, False, True]


@pytest.mark.req("S13", "R15")
@pytest.mark.parametrize("slip", ["it fills up", "it is removed"])
def test_bucket_in_which_something_slips_in_gives_no_code(world: World, claire: Enrolled, slip: str) -> None:
    """Two writes try what the bucket may give: neither counts on what the other has seen."""
    _ask_from(world, claire.email, "192.0.2.66")
    world.clock.move(minutes=1)
    key = {"voter_id": claire.voter_id, "key": "codes"}
    before = world.engine.get("SignInTable", key)
    assert before is not None
    full = {**before, "full_at": epoch_milliseconds(world.clock()) - 1, "last_at": 0}

    def between() -> None:
        if slip == "it fills up":
            world.engine.put("SignInTable", full)
        else:
            world.wire.operator.dynamodb.delete_item(TableName=world.tables["SignInTable"], Key=to_wire(key))

    world.interleave("UpdateItem", between, skip=1)
    answer = _ask_from(world, claire.email, "192.0.2.66")
    assert answer.code == (None if slip == "it fills up" else "unavailable")
    assert "request failed" not in world.log_text
    # Neither is it filled from a moment that has passed.
    assert world.engine.get("SignInTable", key) == (full if slip == "it fills up" else None)


@pytest.mark.req("S12", "S13")
def test_stranger_who_keeps_asking_delays_the_voter_by_minutes(world: World, claire: Enrolled) -> None:
    """Behind the same address: 5 at once, then one every 3 minutes, no matter who is quicker."""
    attacker = world.browser()
    answers = []
    for _ in range(20):
        answers.append(attacker.ask_code(claire.email).json)
        world.clock.move(minutes=1)
    world.run_outbox()
    # What is answered does not tell when the next one can be had.
    assert {answer["resend_in"] for answer in answers} == {60}
    assert {answer["sent"] for answer in answers} == {True, False}
    world.clock.move(minutes=3)
    browser = world.browser()
    assert browser.ask_code(claire.email).json["sent"] is True
    world.run_outbox()
    assert browser.redeem(world.code_for(claire.email)).status == 200


def _ask_from(world: World, email: str, source: str) -> Response:
    return world.call("POST", "/api/login", {"email": email}, headers={"X-Viewer-Address": source})


@pytest.mark.req("S12")
@pytest.mark.parametrize("first_asks_at", [0, 1, 30, 59, 61, 150, 301, 640])
def test_one_network_that_never_stops_keeps_no_voter_of_another_waiting(
    first_asks_at: int,
) -> None:
    """Each second somebody takes what the bucket gives, from an IPv6 line with all its networks."""
    email = "claire.martin@ac-dijon.fr"
    with World() as world:
        world.enrol(email, "09E9900123ABC")
        for second in range(first_asks_at + 1):
            _ask_from(world, email, f"2001:db8:0:{second % 256:x}::1")
            world.clock.move(seconds=1)
        assert _ask_from(world, email, "203.0.113.24").json["sent"] is True
        # Asking again within the minute is the voter's own impatience.
        assert _ask_from(world, email, "203.0.113.24").json["sent"] is False
        for response in world.responses:
            raise_if_undescribed(response)


@pytest.mark.req("S12", "R17")
def test_bucket_of_before_an_update_gives_a_code_as_any_other(world: World, claire: Enrolled) -> None:
    _ask_from(world, claire.email, "192.0.2.66")
    (bucket,) = [item for item in world.items("SignInTable") if item["key"] == "codes"]
    del bucket["last_source"]
    world.engine.put("SignInTable", bucket)
    assert _ask_from(world, claire.email, "203.0.113.24").json["sent"] is True


@pytest.mark.req("S31", "S9")
def test_code_waits_its_turn_with_those_of_its_own_network(world: World) -> None:
    networks = ["192.0.2.66", "203.0.113.24", "192.0.2.66"]
    for number, network in enumerate(networks):
        _ask_from(world, f"agent{number}@ac-dijon.fr", network)
    of_voter = {item["voter_id"]: item["source"] for item in world.deliveries()}
    first, second, third = (of_voter[world.keyed_hash.voter_id(f"agent{number}@ac-dijon.fr")] for number in range(3))
    assert first == third != second


@pytest.mark.req("S12", "S13")
def test_reserve_gives_each_source_one_code_in_a_window_and_few_sources_any(world: World, claire: Enrolled) -> None:
    for _ in range(6):
        _ask_from(world, claire.email, "192.0.2.66")
        world.clock.move(seconds=61)
    while True:
        queued = len(world.deliveries())
        _ask_from(world, claire.email, "192.0.2.66")
        if len(world.deliveries()) == queued:
            break
        world.clock.move(seconds=61)
    before = len(world.deliveries())
    for number in range(20):
        _ask_from(world, claire.email, f"203.0.113.{number}")
        _ask_from(world, claire.email, f"203.0.113.{number}")
    reserve = [item for item in world.items("SignInTable") if item["key"].startswith("reserve#")]
    assert all(len(item["sources"]) <= 3 for item in reserve)
    assert len(world.deliveries()) - before <= 3
    assert "203.0.113" not in str(world.items("SignInTable"))


@pytest.mark.req("S13")
def test_bucket_holds_five_codes_refills_one_every_three_minutes_and_has_one_in_reserve(
    world: World, claire: Enrolled
) -> None:
    browser = world.browser()
    taken_at = []
    for minute in range(16):
        before = len(world.deliveries())
        browser.ask_code(claire.email)
        if len(world.deliveries()) > before:
            taken_at.append(minute)
        world.clock.move(minutes=1)
    # Two refills come while the first five go, one a minute; the eighth is this source's of the
    # reserve.
    assert taken_at == [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 15]


@pytest.mark.req("R15", "S13")
@pytest.mark.parametrize(("renewed", "full_in"), [(False, 3), (True, 5)])
def test_requests_that_meet_in_a_count_pass_and_take_no_code_if_they_do_not(
    world: World, claire: Enrolled, renewed: bool, full_in: int
) -> None:
    browser = world.browser()
    if renewed:
        browser.ask_code(claire.email)
        world.clock.move(minutes=1)
    queued = len(world.deliveries())
    world.fail("TransactWriteItems", "TransactionConflictException", times=-1)
    assert browser.ask_code(claire.email).code == "unavailable"
    assert len(world.deliveries()) == queued
    # Nothing was taken: the voter need not wait for a minute, nor for a refill.
    world.repair()
    world.fail("TransactWriteItems", "TransactionConflictException", times=2)
    assert browser.ask_code(claire.email).json["sent"] is True
    assert len(world.deliveries()) == queued + 1
    bucket = world.engine.get("SignInTable", {"voter_id": claire.voter_id, "key": "codes"})
    assert bucket is not None
    assert bucket["full_at"] == epoch_milliseconds(world.clock() + timedelta(minutes=full_in))


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


@pytest.mark.req("S16")
def test_sign_out_ends_both_cookies_in_the_browser(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)
    ended = {name: cookie.attributes["max-age"] for name, cookie in browser.sign_out().cookies.items()}
    assert ended == {"__Host-session": "0", "__Host-challenge": "0"}


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
    code = code_asked_for(world, browser, claire.email)
    stored = repr(world.items("SignInTable")) + repr(world.deliveries())
    secret = (browser.challenge_cookie or "")[:32]
    assert code not in stored
    assert secret not in stored
    assert claire.email not in stored
