"""The NUMEN as second proof, the further one that an election may ask for, and their lock.

Both are one proof to anyone who has only one of them: compared together, answered alike, counted
together.

A failure is written on condition that nothing changed since the voter was read, and so is a
success; anyone who loses that race reads again and meets the lock. So no number of simultaneous
tries learns more than the limit allows.
"""

from datetime import datetime, timedelta

from reassort.clock import epoch_milliseconds
from reassort.election import Election
from reassort.keyed_hash import Purpose, same
from reassort.problems import Code, Problem
from reassort.tables import update_one, update_request
from reassort.voters import Voter

from reissue.deps import Deps
from reissue.form import Form

# Until the helpdesk unlocks there is no time to announce; a client is told to come back in a day.
_HELPDESK_RETRY_SECONDS = 86_400
# As long as a hash and never one: a voter whom the roll gives no further proof cannot have the
# right one.
_NO_PROOF = "." * 43


def are_proofs_right(form: Form, voter: Voter, deps: Deps) -> bool:
    """Tell whether the form has the voter's NUMEN and, where the election asks for it, their
    further proof.

    Both are compared whatever the other is, so the time tells no more of them than the answer.
    """
    right = is_numen_right(form.numen, voter, deps)
    if deps.election.extra_proof is None:
        return right
    extra = deps.keyed_hash.extra_proof(voter.voter_id, form.extra_proof or "")
    return right & same(extra, voter.extra_proof_hash or _NO_PROOF)


def is_numen_right(numen: str, voter: Voter, deps: Deps) -> bool:
    """Tell whether a normalised NUMEN is the voter's."""
    return same(deps.keyed_hash.hash(Purpose.NUMEN, numen), voter.numen_hash)


class WrongNumenError(Problem):
    """The answer to a wrong NUMEN or further proof, distinct from a refusal of a voter who was
    locked before.
    """


def raise_if_locked(voter: Voter, now: datetime, election: Election) -> None:
    """Refuse a voter whose tries are used up.

    Raises:
        Problem: `locked`, with the seconds until the lock ends.
    """
    if is_locked_until_unlocked(voter, election):
        raise Problem(Code.LOCKED, extra_proof=_label(election), retry_after=_HELPDESK_RETRY_SECONDS, attempts_left=0)
    remaining = voter.numen_locked_until - epoch_milliseconds(now)
    if remaining > 0:
        raise Problem(Code.LOCKED, extra_proof=_label(election), retry_after=-(-remaining // 1000), attempts_left=0)


def is_locked_until_unlocked(voter: Voter, election: Election) -> bool:
    """Tell whether only the helpdesk can put an end to a voter's lock."""
    return voter.numen_failures >= election.limits.numen.helpdesk_after


def record_numen_failure(voter: Voter, now: datetime, deps: Deps) -> WrongNumenError:
    """Count a wrong NUMEN or further proof and return what to answer: `numen-mismatch`, or `locked`
    when it was the last try.

    Raises:
        ConditionFailedError: the voter changed since it was read; read again before anything is
            answered.
    """
    limits = deps.election.limits.numen
    failures = voter.numen_failures + 1
    locked_until = 0
    if failures == limits.lock_after:
        locked_until = epoch_milliseconds(now + timedelta(minutes=limits.lock_minutes))
    update_one(
        deps.dynamodb,
        update_request(
            deps.tables.voters,
            {"voter_id": voter.voter_id},
            "SET numen_failures = :failures, numen_locked_until = :locked_until",
            "chain_length = :read_length AND numen_failures = :read_failures",
            {
                ":failures": failures,
                ":locked_until": locked_until,
                ":read_length": voter.chain_length,
                ":read_failures": voter.numen_failures,
            },
        ),
    )
    label = _label(deps.election)
    if failures >= limits.helpdesk_after:
        return WrongNumenError(Code.LOCKED, retry_after=_HELPDESK_RETRY_SECONDS, attempts_left=0, extra_proof=label)
    if locked_until:
        return WrongNumenError(Code.LOCKED, retry_after=limits.lock_minutes * 60, attempts_left=0, extra_proof=label)
    next_lock = limits.lock_after if failures < limits.lock_after else limits.helpdesk_after
    return WrongNumenError(Code.NUMEN_MISMATCH, attempts_left=next_lock - failures, extra_proof=label)


def _label(election: Election) -> str | None:
    return None if election.extra_proof is None else election.extra_proof.label
