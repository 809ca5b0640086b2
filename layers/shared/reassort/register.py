"""The register: one entry for each change of a voter's identifier, chained by hash, written with
the change itself.

The hash is plain SHA-256 over the entry's canonical JSON, so that the election bureau can verify an
exported file without any key. Entries hold pseudonyms, times and keyed hashes, never an address, a
NUMEN, a phone number or an identifier.

An entry commits to what decides a vote: `issued`, `reissued`, `arrived` and `voted` to the
identifier, `issued`, `arrived` and `corrected` to the proofs that a voter then has, `departed` to
the NUMEN that leaves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from reassort.tables import Action, Item, put_if_absent, read_partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GENESIS = "0" * 64
# Whose chain holds what the operators do to the election as a whole. No voter's pseudonym is that
# short.
ELECTION_CHAIN = "election"
# Who changed something, where it was no operator and not the voting platform.
VOTER_ACTOR = "voter"
DISPUTE_ACTOR = "dispute"


# The members of an entry that commit to what decides a vote.
COMMITMENTS = ("identifier_hash", "numen_hash", "extra_proof_hash")


class Change(StrEnum):
    """What happened to a voter's identifier or to what they get one with, or to the election."""

    ISSUED = "issued"
    REISSUED = "reissued"
    VOTED = "voted"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    UNLOCKED = "unlocked"
    CORRECTED = "corrected"
    DISPUTED = "disputed"
    # A change of address: the chain of the former pseudonym ends, that of the new one begins.
    DEPARTED = "departed"
    ARRIVED = "arrived"
    # Taken off the roll, and put back on it.
    REMOVED = "removed"
    RESTORED = "restored"
    # Of the election, in a chain of its own.
    OPENED = "opened"
    CLOSED = "closed"
    PROLONGED = "prolonged"


# The changes that give a voter an identifier.
ISSUES = frozenset({Change.ISSUED, Change.REISSUED, Change.ARRIVED})


@dataclass(frozen=True)
class Entry:
    """One change. `sequence` counts from 1 within a voter; `at` is milliseconds since 1970; `actor`
    is who did it.

    The hashes are those that the tables store, empty where the change decides nothing of the kind.
    """

    voter_id: str
    sequence: int
    change: Change
    generation: int
    at: int
    actor: str
    reference: str
    previous: str
    identifier_hash: str = ""
    numen_hash: str = ""
    extra_proof_hash: str = ""

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 of the entry, the former entry's hash included: 64 hexadecimal
        digits.
        """
        return sha256(self.content).hexdigest()

    @property
    def first_word(self) -> str:
        """Return the reference up to its first blank; what follows is a reason. Of a reissue it
        names the delivery, of a move the pseudonym of the other side, of a restoration the status.
        """
        return self.reference.partition(" ")[0]

    @property
    def content(self) -> bytes:
        """Return what is hashed: the entry's canonical JSON, which is its line of an exported
        register.
        """
        return canonical(self._content())

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "voter_id": self.voter_id,
            "sequence": self.sequence,
            "change": self.change.value,
            "generation": self.generation,
            "at": self.at,
            "actor": self.actor,
            "reference": self.reference,
            "previous": self.previous,
        }
        if self.identifier_hash:
            content["identifier_hash"] = self.identifier_hash
        if self.numen_hash:
            content["numen_hash"] = self.numen_hash
        if self.extra_proof_hash:
            content["extra_proof_hash"] = self.extra_proof_hash
        return content

    def to_item(self) -> Item:
        """Return the item of the register table."""
        return {**self._content(), "hash": self.hash}


def canonical(content: dict[str, Any]) -> bytes:
    """Return the JSON that is hashed: keys sorted, no blanks, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def entry_from_item(item: Item) -> Entry:
    """Read an entry of the register table."""
    return Entry(
        voter_id=item["voter_id"],
        sequence=item["sequence"],
        change=Change(item["change"]),
        generation=item["generation"],
        at=item["at"],
        actor=item["actor"],
        reference=item["reference"],
        previous=item["previous"],
        **{name: item[name] for name in COMMITMENTS if name in item},
    )


def append_entry(table: str, entry: Entry) -> Action:
    """Return the write that appends an entry; it is refused when that place in the voter's chain is
    taken.
    """
    return put_if_absent("register", table, entry.to_item(), "voter_id")


def read_chain(dynamodb: DynamoDBClient, table: str, voter_id: str) -> list[Entry]:
    """Read a voter's entries in their order.

    Raises:
        ContentionError: DynamoDB throttles.
        botocore.exceptions.ClientError: AWS refuses.
    """
    return [entry_from_item(item) for item in read_partition(dynamodb, table, {"voter_id": voter_id})]
