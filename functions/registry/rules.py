"""The voting platform's two questions, answered from the voter's entry: is this identifier valid,
and may it vote now.
"""

from dataclasses import dataclass
from typing import Any

from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.identifiers import is_well_formed, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.problems import VOTING_CLOSED, Code, Problem
from reassort.register import ISSUES, Change, append_entry, read_chain
from reassort.table_keys import ON_ROLL
from reassort.tables import ConditionFailedError, ContentionError, read_one, update, write_all
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
    voter, generation, _ = found
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
        voter, generation, identifier_hash = found
        status = voter.identifier_status(generation)
        if status in _REASONS:
            raise Problem(_REASONS[status])
        at = epoch_milliseconds(now)
        entry = voter.next_entry(Change.VOTED, now, ACTOR, generation=generation, identifier_hash=identifier_hash)
        vote = change_voter(
            deps.voters_table,
            voter,
            entry,
            "voted_at = :at",
            {":at": at},
            clauses=(SAME_GENERATION, NOT_VOTED, NOT_FROZEN, ON_ROLL),
        )
        # It votes once, whatever becomes of the voter's item, and for whom it was issued to.
        use = update(
            "identifier",
            deps.identifiers_table,
            {"identifier_hash": identifier_hash},
            "SET voted_at = :at",
            "voter_id = :voter AND generation = :generation AND attribute_not_exists(voted_at)",
            {":at": at, ":voter": voter.voter_id, ":generation": generation},
        )
        try:
            write_all(deps.dynamodb, [vote, append_entry(deps.register_table, entry), use])
        except (ConditionFailedError, ContentionError):
            continue
        return voter
    raise Problem(Code.UNAVAILABLE, retry_after=1)


def _find(typed: str, deps: Deps) -> tuple[Voter, int, str] | None:
    """Return whose identifier it is, its generation and its hash; None unless the register says
    that it was issued to that voter.
    """
    identifier = normalise_identifier(typed)
    if not is_well_formed(identifier, deps.election.identifier):
        return None
    identifier_hash = deps.keyed_hash.hash(Purpose.IDENTIFIER, identifier)
    item = read_one(deps.dynamodb, deps.identifiers_table, {"identifier_hash": identifier_hash})
    if item is None:
        return None
    voter_item = read_one(deps.dynamodb, deps.voters_table, {"voter_id": item["voter_id"]})
    if voter_item is None:
        return None
    voter, generation = voter_from_item(voter_item), item["generation"]
    if not _was_issued(voter, generation, identifier_hash, voted="voted_at" in item, deps=deps):
        deps.event_log.warn("identifier contradicts the register", voter=voter.voter_id, generation=generation)
        return None
    return voter, generation, identifier_hash


def _was_issued(voter: Voter, generation: int, identifier_hash: str, *, voted: bool, deps: Deps) -> bool:
    """Tell whether an entry of the voter's chain issued this identifier in this generation, and
    whether the voter's item knows of its vote.
    """
    # The identifier was read before the voter, so a vote that comes in between shows in the voter
    # alone.
    if voted and voter.identifier_status(generation) is not IdentifierStatus.USED:
        return False
    chain = read_chain(deps.dynamodb, deps.register_table, voter.voter_id)
    return any(
        entry.change in ISSUES and entry.generation == generation and entry.identifier_hash == identifier_hash
        for entry in chain
    )
