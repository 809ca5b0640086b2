"""What the helpdesk does to one voter, by the functions of the `reassort` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from reassort_ops.failures import OperatorError
from reassort_ops.voter.changes import freeze, unfreeze, unlock

from tests.stateful.machine import WHO, Machine, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from reassort.voters import Voter
    from reassort_ops.account.operator import Operator

_REASON = "the voter called"


class Operators(Machine):
    """Freezing, unfreezing, unlocking. Doing it twice changes nothing."""

    @step(who=WHO, what=st.sampled_from(("unfreeze", "unlock", "freeze")))
    def call_the_helpdesk(self, who: int, what: str) -> None:
        """One rule, so that a schedule in which voters are frozen is one in which they are unfrozen
        too.
        """
        match what:
            case "unfreeze" if self._is_disputed(who):
                self._refused(unfreeze, who)
            case "unfreeze":
                assert self._change(who, unfreeze).frozen_at is None
            case "unlock":
                entry = self._change(who, unlock)
                assert (entry.numen_failures, entry.numen_locked_until) == (0, 0)
            case _ if self.voter(who).voted_at is None:
                assert self._change(who, freeze).frozen_at is not None
            case _:
                self._refused(freeze, who)

    def _change(self, who: int, change: Callable[[str, str, Operator], str]) -> Voter:
        voter_id = self.voters[who].voter_id
        said = change(voter_id, _REASON, self.helpdesk)
        self.outcomes[f"helpdesk {said.partition(':')[0]}"] += 1
        entry = self.voter(who)
        with self.unchanged():
            assert change(voter_id, _REASON, self.helpdesk).endswith("nothing changed")
        return entry

    def _is_disputed(self, who: int) -> bool:
        entry = self.voter(who)
        return entry.frozen_at is not None and entry.disputed == entry.generation

    def _refused(self, change: Callable[[str, str, Operator], str], who: int) -> None:
        with self.unchanged():
            try:
                change(self.voters[who].voter_id, _REASON, self.helpdesk)
            except OperatorError:
                return
        raise AssertionError(f"{change.__name__} was not refused")
