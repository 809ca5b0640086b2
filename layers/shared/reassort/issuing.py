"""The writes that give a voter the next identifier and revoke the one before: the same for a voter's request and an operator's.

They belong in one transaction. What else must hold or be written with them is the caller's to add.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.outbox import Status
from reassort.register import append_entry
from reassort.tables import Action, Item, put_if_absent, update
from reassort.voters import NOT_FROZEN, NOT_VOTED, SAME_FAILURES, SAME_GENERATION, change_voter

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Retention
    from reassort.register import Entry
    from reassort.voters import Voter

# The action that is refused while a worker is sending the identifier that is being revoked.
PREVIOUS = "previous delivery"


@dataclass(frozen=True)
class IssuingTables:
    """Names of the tables that an issue writes."""

    voters: str
    identifiers: str
    deliveries: str
    register: str


def issue_actions(
    voter: Voter,
    entry: Entry,
    delivery: Item,
    identifier_hash: str,
    tables: IssuingTables,
    now: datetime,
    retention: Retention,
) -> list[Action]:
    """Return the writes of a reissue: voter, identifier, register and delivery, and the delivery that it supersedes.

    They are refused (`ConditionFailedError`) when the voter is not as read or has voted, and as `PREVIOUS` says. A voter who was
    read as frozen is unfrozen by it: the identifier that was frozen is revoked in the same act.
    """
    reference = delivery["delivery_id"]
    frozen = voter.frozen_at is not None
    return [
        change_voter(
            tables.voters,
            voter,
            entry,
            "generation = :generation, issued_at = list_append(issued_at, :issued), last_reference = :reference, "
            "numen_failures = :zero, numen_locked_until = :zero",
            {":generation": entry.generation, ":issued": [entry.at], ":reference": reference, ":zero": 0},
            clauses=(SAME_GENERATION, NOT_VOTED, SAME_FAILURES, *(() if frozen else (NOT_FROZEN,))),
            removals="frozen_at" if frozen else "",
        ),
        put_if_absent(
            "identifier",
            tables.identifiers,
            {"identifier_hash": identifier_hash, "voter_id": voter.voter_id, "generation": entry.generation},
            "identifier_hash",
        ),
        append_entry(tables.register, entry),
        put_if_absent("delivery", tables.deliveries, delivery, "delivery_id"),
        *_supersede_previous(voter, tables, now, retention),
    ]


def _supersede_previous(voter: Voter, tables: IssuingTables, now: datetime, retention: Retention) -> list[Action]:
    """Mark the delivery of the identifier that is being revoked, unless a worker is sending it at this moment.

    Claiming a message and superseding its delivery are conditional writes on one item, so an identifier is never sent
    once its successor has committed. A delivery older than its retention may be gone, and has nothing left to send.
    """
    at = epoch_milliseconds(now)
    kept = timedelta(days=retention.deliveries_days) / timedelta(milliseconds=1)
    if voter.last_reference is None or at - voter.issued_at[-1] >= kept:
        return []
    return [
        update(
            PREVIOUS,
            tables.deliveries,
            {"delivery_id": voter.last_reference},
            "SET superseded_at = :now",
            "attribute_exists(delivery_id) AND NOT (messages.identifier.#status = :sending "
            "AND messages.identifier.lease_until > :now)",
            {":now": at, ":sending": Status.SENDING.value},
            {"#status": "status"},
        )
    ]
