"""Delivery of what was issued: stream, retry queue, sweeps and canaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from notify.delivering import MAX_ATTEMPTS
from notify.pacing import Lane
from notify.retry_queue import RECEPTIONS, VISIBILITY
from reassort.outbox import Channel, Kind, Message, Status

from harness.service.wire import no_reply
from tests.matrix.scenarios.scenario import SECOND_KEY, Scenario, damage, last_identifier_status

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


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
        assert last_identifier_status(stage, reference) == "active"


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
        damage(stage)

    def goal(self, stage: Stage) -> None:
        assert not stage.world.sms
        assert stage.world.delivery(stage.facts["reference"]).status is Status.FAILED
        assert len(stage.world.queued_bodies(stage.world.dead_letter_queue)) >= 1


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
        payload = damage(stage)
        stage.settle()
        world.change_delivery(stage.facts["reference"], payload=payload)
        (body,) = world.queued_bodies(world.dead_letter_queue)
        world.clock.move(minutes=1)
        # Twice: an operator who is not sure does it again.
        for _ in range(2):
            world.wire.operator.sqs.send_message(QueueUrl=world.retry_queue, MessageBody=body)
        world.wire.operator.sqs.purge_queue(QueueUrl=world.dead_letter_queue)


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
