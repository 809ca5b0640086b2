"""What the logs tell of who did what: each event once, by pseudonym and correlation id, and nothing
that is a person's.
"""

from __future__ import annotations

import pytest

from harness.service.reading import dispute_token_in
from harness.service.world import SITE_ORIGIN, Enrolled, World

WRONG = "09E9911111ZZZ"
# What a line may hold beside its message; anything else needs a look at whether it is a person's.
FACTS = {
    "timestamp",
    "level",
    "message",
    "service",
    "location",
    "correlation_id",
    "voter",
    "code",
    "resource",
    "queued",
    "reference",
    "generation",
    "channel",
    "delivery",
    "message_name",
    "reason",
    "domain",
    "round",
    "attempt",
    "attempts",
    "seconds",
    "duplicate",
    "kind",
    "locks",
    "today",
    "milliseconds",
}


@pytest.mark.req("S24", "S23")
def test_each_event_is_logged_once_with_a_pseudonym_and_a_correlation_id(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    right = world.code_for(claire.email)
    browser.redeem("000000" if right != "000000" else "111111")
    browser.redeem(right)
    for _ in range(5):
        browser.reissue(WRONG)
    world.clock.move(minutes=16)
    browser.sign_in(claire.email)
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    confirmation = next(email for email in world.mail_to(claire.email) if "Confirmation" in email.subject)
    token = dispute_token_in(confirmation)
    world.call("POST", "/api/dispute", {"token": token}, headers={"Origin": SITE_ORIGIN})
    browser.sign_out()
    world.vote(paul.identifier)
    world.vote(paul.identifier)

    lines = [line for line in world.log_lines if "message" in line]

    def told(message: str) -> list[dict[str, object]]:
        return [line for line in lines if line["message"] == message]

    assert [line["voter"] for line in told("code asked")] == [claire.voter_id] * 2
    assert [(line["voter"], line["code"]) for line in told("code refused")] == [(claire.voter_id, "wrong-code")]
    assert [line["voter"] for line in told("signed in")] == [claire.voter_id] * 2
    assert [line["code"] for line in told("reissue refused")] == ["numen-mismatch"] * 4 + ["locked"]
    (issued,) = told("reissued")
    assert (issued["voter"], issued["reference"], issued["generation"]) == (claire.voter_id, reference, 2)
    assert [line["reference"] for line in told("reissue disputed")] == [reference]
    assert [line["voter"] for line in told("signed out")] == [claire.voter_id]
    assert [line["voter"] for line in told("vote recorded")] == [paul.voter_id]
    assert [line["code"] for line in told("vote refused")] == ["already-voted"]
    # What delivery writes is tied together by the delivery, which the line of the reissue names as
    # well.
    assert all(line.get("correlation_id") or line.get("delivery") for line in lines)
    assert {name for line in lines for name in line} <= FACTS


@pytest.mark.req("S24")
def test_lines_of_one_request_share_its_id_and_no_other_has_it(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)
    browser.reissue(WRONG)
    browser.reissue(WRONG)
    lines = [line for line in world.log_lines if "message" in line]
    refused = [line for line in lines if line["message"] == "reissue refused"]
    assert len({line["correlation_id"] for line in refused}) == 2
    for line in refused:
        (with_it,) = [
            other
            for other in lines
            if other.get("correlation_id") == line["correlation_id"] and other["message"] == "request refused"
        ]
        assert with_it["code"] == line["code"]
