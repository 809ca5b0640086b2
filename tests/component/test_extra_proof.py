"""The further proof of an election that asks for one: without it the NUMEN opens nothing, and
nobody learns which of the two was wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from reassort.keyed_hash import same
from reissue import numen_check

from harness.elections import DATE_OF_BIRTH, STAFF_CARD, read_election
from harness.service.openapi import raise_if_undescribed
from harness.service.world import Browser, Enrolled, Response, World

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "4f9d2c7a-1b3e-4d5f-8a60"
WRONG_NUMEN = "99Z9999999ZZZ"
BORN = "17/03/1968"
NOT_BORN = "18/03/1968"
# NUMEN and day: at least one of the two is wrong.
WRONG = [(WRONG_NUMEN, BORN), ("09E9900123ABC", NOT_BORN), (WRONG_NUMEN, NOT_BORN)]


@pytest.fixture
def world() -> Iterator[World]:
    """A service whose election asks for the date of birth."""
    with World(read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)) as world:
        yield world
        for response in world.responses:
            raise_if_undescribed(response)


@pytest.fixture
def claire(world: World) -> Enrolled:
    """A voter whose date of birth is on the roll."""
    return world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", extra_proof="1968-03-17")


def _said(answer: Response) -> tuple[int, str, dict[str, str]]:
    return answer.status, answer.text, answer.headers


@pytest.mark.req("S11", "P3")
def test_both_proofs_are_right_in_as_many_round_trips(world: World, claire: Enrolled, browser: Browser) -> None:
    with world.recorded() as calls:
        assert browser.reissue(claire.numen, extra_proof=BORN).status == 202
    assert [call.operation for call in calls] == ["BatchGetItem", "Encrypt", "TransactWriteItems"]
    assert world.voter(claire).generation == 2


@pytest.mark.parametrize("typed", ["17/03/1968", "17-3-1968", "17 03 1968", "17031968", "1968-03-17"])
def test_day_may_be_typed_as_people_write_it(claire: Enrolled, browser: Browser, typed: str) -> None:
    assert browser.reissue(claire.numen, extra_proof=typed).status == 202


@pytest.mark.parametrize("members", [{}, {"extra_proof": None}, {"extra_proof": ""}, {"extra_proof": "31/02/1968"}])
def test_missing_or_malformed_is_a_fault_of_the_field_and_no_try(
    world: World, claire: Enrolled, browser: Browser, members: dict[str, Any]
) -> None:
    refused = browser.reissue(claire.numen, **members)
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert refused.json["errors"] == [
        {"field": "extra_proof", "code": "invalid" if members else "missing", "message": DATE_OF_BIRTH["fault"]}
    ]
    assert world.voter(claire).numen_failures == 0


def test_every_fault_of_the_form_is_told_at_once(claire: Enrolled, browser: Browser) -> None:
    refused = browser.reissue("0123", "06", extra_proof="x")
    assert [fault["field"] for fault in refused.json["errors"]] == ["numen", "extra_proof", "phone"]


@pytest.mark.req("S10", "S11")
def test_nothing_in_an_answer_tells_which_proof_was_wrong(world: World, claire: Enrolled, browser: Browser) -> None:
    answers = []
    for numen, day in WRONG:
        world.change_voter(claire, numen_failures=0)
        with world.recorded() as calls:
            answers.append((_said(browser.reissue(numen, extra_proof=day)), [str(call) for call in calls]))
        assert world.voter(claire).numen_failures == 1
    assert answers[0] == answers[1] == answers[2]
    (status, text, _), _ = answers[0]
    assert (status, '"code": "numen-mismatch"' in text) == (403, True)
    assert "Le NUMEN ou le renseignement « Date de naissance »" in text


@pytest.mark.req("S10", "S11")
@pytest.mark.parametrize(("numen", "day"), [*WRONG, ("09E9900123ABC", BORN)])
def test_both_are_compared_whatever_the_other_is(claire: Enrolled, browser: Browser, numen: str, day: str) -> None:
    with patch.object(numen_check, "same", side_effect=same) as compared:
        browser.reissue(numen, extra_proof=day)
    assert compared.call_count == 2
    assert all(len(one) == len(other) for one, other in (call.args for call in compared.call_args_list))


@pytest.mark.req("S10")
def test_wrong_ones_of_either_kind_count_together(world: World, claire: Enrolled, browser: Browser) -> None:
    tries = [WRONG[0], WRONG[1], WRONG[2], WRONG[1], WRONG[0]]
    answers = [browser.reissue(numen, extra_proof=day) for numen, day in tries]
    assert [(answer.code, answer.json["attempts_left"]) for answer in answers] == [
        ("numen-mismatch", 4),
        ("numen-mismatch", 3),
        ("numen-mismatch", 2),
        ("numen-mismatch", 1),
        ("locked", 0),
    ]
    locked = browser.reissue(claire.numen, extra_proof=BORN)
    assert (locked.status, locked.code, locked.headers["retry-after"]) == (429, "locked", "900")
    assert locked.json["detail"] == answers[-1].json["detail"]
    assert "« Date de naissance »" in locked.json["detail"]
    world.clock.move(minutes=15)
    assert world.signed_in(claire).reissue(claire.numen, extra_proof=BORN).status == 202
    assert world.voter(claire).numen_failures == 0


@pytest.mark.req("S10")
def test_wrong_day_that_slips_in_makes_the_right_form_meet_the_lock(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    other = world.signed_in(claire)
    for _ in range(4):
        browser.reissue(claire.numen, extra_proof=NOT_BORN)
    world.interleave("TransactWriteItems", lambda: other.reissue(claire.numen, extra_proof=NOT_BORN))
    assert browser.reissue(claire.numen, extra_proof=BORN).code == "locked"
    assert world.voter(claire).generation == 1


@pytest.mark.req("S11")
def test_day_of_somebody_else_is_wrong(world: World, claire: Enrolled, browser: Browser) -> None:
    world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ", extra_proof="1971-12-01")
    assert browser.reissue(claire.numen, extra_proof="01/12/1971").code == "numen-mismatch"


@pytest.mark.req("S9")
def test_equal_days_do_not_show_on_the_roll(world: World, claire: Enrolled) -> None:
    paul = world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ", extra_proof="1968-03-17")
    hashes = {world.voter(one).extra_proof_hash for one in (claire, paul)}
    assert len(hashes) == 2
    assert world.signed_in(paul).reissue(paul.numen, extra_proof=BORN).status == 202


@pytest.mark.req("S11")
def test_voter_whom_the_roll_gives_none_cannot_have_the_right_one(world: World) -> None:
    paul = world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ")
    assert world.signed_in(paul).reissue(paul.numen, extra_proof=BORN).code == "numen-mismatch"


@pytest.mark.req("I6")
def test_repetition_is_known_by_the_day_that_was_meant(world: World, claire: Enrolled, browser: Browser) -> None:
    first = browser.reissue(claire.numen, key=KEY, extra_proof=BORN)
    again = browser.reissue(claire.numen, key=KEY, extra_proof="17031968")
    assert (again.status, again.json) == (202, first.json)
    other = browser.reissue(claire.numen, key=KEY, extra_proof=NOT_BORN)
    assert (other.status, other.code) == (422, "idempotency-mismatch")
    assert (world.voter(claire).generation, world.voter(claire).numen_failures) == (2, 0)


@pytest.mark.req("S11")
def test_text_is_compared_without_blanks_hyphens_and_case() -> None:
    with World(read_election("dijon-2018", extra_proof=STAFF_CARD)) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", extra_proof="4821AB")
        browser = world.signed_in(claire)
        assert browser.reissue(claire.numen, extra_proof="4821 ac").code == "numen-mismatch"
        assert browser.reissue(claire.numen, extra_proof="4821").code == "invalid-fields"
        assert browser.reissue(claire.numen, extra_proof="48 21-ab").status == 202


@pytest.mark.req("I6")
@pytest.mark.parametrize("sent", [BORN, "x", 17, None, ["a"]])
def test_election_that_does_not_ask_for_it_ignores_it(sent: object) -> None:
    with World() as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", extra_proof="1968-03-17")
        browser = world.signed_in(claire)
        wrong = browser.reissue(WRONG_NUMEN, extra_proof=sent).json["detail"]
        assert "Ce NUMEN n’est pas celui" in wrong
        first = browser.reissue(claire.numen, key=KEY, extra_proof=sent)
        assert first.status == 202
        assert browser.reissue(claire.numen, key=KEY).json == first.json
