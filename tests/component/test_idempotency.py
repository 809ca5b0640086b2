"""The same request again, whatever became of the first answer, does nothing twice."""

from __future__ import annotations

import pytest

from harness.service.reading import identifier_in
from harness.service.wire import ProcessDiedError, aws_error
from harness.service.world import Browser, Enrolled, World
from tests.register_chain import broken_links

KEY = "4f9d2c7a-1b3e-4d5f-8a60"


def _issued_once(world: World, enrolled: Enrolled) -> bool:
    """Tell whether exactly one reissue of this voter exists, in every place where it leaves a
    trace.
    """
    entries = world.register(enrolled)
    return (
        world.voter(enrolled).generation == 2
        and [entry["change"] for entry in entries] == ["issued", "reissued"]
        and broken_links(entries) == []
        and len(world.items("IdentifiersTable")) == 2
        and len(world.deliveries()) == 1
    )


@pytest.mark.req("I6", "R2")
def test_repeated_request_gets_the_first_answer(world: World, claire: Enrolled, browser: Browser) -> None:
    first = browser.reissue(claire.numen, key=KEY)
    world.run_outbox()
    world.clock.move(minutes=1)
    again = browser.reissue(claire.numen, key=KEY)
    assert (again.status, again.json) == (first.status, first.json)
    world.run_outbox()
    assert _issued_once(world, claire)
    assert (len(world.sms), len(world.emails)) == (1, 1)


@pytest.mark.req("I6")
def test_repetition_is_known_by_what_was_meant_not_by_how_it_was_typed(claire: Enrolled, browser: Browser) -> None:
    first = browser.reissue("09E9900123ABC", "06 12 34 56 78", key=KEY)
    again = browser.reissue("09e 9900123 abc", "+33 6 12 34 56 78", key=KEY)
    assert (again.status, again.json) == (202, first.json)


@pytest.mark.req("I6", "R2")
def test_repetition_from_a_new_session_finds_the_first(world: World, claire: Enrolled) -> None:
    first = world.signed_in(claire).reissue(claire.numen, key=KEY)
    world.clock.move(hours=2)
    assert world.signed_in(claire).reissue(claire.numen, key=KEY).json == first.json
    assert _issued_once(world, claire)


@pytest.mark.req("I6", "R2")
@pytest.mark.parametrize("state", ["voted", "frozen", "window closed", "limit reached", "locked"])
def test_repetition_is_answered_even_when_a_new_request_would_be_refused(
    world: World, claire: Enrolled, browser: Browser, state: str
) -> None:
    first = browser.reissue(claire.numen, key=KEY)
    world.run_outbox()
    match state:
        case "voted":
            world.vote(identifier_in(world.sms[0].text))
        case "frozen":
            world.change_voter(claire, frozen_at=1)
        case "window closed":
            world.clock.set(world.election.windows.reissue.closes_at)
        case "limit reached":
            browser.reissue(claire.numen)
            browser.reissue(claire.numen)
        case "locked":
            for _ in range(5):
                browser.reissue("99Z9999999ZZZ")
    again = world.signed_in(claire).reissue(claire.numen, key=KEY)
    assert (again.status, again.json) == (202, first.json)


@pytest.mark.req("I6")
def test_repetition_after_the_other_channel_was_chosen_says_what_it_said(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    first = browser.reissue(claire.numen, channel="sms", key=KEY)
    world.run_outbox()
    browser.redeliver(first.json["reference"], "email")
    assert browser.reissue(claire.numen, channel="sms", key=KEY).json == first.json


@pytest.mark.req("I6")
@pytest.mark.parametrize(
    "changed",
    [{"numen": "09E9900123ABD"}, {"phone": "06 12 34 56 79"}, {"channel": "email"}],
    ids=["numen", "phone", "channel"],
)
def test_other_request_under_a_used_key_is_refused(
    world: World, claire: Enrolled, browser: Browser, changed: dict[str, str]
) -> None:
    browser.reissue(claire.numen, key=KEY)
    refused = browser.reissue(
        **{"numen": claire.numen, "phone": "06 12 34 56 78", "channel": "sms", **changed}, key=KEY
    )
    assert (refused.status, refused.code) == (422, "idempotency-mismatch")
    assert _issued_once(world, claire)
    assert world.voter(claire).numen_failures == 0


@pytest.mark.req("I6")
def test_key_is_the_voters_own(world: World, claire: Enrolled, paul: Enrolled) -> None:
    one = world.signed_in(claire).reissue(claire.numen, "06 12 34 56 78", key=KEY)
    other = world.signed_in(paul).reissue(paul.numen, "06 12 34 56 78", key=KEY)
    assert (one.status, other.status) == (202, 202)
    assert one.json["reference"] != other.json["reference"]


@pytest.mark.req("I6", "S32")
def test_nobody_is_answered_with_the_request_of_another(world: World, claire: Enrolled, paul: Enrolled) -> None:
    """Two voters may share a reference: once in a thousand elections."""
    browser = world.signed_in(claire)
    reference = browser.reissue(claire.numen, key=KEY).json["reference"]
    world.change_delivery(reference, voter_id=paul.voter_id)
    refused = browser.reissue(claire.numen, key=KEY)
    assert (refused.status, refused.code) == (422, "idempotency-mismatch")


@pytest.mark.req("I1")
def test_other_key_is_another_reissue(world: World, claire: Enrolled, browser: Browser) -> None:
    generations = [browser.reissue(claire.numen, key=KEY + suffix).json["generation"] for suffix in "abc"]
    assert generations == [2, 3, 4]


# ---------------------------------------------------------------- lost replies and crashes


@pytest.mark.req("R2", "I6", "I2")
def test_committed_and_the_reply_lost(world: World, claire: Enrolled, browser: Browser) -> None:
    world.lose_reply("TransactWriteItems")
    lost = browser.reissue(claire.numen, key=KEY)
    assert (lost.status, lost.code) == (503, "unavailable")
    assert _issued_once(world, claire)
    answered = browser.reissue(claire.numen, key=KEY)
    assert (answered.status, answered.json["generation"], answered.json["replaces"]) == (202, 2, 1)
    world.run_outbox()
    assert _issued_once(world, claire)
    assert (len(world.sms), len(world.emails)) == (1, 1)
    assert answered.json["reference"] in world.sms[0].text
    assert world.check(identifier_in(world.sms[0].text))["status"] == "active"


@pytest.mark.req("R2", "R15", "I6")
def test_committed_and_answered_as_a_conflict(world: World, claire: Enrolled, browser: Browser) -> None:
    # What the SDK's own retry meets when the first attempt's reply was lost and it had another
    # identifier.
    world.lose_reply("TransactWriteItems", error=aws_error("IdempotentParameterMismatchException"))
    answered = browser.reissue(claire.numen, key=KEY)
    assert answered.status == 202
    assert _issued_once(world, claire)


@pytest.mark.req("R1", "I1")
@pytest.mark.parametrize("operation", ["BatchGetItem", "Encrypt", "TransactWriteItems"])
def test_process_dies_before_the_commit(world: World, claire: Enrolled, browser: Browser, operation: str) -> None:
    world.fail(operation, ProcessDiedError())
    with pytest.raises(ProcessDiedError):
        browser.reissue(claire.numen, key=KEY)
    world.run_for(minutes=2)
    assert world.check(claire.identifier)["status"] == "active"
    assert not world.sms + world.emails
    assert browser.reissue(claire.numen, key=KEY).status == 202
    assert _issued_once(world, claire)


@pytest.mark.req("R2", "I2", "I4")
def test_process_dies_after_the_commit(world: World, claire: Enrolled, browser: Browser) -> None:
    world.lose_reply("TransactWriteItems", ProcessDiedError())
    with pytest.raises(ProcessDiedError):
        browser.reissue(claire.numen, key=KEY)
    world.run_outbox()
    assert (len(world.sms), len(world.emails)) == (1, 1)
    assert browser.reissue(claire.numen, key=KEY).json["reference"] in world.sms[0].text
    assert _issued_once(world, claire)


@pytest.mark.req("R15", "I6")
def test_same_request_that_slips_in_is_answered_alike(world: World, claire: Enrolled, browser: Browser) -> None:
    twin = world.signed_in(claire)
    answers = []
    world.interleave("TransactWriteItems", lambda: answers.append(twin.reissue(claire.numen, key=KEY)))
    answers.append(browser.reissue(claire.numen, key=KEY))
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].json == answers[1].json
    assert _issued_once(world, claire)


@pytest.mark.req("I6")
def test_transaction_has_a_token_of_its_content(world: World, claire: Enrolled, browser: Browser) -> None:
    with world.recorded() as calls:
        browser.reissue(claire.numen)
        browser.reissue(claire.numen)
    tokens = [call.parameters["ClientRequestToken"] for call in calls if call.operation == "TransactWriteItems"]
    assert len(set(tokens)) == 2
    assert all(1 <= len(token) <= 36 for token in tokens)


# ---------------------------------------------------------------- sign-in and votes


@pytest.mark.req("S6", "I6")
def test_code_whose_answer_was_lost_asks_for_a_new_one(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    world.lose_reply("TransactWriteItems")
    assert browser.redeem(world.code_for(claire.email)).status == 503
    assert browser.redeem(world.code_for(claire.email)).code == "code-used"
    world.clock.move(minutes=1)
    assert browser.sign_in(claire.email).status == 200


@pytest.mark.req("I5", "I6", "I9")
def test_vote_whose_answer_was_lost_counted_once(world: World, claire: Enrolled) -> None:
    world.lose_reply("TransactWriteItems")
    assert world.vote(claire.identifier).status == 503
    again = world.vote(claire.identifier)
    assert (again.status, again.code) == (409, "already-voted")
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "voted"]
