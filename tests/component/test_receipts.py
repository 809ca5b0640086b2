"""What SES and the carriers report moves a status forward, once, in whatever order it comes, and
never back.

More than 400 lines, because every kind of receipt is one rule.
"""

from __future__ import annotations

import itertools
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from notify.retry_queue import MOST_TURNS
from reassort.outbox import Message
from reassort_ops.deliveries import redrive

from harness.service.events import ses_event, sms_log_event
from harness.service.operated import stack_of
from harness.service.reading import identifier_in
from harness.service.wire import ProcessDiedError
from tests.component.voters import reissued

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def _sms_id(world: World, reference: str) -> str:
    sms_id: str = world.delivery_item(reference)["sms_id"]
    return sms_id


def _statuses(browser: Browser, reference: str) -> list[str]:
    return [step["status"] for step in browser.status(reference).json["history"]]


# ---------------------------------------------------------------- e-mail


@pytest.mark.req("R12", "U6")
def test_delivered_email_is_shown_as_such_and_its_secret_is_erased_when_redelivery_is_over(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    assert "payload" in world.delivery_item(reference)
    world.clock.move(seconds=2)
    world.wake("notify", ses_event("delivery", reference, "identifier", at=world.clock()))
    shown = browser.status(reference).json
    assert shown["status"] == "delivered"
    assert shown["history"][-1] == {"at": "2018-11-30T09:15:02Z", "status": "delivered", "channel": "email"}
    assert browser.redeliver(reference, "sms").code == "already-delivered"
    # A mail server may return tomorrow what it took today; what is sealed waits no longer for that.
    assert "payload" in world.delivery_item(reference)
    world.clock.move(minutes=world.election.retention.redelivery_minutes)
    world.sweep()
    world.drain_retries()
    assert not {"payload", "address", "due_shard", "due_at"} & set(world.delivery_item(reference))


@pytest.mark.req("R12", "I2")
def test_delivered_identifier_waits_for_its_confirmation_before_it_is_erased(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.fail("SendEmail", "Throttling", times=-1, matches=lambda call: "confirmation" in str(call.parameters))
    world.run_outbox()
    world.wake("notify", sms_log_event(_sms_id(world, reference)))
    assert "payload" in world.delivery_item(reference)
    world.repair()
    world.run_for(minutes=2)
    assert browser.status(reference).json["confirmation"] == {"status": "sent"}
    assert "payload" not in world.delivery_item(reference)


@pytest.mark.req("R11", "I2")
@pytest.mark.parametrize(
    ("facts", "code", "words"),
    [
        ({"bounceType": "Transient", "bounceSubType": "MailboxFull"}, "mailbox-full", "boîte pleine"),
        (
            {"bounceType": "Permanent", "bounceSubType": "NoEmail"},
            "no-such-mailbox",
            "adresse inconnue de la messagerie",
        ),
        ({"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}, "mail-blocked", None),
        ({"bounceType": "Nothing", "bounceSubType": "That we know"}, "unknown", "raison inconnue"),
    ],
)
def test_bounce_is_seen_by_the_voter_and_counted_by_domain(
    world: World, claire: Enrolled, browser: Browser, facts: dict[str, Any], code: str, words: str | None
) -> None:
    reference = reissued(world, browser, claire, "email")
    world.wake("notify", ses_event("bounce", reference, "identifier", to=claire.email, **facts))
    shown = browser.status(reference).json
    step = next(step for step in shown["history"] if step["status"] == "failed")
    assert (step["channel"], step["reason"]["code"]) == ("email", code)
    assert words in {step["reason"]["words"], None}
    (failed,) = [line for line in world.log_lines if "Failed" in line]
    assert (failed["domain"], failed["channel"], failed["reason"]) == ("ac-dijon.fr", "email", code)
    assert world.metrics("FailurePercent") == [100]
    # Nothing is tried into the same wall.
    world.run_for(minutes=10)
    assert len(world.mail_about(reference)) == 2


@pytest.mark.req("R11", "I2")
@pytest.mark.parametrize("arrived", [False, True], ids=["sent", "delivered"])
def test_bounced_identifier_goes_by_sms_with_the_same_identifier(
    world: World, claire: Enrolled, browser: Browser, arrived: bool
) -> None:
    reference = reissued(world, browser, claire, "email")
    (mail,) = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "identifier"]
    if arrived:
        world.wake("notify", ses_event("delivery", reference, "identifier"))
    for _ in range(3):
        world.wake("notify", ses_event("bounce", reference, "identifier"))
        world.run_outbox()
    shown = browser.status(reference).json
    assert (shown["status"], shown["channel"]) == ("sent", "sms")
    (sms,) = world.sms
    assert identifier_in(sms.text) == identifier_in(mail.text)
    assert world.voter(claire).generation == 2
    assert world.metrics("Undelivered") == []


@pytest.mark.req("I2", "R11")
def test_identifier_that_goes_neither_way_is_a_failure_that_all_see(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    world.wake("notify", ses_event("bounce", reference, "identifier"))
    world.fail("Publish", "OptedOut", times=-1)
    world.run_for(minutes=5)
    shown = browser.status(reference).json
    assert (shown["status"], shown["channel"], shown["reason"]["code"]) == ("failed", "sms", "opted-out")
    last = shown["history"][-1]
    assert (last["status"], last["channel"], last["reason"]["code"]) == ("failed", "sms", "opted-out")
    assert shown["redelivery"]["channels"] == []
    assert world.metrics("Undelivered") == [1]
    assert len([mail for mail in world.mail_about(reference) if mail.tags["message"] == "identifier"]) == 1


@pytest.mark.req("R11", "I2")
def test_bounce_after_the_redelivery_period_is_a_failure_that_all_see(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    """What was sealed is gone: only another identifier helps, and nothing else is offered."""
    reference = reissued(world, browser, claire, "email")
    world.wake("notify", ses_event("delivery", reference, "identifier"))
    world.clock.move(minutes=world.election.retention.redelivery_minutes)
    world.sweep()
    world.drain_retries()
    world.wake("notify", ses_event("bounce", reference, "identifier"))
    later = world.signed_in(claire)
    assert later.status(reference).json["status"] == "failed"
    assert later.status(reference).json["redelivery"]["channels"] == []
    assert world.metrics("Undelivered") == [1]
    assert not world.sms


@pytest.mark.req("S13", "R11")
def test_sms_in_the_place_of_an_email_counts_for_its_number(world: World) -> None:
    """Five a day: four that were asked for, one that an e-mail became, none after it."""
    limits = world.election.limits.phone
    voters = [world.enrol(f"agent{number}@ac-dijon.fr", f"09E990012{number}ABC") for number in range(limits.voters)]
    asked = [(voter, "sms") for voter in (*voters, voters[0])] + [(voters[1], "email"), (voters[2], "email")]
    assert len(asked) == limits.sms_per_day + 1
    browsers = {voter.email: world.signed_in(voter) for voter in voters}
    references = [reissued(world, browsers[voter.email], voter, channel) for voter, channel in asked]
    for reference in references[-2:]:
        world.wake("notify", ses_event("bounce", reference, "identifier"))
        world.run_outbox()
    assert len(world.sms) == limits.sms_per_day
    statuses = [browsers[voters[number].email].status(references[-3 + number]).json for number in (1, 2)]
    assert [status["channel"] for status in statuses] == ["sms", "email"]
    assert [status["status"] for status in statuses] == ["sent", "failed"]
    assert statuses[1]["redelivery"]["channels"] == []
    assert world.metrics("Undelivered") == [1]


@pytest.mark.req("S13", "R11")
@pytest.mark.parametrize("attributes", [{"fell_back": True}, {"payload": None}], ids=["fell back", "erased"])
def test_no_sms_is_counted_for_an_identifier_that_cannot_go_by_sms_any_more(
    world: World, claire: Enrolled, browser: Browser, attributes: dict[str, Any]
) -> None:
    reference = reissued(world, browser, claire, "email")
    world.change_delivery(reference, **attributes)
    counted = world.items("LimitsTable")
    world.wake("notify", ses_event("bounce", reference, "identifier"))
    assert browser.status(reference).json["status"] == "failed"
    assert world.items("LimitsTable") == counted


@pytest.mark.req("I2", "R11")
def test_operators_reissue_that_bounces_has_no_number_to_go_to(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    world.change_delivery(reference, destinations={"email": "c•••@ac-dijon.fr"}, phone_hash="")
    world.wake("notify", ses_event("bounce", reference, "identifier"))
    world.run_outbox()
    assert browser.status(reference).json["status"] == "failed"
    assert (world.sms, world.metrics("Undelivered")) == ([], [1])


@pytest.mark.req("R11", "I2", "I4")
def test_bounced_confirmation_is_seen_beside_a_delivered_identifier(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire)
    world.wake(
        "notify", ses_event("bounce", reference, "confirmation", bounceType="Transient", bounceSubType="MailboxFull")
    )
    shown = browser.status(reference).json
    assert shown["status"] == "sent"
    assert shown["confirmation"] == {"status": "failed", "reason": {"code": "mailbox-full", "words": "boîte pleine"}}


@pytest.mark.req("R11")
def test_delay_and_complaint_are_told_without_changing_the_status(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    for _ in range(2):
        world.wake("notify", ses_event("delay", reference, "identifier", delayType="MailboxFull"))
    shown = browser.status(reference).json
    assert (shown["status"], shown["reason"]["code"]) == ("sent", "mailbox-full")
    assert _statuses(browser, reference) == ["queued", "sending", "sent", "sent"]
    world.wake("notify", ses_event("delivery", reference, "identifier"))
    assert "reason" not in browser.status(reference).json
    world.clock.move(minutes=5)
    complaint = ses_event("complaint", reference, "identifier", to=claire.email, at=world.clock())
    world.wake("notify", complaint)
    shown = browser.status(reference).json
    assert (shown["status"], shown["reason"]["code"]) == ("delivered", "marked-as-spam")
    assert world.metrics("Complaints") == [1]


@pytest.mark.req("R12", "I6")
def test_remark_that_comes_again_later_changes_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire, "email")
    events = []
    reports: tuple[tuple[str, dict[str, Any]], ...] = (
        ("delay", {"delayType": "General"}),
        ("delay", {"delayType": "MailboxFull"}),
        ("complaint", {}),
    )
    for kind, facts in reports:
        world.clock.move(minutes=1)
        events.append(ses_event(kind, reference, "identifier", at=world.clock(), **facts))
        world.wake("notify", events[-1])
    before = world.delivery_item(reference)
    assert world.delivery(reference).reason_of(Message.IDENTIFIER) == "marked-as-spam"
    for event in (*events, *reversed(events)):
        world.wake("notify", event)
    assert world.delivery_item(reference) == before


@pytest.mark.req("R12", "I6")
@pytest.mark.parametrize("order", list(itertools.permutations(["delivery", "bounce", "delay"])))
def test_order_and_number_of_receipts_do_not_matter(
    world: World, claire: Enrolled, browser: Browser, order: tuple[str, ...]
) -> None:
    reference = reissued(world, browser, claire, "email")
    for kind in (*order, *order):
        world.wake("notify", ses_event(kind, reference, "identifier"))
    assert browser.status(reference).json["channel"] == "sms"
    statuses = _statuses(browser, reference)
    assert statuses.count("failed") == 1
    assert statuses.count("delivered") <= 1


@pytest.mark.req("R7", "R12")
def test_receipt_that_overtakes_the_record_saves_the_second_message(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    """The worker sent, and died before it could record that; the report of the arrival is the
    better record.
    """
    reference = browser.reissue(claire.numen, channel="email").json["reference"]
    world.lose_reply("SendEmail", ProcessDiedError())
    with pytest.raises(ProcessDiedError):
        world.run_outbox()
    assert browser.status(reference).json["status"] == "sending"
    world.wake("notify", ses_event("delivery", reference, "identifier"))
    assert browser.status(reference).json["status"] == "delivered"
    world.run_for(minutes=5)
    assert len([mail for mail in world.mail_about(reference) if mail.tags["message"] == "identifier"]) == 1


@pytest.mark.req("R12")
def test_receipt_of_an_earlier_round_says_nothing_about_this_one(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    assert browser.redeliver(reference, "sms").status == 202
    world.run_outbox()
    for kind in ("bounce", "delivery"):
        world.wake("notify", ses_event(kind, reference, "identifier", 0))
    assert browser.status(reference).json["status"] == "sent"
    assert world.delivery(reference).reason_of(Message.IDENTIFIER) is None
    assert world.metrics("Undelivered") == []


@pytest.mark.req("R12")
@pytest.mark.parametrize("message", ["identifier", "code"])
def test_receipt_of_an_unknown_email_changes_nothing(
    world: World, claire: Enrolled, browser: Browser, message: str
) -> None:
    reference = reissued(world, browser, claire)
    before = world.deliveries()
    world.wake("notify", ses_event("bounce", "22222-22222", message))
    world.wake("notify", ses_event("bounce", reference, "code"))
    assert world.deliveries() == before
    assert world.metrics("UnknownReceipts") == [1, 1]
    unknown = [line["delivery"] for line in world.log_lines if line.get("message") == "receipt of an unknown message"]
    assert unknown == ["22222-22222", reference]
    assert world.queued_bodies() == [], "later it would be no clearer"


@pytest.mark.req("R12", "S23", "S25")
def test_report_that_nobody_understands_is_counted_and_holds_nobody_up(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire)
    event = ses_event("delivery", reference, "confirmation")
    strange = f'{{"eventType": "Bounce", "mail": {{"tags": {{"delivery": "{claire.email}"}}}}}}'
    event["Records"].insert(0, {"EventSource": "aws:sns", "Sns": {"Message": strange}})
    world.wake("notify", event)
    world.wake("notify", {"awslogs": {"data": "no base64"}})
    assert browser.status(reference).json["confirmation"]["status"] == "delivered"
    assert world.metrics("UnknownReceipts") == [1, 1]
    assert "receipt not understood" in world.log_text
    assert claire.email not in world.log_text


@pytest.mark.req("R11")
def test_bounced_code_is_counted(world: World, claire: Enrolled) -> None:
    world.browser().ask_code(claire.email)
    world.run_outbox()
    (mail,) = world.mail_to(claire.email)
    world.wake("notify", ses_event("bounce", mail.tags["delivery"], "code", to=claire.email))
    assert world.metrics("Failed") == [1]


# ---------------------------------------------------------------- SMS


@pytest.mark.req("R12", "U6")
def test_delivered_sms_is_shown_as_such(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    for _ in range(2):
        world.wake("notify", sms_log_event(_sms_id(world, reference)))
    assert browser.status(reference).json["status"] == "delivered"
    assert _statuses(browser, reference).count("delivered") == 1
    assert world.metrics("SmsSpend") == [0.07368]
    assert "payload" not in world.delivery_item(reference)


@pytest.mark.req("R10", "I2")
@pytest.mark.parametrize(
    ("response", "code"),
    [
        ("Invalid phone number", "unknown-number"),
        ("Phone number is opted out", "opted-out"),
        ("Phone carrier has blocked this message", "carrier-refused"),
        ("Phone is currently unreachable/unavailable", "phone-unreachable"),
        ("Something that no list has", "unknown"),
    ],
)
def test_failed_sms_is_replaced_by_an_email_with_the_same_identifier(
    world: World, claire: Enrolled, browser: Browser, response: str, code: str
) -> None:
    reference = reissued(world, browser, claire)
    identifier = identifier_in(world.sms[0].text)
    for _ in range(3):
        world.wake("notify", sms_log_event(_sms_id(world, reference), "FAILURE", response))
        world.run_outbox()
    shown = browser.status(reference).json
    assert (shown["status"], shown["channel"]) == ("sent", "email")
    failed = next(step for step in shown["history"] if step["status"] == "failed")
    assert (failed["channel"], failed["reason"]["code"]) == ("sms", code)
    (email,) = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "identifier"]
    assert identifier in email.text
    assert world.voter(claire).generation == 2


@pytest.mark.req("R12")
def test_sms_receipt_that_comes_early_waits_for_the_record(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    early: list[dict[str, Any]] = []
    world.run_outbox()
    sms_id = _sms_id(world, reference)
    # Before the index shows it.
    world.change_delivery(reference, sms_id=None)
    early.append(sms_log_event(sms_id))
    world.wake("notify", early[0])
    (waiting,) = world.queued_bodies()
    assert claire.email not in waiting
    assert "+33" not in waiting
    world.change_delivery(reference, sms_id=sms_id)
    world.clock.move(seconds=6)
    world.drain_retries()
    assert browser.status(reference).json["status"] == "delivered"
    assert not world.queued_bodies()


@pytest.mark.req("R12")
def test_sms_receipt_of_nobody_ends(world: World) -> None:
    world.wake("notify", sms_log_event("00000000-0000-0000-0000-000000000000", "FAILURE", "Invalid phone number"))
    world.run_for(minutes=10)
    assert not world.queued_bodies()
    assert not world.queued_bodies(world.dead_letter_queue)
    assert world.metrics("UnknownReceipts") == [1]


@pytest.mark.req("R12", "R10")
def test_late_failure_of_an_sms_that_was_replaced_already_is_ignored(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire)
    sms_id = _sms_id(world, reference)
    assert browser.redeliver(reference, "email").status == 202
    world.run_outbox()
    world.wake("notify", sms_log_event(sms_id, "FAILURE", "Invalid phone number"))
    shown = browser.status(reference).json
    assert (shown["status"], shown["channel"]) == ("sent", "email")
    assert world.metrics("Undelivered") == []


# ---------------------------------------------------------------- faults


@pytest.mark.req("R15", "R12", "S23")
@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "Query"])
def test_receipt_outlives_tables_that_do_not_answer(
    world: World, claire: Enrolled, browser: Browser, operation: str
) -> None:
    reference = reissued(world, browser, claire)
    world.fail(operation, "ProvisionedThroughputExceededException")
    world.wake("notify", sms_log_event(_sms_id(world, reference), "FAILURE", "Invalid phone number"))
    (waiting,) = world.queued_bodies()
    assert not any(secret in waiting for secret in (claire.email, "+33", "612345678"))
    world.run_for(minutes=2)
    assert browser.status(reference).json["channel"] == "email"
    assert not world.queued_bodies()


@pytest.mark.req("R14", "R16")
def test_receipt_that_waited_for_too_long_lies_with_the_dead_letters_and_comes_back(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    world.fail("GetItem", "ThrottlingException", times=-1)
    world.wake("notify", ses_event("delivery", reference, "identifier"))
    for _ in range(2 * MOST_TURNS):
        world.clock.move(minutes=1)
        world.drain_retries()
    (dead,) = world.queued_bodies(world.dead_letter_queue)
    assert json.loads(dead)["turns"] == MOST_TURNS - 1
    world.repair()
    stack = replace(stack_of(world), retry_queue=world.retry_queue, dead_letter_queue=world.dead_letter_queue)
    assert redrive(world.wire.operator.sqs, stack, lambda _: None).sent_back == 1
    (again,) = world.queued_bodies()
    assert "turns" not in json.loads(again)
    world.drain_retries()
    assert world.signed_in(claire).status(reference).json["status"] == "delivered"


@pytest.mark.req("R12")
def test_receipt_that_can_be_neither_applied_nor_queued_comes_again(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = reissued(world, browser, claire, "email")
    event = ses_event("delivery", reference, "identifier")
    world.fail("GetItem", "InternalServerError")
    world.fail("SendMessage", "InternalError")
    with pytest.raises(ExceptionGroup):
        world.wake("notify", event)
    assert "receipt not applied" in world.log_text
    # Lambda keeps an event that its function did not take.
    world.wake("notify", event)
    assert browser.status(reference).json["status"] == "delivered"


@pytest.mark.req("R11", "R12", "I2")
@pytest.mark.parametrize("error", [None, ProcessDiedError()], ids=["reply lost", "process died"])
def test_failure_whose_record_is_not_answered_rings_the_alarm(
    world: World, claire: Enrolled, browser: Browser, error: BaseException | None
) -> None:
    reference = reissued(world, browser, claire, "email")
    # An operator's: there is no number to send it to.
    world.change_delivery(reference, destinations={"email": "c•••@ac-dijon.fr"}, phone_hash="")
    event = ses_event("bounce", reference, "identifier")
    world.lose_reply("UpdateItem", error)
    with suppress(ProcessDiedError):
        world.wake("notify", event)
    for _ in range(2):
        world.wake("notify", event)
    world.run_for(minutes=2)
    assert browser.status(reference).json["status"] == "failed"
    assert world.metrics("Undelivered") == [1]
