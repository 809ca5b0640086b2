"""What an agent of the helpdesk does to one voter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.stateful.machine import TABLES, WHO, Machine, step

if TYPE_CHECKING:
    from reassort.voters import Voter

# An act that would be refused anyway, by an agent who may look at nobody more in this hour.
_LOOKS_USED_UP = "too-many-lookups"


class Operators(Machine):
    """Freezing, unfreezing, unlocking. Doing it twice changes nothing."""

    @step(who=WHO, what=st.sampled_from(("unfreeze", "unlock", "freeze")))
    def call_the_helpdesk(self, who: int, what: str) -> None:
        """One rule, so that a schedule in which voters are frozen is one in which they are unfrozen
        too.
        """
        match what:
            case "unfreeze" if self._is_disputed(who):
                self._refused(what, who, "disputed")
            case "unfreeze":
                assert self._change(who, what).frozen_at is None
            case "unlock":
                entry = self._change(who, what)
                assert (entry.numen_failures, entry.numen_locked_until) == (0, 0)
            case _ if self.voter(who).voted_at is None:
                assert self._change(who, what).frozen_at is not None
            case _:
                self._refused(what, who, "nothing-to-do", "already-voted")

    def _change(self, who: int, act: str) -> Voter:
        address = self.voters[who].email
        response = self.helpdesk.act(act, address)
        assert response.status == 200 or response.code in {"nothing-to-do", _LOOKS_USED_UP}
        self.outcomes[f"helpdesk {act} {response.status}"] += 1
        entry = self.voter(who)
        self._refused(act, who, "nothing-to-do")
        return entry

    def _is_disputed(self, who: int) -> bool:
        entry = self.voter(who)
        return entry.frozen_at is not None and entry.disputed == entry.generation

    def _refused(self, act: str, who: int, *codes: str) -> None:
        # A refusal is on record as a look, and changes nothing else.
        with self.unchanged(*(table for table in TABLES if table != "HelpdeskRecordTable")):
            assert self.helpdesk.act(act, self.voters[who].email).code in {*codes, _LOOKS_USED_UP}
