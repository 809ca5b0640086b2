"""What the matrix tries: each scenario is one run of one handler, and what must have come of it in
the end, whatever happened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar

from notify.delivering import MAX_ATTEMPTS
from notify.pacing import Lane
from notify.retry_queue import RECEPTIONS, VISIBILITY
from reassort.keyed_hash import derive_keyed_hash
from reassort.outbox import Channel, Kind, Message, Status
from reassort.table_keys import phone_key, sms_day_attribute
from reassort_ops import election_control

from harness.elections import with_second_person
from harness.engines.template import OUTBOX
from harness.service.events import ses_event, sms_log_event
from harness.service.wire import ProcessDiedError, no_reply
from harness.service.world import Browser, Response, identifier_in
from tests.register_chain import broken_links

if TYPE_CHECKING:
    from reassort.election_file import ElectionFile

    from tests.matrix.stage import Stage

STRANGER = "camille.inconnu@ac-dijon.fr"
SECOND_KEY = "crash-matrix-key-2"


class Retrier(Enum):
    """Who calls the handler, and so who tries again after a fault."""

    # Repeats the same request until it is answered.
    CLIENT = auto()
    # A stream, a queue or a schedule: brings the event again by itself, as settling plays it.
    TRIGGER = auto()
    # An asynchronous event: Lambda brings it again, twice.
    EVENT = auto()
    # Types the command again.
    OPERATOR = auto()


class Scenario(ABC):
    """One run of one handler."""

    name: ClassVar[str]
    caller: ClassVar[Retrier] = Retrier.TRIGGER
    election: ClassVar[ElectionFile | str] = "dijon-2018"

    def set_up(self, stage: Stage) -> None:  # noqa: B027 - most scenarios need none
        """Bring the world to the moment before the run."""

    @abstractmethod
    def act(self, stage: Stage) -> object:
        """Run the handler once."""

    def meanwhile(self, stage: Stage) -> None:  # noqa: B027 - most scenarios need none
        """Let the rest of the world go on, between the run and what repeats it."""

    @abstractmethod
    def goal(self, stage: Stage) -> None:
        """Check what the run was for."""

    def repeat(self, stage: Stage) -> None:  # noqa: B027 - most scenarios need none
        """Make the same request again when all is over; nothing may change. Events are always
        brought again.
        """


class ApiRequest(Scenario):
    """A request to the API. Its client asks until it gets an answer that is not a fault."""

    caller = Retrier.CLIENT

    @abstractmethod
    def act(self, stage: Stage) -> Response:
        """Make the request."""


# ---------------------------------------------------------------- sign-in


class ColdStart(Scenario):
    name = "cold start: derive the keys"
    caller = Retrier.OPERATOR

    def act(self, stage: Stage) -> object:
        world = stage.world
        stage.facts["key"] = derive_keyed_hash(world.wire.kms, world.engine.stores.hash_keys, world.election.id)
        return None

    def goal(self, stage: Stage) -> None:
        assert stage.facts["key"].voter_id("a") == stage.world.keyed_hash.voter_id("a")


class AskCode(ApiRequest):
    name = "ask a code"

    def set_up(self, stage: Stage) -> None:
        stage.facts["browser"] = stage.open_browser()

    def act(self, stage: Stage) -> Response:
        return _browser(stage).ask_code(stage.claire.email)

    def goal(self, stage: Stage) -> None:
        _sign_in(stage)


class AskCodeOfAStranger(ApiRequest):
    name = "ask a code, unknown address"

    def set_up(self, stage: Stage) -> None:
        stage.ledger.hide(STRANGER)
        stage.facts["browser"] = stage.open_browser()

    def act(self, stage: Stage) -> Response:
        return _browser(stage).ask_code(STRANGER)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        assert not stage.world.emails
        assert not stage.world.deliveries()


class AskCodeAgain(AskCode):
    name = "ask another code"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        self.act(stage)
        stage.work()
        stage.world.clock.move(seconds=61)


class AskCodeAfterExpiry(AskCode):
    name = "ask a code, challenge used up"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        self.act(stage)
        stage.work()
        challenge = _browser(stage).challenge_cookie or ""
        _browser(stage).redeem(stage.world.code_for(stage.claire.email))
        _browser(stage).hold("__Host-challenge", challenge)
        stage.world.clock.move(minutes=11)


class AskCodeTooSoon(AskCode):
    name = "ask a code too soon"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        self.act(stage)
        stage.settle()
        stage.world.clock.move(seconds=5)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        super().goal(stage)


class DeliverCode(Scenario):
    name = "deliver a code"

    def set_up(self, stage: Stage) -> None:
        stage.facts["browser"] = stage.open_browser()
        _browser(stage).ask_code(stage.claire.email)

    def act(self, stage: Stage) -> object:
        stage.world.deliver_stream()
        return None

    def goal(self, stage: Stage) -> None:
        (code,) = {mail.text for mail in stage.world.mail_to(stage.claire.email)}
        assert code
        assert _browser(stage).redeem(stage.world.code_for(stage.claire.email)).status == 200


class DropStrangersCode(DeliverCode):
    name = "drop the code of an unknown address"

    def set_up(self, stage: Stage) -> None:
        stage.ledger.hide(STRANGER)
        stage.world.browser().ask_code(STRANGER)

    def goal(self, stage: Stage) -> None:
        assert not stage.world.emails
        assert not stage.world.deliveries()


class DeliverExpiredCode(DeliverCode):
    name = "deliver a code too late"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.world.clock.move(minutes=10)

    def goal(self, stage: Stage) -> None:
        assert not stage.world.emails
        (delivery,) = stage.ledger.deliveries()
        assert delivery.status_of(Message.CODE) is Status.FAILED


class RedeemCode(ApiRequest):
    name = "redeem a code"

    def set_up(self, stage: Stage) -> None:
        stage.facts["browser"] = stage.open_browser()
        _browser(stage).ask_code(stage.claire.email)
        stage.settle()
        stage.facts["code"] = stage.world.code_for(stage.claire.email)

    def act(self, stage: Stage) -> Response:
        return _browser(stage).redeem(stage.facts["code"])

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        if stage.answer.status != 200:
            # The session was made and its cookie lost, or the tries went with the replies.
            assert stage.answer.code in {"code-used", "wrong-code"}
            _sign_in(stage)
        assert _browser(stage).overview().status == 200

    def repeat(self, stage: Stage) -> None:
        assert stage.open_browser().redeem(stage.facts["code"]).code == "no-challenge"


class RedeemWrongCode(RedeemCode):
    name = "redeem a wrong code"

    def act(self, stage: Stage) -> Response:
        return _browser(stage).redeem(f"{(int(stage.facts['code']) + 1) % 10**6:06d}")

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        # A reply that is lost costs one of the five tries, no more.
        assert stage.answer.json["attempts_left"] in {3, 4}
        assert _browser(stage).redeem(stage.facts["code"]).status == 200

    def repeat(self, stage: Stage) -> None:
        """A wrong code counts each time."""


class SignOut(ApiRequest):
    name = "sign out"

    def act(self, stage: Stage) -> Response:
        return stage.browser.sign_out()

    def goal(self, stage: Stage) -> None:
        assert not stage.world.items("SignInTable")
        assert stage.browser.session_cookie is None

    def repeat(self, stage: Stage) -> None:
        assert stage.browser.sign_out().status == 204


# ---------------------------------------------------------------- the voter space


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
        assert _last_identifier_status(stage, answer.json["reference"]) == "active"

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
        texts = _identifier_texts(stage, stage.facts["reference"])
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


# ---------------------------------------------------------------- delivery from the stream


class DeliverReissue(Scenario):
    """The first attempt of a new delivery."""

    channel: ClassVar[str] = "sms"
    # How the identifier goes in the end.
    arrives: ClassVar[str] = "sms"

    def set_up(self, stage: Stage) -> None:
        stage.reissue(self.channel)

    def act(self, stage: Stage) -> object:
        stage.world.deliver_stream()
        return None

    def goal(self, stage: Stage) -> None:
        """Identifier and confirmation have gone, and the identifier is valid."""
        reference = stage.facts["reference"]
        delivery = stage.world.delivery(reference)
        assert (delivery.status, delivery.channel) == (Status.SENT, self.arrives)
        assert delivery.status_of(Message.CONFIRMATION) is Status.SENT
        assert _last_identifier_status(stage, reference) == "active"


class DeliverBySms(DeliverReissue):
    name = "deliver by SMS"


class DeliverByEmail(DeliverReissue):
    name = "deliver by e-mail"
    channel = arrives = "email"


class DeliverRefused(DeliverReissue):
    name = "deliver, the SMS is refused"
    arrives = "email"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.provider_says("Publish", "OptedOut")

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert not stage.world.sms


class DeliverFallback(DeliverRefused):
    name = "deliver by e-mail what was refused by SMS"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.world.deliver_stream()


class DeliverThrottled(DeliverReissue):
    name = "deliver, the provider throttles"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.provider_says("Publish", "Throttling", times=1)


class DeliverUnanswered(DeliverReissue):
    name = "deliver, the provider does not answer"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.provider_says("Publish", no_reply(), times=1)


class DeliverAfterCap(DeliverReissue):
    name = "deliver, the day's SMS are used up"
    arrives = "email"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.use_up_sms()

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert not stage.world.sms


class DeliverRefusedEmail(DeliverReissue):
    name = "deliver, the e-mails are refused"
    channel = "email"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.provider_says("SendEmail", "MessageRejected")

    def goal(self, stage: Stage) -> None:
        delivery = stage.world.delivery(stage.facts["reference"])
        assert (delivery.status, delivery.channel) == (Status.SENT, Channel.SMS)
        assert delivery.status_of(Message.CONFIRMATION) is Status.FAILED


class DeliverReplaced(DeliverReissue):
    name = "deliver what was replaced"

    def set_up(self, stage: Stage) -> None:
        former = stage.reissue(key=SECOND_KEY)
        events = stage.world.new_records()[:1]
        stage.reissue()
        stage.facts |= {"former": former, "events": events}

    def act(self, stage: Stage) -> object:
        """Only the event of the former delivery comes now."""
        world = stage.world
        return world.wake("notify", world.stream_event(stage.facts["events"]))

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.delivery(stage.facts["former"]).status is Status.SUPERSEDED


class DeliverForgotten(DeliverReplaced):
    name = "deliver what was replaced a month later"

    def set_up(self, stage: Stage) -> None:
        """The transaction of the later reissue leaves a delivery alone that is past its
        retention.
        """
        former = stage.reissue("email", key=SECOND_KEY)
        stage.world.lose_stream()
        issued_at = [1_500_000_000_000, 1_500_000_000_000]
        stage.world.change_voter(stage.claire, issued_at=issued_at)
        stage.reissue("email")
        stage.world.lose_stream()
        stage.facts |= {"former": former, "events": stage.world._records[:1]}

    def goal(self, stage: Stage) -> None:
        """The sweeper brings the later one, for its event is lost."""
        assert stage.world.delivery(stage.facts["former"]).status is Status.SUPERSEDED
        assert stage.world.delivery(stage.facts["reference"]).status is Status.SENT


class DeliverRedelivery(DeliverReissue):
    name = "deliver a redelivery"
    arrives = "email"

    def set_up(self, stage: Stage) -> None:
        reference = stage.reissue()
        stage.settle()
        stage.browser.redeliver(reference, "email")


class DeliverAlert(DeliverReissue):
    name = "deliver the alert of a dispute"

    def set_up(self, stage: Stage) -> None:
        reference = stage.reissue()
        stage.settle()
        stage.browser.dispute(stage.token_of(reference))

    def goal(self, stage: Stage) -> None:
        assert stage.world.alerts
        assert stage.world.delivery(stage.facts["reference"]).status_of(Message.ALERT) is Status.SENT


class WaitForTurn(DeliverReissue):
    name = "deliver, the lane is full"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.fill_lane(Lane.SMS, minutes=20)

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.delivery(stage.facts["reference"]).messages[Message.IDENTIFIER]["attempts"] <= 2


class DeliverPoison(DeliverReissue):
    name = "deliver what cannot be opened"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        _damage(stage)

    def goal(self, stage: Stage) -> None:
        assert not stage.world.sms
        assert stage.world.delivery(stage.facts["reference"]).status is Status.FAILED
        assert len(stage.world.queued_bodies(stage.world.dead_letter_queue)) >= 1


# ---------------------------------------------------------------- delivery from the queue


class RetryReissue(DeliverReissue):
    name = "deliver from the queue"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.world.fail("Decrypt", "KMSInternalException", times=2)
        stage.work()
        stage.world.clock.move(seconds=6)

    def act(self, stage: Stage) -> object:
        return stage.world.drain_retries()


class TravelOn(RetryReissue):
    name = "queue: another leg of a long wait"

    def set_up(self, stage: Stage) -> None:
        DeliverReissue.set_up(self, stage)
        stage.fill_lane(Lane.SMS, minutes=20)
        stage.work()
        stage.world.clock.move(minutes=15)


class TakeTurn(RetryReissue):
    name = "queue: the turn has come"

    def set_up(self, stage: Stage) -> None:
        DeliverReissue.set_up(self, stage)
        stage.fill_lane(Lane.SMS, seconds=30)
        stage.work()
        stage.world.clock.move(seconds=30)


class GiveUp(RetryReissue):
    name = "queue: the attempts are used up"
    arrives = "email"

    def set_up(self, stage: Stage) -> None:
        DeliverReissue.set_up(self, stage)
        stage.world.change_message(stage.facts["reference"], "identifier", attempts=MAX_ATTEMPTS)
        stage.world.lose_stream()
        stage.world.clock.move(minutes=1)
        stage.world.sweep()


class Erase(RetryReissue):
    name = "queue: erase what was sealed"

    def set_up(self, stage: Stage) -> None:
        DeliverReissue.set_up(self, stage)
        stage.settle()
        stage.world.clock.move(minutes=stage.world.election.retention.redelivery_minutes + 1)
        stage.world.sweep()

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.delivery(stage.facts["reference"]).payload is None


class Park(DeliverPoison):
    name = "queue: park what cannot be opened"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.work()
        for _ in range(RECEPTIONS - 1):
            stage.world.clock.move(seconds=VISIBILITY.total_seconds() + 1)
            stage.work()
        stage.world.clock.move(seconds=VISIBILITY.total_seconds() + 1)

    def act(self, stage: Stage) -> object:
        return stage.world.drain_retries()


class Redrive(RetryReissue):
    name = "queue: redriven by an operator"

    def set_up(self, stage: Stage) -> None:
        world = stage.world
        DeliverReissue.set_up(self, stage)
        payload = _damage(stage)
        stage.settle()
        world.change_delivery(stage.facts["reference"], payload=payload)
        (body,) = world.queued_bodies(world.dead_letter_queue)
        world.clock.move(minutes=1)
        # Twice: an operator who is not sure does it again.
        for _ in range(2):
            world.wire.operator.sqs.send_message(QueueUrl=world.retry_queue, MessageBody=body)
        world.wire.operator.sqs.purge_queue(QueueUrl=world.dead_letter_queue)


# ---------------------------------------------------------------- the sweeper


class Sweep(Scenario):
    name = "sweep"

    def set_up(self, stage: Stage) -> None:
        stage.reissue(key=SECOND_KEY)
        stage.settle()
        stage.world.clock.move(minutes=stage.world.election.retention.redelivery_minutes)
        stage.browser = stage.open_browser(signed_in=True)
        stage.facts["erased"] = stage.facts["reference"]
        stage.reissue()
        stage.world.lose_stream()
        stage.world.clock.move(seconds=60)

    def act(self, stage: Stage) -> object:
        return stage.world.sweep()

    def goal(self, stage: Stage) -> None:
        assert stage.world.delivery(stage.facts["reference"]).status is Status.SENT
        assert stage.world.delivery(stage.facts["erased"]).payload is None


class SweepWithCanaries(Scenario):
    """Canaries are due; the next sweep comes a minute later, whatever became of this one."""

    name = "sweep, canaries due"

    def set_up(self, stage: Stage) -> None:
        stage.watch_with_canaries()

    def act(self, stage: Stage) -> object:
        return stage.world.sweep()

    def meanwhile(self, stage: Stage) -> None:
        stage.world.clock.move(minutes=1)
        stage.world.sweep()

    def goal(self, stage: Stage) -> None:
        canaries = [item for item in stage.world.deliveries() if item["kind"] == Kind.CANARY]
        assert sorted(item["channel"] for item in canaries) == ["email", "sms"]
        assert all(item["messages"][Message.CANARY]["status"] == Status.SENT for item in canaries)
        assert all("payload" not in item and "address" not in item for item in canaries)


class DeliverCanaries(SweepWithCanaries):
    name = "deliver canaries"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.world.sweep()

    def act(self, stage: Stage) -> object:
        stage.world.deliver_stream()
        return None


# ---------------------------------------------------------------- receipts


class EmailReceipt(Scenario):
    """SES reports on the e-mail that carries the identifier."""

    caller = Retrier.EVENT
    kind: ClassVar[str]
    about: ClassVar[str] = "identifier"
    facts: ClassVar[dict[str, Any]] = {}
    status: ClassVar[Status]

    def set_up(self, stage: Stage) -> None:
        reference = stage.reissue("email")
        stage.settle()
        facts = {"at": stage.world.clock.now, **self.facts}
        stage.facts["event"] = ses_event(self.kind, reference, self.about, to=stage.claire.email, **facts)

    def act(self, stage: Stage) -> object:
        stage.world.wake("notify", stage.facts["event"])
        return None

    def goal(self, stage: Stage) -> None:
        delivery = stage.world.delivery(stage.facts["reference"])
        assert delivery.status_of(Message(self.about)) is self.status
        steps = [step for step in delivery.history if step["message"] == self.about]
        assert sum(step["status"] == self.status for step in steps) == (2 if self.status is Status.SENT else 1)

    def repeat(self, stage: Stage) -> None:
        self.act(stage)


class DeliveredEmail(EmailReceipt):
    name = "receipt: e-mail delivered"
    kind, status = "delivery", Status.DELIVERED


class ConfirmationDelivered(EmailReceipt):
    name = "receipt: confirmation delivered"
    kind, about, status = "delivery", "confirmation", Status.DELIVERED


class ReturnedEmail(EmailReceipt):
    """The identifier goes by SMS instead, once."""

    status = Status.SENT

    def goal(self, stage: Stage) -> None:
        delivery = stage.world.delivery(stage.facts["reference"])
        assert (delivery.channel, delivery.status) == ("sms", Status.SENT)
        steps = [step for step in delivery.history if step["message"] == self.about]
        assert sum(step["status"] == Status.FAILED for step in steps) == 1


class Bounced(ReturnedEmail):
    name = "receipt: e-mail bounced"
    kind = "bounce"
    facts: ClassVar[dict[str, Any]] = {"bounceType": "Permanent", "bounceSubType": "NoEmail"}


class BouncedOverTheLimit(Bounced):
    name = "receipt: e-mail bounced, no SMS left for the number"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        now = stage.world.clock().astimezone(stage.world.election.zone)
        phone_hash = stage.world.delivery(stage.facts["reference"]).phone_hash
        used_up = stage.world.election.limits.phone.sms_per_day
        stage.world.engine.put("LimitsTable", {"key": phone_key(phone_hash), sms_day_attribute(now): used_up})

    def goal(self, stage: Stage) -> None:
        assert stage.world.delivery(stage.facts["reference"]).status is Status.FAILED
        assert stage.world.metrics("Undelivered")


class ConfirmationBounced(EmailReceipt):
    name = "receipt: confirmation bounced"
    kind, about, status = "bounce", "confirmation", Status.FAILED
    facts = Bounced.facts


class Rejected(ReturnedEmail):
    name = "receipt: e-mail rejected"
    kind = "reject"


class Complained(EmailReceipt):
    name = "receipt: complaint"
    kind, status = "complaint", Status.SENT

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.metrics("Complaints")


class Delayed(EmailReceipt):
    name = "receipt: e-mail delayed"
    kind, status = "delay", Status.SENT
    facts: ClassVar[dict[str, Any]] = {"delayType": "MailboxFull"}


class CarrierReceipt(Scenario):
    """A carrier reports on the SMS that carries the identifier."""

    caller = Retrier.EVENT
    report: ClassVar[tuple[str, str]] = ("SUCCESS", "Message has been accepted by phone carrier")

    def set_up(self, stage: Stage) -> None:
        reference = stage.reissue()
        stage.settle()
        sms_id = stage.world.delivery_item(reference)["sms_id"]
        stage.facts |= {"sms_id": sms_id, "event": sms_log_event(sms_id, *self.report, at=stage.world.clock.now)}

    def act(self, stage: Stage) -> object:
        stage.world.wake("notify", stage.facts["event"])
        return None

    def goal(self, stage: Stage) -> None:
        assert stage.world.delivery(stage.facts["reference"]).status is Status.DELIVERED

    def repeat(self, stage: Stage) -> None:
        self.act(stage)


class SmsDelivered(CarrierReceipt):
    name = "receipt: SMS delivered"


class SmsFailed(CarrierReceipt):
    name = "receipt: SMS failed"
    report = ("FAILURE", "Phone is currently unreachable/unavailable")

    def goal(self, stage: Stage) -> None:
        delivery = stage.world.delivery(stage.facts["reference"])
        assert (delivery.status, delivery.channel) == (Status.SENT, "email")
        assert len(set(_identifier_texts(stage, stage.facts["reference"]))) == 2


class SmsEarly(CarrierReceipt):
    name = "receipt: SMS, before its sending is recorded"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.world.change_delivery(stage.facts["reference"], sms_id=None)

    def meanwhile(self, stage: Stage) -> None:
        stage.world.change_delivery(stage.facts["reference"], sms_id=stage.facts["sms_id"])


class SmsEarlyAgain(SmsEarly):
    name = "queue: receipt that came early"
    caller = Retrier.TRIGGER

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        CarrierReceipt.act(self, stage)
        super().meanwhile(stage)
        stage.world.clock.move(seconds=6)

    def act(self, stage: Stage) -> object:
        return stage.world.drain_retries()

    def repeat(self, stage: Stage) -> None:
        CarrierReceipt.act(self, stage)


class SmsUnknown(CarrierReceipt):
    name = "receipt: SMS of nobody"

    def set_up(self, stage: Stage) -> None:
        stage.facts["event"] = sms_log_event("00000000-0000-0000-0000-000000000000", at=stage.world.clock.now)

    def goal(self, stage: Stage) -> None:
        world = stage.world
        assert not world.deliveries()
        assert world.metrics("UnknownReceipts")
        assert not world.queued_bodies(world.dead_letter_queue)

    def repeat(self, stage: Stage) -> None:
        """It is looked for again each time."""


# ---------------------------------------------------------------- the voting platform


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


# ---------------------------------------------------------------- the helpdesk


class Look(ApiRequest):
    """A look that was answered is on record; one that got no answer may be there too."""

    name = "helpdesk: look"

    def act(self, stage: Stage) -> Response:
        return stage.agent.look(stage.claire.email)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        entries = stage.helpdesk_record()
        assert {(entry["action"], entry["voter_id"]) for entry in entries} == {("looked", stage.claire.voter_id)}
        assert 1 <= len(entries) <= 2


class DataGiven(Look):
    """What is handed over is on record, and one that got no answer may be there too."""

    name = "helpdesk: data"

    def act(self, stage: Stage) -> Response:
        return stage.world.agent().call("POST", "/helpdesk/data", {"who": stage.claire.email, "reason": "demande 12"})

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        entries = stage.helpdesk_record()
        assert {(entry["action"], entry["reason"]) for entry in entries} == {("data-given", "demande 12")}
        assert 1 <= len(entries) <= 2


class HelpdeskAct(ApiRequest):
    """What an agent does to a voter. It is in the register once and on record once, however often
    it was asked for.
    """

    told: ClassVar[str]
    more: ClassVar[dict[str, str]] = {}
    # How the record calls it, the change that the register has of it, the status of the identifier
    # afterwards.
    leaves: ClassVar[tuple[str, str | None, str]]

    def act(self, stage: Stage) -> Response:
        return stage.agent.act(self.told, stage.claire.email, key=stage.key, **self.more)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        action, change, status = self.leaves
        (entry,) = [entry for entry in stage.helpdesk_record() if entry["action"] == action]
        assert (entry["agent"], entry["voter_id"]) == (stage.agent.id, stage.claire.voter_id)
        if change is not None:
            assert [one["change"] for one in stage.world.register(stage.claire)].count(change) == 1
        assert stage.world.check(stage.claire.identifier)["status"] == status

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 200


class Freeze(HelpdeskAct):
    name = "helpdesk: freeze"
    told = "freeze"
    leaves = ("frozen", "frozen", "frozen")


class Unfreeze(HelpdeskAct):
    name = "helpdesk: unfreeze"
    told = "unfreeze"
    leaves = ("unfrozen", "unfrozen", "active")

    def set_up(self, stage: Stage) -> None:
        stage.agent.act("freeze", stage.claire.email)


class Unlock(HelpdeskAct):
    name = "helpdesk: unlock"
    told = "unlock"
    leaves = ("unlocked", "unlocked", "active")

    def set_up(self, stage: Stage) -> None:
        stage.world.change_voter(stage.claire, numen_failures=10)

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        assert stage.world.voter(stage.claire).numen_failures == 0


class LetIn(HelpdeskAct):
    name = "helpdesk: let in"
    told = "let-in"
    more: ClassVar[dict[str, str]] = {"number": "482913"}
    leaves = ("let-in", None, "active")

    def set_up(self, stage: Stage) -> None:
        stage.open_browser().ask_code(stage.claire.email)


class Settle(HelpdeskAct):
    name = "helpdesk: settle"
    told = "settle"
    leaves = ("settled", None, "revoked")

    def set_up(self, stage: Stage) -> None:
        reference = stage.open_browser(signed_in=True).reissue(stage.claire.numen).json["reference"]
        world = stage.world
        world.run_outbox()
        lost = ("FAILURE", "Invalid phone number")
        world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], *lost, at=world.clock()))
        world.run_outbox()
        world.wake("notify", ses_event("bounce", reference, "identifier", 1, at=world.clock()))
        world.clock.move(minutes=1)


class HelpdeskReissue(HelpdeskAct):
    """An agent whose request got no answer sends it again under its key: one identifier comes of
    it.
    """

    name = "helpdesk: reissue"
    told = "reissue"
    leaves = ("reissued", "reissued", "revoked")

    def goal(self, stage: Stage) -> None:
        super().goal(stage)
        entry = stage.world.register(stage.claire)[-1]
        assert (entry["change"], entry["generation"], entry["actor"]) == ("reissued", 2, stage.agent.id)
        assert _last_identifier_status(stage, entry["reference"].partition(" ")[0]) == "active"


class ReissueOfAFrozenVoter(HelpdeskReissue):
    """The one that was frozen never lives again, whatever fails."""

    name = "helpdesk: reissue for a frozen voter"

    def set_up(self, stage: Stage) -> None:
        stage.agent.act("freeze", stage.claire.email)

    def meanwhile(self, stage: Stage) -> None:
        assert stage.world.check(stage.claire.identifier)["status"] in {"frozen", "revoked"}


class Propose(ApiRequest):
    """What waits for a second person changes nothing of the voter, and waits once."""

    name = "helpdesk: propose a reissue"
    election = with_second_person()

    def act(self, stage: Stage) -> Response:
        return stage.agent.act("reissue", stage.claire.email, key=stage.key)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        (waiting,) = stage.second.call("GET", "/helpdesk/proposals").json["proposals"]
        assert waiting["id"] == stage.answer.json["proposal"]["id"]
        assert [entry["action"] for entry in stage.helpdesk_record()] == ["proposed"]
        assert stage.world.check(stage.claire.identifier)["status"] == "active"

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 202


class Confirm(ApiRequest):
    """A supervisor whose request got no answer sends it again: one identifier comes of it, in both
    names.
    """

    name = "helpdesk: confirm a reissue"
    election = with_second_person()

    def set_up(self, stage: Stage) -> None:
        stage.facts["proposal"] = stage.agent.act("reissue", stage.claire.email).json["proposal"]["id"]

    def act(self, stage: Stage) -> Response:
        return stage.second.decide(stage.facts["proposal"])

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        entry = stage.world.register(stage.claire)[-1]
        both = f"{stage.agent.id} + {stage.second.id}"
        assert (entry["change"], entry["generation"], entry["actor"]) == ("reissued", 2, both)
        assert sorted(entry["action"] for entry in stage.helpdesk_record()) == ["confirmed", "proposed"]
        assert stage.world.check(stage.claire.identifier)["status"] == "revoked"
        assert _last_identifier_status(stage, stage.facts["proposal"]) == "active"

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 200


class Refuse(Confirm):
    """Nothing comes of what was refused, whatever fails."""

    name = "helpdesk: refuse a reissue"

    def act(self, stage: Stage) -> Response:
        return stage.second.decide(stage.facts["proposal"], "refuse")

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 200
        assert stage.world.check(stage.claire.identifier)["status"] == "active"
        assert sorted(entry["action"] for entry in stage.helpdesk_record()) == ["proposed", "refused"]
        assert stage.second.decide(stage.facts["proposal"]).code == "proposal-closed"


class EndSessions(ApiRequest):
    """Once it is answered nothing that the agent signs is taken."""

    name = "helpdesk: end an agent's sessions"

    def act(self, stage: Stage) -> Response:
        return stage.second.end("marie")

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 204
        assert stage.agent.look(stage.claire.email).code == "session-ended"
        assert {entry["action"] for entry in stage.helpdesk_record()} == {"ended-sessions"}

    def repeat(self, stage: Stage) -> None:
        assert self.act(stage).status == 204


# ---------------------------------------------------------------- operators


class StopReissues(Scenario):
    name = "operator: stop all reissues"
    caller = Retrier.OPERATOR

    def act(self, stage: Stage) -> object:
        return election_control.close_reissues(stage.world.election, "leak", stage.operator)

    def goal(self, stage: Stage) -> None:
        standing = election_control.read_standing(stage.world.wire.dynamodb, stage.stack)
        assert standing.control.stopped
        assert standing.differing == ()
        assert broken_links(stage.world.election_chain()) == []
        assert stage.browser.reissue(stage.claire.numen).code == "reissues-stopped"
        assert stage.world.voter(stage.claire).generation == 1


# ---------------------------------------------------------------- what scenarios share


def _browser(stage: Stage) -> Browser:
    browser: Browser = stage.facts["browser"]
    return browser


def _sign_in(stage: Stage) -> None:
    """A voter whose code did not come asks for another after a minute, and gets in."""
    browser = _browser(stage)
    mails = stage.world.mail_to(stage.claire.email)
    if not mails or browser.redeem(stage.world.code_for(stage.claire.email)).status != 200:
        stage.world.clock.move(seconds=60)
        assert browser.sign_in(stage.claire.email).status == 200
    assert browser.overview().status == 200


def _identifier_texts(stage: Stage, reference: str) -> list[str]:
    """Return the texts that carried the identifier of a reissue."""
    copies = stage.ledger.copies()
    return [
        text
        for (delivery, message, _), texts in copies.items()
        if (delivery, message) == (reference, Message.IDENTIFIER)
        for text in texts
    ]


def _last_identifier_status(stage: Stage, reference: str) -> str:
    """Return what the registry says of the identifier that the voter got."""
    status: str = stage.world.check(identifier_in(_identifier_texts(stage, reference)[-1]))["status"]
    return status


def _damage(stage: Stage) -> bytes:
    """Seal something else in a delivery, without an event of that; return what it was."""
    world, reference = stage.world, stage.facts["reference"]
    world.new_records()
    payload: bytes = world.delivery_item(reference)["payload"]
    sealed = world.wire.operator.kms.encrypt(KeyId=world.encryption_key, Plaintext=b"{}")["CiphertextBlob"]
    world.change_delivery(reference, payload=sealed)
    for table in OUTBOX.all:
        world.engine.take_stream_records(table)
    return payload


def _named(base: type[Any]) -> list[Scenario]:
    made = [base()] if "name" in vars(base) else []
    return made + [scenario for derived in base.__subclasses__() for scenario in _named(derived)]


SCENARIOS = _named(Scenario)
