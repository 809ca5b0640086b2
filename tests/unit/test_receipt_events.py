"""What SES and SNS report of messages becomes receipts without personal data, or one well-defined
error that quotes nothing.

More than 400 lines, because each part of three formats can be wrong in its own way.
"""

from __future__ import annotations

import gzip
import json
import traceback
from base64 import b64decode, b64encode
from copy import deepcopy
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify.receipt_events import (
    ReceiptFormatError,
    receipt_from_json,
    receipt_to_json,
    ses_receipts,
    sms_receipts,
)
from notify.receipts import Receipt, ReceiptOutcome
from reassort.outbox import Message
from reassort.reasons import Reason

from harness.fuzz.strategies import any_text
from harness.service.events import load_event, log_data, log_event, ses_event, sms_log_event, topic_event

if TYPE_CHECKING:
    from collections.abc import Callable

DOMAINS = ("ac-dijon.fr", "u-bourgogne.fr")
REFERENCE = "7K3M9-QWX2T"
CANARY = "canary-camille.morvandel@ac-dijon.fr"
SMS_ID = "34d9b400-c6dd-5444-820d-fbeb0f1f54cf"


def text_of(event: dict[str, Any]) -> str:
    """Return what SES published, out of the event that wakes the function."""
    (record,) = event["Records"]
    published: str = record["Sns"]["Message"]
    return published


def read_ses(event: dict[str, Any]) -> list[Receipt]:
    return ses_receipts(text_of(event), DOMAINS)


def read_sms(event: dict[str, Any]) -> list[Receipt]:
    return sms_receipts(event["awslogs"]["data"])


# ---------------------------------------------------------------- SES


@pytest.mark.parametrize(
    ("name", "at", "outcome", "reason"),
    [
        ("ses-delivery", datetime(2018, 11, 30, 9, 15, 29, 871000, UTC), ReceiptOutcome.DELIVERED, None),
        ("ses-bounce", datetime(2018, 11, 30, 9, 15, 30, 214000, UTC), ReceiptOutcome.FAILED, Reason.NO_SUCH_MAILBOX),
        ("ses-complaint", datetime(2018, 11, 30, 11, 32, 7, 0, UTC), ReceiptOutcome.COMPLAINED, Reason.MARKED_AS_SPAM),
        ("ses-delay", datetime(2018, 11, 30, 9, 25, 41, 335000, UTC), ReceiptOutcome.DELAYED, Reason.MAILBOX_FULL),
    ],
)
def test_the_events_in_the_repository_are_read(
    name: str, at: datetime, outcome: ReceiptOutcome, reason: Reason | None
) -> None:
    event = load_event(name)
    assert event["Records"][0]["EventSource"] == "aws:sns"
    assert read_ses(event) == [
        Receipt(
            at=round(at.timestamp() * 1000),
            outcome=outcome,
            reason=reason,
            delivery_id=REFERENCE,
            message=Message.CONFIRMATION,
            domain="ac-dijon.fr",
        )
    ]


def test_the_tags_say_which_message_a_receipt_is_about() -> None:
    (receipt,) = read_ses(ses_event("delivery", "Zx8-_kQ", "identifier", 2, "a@U-Bourgogne.fr"))
    found = (receipt.delivery_id, receipt.message, receipt.round, receipt.domain)
    assert found == ("Zx8-_kQ", Message.IDENTIFIER, 2, "u-bourgogne.fr")


def test_a_message_without_the_tag_round_is_of_the_first_round() -> None:
    event = json.loads(text_of(load_event("ses-delivery")))
    del event["mail"]["tags"]["round"]
    (receipt,) = ses_receipts(json.dumps(event), DOMAINS)
    assert receipt.round == 0


def test_a_rejected_message_failed() -> None:
    at = datetime(2018, 11, 30, 9, 0, 1, tzinfo=UTC)
    (receipt,) = read_ses(ses_event("reject", REFERENCE, at=at))
    assert (receipt.outcome, receipt.reason) == (ReceiptOutcome.FAILED, Reason.MAIL_REFUSED)
    assert receipt.at == round(at.timestamp() * 1000) - 1000


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}, Reason.MAIL_BLOCKED),
        ({"bounceType": "Transient", "bounceSubType": "MailboxFull"}, Reason.MAILBOX_FULL),
        ({"bounceType": "Undetermined", "bounceSubType": "Undetermined", "bouncedRecipients": [{}]}, Reason.UNKNOWN),
        (
            {
                "bounceType": "Transient",
                "bounceSubType": "General",
                "bouncedRecipients": [{"action": "failed", "status": "4.4.7"}],
            },
            Reason.NO_ANSWER,
        ),
    ],
)
def test_a_bounce_is_a_failure_with_its_reason(facts: dict[str, Any], reason: Reason) -> None:
    (receipt,) = read_ses(ses_event("bounce", REFERENCE, **facts))
    assert (receipt.outcome, receipt.reason) == (ReceiptOutcome.FAILED, reason)


def test_an_automatic_reply_is_no_failure() -> None:
    """SES reports "out of the office" as a bounce; no mail server attached a delivery status
    notification to it.
    """
    facts: dict[str, Any] = {
        "bounceType": "Transient",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": CANARY}],
    }
    assert read_ses(ses_event("bounce", REFERENCE, **facts)) == []


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"complaintFeedbackType": "abuse"}, ReceiptOutcome.COMPLAINED),
        ({"complaintFeedbackType": None}, ReceiptOutcome.COMPLAINED),
        ({"complaintFeedbackType": "not-spam"}, None),
        ({"complaintFeedbackType": "auth-failure"}, None),
        # Not sent at all, because of a complaint in the past.
        ({"complaintSubType": "OnAccountSuppressionList", "complaintFeedbackType": None}, ReceiptOutcome.FAILED),
    ],
)
def test_a_complaint_is_told_from_what_only_looks_like_one(
    facts: dict[str, Any], outcome: ReceiptOutcome | None
) -> None:
    receipts = read_ses(ses_event("complaint", REFERENCE, **facts))
    assert [receipt.outcome for receipt in receipts] == ([outcome] if outcome else [])


@pytest.mark.parametrize("event_type", ["Send", "Open", "Click", "Rendering Failure", "Subscription"])
def test_other_events_are_no_receipts(event_type: str) -> None:
    event = json.loads(text_of(load_event("ses-delivery")))
    assert ses_receipts(json.dumps({**event, "eventType": event_type}), DOMAINS) == []


def test_an_email_of_somebody_else_is_no_receipt() -> None:
    event = json.loads(text_of(load_event("ses-delivery")))
    event["mail"]["tags"] = {"ses:configuration-set": ["other"]}
    assert ses_receipts(json.dumps(event), DOMAINS) == []


def test_the_first_message_to_a_new_topic_is_no_receipt() -> None:
    event = topic_event("Successfully validated SNS topic for Amazon SES event publishing.")
    assert read_ses(event) == []


@pytest.mark.req("I7", "S23")
@pytest.mark.parametrize("to", ["camille@gmail.example", "canary", "a@b@ac-dijon.fr.example", ""])
def test_only_a_domain_of_the_election_is_named(to: str) -> None:
    (receipt,) = read_ses(ses_event("bounce", REFERENCE, to=to))
    assert receipt.domain is None


@pytest.mark.parametrize("destination", [[], ["a@ac-dijon.fr", "b@ac-dijon.fr"], "a@ac-dijon.fr", [1], None])
def test_a_domain_is_that_of_one_recipient(destination: Any) -> None:
    event = json.loads(text_of(load_event("ses-delivery")))
    event["mail"]["destination"] = destination
    (receipt,) = ses_receipts(json.dumps(event), DOMAINS)
    assert receipt.domain is None


@pytest.mark.parametrize(
    ("bounce_type", "recipients", "reason"),
    [
        pytest.param("Permanent", [{}], Reason.MAIL_REFUSED, id="for good, also without one"),
        # What a mail server attaches makes it no automatic reply.
        pytest.param("Transient", [{"action": "failed"}], Reason.MAIL_REFUSED, id="an action"),
        pytest.param("Transient", [{"diagnosticCode": "smtp; 450"}], Reason.MAIL_REFUSED, id="a diagnostic"),
        pytest.param("Transient", [{"status": "4.2.2"}], Reason.MAILBOX_FULL, id="a status"),
        pytest.param("Transient", [{"status": "4.2.2"}, {"status": "4.4.7"}], Reason.MAILBOX_FULL, id="of the first"),
    ],
)
def test_a_general_bounce_is_a_failure_when_a_mail_server_says_so(
    bounce_type: str, recipients: list[dict[str, str]], reason: Reason
) -> None:
    facts: dict[str, Any] = {
        "bounceType": bounce_type,
        "bounceSubType": "General",
        "bouncedRecipients": recipients,
    }
    (receipt,) = read_ses(ses_event("bounce", REFERENCE, **facts))
    assert (receipt.outcome, receipt.reason) == (ReceiptOutcome.FAILED, reason)


@pytest.mark.req("S25", "S29")
@pytest.mark.parametrize(
    ("kind", "member", "values", "part"),
    [
        ("delivery", "eventType", [None, 1, ["Delivery"]], "eventType"),
        ("delivery", "mail", [None, "mail", []], "mail"),
        ("delivery", "delivery", [None, "delivered"], "delivery"),
        ("delivery", "mail.tags", [None, "tags"], "tags"),
        ("delivery", "mail.tags.delivery", [None, "x", [], ["x", "y"], [1], ["a.b"], [""]], "tag delivery"),
        ("delivery", "mail.tags.message", [None, [], ["letter"], [["code"]]], "tag message"),
        ("delivery", "mail.tags.round", [["-1"], ["1", "2"], ["1000000"], [0]], "tag round"),
        ("delivery", "delivery.timestamp", [None, 5, "yesterday", "2018-11-30T09:15:29"], "timestamp"),
        ("delivery", "delivery.timestamp", ["1969-12-31T23:59:59.999Z"], "timestamp"),
        ("bounce", "bounce.bouncedRecipients", [None, "x", [], ["x"], {"0": {}}], "bouncedRecipients"),
        ("bounce", "bounce.bounceType", [None, 1], "bounceType"),
        ("bounce", "bounce.bounceSubType", [None, 1], "bounceSubType"),
        ("bounce", "bounce.bouncedRecipients", [[{"status": 5}]], "status"),
        ("delay", "deliveryDelay.delayType", [None, 1], "delayType"),
        ("complaint", "complaint.complaintSubType", [1], "complaintSubType"),
        ("complaint", "complaint.complaintFeedbackType", [1], "complaintFeedbackType"),
    ],
)
def test_what_ses_does_not_document_is_refused_by_the_name_of_its_part(
    kind: str, member: str, values: list[Any], part: str
) -> None:
    *path, last = member.split(".")
    for value in values:
        event = json.loads(text_of(load_event(f"ses-{kind}")))
        inner = event
        for name in path:
            inner = inner[name]
        inner[last] = value
        with pytest.raises(ReceiptFormatError, match=f"^{part}$"):
            ses_receipts(json.dumps(event), DOMAINS)


@pytest.mark.req("S25", "S29")
@pytest.mark.parametrize(
    ("text", "part"),
    [("{", "SES event: not JSON"), ("[" * 100_000, "SES event: not JSON"), ("[]", "SES event: not an object")],
    ids=["half", "deep", "a list"],
)
def test_a_message_that_is_no_event_is_refused_as_such(text: str, part: str) -> None:
    with pytest.raises(ReceiptFormatError, match=f"^{part}$"):
        ses_receipts(text, DOMAINS)


# ---------------------------------------------------------------- SMS


def test_the_sms_log_in_the_repository_is_read() -> None:
    assert read_sms(load_event("sms-log")) == [
        Receipt(
            at=round(datetime(2018, 11, 30, 9, 16, 30, 423000, UTC).timestamp() * 1000),
            outcome=ReceiptOutcome.FAILED,
            reason=Reason.PHONE_UNREACHABLE,
            sms_id=SMS_ID,
            price_usd=0.07368,
        )
    ]


def test_a_delivered_sms_has_no_reason() -> None:
    (receipt,) = read_sms(sms_log_event("an-sms", price_usd=0.0581))
    assert (receipt.outcome, receipt.reason, receipt.price_usd) == (ReceiptOutcome.DELIVERED, None, 0.0581)


def test_an_sms_that_no_carrier_was_asked_for_has_no_price() -> None:
    (receipt,) = read_sms(sms_log_event("an-sms", "FAILURE", "No quota left for account", price_usd=None))
    assert (receipt.reason, receipt.price_usd) == (Reason.SMS_CAP_REACHED, None)


def test_a_check_of_the_subscription_is_no_receipt() -> None:
    checked = {"messageType": "CONTROL_MESSAGE", "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL"}]}
    assert sms_receipts(log_data(json.dumps(checked))) == []


@pytest.mark.req("R6")
@pytest.mark.parametrize("unknown", [None, "QUEUED"], ids=["no report", "a status that SNS does not document"])
def test_one_line_that_cannot_be_read_does_not_lose_the_others(unknown: str | None) -> None:
    at = datetime(2018, 11, 30, 9, 16, 30, tzinfo=UTC)
    line = json.loads(gzip.decompress(b64decode(load_event("sms-log")["awslogs"]["data"])))["logEvents"][0]["message"]
    other = CANARY if unknown is None else json.dumps(json.loads(line) | {"status": unknown})
    with pytest.raises(ReceiptFormatError, match=r"^1 of 3 log events$") as raised:
        read_sms(log_event((at, line), (at, other), (at, line)))
    assert [receipt.sms_id for receipt in raised.value.readable] == [SMS_ID, SMS_ID]


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-1", "true", '"free"', "null", "1e999", "9" * 400])
def test_a_wrong_price_is_left_out(price: str) -> None:
    line = (
        f'{{"notification": {{"messageId": "{SMS_ID}", "timestamp": "2018-11-30 09:15:28.731"}}, '
        f'"delivery": {{"priceInUSD": {price}, "providerResponse": "x"}}, "status": "SUCCESS"}}'
    )
    (receipt,) = read_sms(log_event((datetime(2018, 11, 30, tzinfo=UTC), line)))
    assert receipt.price_usd is None


@pytest.mark.parametrize("price", ["0", "0.0", "0.5"])
def test_a_price_may_be_small(price: str) -> None:
    (receipt,) = read_sms(sms_log_event("an-sms", price_usd=float(price)))
    assert receipt.price_usd == float(price)


@pytest.mark.req("S25", "S29")
@pytest.mark.parametrize(
    ("content", "part"),
    [
        ({}, "messageType"),
        ({"messageType": "DATA_MESSAGE"}, "logEvents"),
        ({"messageType": "DATA_MESSAGE", "logEvents": {"0": {}}}, "logEvents"),
        ({"messageType": "DATA_MESSAGE", "logEvents": ["line", {}]}, "2 of 2 log events"),
        ([], "SMS log: not an object"),
    ],
)
def test_what_is_no_sms_log_is_refused_by_the_name_of_its_part(content: Any, part: str) -> None:
    with pytest.raises(ReceiptFormatError, match=f"^{part}$"):
        sms_receipts(log_data(json.dumps(content)))


@pytest.mark.req("S25", "S29")
@pytest.mark.parametrize("spoil", [lambda data: data[:8] + " " + data[8:], lambda data: data[:-3], lambda _: "AAAA"])
def test_data_that_is_spoilt_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(ReceiptFormatError, match=r"^SMS log: encoding$"):
        sms_receipts(spoil(log_data("{}")))


@pytest.mark.parametrize(
    ("timestamp", "is_read"),
    [(-1, False), (0, True), (253_402_300_799_999, True), (253_402_300_800_000, False), (True, False), ("1", False)],
)
def test_a_time_is_one_from_1970_through_9999(timestamp: Any, is_read: bool) -> None:
    batch = {**_BATCH, "logEvents": [{**_BATCH["logEvents"][0], "timestamp": timestamp}]}
    try:
        (receipt,) = sms_receipts(log_data(json.dumps(batch)))
    except ReceiptFormatError:
        assert not is_read
    else:
        assert is_read
        assert receipt.at == timestamp


def test_a_long_log_is_read() -> None:
    """CloudWatch Logs sends at most a megabyte, which was some ten before it was compressed."""
    batch = {**_BATCH, "logEvents": [{**event, "id": "x" * 20_000_000} for event in _BATCH["logEvents"]]}
    assert len(sms_receipts(log_data(json.dumps(batch)))) == 1


def test_a_log_that_inflates_without_end_is_refused() -> None:
    bomb = b64encode(gzip.compress(b" " * 40_000_000)).decode()
    with pytest.raises(ReceiptFormatError, match="length"):
        sms_receipts(bomb)


# ---------------------------------------------------------------- whatever comes

numbers = st.one_of(
    st.integers(),
    st.integers(min_value=10**300, max_value=10**301),
    st.floats(),
    st.sampled_from([-1, 10**20, 10**4000]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, any_text, st.just(CANARY)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(any_text, inner, max_size=3)),
    max_leaves=8,
)
_EVENTS = {
    name: json.loads(text_of(load_event(name))) for name in ("ses-delivery", "ses-bounce", "ses-complaint", "ses-delay")
}
_BATCH = json.loads(gzip.decompress(b64decode(load_event("sms-log")["awslogs"]["data"])))
_LINE = json.loads(_BATCH["logEvents"][0]["message"])


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """Draw a copy of a JSON document with one of its parts replaced or removed."""
    document = deepcopy(whole)
    part: Any = document
    parent: Any = None
    key: Any = None
    while isinstance(part, dict | list) and part and (parent is None or draw(st.booleans())):
        parent = part
        key = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        part = parent[key]
    if draw(st.booleans()):
        parent[key] = draw(json_values)
    else:
        del parent[key]
    return document


def well_formed(receipt: Receipt) -> bool:
    """Tell whether a receipt can be written to a table, a queue and a log."""
    content = receipt_to_json(receipt)
    assert json.dumps(content, allow_nan=False).isascii()
    assert CANARY not in json.dumps(content)
    assert receipt_from_json(json.loads(json.dumps(content))) == receipt
    return 0 <= receipt.at < 10**15 and (receipt.sms_id is None) == (receipt.message is not None)


def raise_unless_read(read: Callable[[], list[Receipt]]) -> None:
    """Read; any error but the one that is defined, or one that quotes, goes through."""
    refused = None
    try:
        receipts = read()
    except ReceiptFormatError as error:
        refused, receipts = error, list(error.readable)
    assert all(well_formed(receipt) for receipt in receipts)
    assert refused is None or CANARY not in "".join(traceback.format_exception(refused))


@pytest.mark.req("S25", "S29", "I7")
@given(st.one_of([damaged(event) for event in _EVENTS.values()]))
def test_a_damaged_ses_event_is_read_or_refused(event: Any) -> None:
    raise_unless_read(lambda: ses_receipts(json.dumps(event), DOMAINS))


@pytest.mark.req("S25", "S29")
@given(
    st.one_of(
        any_text,
        json_values.map(json.dumps),
        st.sampled_from(["[" * 100_000, "9" * 5000, '{"eventType": ' + "9" * 5000 + "}"]),
    )
)
def test_any_text_is_no_ses_event(text: str) -> None:
    raise_unless_read(lambda: ses_receipts(text, DOMAINS))


@pytest.mark.req("S25", "S29", "I7")
@given(damaged(_LINE), st.one_of(st.just(1_543_569_390_423), json_values))
def test_a_damaged_line_of_the_sms_log_is_read_or_refused(line: Any, timestamp: Any) -> None:
    batch = {**_BATCH, "logEvents": [{**_BATCH["logEvents"][0], "timestamp": timestamp, "message": json.dumps(line)}]}
    raise_unless_read(lambda: sms_receipts(log_data(json.dumps(batch))))


@pytest.mark.req("S25", "S29")
@given(damaged(_BATCH))
def test_a_damaged_sms_log_is_read_or_refused(batch: Any) -> None:
    raise_unless_read(lambda: sms_receipts(log_data(json.dumps(batch))))


@pytest.mark.req("S25", "S29")
@given(
    st.one_of(
        any_text,
        st.binary(max_size=200).map(lambda raw: b64encode(raw).decode()),
        st.binary(max_size=200).map(lambda raw: b64encode(gzip.compress(raw)).decode()),
        json_values.map(lambda value: log_data(json.dumps(value))),
    )
)
def test_any_data_is_no_sms_log(data: str) -> None:
    raise_unless_read(lambda: sms_receipts(data))


def test_half_a_log_is_refused() -> None:
    whole = b64decode(load_event("sms-log")["awslogs"]["data"])
    with pytest.raises(ReceiptFormatError):
        sms_receipts(b64encode(whole[:-12]).decode())


# ---------------------------------------------------------------- as JSON

identifiers = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)
receipts = st.one_of(
    st.builds(
        Receipt,
        at=st.integers(0, 2 * 10**12),
        outcome=st.sampled_from(ReceiptOutcome),
        reason=st.none() | st.sampled_from(Reason),
        delivery_id=identifiers,
        message=st.sampled_from(Message),
        round=st.integers(0, 99),
        domain=st.sampled_from([None, *DOMAINS]),
    ),
    st.builds(
        Receipt,
        at=st.integers(0, 2 * 10**12),
        outcome=st.sampled_from(ReceiptOutcome),
        reason=st.none() | st.sampled_from(Reason),
        sms_id=st.from_regex(r"[a-f0-9-]{1,40}", fullmatch=True),
        price_usd=st.none() | st.floats(0, 10),
    ),
)


@given(receipts)
def test_a_receipt_survives_a_queue(receipt: Receipt) -> None:
    content = receipt_to_json(receipt)
    assert receipt_from_json(json.loads(json.dumps(content))) == receipt
    assert content.keys() <= {field.name for field in fields(Receipt)}


@pytest.mark.req("S25", "S29")
@given(st.one_of(json_values, receipts.flatmap(lambda receipt: damaged(receipt_to_json(receipt)))))
def test_anything_else_in_a_queue_is_refused(content: Any) -> None:
    raise_unless_read(lambda: [receipt_from_json(content)])


@pytest.mark.parametrize(
    "content",
    [
        {"at": 1, "outcome": "delivered"},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE},
        {"at": 1, "outcome": "delivered", "sms_id": SMS_ID, "message": "identifier"},
        {"at": 1, "outcome": "lost", "sms_id": SMS_ID},
        {"at": True, "outcome": "delivered", "sms_id": SMS_ID},
        {"at": 1, "outcome": "delivered", "sms_id": "06 12 34 56 78"},
        {"at": 1, "outcome": "delivered", "delivery_id": CANARY, "message": "identifier"},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "message": "identifier", "round": -1},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "message": "identifier", "domain": CANARY},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "message": "identifier", "round": 1_000_000},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "message": "identifier", "round": True},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "message": "identifier", "round": "1"},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "sms_id": SMS_ID},
        {"at": 1, "outcome": "delivered", "delivery_id": REFERENCE, "sms_id": SMS_ID, "message": "identifier"},
        {"at": 1, "outcome": "delivered", "sms_id": SMS_ID, "price_usd": "free"},
        {"at": 1, "outcome": "delivered", "sms_id": SMS_ID, "price_usd": -1},
        {"at": 1, "outcome": "delivered", "sms_id": SMS_ID, "reason": "bad weather"},
        ["at", 1],
        None,
    ],
)
def test_what_is_no_receipt_is_refused(content: Any) -> None:
    with pytest.raises(ReceiptFormatError):
        receipt_from_json(content)


@pytest.mark.parametrize("number", [0, 1, 999_999])
def test_a_round_survives_a_queue(number: int) -> None:
    receipt = Receipt(1, ReceiptOutcome.DELIVERED, delivery_id=REFERENCE, message=Message.IDENTIFIER, round=number)
    content = receipt_to_json(receipt)
    assert receipt_from_json({**content, "round": number}) == receipt_from_json(content) == receipt
    assert ("round" in content) is (number > 0)
