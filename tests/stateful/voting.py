"""What the voting platform asks of the registry."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.stateful.machine import WHICH, WHO, Machine, pick, step
from tests.stateful.voters import ERRORS, error_of


class Voting(Machine):
    """Votes, by identifiers of every generation, and the same vote again."""

    @step(which=WHICH)
    def vote(self, which: int) -> None:
        identifier = pick(which, sorted(self.issued, key=self.issued.__getitem__))
        status = self.world.check(identifier)["status"]
        assert self.cast_vote(identifier).status == (200 if status == "active" else 409)
        with self.unchanged():
            assert self.cast_vote(identifier).status == 409

    @step(who=WHO, when=st.sampled_from(("before", "after")), error=st.sampled_from(ERRORS))
    def vote_and_fail(self, who: int, when: str, error: str) -> None:
        """The transaction fails, or commits and its answer is lost; the platform asks again and
        finds out.
        """
        identifier = self.newest_identifier(who)
        active = self.world.check(identifier)["status"] == "active"
        inject = self.world.fail if when == "before" else self.world.lose_reply
        fault = inject("TransactWriteItems", error_of(error))
        with self.surviving():
            first = self.saw("vote that fails", self.world.vote(identifier))
            assert first.status in {200, 409, 503}
        fault.times = 0
        counted = active and self.voter(who).voted_at is not None
        if counted:
            self.count_vote(*self.issued[identifier])
        assert self.cast_vote(identifier).status == (200 if active and not counted else 409)

    @precondition(lambda self: self.voted)
    @step(which=WHICH)
    def replay_a_vote(self, which: int) -> None:
        """I6: a vote that was counted is not counted again, however long after."""
        voter_id = pick(which, sorted(self.voted))
        (used,) = [text for text, owner in self.issued.items() if owner == (voter_id, self.voted[voter_id])]
        with self.unchanged():
            assert self.cast_vote(used).code == "already-voted"
