"""A code opens one session of its voter, in the browser that asked for it."""

from __future__ import annotations

import statistics
from datetime import timedelta

import pytest
from reassort.clock import epoch_seconds
from reassort.problems import WORDINGS, Code

from harness.service.world import Enrolled, World
from tests.component.voters import code_asked_for


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.mark.req("S6", "S22")
def test_code_works_once(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    challenge = browser.challenge_cookie
    assert challenge is not None
    assert browser.redeem(code).status == 200
    browser.hold("__Host-challenge", challenge)
    for typed in (code, _wrong(code)):
        replayed = browser.redeem(typed)
        assert (replayed.status, replayed.code) == (401, "code-used")


@pytest.mark.req("S6")
def test_two_requests_with_one_code_at_once_open_one_session(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
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
    code = code_asked_for(world, browser, claire.email)
    assert other.redeem(code).code == "no-challenge"
    world.clock.move(minutes=1)
    other_code = code_asked_for(world, other, claire.email)
    if other_code != code:
        assert other.redeem(code).code == "wrong-code"
        assert browser.redeem(other_code).code == "wrong-code"
    assert browser.redeem(code).status == 200


@pytest.mark.req("S7")
@pytest.mark.parametrize("cookie", ["", "x", "a.b", "A" * 76, "é" * 76])
def test_forged_challenge_is_worth_nothing(world: World, claire: Enrolled, cookie: str) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    browser.hold("__Host-challenge", cookie)
    assert (browser.redeem(code).status, browser.redeem(code).code) == (401, "no-challenge")


@pytest.mark.req("S5")
def test_code_lives_ten_minutes(world: World, claire: Enrolled) -> None:
    for seconds, status in ((599.9, 200), (600, 401)):
        browser = world.browser()
        code = code_asked_for(world, browser, claire.email)
        world.clock.move(seconds=seconds)
        answer = browser.redeem(code)
        assert (answer.status, answer.code if status == 401 else "code-expired") == (status, "code-expired")
        world.clock.move(minutes=10)


@pytest.mark.req("S5")
def test_after_ten_minutes_no_code_is_compared_any_more(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    world.clock.move(minutes=10)
    refused = browser.redeem(_wrong(code))
    assert (refused.code, refused.json.get("attempts_left")) == ("code-expired", None)


@pytest.mark.req("S5")
def test_resend_does_not_prolong_an_older_code(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    first = code_asked_for(world, browser, claire.email)
    world.clock.move(minutes=9)
    second = code_asked_for(world, browser, claire.email)
    world.clock.move(minutes=1)
    if first != second:
        refused = browser.redeem(first)
        assert (refused.status, refused.code, refused.json["attempts_left"]) == (401, "code-expired", 4)
    assert browser.redeem(second).status == 200


@pytest.mark.req("S23")
def test_challenge_is_kept_for_a_day_after_its_last_code_has_ended(world: World, claire: Enrolled) -> None:
    """As long as the code's delivery, by which the helpdesk tells a caller what became of it."""
    browser = world.browser()
    for _ in range(2):
        browser.ask_code(claire.email)
        (challenge,) = [item for item in world.items("SignInTable") if item["key"].startswith("challenge#")]
        ends_at = world.clock() + timedelta(minutes=10)
        assert challenge["expires_at"] == epoch_seconds(ends_at + timedelta(days=1))
        world.clock.move(minutes=5)


@pytest.mark.parametrize("chosen", [1, 2, 3])
def test_three_latest_codes_stay_valid(world: World, claire: Enrolled, chosen: int) -> None:
    browser = world.browser()
    codes = []
    for _ in range(4):
        codes.append(code_asked_for(world, browser, claire.email))
        world.clock.move(minutes=1)
    if codes[0] not in codes[1:]:
        assert browser.redeem(codes[0]).status == 401
    assert browser.redeem(codes[chosen]).status == 200


@pytest.mark.req("U18", "S7")
def test_slip_of_the_address_leaves_the_first_code_alive(world: World, claire: Enrolled, paul: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    browser.ask_code(paul.email)
    asked = browser.ask_code(claire.email)
    assert asked.json["sent"] is False
    assert browser.redeem(code).status == 200


@pytest.mark.req("U18", "S8")
def test_slip_does_not_bring_back_tries(world: World, claire: Enrolled, paul: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 4
    browser.ask_code(paul.email)
    browser.ask_code(claire.email)
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 3


@pytest.mark.req("U18", "S7")
def test_second_device_is_told_that_no_code_left_for_it(world: World, claire: Enrolled) -> None:
    telephone, desk = world.browser(), world.browser()
    code = code_asked_for(world, telephone, claire.email)
    assert desk.ask_code(claire.email).json["sent"] is False
    assert desk.redeem(code).code == "no-challenge"
    assert telephone.redeem(code).status == 200


@pytest.mark.req("U18")
def test_four_refusals_of_a_code_have_four_texts() -> None:
    codes = [Code.WRONG_CODE, Code.CODE_EXPIRED, Code.CODE_USED, Code.NO_CHALLENGE]
    assert len({WORDINGS[code].title for code in codes}) == len({WORDINGS[code].detail for code in codes}) == 4


@pytest.mark.req("S8")
def test_sixth_try_is_refused_even_if_right(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    left = [browser.redeem(_wrong(code)).json["attempts_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    refused = browser.redeem(code)
    assert (refused.status, refused.code, refused.json["attempts_left"]) == (429, "too-many-tries", 0)
    assert 0 < int(refused.headers["retry-after"]) <= 600


@pytest.mark.req("S8")
def test_new_code_does_not_reset_the_count(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    for expected in ([4, 3], [2, 1]):
        code = code_asked_for(world, browser, claire.email)
        assert [browser.redeem(_wrong(code)).json["attempts_left"] for _ in expected] == expected
        world.clock.move(minutes=1)
    code = code_asked_for(world, browser, claire.email)
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 0
    assert browser.redeem(code).code == "too-many-tries"


@pytest.mark.req("S8")
def test_try_is_counted_before_anything_is_compared(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
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
    code = code_asked_for(world, browser, claire.email)
    for _ in range(5):
        browser.redeem(_wrong(code))
    wait = int(browser.redeem(code).headers["retry-after"])
    world.clock.move(seconds=wait)
    assert browser.sign_in(claire.email).status == 200


@pytest.mark.req("S12")
def test_used_up_tries_of_one_browser_do_not_bind_another(world: World, claire: Enrolled) -> None:
    attacker = world.browser()
    code = code_asked_for(world, attacker, claire.email)
    for _ in range(6):
        attacker.redeem(_wrong(code))
    world.clock.move(minutes=1)
    assert world.browser().sign_in(claire.email).status == 200


@pytest.mark.parametrize("typed", ["12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 5", "-12345", "1e5000"])
def test_what_is_no_code_is_a_field_fault_and_no_try(world: World, claire: Enrolled, typed: str) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    refused = browser.redeem(typed)
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert browser.redeem(_wrong(code)).json["attempts_left"] == 4


def test_code_may_be_typed_with_blanks(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    assert browser.redeem(f" {code[:3]} {code[3:]} ").status == 200


@pytest.mark.req("S4")
def test_codes_are_spread_over_all_six_digit_numbers(world: World, claire: Enrolled) -> None:
    codes = []
    browser = world.browser()
    for _ in range(12):
        codes.append(int(code_asked_for(world, browser, claire.email)))
        world.clock.move(minutes=15)
    # The mean of 12 fair draws leaves these bounds once in 10**6; two draws in 12 agree once in
    # 15,000.
    assert 100_000 < statistics.mean(codes) < 900_000
    assert len(set(codes)) > 10
