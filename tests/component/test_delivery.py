"""Delivery: at least once, in practice once, never of a replaced identifier, and never kept longer
than needed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from reassort.clock import epoch_milliseconds
from reassort.outbox import Message, Status

from harness.service.events import sms_log_event
from harness.service.reading import identifier_in
from harness.service.wire import Call, ProcessDiedError

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def _reissued(browser: Browser, enrolled: Enrolled, channel: str = "sms") -> str:
    answer = browser.reissue(enrolled.numen, channel=channel)
    assert answer.status == 202
    reference: str = answer.json["reference"]
    return reference


@pytest.mark.req("I4", "S15", "U12", "P9")
def test_identifier_by_sms_and_confirmation_by_email(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.run_outbox()
    (sms,) = world.sms
    (confirmation,) = world.mail_to(claire.email)
    assert sms.to == "+33612345678"
    assert sms.attributes["AWS.SNS.SMS.SMSType"] == "Transactional"
    assert sms.attributes["AWS.SNS.SMS.SenderID"] == "ELECTIONS"
    assert float(sms.attributes["AWS.SNS.SMS.MaxPrice"]) <= 0.10
    assert reference in sms.text
    assert reference in confirmation.text
    assert identifier_in(sms.text) not in confirmation.text + confirmation.html
    assert [step["status"] for step in browser.status(reference).json["history"]] == ["queued", "sending", "sent"]


@pytest.mark.req("R5", "I6")
def test_two_workers_with_the_same_event_send_once(world: World, claire: Enrolled, browser: Browser) -> None:
    _reissued(browser, claire)
    records = world.new_records()
    world.interleave("Publish", lambda: world.another_worker()(world.stream_event(records)))
    world.deliver_stream()
    world.wake("notify", world.stream_event(records))
    assert len(world.sms) == 1
    assert len(world.mail_to(claire.email)) == 1


@pytest.mark.req("R7", "I3")
def test_crash_after_the_send_repeats_the_same_text_once(world: World, claire: Enrolled, browser: Browser) -> None:
    _reissued(browser, claire)
    world.lose_reply("Publish", ProcessDiedError())
    with pytest.raises(ProcessDiedError):
        world.deliver_stream()
    world.run_for(minutes=3)
    assert len(world.sms) == 2
    assert world.sms[0].text == world.sms[1].text
    assert len(world.mail_to(claire.email)) == 1


def test_unknown_outcome_is_retried_by_itself(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.fail("Publish", "InternalError")
    world.run_outbox()
    assert world.sms == []
    assert len(world.mail_to(claire.email)) == 1, "the confirmation does not wait for the SMS"
    world.clock.move(seconds=10)
    world.drain_retries()
    assert len(world.sms) == 1
    assert browser.status(reference).json["status"] == "sent"


@pytest.mark.req("R9")
def test_throttled_provider_burns_no_attempt(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    for _ in range(20):
        world.fail("Publish", "ThrottledException")
        world.run_outbox()
        world.clock.move(minutes=16)
    assert world.delivery(reference).messages[Message.IDENTIFIER]["attempts"] == 0
    world.repair()
    world.run_for(minutes=2)
    assert len(world.sms) == 1


@pytest.mark.req("R10")
def test_a_code_that_is_refused_for_good_is_erased_at_once(world: World, claire: Enrolled) -> None:
    world.fail("SendEmail", "MessageRejected")
    answer = world.browser().call("POST", "/api/login", {"email": claire.email, "number": "000000"})
    assert answer.json["sent"] is True
    world.deliver_stream()
    (code,) = world.items("CodeDeliveriesTable")
    assert code["messages"]["code"]["status"] == "failed"
    assert "payload" not in code


@pytest.mark.req("R10", "I2")
def test_number_that_is_refused_gets_the_same_identifier_by_email(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = _reissued(browser, claire)
    world.fail("Publish", "InvalidParameter")
    world.run_outbox()
    world.run_outbox()
    shown = browser.status(reference).json
    assert (shown["status"], shown["channel"], shown["destination"]) == ("sent", "email", "c•••@ac-dijon.fr")
    assert [(step["status"], step["channel"]) for step in shown["history"]] == [
        ("queued", "sms"),
        ("sending", "sms"),
        ("failed", "sms"),
        ("queued", "email"),
        ("sending", "email"),
        ("sent", "email"),
    ]
    assert shown["history"][2]["reason"] == {"code": "unknown-number", "words": "numéro inconnu"}
    assert "reason" not in shown
    assert world.sms == []
    (identifier,) = [email for email in world.mail_about(reference) if email.tags["message"] == "identifier"]
    assert world.check(identifier_in(identifier.text)) == {"status": "active", "generation": 2, "superseded_at": None}
    assert identifier.tags == {"delivery": reference, "message": "identifier", "round": "1"}
    # The voter who asks for the e-mail at this very moment is not told that it is wrong.
    assert browser.redeliver(reference, "email").status == 202
    assert len([email for email in world.emails if email.tags["message"] == "identifier"]) == 1


@pytest.mark.req("R7", "R10", "I4")
def test_confirmation_that_goes_twice_says_the_same_twice(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)

    def is_confirmation(call: Call) -> bool:
        return "Confirmation" in str(call.parameters)

    # It was sent, nobody knows; meanwhile the identifier goes another way.
    world.lose_reply("SendEmail", matches=is_confirmation)
    world.run_outbox()
    assert browser.redeliver(reference, "email").status == 202
    world.run_for(minutes=2)
    first, second = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "confirmation"]
    assert "par SMS" in first.text
    assert (first.text, first.html) == (second.text, second.html)


@pytest.mark.req("R10")
def test_identifier_falls_back_once(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.run_outbox()
    switched_off = "FAILURE", "Phone is currently unreachable/unavailable"
    world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], *switched_off))
    world.run_outbox()
    assert browser.redeliver(reference, "sms").status == 202
    world.run_outbox()
    world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], *switched_off))
    world.run_for(minutes=5)
    shown = browser.status(reference).json
    assert (shown["status"], shown["channel"], shown["reason"]["code"]) == ("failed", "sms", "phone-unreachable")
    assert len([email for email in world.emails if email.tags["message"] == "identifier"]) == 1


@pytest.mark.req("R8", "R10", "I3")
def test_replaced_identifier_does_not_fall_back(world: World, claire: Enrolled, browser: Browser) -> None:
    first = _reissued(browser, claire)
    # Replaced while the carrier's refusal was on its way.
    voter = world.voter(claire)

    def replace(call: Call) -> None:
        if call.operation == "Publish":
            world.change_delivery(first, superseded_at=voter.issued_at[-1])

    world.wire.interceptors.append(replace)
    world.fail("Publish", "OptedOut")
    world.run_for(minutes=2)
    assert not [email for email in world.emails if email.tags["message"] == "identifier"]
    assert browser.status(first).json["status"] == "superseded"


@pytest.mark.req("R8", "I3")
@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"status": "sending", "lease_until": 2**45}, "delivery-in-progress"),
        ({"status": "sending", "lease_until": 1}, None),
        ({"status": "sent", "lease_until": 2**45}, None),
    ],
    ids=["it is being sent", "but not by a worker that died", "and not once it was sent"],
)
def test_an_identifier_is_replaced_unless(
    world: World, claire: Enrolled, browser: Browser, state: dict[str, object], code: str | None
) -> None:
    first = _reissued(browser, claire)
    world.change_message(first, "identifier", **state)
    assert browser.reissue(claire.numen).code == code
    assert (world.delivery(first).superseded_at is None) == (code is not None)


@pytest.mark.req("I3")
@pytest.mark.parametrize(("milliseconds", "code"), [(-1, "delivery-in-progress"), (0, None)], ids=["within", "over"])
def test_a_delivery_may_be_gone_once_its_retention_is_over(
    world: World, claire: Enrolled, browser: Browser, milliseconds: int, code: str | None
) -> None:
    first = _reissued(browser, claire)
    gone_at = timedelta(days=world.election.retention.deliveries_days, milliseconds=milliseconds)
    world.change_voter(claire, issued_at=[1, epoch_milliseconds(world.clock() - gone_at)])
    world.wire.operator.dynamodb.delete_item(
        TableName=world.tables["DeliveriesTable"], Key={"delivery_id": {"S": first}}
    )
    assert browser.reissue(claire.numen).code == code
    # Nothing of it is written again.
    assert first not in {item["delivery_id"] for item in world.deliveries()}


@pytest.mark.req("R8", "I3", "I4")
def test_replaced_identifier_is_never_sent(world: World, claire: Enrolled, browser: Browser) -> None:
    first = _reissued(browser, claire)
    second = _reissued(browser, claire)
    world.run_for(minutes=5)
    assert len(world.sms) == 1
    assert second in world.sms[0].text
    assert browser.status(first).json["status"] == "superseded"
    confirmations = [email for email in world.mail_to(claire.email) if "Confirmation" in email.subject]
    assert len(confirmations) == 2


@pytest.mark.req("I3")
def test_reissue_waits_while_the_former_identifier_is_being_sent(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    _reissued(browser, claire)
    answers = []
    world.interleave("Publish", lambda: answers.append(browser.reissue(claire.numen)))
    world.run_outbox()
    (answer,) = answers
    assert (answer.status, answer.code) == (429, "delivery-in-progress")
    assert int(answer.headers["retry-after"]) > 0
    assert world.voter(claire).generation == 2
    assert browser.reissue(claire.numen).status == 202


@pytest.mark.req("R4")
def test_sweeper_delivers_what_the_stream_never_brought(world: World, claire: Enrolled, browser: Browser) -> None:
    _reissued(browser, claire)
    world.clock.move(hours=24)
    assert world.sweep() == 1
    world.drain_retries()
    assert len(world.sms) == 1


@pytest.mark.req("R13")
def test_nothing_is_lost_while_the_key_cannot_be_used(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.fail("Decrypt", "KMSInternalException")
    world.fail("Decrypt", "KMSInternalException")
    world.run_outbox()
    assert world.sms == []
    world.repair()
    world.run_for(minutes=3)
    assert len(world.sms) == 1
    assert browser.status(reference).json["status"] == "sent"


def test_what_was_sealed_is_erased_when_redelivery_is_over(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.run_outbox()
    assert world.delivery(reference).payload is not None
    world.clock.move(minutes=world.election.retention.redelivery_minutes)
    world.sweep()
    world.drain_retries()
    delivery = world.delivery(reference)
    assert (delivery.payload, delivery.address, delivery.due_at) == (None, None, None)
    browser = world.signed_in(claire)
    late = browser.redeliver(reference, "email")
    assert (late.status, late.code) == (409, "redelivery-expired")


@pytest.mark.req("I3", "O5")
def test_nothing_secret_goes_to_a_voter_who_left_the_roll(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.browser().ask_code(claire.email)
    world.change_voter(claire, left_at=1)
    world.run_outbox()
    assert world.sms == []
    assert [email.tags["message"] for email in world.emails] == ["confirmation"]
    assert world.delivery(reference).status is Status.SUPERSEDED
    assert world.items("CodeDeliveriesTable") == []


@pytest.mark.req("I3")
def test_replaced_identifier_is_no_reason_to_hold_its_confirmation(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = _reissued(browser, claire)
    world.change_voter(claire, generation=3, issued_at=[*world.voter(claire).issued_at, 1])
    world.deliver_stream()
    assert [email.tags["message"] for email in world.mail_about(reference)] == ["confirmation"]


@pytest.mark.req("I3", "S23")
def test_replaced_identifier_that_was_asked_for_again_is_erased_unsent(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = _reissued(browser, claire)
    world.run_outbox()
    assert browser.redeliver(reference, "email").status == 202
    world.change_voter(claire, generation=3, issued_at=[*world.voter(claire).issued_at, 1])
    world.deliver_stream()
    assert {email.tags["message"] for email in world.emails} == {"confirmation"}
    assert world.delivery(reference).payload is None


def test_delivery_that_is_deleted_meanwhile_is_over(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.change_voter(claire, generation=3, issued_at=[*world.voter(claire).issued_at, 1])

    def delete() -> None:
        key = {"delivery_id": {"S": reference}}
        world.wire.operator.dynamodb.delete_item(TableName=world.tables["DeliveriesTable"], Key=key)

    world.interleave("UpdateItem", delete)
    world.run_outbox()
    assert world.sms + world.emails == []
    assert world.queued_bodies() == []


@pytest.mark.req("R7", "I2")
def test_lease_that_ran_out_is_taken_at_that_moment(world: World, claire: Enrolled, browser: Browser) -> None:
    _reissued(browser, claire)
    world.fail("Publish", ProcessDiedError())
    with pytest.raises(ProcessDiedError):
        world.deliver_stream()
    for seconds in (29, 1):
        assert world.sms == []
        world.clock.move(seconds=seconds)
        world.run_outbox()
    assert len(world.sms) == 1


@pytest.mark.req("S3", "I8")
def test_code_for_a_stranger_ends_in_delivery(world: World, claire: Enrolled) -> None:
    world.browser().ask_code("stranger.unknown@ac-dijon.fr")
    assert len(world.deliveries()) == 1
    world.run_outbox()
    assert world.emails == []
    assert world.deliveries() == []


@pytest.mark.req("R6")
def test_one_unreadable_record_does_not_hold_the_others(world: World, claire: Enrolled, paul: Enrolled) -> None:
    broken = _reissued(world.signed_in(claire), claire)
    _reissued(world.signed_in(paul), paul)
    world.change_delivery(broken, payload=b"not a ciphertext")
    world.run_outbox()
    assert [sms.to for sms in world.sms] == ["+33612345678"]
    assert world.delivery(broken).status is not Status.SENT
