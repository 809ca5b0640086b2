"""What SES and SNS report of a message reaches its voter, on the deployed template: through the
topic and the log groups.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from harness import plain_http
from harness.service.reading import find_identifier
from harness.stack.deployed import DeployedBrowser, DeployedVoter, Deployment, Platform, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.req("R12")]
# Long enough for a receipt that changes nothing to have been read.
QUIET_SECONDS = 5
# How many reports of the last test are none.
_UNREADABLE = 4


def reissue(deployment: Deployment, voter: DeployedVoter, channel: str) -> tuple[DeployedBrowser, str]:
    """Ask for a new identifier and wait until both of its messages have left."""
    browser = deployment.signed_in(voter)
    accepted = browser.reissue(voter, channel=channel)
    assert accepted.status_code == 202
    reference: str = accepted.json()["reference"]
    wait_for(lambda: both_sent(browser.status(reference)))
    return browser, reference


def both_sent(status: dict[str, Any]) -> bool:
    return bool(status["status"] == status["confirmation"]["status"] == "sent")


def wait_for_status(browser: DeployedBrowser, reference: str, told: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask where a reissue stands until the voter is told so."""
    return wait_for(lambda: found if told(found := browser.status(reference)) else {})


def reason_of(part: dict[str, Any]) -> str | None:
    """Return the stable code of a reason; where there is one there are words for it."""
    reason = part.get("reason")
    if reason is None:
        return None
    assert reason["words"]
    code: str = reason["code"]
    return code


@pytest.mark.req("R11", "I2")
def test_a_bounced_confirmation_is_shown_with_its_reason(deployment: Deployment, voter: DeployedVoter) -> None:
    browser, reference = reissue(deployment, voter, "sms")

    deployment.report_email("bounce", voter.email, reference)

    status = wait_for_status(browser, reference, lambda found: found["confirmation"]["status"] == "failed")
    assert reason_of(status["confirmation"]) == "no-such-mailbox"
    # The identifier went by SMS: that is another message.
    assert status["status"] == "sent"
    assert len(deployment.mails_to(voter.email)) == 1


@pytest.mark.req("R11", "I2")
def test_a_bounced_identifier_is_shown_and_goes_by_sms_at_once(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    browser, reference = reissue(deployment, voter, "email")

    deployment.report_email(
        "bounce", voter.email, reference, "identifier", bounceType="Transient", bounceSubType="MailboxFull"
    )

    (text,) = wait_for(lambda: deployment.texts_to(voter.phone))
    status = wait_for_status(browser, reference, lambda found: found["channel"] == "sms" and found["status"] == "sent")
    failed = [step for step in status["history"] if step["status"] == "failed"]
    assert [(step["channel"], reason_of(step)) for step in failed] == [("email", "mailbox-full")]
    # Never retried into the ground.
    assert len(deployment.mails_to(voter.email)) == 2
    assert platform.check(find_identifier(text) or "")["status"] == "active"


@pytest.mark.req("I2")
def test_an_email_that_arrived_is_delivered_and_is_not_sent_again(deployment: Deployment, voter: DeployedVoter) -> None:
    browser, reference = reissue(deployment, voter, "email")

    deployment.report_email("delivery", voter.email, reference, "identifier")
    deployment.report_email("delivery", voter.email, reference, "confirmation")

    status = wait_for_status(
        browser, reference, lambda found: found["status"] == found["confirmation"]["status"] == "delivered"
    )
    assert reason_of(status) is None
    assert [step["status"] for step in status["history"]] == ["queued", "sending", "sent", "delivered"]
    refused = browser.call("POST", f"/api/reissue/{reference}/redelivery", {"channel": "sms"})
    assert (refused.status_code, refused.json()["code"]) == (409, "already-delivered")


@pytest.mark.req("R11")
def test_a_complaint_changes_no_status_and_is_shown(deployment: Deployment, voter: DeployedVoter) -> None:
    browser, reference = reissue(deployment, voter, "sms")

    deployment.report_email("delivery", voter.email, reference)
    wait_for_status(browser, reference, lambda found: found["confirmation"]["status"] == "delivered")
    deployment.report_email("complaint", voter.email, reference)

    status = wait_for_status(browser, reference, lambda found: reason_of(found["confirmation"]) == "marked-as-spam")
    assert status["confirmation"]["status"] == "delivered"


@pytest.mark.req("R11")
def test_a_delay_changes_no_status_and_is_shown_until_the_message_arrives(
    deployment: Deployment, voter: DeployedVoter
) -> None:
    browser, reference = reissue(deployment, voter, "email")

    deployment.report_email("delay", voter.email, reference, "identifier", delayType="MailboxFull")
    delayed = wait_for_status(browser, reference, lambda found: reason_of(found) == "mailbox-full")
    assert delayed["status"] == "sent"

    deployment.report_email("delivery", voter.email, reference, "identifier")
    status = wait_for_status(browser, reference, lambda found: found["status"] == "delivered")
    assert reason_of(status) is None


@pytest.mark.req("I6", "R5")
def test_a_receipt_twice_late_or_of_nobody_changes_nothing(deployment: Deployment, voter: DeployedVoter) -> None:
    browser, reference = reissue(deployment, voter, "email")
    for _ in range(2):
        deployment.report_email("delivery", voter.email, reference, "identifier")
    wait_for_status(browser, reference, lambda found: found["status"] == "delivered")
    before = browser.status(reference)

    deployment.report_email("delay", voter.email, reference, "identifier")
    deployment.report_email("delivery", voter.email, reference, "identifier")
    deployment.report_email("bounce", voter.email, "22222-22222", "identifier")
    # Of a round that never was: the message was sent once.
    deployment.report_email("bounce", voter.email, reference, "identifier", 7)
    deployment.report_sms(str(uuid4()), "FAILURE", "Phone has blocked SMS")

    with pytest.raises(TimeoutError):
        wait_for(lambda: browser.status(reference) != before, QUIET_SECONDS)


@pytest.mark.req("I2")
def test_an_sms_that_arrived_is_delivered(deployment: Deployment, voter: DeployedVoter) -> None:
    browser, reference = reissue(deployment, voter, "sms")
    (sms_id,) = deployment.sms_ids(voter.phone)

    deployment.report_sms(sms_id, "SUCCESS", "Message has been accepted by phone carrier")

    status = wait_for_status(browser, reference, lambda found: found["status"] == "delivered")
    assert reason_of(status) is None
    assert len(deployment.mails_to(voter.email)) == 1


@pytest.mark.req("R10", "I1", "I2")
def test_an_sms_that_failed_goes_by_email_at_once(
    deployment: Deployment, platform: Platform, voter: DeployedVoter
) -> None:
    browser, reference = reissue(deployment, voter, "sms")
    (text,) = deployment.texts_to(voter.phone)
    (sms_id,) = deployment.sms_ids(voter.phone)

    deployment.report_sms(sms_id, "FAILURE", "Phone is currently unreachable/unavailable")

    mails = wait_for(lambda: [mail for mail in deployment.mails_to(voter.email) if find_identifier(mail.text)])
    # The same identifier: nothing is issued.
    assert [find_identifier(mail.text) for mail in mails] == [find_identifier(text)]
    assert deployment.voter(voter).generation == 2
    assert platform.check(find_identifier(text) or "")["status"] == "active"
    status = wait_for_status(
        browser, reference, lambda found: found["channel"] == "email" and found["status"] == "sent"
    )
    failed = [step for step in status["history"] if step["status"] == "failed"]
    assert [(step["channel"], reason_of(step)) for step in failed] == [("sms", "phone-unreachable")]

    # The report of the SMS comes once more: the e-mail does not.
    deployment.report_sms(sms_id, "FAILURE", "Phone is currently unreachable/unavailable")
    with pytest.raises(TimeoutError):
        wait_for(lambda: len(deployment.mails_to(voter.email)) > 2, QUIET_SECONDS)


@pytest.mark.req("I7", "S23", "S25")
def test_what_a_report_says_of_a_person_is_kept_nowhere(deployment: Deployment, voter: DeployedVoter) -> None:
    browser, reference = reissue(deployment, voter, "sms")
    (sms_id,) = deployment.sms_ids(voter.phone)
    canary = f"canary-{voter.voter_id.replace('_', 'x')}"

    # Some that can be read, and some that cannot.
    deployment.report_email("bounce", f"{canary}@ac-dijon.fr", reference)
    deployment.report_email("bounce", f"{canary}@ac-dijon.fr", reference, f"not {canary}")
    deployment.publish_report(json.dumps({"eventType": "Bounce", "mail": canary}))
    deployment.publish_report(canary)
    # As if the data protection policy had been taken away.
    deployment.report_sms(sms_id, "FAILURE", "Phone has blocked SMS", to=f"+33{voter.phone[1:]}")
    deployment.log_report("FAILURE", f"{canary} +33{voter.phone[1:]}")

    wait_for_status(browser, reference, lambda found: found["confirmation"]["status"] == "failed")
    wait_for_status(browser, reference, lambda found: found["channel"] == "email")
    wait_for(lambda: deployment.logged().count("ReceiptFormatError") >= _UNREADABLE)
    queues = plain_http.get(f"{deployment.aws.endpoint_url}/_ministack/sqs/messages", timeout=30)
    assert queues.status_code == 200
    for place in (deployment.logged(), queues.text, str(deployment.scan("DeliveriesTable", voter.voter_id))):
        assert canary not in place
        assert voter.phone[1:] not in place
        assert voter.email not in place
