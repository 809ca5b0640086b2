"""What the voting platform is told and asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.service.world import Response
from tests.matrix.scenarios.scenario import ApiRequest, Scenario

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


class Announce(Scenario):
    """A batch of three events: one that fails is brought again with those behind it."""

    name = "announce what changed"

    def set_up(self, stage: Stage) -> None:
        stage.reissue()
        for act in ("freeze", "unfreeze"):
            assert stage.agent.act(act, stage.claire.email).status == 200

    def act(self, stage: Stage) -> object:
        stage.world.announce()
        return None

    def goal(self, stage: Stage) -> None:
        """Once for each change at least; how often an event comes again is not the platform's
        concern.
        """
        told = {
            announcement.json["sequence"]: announcement.json["status"] for announcement in stage.world.announcements
        }
        assert told == {2: "revoked", 3: "frozen", 4: "active"}
        assert not stage.world.queued_bodies(stage.world.platform_dead_letters)


class RegistryCheck(ApiRequest):
    name = "registry: check"

    def act(self, stage: Stage) -> Response:
        return stage.world.call("POST", "/registry/check", {"identifier": stage.claire.identifier})

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.json["status"] == "active"


class Vote(ApiRequest):
    name = "registry: vote"

    def act(self, stage: Stage) -> Response:
        return stage.world.vote(stage.claire.identifier)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200 or stage.answer.code == "already-voted"
        assert stage.world.check(stage.claire.identifier)["status"] == "used"

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).code == "already-voted"
        assert stage.browser.reissue(stage.claire.numen).code == "already-voted"


class VoteRevoked(Vote):
    name = "registry: vote with a revoked identifier"

    def set_up(self, stage: Stage) -> None:
        stage.reissue()
        stage.settle()

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.code == "revoked"

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).code == "revoked"


class ReissueSlipsIn(Vote):
    name = "registry: vote, a reissue slips in"

    def act(self, stage: Stage) -> Response:
        if "tried" not in stage.facts:
            stage.facts["tried"] = True
            stage.world.interleave("TransactWriteItems", lambda: self._reissue(stage))
        return super().act(stage)

    def _reissue(self, stage: Stage) -> None:
        stage.facts["reissue"] = stage.browser.reissue(stage.claire.numen, key=stage.key)

    def meanwhile(self, stage: Stage) -> None:
        """The voter sends the form again when it was not answered."""
        answer: Response | None = stage.facts.get("reissue")
        if answer is None or answer.status == 503:
            self._reissue(stage)

    def goal(self, stage: Stage) -> None:
        answer, voter = stage.answer, stage.world.voter(stage.claire)
        assert answer is not None
        if voter.voted_at is None:
            assert (answer.code, voter.generation, stage.facts["reissue"].status) == ("revoked", 2, 202)
        else:
            assert answer.status == 200 or answer.code == "already-voted"
            assert (voter.generation, stage.facts["reissue"].code) == (1, "already-voted")

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).code in {"revoked", "already-voted"}
