"""What the register's check says of changes of address and removals, from the entries alone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from reassort.clock import epoch_milliseconds
from reassort.register import DISPUTE_ACTOR, Change, Entry
from reassort.voters import IdentifierStatus
from reassort_ops.minutes.story import FreezeEnd, RegisterStory
from reassort_ops.register.file_check import FileCheck, check_register_file
from reassort_ops.register.moves import MoveLedger
from reassort_ops.register.replay import Replay

from tests.unit.ops.damaged_registers import IMPOSSIBLE_ON_THE_ROLL, linked
from tests.unit.ops.registers import HEADER, SIGNER, chain, made_up_hash, pseudonym, register_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FORMER, PRESENT = pseudonym(1), pseudonym(2)
NUMEN = made_up_hash("numen", FORMER)
STARTED = epoch_milliseconds(datetime.fromisoformat(HEADER.started_at))


def both_sides(at: int = STARTED - 1) -> tuple[list[Entry], list[Entry]]:
    """Return the chains of a person who changed address."""
    left = {"reference": f"{PRESENT} septembre", "at": at}
    came = {"reference": f"{FORMER} septembre", "at": at, "numen_hash": NUMEN}
    return (
        linked(chain(FORMER, [Change.ISSUED, Change.DEPARTED]), _2=left),
        linked(chain(PRESENT, [Change.ARRIVED, Change.VOTED]), _1=came),
    )


def checked(folder: Path, *chains: Sequence[Entry]) -> FileCheck:
    path = folder / "register.jsonl"
    path.write_bytes(register_file([entry for one in chains for entry in one]))
    return check_register_file(path, SIGNER.private_key.public_key())


def fault_of(entries: Iterable[Entry]) -> str | None:
    """Return the first fault of a chain."""
    replay: Replay | None = None
    for entry in entries:
        replay = replay or Replay(entry.voter_id)
        fault = replay.follow(entry, entry.hash)
        if fault is not None:
            return fault
    return None


@pytest.mark.req("O4", "S33", "I10")
def test_a_change_of_address_is_one_voter_with_one_valid_identifier(tmp_path: Path) -> None:
    found = checked(tmp_path, *both_sides())
    assert (found.holds, found.counted.faults, found.counted.voters) == (True, [], 1)
    assert found.counted.equation == "issued 2 = active 0 + revoked 1 + used 1 + frozen 0"


@pytest.mark.req("O4", "S33")
@pytest.mark.parametrize(("missing", "side"), [(0, "departure"), (1, "arrival")])
def test_a_side_that_is_missing_is_named(tmp_path: Path, missing: int, side: str) -> None:
    found = checked(tmp_path, both_sides()[1 - missing])
    assert not found.holds
    assert any(fault.endswith(f"who has no such {side}") for fault in found.counted.faults)


@pytest.mark.req("O4", "S33")
def test_a_move_while_the_voters_were_read_may_have_one_side(tmp_path: Path) -> None:
    former, present = both_sides(STARTED)
    assert checked(tmp_path, present).holds
    assert checked(tmp_path, former[:1], present).holds


@pytest.mark.req("O4", "S33")
def test_a_numen_of_two_voters_is_found(tmp_path: Path) -> None:
    one, other = (linked(chain(pseudonym(number), [Change.ISSUED]), _1={"numen_hash": NUMEN}) for number in (1, 3))
    found = checked(tmp_path, one, list(chain(pseudonym(2), [Change.ISSUED])), other)
    assert (found.holds, found.counted.faults) == (False, ["a NUMEN is that of two voters"])


@pytest.mark.req("O4", "S33")
def test_a_departure_with_another_numen_is_named() -> None:
    former, _ = both_sides()
    wrong = linked(former, _2={"numen_hash": made_up_hash("another")})
    assert fault_of(wrong) == "entry 2 (departed) is of another NUMEN"


@pytest.mark.req("O4", "O5", "S33")
@pytest.mark.parametrize(("story", "why"), IMPOSSIBLE_ON_THE_ROLL)
def test_a_story_that_cannot_be(story: list[Change], why: str) -> None:
    fault = fault_of(chain(FORMER, story))
    assert fault is not None
    assert fault.startswith(why)


@pytest.mark.req("I1", "I9")
@pytest.mark.parametrize(
    ("story", "generation"),
    [
        ([Change.ISSUED], 2),
        ([Change.ISSUED, Change.ISSUED], 1),
        ([Change.ISSUED, Change.REISSUED], 1),
        ([Change.ISSUED, Change.REISSUED], 3),
        ([Change.ARRIVED], 2),
        ([Change.ISSUED, Change.DISPUTED], 2),
        ([Change.ISSUED, Change.DISPUTED], 0),
        ([Change.ISSUED, Change.REISSUED, Change.FROZEN], 1),
        ([Change.ISSUED, Change.FROZEN], 2),
    ],
)
def test_an_entry_of_another_generation_than_its_change_is_of(story: list[Change], generation: int) -> None:
    entries = list(chain(FORMER, story))
    place = len(story)
    before = entries[place - 2].generation if place > 1 else 0
    wrong = linked(entries, **{f"_{place}": {"generation": generation}})
    what = f"entry {place} ({story[-1].value}) is of generation {generation}, after generation {before}"
    assert fault_of(wrong) == what


@pytest.mark.req("O5", "S33")
@pytest.mark.parametrize("frozen", [False, True])
def test_a_restoration_says_how_the_voter_stands(frozen: bool) -> None:
    story = [Change.ISSUED, *([Change.FROZEN] if frozen else []), Change.REMOVED, Change.RESTORED]
    last = f"_{len(story)}"
    for status in ("active", "frozen"):
        right = status == ("frozen" if frozen else "active")
        fault = fault_of(linked(chain(FORMER, story), **{last: {"reference": f"{status} erreur"}}))
        assert (fault is None) == right


@pytest.mark.req("O5", "I12")
def test_a_dispute_freezes_under_a_removal() -> None:
    entries = list(chain(FORMER, [Change.ISSUED, Change.REISSUED, Change.REMOVED, Change.FROZEN]))
    entries = linked(entries, _4={"actor": DISPUTE_ACTOR})
    assert fault_of(entries) is None
    replay = Replay(FORMER)
    for entry in entries:
        replay.follow(entry, entry.hash)
    assert (replay.removed, replay.is_disputed) == (True, True)
    assert replay.statuses[IdentifierStatus.FROZEN] == 1


@pytest.mark.req("I1", "I10")
@pytest.mark.parametrize(
    ("story", "revoked", "current"),
    [
        ([], 0, {}),
        ([Change.ISSUED], 0, {"active": 1}),
        ([Change.ISSUED, Change.REISSUED], 1, {"active": 1}),
        ([Change.ISSUED, Change.FROZEN], 0, {"frozen": 1}),
        ([Change.ISSUED, Change.FROZEN, Change.UNFROZEN], 0, {"active": 1}),
        ([Change.ISSUED, Change.REMOVED], 0, {"frozen": 1}),
        ([Change.ISSUED, Change.REMOVED, Change.RESTORED], 0, {"active": 1}),
        ([Change.ISSUED, Change.REISSUED, Change.DISPUTED], 1, {"frozen": 1}),
        ([Change.ISSUED, Change.REISSUED, Change.DISPUTED, Change.REISSUED], 2, {"active": 1}),
        ([Change.ISSUED, Change.VOTED, Change.DISPUTED], 0, {"used": 1}),
        ([Change.ISSUED, Change.REISSUED, Change.DEPARTED], 2, {}),
    ],
)
def test_every_identifier_became_one_thing(story: list[Change], revoked: int, current: dict[str, int]) -> None:
    replay = Replay(FORMER)
    for entry in chain(FORMER, story):
        replay.follow(entry, entry.hash)
    counts = {status.value: count for status, count in replay.statuses.items() if count}
    assert counts == ({"revoked": revoked} if revoked else {}) | current


def test_the_ledger_ends_empty_in_any_order() -> None:
    sides = [one for chained in both_sides() for one in chained]
    for order in (sides, sides[::-1]):
        ledger = MoveLedger()
        for entry in order:
            ledger.take(entry)
        assert ledger.unmatched == ()
    assert sides[1].first_word == PRESENT


@pytest.mark.req("O4", "O9")
def test_the_minutes_take_a_freeze_before_a_move_for_replaced() -> None:
    story = RegisterStory()
    story.take(FORMER, list(chain(FORMER, [Change.ISSUED, Change.FROZEN, Change.DEPARTED], "anne")))
    assert story.freezes == {FreezeEnd.REPLACED: 1}
    assert story.others == {Change.DEPARTED: 1}
