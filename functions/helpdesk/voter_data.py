"""What a voter who asks is handed over of what is kept about them (GDPR, article 15): no secret, no
pseudonym, nothing that could be used to vote or to ask in their name.

What is stored as a keyed hash or sealed cannot be read here either, and the answer says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reassort.clock import from_milliseconds, iso
from reassort.outbox import Delivery, Message

from helpdesk.sheet import timeline_body

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election

    from helpdesk.finding import Found
    from helpdesk.voter_record import VoterRecord


def voter_data(record: VoterRecord, found: Found, election: Election, now: datetime) -> dict[str, Any]:
    """Return the body of `POST /helpdesk/data`."""
    voter, retention = record.voter, election.retention
    closes_at = election.windows.voting.closes_at
    further = election.extra_proof if voter.extra_proof_hash is not None else None
    return {
        "at": iso(now),
        "zone": election.zone.key,
        "election": {"id": election.id, "name": election.name, "organiser": election.organiser},
        "address": found.masked_address,
        "establishment": voter.establishment,
        "secretariat": voter.secretariat,
        "extra_proof": further and further.label,
        "identifiers": voter.generation,
        "has_voted": voter.voted_at is not None,
        "is_frozen": voter.frozen_at is not None,
        "wrong_entries": voter.numen_failures,
        "sign_ins": len(record.sign_ins),
        "sessions": len(record.session_starts),
        "deliveries": [_delivery(delivery) for delivery in record.deliveries],
        "history": timeline_body(record, election),
        "kept": {
            "deliveries_days": retention.deliveries_days,
            "roll_until": iso(closes_at + timedelta(days=retention.roll_days)),
            "register_until": iso(closes_at + timedelta(days=retention.register_days)),
        },
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "reference": delivery.delivery_id,
        "generation": delivery.generation,
        "at": iso(from_milliseconds(delivery.created_at)),
        "destinations": dict(delivery.destinations),
        "status": delivery.status_of(Message.IDENTIFIER).value,
        # Address and message, encrypted for the one function that sends them.
        "is_sealed": delivery.address is not None or delivery.payload is not None,
    }
