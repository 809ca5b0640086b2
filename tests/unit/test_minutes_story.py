"""What minutes count of the chain of a voter, and of the election's own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from reassort.register import DISPUTE_ACTOR, ELECTION_CHAIN, VOTER_ACTOR, Change
from reassort_ops.minutes.story import DisputeEnd, FreezeEnd, Hand, RegisterStory

from tests.unit.ops.registers import chain

AGENT = "3f9a2c00-0000-4000-8000-000000000000"
FORMER = 1

ISSUED, REISSUED, VOTED = Change.ISSUED, Change.REISSUED, Change.VOTED
FROZEN, UNFROZEN, DISPUTED = Change.FROZEN, Change.UNFROZEN, Change.DISPUTED
DEPARTED, ARRIVED = Change.DEPARTED, Change.ARRIVED


def story(*changes: Change, actor: str = VOTER_ACTOR, generation: int | None = None) -> RegisterStory:
    """Tell the chains of two voters to whom the same happened; `generation` is of each dispute."""
    told = RegisterStory()
    for voter in ("a", "b"):
        entries = list(chain(voter, changes, actor))
        if generation is not None:
            entries = [replace(one, generation=generation) if one.change is DISPUTED else one for one in entries]
        told.take(voter, entries)
    return told


@pytest.mark.parametrize(
    ("actor", "hand"),
    [
        (VOTER_ACTOR, Hand.VOTER),
        (AGENT, Hand.AGENT),
        ("anne", Hand.OPERATOR),
        (f"{AGENT} + {AGENT[::-1]}", Hand.TWO_PEOPLE),
        ("anne + paul", Hand.TWO_PEOPLE),
    ],
)
def test_each_reissue_is_by_the_hand_that_its_entry_names(actor: str, hand: Hand) -> None:
    told = story(ISSUED, REISSUED, REISSUED, actor=actor)
    assert told == RegisterStory(hands=Counter({hand: 4}), references={"7K3M9-QWX2T"})


def test_a_reissue_is_found_by_the_first_word_of_its_reference() -> None:
    told = RegisterStory()
    first, second = chain("a", (ISSUED, REISSUED))
    told.take("a", [first, replace(second, reference="AAAAA-AAAAA sans téléphone")])
    assert told.references == {"AAAAA-AAAAA"}


@pytest.mark.parametrize(
    ("after", "end"),
    [
        ((), FreezeEnd.FROZEN),
        ((Change.CORRECTED, Change.UNLOCKED), FreezeEnd.FROZEN),
        ((UNFROZEN,), FreezeEnd.UNFROZEN),
        ((Change.CORRECTED, UNFROZEN, REISSUED), FreezeEnd.UNFROZEN),
        ((REISSUED,), FreezeEnd.REPLACED),
        ((REISSUED, UNFROZEN), FreezeEnd.REPLACED),
        ((DEPARTED,), FreezeEnd.REPLACED),
    ],
)
def test_a_freeze_ends_with_the_first_thing_that_lifts_or_replaces(after: tuple[Change, ...], end: FreezeEnd) -> None:
    told = story(ISSUED, REISSUED, FROZEN, *after, actor="anne")
    assert (told.freezes, told.disputes) == ({end: 2}, {})


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ((ISSUED, FROZEN), DisputeEnd.FROZEN),
        ((ARRIVED, REISSUED, FROZEN, Change.CORRECTED), DisputeEnd.FROZEN),
        ((ISSUED, FROZEN, REISSUED), DisputeEnd.REPLACED),
        ((ISSUED, FROZEN, Change.CORRECTED, DEPARTED), DisputeEnd.REPLACED),
        ((ISSUED, DISPUTED), DisputeEnd.FROZEN),
        ((ISSUED, DISPUTED, REISSUED, VOTED), DisputeEnd.REPLACED),
        ((ISSUED, VOTED, DISPUTED), DisputeEnd.VOTED),
    ],
)
def test_a_dispute_ends_by_what_came_before_and_after(changes: tuple[Change, ...], end: DisputeEnd) -> None:
    told = story(*changes, actor=DISPUTE_ACTOR)
    assert (told.disputes, told.freezes) == ({end: 2}, {})


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ((ISSUED, DISPUTED), DisputeEnd.FROZEN),
        ((ISSUED, REISSUED, DISPUTED), DisputeEnd.FORMER),
        # Of the former identifier, whatever came of the last.
        ((ISSUED, REISSUED, VOTED, DISPUTED), DisputeEnd.FORMER),
        ((ARRIVED, REISSUED, DISPUTED, REISSUED), DisputeEnd.FORMER),
    ],
)
def test_a_dispute_of_an_identifier_that_was_replaced_changes_nothing(
    changes: tuple[Change, ...], end: DisputeEnd
) -> None:
    assert story(*changes, actor=DISPUTE_ACTOR, generation=FORMER).disputes == {end: 2}


def test_votes_are_counted() -> None:
    assert story(ISSUED, VOTED) == RegisterStory(votes=2)


def test_changes_that_have_no_figure_of_their_own_are_counted_by_name() -> None:
    others = (Change.UNLOCKED, Change.CORRECTED, Change.REMOVED, Change.RESTORED, DEPARTED, ARRIVED)
    told = story(*Change, actor="anne")
    of_the_election = (Change.OPENED, Change.CLOSED, Change.PROLONGED)
    assert told.others == dict.fromkeys((*others, *of_the_election), 2)


def test_acts_on_the_election_are_kept_in_their_order_and_are_no_voters() -> None:
    told = RegisterStory()
    acts = list(chain(ELECTION_CHAIN, (Change.CLOSED, Change.OPENED, Change.PROLONGED), "anne"))
    told.take(ELECTION_CHAIN, acts)
    assert told == RegisterStory(acts=acts)
