"""What the chains of a register tell of an election, whether of a file or of a stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reassort.agent_names import actors, is_agent
from reassort.register import DISPUTE_ACTOR, ELECTION_CHAIN, ISSUES, VOTER_ACTOR, Change, Entry

# Changes that are told by themselves; of any other one the minutes give the number.
_TOLD = frozenset({Change.ISSUED, Change.REISSUED, Change.VOTED, Change.FROZEN, Change.UNFROZEN, Change.DISPUTED})

# What gives a voter another identifier, at this address or at a new one.
_REPLACING = ISSUES | {Change.DEPARTED}


class Hand(StrEnum):
    """Whose act gave a voter another identifier."""

    VOTER = "voter"
    AGENT = "agent"
    OPERATOR = "operator"
    TWO_PEOPLE = "two-people"


class DisputeEnd(StrEnum):
    """What became of a « Ce n’était pas moi »."""

    REPLACED = "replaced"
    FROZEN = "frozen"
    VOTED = "voted"
    FORMER = "former"


class FreezeEnd(StrEnum):
    """What became of a freeze by the helpdesk or an operator."""

    UNFROZEN = "unfrozen"
    REPLACED = "replaced"
    FROZEN = "frozen"


@dataclass
class RegisterStory:
    """What was counted. `references` are those of the reissues, by which their deliveries are
    found; `acts` are the election's own, in their order.
    """

    acts: list[Entry] = field(default_factory=list)
    references: set[str] = field(default_factory=set)
    hands: Counter[Hand] = field(default_factory=Counter)
    votes: int = 0
    disputes: Counter[DisputeEnd] = field(default_factory=Counter)
    freezes: Counter[FreezeEnd] = field(default_factory=Counter)
    others: Counter[Change] = field(default_factory=Counter)

    def take(self, voter_id: str, chain: Sequence[Entry]) -> None:
        """Count a chain."""
        if voter_id == ELECTION_CHAIN:
            self.acts += chain
            return
        generation, voted = 0, False
        for place, entry in enumerate(chain):
            onwards = chain[place:]
            if entry.change in ISSUES:
                generation = entry.generation
            match entry.change:
                case Change.REISSUED:
                    self.references.add(entry.first_word)
                    self.hands[hand_of(entry.actor)] += 1
                case Change.VOTED:
                    voted = True
                    self.votes += 1
                case Change.FROZEN if entry.actor != DISPUTE_ACTOR:
                    self.freezes[_freeze_end(onwards)] += 1
                case Change.FROZEN | Change.DISPUTED:
                    self.disputes[_dispute_end(entry, generation, onwards, voted=voted)] += 1
            if entry.change not in _TOLD:
                self.others[entry.change] += 1


def hand_of(actor: str) -> Hand:
    """Tell whose act an entry of the register is, by whom it names."""
    if actor == VOTER_ACTOR:
        return Hand.VOTER
    if len(actors(actor)) > 1:
        return Hand.TWO_PEOPLE
    return Hand.AGENT if is_agent(actor) else Hand.OPERATOR


def _dispute_end(entry: Entry, generation: int, onwards: Sequence[Entry], *, voted: bool) -> DisputeEnd:
    if entry.generation < generation:
        return DisputeEnd.FORMER
    if voted:
        return DisputeEnd.VOTED
    return DisputeEnd.REPLACED if any(one.change in _REPLACING for one in onwards) else DisputeEnd.FROZEN


def _freeze_end(onwards: Sequence[Entry]) -> FreezeEnd:
    for one in onwards:
        if one.change is Change.UNFROZEN:
            return FreezeEnd.UNFROZEN
        if one.change in _REPLACING:
            return FreezeEnd.REPLACED
    return FreezeEnd.FROZEN
