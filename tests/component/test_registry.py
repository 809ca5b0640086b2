"""What the voting platform is told, and the one winner between a vote and a reissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.world import identifier_in

if TYPE_CHECKING:
    from tests.world import Browser, Enrolled, World


def test_first_identifier_is_active(world: World, claire: Enrolled) -> None:
    assert world.check(claire.identifier) == {"status": "active", "generation": 1, "superseded_at": None}


@pytest.mark.parametrize("typed", ["7k3m 9qwx 2tbd hv5s", "7K3M9QWX2TBDHV5S", " 7K3M-9QWX-2TBD-HV5S "])
def test_identifier_may_be_typed_as_it_was_dictated(world: World, claire: Enrolled, typed: str) -> None:
    assert world.check(typed)["status"] == "active"


@pytest.mark.parametrize("typed", ["7K3M-9QWX-2TBD-HV5Z", "0000-0000-0000-0000", "x", "🗳" * 20, "' OR 1=1"])
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
