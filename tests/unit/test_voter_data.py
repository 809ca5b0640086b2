"""What a voter is handed over, fact by fact. What a whole life leaves is in
`tests/component/test_voter_data.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from helpdesk.finding import Found
from helpdesk.voter_data import voter_data
from helpdesk.voter_record import VoterRecord
from reassort.clock import iso
from reassort.outbox import Channel, Status

from harness.elections import DATE_OF_BIRTH, read_election
from tests.unit.voter_records import AT, ELECTION, MASKED, MINUTE, NOW, REFERENCE, delivery, record, sign_in

pytestmark = pytest.mark.req("O10")

CLOSE = ELECTION.windows.voting.closes_at
AT_NINE = "2018-11-30T09:15:00Z"


def given(of: VoterRecord, election: Any = ELECTION) -> dict[str, Any]:
    return voter_data(of, Found("v", MASKED, "claire.martin@ac-dijon.fr"), election, NOW)


def test_of_somebody_who_did_nothing_the_roll_alone_is_told() -> None:
    retention = ELECTION.retention
    assert given(record(secretariat="Dijon")) == {
        "at": AT_NINE,
        "zone": "Europe/Paris",
        "election": {"id": ELECTION.id, "name": ELECTION.name, "organiser": ELECTION.organiser},
        "address": MASKED,
        "establishment": "Lycée Carnot, Dijon",
        "secretariat": "Dijon",
        "extra_proof": None,
        "identifiers": 1,
        "has_voted": False,
        "is_frozen": False,
        "wrong_entries": 0,
        "sign_ins": 0,
        "sessions": 0,
        "deliveries": [],
        "history": [],
        "kept": {
            "deliveries_days": retention.deliveries_days,
            "roll_until": iso(CLOSE + timedelta(days=retention.roll_days)),
            "register_until": iso(CLOSE + timedelta(days=retention.register_days)),
        },
    }


def test_what_happened_since_is_told_as_well() -> None:
    lived = record(
        voted_at=AT, frozen_at=AT, numen_failures=2, sign_ins=(sign_in(), sign_in()), session_starts=(AT - MINUTE,)
    )
    told = given(lived)
    assert (told["has_voted"], told["is_frozen"], told["wrong_entries"]) == (True, True, 2)
    assert (told["sign_ins"], told["sessions"]) == (2, 1)
    assert told["history"]


def test_of_a_delivery_its_number_ways_and_state_are_told() -> None:
    (told,) = given(record(deliveries=(delivery(Status.SENT),)))["deliveries"]
    assert told == {
        "reference": REFERENCE,
        "generation": 2,
        "at": AT_NINE,
        "destinations": {Channel.SMS: "•• •• •• 12 34", Channel.EMAIL: MASKED},
        "status": "sent",
        "is_sealed": True,
    }


@pytest.mark.parametrize(
    ("sealed", "expected"),
    [({"address": None}, True), ({"payload": None}, True), ({"address": None, "payload": None}, False)],
)
def test_whether_anything_of_it_is_kept_sealed_is_told(sealed: dict[str, Any], expected: bool) -> None:
    (told,) = given(record(deliveries=(delivery(**sealed),)))["deliveries"]
    assert told["is_sealed"] is expected


def test_a_further_proof_is_told_by_its_name_where_the_roll_has_one() -> None:
    election = read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)
    labels = [given(record(extra_proof_hash=kept), election)["extra_proof"] for kept in ("hash", None)]
    assert labels == ["Date de naissance", None]
