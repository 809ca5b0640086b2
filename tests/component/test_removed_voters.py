"""A removal from the roll (*radiation*): on record, reversible before the close, and no freeze."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import BotoCoreError
from reassort.tables import ContentionError
from reassort.unreached import never_reached
from reassort_ops.failures import OperatorError
from reassort_ops.register.file_check import check_register_file
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress, MoveRefusedError

from harness.service.reading import dispute_token_in
from tests.component.operators import FAULTS, StruckClient, issue
from tests.component.test_insider import exported, faults
from tests.register_chain import broken_links
from tests.unit.ops.registers import SIGNER

if TYPE_CHECKING:
    from pathlib import Path

    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, Enrolled, World

REASON = "radié le 12 novembre"


@pytest.fixture
def leaving(world: World, operator: Operator) -> Leaving:
    """Who removes and restores."""
    return Leaving(operator, world.election)


def changes(world: World, voter: Enrolled) -> list[str]:
    assert broken_links(world.register(voter)) == []
    return [entry["change"] for entry in world.register(voter)]


@pytest.mark.req("O5", "I9", "I10", "I11")
def test_a_removed_voter_votes_no_more_until_they_are_restored(
    world: World, claire: Enrolled, paul: Enrolled, leaving: Leaving, tmp_path: Path
) -> None:
    assert leaving.remove(claire.voter_id, REASON)
    assert world.check(claire.identifier)["status"] == "frozen"
    refused = world.vote(claire.identifier)
    assert (refused.status, world.voter(claire).frozen_at) == (409, None)
    entry = world.register(claire)[-1]
    assert (entry["change"], entry["actor"], entry["reference"]) == ("removed", "anne", REASON)
    assert faults(world) == []
    found = check_register_file(exported(world, tmp_path / "register.jsonl"), SIGNER.private_key.public_key())
    assert (found.broken, found.counted.faults, found.counted.voters, found.counted.removed) == (None, [], 2, 1)
    assert leaving.restore(claire.voter_id, "radiation par erreur")
    assert world.register(claire)[-1]["reference"] == "active radiation par erreur"
    assert world.vote(claire.identifier).status == 200
    assert changes(world, claire) == ["issued", "removed", "restored", "voted"]
    assert faults(world) == []


@pytest.mark.req("O5")
def test_what_is_done_is_done_once(world: World, claire: Enrolled, leaving: Leaving) -> None:
    assert not leaving.restore(claire.voter_id, REASON)
    assert leaving.remove(claire.voter_id, REASON)
    assert not leaving.remove(claire.voter_id, REASON)
    assert changes(world, claire) == ["issued", "removed"]


@pytest.mark.req("O5")
def test_a_removed_voter_cannot_sign_in_and_their_sessions_do_not_come_back(
    world: World, claire: Enrolled, browser: Browser, leaving: Leaving
) -> None:
    waiting = world.browser()
    waiting.ask_code(claire.email)
    world.run_outbox()
    code = world.code_for(claire.email)
    world.clock.move(seconds=1)
    leaving.remove(claire.voter_id, REASON)
    assert (browser.overview().code, browser.reissue(claire.numen).code) == ("signed-out", "signed-out")
    assert waiting.redeem(code).code == "wrong-code"
    sent = len(world.emails)
    world.browser().ask_code(claire.email)
    world.run_outbox()
    assert len(world.emails) == sent
    leaving.restore(claire.voter_id, REASON)
    assert browser.overview().code == "signed-out"
    there = world.browser()
    world.clock.move(minutes=2)
    there.sign_in(claire.email)
    assert there.reissue(claire.numen).status == 202


@pytest.mark.req("O5", "H2")
def test_the_helpdesk_says_so_and_offers_no_way_back(world: World, claire: Enrolled, leaving: Leaving) -> None:
    agent = world.agent()
    agent.act("freeze", claire.email)
    leaving.remove(claire.voter_id, REASON)
    shown = agent.look(claire.email).json
    (step,) = shown["advice"]
    assert (shown["situation"], step["name"], "act" in step) == ("removed", "removed", False)
    assert "radié de la liste électorale" in step["words"]
    assert "Ce n’est pas un gel" in step["words"]
    lines = {line["label"]: line["words"] for line in shown["status"]}
    assert "radié de la liste électorale" in lines["Identifiant"]
    assert {(act["allowed"], act["why"]) for act in shown["acts"]} == {
        (False, "L’électeur n’est plus sur la liste électorale à cette adresse.")
    }
    assert shown["timeline"][-1]["words"] == f"Radié de la liste électorale par anne : « {REASON} »."
    for act in ("unlock", "freeze", "unfreeze", "reissue"):
        refused = agent.act(act, claire.email)
        assert (refused.status, refused.code) == (409, "off-roll")
    assert agent.act("let-in", claire.email, number="482913").code == "off-roll"
    assert changes(world, claire) == ["issued", "frozen", "removed"]


@pytest.mark.req("O5", "I12")
def test_a_freeze_stays_under_a_removal(world: World, claire: Enrolled, leaving: Leaving) -> None:
    world.agent().act("freeze", claire.email)
    leaving.remove(claire.voter_id, REASON)
    assert faults(world) == []
    leaving.restore(claire.voter_id, REASON)
    assert world.register(claire)[-1]["reference"] == f"frozen {REASON}"
    assert world.check(claire.identifier)["status"] == "frozen"
    assert world.agent().act("unfreeze", claire.email).status == 200
    assert world.check(claire.identifier)["status"] == "active"
    assert faults(world) == []


@pytest.mark.req("O5", "I12")
def test_a_dispute_while_removed_still_freezes(
    world: World, claire: Enrolled, browser: Browser, leaving: Leaving
) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    token = dispute_token_in(world.mail_to(claire.email)[-1])
    leaving.remove(claire.voter_id, REASON)
    assert world.browser().dispute(token).status == 202
    assert faults(world) == []
    leaving.restore(claire.voter_id, REASON)
    assert changes(world, claire) == ["issued", "reissued", "removed", "frozen", "restored"]
    assert world.register(claire)[-1]["reference"] == f"frozen {REASON}"
    assert faults(world) == []


@pytest.mark.req("O5", "I5")
@pytest.mark.parametrize("call", [1, 2])
def test_nobody_who_has_voted_is_removed(world: World, claire: Enrolled, operator: Operator, call: int) -> None:
    client = StruckClient(operator.dynamodb, call, before=lambda: world.vote(claire.identifier))
    with pytest.raises(OperatorError, match="has voted"):
        Leaving(client.of(operator), world.election).remove(claire.voter_id, REASON)
    assert changes(world, claire) == ["issued", "voted"]
    assert world.check(claire.identifier)["status"] == "used"


@pytest.mark.req("O5", "I9", "I6")
@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("struck", [1, 2])
def test_a_fault_at_any_call_leaves_all_of_it_or_nothing(
    world: World, claire: Enrolled, operator: Operator, struck: int, fault: str
) -> None:
    for act in ("remove", "restore"):
        client = StruckClient(operator.dynamodb, struck, fault)
        leaving = Leaving(client.of(operator), world.election)
        for _ in range(2):
            try:
                getattr(leaving, act)(claire.voter_id, REASON)
            except (ContentionError, BotoCoreError):
                assert faults(world) == []
        assert client.made >= struck
    assert changes(world, claire) == ["issued", "removed", "restored"]
    assert faults(world) == []


@pytest.mark.req("O5")
def test_the_roll_is_not_changed_after_the_ballot(world: World, claire: Enrolled, leaving: Leaving) -> None:
    leaving.remove(claire.voter_id, REASON)
    world.clock.set(world.election.windows.voting.closes_at)
    for act in (leaving.remove, leaving.restore):
        with pytest.raises(OperatorError, match="the ballot closed"):
            act(claire.voter_id, REASON)


@pytest.mark.req("O5")
def test_a_removed_voter_is_not_moved(world: World, claire: Enrolled, leaving: Leaving) -> None:
    leaving.remove(claire.voter_id, REASON)
    change = ChangeOfAddress(leaving.operator, world.election, world.keyed_hash)
    with pytest.raises(MoveRefusedError, match="was removed"):
        change.move(claire.voter_id, Arrival("A" * 22), REASON)


@pytest.mark.req("O5")
def test_the_platform_hears_of_both(world: World, claire: Enrolled, leaving: Leaving) -> None:
    leaving.remove(claire.voter_id, REASON)
    leaving.restore(claire.voter_id, REASON)
    world.announce()
    assert [(one.json["status"], one.json["sequence"]) for one in world.announcements] == [("frozen", 2), ("active", 3)]


@pytest.mark.req("O5", "S34")
def test_an_identifier_that_waits_is_not_sent_and_nothing_that_waited_is_confirmed(
    world: World, claire: Enrolled, leaving: Leaving
) -> None:
    issue(world, claire)
    leaving.remove(claire.voter_id, REASON)
    world.run_outbox()
    assert not [mail for mail in world.mail_to(claire.email) if "identifiant de vote est" in mail.text]
    assert faults(world) == []


@pytest.mark.req("O5", "O8")
def test_who_left_the_roll_waits_for_nothing_any_more(world: World, claire: Enrolled, leaving: Leaving) -> None:
    reference = issue(world, claire)
    world.change_message(reference, "identifier", status="failed")
    assert never_reached(world.voter(claire), [world.delivery(reference)]) is not None
    leaving.remove(claire.voter_id, REASON)
    assert never_reached(world.voter(claire), [world.delivery(reference)]) is None
