"""Sessions: they end by idleness, by age and by signing out, and only the voter's own doings keep
them alive.
"""

from __future__ import annotations

import pytest
from reassort.caller_codes import current_code
from reassort.cookies import read_cookie, write_cookie
from reassort.sessions import SESSION_COOKIE, Token

from harness.service.world import PHONE, Browser, Enrolled, World

CALLS = [
    pytest.param("GET", "/api/reissue", None, id="overview"),
    pytest.param(
        "POST",
        "/api/reissue",
        {"revision": "-", "numen": "09E9900123ABC", "phone": PHONE, "channel": "sms", "consent": True},
        id="reissue",
    ),
    pytest.param("GET", "/api/reissue/7K3M9-QWX2T", None, id="status"),
    pytest.param("POST", "/api/reissue/7K3M9-QWX2T/redelivery", {"channel": "email"}, id="redelivery"),
]


@pytest.mark.req("S16")
def test_idle_session_ends_after_a_quarter_of_an_hour(world: World, browser: Browser) -> None:
    world.clock.move(minutes=15, seconds=-1)
    assert browser.overview().status == 200
    world.clock.move(minutes=15)
    ended = browser.overview()
    assert (ended.status, ended.code) == (401, "signed-out")


@pytest.mark.req("S16")
def test_session_ends_after_an_hour_whatever_happens(world: World, browser: Browser) -> None:
    answers = []
    for _ in range(6):
        answers.append(browser.overview().json["session"]["expires_in"])
        world.clock.move(minutes=10)
    # The last quarter of an hour is cut by the hour.
    assert answers == [900, 900, 900, 900, 900, 600]
    world.clock.move(seconds=-1)
    assert browser.overview().status == 200
    world.clock.move(seconds=1)
    assert browser.overview().code == "signed-out"


@pytest.mark.req("S16", "U5")
def test_looking_at_the_overview_keeps_the_session_and_polling_a_status_does_not(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.clock.move(minutes=10)
    assert browser.status(reference).status == 200
    world.clock.move(minutes=5)
    assert browser.status(reference).code == "signed-out"


def test_pages_that_load_together_write_the_session_once(world: World, browser: Browser) -> None:
    world.clock.move(minutes=1)
    with world.recorded() as calls:
        browser.overview()
        world.clock.move(seconds=29)
        browser.overview()
        assert [call.operation for call in world.calls].count("UpdateItem") == 1
        world.clock.move(seconds=1)
        browser.overview()
    assert [call.operation for call in calls].count("UpdateItem") == 2


@pytest.mark.req("S16")
def test_session_that_was_signed_out_meanwhile_is_not_brought_back(world: World, browser: Browser) -> None:
    world.clock.move(minutes=1)
    cookies = browser.cookies
    world.interleave("UpdateItem", lambda: world.call("DELETE", "/api/login", cookies=cookies))
    assert browser.overview().status == 200
    assert world.call("GET", "/api/reissue", cookies=cookies).code == "signed-out"


@pytest.mark.req("S16", "S22")
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@pytest.mark.parametrize("cookie", [None, "", "x.y", "A" * 22 + "." + "A" * 32])
def test_nothing_is_done_without_a_session(
    world: World, claire: Enrolled, cookie: str | None, method: str, path: str, body: object
) -> None:
    cookies = {} if cookie is None else {"__Host-session": cookie}
    refused = world.call(method, path, body, cookies, {"Idempotency-Key": "k" * 16})
    assert (refused.status, refused.code) == (401, "signed-out")
    assert world.voter(claire).generation == 1


@pytest.mark.req("S16", "S7")
def test_secret_of_one_voter_opens_nobody_elses_session(world: World, claire: Enrolled, paul: Enrolled) -> None:
    own = read_cookie(SESSION_COOKIE, world.signed_in(claire).session_cookie, world.keyed_hash)
    assert own is not None
    thief = world.browser()
    thief.hold(SESSION_COOKIE, write_cookie(SESSION_COOKIE, Token(paul.voter_id, own.secret), world.keyed_hash))
    assert thief.overview().code == "signed-out"


@pytest.mark.req("S22")
def test_challenge_is_no_session(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    browser.hold("__Host-session", browser.challenge_cookie or "")
    assert browser.overview().code == "signed-out"


@pytest.mark.req("S16")
@pytest.mark.parametrize("item", ["kept", "gone"])
def test_voter_who_left_the_roll_is_signed_out(world: World, claire: Enrolled, browser: Browser, item: str) -> None:
    if item == "kept":
        world.change_voter(claire, left_at=1)
    else:
        world.wire.operator.dynamodb.delete_item(
            TableName=world.tables["VotersTable"], Key={"voter_id": {"S": claire.voter_id}}
        )
    assert browser.overview().code == "signed-out"


# ---------------------------------------------------------------- the overview


def test_overview_before_any_reissue(world: World, claire: Enrolled, browser: Browser) -> None:
    assert browser.overview().json == {
        "election": {"id": "dijon-2018", "name": "Élections professionnelles 2018"},
        "window": {
            "opens_at": "2018-11-05T07:00:00Z",
            "closes_at": "2018-12-06T16:00:00Z",
            "open": True,
            "stopped": False,
        },
        "address": "c•••@ac-dijon.fr",
        "establishment": "Lycée Carnot, Dijon",
        "secretariat": "Secrétariat du lycée Carnot",
        "generation": 1,
        "voter": world.keyed_hash.revision(claire.voter_id, 0),
        "revision": browser.revision,
        "issued_at": "2018-11-30T09:15:00Z",
        "status": "active",
        "lock": None,
        "request": {"refused": None, "again_at": None},
        "last_reissue": None,
        "session": {"expires_in": 900},
        "caller_code": {
            "words": current_code(world.keyed_hash, claire.voter_id, world.clock(), 15).words,
            "expires_at": "2018-11-30T09:35:00Z",
        },
    }


def test_overview_after_a_reissue(world: World, paul: Enrolled) -> None:
    browser = world.signed_in(paul)
    world.clock.move(minutes=5)
    reissued = browser.reissue(paul.numen, "0692 12 34 56", "email").json
    shown = browser.overview().json
    assert shown["secretariat"] is None
    assert (shown["generation"], shown["issued_at"], shown["status"]) == (2, "2018-11-30T09:20:00Z", "active")
    assert shown["last_reissue"] == {
        "reference": reissued["reference"],
        "generation": 2,
        "channel": "email",
        "destination": "p•••@u-bourgogne.fr",
        "status": "queued",
        "at": "2018-11-30T09:20:00Z",
        "redeliverable": True,
    }


@pytest.mark.req("U9")
def test_overview_says_used_after_the_vote_and_frozen_after_a_dispute(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    world.vote(claire.identifier)
    world.change_voter(paul, frozen_at=1)
    assert world.signed_in(claire).overview().json["status"] == "used"
    assert world.signed_in(paul).overview().json["status"] == "frozen"


@pytest.mark.req("U9")
def test_overview_tells_when_the_window_is_closed(world: World, claire: Enrolled) -> None:
    world.clock.set(world.election.windows.reissue.closes_at)
    assert world.signed_in(claire).overview().json["window"]["open"] is False
