"""What the voting platform is told, and the one winner between a vote and a reissue."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from registry.routes import HANDLE_HEADER, SEQUENCE_HEADER

from harness.service.openapi import operations
from harness.service.reading import dispute_token_in, identifier_in
from tests.register_chain import broken_links

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def test_first_identifier_is_active(world: World, claire: Enrolled) -> None:
    assert world.check(claire.identifier) == {"status": "active", "generation": 1, "superseded_at": None}


@pytest.mark.parametrize("typed", ["7k3m 9qwx 2tbd hv5s", "7K3M9QWX2TBDHV5S", " 7K3M-9QWX-2TBD-HV5S "])
def test_identifier_may_be_typed_as_it_was_dictated(world: World, claire: Enrolled, typed: str) -> None:
    assert world.check(typed)["status"] == "active"


@pytest.mark.parametrize(
    "typed", ["7K3M-9QWX-2TBD-HV5Z", "7k3m-9qwx-2tbd-hv5\u017f", "0000-0000-0000-0000", "x", "🗳" * 20, "' OR 1=1"]
)
def test_what_was_never_issued_is_unknown(world: World, claire: Enrolled, typed: str) -> None:
    assert world.check(typed) == {"status": "unknown", "generation": None, "superseded_at": None}


@pytest.mark.req("I1")
def test_reissue_revokes_the_former_identifier_and_says_since_when(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    world.clock.move(hours=1)
    browser = world.signed_in(claire)
    browser.reissue(claire.numen)
    world.run_outbox()
    former = world.check(claire.identifier)
    assert (former["status"], former["generation"]) == ("revoked", 1)
    assert former["superseded_at"] == "2018-11-30T10:15:00Z"
    assert world.check(identifier_in(world.sms[-1].text)) == {
        "status": "active",
        "generation": 2,
        "superseded_at": None,
    }


@pytest.mark.req("I5", "I6")
def test_vote_counts_once_and_closes_reissues(world: World, claire: Enrolled, browser: Browser) -> None:
    assert (world.vote(claire.identifier).status, world.check(claire.identifier)["status"]) == (200, "used")
    again = world.vote(claire.identifier)
    assert (again.status, again.code) == (409, "already-voted")
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "already-voted")
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "voted"]


@pytest.mark.req("I5")
def test_revoked_identifier_cannot_vote(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (409, "revoked")
    assert world.voter(claire).voted_at is None


@pytest.mark.req("I5")
def test_reissue_that_slips_into_a_vote_wins(world: World, claire: Enrolled, browser: Browser) -> None:
    world.interleave("TransactWriteItems", lambda: browser.reissue(claire.numen))
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (409, "revoked")
    assert world.voter(claire).generation == 2


@pytest.mark.req("I5")
def test_vote_that_slips_into_a_reissue_wins(world: World, claire: Enrolled, browser: Browser) -> None:
    world.interleave("TransactWriteItems", lambda: world.vote(claire.identifier))
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "already-voted")
    assert world.voter(claire).generation == 1


@pytest.mark.req("I5", "I6")
def test_frozen_identifier_cannot_vote(world: World, claire: Enrolled) -> None:
    world.change_voter(claire, frozen_at=1)
    assert world.check(claire.identifier)["status"] == "frozen"
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (409, "frozen")


@pytest.mark.req("S37")
@pytest.mark.parametrize(("at", "counted"), [("opens_at", True), ("closes_at", False)])
def test_votes_count_from_the_opening_of_the_ballot_to_its_close(
    world: World, claire: Enrolled, at: str, counted: bool
) -> None:
    edge = getattr(world.election.windows.voting, at)
    world.clock.set(edge - timedelta(milliseconds=1))
    before = world.vote(claire.identifier) if counted else None
    if before is not None:
        assert (before.status, before.code) == (409, "window-closed")
        assert "vote" in before.json["title"]
    world.clock.set(edge)
    answer = world.vote(claire.identifier)
    assert (answer.status, answer.code) == ((200, None) if counted else (409, "window-closed"))
    assert (world.voter(claire).voted_at is not None) is counted
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "voted"][: 1 + counted]


@pytest.mark.req("S37", "I5")
def test_close_of_the_ballot_that_slips_into_a_vote_refuses_it(world: World, claire: Enrolled) -> None:
    world.clock.set(world.election.windows.voting.closes_at - timedelta(milliseconds=1))
    world.fail("TransactWriteItems", "TransactionConflictException")
    world.interleave("TransactWriteItems", lambda: world.clock.move(seconds=1))
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (409, "window-closed")
    assert world.voter(claire).voted_at is None


def test_unknown_identifier_cannot_vote(world: World, claire: Enrolled) -> None:
    refused = world.vote("7K3M-9QWX-2TBD-HV5Z")
    assert (refused.status, refused.code) == (409, "unknown-identifier")


@pytest.mark.req("I5", "I9")
def test_two_votes_at_once_count_once(world: World, claire: Enrolled) -> None:
    outcomes: list[int] = []
    world.interleave("TransactWriteItems", lambda: outcomes.append(world.vote(claire.identifier).status))
    outcomes.append(world.vote(claire.identifier).status)
    assert sorted(outcomes) == [200, 409]
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "voted"]


@pytest.mark.req("R15")
def test_contention_ends_in_503_and_the_vote_is_not_recorded(world: World, claire: Enrolled) -> None:
    world.fail("TransactWriteItems", "TransactionInProgressException", times=-1)
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    # Refused by the rule, not by a fault on the way.
    assert [line["code"] for line in world.log_lines if line["message"] == "vote refused"] == ["unavailable"]
    world.repair()
    assert world.check(claire.identifier)["status"] == "active"


def test_a_check_has_the_headers_that_are_described(world: World, claire: Enrolled) -> None:
    described = operations()["POST", "/registry/check"]["responses"]["200"]["headers"]
    assert set(described) == {HANDLE_HEADER, SEQUENCE_HEADER}
    answer = world.call("POST", "/registry/check", {"identifier": claire.identifier})
    assert answer.headers[HANDLE_HEADER.lower()] == world.keyed_hash.handle(claire.voter_id, 1)
    assert answer.headers[SEQUENCE_HEADER.lower()] == "1"
    world.vote(claire.identifier)
    used = world.call("POST", "/registry/check", {"identifier": claire.identifier})
    assert HANDLE_HEADER.lower() in used.headers
    assert SEQUENCE_HEADER.lower() not in used.headers


def test_checking_needs_no_origin_and_changes_nothing(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser
) -> None:
    """A dry run of the platform burns no identifier, whatever their status."""
    browser.reissue(claire.numen)
    world.run_outbox()
    current = identifier_in(world.sms[-1].text)
    world.vote(paul.identifier)
    before = [world.items(table) for table in world.tables]
    with world.recorded() as calls:
        for typed in (claire.identifier, current, paul.identifier, "7K3M-9QWX-2TBD-HV5Z", "x"):
            for _ in range(3):
                answer = world.call(
                    "POST", "/registry/check", {"identifier": typed}, headers={"Origin": "https://x.fr"}
                )
                assert answer.status == 200
    assert {call.operation for call in calls} == {"GetItem", "Query"}
    assert [world.items(table) for table in world.tables] == before
    assert world.vote(current).status == 200


@pytest.mark.req("I10", "I1", "I9")
def test_issued_is_active_and_revoked_and_used_and_frozen(world: World) -> None:
    issued: list[str] = []
    for number in range(5):
        voter = world.enrol(f"agent{number}@ac-dijon.fr", f"09E990012{number}ABC")
        browser = world.signed_in(voter)
        issued.append(voter.identifier)
        for _ in range(number % 3):
            browser.reissue(voter.numen, f"06 12 34 56 {number:02d}")
            world.run_outbox()
            issued.append(identifier_in(world.sms[-1].text))
        if number == 2:
            world.vote(issued[-1])
        if number == 4:
            browser.dispute(dispute_token_in(world.emails[-1]))
        assert broken_links(world.register(voter)) == []
    counted = Counter(world.check(identifier)["status"] for identifier in issued)
    assert counted == {"active": 3, "revoked": 4, "used": 1, "frozen": 1}
    assert counted.total() == len(issued) == len(world.items("IdentifiersTable"))
