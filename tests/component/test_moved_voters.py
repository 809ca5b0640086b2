"""A change of address: the person stays one voter, and what the former address had acts no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from announce.changed_status import ANNOUNCED
from botocore.exceptions import BotoCoreError
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.register import Change
from reassort.tables import ContentionError
from reassort_ops.failures import OperatorError
from reassort_ops.register.file_check import check_register_file
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.moving import Arrival, ChangeOfAddress, MoveRefusedError

from harness.service.reading import dispute_token_in, identifier_in
from harness.service.world import Enrolled
from tests.component.operators import FAULTS, StruckClient, issue
from tests.component.test_insider import exported, faults
from tests.register_chain import broken_links
from tests.unit.ops.registers import SIGNER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, World

NEW = "claire.durand@u-bourgogne.fr"
type Mover = Callable[[Enrolled], Enrolled]


@pytest.fixture
def move(world: World, operator: Operator) -> Mover:
    """Move a voter to the new address, with an identifier that the test knows."""

    def moved(voter: Enrolled) -> Enrolled:
        identifier = generate_identifier(world.election.identifier)
        identifier_hash = world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))
        arrival = Arrival(world.keyed_hash.voter_id(NEW), identifier_hash=identifier_hash)
        mover(world, operator).move(voter.voter_id, arrival, "nouvelle affectation")
        return Enrolled(arrival.voter_id, NEW, voter.numen, identifier)

    return moved


def mover(world: World, operator: Operator) -> ChangeOfAddress:
    return ChangeOfAddress(operator, world.election, world.keyed_hash)


@pytest.mark.req("O4", "I1", "I9", "I10", "I11")
def test_one_identifier_is_valid_and_the_register_has_both_sides(
    world: World, claire: Enrolled, move: Mover, tmp_path: Path
) -> None:
    present = move(claire)
    former = world.check(claire.identifier)
    assert (former["status"], former["superseded_at"]) == ("revoked", "2018-11-30T09:15:00Z")
    assert world.check(present.identifier) == {"status": "active", "generation": 1, "superseded_at": None}
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (409, "revoked")
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "departed"]
    (arrived,) = world.register(present)
    assert (arrived["change"], arrived["actor"]) == ("arrived", "anne")
    assert arrived["reference"] == f"{claire.voter_id} nouvelle affectation"
    assert broken_links(world.register(claire)) == broken_links(world.register(present)) == []
    assert faults(world) == []
    assert world.vote(present.identifier).status == 200
    assert faults(world) == []
    found = check_register_file(exported(world, tmp_path / "register.jsonl"), SIGNER.private_key.public_key())
    assert (found.broken, found.counted.faults, found.counted.voters) == (None, [], 1)


@pytest.mark.req("H2", "O10")
def test_what_a_roll_changed_is_told_in_french_under_the_operators_own_name(
    world: World, claire: Enrolled, operator: Operator
) -> None:
    world.agent("marie", "agent").act("freeze", claire.email, "boîte piratée")
    arrival = Arrival(world.keyed_hash.voter_id(NEW))
    mover(world, replace(operator, name="import:anne")).move(claire.voter_id, arrival, "nouvelle affectation")
    assert [event["words"] for event in world.agent("marie", "agent").look(NEW).json["timeline"]] == [
        "Changement d’adresse par anne : « nouvelle affectation ». Inscription à cette adresse, n° 1.",
        "Identifiant n° 1 gelé par anne : « gelé avant le changement d’adresse ».",
    ]


@pytest.mark.req("O4")
def test_sessions_and_codes_of_the_former_address_act_no_more(
    world: World, claire: Enrolled, browser: Browser, move: Mover
) -> None:
    waiting = world.browser()
    waiting.ask_code(claire.email)
    world.run_outbox()
    code = world.code_for(claire.email)
    present = move(claire)
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (401, "signed-out")
    assert (waiting.redeem(code).code, browser.overview().code) == ("wrong-code", "signed-out")
    sent = len(world.emails)
    world.browser().ask_code(claire.email)
    world.run_outbox()
    assert len(world.emails) == sent
    there = world.browser()
    there.sign_in(NEW)
    assert there.reissue(present.numen).status == 202
    world.run_outbox()
    assert world.check(identifier_in(world.sms[-1].text))["status"] == "active"
    assert world.check(present.identifier)["status"] == "revoked"
    assert faults(world) == []


@pytest.mark.req("O4", "I3")
def test_an_identifier_that_waits_for_the_former_address_is_never_sent(
    world: World, claire: Enrolled, move: Mover
) -> None:
    issue(world, claire)
    present = move(claire)
    world.run_outbox()
    assert not [mail for mail in world.mail_to(claire.email) if "identifiant de vote est" in mail.text]
    assert world.check(present.identifier)["status"] == "active"
    assert faults(world) == []


@pytest.mark.req("O4", "I5")
def test_a_vote_stays_cast_and_nobody_votes_twice(
    world: World, claire: Enrolled, operator: Operator, move: Mover
) -> None:
    assert world.vote(claire.identifier).status == 200
    with pytest.raises(MoveRefusedError) as refused:
        move(claire)
    assert refused.value.code is FaultCode.VOTED
    assert (world.check(claire.identifier)["status"], world.voter(claire).moved_to) == ("used", None)


@pytest.mark.req("O4", "I5")
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_vote_that_comes_in_between_wins(world: World, claire: Enrolled, operator: Operator, call: int) -> None:
    client = StruckClient(operator.dynamodb, call, before=lambda: world.vote(claire.identifier))
    with pytest.raises(MoveRefusedError):
        mover(world, client.of(operator)).move(claire.voter_id, Arrival("A" * 22), "test")
    assert client.made >= call
    assert world.check(claire.identifier)["status"] == "used"
    assert faults(world) == []


@pytest.mark.req("O4")
def test_a_freeze_and_wrong_numens_go_with_the_person(world: World, claire: Enrolled, move: Mover) -> None:
    world.change_voter(claire, numen_failures=4)
    assert world.agent().act("freeze", claire.email).status == 200
    present = move(claire)
    assert world.check(present.identifier)["status"] == "frozen"
    assert world.voter(present).numen_failures == 4
    assert faults(world) == []
    issue(world, present)
    world.run_outbox()
    assert world.voter(present).frozen_at is None
    assert faults(world) == []


@pytest.mark.req("O4", "I12")
def test_a_dispute_of_the_former_address_freezes_nothing(
    world: World, claire: Enrolled, browser: Browser, move: Mover
) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    token = dispute_token_in(world.mail_to(claire.email)[-1])
    present = move(claire)
    assert world.browser().dispute(token).status == 202
    assert world.register(claire)[-1]["change"] == Change.DISPUTED
    assert world.check(present.identifier)["status"] == "active"
    assert faults(world) == []


@pytest.mark.req("O4")
def test_an_agent_is_sent_to_the_new_address_and_acts_on_nothing(world: World, claire: Enrolled, move: Mover) -> None:
    present = move(claire)
    agent = world.agent()
    shown = agent.look(claire.email).json
    assert (shown["situation"], [act["allowed"] for act in shown["acts"]]) == ("moved", [False] * len(shown["acts"]))
    assert "Changement d’adresse" in shown["timeline"][-1]["words"]
    assert NEW not in str(shown)
    for act in ("unlock", "freeze", "unfreeze", "reissue"):
        refused = agent.act(act, claire.email)
        assert (refused.status, refused.code) == (409, "off-roll")
    assert "arrived" in [event["name"] for event in agent.look(present.email).json["timeline"]]
    assert faults(world) == []


@pytest.mark.req("O4")
def test_the_platform_hears_that_the_former_identifier_is_revoked(world: World, claire: Enrolled, move: Mover) -> None:
    world.announce()
    move(claire)
    world.announce()
    (event,) = world.announcements
    handle = world.keyed_hash.handle(claire.voter_id, 1)
    assert (event.json["handle"], event.json["status"], event.json["sequence"]) == (handle, "revoked", 2)
    assert {Change.DEPARTED, Change.REMOVED, Change.RESTORED} <= ANNOUNCED


@pytest.mark.req("O4")
def test_a_person_comes_back_to_the_address_that_they_had(
    world: World, claire: Enrolled, operator: Operator, move: Mover
) -> None:
    present = move(claire)
    mover(world, operator).move(present.voter_id, Arrival(claire.voter_id), "erreur")
    statuses = [world.check(one.identifier)["status"] for one in (claire, present)]
    assert (statuses, world.voter(claire).generation) == (["revoked", "revoked"], 2)
    there = world.browser()
    there.sign_in(claire.email)
    assert there.reissue(claire.numen).status == 202
    world.run_outbox()
    assert world.check(identifier_in(world.sms[-1].text))["status"] == "active"
    assert faults(world) == []


@pytest.mark.req("O4")
def test_an_identifier_on_its_way_at_this_moment_holds_the_move(
    world: World, claire: Enrolled, move: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reassort_ops.roll.moving.time.sleep", lambda _: None)
    reference = issue(world, claire)
    until = int(world.clock().timestamp() * 1000) + 30_000
    world.change_message(reference, "identifier", status="sending", lease_until=until)
    with pytest.raises(OperatorError, match="on its way to the former address"):
        move(claire)
    assert world.voter(claire).left_at is None


@pytest.mark.req("O4", "I9", "I6")
@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("struck", [1, 2, 3])
def test_a_fault_at_any_call_leaves_all_of_it_or_nothing(
    world: World, claire: Enrolled, operator: Operator, struck: int, fault: str
) -> None:
    issue(world, claire)
    world.run_outbox()
    client = StruckClient(operator.dynamodb, struck, fault)
    arrival = Arrival(world.keyed_hash.voter_id(NEW))
    for attempt in range(2):
        try:
            mover(world, client.of(operator)).move(claire.voter_id, arrival, "test")
        except (ContentionError, BotoCoreError):
            assert faults(world) == []
            assert attempt == 0
    assert client.made >= 3
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "reissued", "departed"]
    chains = [item for item in world.items("RegisterTable") if item["voter_id"] == arrival.voter_id]
    assert [entry["change"] for entry in chains] == ["arrived"]
    assert faults(world) == []
