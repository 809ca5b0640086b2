"""Receipts of e-mails and SMS, as the providers report them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from reassort.outbox import Message, Status
from reassort.table_keys import phone_key, sms_day_attribute

from harness.service.events import ses_event, sms_log_event
from tests.matrix.scenarios.scenario import Retrier, Scenario, identifier_texts

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


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
        assert len(set(identifier_texts(stage, stage.facts["reference"]))) == 2


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
