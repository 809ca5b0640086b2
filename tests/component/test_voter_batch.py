"""A batch gives each voter one identifier, wherever a run dies and no matter who continues it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from reassort_ops.failures import OperatorError
from reassort_ops.roll.leaving import Leaving
from reassort_ops.voter.api import HelpdeskApi, NoAnswerError, read_answer
from reassort_ops.voter.batch import BatchBalance, ListedVoter, VoterBatch, batch_key

from harness.elections import with_second_person
from harness.service.openapi import raise_if_undescribed
from harness.service.reading import identifier_in
from harness.service.world import Enrolled, SeatedAgent, World
from tests.component.operators import operator_of
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.req("O7")

NAME = "plis perdus"


class KilledError(BaseException):
    """The command is gone."""


@dataclass
class SeatedApi:
    """The API as the command sees it, with somebody of a world behind it. `after` is called behind
    each call that had its effect.
    """

    operator: SeatedAgent
    after: Callable[[], object] = lambda: None

    def give_in_batch(self, address: str, reason: str, key: str) -> dict[str, Any]:
        """Call the function."""
        answer = self.operator.act("reissue", address, reason, key, batch=True)
        self.after()
        return read_answer(answer.status, answer.text.encode(), answer.headers.get("retry-after", ""))


def batch(world: World, operator: str = "anne", after: Callable[[], object] = lambda: None) -> VoterBatch:
    api = cast("HelpdeskApi", SeatedApi(world.agent(operator), after))
    return VoterBatch(api, NAME, "plis perdus", 120, world.clock, lambda _: None, lambda _: None, lambda: 0.0)


def ran(batch: VoterBatch, voters: Sequence[str]) -> tuple[BatchBalance, list[str]]:
    """Return the balance of a run, and what was refused in order."""
    balance, refused = BatchBalance(len(voters)), list[str]()
    listed = [ListedVoter(line, email) for line, email in enumerate(voters, 2)]
    for _ in batch.run(listed, balance, lambda _, code: refused.append(code)):
        pass
    return balance, refused


@pytest.fixture
def school(world: World) -> list[Enrolled]:
    return [world.enrol(f"prenom.nom{number}@ac-dijon.fr", f"00E{number:07}ABC") for number in (1, 2, 3)]


def emails(school: Sequence[Enrolled]) -> list[str]:
    return [voter.email for voter in school]


@pytest.mark.req("R2", "I1")
@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_run_that_died_after_a_call_is_gone_on_with_by_another_operator(
    world: World, school: list[Enrolled], killed_after: int
) -> None:
    calls = iter(range(1, 4))

    def die() -> None:
        if next(calls) == killed_after:
            raise KilledError

    with pytest.raises(KilledError):
        ran(batch(world, after=die), emails(school))
    balance, refused = ran(batch(world, "paul"), emails(school))
    assert (balance.given, balance.given_before, balance.left, refused) == (3 - killed_after, killed_after, 0, [])
    world.run_outbox()
    for voter in school:
        assert world.voter(voter).generation == 2
        assert [entry["change"] for entry in world.register(voter)] == ["issued", "reissued"]
        assert len(world.mail_to(voter.email)) == 2
    assert {entry["actor"] for voter in school for entry in world.register(voter)[1:]} <= {"anne", "paul"}
    check_helpdesk_record(world)


@pytest.mark.req("R2", "I1")
def test_a_lost_answer_is_found_out_in_the_same_run_and_counts_as_given(world: World, school: list[Enrolled]) -> None:
    world.lose_reply("TransactWriteItems")
    balance, _ = ran(batch(world), emails(school))
    assert (balance.given, balance.given_before, balance.left) == (3, 0, 0)
    assert [world.voter(voter).generation for voter in school] == [2, 2, 2]


def test_an_api_that_never_answers_leaves_the_rest(world: World, school: list[Enrolled]) -> None:
    def silent() -> None:
        raise NoAnswerError("no answer")

    balance = BatchBalance(3)
    listed = [ListedVoter(line, voter.email) for line, voter in enumerate(school, 2)]
    with pytest.raises(OperatorError, match="nothing more for now"):
        list(batch(world, after=silent).run(listed, balance, lambda *_: None))
    assert (balance.left, world.voter(school[0]).generation, world.voter(school[1]).generation) == (3, 2, 1)
    assert ran(batch(world), emails(school))[0].given_before == 1


@pytest.mark.req("I1")
def test_whoever_got_another_one_since_or_voted_is_not_given_a_second(world: World, school: list[Enrolled]) -> None:
    ran(batch(world), emails(school))
    world.run_outbox()
    asked, voted, _ = school
    world.signed_in(asked).reissue(asked.numen)
    (mail,) = [mail for mail in world.mail_to(voted.email) if mail.tags["message"] == "identifier"]
    assert world.vote(identifier_in(mail.text)).status == 200
    balance, _ = ran(batch(world), emails(school))
    assert (balance.given, balance.given_before) == (0, 3)
    assert [world.voter(voter).generation for voter in school] == [3, 2, 2]


@pytest.mark.req("R3", "I1")
def test_two_operators_at_once_give_one(world: World, claire: Enrolled) -> None:
    world.interleave("TransactWriteItems", lambda: ran(batch(world, "paul"), [claire.email]))
    balance, _ = ran(batch(world), [claire.email])
    assert (balance.given_before, world.voter(claire).generation) == (1, 2)


@pytest.mark.req("S35", "I12")
def test_nobody_is_given_one_who_voted_is_frozen_off_the_roll_unknown_or_has_one_on_its_way(
    world: World, claire: Enrolled, paul: Enrolled, school: list[Enrolled]
) -> None:
    agent = world.agent()
    frozen, removed, waiting = school
    assert world.vote(claire.identifier).status == 200
    agent.act("freeze", frozen.email)
    Leaving(operator_of(world), world.election).remove(removed.voter_id, "radié")
    agent.act("reissue", waiting.email)
    chains = [world.register(voter) for voter in (claire, *school)]
    voters = [claire.email, *emails(school), "nobody@ac-dijon.fr", "x@gmail.com", paul.email]
    balance, refused = ran(batch(world), voters)
    codes = ["already-voted", "frozen", "off-roll", "delivery-in-progress", "no-such-voter", "email-domain"]
    assert refused == codes
    assert (balance.given, balance.refused.total(), balance.left) == (1, 6, 0)
    assert [world.register(voter) for voter in (claire, *school)] == chains
    # Once it has left and time has passed, the same run gives them theirs.
    world.run_outbox()
    world.clock.move(minutes=3)
    again, refused = ran(batch(world), voters)
    assert (again.given, again.given_before, "delivery-in-progress" in refused) == (1, 1, False)


def test_whose_identifier_is_on_its_way_is_told_when_to_come_again(world: World, claire: Enrolled) -> None:
    operator, key = world.agent(), batch_key(NAME, claire.email)
    operator.act("reissue", claire.email)
    world.run_outbox()
    wait = int(operator.act("reissue", claire.email, key=key, batch=True).headers["retry-after"])
    world.clock.move(seconds=wait - 1)
    assert operator.act("reissue", claire.email, key=key, batch=True).code == "delivery-in-progress"
    world.clock.move(seconds=1)
    assert operator.act("reissue", claire.email, key=key, batch=True).status == 200


@pytest.mark.req("H6", "S34")
def test_only_an_operator_gives_in_a_batch_and_only_identifiers(world: World, claire: Enrolled) -> None:
    key = batch_key(NAME, claire.email)
    refused = world.agent("sacha", "supervisor").act("reissue", claire.email, key=key, batch=True)
    assert (refused.status, refused.code) == (403, "not-allowed")
    assert world.agent().act("freeze", claire.email, key=key, batch=True).code == "invalid-fields"
    assert world.agent().act("reissue", claire.email, key=key, batch=False).code == "invalid-fields"
    assert len(world.register(claire)) == 1


@pytest.mark.req("S34", "I12")
def test_with_a_second_person_each_is_proposed_once_and_never_confirmed_by_the_batch() -> None:
    with World(with_second_person()) as world:
        school = [world.enrol(f"prenom.nom{number}@ac-dijon.fr", f"00E{number:07}ABC") for number in (1, 2, 3)]
        frozen = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        world.agent().act("freeze", frozen.email)
        assert ran(batch(world), [frozen.email])[1] == ["frozen"]
        for operator in ("anne", "paul"):
            balance, _ = ran(batch(world, operator), emails(school))
            assert (balance.proposed, balance.given, balance.left) == (3, 0, 0)
        supervisor = world.agent("sacha", "supervisor")
        waiting = [one["id"] for one in supervisor.call("GET", "/helpdesk/proposals").json["proposals"]]
        assert len(waiting) == 3
        assert world.agent("paul").decide(waiting[0]).code == "same-person"
        assert [len(world.register(voter)) for voter in school] == [1, 1, 1]
        assert supervisor.decide(waiting[0]).status == 200
        # A freeze that came meanwhile is not lifted.
        supervisor.act("freeze", school[1].email)
        assert supervisor.decide(waiting[1]).code == "frozen"
        world.clock.move(minutes=world.election.helpdesk.second_person_minutes + 1)
        balance, refused = ran(batch(world), emails(school))
        assert (balance.given_before, balance.proposed, refused) == (1, 0, ["proposal-closed"] * 2)
        check_helpdesk_record(world)
        for response in world.responses:
            raise_if_undescribed(response)
