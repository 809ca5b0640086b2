"""What the local stack reports of messages: the addresses and numbers that are listed, and no
others.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify.receipt_events import ses_receipts, sms_receipts
from notify.receipts import ReceiptOutcome
from reassort.reasons import Reason

from harness.service.events import log_event
from local.receipt_shapes import ses_message, sms_log_line
from local.receipts import mail_receipts, sms_receipt

ROLL = Path(__file__).parent.parent.parent / "data" / "demo-roll.csv"
TAGS = {"delivery": "7K3M9-QWX2T", "message": "confirmation", "round": "1"}
AT = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)


def outcomes(to: str) -> list[tuple[ReceiptOutcome, Reason | None]]:
    """Return what the function reads of the reports on an e-mail."""
    messages = [
        ses_message(receipt.kind, to, TAGS, at=AT, **(receipt.facts(to) if receipt.facts else {}))
        for receipt in mail_receipts(to)
    ]
    read = [receipt for message in messages for receipt in ses_receipts(message, ["ac-dijon.fr"])]
    assert all((receipt.delivery_id, receipt.round) == (TAGS["delivery"], 1) for receipt in read)
    return [(receipt.outcome, receipt.reason) for receipt in read]


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        ("success", [(ReceiptOutcome.DELIVERED, None)]),
        ("bounce", [(ReceiptOutcome.FAILED, Reason.NO_SUCH_MAILBOX)]),
        ("ooto", [(ReceiptOutcome.DELIVERED, None)]),
        ("complaint", [(ReceiptOutcome.DELIVERED, None), (ReceiptOutcome.COMPLAINED, Reason.MARKED_AS_SPAM)]),
        ("suppressionlist", [(ReceiptOutcome.FAILED, Reason.MAIL_BLOCKED)]),
        ("bounce+label", [(ReceiptOutcome.FAILED, Reason.NO_SUCH_MAILBOX)]),
        ("Bounce", [(ReceiptOutcome.FAILED, Reason.NO_SUCH_MAILBOX)]),
        ("camille.morvandel", []),
        ("bounces", []),
    ],
)
def test_a_mailbox_of_the_simulator_is_reported(
    mailbox: str, expected: list[tuple[ReceiptOutcome, Reason | None]]
) -> None:
    assert outcomes(f"{mailbox}@ac-dijon.fr") == expected


def test_the_demo_roll_has_one_voter_for_each_mailbox_at_its_end() -> None:
    with ROLL.open(encoding="utf-8", newline="") as lines:
        addresses = [row["email"] for row in csv.DictReader(lines, delimiter=";")]
    reported = [position for position, address in enumerate(addresses) if mail_receipts(address)]
    assert reported == list(range(len(addresses) - 5, len(addresses)))
    assert len(addresses) > 60


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("990000", None),
        ("990001", Reason.PHONE_UNREACHABLE),
        ("990002", Reason.OPTED_OUT),
        ("990003", Reason.NO_ROUTE),
        ("990004", Reason.UNKNOWN_NUMBER),
        ("990005", Reason.TOO_EXPENSIVE),
        ("990006", Reason.SMS_CAP_REACHED),
        ("990007", Reason.CARRIER_REFUSED),
    ],
)
def test_a_listed_number_is_reported(ending: str, reason: Reason | None) -> None:
    planned = sms_receipt(f"+33612{ending}")
    assert planned is not None
    line = sms_log_line("an-sms", planned.status, planned.response, to="*", at=AT, price_usd=planned.price_usd)
    (receipt,) = sms_receipts(log_event((AT, line))["awslogs"]["data"])
    assert (receipt.reason, receipt.outcome is ReceiptOutcome.DELIVERED) == (reason, reason is None)


@given(st.from_regex(r"\+33[67][0-9]{8}", fullmatch=True).filter(lambda number: "99000" not in number))
def test_no_other_number_is_reported(number: str) -> None:
    assert sms_receipt(number) is None
