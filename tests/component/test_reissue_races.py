"""A reissue acts for what its page showed, whatever slips in between."""

from __future__ import annotations

import pytest
from reassort_ops.election_control import close_reissues

from harness.service.world import Browser, Enrolled, World
from tests.component.operators import operator_of
from tests.component.voters import state_of

KEY = "4f9d2c7a-1b3e-4d5f-8a60"


# ------------------------------------------------------------ a page acts for what it showed


@pytest.mark.req("S40")
def test_page_of_another_voter_acts_for_nobody(world: World, claire: Enrolled, paul: Enrolled) -> None:
    """Two tabs of one browser: the page shows Claire, and Paul has signed in since."""
    shown = world.signed_in(claire).revision
    browser = world.signed_in(paul)
    before = state_of(world)
    for numen in (claire.numen, paul.numen, "09E0000000XYZ"):
        refused = browser.reissue(numen, revision=shown)
        assert (refused.status, refused.code, refused.json["same_voter"]) == (409, "stale-page", False)
    assert state_of(world) == before


@pytest.mark.req("S40")
def test_review_that_says_n_1_does_not_replace_n_2(world: World, claire: Enrolled) -> None:
    first, second = world.signed_in(claire), world.signed_in(claire)
    shown = second.overview().json["revision"]
    assert first.reissue(claire.numen).status == 202
    before = state_of(world)
    refused = second.reissue(claire.numen, revision=shown)
    assert (refused.status, refused.code, refused.json["same_voter"]) == (409, "stale-page", True)
    assert state_of(world) == before
    assert second.reissue(claire.numen, revision=second.overview().json["revision"]).status == 202


@pytest.mark.req("S40", "S10")
def test_wrong_numen_of_a_stale_page_is_not_counted(world: World, claire: Enrolled, browser: Browser) -> None:
    assert browser.reissue("09E0000000XYZ", revision="A" * 22).code == "stale-page"
    assert world.voter(claire).numen_failures == 0


@pytest.mark.req("S40", "S32")
def test_revision_says_nothing_and_is_kept_nowhere(world: World, claire: Enrolled, paul: Enrolled) -> None:
    shown = {world.signed_in(voter).overview().json["revision"] for voter in (claire, claire, paul)}
    assert len(shown) == 2
    assert not [one for one in shown if one in repr([world.items(table) for table in world.tables]) + world.log_text]


@pytest.mark.req("S40", "U16")
def test_voter_of_a_page_is_one_at_every_generation_and_no_revision(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    """What a page holds two voters apart by, though their addresses are masked alike."""
    browser = world.signed_in(claire)
    shown = browser.overview().json["voter"]
    refused = browser.reissue(claire.numen, revision=shown)
    assert (refused.code, refused.json["same_voter"]) == ("stale-page", False)
    assert browser.reissue(claire.numen).status == 202
    assert browser.overview().json["voter"] == shown
    assert world.signed_in(paul).overview().json["voter"] != shown
    assert shown not in repr([world.items(table) for table in world.tables]) + world.log_text


@pytest.mark.req("S40", "I6")
def test_request_that_is_repeated_gets_its_first_answer_though_its_page_is_stale(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    shown = browser.revision
    first = browser.reissue(claire.numen, key=KEY, revision=shown)
    again = browser.reissue(claire.numen, key=KEY, revision=shown)
    assert (again.status, again.json) == (202, first.json)


@pytest.mark.req("S40", "I6")
def test_request_whose_twin_commits_between_the_reads_of_a_batch_gets_the_first_answer(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    shown = browser.revision
    first = browser.reissue(claire.numen, key=KEY, revision=shown)
    world.wire.tear_next_batch(world.tables["DeliveriesTable"])
    again = browser.reissue(claire.numen, key=KEY, revision=shown)
    assert (again.status, again.json) == (202, first.json)


@pytest.mark.req("S40", "I6")
def test_request_whose_delivery_is_gone_is_told_that_its_page_is_stale(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    shown = browser.revision
    reference = browser.reissue(claire.numen, key=KEY, revision=shown).json["reference"]
    key = {"delivery_id": {"S": reference}}
    world.wire.operator.dynamodb.delete_item(TableName=world.tables["DeliveriesTable"], Key=key)
    assert browser.reissue(claire.numen, key=KEY, revision=shown).code == "stale-page"


# ------------------------------------------------------------ concurrency that one process can show


@pytest.mark.req("R3", "I1")
def test_second_form_that_slips_in_wins_and_the_first_is_told(world: World, claire: Enrolled, browser: Browser) -> None:
    other = world.signed_in(claire)
    world.interleave("TransactWriteItems", lambda: other.reissue(claire.numen))
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code, refused.json["same_voter"]) == (409, "stale-page", True)
    assert world.voter(claire).generation == 2
    world.run_outbox()
    assert len(world.sms) == 1


@pytest.mark.req("S13", "R15")
@pytest.mark.parametrize("slip", ["reissue", "stop"])
@pytest.mark.parametrize("other", ["number is used up", "former identifier is being sent"])
def test_what_slips_in_is_told_before_what_passes(
    world: World, claire: Enrolled, browser: Browser, slip: str, other: str
) -> None:
    """The voter who came second would wait, or try another number, for nothing."""
    former = browser.reissue(claire.numen).json["reference"]
    twin = world.signed_in(claire)

    def slip_in() -> None:
        if slip == "reissue":
            assert twin.reissue(claire.numen, channel="email").status == 202
            world.change_voter(claire, last_reference=former)
        else:
            close_reissues(world.election, "leak", operator_of(world))
        if other == "number is used up":
            (limit,) = world.items("LimitsTable")
            world.engine.put("LimitsTable", {**limit, "voters": {"a", "b", "c"}})
        else:
            world.change_message(former, "identifier", status="sending", lease_until=2**45)

    world.interleave("TransactWriteItems", slip_in)
    told = {"reissue": "stale-page", "stop": "reissues-stopped"}[slip]
    assert browser.reissue(claire.numen).code == told


@pytest.mark.req("R15")
def test_conflict_is_tried_again_and_then_succeeds(world: World, claire: Enrolled, browser: Browser) -> None:
    world.fail("TransactWriteItems", "TransactionInProgressException", times=2)
    assert browser.reissue(claire.numen).status == 202
    assert world.voter(claire).generation == 2


@pytest.mark.req("R15", "I6")
@pytest.mark.parametrize("operation", ["BatchGetItem", "TransactWriteItems", "Encrypt"])
@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"]
)
def test_busy_tables_end_in_503_with_nothing_half_done(
    world: World, claire: Enrolled, browser: Browser, operation: str, code: str
) -> None:
    world.fail(operation, code, times=-1)
    before = state_of(world)
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    # Tables that are busy are no fault of the service.
    assert ("request failed" in world.log_text) == (operation == "Encrypt" or code == "InternalServerError")
    assert len([call for call in world.calls if call.operation == operation]) <= 8
    assert state_of(world) == before
    world.repair()
    assert browser.reissue(claire.numen).status == 202


@pytest.mark.req("R13", "S25")
def test_without_kms_nothing_is_issued(world: World, claire: Enrolled, browser: Browser) -> None:
    world.fail("Encrypt", "KMSInternalException", times=-1)
    assert browser.reissue(claire.numen).status == 503
    assert world.voter(claire).generation == 1
    assert world.check(claire.identifier)["status"] == "active"
    world.repair()
    assert browser.reissue(claire.numen).status == 202
