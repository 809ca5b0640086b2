"""Each fact is one line, with its numbers and what it is counted by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from notify.meters import Meters
from reassort.outbox import Channel
from reassort.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

DIJON, STRANGE = "ac-dijon.fr", "somebody-at-home.example"
SMS, EMAIL = {"channel": "sms"}, {"channel": "email"}
DIJON_EMAIL = {**EMAIL, "domain": DIJON}

type Fact = Callable[[Meters], None]
type Line = tuple[dict[str, float], list[dict[str, str]]]

FACTS: dict[str, tuple[Fact, list[Line]]] = {
    "handed over to a domain of the election": (
        lambda meters: meters.count_hand_over(Channel.EMAIL, 1200, DIJON),
        [({"HandedOverAfter": 1200}, [EMAIL, DIJON_EMAIL])],
    ),
    "handed over elsewhere": (
        lambda meters: meters.count_hand_over(Channel.EMAIL, 1200, STRANGE),
        [({"HandedOverAfter": 1200}, [EMAIL])],
    ),
    "handed over to a phone": (
        lambda meters: meters.count_hand_over(Channel.SMS, 5, None),
        [({"HandedOverAfter": 5}, [SMS])],
    ),
    "failed": (
        lambda meters: meters.count_failure(Channel.EMAIL, Reason.MAILBOX_FULL, DIJON),
        [({"Failed": 1, "FailurePercent": 100}, [EMAIL, DIJON_EMAIL, {**EMAIL, "reason": "mailbox-full"}])],
    ),
    "arrived": (
        lambda meters: meters.count_arrival(Channel.EMAIL, DIJON),
        [({"Delivered": 1, "FailurePercent": 0}, [EMAIL, DIJON_EMAIL])],
    ),
    "undelivered": (lambda meters: meters.count_undelivered(), [({"Undelivered": 1}, [{}])]),
    "marked as spam": (lambda meters: meters.count_complaint(DIJON), [({"Complaints": 1}, [EMAIL, DIJON_EMAIL])]),
    "parked": (lambda meters: meters.count_parked(), [({"Parked": 1}, [{}])]),
    "unknown": (lambda meters: meters.count_unknown_receipt(), [({"UnknownReceipts": 1}, [{}])]),
    "waits": (
        lambda meters: meters.measure_waiting("sms", 3, 12.5),
        [({"Waiting": 3, "OldestWaiting": 12.5}, [{}, {"lane": "sms"}])],
    ),
    "overdue": (lambda meters: meters.measure_overdue(7), [({"OldestOverdue": 7}, [{}])]),
    "unusable": (lambda meters: meters.measure_unusable_keys(2), [({"UnusableKeys": 2}, [{}])]),
    "SMS of the day": (lambda meters: meters.measure_sms(80), [({"SmsCapUsed": 80}, [{}])]),
    "codes of the day": (lambda meters: meters.measure_codes(70), [({"CodesUsed": 70}, [{}])]),
    "costs": (lambda meters: meters.count_sms_cost(0.07), [({"SmsSpend": 0.07}, [{}])]),
    "a canary arrived": (
        lambda meters: meters.measure_canary(Channel.EMAIL, DIJON, 4.2),
        [({"CanarySeconds": 4.2}, [EMAIL, DIJON_EMAIL])],
    ),
    "canaries are missing": (
        lambda meters: meters.measure_missing_canaries(
            {(Channel.SMS, DIJON): True, (Channel.EMAIL, DIJON): True, (Channel.EMAIL, "u-bourgogne.fr"): False}
        ),
        [
            ({"CanariesMissing": 1}, [EMAIL]),
            ({"CanariesMissing": 1}, [DIJON_EMAIL]),
            ({"CanariesMissing": 0}, [{**EMAIL, "domain": "u-bourgogne.fr"}]),
            ({"CanariesMissing": 1}, [SMS]),
            ({"CanariesMissing": 1}, [{**SMS, "domain": DIJON}]),
        ],
    ),
}


def _read(line: str) -> Line:
    """Return the numbers of a line, and each set of dimensions with its values."""
    content = json.loads(line)
    (directive,) = content["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "reassort"
    numbers = {metric["Name"]: content[metric["Name"]][0] for metric in directive["Metrics"]}
    return numbers, [{name: content[name] for name in names} for names in directive["Dimensions"]]


@pytest.mark.req("P9", "I7")
@pytest.mark.parametrize(("fact", "lines"), FACTS.values(), ids=list(FACTS))
def test_a_fact_is_counted_by_what_operators_ask_for(fact: Fact, lines: list[Line]) -> None:
    written: list[str] = []
    meters = Meters("reassort", [DIJON], written.append)
    # Each line is for itself, whatever was counted before.
    meters.count_failure(Channel.SMS, Reason.OPTED_OUT, None)
    fact(meters)
    assert [_read(line) for line in written[1:]] == lines


def test_units_are_those_that_cloudwatch_adds_up() -> None:
    written: list[str] = []
    meters = Meters("reassort", [DIJON], written.append)
    for fact, _ in FACTS.values():
        fact(meters)
    units = {
        metric["Name"]: metric["Unit"]
        for line in written
        for metric in json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert {name for name, unit in units.items() if unit == "Percent"} == {"FailurePercent", "SmsCapUsed", "CodesUsed"}
    assert units["HandedOverAfter"] == "Milliseconds"
    in_seconds = {"OldestWaiting", "OldestOverdue", "CanarySeconds"}
    assert {name for name, unit in units.items() if unit == "Seconds"} == in_seconds
