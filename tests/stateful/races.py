"""Two who act on one voter at the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from reassort_ops.failures import OperatorError
from reassort_ops.voter.changes import freeze, unfreeze, unlock

from harness.service.world import dispute_token_in
from tests.stateful.machine import WHO, Machine, phone_of, step

if TYPE_CHECKING:
    from collections.abc import Callable

WHAT = ("reissue", "vote", "dispute", "freeze", "unfreeze", "unlock", "wrong NUMEN")


class Races(Machine):
    """One request slips in between what another reads and what it writes (I5, R3)."""

    @step(
        who=WHO,
        first=st.sampled_from(WHAT),
        second=st.sampled_from(WHAT),
        moment=st.sampled_from(("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems", "UpdateItem")),
    )
    def two_at_once(self, who: int, first: str, second: str, moment: str) -> None:
        self.be_signed_in(who)
        with self.slipping_in(moment, lambda: self._act(who, second)):
            self._act(who, first)

    def _act(self, who: int, what: str) -> None:
        actions: dict[str, Callable[[], object]] = {
            "reissue": lambda: self.request_reissue(who, phone_of(who), "sms", alone=False),
            "wrong NUMEN": lambda: self.request_reissue(who, phone_of(who), "sms", right=False, alone=False),
            "vote": lambda: self.cast_vote(self.newest_identifier(who)),
            "dispute": lambda: self._dispute_the_last(who),
            "freeze": lambda: freeze(self.voters[who].voter_id, "two at once", self.helpdesk),
            "unfreeze": lambda: unfreeze(self.voters[who].voter_id, "two at once", self.helpdesk),
            "unlock": lambda: unlock(self.voters[who].voter_id, "two at once", self.helpdesk),
        }
        try:
            actions[what]()
        except OperatorError:
            # Whoever freezes may find that the voter has voted, whoever unfreezes that the
            # identifier was disputed.
            entry = self.voter(who)
            if what == "freeze":
                assert entry.voted_at is not None
            else:
                assert (what, entry.disputed) == ("unfreeze", entry.generation)

    def _dispute_the_last(self, who: int) -> None:
        mine = [email for email in self.confirmations() if email.to == self.voters[who].email]
        if mine:
            assert self.world.browser().dispute(dispute_token_in(mine[-1])).status == 202
