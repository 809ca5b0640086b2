"""Follows one chain of the register from its first entry: does each entry follow from the one
before, and where does the voter stand after it?

Nothing is needed but the entries, so a stack's register and an exported file are held to the same
rules.
"""

from __future__ import annotations

from reassort.register import COMMITMENTS, DISPUTE_ACTOR, ELECTION_CHAIN, GENESIS, ISSUES, VOTER_ACTOR, Change, Entry
from reassort.voters import IdentifierStatus

from reassort_ops.language import tr
from reassort_ops.state_words import state_word

OF_ELECTION = frozenset({Change.OPENED, Change.CLOSED, Change.PROLONGED})
# What an entry of each kind may commit to. `issued` and `corrected` name the proofs that the voter
# then has: one that is not there leaves no hash.
PROOFS = frozenset({"numen_hash", "extra_proof_hash"})
NAMES_PROOFS = frozenset({Change.ISSUED, Change.CORRECTED, Change.ARRIVED})
COMMITS = {
    Change.ISSUED: {"identifier_hash"} | PROOFS,
    Change.REISSUED: {"identifier_hash"},
    Change.VOTED: {"identifier_hash"},
    Change.CORRECTED: PROOFS,
    Change.ARRIVED: {"identifier_hash"} | PROOFS,
    Change.DEPARTED: {"numen_hash"},
}
# What gives a voter who has voted another standing.
NOT_AFTER_A_VOTE = frozenset({Change.REISSUED, Change.VOTED, Change.FROZEN, Change.DEPARTED, Change.REMOVED})
# What may befall somebody who was removed from the roll: « Ce n’était pas moi », and the way back.
WHILE_REMOVED = frozenset({Change.RESTORED, Change.DISPUTED})
# What may still come after a change of address, under the former pseudonym.
AFTER_DEPARTURE = frozenset({Change.ARRIVED, Change.DISPUTED})


class Replay:
    """One chain, as far as it was followed.

    `length` and `head` are those of the chain. `issued` counts identifiers, `generation` is the
    current one; 0 in the chain of the election, which is held to its links alone.
    """

    def __init__(self, voter_id: str) -> None:
        self.voter_id = voter_id
        self.length = 0
        self.head = GENESIS
        self.issued = 0
        self.generation = 0
        self.frozen = False
        self.voted = False
        # Taken off the roll; and whose pseudonym the voter has since a change of address.
        self.removed = False
        self.moved_to = ""
        # The last generation that was disputed.
        self.disputed = 0
        # Of the current identifier, and of the proofs that the voter has.
        self.identifier_hash = ""
        self.numen_hash = ""
        self.extra_proof_hash = ""

    def follow(self, entry: Entry, entry_hash: str) -> str | None:
        """Take the next entry; say why it cannot be the next one, or None.

        What it says of the voter is taken in any case, so that the reconciliation shows what a
        broken chain costs.
        """
        place = self.length + 1
        fault = self._link_fault(entry, place)
        if (self.voter_id == ELECTION_CHAIN) != (entry.change in OF_ELECTION):
            fault = fault or tr(
                "entry {sequence} ({change}) is in a chain of another kind",
                sequence=entry.sequence,
                change=state_word(entry.change),
            )
        elif self.voter_id != ELECTION_CHAIN:
            fault = fault or self._story_fault(entry) or self._commitment_fault(entry)
            self._apply(entry)
        self.length = place
        self.head = entry_hash
        return fault

    @property
    def statuses(self) -> dict[IdentifierStatus, int]:
        """Return what became of the identifiers that this voter was issued, as the entries tell
        it.
        """
        if not self.generation:
            return {}
        if self.moved_to:
            return {IdentifierStatus.REVOKED: self.generation}
        current = IdentifierStatus.ACTIVE
        if self.voted:
            current = IdentifierStatus.USED
        elif self.removed or self.frozen or self.is_disputed:
            current = IdentifierStatus.FROZEN
        return {IdentifierStatus.REVOKED: self.generation - 1, current: 1}

    @property
    def is_disputed(self) -> bool:
        """Tell whether the current identifier was disputed: it never votes again."""
        return self.disputed == self.generation > 0

    def _link_fault(self, entry: Entry, place: int) -> str | None:
        if entry.sequence > place:
            return tr("entry {place} is missing", place=place)
        if entry.sequence < place:
            return tr("entry {sequence} is where entry {place} should be", sequence=entry.sequence, place=place)
        if entry.previous != self.head:
            return (
                tr("entry {place} does not follow entry {before}", place=place, before=place - 1)
                if self.length
                else tr("entry 1 starts no chain")
            )
        return None

    def _story_fault(self, entry: Entry) -> str | None:
        """Say why the change cannot have happened to a voter who stands like this."""
        match entry.change:
            case Change.ISSUED:
                right = entry.generation == 1 and self.generation == 0
            case Change.REISSUED:
                right = entry.generation == self.generation + 1 and self.generation > 0
            case Change.ARRIVED:
                # At an address that the person had before, too.
                right = entry.generation == self.generation + 1 and (not self.generation or bool(self.moved_to))
            case Change.DISPUTED:
                # A former reissue may be disputed, too.
                right = 1 <= entry.generation <= self.generation
            case _:
                right = entry.generation == self.generation > 0
        if not right:
            return tr(
                "{what} is of generation {generation}, after generation {before}",
                what=_what(entry),
                generation=entry.generation,
                before=self.generation,
            )
        if self.voted and entry.change in NOT_AFTER_A_VOTE:
            return tr("{what} comes after the vote", what=_what(entry))
        fault = self._roll_fault(entry)
        if fault is not None:
            return fault
        by_voter = entry.change is Change.REISSUED and entry.actor == VOTER_ACTOR
        if self.frozen and (by_voter or entry.change in {Change.VOTED, Change.FROZEN}):
            return tr("{what} comes while the identifier is frozen", what=_what(entry))
        if self.is_disputed and entry.change in {Change.VOTED, Change.UNFROZEN}:
            return tr("{what} comes after the identifier was disputed", what=_what(entry))
        if not self.frozen and entry.change is Change.UNFROZEN:
            return tr("{what} comes while the identifier is not frozen", what=_what(entry))
        return None

    def _roll_fault(self, entry: Entry) -> str | None:
        """Say why nobody can be on the roll, or off it, as an entry has it."""
        if self.moved_to and entry.change not in AFTER_DEPARTURE:
            return tr("{what} comes after the voter's change of address", what=_what(entry))
        by_dispute = entry.change is Change.FROZEN and entry.actor == DISPUTE_ACTOR
        if self.removed and entry.change not in WHILE_REMOVED and not by_dispute:
            return tr("{what} comes while the voter is off the roll", what=_what(entry))
        if entry.change is Change.RESTORED:
            if not self.removed:
                return tr("{what} comes while the voter is on the roll", what=_what(entry))
            status = IdentifierStatus.FROZEN if self.frozen or self.is_disputed else IdentifierStatus.ACTIVE
            if entry.first_word != status:
                return tr("{what} gives another status than {status}", what=_what(entry), status=state_word(status))
        return None

    def _commitment_fault(self, entry: Entry) -> str | None:
        """Say why an entry cannot commit to what it does."""
        committed = {name for name in COMMITMENTS if getattr(entry, name)}
        if committed - COMMITS.get(entry.change, frozenset()):
            return tr("{what} commits to what it does not decide", what=_what(entry))
        if entry.change in ISSUES and not entry.identifier_hash:
            return tr("{what} commits to no identifier", what=_what(entry))
        if entry.change in NAMES_PROOFS and not committed & PROOFS:
            return tr("{what} commits to no proof", what=_what(entry))
        if entry.change is Change.DEPARTED and entry.numen_hash != self.numen_hash:
            return tr("{what} is of another NUMEN", what=_what(entry))
        if entry.change is Change.VOTED and entry.identifier_hash != self.identifier_hash:
            return tr("{what} is by an identifier that was not issued to this voter", what=_what(entry))
        return None

    def _apply(self, entry: Entry) -> None:
        if entry.change in NAMES_PROOFS:
            self.numen_hash, self.extra_proof_hash = entry.numen_hash, entry.extra_proof_hash
        match entry.change:
            case Change.ISSUED | Change.REISSUED | Change.ARRIVED:
                self.issued += 1
                self.generation = entry.generation
                self.identifier_hash = entry.identifier_hash
                self.frozen = False
                self.moved_to = ""
            case Change.VOTED:
                self.voted = True
            case Change.FROZEN:
                self.frozen = True
                if entry.actor == DISPUTE_ACTOR:
                    self.disputed = entry.generation
            case Change.DISPUTED if entry.generation == self.generation:
                self.disputed = entry.generation
            case Change.UNFROZEN:
                self.frozen = False
            case Change.DEPARTED:
                self.moved_to = entry.first_word
            case Change.REMOVED | Change.RESTORED:
                self.removed = entry.change is Change.REMOVED
            case _:
                pass


def _what(entry: Entry) -> str:
    """Name an entry; only one that is wrong needs it."""
    return tr("entry {sequence} ({change})", sequence=entry.sequence, change=state_word(entry.change))
