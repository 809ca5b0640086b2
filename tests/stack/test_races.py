"""Requests that race for the same voter, phone or NUMEN on the deployed template. Each test prints
what came of it.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
from reassort.register import Change
from reassort.voters import IdentifierStatus

from harness.service.reading import find_identifier
from harness.stack.deployed import DeployedVoter, Deployment, Platform, at_once, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

RACERS = 50
ROUNDS = 20
CROWD = 40
VOTERS_AT_ONCE = 4
ALLOWED = {
    "200",
    "202",
    "409 already-voted",
    "409 revoked",
    "409 stale-page",
    # The former identifier was being sent at that moment.
    "429 delivery-in-progress",
}


def told(answers: list[httpx.Response]) -> Counter[str]:
    """Count answers by status and code."""
    return Counter(f"{answer.status_code} {answer.json().get('code', '')}".strip() for answer in answers)


@pytest.mark.req("R3", "I1", "I9", "I10", "S13")
def test_fifty_reissues_of_one_voter_have_one_winner_per_generation(
    deployment: Deployment, platform: Platform, voter: DeployedVoter, tell: Callable[[str], None]
) -> None:
    browsers = [deployment.signed_in(voter) for _ in range(RACERS)]

    answers = at_once([partial(browser.reissue, voter) for browser in browsers])

    tell(f"{RACERS} reissues at once, each its own key: {dict(told(answers))}")
    won = sorted(answer.json()["generation"] for answer in answers if answer.status_code == 202)
    assert won
    assert won == list(range(2, 2 + len(won)))
    assert {answer.status_code for answer in answers} <= {202, 409, 429, 503}
    statuses = deployment.reconcile(voter)
    assert len(statuses) == won[-1] == deployment.voter(voter).generation
    assert list(statuses.values()).count(IdentifierStatus.ACTIVE) == 1
    assert [entry.generation for entry in deployment.chain(voter)] == [1, *won]

    # The registry says the same of each identifier that a voter may hold.
    wait_for(lambda: any(platform.check(found)["generation"] == won[-1] for found in sent_to(deployment, voter)))
    known = [voter.identifier, *sent_to(deployment, voter)]
    assert [platform.check(identifier)["status"] for identifier in known].count("active") == 1
    assert platform.check(known[0])["status"] == "revoked"


@pytest.mark.req("I6", "R2", "S22")
def test_fifty_times_the_same_request_is_one_reissue(
    deployment: Deployment, voter: DeployedVoter, tell: Callable[[str], None]
) -> None:
    browser = deployment.signed_in(voter)

    request = partial(browser.reissue, voter, key="the-same-key-0123")
    answers = at_once([partial(answered, request)] * RACERS)

    tell(f"{RACERS} times the same request at once: {dict(told(answers))}")
    accepted = [answer.json() for answer in answers if answer.status_code == 202]
    assert len(accepted) == RACERS
    assert all(answer == accepted[0] for answer in accepted)
    late = browser.reissue(voter, key="the-same-key-0123")
    assert (late.status_code, late.json()) == (202, accepted[0])
    assert deployment.voter(voter).generation == 2
    assert [entry.change for entry in deployment.chain(voter)] == [Change.ISSUED, Change.REISSUED]
    browser.wait_until_sent(accepted[0]["reference"])
    wait_for(lambda: deployment.mails_to(voter.email))
    assert len(deployment.texts_to(voter.phone)) == 1
    assert len(deployment.mails_to(voter.email)) == 1


@pytest.mark.req("I5", "I10", "I9")
def test_vote_and_reissue_race_to_one_winner(
    deployment: Deployment, platform: Platform, tell: Callable[[str], None]
) -> None:
    won: Counter[str] = Counter()
    electorate = []
    for turn in range(ROUNDS):
        voter = deployment.enrol()
        electorate.append(voter)
        contenders = [partial(deployment.signed_in(voter).reissue, voter), partial(platform.vote, voter.identifier)]
        # Who is started first wins more often: they take turns.
        if turn % 2:
            vote, reissue = at_once(contenders[::-1])
        else:
            reissue, vote = at_once(contenders)
        outcome = (reissue.status_code, vote.status_code)
        if outcome == (202, 409):
            assert vote.json()["code"] == "revoked"
            assert deployment.reconcile(voter) == {1: IdentifierStatus.REVOKED, 2: IdentifierStatus.ACTIVE}
        else:
            assert outcome == (409, 200)
            assert reissue.json()["code"] == "already-voted"
            assert deployment.reconcile(voter) == {1: IdentifierStatus.USED}
        won["reissue" if reissue.status_code == 202 else "vote"] += 1
    tell(f"{ROUNDS} races of vote and reissue were won by: {dict(won)}")

    issued = Counter(status for voter in electorate for status in deployment.reconcile(voter).values())
    tell(f"identifiers afterwards: {dict(issued)}")
    assert issued.total() == ROUNDS + won["reissue"]
    assert issued[IdentifierStatus.USED] == won["vote"]
    assert issued[IdentifierStatus.ACTIVE] == issued[IdentifierStatus.REVOKED] == won["reissue"]


@pytest.mark.req("I5", "I6", "I9", "I10", "I1")
def test_votes_and_reissues_under_load_have_one_winner_for_each_voter_and_every_record_agrees(
    deployment: Deployment, platform: Platform, tell: Callable[[str], None]
) -> None:
    """Several voters at once, each with two devices that reissue and two connections of the
    platform that vote.
    """
    queue = deployment.subscribed("platform-races")
    electorate = [deployment.enrol() for _ in range(CROWD)]
    signed_in = {voter.voter_id: [deployment.signed_in(voter) for _ in range(2)] for voter in electorate}
    started = time.monotonic()

    def race(voter: DeployedVoter) -> Counter[str]:
        contenders = [partial(answered, partial(browser.reissue, voter)) for browser in signed_in[voter.voter_id]]
        contenders += [partial(answered, partial(platform.vote, voter.identifier))] * 2
        # Who is started first wins more often.
        return told(at_once(contenders if electorate.index(voter) % 2 else contenders[::-1]))

    with ThreadPoolExecutor(VOTERS_AT_ONCE) as pool:
        outcomes = dict(zip(electorate, pool.map(race, electorate), strict=True))

    seconds = time.monotonic() - started
    assert sum(outcomes.values(), Counter()).keys() <= ALLOWED
    voted = [voter for voter, outcome in outcomes.items() if outcome["200"]]
    for voter, outcome in outcomes.items():
        statuses = deployment.reconcile(voter)
        if voter in voted:
            assert (outcome["200"], outcome["202"]) == (1, 0)
            assert statuses == {1: IdentifierStatus.USED}
        else:
            assert 1 <= outcome["202"] <= 2
            assert list(statuses) == list(range(1, outcome["202"] + 2))
            assert list(statuses.values()).count(IdentifierStatus.REVOKED) == outcome["202"]
        checked = platform.check(voter.identifier)
        assert (checked["status"], checked["generation"]) == (statuses[1].value, 1)

    expected = {}
    for voter in electorate:
        for entry in deployment.chain(voter)[1:]:
            revoked = entry.change is Change.REISSUED
            handle = deployment.handle(voter, entry.generation - 1 if revoked else entry.generation)
            expected[f"{handle}.{entry.sequence}"] = (handle, "revoked" if revoked else "used")
    events = queue.until(lambda events: len({event["event_id"] for event in events}) >= len(expected))
    assert {event["event_id"]: (event["handle"], event["status"]) for event in events} == expected
    tell(
        f"{CROWD} voters, {VOTERS_AT_ONCE} at once, 2 votes and 2 reissues each, in {seconds:.1f} s: "
        f"won by vote {len(voted)}, by reissue {CROWD - len(voted)}; {len(expected)} changes, {len(events)} events; "
        f"answers {dict(sum(outcomes.values(), Counter()))}"
    )


def answered(call: Callable[[], httpx.Response]) -> httpx.Response:
    """Repeat a call for as long as the service is too busy for it, as its clients do."""
    for _ in range(10):
        answer = call()
        if answer.status_code != 503:
            break
        time.sleep(0.2)
    return answer


@pytest.mark.req("S10", "S13", "S8")
def test_wrong_numens_at_once_learn_no_more_than_the_limit(
    deployment: Deployment, voter: DeployedVoter, tell: Callable[[str], None]
) -> None:
    browser = deployment.signed_in(voter)
    tries = [partial(browser.reissue, voter, numen=f"99Z{number:07d}ZZZ") for number in range(30)]

    answers = at_once(tries)

    tell(f"{len(tries)} wrong NUMENs at once: {dict(told(answers))}")
    assert {answer.status_code for answer in answers} <= {403, 429, 503}
    limit = deployment.election.limits.numen.lock_after
    mismatches = [answer.json()["attempts_left"] for answer in answers if answer.status_code == 403]
    assert sorted(mismatches, reverse=True) == list(range(limit - 1, 0, -1))
    assert deployment.voter(voter).numen_failures == limit
    right = browser.reissue(voter)
    assert (right.status_code, right.json()["code"]) == (429, "locked")
    assert deployment.voter(voter).generation == 1


@pytest.mark.req("S13", "S14")
def test_one_phone_serves_no_more_voters_than_the_limit(deployment: Deployment, tell: Callable[[str], None]) -> None:
    electorate = [deployment.enrol() for _ in range(10)]
    phone = electorate[0].phone
    requests = [partial(deployment.signed_in(voter).reissue, voter, phone=phone) for voter in electorate]

    answers = at_once(requests)

    tell(f"{len(requests)} voters with one phone at once: {dict(told(answers))}")
    limit = deployment.election.limits.phone.voters
    assert [answer.status_code for answer in answers].count(202) == limit
    refused = {answer.json()["code"] for answer in answers if answer.status_code != 202}
    assert refused == {"phone-in-use"}
    assert sum(deployment.voter(voter).generation - 1 for voter in electorate) == limit


def sent_to(deployment: Deployment, voter: DeployedVoter) -> list[str]:
    """Return every identifier that was sent to a voter, each once."""
    texts = deployment.texts_to(voter.phone) + [mail.text for mail in deployment.mails_to(voter.email)]
    return list(dict.fromkeys(found for text in texts if (found := find_identifier(text))))
