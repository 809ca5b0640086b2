"""In what platform and register differ about one identifier, and what is said and written of it."""

from __future__ import annotations

import io

import pytest
from reassort.voters import IdentifierStatus
from reassort_ops.platform.export import Disagreement
from reassort_ops.platform.reconciliation import (
    VoteDifference,
    VotesReconciled,
    difference_of,
    what_to_look_at,
    write_differences,
)

ACTIVE, REVOKED, USED, FROZEN = (
    IdentifierStatus.ACTIVE,
    IdentifierStatus.REVOKED,
    IdentifierStatus.USED,
    IdentifierStatus.FROZEN,
)
LATE = Disagreement("late", ACTIVE, REVOKED)
STRANGE = Disagreement("strange", FROZEN, None)
COUNTED = Disagreement("counted", USED, ACTIVE)
THROWN = Disagreement("thrown", None, USED)


@pytest.mark.req("I10")
@pytest.mark.parametrize(
    ("platform", "stack", "difference"),
    [
        (USED, ACTIVE, VoteDifference.NOT_RECORDED),
        (USED, REVOKED, VoteDifference.REPLACED),
        (USED, FROZEN, VoteDifference.FROZEN),
        (USED, None, VoteDifference.UNKNOWN),
        (ACTIVE, USED, VoteDifference.NO_BALLOT),
        (None, USED, VoteDifference.NO_BALLOT),
        (ACTIVE, REVOKED, VoteDifference.OUT_OF_DATE),
        (FROZEN, ACTIVE, VoteDifference.OUT_OF_DATE),
        (ACTIVE, None, VoteDifference.STRANGE),
    ],
)
def test_each_two_statuses_that_differ_have_one_name(
    platform: IdentifierStatus | None, stack: IdentifierStatus | None, difference: VoteDifference
) -> None:
    assert difference_of(Disagreement("h", platform, stack)) is difference


@pytest.mark.req("I10")
def test_votes_hold_when_there_are_as_many_and_nothing_of_a_vote_differs() -> None:
    same = VotesReconciled(2, 2, ())
    assert (same.holds, same.sentence) == (
        True,
        "Reconciled: the platform and the register hold the same 2 votes.",
    )
    late = VotesReconciled(2, 2, (LATE, STRANGE))
    assert late.holds
    assert late.sentence == f"{same.sentence} 2 identifiers without a vote are known otherwise."
    assert not VotesReconciled(3, 2, (LATE,)).holds
    assert not VotesReconciled(2, 2, (COUNTED, THROWN)).holds
    found = VotesReconciled(3, 2, (LATE, COUNTED, COUNTED))
    assert found.sentence == (
        "NOT reconciled: 3 votes of the platform, 2 of the register; vote-not-recorded 2, status-out-of-date 1."
    )
    assert found.by_difference == {VoteDifference.NOT_RECORDED: 2, VoteDifference.OUT_OF_DATE: 1}


@pytest.mark.req("I10")
def test_differences_are_written_votes_first_then_by_handle() -> None:
    file = io.StringIO()
    again = Disagreement("another", USED, ACTIVE)
    write_differences(file, [STRANGE, LATE, COUNTED, THROWN, again])
    assert file.getvalue().splitlines() == [
        "handle;difference;platform;stack;look_at",
        f"another;vote-not-recorded;used;active;{looked_at(VoteDifference.NOT_RECORDED)}",
        f"counted;vote-not-recorded;used;active;{looked_at(VoteDifference.NOT_RECORDED)}",
        f"thrown;recorded-vote-without-a-ballot;;used;{looked_at(VoteDifference.NO_BALLOT)}",
        f"late;status-out-of-date;active;revoked;{looked_at(VoteDifference.OUT_OF_DATE)}",
        f"strange;identifier-of-another-stack;frozen;;{looked_at(VoteDifference.STRANGE)}",
    ]


def looked_at(difference: VoteDifference) -> str:
    """Return what to look at, as its cell has it."""
    said = what_to_look_at(difference)
    return f'"{said}"' if ";" in said else said
