"""Each clause of each conditional write of removals and changes of address, alone; and what exactly
is written.

The command has read what it needs. Something else slips in just before it writes, and touches one
fact alone: not the length of the voter's chain, which would refuse any change by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.register import Change
from reassort_ops.failures import OperatorError
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress, MoveRefusedError

from tests.component.operators import BusyClient, StruckClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, Enrolled, World

NEW, LATER = "claire.durand@u-bourgogne.fr", "claire.durand@ac-dijon.fr"
REASON = "liste du 12 novembre"
LONGEST_PAUSE = 0.2


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the command would have waited, each time."""
    found: list[float] = []
    for module in ("leaving", "moving"):
        monkeypatch.setattr(f"reassort_ops.roll.{module}.time.sleep", found.append)
    return found


def struck(operator: Operator, call: int, slip: Callable[[], object]) -> Operator:
    """Return an operator to whom something slips in before that call."""
    return StruckClient(operator.dynamodb, call, before=slip).of(operator)


def item(world: World, voter_id: str) -> dict[str, Any]:
    """Return all that is kept of a voter."""
    found = world.engine.get("VotersTable", {"voter_id": voter_id})
    assert found is not None
    return found


def without(world: World, voter_id: str, *names: str) -> None:
    """Take attributes away from a voter."""
    kept = {name: value for name, value in item(world, voter_id).items() if name not in names}
    world.engine.put("VotersTable", kept)


def changes(world: World, voter: Enrolled) -> list[str]:
    """Return what the register says of a voter."""
    return [entry["change"] for entry in world.register(voter)]


def mover(world: World, operator: Operator) -> ChangeOfAddress:
    """Return who moves voters."""
    return ChangeOfAddress(operator, world.election, world.keyed_hash)


# ---------------------------------------------------------------- removals


@pytest.mark.req("O5", "I5")
def test_nobody_is_removed_who_meanwhile_voted(
    world: World, claire: Enrolled, operator: Operator, pauses: list[float]
) -> None:
    anne = struck(operator, 2, lambda: world.change_voter(claire, voted_at=1))
    with pytest.raises(OperatorError, match="has voted"):
        Leaving(anne, world.election).remove(claire.voter_id, REASON)
    assert (changes(world, claire), world.voter(claire).left_at) == (["issued"], None)
    assert len(pauses) == 1


@pytest.mark.req("O5")
def test_nobody_is_removed_twice(world: World, claire: Enrolled, operator: Operator, pauses: list[float]) -> None:
    anne = struck(operator, 2, lambda: world.change_voter(claire, left_at=7))
    assert Leaving(anne, world.election).remove(claire.voter_id, REASON)
    assert (changes(world, claire), world.voter(claire).left_at) == (["issued"], 7)


@pytest.mark.req("O5")
def test_a_removal_is_of_the_instant_and_ends_the_sessions(world: World, claire: Enrolled, operator: Operator) -> None:
    before = item(world, claire.voter_id)
    assert Leaving(operator, world.election).remove(claire.voter_id, REASON)
    entry = world.register(claire)[-1]
    at = epoch_milliseconds(world.clock())
    chain = {"chain_length": 2, "chain_head": entry["hash"]}
    assert item(world, claire.voter_id) == before | chain | {"left_at": at, "signed_out_at": at}
    assert (entry["at"], entry["generation"]) == (at, 1)


@pytest.mark.req("O5")
@pytest.mark.parametrize("meanwhile", ["voted", "moved", "restored"])
def test_nobody_is_restored_who_meanwhile(
    world: World, claire: Enrolled, operator: Operator, pauses: list[float], meanwhile: str
) -> None:
    Leaving(operator, world.election).remove(claire.voter_id, REASON)
    slips: dict[str, Callable[[], object]] = {
        "voted": lambda: world.change_voter(claire, voted_at=1),
        "moved": lambda: world.change_voter(claire, moved_to="A" * 22),
        "restored": lambda: without(world, claire.voter_id, "left_at"),
    }
    leaving = Leaving(struck(operator, 2, slips[meanwhile]), world.election)
    if meanwhile == "restored":
        assert leaving.restore(claire.voter_id, REASON)
    else:
        told = "another address since" if meanwhile == "moved" else "written by somebody else: nothing was changed"
        with pytest.raises(OperatorError, match=told):
            leaving.restore(claire.voter_id, REASON)
    assert changes(world, claire) == ["issued", "removed"]
    assert len(pauses) >= 1
    assert all(0 <= pause <= LONGEST_PAUSE for pause in pauses)


@pytest.mark.req("O5", "I12")
@pytest.mark.parametrize(
    ("standing", "status"),
    [({}, "active"), ({"frozen_at": 1}, "frozen"), ({"disputed": 1}, "frozen"), ({"disputed": 0}, "active")],
    ids=["as issued", "frozen", "disputed", "disputed before"],
)
def test_a_restoration_says_what_the_identifier_is_worth(
    world: World, claire: Enrolled, operator: Operator, standing: dict[str, Any], status: str
) -> None:
    world.change_voter(claire, left_at=1, **standing)
    assert Leaving(operator, world.election).restore(claire.voter_id, REASON)
    entry = world.register(claire)[-1]
    assert (entry["change"], entry["reference"], entry["generation"]) == ("restored", f"{status} {REASON}", 1)
    assert entry["at"] == epoch_milliseconds(world.clock())


@pytest.mark.req("O5")
@pytest.mark.parametrize("act", ["remove", "restore"])
def test_who_is_not_there_or_somewhere_else_is_neither_removed_nor_restored(
    world: World, claire: Enrolled, operator: Operator, act: str
) -> None:
    leaving = Leaving(operator, world.election)
    with pytest.raises(OperatorError, match="nobody with this address"):
        getattr(leaving, act)("A" * 22, REASON)
    world.change_voter(claire, left_at=1, moved_to="A" * 22)
    with pytest.raises(OperatorError, match="another address since"):
        getattr(leaving, act)(claire.voter_id, REASON)
    assert changes(world, claire) == ["issued"]


# ---------------------------------------------------------------- changes of address


@pytest.mark.req("O4")
@pytest.mark.parametrize(
    ("slip", "code"),
    [({"voted_at": 1}, FaultCode.VOTED), ({"left_at": 1}, FaultCode.REMOVED)],
    ids=["voted", "was removed"],
)
def test_nobody_is_moved_who_meanwhile(
    world: World, claire: Enrolled, operator: Operator, pauses: list[float], slip: dict[str, Any], code: FaultCode
) -> None:
    anne = struck(operator, 3, lambda: world.change_voter(claire, **slip))
    with pytest.raises(MoveRefusedError) as refused:
        mover(world, anne).move(claire.voter_id, Arrival("A" * 22), REASON)
    assert refused.value.code is code
    assert (changes(world, claire), world.voter(claire).moved_to) == (["issued"], None)
    assert len(pauses) == 1


@pytest.mark.req("O4")
@pytest.mark.parametrize(
    ("slip", "name"),
    [
        ({"generation": 2, "issued_at": [1, 2]}, "generation"),
        ({"numen_failures": 3}, "numen_failures"),
        ({"numen_locked_until": 5}, "numen_locked_until"),
    ],
    ids=["reissue", "failures", "lock"],
)
def test_a_move_takes_along_what_slipped_in(
    world: World, claire: Enrolled, operator: Operator, pauses: list[float], slip: dict[str, Any], name: str
) -> None:
    anne = struck(operator, 3, lambda: world.change_voter(claire, **slip))
    mover(world, anne).move(claire.voter_id, Arrival("A" * 22), REASON)
    if name == "generation":
        assert world.register(claire)[-1]["generation"] == 2
    else:
        assert item(world, "A" * 22)[name] == slip[name]
    assert len(pauses) == 1


@pytest.mark.req("O4", "I11")
@pytest.mark.parametrize("taken", ["address", "identifier", "NUMEN"])
def test_a_move_takes_nothing_that_meanwhile_is_anothers(
    world: World, claire: Enrolled, paul: Enrolled, operator: Operator, pauses: list[float], taken: str
) -> None:
    arrival = Arrival("A" * 22, identifier_hash="B" * 43)
    another: dict[str, tuple[str, dict[str, Any]]] = {
        "address": ("VotersTable", item(world, paul.voter_id) | {"voter_id": arrival.voter_id}),
        "identifier": ("IdentifiersTable", {"identifier_hash": "B" * 43, "voter_id": paul.voter_id, "generation": 1}),
        "NUMEN": ("NumensTable", {"numen_hash": world.voter(claire).numen_hash, "voter_id": paul.voter_id}),
    }
    table, put = another[taken]
    anne = struck(operator, 3, lambda: world.engine.put(table, put))
    told = "another voter's" if taken == "address" else "written by somebody else: nothing was changed"
    with pytest.raises(OperatorError, match=told):
        mover(world, anne).move(claire.voter_id, arrival, REASON)
    assert (changes(world, claire), world.voter(claire).moved_to) == (["issued"], None)
    assert put in world.items(table)
    assert len(pauses) >= 1
    assert all(0 <= pause <= LONGEST_PAUSE for pause in pauses)


@pytest.mark.req("O4")
@pytest.mark.parametrize("slip", ["written", "taken up"])
def test_nobody_comes_back_to_an_address_that_meanwhile_is(
    world: World, claire: Enrolled, operator: Operator, pauses: list[float], slip: str
) -> None:
    present = world.keyed_hash.voter_id(NEW)
    mover(world, operator).move(claire.voter_id, Arrival(present), REASON)

    def between() -> None:
        if slip == "written":
            world.change_voter(claire, chain_length=9)
        else:
            without(world, claire.voter_id, "moved_to", "left_at")

    anne = mover(world, struck(operator, 3, between))
    if slip == "written":
        anne.move(present, Arrival(claire.voter_id), REASON)
        assert item(world, claire.voter_id)["chain_length"] == 10
    else:
        with pytest.raises(MoveRefusedError, match="another voter's"):
            anne.move(present, Arrival(claire.voter_id), REASON)
        assert item(world, present)["chain_length"] == 1


@pytest.mark.req("O4", "O10")
@pytest.mark.parametrize("told", [True, False], ids=["the roll says more", "the roll says the address alone"])
def test_a_voter_arrives_as_they_left_but_for_what_the_roll_says(
    world: World, claire: Enrolled, operator: Operator, told: bool
) -> None:
    world.change_voter(claire, numen_failures=4, numen_locked_until=7, extra_proof_hash="C" * 43)
    if told:
        world.change_voter(claire, frozen_at=5)
    before, present = item(world, claire.voter_id), world.keyed_hash.voter_id(NEW)
    more = {"establishment": "Collège", "extra_proof_hash": "D" * 43, "identifier_hash": "B" * 43} if told else {}
    mover(world, operator).move(claire.voter_id, Arrival(present, **more), REASON)
    at = epoch_milliseconds(world.clock())
    chain = [entry for entry in world.items("RegisterTable") if entry["voter_id"] == present]
    kept = {name: before[name] for name in ("numen_hash", "numen_failures", "numen_locked_until")}
    said = {"establishment": "Collège", "extra_proof_hash": "D" * 43, "frozen_at": at}
    assert item(world, present) == {
        **kept,
        **(said if told else {name: before[name] for name in ("establishment", "secretariat")}),
        "voter_id": present,
        "generation": 1,
        "issued_at": [at],
        "chain_length": len(chain),
        "chain_head": chain[-1]["hash"],
        "moved_from": claire.voter_id,
        "signed_out_at": at,
    }
    assert [entry["change"] for entry in chain] == ["arrived", *(["frozen"] if told else [])]
    assert chain[0].get("extra_proof_hash") == ("D" * 43 if told else None)
    assert (chain[0]["reference"], world.register(claire)[-1]["reference"]) == (
        f"{claire.voter_id} {REASON}",
        f"{present} {REASON}",
    )
    left = {"chain_length": 2, "chain_head": world.register(claire)[-1]["hash"]}
    assert item(world, claire.voter_id) == before | left | {"left_at": at, "moved_to": present, "signed_out_at": at}
    (identifier,) = (one for one in world.items("IdentifiersTable") if one["voter_id"] == present)
    assert identifier["generation"] == 1
    assert (identifier["identifier_hash"] == "B" * 43) == told
    assert world.items("NumensTable") == [{"numen_hash": before["numen_hash"], "voter_id": present}]


@pytest.mark.req("O4", "I1", "I10")
def test_who_comes_back_leaves_nothing_of_their_first_stay(
    world: World, claire: Enrolled, browser: Browser, operator: Operator
) -> None:
    browser.reissue(claire.numen)
    world.change_voter(claire, frozen_at=5, extra_proof_hash="C" * 43)
    present, first = world.keyed_hash.voter_id(NEW), item(world, claire.voter_id)
    mover(world, operator).move(claire.voter_id, Arrival(present), REASON)
    without(world, present, "frozen_at")
    world.clock.move(minutes=1)
    mover(world, operator).move(present, Arrival(claire.voter_id, "Collège"), REASON)
    at, last = epoch_milliseconds(world.clock()), world.register(claire)[-1]
    assert item(world, claire.voter_id) == {
        "voter_id": claire.voter_id,
        "numen_hash": first["numen_hash"],
        "establishment": "Collège",
        "generation": 3,
        "issued_at": [*first["issued_at"], at],
        "chain_length": 4,
        "chain_head": last["hash"],
        "numen_failures": 0,
        "numen_locked_until": 0,
        "moved_from": present,
        "signed_out_at": at,
    }
    assert changes(world, claire) == ["issued", "reissued", Change.DEPARTED, Change.ARRIVED]
    assert (last["generation"], last["previous"]) == (3, world.register(claire)[-2]["hash"])
    generations = [one["generation"] for one in world.items("IdentifiersTable") if one["voter_id"] == claire.voter_id]
    assert sorted(generations) == [1, 2, 3]


@pytest.mark.req("O4", "I1")
@pytest.mark.parametrize(
    ("there", "is_taken"),
    [
        ({}, True),
        ({"moved_to": "A" * 22, "left_at": 1}, True),
        ({"moved_to": "claire", "left_at": 1}, False),
        ({"moved_to": "A" * 22, "left_at": 1, "numen_hash": "claire's"}, False),
        ({"numen_hash": "claire's"}, True),
    ],
    ids=["another's", "another's former", "hers before a correction", "hers two moves ago", "of a twin"],
)
def test_only_the_own_former_address_is_taken_up_again(
    world: World, claire: Enrolled, paul: Enrolled, operator: Operator, there: dict[str, Any], is_taken: bool
) -> None:
    hers = {"claire": claire.voter_id, "claire's": world.voter(claire).numen_hash}
    world.change_voter(paul, **{name: hers.get(value, value) for name, value in there.items()})
    if is_taken:
        with pytest.raises(MoveRefusedError) as refused:
            mover(world, operator).move(claire.voter_id, Arrival(paul.voter_id), REASON)
        assert refused.value.code is FaultCode.FORMER
    else:
        mover(world, operator).move(claire.voter_id, Arrival(paul.voter_id), REASON)
    assert (world.voter(claire).moved_to == paul.voter_id) != is_taken


@pytest.mark.req("O4")
@pytest.mark.parametrize(
    ("standing", "code", "told"),
    [
        (None, FaultCode.ABSENT, "nobody with the former address is on the stack"),
        ({"voted_at": 1}, FaultCode.VOTED, "the voter has voted: nothing of them is changed any more"),
        ({"left_at": 1, "moved_to": "B" * 22}, FaultCode.FORMER, "the voter has another address since"),
        (
            {"left_at": 1},
            FaultCode.REMOVED,
            "the voter was removed from the roll: `reassort roll restore` puts them back",
        ),
    ],
    ids=["nobody", "voted", "moved before", "removed"],
)
def test_it_is_told_who_cannot_be_moved(
    world: World, claire: Enrolled, operator: Operator, standing: dict[str, Any] | None, code: FaultCode, told: str
) -> None:
    world.change_voter(claire, **(standing or {}))
    with pytest.raises(MoveRefusedError) as refused:
        mover(world, operator).move("C" * 22 if standing is None else claire.voter_id, Arrival("A" * 22), REASON)
    assert (refused.value.code, str(refused.value)) == (code, told)


@pytest.mark.req("O4")
@pytest.mark.parametrize("act", ["move", "remove"])
def test_a_voter_whom_others_write_all_the_time_is_left_alone(
    world: World, claire: Enrolled, operator: Operator, pauses: list[float], act: str
) -> None:
    anne = BusyClient(operator.dynamodb).of(operator)
    acts: dict[str, Callable[[], object]] = {
        "move": lambda: mover(world, anne).move(claire.voter_id, Arrival("A" * 22), REASON),
        "remove": lambda: Leaving(anne, world.election).remove(claire.voter_id, REASON),
    }
    with pytest.raises(OperatorError, match="written by somebody else: nothing was changed"):
        acts[act]()
    assert changes(world, claire) == ["issued"]
    assert len(pauses) > 1


@pytest.mark.req("O4")
def test_nobody_is_moved_after_the_ballot(world: World, claire: Enrolled, operator: Operator) -> None:
    world.clock.set(world.election.windows.voting.closes_at)
    with pytest.raises(OperatorError, match="the ballot closed"):
        mover(world, operator).move(claire.voter_id, Arrival("A" * 22), REASON)
