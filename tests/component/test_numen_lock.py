"""Wrong NUMENs lock the voter for minutes, then until the helpdesk unlocks; the right one starts
the count again.
"""

from __future__ import annotations

import pytest

from harness.service.world import Browser, Enrolled, World

WRONG = "99Z9999999ZZZ"


def _wrong_tries(browser: Browser, count: int) -> list[tuple[int, str | None, int | None]]:
    answers = [browser.reissue(WRONG) for _ in range(count)]
    return [(answer.status, answer.code, answer.json.get("attempts_left")) for answer in answers]


@pytest.mark.req("S10", "U9")
def test_five_wrong_numens_lock_for_a_quarter_of_an_hour(world: World, claire: Enrolled, browser: Browser) -> None:
    assert _wrong_tries(browser, 4) == [
        (403, "numen-mismatch", 4),
        (403, "numen-mismatch", 3),
        (403, "numen-mismatch", 2),
        (403, "numen-mismatch", 1),
    ]
    fifth = browser.reissue(WRONG)
    assert (fifth.status, fifth.code, fifth.json["attempts_left"]) == (429, "locked", 0)
    assert fifth.headers["retry-after"] == "900"
    locked = browser.reissue(claire.numen)
    assert (locked.status, locked.code, locked.headers["retry-after"]) == (429, "locked", "900")
    assert world.voter(claire).generation == 1


@pytest.mark.req("S10", "S12")
def test_lock_ends_by_itself(world: World, claire: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 5)
    world.clock.move(minutes=15, seconds=-1)
    assert world.signed_in(claire).reissue(claire.numen).code == "locked"
    world.clock.move(seconds=1)
    assert world.signed_in(claire).reissue(claire.numen).status == 202


@pytest.mark.req("U9", "S10")
def test_locked_voter_is_told_before_the_form(world: World, claire: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 4)
    assert browser.overview().json["lock"] is None
    _wrong_tries(browser, 1)
    assert browser.overview().json["lock"] == {"ends_at": "2018-11-30T09:30:00Z"}
    world.clock.move(minutes=15)
    browser = world.signed_in(claire)
    assert browser.overview().json["lock"] is None
    _wrong_tries(browser, 5)
    world.clock.move(days=3)
    assert world.signed_in(claire).overview().json["lock"] == {"ends_at": None}


@pytest.mark.req("S10")
def test_ten_wrong_numens_lock_until_the_helpdesk_unlocks(world: World, claire: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 5)
    world.clock.move(minutes=15)
    browser = world.signed_in(claire)
    assert _wrong_tries(browser, 5) == [
        (403, "numen-mismatch", 4),
        (403, "numen-mismatch", 3),
        (403, "numen-mismatch", 2),
        (403, "numen-mismatch", 1),
        (429, "locked", 0),
    ]
    world.clock.move(days=3)
    locked = world.signed_in(claire).reissue(claire.numen)
    assert (locked.status, locked.code) == (429, "locked")
    assert world.election.helpdesk.phone in locked.json["detail"]
    world.change_voter(claire, numen_failures=0, numen_locked_until=0)
    assert world.signed_in(claire).reissue(claire.numen).status == 202


@pytest.mark.req("S10")
def test_locked_tries_count_no_further(world: World, claire: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 12)
    assert world.voter(claire).numen_failures == 5


@pytest.mark.req("S10")
def test_right_numen_starts_the_count_anew(world: World, claire: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 4)
    assert browser.reissue(claire.numen).status == 202
    assert world.voter(claire).numen_failures == 0
    assert _wrong_tries(browser, 1) == [(403, "numen-mismatch", 4)]


@pytest.mark.req("S10")
def test_failures_are_the_voters_and_not_the_sessions(world: World, claire: Enrolled) -> None:
    left = [_wrong_tries(world.signed_in(claire), 1)[0][2] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]


@pytest.mark.req("S10")
def test_lock_of_one_voter_is_nobody_elses(world: World, claire: Enrolled, paul: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 5)
    assert world.signed_in(paul).reissue(paul.numen).status == 202


@pytest.mark.req("S10")
def test_wrong_numen_that_slips_in_makes_the_first_one_read_again(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    other = world.signed_in(claire)
    _wrong_tries(browser, 3)
    answers = []
    world.interleave("UpdateItem", lambda: answers.append(other.reissue(WRONG).json["attempts_left"]))
    answers.append(browser.reissue(WRONG).json["attempts_left"])
    assert answers == [1, 0]
    assert world.voter(claire).numen_failures == 5


@pytest.mark.req("S10", "I5")
def test_wrong_numen_is_not_counted_over_a_vote_that_slipped_in(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    world.interleave("UpdateItem", lambda: world.vote(claire.identifier))
    assert browser.reissue(WRONG).code == "already-voted"
    assert world.voter(claire).numen_failures == 0


@pytest.mark.req("S10")
def test_right_numen_does_not_commit_over_a_lock_that_slipped_in(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    other = world.signed_in(claire)
    _wrong_tries(browser, 4)
    world.interleave("TransactWriteItems", lambda: other.reissue(WRONG))
    assert browser.reissue(claire.numen).code == "locked"
    assert world.voter(claire).generation == 1


@pytest.mark.req("S10")
def test_repeating_a_refused_form_is_a_try_like_any_other(world: World, claire: Enrolled, browser: Browser) -> None:
    # Nothing was committed under the key, so nothing is remembered of it.
    for expected in (4, 3):
        assert browser.reissue(WRONG, key="the-same-key-0001").json["attempts_left"] == expected


@pytest.mark.req("S11")
def test_right_numen_is_worth_nothing_without_the_mailbox(world: World, claire: Enrolled) -> None:
    assert world.browser().reissue(claire.numen).code == "signed-out"


@pytest.mark.req("S11", "S10")
def test_numen_of_somebody_else_is_wrong(world: World, claire: Enrolled, paul: Enrolled, browser: Browser) -> None:
    assert browser.reissue(paul.numen).code == "numen-mismatch"


def test_numen_may_be_typed_with_blanks_in_small_letters(claire: Enrolled, browser: Browser) -> None:
    assert browser.reissue(" 09e 9900123 abc ").status == 202


@pytest.mark.req("S24")
def test_each_failure_is_logged_with_a_pseudonym(world: World, claire: Enrolled, browser: Browser) -> None:
    _wrong_tries(browser, 5)
    refused = [line for line in world.log_lines if line["message"] == "reissue refused"]
    assert [line["code"] for line in refused] == ["numen-mismatch"] * 4 + ["locked"]
    assert {line["voter"] for line in refused} == {claire.voter_id}
    assert len({line["correlation_id"] for line in refused}) == 5
