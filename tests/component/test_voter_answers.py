"""What the routes of voters and of the voting platform answer and log around their rules."""

from __future__ import annotations

from typing import Any

import pytest

from harness.elections import DATE_OF_BIRTH, read_election
from harness.service.openapi import raise_if_undescribed
from harness.service.reading import dispute_token_in
from harness.service.world import Browser, Enrolled, World
from tests.component.log_lines import told
from tests.component.voters import code_asked_for, reissued

KEY = "4f9d2c7a-1b3e-4d5f-8a60"
WRONG = "09E9911111ZZZ"
REFERENCE = "7K3M9-QWX2T"


def words(browser: Browser, path: str, body: Any = None) -> dict[str, str]:
    """Return what is said of each field of a body that is refused."""
    refused = browser.call("POST", path, body or {}, {"Idempotency-Key": KEY})
    assert refused.code == "invalid-fields"
    return {fault["field"]: fault["message"] for fault in refused.json["errors"]}


def are_their_own(said: dict[str, str]) -> bool:
    return not any("Cette valeur n’est pas acceptée" in message for message in said.values())


# ---------------------------------------------------------------- fields


@pytest.mark.req("U9")
@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/api/login", {}, ["email"]),
        ("/api/login/code", {}, ["code"]),
        ("/api/reissue", {}, ["revision", "numen", "phone", "channel", "consent"]),
        (f"/api/reissue/{REFERENCE}/redelivery", {"numen": ""}, ["channel", "numen"]),
        ("/api/dispute", {}, ["token"]),
        ("/api/dispute/look", {}, ["token"]),
        ("/registry/check", {}, ["identifier"]),
        ("/registry/votes", {}, ["identifier"]),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_words_of_its_own(
    browser: Browser, path: str, body: object, fields: list[str]
) -> None:
    said = words(browser, path, body)
    assert list(said) == fields
    assert are_their_own(said)


@pytest.mark.req("U9")
def test_with_a_further_proof_every_field_has_words_of_its_own() -> None:
    with World(read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)) as world:
        voter = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", extra_proof="1968-03-17")
        said = words(world.signed_in(voter), "/api/reissue")
        assert said["extra_proof"] == DATE_OF_BIRTH["fault"]
        assert (len(said), are_their_own(said)) == (6, True)


@pytest.mark.req("U9")
def test_what_can_be_no_address_and_no_code_is_named_with_an_example(world: World) -> None:
    example = world.election.domains[0].example
    for body in ({}, {"email": "claire.martin"}, {"email": "a b@ac-dijon.fr"}):
        assert f"par exemple {example}." in words(world.browser(), "/api/login", body)["email"]
    assert "vous en avez saisi 5" in words(world.browser(), "/api/login/code", {"code": "12345"})["code"]
    assert "les 6 chiffres" in words(world.browser(), "/api/login/code", {"code": "abcde"})["code"]


@pytest.mark.req("U9")
def test_an_address_of_elsewhere_is_told_every_domain_and_whose_it_is(world: World) -> None:
    refused = world.browser().ask_code("claire.martin@gmail.com").json
    domains = world.election.domains
    accepted = ", ".join(f"@{one.domain}" for one in domains)
    assert refused["errors"] == [
        {
            "field": "email",
            "code": "email-domain",
            "message": f"Utilisez votre adresse électronique professionnelle ({accepted}).",
        }
    ]
    assert ", ".join(f"{one.example} ({one.staff})" for one in domains) in refused["detail"]


@pytest.mark.req("S10", "U9")
def test_a_numen_that_a_redelivery_asks_for_or_refuses_is_named(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    path = f"/api/reissue/{reissued(world, browser, claire)}/redelivery"
    other = world.signed_in(claire)
    assert words(other, path, {"channel": "email"}).keys() == {"numen"}
    assert "13 caractères, le vôtre en a 4" in words(other, path, {"channel": "email", "numen": "09E9"})["numen"]


@pytest.mark.req("S29")
@pytest.mark.parametrize("reference", ["x", "7K3M9", "A" * 300])
def test_what_can_be_no_reference_is_looked_for_nowhere(world: World, browser: Browser, reference: str) -> None:
    with world.recorded() as calls:
        answers = [browser.status(reference), browser.redeliver(reference, "email")]
    assert {answer.code for answer in answers} == {"not-found"}
    assert calls == []


@pytest.mark.req("S16")
def test_without_a_session_nothing_is_read_and_the_voter_is_told(world: World) -> None:
    somebody = world.browser()
    with world.recorded() as calls:
        answers = [
            somebody.overview(),
            somebody.reissue(WRONG),
            somebody.status(REFERENCE),
            somebody.redeliver(REFERENCE, "email"),
        ]
    assert {(answer.status, answer.code) for answer in answers} == {(401, "signed-out")}
    assert calls == []


# ---------------------------------------------------------------- cookies and ages


@pytest.mark.req("S17", "U18")
def test_a_cookie_lives_as_long_as_what_it_stands_for_and_a_codes_an_hour_more(world: World, claire: Enrolled) -> None:
    browser, session = world.browser(), world.election.limits.session
    asked = browser.ask_code(claire.email)
    assert asked.cookies["__Host-challenge"].attributes["max-age"] == str(asked.json["expires_in"] + 3600)
    world.run_outbox()
    redeemed = browser.redeem(world.code_for(claire.email))
    assert redeemed.json == {"expires_in": session.idle_minutes * 60}
    assert redeemed.cookies["__Host-session"].attributes["max-age"] == str(session.absolute_minutes * 60)


@pytest.mark.req("U18", "S7")
def test_a_browser_holds_the_challenges_of_two_addresses_the_latest_first(world: World, claire: Enrolled) -> None:
    browser, held = world.browser(), []
    for email in (claire.email, "paul.petit@u-bourgogne.fr", "jean.bon@ac-dijon.fr"):
        browser.ask_code(email)
        held.append((browser.challenge_cookie or "").split("."))
    assert [len(challenges) for challenges in held] == [1, 2, 2]
    assert [held[2][1], held[1][1]] == [held[1][0], held[0][0]]
    # Who asks again for one of them has one challenge of it.
    browser.ask_code("paul.petit@u-bourgogne.fr")
    again = (browser.challenge_cookie or "").split(".")
    assert (len(again), again[1]) == (2, held[2][0])


# ---------------------------------------------------------------- logs


@pytest.mark.req("S24")
def test_what_is_asked_and_redeemed_is_logged_by_pseudonym(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    code = code_asked_for(world, browser, claire.email)
    browser.ask_code(claire.email)
    assert told(world, "code asked") == [{"voter": claire.voter_id, "queued": queued} for queued in (1, 0)]
    world.browser().redeem(code)
    browser.redeem("000000" if code != "000000" else "111111")
    assert told(world, "code refused") == [
        {"code": "no-challenge"},
        {"voter": claire.voter_id, "code": "wrong-code"},
    ]
    browser.redeem(code)
    browser.sign_out()
    assert told(world, "signed in") == told(world, "signed out") == [{"voter": claire.voter_id}]


@pytest.mark.req("S24")
def test_more_codes_in_a_day_than_the_election_says_ring(world: World, claire: Enrolled) -> None:
    most = world.election.limits.code.alarm_per_day
    world.browser().ask_code(claire.email)
    key = {"voter_id": claire.voter_id, "key": "codes"}
    bucket = world.engine.get("SignInTable", key)
    assert bucket is not None
    world.engine.put("SignInTable", bucket | {"codes_20181130": most - 1})
    for expected in ([], [{"voter": claire.voter_id, "today": most + 1}]):
        world.clock.move(minutes=5)
        assert world.browser().ask_code(claire.email).json["sent"] is True
        assert told(world, "many codes asked") == expected


@pytest.mark.req("S24")
def test_a_reissue_and_what_follows_it_is_logged_by_pseudonym(world: World, claire: Enrolled, browser: Browser) -> None:
    voter = {"voter": claire.voter_id}
    reference = reissued(world, browser, claire)
    assert told(world, "reissued") == [{**voter, "reference": reference, "generation": 2, "channel": "sms"}]
    token = dispute_token_in(world.mail_about(reference)[-1])
    assert browser.redeliver(reference, "email").json == {
        "reference": reference,
        "generation": 2,
        "channel": "email",
        "destination": "c•••@ac-dijon.fr",
    }
    assert told(world, "redelivery queued") == [{**voter, "reference": reference}]
    assert browser.call("POST", "/api/dispute/look", {"token": token}).status == 200
    assert told(world, "reissue disputed") == []
    browser.dispute(token)
    assert told(world, "reissue disputed") == [{"reference": reference}]


@pytest.mark.req("S24", "S10")
@pytest.mark.parametrize(("failures", "code", "locks"), [(0, "numen-mismatch", 0), (4, "locked", 1)])
def test_a_wrong_numen_is_logged_with_whether_it_locks(
    world: World, claire: Enrolled, browser: Browser, failures: int, code: str, locks: int
) -> None:
    wrong = {"voter": claire.voter_id, "locks": locks}
    reference = reissued(world, browser, claire)
    world.change_voter(claire, numen_failures=failures)
    assert world.signed_in(claire).redeliver(reference, "email", numen=WRONG).code == code
    assert told(world, "numen wrong") == [wrong]
    world.change_voter(claire, numen_failures=failures, numen_locked_until=0)
    assert browser.reissue(WRONG).code == code
    assert told(world, "numen wrong") == [wrong, wrong]
    assert told(world, "reissue refused") == [{"voter": claire.voter_id, "code": code}]


@pytest.mark.req("S24")
def test_a_refusal_of_a_reissue_that_is_no_wrong_numen_is_none(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    world.vote(claire.identifier)
    assert browser.reissue(claire.numen).code == "already-voted"
    assert told(world, "reissue refused") == [{"voter": claire.voter_id, "code": "already-voted"}]
    assert told(world, "numen wrong") == []


@pytest.mark.req("S24")
def test_each_vote_and_each_refusal_of_one_is_logged(world: World, claire: Enrolled) -> None:
    answers = [world.vote(claire.identifier) for _ in range(2)]
    assert (answers[0].json, answers[1].code) == ({"counted": True}, "already-voted")
    assert told(world, "vote recorded") == [{"voter": claire.voter_id, "generation": 1}]
    assert told(world, "vote refused") == [{"code": "already-voted"}]
    for answer in answers:
        raise_if_undescribed(answer)
