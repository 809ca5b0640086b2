"""The reconciliation at the close: each vote of the platform against the register's, by what is
wrong with those that differ.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from reassort.voters import IdentifierStatus

from reassort_ops.language import tr, trn
from reassort_ops.platform.export import Disagreement

COLUMNS = ("handle", "difference", "platform", "stack", "look_at")


class VoteDifference(StrEnum):
    """In what platform and stack differ about an identifier."""

    NOT_RECORDED = "vote-not-recorded"
    REPLACED = "vote-with-a-replaced-identifier"
    FROZEN = "vote-with-a-frozen-identifier"
    UNKNOWN = "vote-with-an-unknown-identifier"
    NO_BALLOT = "recorded-vote-without-a-ballot"
    # Of these nobody has voted.
    OUT_OF_DATE = "status-out-of-date"
    STRANGE = "identifier-of-another-stack"


WITHOUT_A_VOTE = frozenset({VoteDifference.OUT_OF_DATE, VoteDifference.STRANGE})
_OF_A_BALLOT = {
    IdentifierStatus.ACTIVE: VoteDifference.NOT_RECORDED,
    IdentifierStatus.REVOKED: VoteDifference.REPLACED,
    IdentifierStatus.FROZEN: VoteDifference.FROZEN,
    None: VoteDifference.UNKNOWN,
}


def difference_of(one: Disagreement) -> VoteDifference:
    """Return in what the two differ."""
    if one.platform is IdentifierStatus.USED:
        return _OF_A_BALLOT[one.stack]
    if one.stack is IdentifierStatus.USED:
        return VoteDifference.NO_BALLOT
    return VoteDifference.STRANGE if one.stack is None else VoteDifference.OUT_OF_DATE


def what_to_look_at(kind: VoteDifference) -> str:
    """Say what such a difference comes from."""
    match kind:
        case VoteDifference.NOT_RECORDED:
            return tr("a pending ballot that was counted: its vote was never recorded")
        case VoteDifference.REPLACED:
            return tr("a ballot that was counted without recording its vote: its voter has another identifier")
        case VoteDifference.FROZEN:
            return tr("a ballot that was counted without recording its vote: its identifier was stopped")
        case VoteDifference.UNKNOWN:
            return tr("a ballot under an identifier that this stack never issued: another election's, or made up")
        case VoteDifference.NO_BALLOT:
            return tr("a pending ballot that was thrown away after its vote was recorded")
        case VoteDifference.OUT_OF_DATE:
            return tr("an event that the platform missed; nobody has voted with it")
        case VoteDifference.STRANGE:
            return tr("an identifier of another election or stack; nobody has voted with it")


@dataclass(frozen=True)
class VotesReconciled:
    """What was found. `ballots` are the votes that the platform holds, `votes` those of the
    register.
    """

    ballots: int
    votes: int
    found: tuple[Disagreement, ...]

    @property
    def by_difference(self) -> dict[VoteDifference, int]:
        """Return how many there are of each difference that there is."""
        counts = Counter(map(difference_of, self.found))
        return {kind: counts[kind] for kind in VoteDifference if counts[kind]}

    @property
    def holds(self) -> bool:
        """Tell whether both hold the same votes."""
        return self.ballots == self.votes and WITHOUT_A_VOTE.issuperset(self.by_difference)

    @property
    def sentence(self) -> str:
        """Say the result."""
        if self.holds:
            said = trn(
                "Reconciled: the platform and the register hold the same vote.",
                "Reconciled: the platform and the register hold the same {count} votes.",
                self.votes,
            )
            late = sum(self.by_difference.values())
            if late:
                said += " " + trn(
                    "{count} identifier without a vote is known otherwise.",
                    "{count} identifiers without a vote are known otherwise.",
                    late,
                )
            return said
        parts = [f"{kind} {count}" for kind, count in self.by_difference.items()]
        return tr(
            "NOT reconciled: {ballots} votes of the platform, {votes} of the register; {parts}.",
            ballots=self.ballots,
            votes=self.votes,
            parts=", ".join(parts),
        )


def write_differences(file: IO[str], found: Iterable[Disagreement]) -> None:
    """Write a line for each difference, those of votes first. Handles name identifiers and tell
    nothing of them.
    """
    writer = csv.writer(file, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    order = list(VoteDifference)
    for one in sorted(found, key=lambda each: (order.index(difference_of(each)), each.handle)):
        kind = difference_of(one)
        writer.writerow((one.handle, kind.value, one.platform or "", one.stack or "", what_to_look_at(kind)))
