"""Reissues, other channels and disputes, as voters ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from reassort.outbox import Status
from reassort_ops import election_control

from harness.service.reading import identifier_in
from harness.service.wire import ProcessDiedError
from harness.service.world import Response
from tests.matrix.scenarios.scenario import SECOND_KEY, ApiRequest, identifier_texts, last_identifier_status

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


class Overview(ApiRequest):
    name = "overview"

    def set_up(self, stage: Stage) -> None:
        stage.reissue()
        stage.settle()
        stage.world.clock.move(minutes=2)

    def act(self, stage: Stage) -> Response:
        return stage.browser.overview()

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.json["last_reissue"]["reference"] == stage.facts["reference"]

    def repeat(self, stage: Stage) -> None:
        assert stage.browser.overview().status == 200


class ShowStatus(Overview):
    name = "status"

    def act(self, stage: Stage) -> Response:
        return stage.browser.status(stage.facts["reference"])

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.json["status"] == "sent"

    def repeat(self, stage: Stage) -> None:
        assert stage.browser.status(stage.facts["reference"]).json["status"] == "sent"


class Reissue(ApiRequest):
    """The voter sends the form, again and again under the same key, until it is answered."""

    channel: ClassVar[str]
    generation: ClassVar[int] = 2

    def act(self, stage: Stage) -> Response:
        return stage.browser.reissue(stage.claire.numen, channel=self.channel, key=stage.key)

    def goal(self, stage: Stage) -> None:
        """One generation more, and its identifier has gone to the voter by the channel that they
        chose.
        """
        world, answer = stage.world, stage.answer
        assert answer is not None
        assert (answer.status, answer.json["generation"]) == (202, self.generation)
        assert world.voter(stage.claire).generation == self.generation
        assert world.delivery(answer.json["reference"]).status is Status.SENT
        assert last_identifier_status(stage, answer.json["reference"]) == "active"

    def repeat(self, stage: Stage) -> None:
        assert stage.answer is not None
        again = self.act(stage)
        assert (again.status, again.json) == (202, stage.answer.json)


class ReissueBySms(Reissue):
    name = "reissue by SMS"
    channel = "sms"


class ReissueByEmail(Reissue):
    name = "reissue by e-mail"
    channel = "email"


class SupersedeQueued(Reissue):
    name = "reissue, the former one is queued"
    channel = "sms"
    generation = 3

    def set_up(self, stage: Stage) -> None:
        stage.reissue(key=SECOND_KEY)

    def goal(self, stage: Stage) -> None:
        """Whether the former one was sent in time or not at all, it is shown as what it is."""
        super().goal(stage)
        assert stage.world.delivery(stage.facts["reference"]).status is Status.SUPERSEDED


class SupersedeSent(SupersedeQueued):
    name = "reissue, the former one is sent"

    def set_up(self, stage: Stage) -> None:
        stage.reissue(key=SECOND_KEY)
        stage.settle()


class SupersedeSending(SupersedeQueued):
    name = "reissue, the former one is being sent"

    def set_up(self, stage: Stage) -> None:
        stage.reissue(key=SECOND_KEY)
        stage.world.fail("Publish", ProcessDiedError())
        stage.work()


class VoteSlipsIn(Reissue):
    name = "reissue, a vote slips in"
    channel = "sms"

    def set_up(self, stage: Stage) -> None:
        stage.facts["first"] = stage.claire.identifier

    def act(self, stage: Stage) -> Response:
        if "tried" not in stage.facts:
            stage.facts["tried"] = True
            stage.world.interleave("TransactWriteItems", lambda: self._vote(stage))
        return super().act(stage)

    def _vote(self, stage: Stage) -> None:
        stage.facts["vote"] = stage.world.vote(stage.claire.identifier)

    def meanwhile(self, stage: Stage) -> None:
        """The voting platform asks again when it was not answered."""
        vote: Response | None = stage.facts.get("vote")
        if vote is None or vote.status == 503:
            self._vote(stage)

    def goal(self, stage: Stage) -> None:
        answer, vote, voter = stage.answer, stage.facts["vote"], stage.world.voter(stage.claire)
        assert answer is not None
        if voter.voted_at is None:
            assert vote.code == "revoked"
            super().goal(stage)
        else:
            assert vote.status == 200 or vote.code == "already-voted"
            assert (answer.code, voter.generation) == ("already-voted", 1)

    def repeat(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert self.act(stage).status == stage.answer.status
        assert stage.world.vote(stage.claire.identifier).code in {"revoked", "already-voted"}


class StopSlipsIn(Reissue):
    name = "reissue, all are stopped meanwhile"
    channel = "sms"

    def act(self, stage: Stage) -> Response:
        if "tried" not in stage.facts:
            stage.facts["tried"] = True
            stage.world.interleave("TransactWriteItems", lambda: self._stop(stage))
        return super().act(stage)

    def _stop(self, stage: Stage) -> None:
        election_control.close_reissues(stage.world.election, "leak", stage.operator)
        stage.facts["generation"] = stage.world.voter(stage.claire).generation

    def meanwhile(self, stage: Stage) -> None:
        """An operator who got no answer repeats the command; it may be that the reissue has
        committed by then.
        """
        if "generation" not in stage.facts:
            self._stop(stage)

    def goal(self, stage: Stage) -> None:
        """Nothing has committed since the stop; what had committed before is delivered."""
        assert stage.answer is not None
        generation = stage.world.voter(stage.claire).generation
        assert generation == stage.facts["generation"]
        if generation == self.generation:
            super().goal(stage)
        else:
            assert (stage.answer.status, stage.answer.code) == (409, "reissues-stopped")

    def repeat(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert self.act(stage).status == stage.answer.status


class WrongNumen(ApiRequest):
    name = "wrong NUMEN"
    failures: ClassVar[int] = 0
    code: ClassVar[str] = "numen-mismatch"

    def set_up(self, stage: Stage) -> None:
        if self.failures:
            stage.world.change_voter(stage.claire, numen_failures=self.failures)

    def act(self, stage: Stage) -> Response:
        return stage.browser.reissue("99Z9999999ZZZ", key=stage.key)

    def goal(self, stage: Stage) -> None:
        voter = stage.world.voter(stage.claire)
        assert stage.answer is not None
        assert stage.answer.code == self.code
        # A reply that is lost costs one more of the tries.
        assert voter.numen_failures - self.failures in {1, 2}
        assert voter.generation == 1
        assert not stage.ledger.sent_count()


class LastNumen(WrongNumen):
    name = "wrong NUMEN, the last try"
    failures = 4
    code = "locked"

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.voter(stage.claire).numen_failures == 5

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).code == "locked"


class Redeliver(ApiRequest):
    """The same identifier by the other channel."""

    first: ClassVar[str]
    other: ClassVar[str]

    def set_up(self, stage: Stage) -> None:
        stage.reissue(self.first)
        stage.settle()

    def act(self, stage: Stage) -> Response:
        return stage.browser.redeliver(stage.facts["reference"], self.other)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        texts = identifier_texts(stage, stage.facts["reference"])
        assert len({identifier_in(text) for text in texts}) == 1
        delivery = stage.world.delivery(stage.facts["reference"])
        assert (delivery.status, delivery.channel, delivery.redeliveries) == (Status.SENT, self.other, 1)
        assert stage.world.voter(stage.claire).generation == 2

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 202


class RedeliverByEmail(Redeliver):
    name = "redelivery by e-mail"
    first, other = "sms", "email"


class RedeliverBySms(Redeliver):
    name = "redelivery by SMS"
    first, other = "email", "sms"


class Dispute(ApiRequest):
    name = "dispute"

    def set_up(self, stage: Stage) -> None:
        stage.reissue()
        stage.settle()
        stage.facts["token"] = stage.token_of(stage.facts["reference"])

    def act(self, stage: Stage) -> Response:
        return stage.browser.dispute(stage.facts["token"])

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        assert stage.world.alerts
        assert stage.world.voter(stage.claire).frozen_at is not None
        assert stage.world.delivery(stage.facts["reference"]).status is Status.DISPUTED

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 202


class LookAtDispute(Dispute):
    name = "look at the request that a confirmation is about"

    def act(self, stage: Stage) -> Response:
        return stage.browser.call("POST", "/api/dispute/look", {"token": stage.facts["token"]})

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.json["reference"] == stage.facts["reference"]
        assert stage.world.voter(stage.claire).frozen_at is None

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 200


class DisputeUnsent(Dispute):
    name = "dispute, the identifier is queued"

    def set_up(self, stage: Stage) -> None:
        stage.provider_says("Publish", "InternalError", times=1)
        reference = stage.reissue()
        stage.work()
        stage.facts["token"] = stage.token_of(reference)


class DisputeFormer(Dispute):
    name = "dispute of a replaced identifier"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        former = stage.facts["reference"]
        stage.reissue(key=SECOND_KEY)
        stage.settle()
        stage.facts["reference"] = former

    def goal(self, stage: Stage) -> None:
        assert stage.world.alerts
        assert stage.world.voter(stage.claire).frozen_at is None
        assert [entry["change"] for entry in stage.world.register(stage.claire)][-1] == "disputed"
