"""Two who act on one voter at the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from harness.service.reading import dispute_token_in
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
            "freeze": lambda: self._call_the_helpdesk(who, what),
            "unfreeze": lambda: self._call_the_helpdesk(who, what),
            "unlock": lambda: self._call_the_helpdesk(who, what),
        }
        actions[what]()

    def _call_the_helpdesk(self, who: int, act: str) -> None:
        """A freeze may find that the voter has voted, an unfreeze that the identifier
        was disputed.
        """
        response = self.helpdesk.act(act, self.voters[who].email)
        if response.status == 200 or response.code == "nothing-to-do":
            return
        entry = self.voter(who)
        if act == "freeze":
            assert response.code == "already-voted"
            assert entry.voted_at is not None
        else:
            assert (act, response.code, entry.disputed) == ("unfreeze", "disputed", entry.generation)

    def _dispute_the_last(self, who: int) -> None:
        mine = [email for email in self.confirmations() if email.to == self.voters[who].email]
        if mine:
            assert self.world.browser().dispute(dispute_token_in(mine[-1])).status == 202
