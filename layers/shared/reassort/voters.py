"""A voter as the roll knows them. The validity of an identifier is derived here, and stored
nowhere.

An identifier is valid when its generation is the voter's current one and the voter is on the roll,
neither frozen nor marked as having voted. So a reissue, a vote and a freeze are each one
conditional write on the same item, and a state with two valid identifiers cannot be written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from reassort.clock import epoch_milliseconds
from reassort.register import Change, Entry
from reassort.tables import Action, Item, update


class IdentifierStatus(StrEnum):
    """What the voting platform is told of an identifier."""

    ACTIVE = "active"
    REVOKED = "revoked"
    USED = "used"
    FROZEN = "frozen"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Tell whether an identifier of this status keeps it forever: only active and frozen ones
        change.
        """
        return self in {IdentifierStatus.REVOKED, IdentifierStatus.USED}


@dataclass(frozen=True)
class Voter:
    """One entry of the electoral roll. Times are milliseconds since 1970.

    `issued_at[g - 1]` is when generation `g` was issued, so the current generation is its length.
    `chain_length` and `chain_head` are the length and the last hash of the voter's chain in the
    register. `extra_proof_hash` is None when the roll has no further proof. `disputed` is the last
    generation that its voter did not ask for: that identifier never votes. Sessions that began
    before `signed_out_at` have ended. What failed to reach them before `settled_at` is settled.

    `left_at` is when the voter left the roll, None while they are on it. They may come back, unless
    `moved_to` names the pseudonym of their new address.
    """

    voter_id: str
    numen_hash: str
    establishment: str
    secretariat: str | None
    issued_at: tuple[int, ...]
    chain_length: int
    chain_head: str
    frozen_at: int | None = None
    voted_at: int | None = None
    numen_failures: int = 0
    numen_locked_until: int = 0
    last_reference: str | None = None
    extra_proof_hash: str | None = None
    disputed: int | None = None
    signed_out_at: int = 0
    settled_at: int = 0
    left_at: int | None = None
    moved_to: str | None = None

    @property
    def generation(self) -> int:
        """Return the current generation, 1 for the identifier of the first mailing."""
        return len(self.issued_at)

    def identifier_status(self, generation: int) -> IdentifierStatus:
        """Derive the status of the identifier of a generation of this voter."""
        if generation < self.generation:
            return IdentifierStatus.REVOKED
        if self.voted_at is not None:
            return IdentifierStatus.USED
        if self.left_at is not None:
            # A removed voter may be restored: to the platform, their identifier is suspended.
            return IdentifierStatus.FROZEN if self.moved_to is None else IdentifierStatus.REVOKED
        if self.frozen_at is not None or self.disputed == generation:
            return IdentifierStatus.FROZEN
        return IdentifierStatus.ACTIVE

    def superseded_at(self, generation: int) -> int | None:
        """Return when the identifier of a generation was replaced by the next one, or by that of
        the voter's new address; or None.
        """
        if generation < self.generation:
            return self.issued_at[generation]
        return self.left_at if self.moved_to is not None else None

    def sequence_of(self, generation: int) -> int | None:
        """Return the number of the last change that the status of this generation's identifier
        takes into account.

        None where no change can follow: the number would only show which revoked identifiers are of
        one voter.
        """
        return None if self.identifier_status(generation).is_final else self.chain_length

    def next_entry(
        self,
        change: Change,
        at: datetime,
        actor: str,
        *,
        generation: int,
        reference: str = "",
        identifier_hash: str = "",
        numen_hash: str = "",
        extra_proof_hash: str = "",
    ) -> Entry:
        """Return the entry that would follow in this voter's chain."""
        return Entry(
            voter_id=self.voter_id,
            sequence=self.chain_length + 1,
            change=change,
            generation=generation,
            at=epoch_milliseconds(at),
            actor=actor,
            reference=reference,
            previous=self.chain_head,
            identifier_hash=identifier_hash,
            numen_hash=numen_hash,
            extra_proof_hash=extra_proof_hash,
        )


def voter_from_item(item: Item) -> Voter:
    """Read an item of the voters table."""
    return Voter(
        voter_id=item["voter_id"],
        numen_hash=item["numen_hash"],
        establishment=item["establishment"],
        secretariat=item.get("secretariat"),
        issued_at=tuple(item["issued_at"]),
        chain_length=item["chain_length"],
        chain_head=item["chain_head"],
        frozen_at=item.get("frozen_at"),
        voted_at=item.get("voted_at"),
        numen_failures=item["numen_failures"],
        numen_locked_until=item["numen_locked_until"],
        last_reference=item.get("last_reference"),
        extra_proof_hash=item.get("extra_proof_hash"),
        disputed=item.get("disputed"),
        signed_out_at=item.get("signed_out_at", 0),
        settled_at=item.get("settled_at", 0),
        left_at=item.get("left_at"),
        moved_to=item.get("moved_to"),
    )


# Every change appends to the voter's chain, so this clause alone makes a write depend on all that
# was read: generation, vote, freeze, roll. The clauses beside it say the same of one fact each, for
# anyone who reads a refused transaction.
UNCHANGED = "chain_length = :read_length"
SAME_GENERATION = "generation = :read_generation"
NOT_VOTED = "attribute_not_exists(voted_at)"
NOT_FROZEN = "attribute_not_exists(frozen_at)"
SAME_FAILURES = "numen_failures = :read_failures AND numen_locked_until = :read_locked_until"


def change_voter(
    table: str,
    voter: Voter,
    entry: Entry,
    assignments: str,
    values: Mapping[str, Any],
    *,
    clauses: tuple[str, ...] = (),
    removals: str = "",
) -> Action:
    """Return the write of a change to a voter: refused unless the voter is as read and every clause
    holds.
    """
    known = {
        ":read_length": voter.chain_length,
        ":read_generation": voter.generation,
        ":read_failures": voter.numen_failures,
        ":read_locked_until": voter.numen_locked_until,
    }
    all_clauses = (UNCHANGED, *clauses)
    condition = " AND ".join(all_clauses)
    used = {name: value for name, value in known.items() if name in condition}
    expression = (
        f"SET chain_length = :chain_length, chain_head = :chain_head{', ' + assignments if assignments else ''}"
    )
    if removals:
        expression += f" REMOVE {removals}"
    return update(
        "voter",
        table,
        {"voter_id": voter.voter_id},
        expression,
        condition,
        {**used, **values, ":chain_length": entry.sequence, ":chain_head": entry.hash},
    )
