"""What is told of a rehearsal: the table, the sums, the promises that were broken, and all of it
for a program.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from reassort.voters import IdentifierStatus
from reassort_ops.register.check import Reconciliation
from reassort_ops.rehearsal.morning import CallTally, MorningTally
from reassort_ops.rehearsal.outcome import Delivered, RehearsalOutcome, percentile


def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed() -> None:
    hundred = [float(number) for number in range(100, 0, -1)]
    assert [percentile(hundred, share) for share in (1, 50, 50.5, 95, 99, 100)] == [1, 50, 51, 95, 99, 100]
    assert [percentile([7.0], share) for share in (1, 50, 100)] == [7, 7, 7]
    assert percentile([], 50) == 0


HUNDRED = [number + 0.1236 for number in range(1, 101)]
SPREAD = {"p50": 50.124, "p95": 95.124, "p99": 99.124}
NONE = {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def told(register: Reconciliation | None = None) -> RehearsalOutcome:
    """Return the outcome of a rehearsal in which each number is another one."""
    tally = MorningTally(
        came=1002, signed_in=1003, votes=1004, disputes=1005, redeliveries=1006, unanswered=1007, in_vain=1008
    )
    tally.calls = {"POST reissue": CallTally(took=HUNDRED, refused=3, failed=4), "GET voter": CallTally()}
    tally.waited_for_code, tally.waited_for_connection = HUNDRED, HUNDRED
    tally.refusals.update(
        {
            ("POST reissue", 429, "phone-limit"): 1,
            ("POST reissue", 400, "invalid"): 2,
            ("POST reissue", 499, "refused"): 3,
            ("POST reissue", 500, ""): 4,
            ("POST reissue", 503, "busy"): 5,
            ("POST login", 0, "ConnectError"): 1006,
        }
    )
    tally.gave_up.update({"locked": 1, "closed": 1002})
    delivered = Delivered(
        reissues=2001,
        handed_over=2002,
        arrived=2003,
        failed=2004,
        superseded=2005,
        disputed=2006,
        by_fallback=2007,
        lost=2008,
        wrong=2009,
        twice=2010,
        codes=2011,
        codes_lost=2012,
        waits={"identifier by sms": HUNDRED, "code by email": []},
        lost_references=["L"],
        wrong_references=["W"],
    )
    return RehearsalOutcome("reassort", "dijon-2018", 1, 5000, 20, 60, 8, 61.26, tally, delivered, register)


def test_the_table_has_calls_waits_and_hand_overs() -> None:
    spread = ("50.12", "95.12", "99.12")
    none = ("0.00", "0.00", "0.00")
    assert list(told().rows()) == [
        ("GET voter", "0", "0", "0", *none),
        ("POST reissue", "100", "3", "4", *spread),
        ("wait for the code", "100", "", "", *spread),
        ("wait for the identifier", "0", "", "", *none),
        ("hand-over of code by email", "0", "", "", *none),
        ("hand-over of identifier by sms", "100", "", "", *spread),
    ]


def test_the_sums_have_a_line_each() -> None:
    assert list(told().sums()) == [
        ("voters on the fictional roll", "5,000"),
        ("came, of them signed in", "1,002, 1,003"),
        ("committed reissues", "2,001"),
        ("identifiers handed over, of them reported as arrived", "2,002, 2,003"),
        ("superseded before they left; disputed", "2,005; 2,006"),
        ("failed, as the voter sees; gone by the other channel after a failure", "2,004; 2,007"),
        ("redeliveries, votes", "1,006, 1,004"),
        ("lost", "2,008"),
        ("of a wrong generation", "2,009"),
        ("sent twice", "2,010"),
        ("codes queued, of them lost", "2,011, 2,012"),
        ("no answer: POST login, ConnectError", "1,006"),
        ("refused: POST reissue, 400 invalid", "2"),
        ("limit reached: POST reissue, 429 phone-limit", "1"),
        ("refused: POST reissue, 499 refused", "3"),
        ("failed: POST reissue, 500", "4"),
        ("failed: POST reissue, 503 busy", "5"),
        ("went away: closed", "1,002"),
        ("went away: locked", "1"),
        ("never answered; waited in vain", "1,007; 1,008"),
        ("waited for a free connection (95 %), s", "95.1"),
        ("register", "not verified"),
    ]


# ---------------------------------------------------------------- the register


def register(issued: int, *faults: str) -> Reconciliation:
    """Return a register of four states that add up to 1,003."""
    counts = {
        IdentifierStatus.ACTIVE: 1000,
        IdentifierStatus.REVOKED: 2,
        IdentifierStatus.USED: 1,
        IdentifierStatus.FROZEN: 0,
    }
    return Reconciliation(voters=7, entries=8, issued=issued, by_status=counts, faults=list(faults))


STATES = "active 1,000 + revoked 2 + used 1 + frozen 0"


@pytest.mark.parametrize(
    ("found", "line", "broken"),
    [
        (register(1003), f"verified: issued 1,003 = {STATES}", []),
        (register(1004), f"verified: issued 1,004 ≠ {STATES}", ["the register does not reconcile"]),
        (register(1003, "a"), f"1 fault: issued 1,003 = {STATES}", ["the register does not verify"]),
        (register(1004, "a", "b"), f"2 faults: issued 1,004 ≠ {STATES}", ["the register does not verify"]),
        (None, "not verified", []),
    ],
)
def test_a_register_verifies_and_reconciles_or_a_promise_is_broken(
    found: Reconciliation | None, line: str, broken: list[str]
) -> None:
    rehearsed = replace(told(found), tally=MorningTally(), delivered=Delivered())
    assert dict(rehearsed.sums())["register"] == line
    assert rehearsed.broken == broken


# ---------------------------------------------------------------- promises


@pytest.mark.parametrize(
    ("delivered", "broken"),
    [
        (Delivered(lost=2), "2 reissues lost"),
        (Delivered(wrong=2), "2 identifiers of a wrong generation"),
        (Delivered(twice=2), "2 messages sent twice"),
        (Delivered(codes_lost=2), "2 codes lost"),
    ],
)
def test_each_promise_of_delivery_is_broken_by_itself(delivered: Delivered, broken: str) -> None:
    assert replace(told(), tally=MorningTally(), delivered=delivered).broken == [broken]


def test_nobody_waits_in_vain_or_without_an_answer() -> None:
    whole = replace(told(), delivered=Delivered())
    assert replace(whole, tally=MorningTally(unanswered=2)).broken == ["2 voters were never answered"]
    assert replace(whole, tally=MorningTally(in_vain=2)).broken == ["2 voters waited in vain"]
    assert replace(whole, tally=MorningTally(disputes=2)).broken == []


# ---------------------------------------------------------------- for a program


def test_a_program_is_told_all_of_it() -> None:
    found: dict[str, Any] = told(register(1003)).as_json()
    calls, waits, hand_over = (found.pop(name) for name in ("calls", "waits", "hand_over"))
    assert list(calls.items()) == [
        ("GET voter", {"number": 0, "refused": 0, "failed": 0, **NONE}),
        ("POST reissue", {"number": 100, "refused": 3, "failed": 4, **SPREAD}),
    ]
    assert waits == {"code": {"number": 100, **SPREAD}, "identifier": {"number": 0, **NONE}}
    assert list(hand_over.items()) == [
        ("code by email", {"number": 0, **NONE}),
        ("identifier by sms", {"number": 100, **SPREAD}),
    ]
    refusals = [(one["call"], one["status"], one["code"], one["number"]) for one in found.pop("refusals")]
    assert refusals[:2] == [("POST login", 0, "ConnectError", 1006), ("POST reissue", 400, "invalid", 2)]
    assert len(refusals) == 6
    assert found == {
        "stack": "reassort",
        "election": "dijon-2018",
        "seed": 1,
        "voters": 5000,
        "share": 20,
        "seconds": 60,
        "at_once": 8,
        "lasted": 61.3,
        "came": 1002,
        "signed_in": 1003,
        "votes": 1004,
        "disputes": 1005,
        "redeliveries": 1006,
        "unanswered": 1007,
        "in_vain": 1008,
        "gave_up": {"closed": 1002, "locked": 1},
        "reissues": {
            "reissues": 2001,
            "handed_over": 2002,
            "arrived": 2003,
            "failed": 2004,
            "superseded": 2005,
            "disputed": 2006,
            "by_fallback": 2007,
        },
        "lost": 2008,
        "lost_references": ["L"],
        "wrong_generation": 2009,
        "wrong_references": ["W"],
        "sent_twice": 2010,
        "codes": 2011,
        "codes_lost": 2012,
        "register": {
            "voters": 7,
            "entries": 8,
            "issued": 1003,
            "active": 1000,
            "revoked": 2,
            "used": 1,
            "frozen": 0,
            "holds": True,
            "faults": [],
        },
        "broken": [
            "2008 reissues lost",
            "2009 identifiers of a wrong generation",
            "2010 messages sent twice",
            "2012 codes lost",
            "1007 voters were never answered",
            "1008 voters waited in vain",
        ],
    }


def test_a_program_is_told_that_the_register_was_not_verified() -> None:
    assert told().as_json()["register"] is None
