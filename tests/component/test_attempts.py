"""What an attempt does beside sending: it measures, counts, gives its lease back, and slows down
what goes the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from notify.delivering import PoisonError, deliver, find
from notify.pacing import Lane
from reassort.clock import epoch_milliseconds
from reassort.outbox import Message
from reassort.sealing import Sealer

from harness.service.reading import dispute_token_in

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def _reissued(browser: Browser, enrolled: Enrolled) -> str:
    reference: str = browser.reissue(enrolled.numen).json["reference"]
    return reference


@pytest.mark.req("P9")
def test_hand_over_is_measured_from_when_its_message_was_queued(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = _reissued(browser, claire)
    world.fail("SendEmail", "Throttling")
    world.clock.move(seconds=3)
    world.run_outbox()
    world.clock.move(seconds=60)
    # Again by e-mail, and the confirmation for the first time.
    assert browser.redeliver(reference, "email").status == 202
    world.run_outbox()
    world.clock.move(seconds=60)
    (confirmation,) = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "confirmation"]
    browser.dispute(dispute_token_in(confirmation))
    world.run_outbox()
    lines = [line for line in world.log_lines if "HandedOverAfter" in line]
    measured = sorted((line["channel"], line.get("domain", ""), *line["HandedOverAfter"]) for line in lines)
    assert measured == [
        ("email", "", 0),
        ("email", "ac-dijon.fr", 0),
        ("email", "ac-dijon.fr", 63_000),
        ("sms", "", 3000),
    ]
    told = [line for line in world.log_lines if line.get("message") == "handed over"]
    assert {line["delivery"] for line in told} == {reference}
    assert [(line["message_name"], line["channel"], line["milliseconds"]) for line in told] == [
        ("identifier", "sms", 3000),
        ("identifier", "email", 0),
        ("confirmation", "email", 63_000),
        ("alert", "email", 0),
    ]


@pytest.mark.req("R13", "R6")
@pytest.mark.parametrize(
    ("code", "is_poison"),
    [
        ("IncorrectKeyException", True),
        ("InvalidCiphertextException", True),
        ("KMSInternalException", False),
        ("AccessDeniedException", False),
    ],
)
def test_only_what_kms_will_never_open_counts_as_an_attempt(
    world: World, claire: Enrolled, browser: Browser, code: str, is_poison: bool
) -> None:
    reference = _reissued(browser, claire)
    world.fail("Decrypt", code, times=-1)
    found = find(reference, claire.voter_id, world.notify)
    if is_poison:
        with pytest.raises(PoisonError):
            deliver(found, world.notify)
    else:
        assert len(deliver(found, world.notify)) == 2
    state = world.delivery(reference).messages[Message.IDENTIFIER]
    assert (state["attempts"], state["lease_until"]) == (int(is_poison), 0)
    told = [line["aws_code"] for line in world.log_lines if line.get("message") == "could not be opened"]
    assert told == ([] if is_poison else [code, code])


@pytest.mark.req("R7")
def test_attempt_whose_outcome_is_unknown_is_told_with_what_aws_said(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = _reissued(browser, claire)
    world.fail("Publish", "InternalError")
    deliver(find(reference, claire.voter_id, world.notify), world.notify)
    (told,) = [line for line in world.log_lines if line.get("message") == "delivery attempt failed"]
    assert (told["delivery"], told["aws_code"]) == (reference, "InternalError")


@pytest.mark.req("R6")
def test_attempt_on_what_makes_no_sense_counts_and_gives_the_lease_back(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = _reissued(browser, claire)
    sealer = Sealer(world.wire.operator.kms, world.encryption_key)
    world.change_delivery(reference, payload=sealer.seal_payload(reference, {}))
    with pytest.raises(KeyError, match="phone"):
        deliver(find(reference, claire.voter_id, world.notify), world.notify)
    state = world.delivery(reference).messages[Message.IDENTIFIER]
    assert (state["attempts"], state["lease_until"]) == (1, 0)


@pytest.mark.req("R9")
def test_alert_that_is_throttled_slows_no_lane(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = _reissued(browser, claire)
    world.run_outbox()
    (confirmation,) = world.mail_about(reference)
    browser.dispute(dispute_token_in(confirmation))
    world.fail("Publish", "Throttling")
    world.clock.move(minutes=1)
    world.run_outbox()
    assert world.alerts == []
    now = epoch_milliseconds(world.clock())
    assert {world.notify.pace.take_turn(lane, world.clock()) for lane in Lane} == {now}
