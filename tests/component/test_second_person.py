"""Where the election asks for it, nobody of the helpdesk gives an identifier alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reassort.caller_codes import current_code
from reassort.clock import epoch_milliseconds

from harness.elections import with_second_person
from harness.service.openapi import raise_if_undescribed
from harness.service.world import Enrolled, SeatedAgent, World
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.req("S34", "H6")


@pytest.fixture
def world() -> Iterator[World]:
    """A service whose election asks for a second person."""
    with World(with_second_person()) as world:
        yield world
        check_helpdesk_record(world)
        assert "ValidationException" not in world.log_text
        for response in world.responses:
            raise_if_undescribed(response)


@pytest.fixture
def marie(world: World) -> SeatedAgent:
    return world.agent("marie", "agent")


@pytest.fixture
def sacha(world: World) -> SeatedAgent:
    return world.agent("sacha", "supervisor")


def proposed(agent: SeatedAgent, voter: Enrolled, **more: str) -> str:
    answer = agent.act("reissue", voter.email, "jamais arrivé", **more)
    assert answer.status == 202
    reference: str = answer.json["proposal"]["id"]
    return reference


def waiting(agent: SeatedAgent) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("GET", "/helpdesk/proposals").json["proposals"]
    return found


def line(agent: SeatedAgent, voter: Enrolled) -> str:
    """Return what the sheet says of the second person."""
    (words,) = [one["words"] for one in agent.look(voter.email).json["status"] if one["label"] == "Deuxième personne"]
    return str(words)


def test_a_proposal_changes_nothing_and_names_nobody(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    before = world.register(claire)
    reference = proposed(marie, claire)
    assert world.register(claire) == before
    assert world.check(claire.identifier)["status"] == "active"
    (shown,) = waiting(world.agent("sacha", "supervisor"))
    assert (shown["id"], shown["address"], shown["reason"]) == (reference, "c•••@ac-dijon.fr", "jamais arrivé")
    assert shown["agent"].startswith("agent ")
    assert claire.email.encode() not in str(world.items("HelpdeskRecordTable")).encode()


def test_the_second_person_gives_it_in_both_names(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    reference = proposed(marie, claire)
    assert sacha.decide(reference).status == 200
    entry = world.register(claire)[-1]
    assert (entry["change"], entry["actor"]) == ("reissued", f"{marie.id} + {sacha.id}")
    assert entry["reference"] == f"{reference} jamais arrivé"
    assert world.check(claire.identifier)["status"] == "revoked"
    world.run_outbox()
    assert [mail.to for mail in world.mail_about(reference)] == [claire.email, claire.email]
    assert waiting(sacha) == []
    assert "confirmé par agent" in line(marie, claire)
    # Again, after a lost answer.
    assert sacha.decide(reference).status == 200
    assert len(world.register(claire)) == 2


def test_who_asked_and_who_decided_is_on_record_with_their_reasons(
    world: World, claire: Enrolled, paul: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    idle = world.election.limits.session.idle_minutes
    words = current_code(world.keyed_hash, claire.voter_id, world.clock(), idle).words
    given, refused = proposed(marie, claire, caller_code=words), proposed(marie, paul)
    assert [one["caller_verified"] for one in waiting(sacha)] == [True, False]
    assert sacha.decide(given, reason="vue").status == 200
    assert sacha.decide(refused, "refuse", "pas vu").status == 200
    entries = {
        (item["agent"], item["action"], item["reference"]): (item["voter_id"], item["reason"], item["caller"])
        for item in world.items("HelpdeskRecordTable")
        if item.get("action") in {"proposed", "confirmed", "refused"}
    }
    assert entries == {
        (marie.id, "proposed", given): (claire.voter_id, "jamais arrivé (appelant vérifié)", "verified"),
        (sacha.id, "confirmed", given): (claire.voter_id, "vue", "verified"),
        (marie.id, "proposed", refused): (paul.voter_id, "jamais arrivé", "not-asked"),
        (sacha.id, "refused", refused): (paul.voter_id, "pas vu", "not-asked"),
    }


def test_a_frozen_voter_is_given_the_next_one_and_the_frozen_one_never_lives(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    marie.act("freeze", claire.email)
    assert sacha.decide(proposed(marie, claire)).status == 200
    assert world.check(claire.identifier)["status"] == "revoked"
    assert world.voter(claire).frozen_at is None


def test_what_is_refused_changes_nothing_and_the_agent_reads_why(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    reference = proposed(marie, claire)
    assert sacha.decide(reference, "refuse", "appelant non vu").status == 200
    assert sacha.decide(reference).code == "proposal-closed"
    assert len(world.register(claire)) == 1
    assert "« appelant non vu »" in line(marie, claire)
    # And another may be asked for.
    assert proposed(marie, claire) != reference


def test_nobody_confirms_their_own(world: World, claire: Enrolled, sacha: SeatedAgent) -> None:
    reference = proposed(sacha, claire)
    assert sacha.decide(reference).code == "same-person"
    assert world.agent("marie", "agent").decide(reference).code == "not-allowed"
    assert world.agent("lea", "auditor").decide(reference).code == "not-allowed"
    assert len(world.register(claire)) == 1
    assert world.agent("paul", "supervisor").decide(reference).status == 200


def test_two_operators_are_not_two_people(world: World, claire: Enrolled, sacha: SeatedAgent) -> None:
    reference = proposed(world.agent("anne"), claire)
    assert world.agent("anne2").decide(reference).code == "same-person"
    assert sacha.decide(reference).status == 200


def test_an_operator_confirms_what_an_agent_asked_for(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    assert world.agent("anne").decide(proposed(marie, claire)).status == 200


def test_it_runs_out(world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent) -> None:
    reference = proposed(marie, claire)
    world.clock.move(minutes=world.election.helpdesk.second_person_minutes)
    assert waiting(sacha) == []
    assert sacha.decide(reference).code == "proposal-closed"
    assert "sans réponse" in line(marie, claire)
    # Where it would have gone is forgotten with the next one.
    proposed(marie, claire)
    kept = {item["proposal"]: "address" in item for item in world.items("HelpdeskRecordTable") if "proposal" in item}
    assert [kept.pop(reference), *kept.values()] == [False, True]


def test_what_became_of_it_is_shown_until_a_day_after_it_ran_out(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    reference = proposed(marie, claire, key="the-same-key-again")
    world.clock.move(days=1, minutes=world.election.helpdesk.second_person_minutes - 1)
    assert "sans réponse" in line(marie, claire)
    assert sacha.decide(reference).code == "proposal-closed"
    world.clock.move(minutes=2)
    assert "Deuxième personne" not in [one["label"] for one in marie.look(claire.email).json["status"]]
    assert sacha.decide(reference).code == "not-found"


def test_one_that_an_earlier_version_kept_is_decided(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    reference = proposed(marie, claire)
    (kept,) = [item for item in world.items("HelpdeskRecordTable") if item.get("proposal") == reference]
    world.engine.put("HelpdeskRecordTable", {name: kept[name] for name in kept.keys() - {"in_batch"}})
    # As one that is none of a batch, it lifts a freeze.
    sacha.act("freeze", claire.email)
    assert sacha.decide(reference).status == 200


def test_a_request_that_comes_again_days_later_asks_for_nothing(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    proposed(marie, claire, key="the-same-key-again")
    world.clock.move(days=2)
    assert marie.act("reissue", claire.email, key="the-same-key-again").code == "proposal-closed"
    assert waiting(sacha) == []


def test_what_is_asked_for_at_the_same_moment_all_waits(world: World, marie: SeatedAgent, sacha: SeatedAgent) -> None:
    voters = [world.enrol(f"prenom.nom{number}@ac-dijon.fr", f"00E{number:07}ABC") for number in (1, 2, 3)]
    assert [proposed(marie, voter) for voter in voters] == [one["id"] for one in waiting(sacha)]


def test_a_proposal_that_comes_in_between_is_the_only_one(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    world.interleave("TransactWriteItems", lambda: proposed(world.agent("paul", "agent"), claire))
    assert marie.act("reissue", claire.email).code == "nothing-to-do"
    assert len(waiting(sacha)) == 1


def test_one_waits_for_a_voter_at_a_time(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    proposed(marie, claire)
    assert world.agent("paul", "agent").act("reissue", claire.email).code == "nothing-to-do"
    (offered,) = [one for one in marie.look(claire.email).json["acts"] if one["act"] == "reissue"]
    assert (offered["allowed"], "second-person" in offered["needs"]) == (False, True)


def test_a_repeated_request_is_one_proposal(claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent) -> None:
    first, again = (proposed(marie, claire, key="the-same-key-again") for _ in range(2))
    assert first == again
    assert len(waiting(sacha)) == 1


def test_what_was_given_meanwhile_is_not_given_again(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent
) -> None:
    reference = proposed(marie, claire)
    assert world.signed_in(claire).reissue(claire.numen).status == 202
    refused = sacha.decide(reference)
    assert refused.code == "stale-page"
    assert "identifiant vient d’être donné" in refused.json["title"]
    assert world.voter(claire).generation == 2


@pytest.mark.parametrize("happens", ["vote", "close"])
def test_what_an_election_never_allows_is_not_asked_for(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent, happens: str
) -> None:
    if happens == "vote":
        world.vote(claire.identifier)
    else:
        world.clock.set(world.election.windows.reissue.closes_at)
    assert marie.act("reissue", claire.email).code == {"vote": "already-voted", "close": "window-closed"}[happens]
    assert waiting(sacha) == []


@pytest.mark.parametrize("happens", ["vote", "close"])
def test_what_an_election_never_allows_is_refused_at_the_end_too(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent, happens: str
) -> None:
    world.clock.set(world.election.windows.reissue.closes_at)
    world.clock.move(minutes=-1)
    reference = proposed(marie, claire)
    if happens == "vote":
        world.vote(claire.identifier)
    else:
        world.clock.move(minutes=2)
    assert sacha.decide(reference).code == {"vote": "already-voted", "close": "window-closed"}[happens]
    assert len(world.items("IdentifiersTable")) == 1


@pytest.mark.parametrize("decision", ["confirm", "refuse"])
def test_the_write_itself_refuses_a_second_decision(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent, decision: str
) -> None:
    """Another supervisor decides between what was read and what is written."""
    reference, paul = proposed(marie, claire), world.agent("paul", "supervisor")
    world.interleave("TransactWriteItems", lambda: paul.decide(reference))
    assert sacha.decide(reference, decision).code == "proposal-closed"
    assert world.register(claire)[-1]["actor"].endswith(paul.id)
    assert len(world.register(claire)) == 2


@pytest.mark.parametrize("decision", ["confirm", "refuse"])
@pytest.mark.parametrize("slip", ["it runs out", "it is one's own", "it is another one"])
def test_the_write_itself_refuses_it_when_meanwhile(
    world: World, claire: Enrolled, marie: SeatedAgent, sacha: SeatedAgent, slip: str, decision: str
) -> None:
    reference = proposed(marie, claire)
    (item,) = [item for item in world.items("HelpdeskRecordTable") if "proposal" in item]
    slips: dict[str, tuple[dict[str, Any], str]] = {
        "it runs out": ({"decide_before": epoch_milliseconds(world.clock())}, "proposal-closed"),
        "it is one's own": ({"proposed_by": sacha.id}, "same-person"),
        "it is another one": ({"proposal": "8N4P2RWY6U"}, "not-found"),
    }
    changed, code = slips[slip]
    world.interleave("TransactWriteItems", lambda: world.engine.put("HelpdeskRecordTable", item | changed))
    assert sacha.decide(reference, decision).code == code
    assert len(world.register(claire)) == 1
    assert [item for item in world.items("HelpdeskRecordTable") if "decision" in item] == []


@pytest.mark.req("H3", "H2")
def test_whoever_is_there_is_told_of_the_second_person(world: World, marie: SeatedAgent, sacha: SeatedAgent) -> None:
    told = {agent.role: agent.call("GET", "/helpdesk/me").json for agent in (marie, sacha)}
    assert all(one["second_person"] for one in told.values())
    assert ["proposals" in told[role]["views"] for role in ("agent", "supervisor")] == [False, True]


def test_nobody_proposed_it(sacha: SeatedAgent) -> None:
    assert sacha.decide("7K3M9-QWX2T").code == "not-found"
    assert sacha.decide("nothing").code == "not-found"
