"""The voting platform's two questions, answered from the voter's entry: is this identifier valid,
and may it vote now.
"""

from dataclasses import dataclass
from typing import Any

from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.identifiers import is_well_formed, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.problems import VOTING_CLOSED, Code, Problem
from reassort.register import Change, append_entry
from reassort.tables import ConditionFailedError, ContentionError, read_one, write_all
from reassort.voters import (
    NOT_FROZEN,
    NOT_VOTED,
    SAME_GENERATION,
    IdentifierStatus,
    Voter,
    change_voter,
    voter_from_item,
)

from registry.deps import Deps

_ROUNDS = 8
ACTOR = "voting-platform"
_REASONS = {
    IdentifierStatus.REVOKED: Code.REVOKED,
    IdentifierStatus.USED: Code.ALREADY_VOTED,
    IdentifierStatus.FROZEN: Code.FROZEN,
}


@dataclass(frozen=True)
class Checked:
    """What the voting platform is told of an identifier: the body of `POST /registry/check`, and
    what its answer may be kept under.

    `handle` is how events name the identifier, None when there is no such identifier. Of two
    statuses of one handle the one with the greater `sequence` is the newer; None when the status is
    final.
    """

    body: dict[str, Any]
    handle: str | None = None
    sequence: int | None = None


def check_identifier(typed: str, deps: Deps) -> Checked:
    """Tell whether an identifier is valid."""
    found = _find(typed, deps)
    if found is None:
        return Checked({"status": IdentifierStatus.UNKNOWN.value, "generation": None, "superseded_at": None})
    voter, generation = found
    superseded_at = voter.superseded_at(generation)
    body = {
        "status": voter.identifier_status(generation).value,
        "generation": generation,
        "superseded_at": iso(from_milliseconds(superseded_at)) if superseded_at is not None else None,
    }
    return Checked(body, deps.keyed_hash.handle(voter.voter_id, generation), voter.sequence_of(generation))


def record_vote(typed: str, deps: Deps) -> Voter:
    """Mark the voter as having voted, if the identifier is the valid one at that very moment.

    Vote and reissue write the same item under the same conditions, so one of the two wins.

    Raises:
        Problem: `window-closed` outside the ballot; `unknown-identifier`, `revoked`,
            `already-voted` or `frozen`; `unavailable` under contention.
    """
    for _ in range(_ROUNDS):
        now = deps.clock()
        if not deps.election.windows.voting.contains(now):
            raise Problem(Code.WINDOW_CLOSED, wording=VOTING_CLOSED)
        found = _find(typed, deps)
        if found is None:
            raise Problem(Code.UNKNOWN_IDENTIFIER)
        voter, generation = found
        status = voter.identifier_status(generation)
        if status in _REASONS:
            raise Problem(_REASONS[status])
        entry = voter.next_entry(Change.VOTED, now, ACTOR, generation=generation)
        vote = change_voter(
            deps.voters_table,
            voter,
            entry,
            "voted_at = :at",
            {":at": epoch_milliseconds(now)},
            clauses=(SAME_GENERATION, NOT_VOTED, NOT_FROZEN),
        )
        try:
            write_all(deps.dynamodb, [vote, append_entry(deps.register_table, entry)])
        except (ConditionFailedError, ContentionError):
            continue
        return voter
    raise Problem(Code.UNAVAILABLE, retry_after=1)


def _find(typed: str, deps: Deps) -> tuple[Voter, int] | None:
    identifier = normalise_identifier(typed)
    if not is_well_formed(identifier, deps.election.identifier):
        return None
    key = {"identifier_hash": deps.keyed_hash.hash(Purpose.IDENTIFIER, identifier)}
    item = read_one(deps.dynamodb, deps.identifiers_table, key)
    if item is None:
        return None
    voter_item = read_one(deps.dynamodb, deps.voters_table, {"voter_id": item["voter_id"]})
    return (voter_from_item(voter_item), item["generation"]) if voter_item else None
