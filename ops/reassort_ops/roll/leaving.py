"""Taking a voter off the roll (*radiation*), and putting them back before the ballot closes.

It is no freeze: the register has words of its own for it, and no agent of the helpdesk can undo it.
A freeze that was there stays under it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds, iso
from reassort.register import Change, append_entry
from reassort.table_keys import ON_ROLL
from reassort.tables import ConditionFailedError, ContentionError, read_one, write_all
from reassort.voters import NOT_VOTED, IdentifierStatus, Voter, change_voter, voter_from_item

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election
    from reassort.tables import Action

    from reassort_ops.account.operator import Operator

_ROUNDS = 20
_LONGEST_PAUSE_SECONDS = 0.2
_OFF_ROLL = "attribute_exists(left_at) AND attribute_not_exists(moved_to)"


def raise_if_closed(election: Election, now: datetime) -> None:
    """Refuse to change the roll once the ballot has closed.

    Raises:
        OperatorError: it has.
    """
    closes_at = election.windows.voting.closes_at
    if now >= closes_at:
        raise OperatorError(
            tr("the ballot closed {closes_at}: the roll is not changed any more", closes_at=iso(closes_at))
        )


@dataclass(frozen=True)
class Leaving:
    """Removes voters of one stack from the roll, and restores them."""

    operator: Operator
    election: Election

    def remove(self, voter_id: str, reason: str) -> bool:
        """Take a voter off the roll; tell whether they were on it.

        Their identifiers count for nothing and their sessions end, until they are restored.

        Raises:
            OperatorError: there is no such voter, they have voted or have another address; the
                ballot has closed; somebody else keeps writing them.
        """
        return self._write(voter_id, lambda voter: self._removal(voter, reason))

    def restore(self, voter_id: str, reason: str) -> bool:
        """Put a removed voter back as they stood; tell whether they were off the roll.

        Raises:
            OperatorError: there is no such voter or they have another address; the ballot has
                closed; somebody else keeps writing them.
        """
        return self._write(voter_id, lambda voter: self._restoration(voter, reason))

    def _write(self, voter_id: str, actions_of: Callable[[Voter], list[Action] | None]) -> bool:
        operator = self.operator
        raise_if_closed(self.election, operator.clock())
        written = False
        for _ in range(_ROUNDS):
            item = read_one(operator.dynamodb, operator.stack.voters_table, {"voter_id": voter_id})
            if item is None:
                raise OperatorError(tr("nobody with this address or pseudonym is on the stack"))
            actions = actions_of(voter_from_item(item))
            if actions is None:
                # After a first try, its answer was lost.
                return written
            try:
                write_all(operator.dynamodb, actions)
            except ConditionFailedError:
                written = True
            except ContentionError:
                pass
            else:
                return True
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
        raise OperatorError(
            tr("the voter is being written by somebody else: nothing was changed; run the same command")
        )

    def _removal(self, voter: Voter, reason: str) -> list[Action] | None:
        _raise_if_moved(voter)
        if voter.voted_at is not None:
            raise OperatorError(tr("the voter has voted: they stay on the roll"))
        if voter.left_at is not None:
            return None
        now = self.operator.clock()
        at = epoch_milliseconds(now)
        entry = voter.next_entry(Change.REMOVED, now, self.operator.name, generation=voter.generation, reference=reason)
        stack = self.operator.stack
        write = change_voter(
            stack.voters_table,
            voter,
            entry,
            "left_at = :at, signed_out_at = :at",
            {":at": at},
            clauses=(NOT_VOTED, ON_ROLL),
        )
        return [write, append_entry(stack.register_table, entry)]

    def _restoration(self, voter: Voter, reason: str) -> list[Action] | None:
        _raise_if_moved(voter)
        if voter.left_at is None:
            return None
        now = self.operator.clock()
        suspended = voter.frozen_at is not None or voter.disputed == voter.generation
        # What the voting platform is told follows from the entry alone.
        status = IdentifierStatus.FROZEN if suspended else IdentifierStatus.ACTIVE
        entry = voter.next_entry(
            Change.RESTORED,
            now,
            self.operator.name,
            generation=voter.generation,
            reference=f"{status} {reason}",
        )
        stack = self.operator.stack
        write = change_voter(
            stack.voters_table, voter, entry, "", {}, clauses=(NOT_VOTED, _OFF_ROLL), removals="left_at"
        )
        return [write, append_entry(stack.register_table, entry)]


def _raise_if_moved(voter: Voter) -> None:
    if voter.moved_to is not None:
        raise OperatorError(tr("the voter has another address since: name them by that one"))
