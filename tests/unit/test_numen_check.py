"""Whether a voter may try a NUMEN now, and what a locked one is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from reassort.clock import epoch_milliseconds
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.problems import Code, Problem
from reassort.voters import Voter
from reissue.numen_check import _NO_PROOF, is_locked_until_unlocked, raise_if_locked

from harness.elections import read_election

ELECTION = read_election("dijon-2018")
NOW = datetime(2018, 11, 30, 9, tzinfo=UTC)
AT = epoch_milliseconds(NOW)
TEN = ELECTION.limits.numen.helpdesk_after


def _voter(failures: int, locked_until: int = 0) -> Voter:
    return Voter("claire", "hash", "-", None, (1,), 1, "head", numen_failures=failures, numen_locked_until=locked_until)


@pytest.mark.req("S10")
@pytest.mark.parametrize(("milliseconds", "seconds"), [(1, 1), (1000, 1), (1001, 2), (900_000, 900)])
def test_a_lock_says_in_how_many_seconds_it_ends(milliseconds: int, seconds: int) -> None:
    with pytest.raises(Problem) as refusal:
        raise_if_locked(_voter(5, AT + milliseconds), NOW, ELECTION)
    assert (refusal.value.code, refusal.value.retry_after, refusal.value.attempts_left) == (Code.LOCKED, seconds, 0)


@pytest.mark.req("S10")
@pytest.mark.parametrize("locked_until", [0, AT - 1, AT])
def test_a_lock_that_has_ended_refuses_nothing(locked_until: int) -> None:
    raise_if_locked(_voter(TEN - 1, locked_until), NOW, ELECTION)


@pytest.mark.req("S10")
def test_from_the_tenth_failure_only_the_helpdesk_unlocks() -> None:
    assert [is_locked_until_unlocked(_voter(failures), ELECTION) for failures in (TEN - 1, TEN, TEN + 1)] == [
        False,
        True,
        True,
    ]
    with pytest.raises(Problem) as refusal:
        raise_if_locked(_voter(TEN), NOW, ELECTION)
    assert (refusal.value.code, refusal.value.attempts_left) == (Code.LOCKED, 0)
    assert refusal.value.retry_after == 24 * 60 * 60


@pytest.mark.req("S10")
def test_a_voter_without_a_further_proof_is_compared_for_as_long_as_any_other() -> None:
    assert len(_NO_PROOF) == len(KeyedHash(b"k" * 32).hash(Purpose.EXTRA_PROOF, "1980-01-01"))
