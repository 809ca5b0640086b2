"""The transaction that gives a voter the next identifier and revokes the one before.

It is the same for a voter's request and for an operator's. A caller adds what else must be written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.outbox import Status, reissue_delivery_item
from reassort.references import dispute_token
from reassort.register import Change, append_entry
from reassort.reissue_switch import require_open
from reassort.table_keys import ON_ROLL
from reassort.tables import Action, put_if_absent, update
from reassort.voters import NOT_FROZEN, NOT_VOTED, SAME_FAILURES, SAME_GENERATION, change_voter

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election, Retention
    from reassort.keyed_hash import KeyedHash
    from reassort.outbox import Channel
    from reassort.sealing import Sealer
    from reassort.voters import Voter

# The action that is refused while a worker is sending the identifier that is being revoked.
PREVIOUS = "previous delivery"


@dataclass(frozen=True)
class ReissueTables:
    """Names of the tables that a reissue writes, and of the one that it is conditioned on."""

    voters: str
    identifiers: str
    deliveries: str
    register: str
    control: str


def reissue_actions(
    voter: Voter,
    now: datetime,
    tables: ReissueTables,
    election: Election,
    keyed_hash: KeyedHash,
    sealer: Sealer,
    *,
    reference: str,
    actor: str,
    note: str,
    channel: Channel,
    destinations: dict[Channel, str],
    address: bytes,
    phone: str = "",
    phone_hash: str = "",
    request_hash: str = "",
    session: str = "",
) -> tuple[str, list[Action]]:
    """Draw the next identifier. Return its hash and all writes of the reissue.

    Those are voter, identifier, register, delivery, and the delivery that is superseded. They are
    refused (`ConditionFailedError`) when the voter is not as read, has voted or left the roll, when
    reissues are stopped (`reissue_switch.SWITCH`), and as `PREVIOUS` says. A voter who was read as
    frozen is unfrozen by it: the identifier that was frozen is revoked in the same act.

    Args:
        reference: of the delivery.
        actor, note: for the register.
        destinations: masked.
        address: sealed for the voter.
        phone, phone_hash: in E.164, and its keyed hash; empty when an operator asks.
        request_hash: of the form, which an operator does not fill in.
        session: key of the voter's session, which has proven the NUMEN.

    Raises:
        botocore.exceptions.ClientError: KMS does not seal.
    """
    generation = voter.generation + 1
    identifier = generate_identifier(election.identifier)
    identifier_hash = keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))
    entry = voter.next_entry(
        Change.REISSUED, now, actor, generation=generation, reference=note, identifier_hash=identifier_hash
    )
    dispute = dispute_token(reference, keyed_hash)
    frozen = voter.frozen_at is not None
    delivery = reissue_delivery_item(
        reference=reference,
        voter_id=voter.voter_id,
        generation=generation,
        channel=channel,
        destinations=destinations,
        phone_hash=phone_hash,
        address=address,
        payload=sealer.seal_payload(reference, {"identifier": identifier, "phone": phone, "dispute": dispute}),
        request_hash=request_hash,
        session=session,
        now=now,
        retention=election.retention,
    )
    return identifier_hash, [
        change_voter(
            tables.voters,
            voter,
            entry,
            "generation = :generation, issued_at = list_append(issued_at, :issued), last_reference = :reference, "
            "numen_failures = :zero, numen_locked_until = :zero",
            {":generation": generation, ":issued": [entry.at], ":reference": reference, ":zero": 0},
            clauses=(SAME_GENERATION, NOT_VOTED, ON_ROLL, SAME_FAILURES, *(() if frozen else (NOT_FROZEN,))),
            removals="frozen_at" if frozen else "",
        ),
        put_if_absent(
            "identifier",
            tables.identifiers,
            {"identifier_hash": identifier_hash, "voter_id": voter.voter_id, "generation": generation},
            "identifier_hash",
        ),
        append_entry(tables.register, entry),
        put_if_absent("delivery", tables.deliveries, delivery, "delivery_id"),
        *supersede_previous(voter, tables.deliveries, now, election.retention),
        require_open(tables.control, voter.voter_id, now),
    ]


def supersede_previous(voter: Voter, deliveries_table: str, now: datetime, retention: Retention) -> list[Action]:
    """Mark the delivery of the identifier that is being revoked, unless a worker is sending it at
    this moment.

    Claiming a message and superseding its delivery are conditional writes on one item, so an
    identifier is never sent once its successor has committed. A delivery older than its retention
    may be gone, and has nothing left to send.
    """
    at = epoch_milliseconds(now)
    kept = timedelta(days=retention.deliveries_days) / timedelta(milliseconds=1)
    if voter.last_reference is None or at - voter.issued_at[-1] >= kept:
        return []
    return [
        update(
            PREVIOUS,
            deliveries_table,
            {"delivery_id": voter.last_reference},
            "SET superseded_at = :now",
            "attribute_exists(delivery_id) AND NOT (messages.identifier.#status = :sending "
            "AND messages.identifier.lease_until > :now)",
            {":now": at, ":sending": Status.SENDING.value},
            {"#status": "status"},
        )
    ]
