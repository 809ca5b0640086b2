"""What providers report of messages, read and applied. What cannot be applied now waits in the
retry queue.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from reassort.tables import BUSY_OR_UNREACHABLE

from notify.applying import apply_receipt
from notify.deps import Deps
from notify.receipt_events import ReceiptFormatError, receipt_to_json, ses_receipts, sms_receipts
from notify.receipts import Receipt
from notify.retry_queue import MOST_TURNS, after_outage, put_back

# The record of a sending comes moments after it. A receipt of an SMS that is unknown for longer is
# of nobody's.
_EARLY_WAITS_SECONDS = (5, 15, 60, 300)


def on_email_events(event: Mapping[str, Any], deps: Deps) -> None:
    """Apply what SES reports of e-mails; SNS brings one event in each record.

    Raises:
        ExceptionGroup: receipts that could be neither applied nor queued; Lambda brings the event
            again.
    """
    domains = deps.election.domain_names
    read = partial(ses_receipts, domains=domains)
    _receive_all(
        [receipt for record in event["Records"] for receipt in _read(read, record["Sns"]["Message"], deps)], deps
    )


def on_sms_log(event: Mapping[str, Any], deps: Deps) -> None:
    """Apply what the carriers report of SMS, from SNS's delivery log. Raises as
    `on_email_events`.
    """
    _receive_all(_read(sms_receipts, event["awslogs"]["data"], deps), deps)


def _read(read: Callable[[str], list[Receipt]], report: str, deps: Deps) -> Sequence[Receipt]:
    """Read the receipts of a report. One that nobody can read is not brought again: it would be no
    clearer then.
    """
    try:
        return read(report)
    except ReceiptFormatError as error:
        deps.event_log.fault("receipt not understood", error)
        deps.meters.count_unknown_receipt()
        return error.readable


def _receive_all(receipts: Sequence[Receipt], deps: Deps) -> None:
    faults = []
    for receipt in receipts:
        try:
            receive(receipt, 0, 0, deps)
        except Exception as error:  # noqa: BLE001 - one receipt must not fail the others
            deps.event_log.fault("receipt not applied", error)
            faults.append(error)
    if faults:
        raise ExceptionGroup("receipts not applied", faults)


def receive(receipt: Receipt, tries: int, turns: int, deps: Deps) -> None:
    """Apply a receipt. What cannot be applied now waits in the retry queue, where it holds nobody's
    data.

    Raises:
        ContentionError, botocore.exceptions.ClientError, BotoCoreError: it has waited as long as
        may be: the queue gives it to the
            dead letters, and an operator's redrive brings it back.
    """
    try:
        known = apply_receipt(receipt, deps)
    except BUSY_OR_UNREACHABLE as error:
        deps.event_log.fault("receipt put off", error)
        if turns >= MOST_TURNS:
            raise
        body = {"receipt": receipt_to_json(receipt), "tries": tries, "turns": turns}
        put_back(body, after_outage(deps), deps)
        return
    if known:
        return
    if tries < len(_EARLY_WAITS_SECONDS):
        later = deps.clock() + timedelta(seconds=_EARLY_WAITS_SECONDS[tries])
        body = {"receipt": receipt_to_json(receipt), "tries": tries + 1, "turns": turns}
        put_back(body, later, deps)
        return
    deps.event_log.warn("receipt of an unknown message")
    deps.meters.count_unknown_receipt()
