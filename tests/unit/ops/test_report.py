"""`reassort report`: a known history in the tables gives exact figures, and the page shows the same
ones as `--json`.

More than 400 lines, because its figures are all of one history, which is written once.
"""

from __future__ import annotations

import copy
import json
import random
import re
import subprocess
import sys
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from reassort.outbox import Channel, Message, Status
from reassort.reasons import Reason
from reassort.register import Change
from reassort.tables import to_wire
from reassort_ops.commands import report
from reassort_ops.report import french, words
from reassort_ops.report.durations import Durations
from reassort_ops.report.figures import Step
from reassort_ops.report.metrics import Metrics, read_metrics
from reassort_ops.report.period import Period, period_of
from reassort_ops.report.segments import Wanted, scan
from reassort_ops.report.tallies import DeliveriesTally

from harness.elections import read_election, write_election
from harness.engines.engine import REGION
from tests.report_history import History, MessageEvent, delivered, failed, measure, queued, sent
from tests.unit.ops.conftest import OperatedStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_cloudwatch import CloudWatchClient

ELECTION = read_election("dijon-2018")
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2018, 12, 3, 12, 0, tzinfo=UTC)
# 8 h in Paris, on the first day of the ballot.
MORNING = datetime(2018, 11, 29, 7, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SMS, EMAIL = Channel.SMS, Channel.EMAIL
DIJON, BOURGOGNE, CROUS = ELECTION.domain_names


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock of the command."""
    return lambda instant: monkeypatch.setattr(report, "utc_now", lambda: instant)


@pytest.fixture
def history(deployed: OperatedStack, at: Callable[[datetime], None]) -> History:
    at(NOW)
    return History(deployed.dynamodb, deployed.stack, ELECTION)


@pytest.fixture
def cloudwatch(deployed: OperatedStack) -> CloudWatchClient:
    return boto3.client("cloudwatch", region_name=REGION)


def write_known(history: History) -> None:
    """Write a history whose every figure is known; see `test_every_figure_of_a_known_history`."""
    history.reissue(MORNING, SMS, DIJON, sent(400, SMS), delivered(2400, SMS))
    history.reissue(MORNING + 59 * MINUTE, SMS, DIJON, sent(600, SMS), delivered(4600, SMS))
    history.reissue(MORNING + 60 * MINUTE, EMAIL, BOURGOGNE, sent(300, EMAIL), delivered(1300, EMAIL))
    # An SMS that fails goes by e-mail by itself.
    history.reissue(
        MORNING + 61 * MINUTE,
        SMS,
        DIJON,
        sent(500, SMS),
        failed(30_000, SMS, Reason.PHONE_UNREACHABLE),
        queued(30_000, EMAIL),
        sent(30_200, EMAIL),
        delivered(31_000, EMAIL),
    )
    # Nothing reaches this mailbox, neither the identifier nor the confirmation.
    history.reissue(
        MORNING + 62 * MINUTE,
        EMAIL,
        CROUS,
        sent(200, EMAIL),
        failed(900, EMAIL, Reason.MAILBOX_FULL),
        MessageEvent(950, Status.FAILED, EMAIL, Reason.MAILBOX_FULL, Message.CONFIRMATION),
        actor="agent",
    )
    # A provider's remarks are no arrivals and no failures.
    history.reissue(
        MORNING + DAY,
        EMAIL,
        BOURGOGNE,
        sent(250, EMAIL),
        MessageEvent(5000, Status.SENT, EMAIL, Reason.MAIL_DELAYED),
        disputed=True,
    )
    history.reissue(
        MORNING + DAY + HOUR,
        EMAIL,
        DIJON,
        delivered(700, EMAIL),
        MessageEvent(9000, Status.DELIVERED, EMAIL, Reason.MARKED_AS_SPAM),
    )
    # Waits; was replaced before it went.
    history.reissue(MORNING + 2 * DAY, SMS, DIJON)
    history.reissue(MORNING + 2 * DAY, SMS, DIJON, MessageEvent(100, Status.SUPERSEDED, SMS))
    # Its delivery is gone.
    history.reissue(MORNING + 3 * DAY, SMS, DIJON, kept=False)
    # Not in the period: a millisecond before it, and at its end.
    history.reissue(MORNING - timedelta(milliseconds=1), SMS, DIJON, sent(400, SMS))
    history.reissue(NOW, SMS, DIJON)
    history.change(Change.FROZEN, MORNING + DAY + MINUTE, "dispute")
    history.change(Change.DISPUTED, MORNING + DAY + 2 * HOUR, "dispute")
    history.change(Change.FROZEN, MORNING + HOUR, "agent")
    history.change(Change.UNFROZEN, MORNING + 2 * HOUR, "agent")
    history.change(Change.UNLOCKED, MORNING + HOUR, "agent")
    history.change(Change.UNLOCKED, MORNING + HOUR + MINUTE, "agent")
    history.change(Change.CLOSED, MORNING + 5 * HOUR, "agent")
    history.change(Change.OPENED, MORNING + 6 * HOUR, "agent")
    history.change(Change.VOTED, MORNING + HOUR, "voting-platform")
    history.voter()
    history.voter(failures=1)
    history.voter(failures=5, locked_until=NOW + MINUTE)
    history.voter(failures=5, locked_until=NOW - MINUTE)
    history.voter(failures=10, locked_until=NOW + MINUTE)
    history.voter(frozen_at=MORNING)
    history.voter(frozen_at=MORNING, voted_at=MORNING)
    for _ in range(3):
        history.code(MORNING)
    history.flush()
    history.sms_of(date(2018, 11, 29), 5000)
    history.sms_of(date(2018, 11, 30), 20)


def write_metrics(history: History, cloudwatch: CloudWatchClient) -> None:
    """Write what CloudWatch would have counted, and values that are none of the report's
    business.
    """
    to_dijon = {"channel": "email", "domain": DIJON}
    measure(
        cloudwatch,
        history.stack.name,
        [
            ("CodesQueued", MORNING, 12, {}),
            ("CodesQueued", MORNING + DAY, 8, {}),
            ("CodesQueued", MORNING - DAY, 500, {}),
            ("SignedIn", MORNING, 16, {}),
            ("WrongNumens", MORNING, 4, {}),
            ("WrongNumens", MORNING + 3 * HOUR, 1, {}),
            ("NumenLocks", MORNING, 1, {}),
            ("NumenLocks", MORNING + 2 * HOUR, 0, {}),
            ("SmsSpend", MORNING, 0.07, {}),
            ("SmsSpend", MORNING + HOUR, 0.08, {}),
            ("SmsSpend", MORNING + DAY, 0.05, {}),
            *(("HandedOverAfter", MORNING, 300.0, to_dijon) for _ in range(3)),
            ("Delivered", MORNING, 2, to_dijon),
            ("Failed", MORNING, 1, to_dijon),
            ("Failed", MORNING, 40, {"channel": "email"}),
        ],
    )
    measure(cloudwatch, "another", [("CodesQueued", MORNING, 900, {})])
    measure(
        cloudwatch,
        "AWS/SNS",
        [("SMSMonthToDateSpentUSD", MORNING, 41.0, {}), ("SMSMonthToDateSpentUSD", MORNING + DAY, 43.5, {})],
    )
    for name, threshold in ((f"{history.stack.name}-SmsSpendAlarm-X", 800.0), ("another-SmsSpendAlarm-X", 5.0)):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/SNS",
            MetricName="SMSMonthToDateSpentUSD",
            Statistic="Maximum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=threshold,
            ComparisonOperator="GreaterThanThreshold",
        )


FROM_MORNING = ("--from", "2018-11-29T08:00", "--to", "2018-12-03T13:00")


def told(deployed: OperatedStack, *options: object) -> dict[str, Any]:
    """Return what `report --json` prints."""
    status, content = deployed.run_json("report", *options)
    assert status == 0
    return content


def test_every_figure_of_a_known_history(
    deployed: OperatedStack, history: History, cloudwatch: CloudWatchClient
) -> None:
    write_known(history)
    write_metrics(history, cloudwatch)
    found = told(deployed, *FROM_MORNING)
    assert (found["stack"], found["election"], found["zone"]) == ("reassort", "dijon-2018", "Europe/Paris")
    assert (found["at"], found["start"], found["end"]) == (
        "2018-12-03T13:00:00+01:00",
        "2018-11-29T08:00:00+01:00",
        "2018-12-03T13:00:00+01:00",
    )
    assert found["reissues"] == {
        "total": 10,
        "by_voters": 9,
        "by_helpdesk": 0,
        "by_operators": 1,
        "sms": 5,
        "email": 4,
        "unknown": 1,
        "by_hour": [
            {"hour": "2018-11-29T08:00:00+01:00", "sms": 2, "email": 0, "unknown": 0},
            {"hour": "2018-11-29T09:00:00+01:00", "sms": 1, "email": 2, "unknown": 0},
            {"hour": "2018-11-30T08:00:00+01:00", "sms": 0, "email": 1, "unknown": 0},
            {"hour": "2018-11-30T09:00:00+01:00", "sms": 0, "email": 1, "unknown": 0},
            {"hour": "2018-12-01T08:00:00+01:00", "sms": 2, "email": 0, "unknown": 0},
            {"hour": "2018-12-02T08:00:00+01:00", "sms": 0, "email": 0, "unknown": 1},
        ],
        "controls": [
            {"at": "2018-11-29T13:00:00+01:00", "change": "closed"},
            {"at": "2018-11-29T14:00:00+01:00", "change": "opened"},
        ],
    }
    assert found["outcomes"] == {
        "known": 9,
        "asked_by_voters": 8,
        "waiting": 1,
        "sent": 1,
        "delivered": 5,
        "failed": 1,
        "superseded_unsent": 1,
        "disputed": 1,
    }
    assert [(step["step"], step["count"], step["percent"], step["source"]) for step in found["funnel"]] == [
        ("codes", 20, None, "metrics"),
        ("signed-in", 16, 80.0, "metrics"),
        ("reissued", 9, 56.2, "register"),
        ("handed-over", 6, 75.0, "deliveries"),
        ("delivered", 5, 83.3, "deliveries"),
    ]
    assert [tuple(times.values()) for times in found["times"]] == [
        # channel, until, count, p50, p90, p95, p99, longest
        ("sms", "handed-over", 3, 500, 600, 600, 600, 600),
        ("sms", "delivered", 2, 2400, 4600, 4600, 4600, 4600),
        ("email", "handed-over", 4, 200, 300, 300, 300, 300),
        ("email", "delivered", 3, 1000, 1300, 1300, 1300, 1300),
        (None, "delivered", 5, 2400, 31_000, 31_000, 31_000, 31_000),
    ]
    failures = found["failures"]
    assert (failures["failed"], failures["fell_back"], failures["undelivered"]) == (3, 1, 1)
    assert failures["by_reason"] == [
        {"channel": "email", "domain": CROUS, "reason": "mailbox-full", "words": "boîte pleine", "count": 2},
        {"channel": "sms", "domain": None, "reason": "phone-unreachable", "words": "téléphone injoignable", "count": 1},
    ]
    assert [tuple(messages.values()) for messages in failures["by_domain"]] == [
        # channel, domain, queued (each reissue's confirmation too), failed, marked as spam, share
        ("sms", None, 5, 1, 0, 20.0),
        ("email", DIJON, 8, 0, 1, 0.0),
        ("email", BOURGOGNE, 4, 0, 0, 0.0),
        ("email", CROUS, 2, 2, 0, 100.0),
    ]
    assert failures["mail"] == [
        {"domain": DIJON, "handed_over": 3, "delivered": 2, "failed": 1, "marked_as_spam": 0},
        {"domain": BOURGOGNE, "handed_over": 0, "delivered": 0, "failed": 0, "marked_as_spam": 0},
        {"domain": CROUS, "handed_over": 0, "delivered": 0, "failed": 0, "marked_as_spam": 0},
    ]
    assert found["locks"] == {
        "wrong": 5,
        "locks": 1,
        "unlocked": 2,
        "with_wrong_now": 4,
        "locked_now": 1,
        "until_helpdesk_now": 1,
        "by_hour": [
            {"hour": "2018-11-29T08:00:00+01:00", "wrong": 4, "locks": 1, "unlocked": 0},
            {"hour": "2018-11-29T09:00:00+01:00", "wrong": 0, "locks": 0, "unlocked": 2},
            {"hour": "2018-11-29T11:00:00+01:00", "wrong": 1, "locks": 0, "unlocked": 0},
        ],
    }
    assert found["disputes"] == {
        "total": 2,
        "froze": 1,
        "frozen_by_operators": 1,
        "unfrozen": 1,
        "frozen_now": 1,
        "by_hour": [
            {"hour": "2018-11-30T08:00:00+01:00", "disputes": 1},
            {"hour": "2018-11-30T10:00:00+01:00", "disputes": 1},
        ],
    }
    sms = found["sms"]
    assert (sms["cap_per_day"], sms["max_price_usd"], sms["handed_over"]) == (20_000, 0.1, 3)
    assert (sms["spend_usd"], sms["month_to_date_usd"], sms["alarm_usd"]) == (0.2, 43.5, 800.0)
    assert [tuple(day.values()) for day in sms["by_day"]] == [
        # day, counted against the cap, share, handed over for reissues, dollars
        ("2018-11-29", 5000, 25.0, 3, 0.15),
        ("2018-11-30", 20, 0.1, 0, 0.05),
        ("2018-12-01", None, None, 0, None),
        ("2018-12-02", None, None, 0, None),
        ("2018-12-03", None, None, 0, None),
    ]
    assert {source["name"]: (source["available"], source["looked_at"]) for source in found["sources"]} == {
        "register": (True, len(deployed.items(deployed.stack.register_table))),
        "deliveries": (True, sum(len(deployed.items(table)) for table in deployed.stack.outbox.all)),
        "voters": (True, 7),
        "limits": (True, 2),
        # Hours that have a value: codes 2, sign-ins 1, wrong NUMENs 2, locks 2, spend 3, e-mails 3.
        "metrics": (True, 13),
    }
    assert any("1 réassort sur 10" in remark for source in found["sources"] for remark in source["remarks"])


def test_the_hour_that_the_clocks_repeat_is_two_hours(
    deployed: OperatedStack, history: History, cloudwatch: CloudWatchClient
) -> None:
    first = datetime(2018, 10, 28, 0, 30, tzinfo=UTC)
    for later, number in ((0, 1), (1, 2), (2, 4)):
        for _ in range(number):
            history.reissue(first + later * HOUR, SMS, DIJON, sent(100, SMS))
            history.change(Change.DISPUTED, first + later * HOUR, "dispute")
    history.flush()
    measure(cloudwatch, "reassort", [("WrongNumens", first + n * HOUR, 1 + n, {}) for n in range(3)])
    found = told(deployed, "--from", "2018-10-28", "--to", "2018-10-28")
    hours = ["2018-10-28T02:00:00+02:00", "2018-10-28T02:00:00+01:00", "2018-10-28T03:00:00+01:00"]
    assert [(hour["hour"], hour["sms"]) for hour in found["reissues"]["by_hour"]] == [
        *zip(hours, (1, 2, 4), strict=True)
    ]
    assert [(hour["hour"], hour["disputes"]) for hour in found["disputes"]["by_hour"]] == [
        *zip(hours, (1, 2, 4), strict=True)
    ]
    assert [(hour["hour"], hour["wrong"]) for hour in found["locks"]["by_hour"]] == [
        *zip(hours, (1, 2, 3), strict=True)
    ]
    period = period_of(ELECTION, NOW, "2018-10-28", "2018-10-28")
    assert len(list(period.local_hours)) == 25
    assert [french.hour(datetime.fromisoformat(hour).astimezone(PARIS)) for hour in hours] == [
        "dim. 28 oct. 2018, 2\u00a0h (heure d’été)",
        "dim. 28 oct. 2018, 2\u00a0h (heure d’hiver)",
        "dim. 28 oct. 2018, 3\u00a0h",
    ]


def test_the_day_that_loses_an_hour_has_23() -> None:
    in_march = datetime(2019, 3, 31, 12, tzinfo=UTC)
    spring = Period(datetime(2019, 3, 31, tzinfo=PARIS), datetime(2019, 4, 1, tzinfo=PARIS), PARIS)
    hours = list(spring.local_hours)
    assert [hour.hour for hour in hours[:4]] == [0, 1, 3, 4]
    assert len(hours) == 23
    assert spring.hour_of(round(in_march.timestamp() * 1000)) == in_march


# ---------------------------------------------------------------- what cannot be known


def test_without_metrics_their_figures_are_unknown_and_not_zero(deployed: OperatedStack, history: History) -> None:
    write_known(history)
    found = told(deployed, *FROM_MORNING)
    assert [step["count"] for step in found["funnel"]][1:] == [None, 9, 6, 5]
    assert found["funnel"][2]["percent"] is None
    assert (found["locks"]["wrong"], found["locks"]["locks"], found["locks"]["unlocked"]) == (None, None, 2)
    assert found["locks"]["by_hour"] == [
        {"hour": "2018-11-29T09:00:00+01:00", "wrong": None, "locks": None, "unlocked": 2}
    ]
    assert found["failures"]["mail"] is None
    assert (found["sms"]["spend_usd"], found["sms"]["month_to_date_usd"], found["sms"]["alarm_usd"]) == (None,) * 3
    metrics = found["sources"][-1]
    assert (metrics["name"], metrics["available"], metrics["looked_at"]) == ("metrics", False, 0)
    assert "aucune mesure" in metrics["remarks"][0]


class _Refusing:
    def get_paginator(self, _: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricData")


def test_a_refusal_of_cloudwatch_is_said_and_the_tables_tell_the_rest(
    deployed: OperatedStack, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    period = Period(MORNING, NOW, PARIS)
    refusing: Any = _Refusing()
    assert read_metrics(refusing, "reassort", ELECTION.domain_names, period) == Metrics(refusal="AccessDenied")
    write_known(history)
    monkeypatch.setattr("reassort_ops.account.stack.Aws.cloudwatch", lambda _: refusing)
    found = told(deployed, *FROM_MORNING)
    assert found["reissues"]["total"] == 10
    assert found["sources"][-1]["remarks"] == ["CloudWatch a refusé de répondre (AccessDenied)."]


def test_codes_are_counted_in_the_outbox_as_long_as_they_are_all_there(
    deployed: OperatedStack, history: History, at: Callable[[datetime], None]
) -> None:
    write_known(history)
    at(MORNING + 2 * HOUR)
    assert told(deployed, "--from", "2018-11-29T08:00")["funnel"][0] == {
        "step": "codes",
        "count": 3,
        "percent": None,
        "source": "deliveries",
    }


def test_old_reissues_are_counted_although_their_deliveries_are_gone(deployed: OperatedStack, history: History) -> None:
    for day in range(3):
        history.reissue(MORNING + day * DAY, SMS, DIJON, kept=False)
    history.flush()
    found = told(deployed)
    assert (found["reissues"]["total"], found["reissues"]["unknown"]) == (3, 3)
    assert [step["count"] for step in found["funnel"]] == [None, None, 3, None, None]
    assert all(times["count"] == 0 and times["p50"] is None for times in found["times"])
    assert found["sources"][1]["available"] is False


def test_nothing_at_all(deployed: OperatedStack, history: History, tmp_path: Path) -> None:
    found = told(deployed)
    assert found["reissues"]["total"] == 0
    assert [source["available"] for source in found["sources"]] == [False] * 5
    assert found["locks"]["locked_now"] is None
    page = tmp_path / "report.html"
    assert deployed.run("report", "--output", page).exit_code == 0
    assert "<svg" not in page.read_text("utf-8")
    assert "Le registre est vide" in page.read_text("utf-8")


def test_what_is_neither_a_code_nor_a_reissue_is_not_counted(deployed: OperatedStack, history: History) -> None:
    history.reissue(MORNING, SMS, DIJON, sent(100, SMS))
    history.flush()
    (item,) = deployed.items(deployed.stack.deliveries_table)
    canary = {**item, "delivery_id": "canary", "kind": "canary"}
    deployed.dynamodb.put_item(TableName=deployed.stack.deliveries_table, Item=to_wire(canary))
    found = told(deployed)
    assert (found["outcomes"]["known"], found["reissues"]["sms"], found["times"][0]["count"]) == (1, 1, 1)


def test_a_domain_that_is_not_the_elections_is_not_named(deployed: OperatedStack, history: History) -> None:
    history.reissue(MORNING, EMAIL, "elsewhere.example", failed(100, EMAIL, Reason.MAIL_REFUSED))
    history.flush()
    found = told(deployed)
    assert [failure["domain"] for failure in found["failures"]["by_reason"]] == [None]
    assert "elsewhere" not in json.dumps(found)


# ---------------------------------------------------------------- the page


class _Tables(HTMLParser):
    """Reads the cells of every table of a page by the table's id."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self._rows: list[list[str]] = []
        self._cell: list[str] | None = None
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._rows = self.tables[dict(attrs)["id"] or ""] = []
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._cell = []

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td") and self._cell is not None:
            self._rows[-1].append("".join(self._cell))
            self._cell = None

    def body(self, name: str) -> list[list[Any]]:
        """Return the rows below the heading, numbers read back."""
        return [[row[0], *map(_read, row[1:])] for row in self.tables[name][1:]]


def _plain(text: str) -> str:
    return re.sub("[\u00a0\u202f]", " ", text)


def _read(cell: str) -> Any:
    plain = _plain(cell).replace(" ", "").removesuffix("%").removesuffix("$").replace(",", ".")
    try:
        return None if cell == "–" else float(plain)
    except ValueError:
        return cell


def test_the_page_shows_the_same_figures_as_json(
    deployed: OperatedStack, history: History, cloudwatch: CloudWatchClient, tmp_path: Path
) -> None:
    write_known(history)
    write_metrics(history, cloudwatch)
    page = tmp_path / "report.html"
    found = told(deployed, *FROM_MORNING, "--output", page)
    markup = page.read_text("utf-8")
    tables = _Tables(markup)

    def hour(text: str) -> str:
        return french.hour(datetime.fromisoformat(text).astimezone(PARIS))

    def day(text: str) -> str:
        return french.day(date.fromisoformat(text))

    def way(row: dict[str, Any]) -> str:
        return words.way(Channel(row["channel"]), row["domain"])

    assert tables.body("table-funnel") == [
        [words.STEPS[Step(row["step"])], row["count"], row["percent"], words.SOURCES[row["source"]]]
        for row in found["funnel"]
    ]
    assert [row[1] for row in tables.body("table-outcomes")] == [
        found["outcomes"][name]
        for name in ("waiting", "sent", "delivered", "failed", "superseded_unsent", "known", "disputed")
    ]
    assert tables.body("table-reissues") == [
        [hour(row["hour"]), row["sms"], row["email"], row["unknown"], row["sms"] + row["email"] + row["unknown"]]
        for row in found["reissues"]["by_hour"]
    ]
    assert [row[1:] for row in tables.tables["table-times"][1:]] == [
        [french.number(row["count"]), *(french.duration(row[name]) for name in ("p50", "p90", "p95", "p99", "longest"))]
        for row in found["times"]
    ]
    assert tables.body("table-messages") == [
        [
            way(row),
            row["queued"],
            row["failed"],
            row["failed_percent"],
            row["marked_as_spam"] if row["domain"] else None,
        ]
        for row in found["failures"]["by_domain"]
    ]
    assert tables.body("table-failures") == [
        [row["words"], way(row), row["count"]] for row in found["failures"]["by_reason"]
    ]
    assert tables.body("table-mail") == [list(row.values()) for row in found["failures"]["mail"]]
    assert tables.body("table-locks") == [
        [hour(row["hour"]), row["wrong"], row["locks"], row["unlocked"]] for row in found["locks"]["by_hour"]
    ]
    assert tables.body("table-disputes") == [
        [hour(row["hour"]), row["disputes"]] for row in found["disputes"]["by_hour"]
    ]
    assert tables.body("table-sms") == [
        [day(row["day"]), row["counted"], row["cap_percent"], row["handed_over"], row["spend_usd"]]
        for row in found["sms"]["by_day"]
    ]
    assert [row[:3] for row in tables.body("table-sources")] == [
        [words.SOURCES[row["name"]], "oui" if row["available"] else "non", row["looked_at"]] for row in found["sources"]
    ]
    for remark in (remark for source in found["sources"] for remark in source["remarks"]):
        assert _plain(remark) in _plain(markup)
    # Plots: each with a name and a description that the page holds.
    assert markup.count("<svg") == markup.count('role="img"') == 8
    for name in ("funnel", "reissues", "times", "failures", "locks", "disputes", "sms", "spend"):
        assert f'aria-labelledby="{name}-title {name}-desc"' in markup
        assert f'id="{name}-title"' in markup
        assert f'id="{name}-desc"' in markup


def test_the_page_needs_nothing_else_and_names_nobody(
    deployed: OperatedStack, history: History, tmp_path: Path
) -> None:
    write_known(history)
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    result = deployed.run("report", *FROM_MORNING, "--output", page, "--png", picture)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "10 reissues from 2018-11-29 08:00 to 2018-12-03 13:00 (Europe/Paris), 1 undelivered, 2 disputed",
        "not available: metrics",
        f"{page} written",
        f"{picture} written",
    ]
    markup = page.read_text("utf-8")
    for address in ("http:", "https:", "//", "src=", "@import", "<script", "<link"):
        assert address not in markup
    for person in ("voter-", "p•••", "R-1", "•• ••", "agent", "Lycée"):
        assert person not in markup
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in markup
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    assert set(tmp_path.iterdir()) == {page, picture}


def test_the_names_of_an_election_are_written_and_not_obeyed(
    deployed: OperatedStack, history: History, tmp_path: Path
) -> None:
    folder = tmp_path / "elections"
    folder.mkdir()
    write_election(folder, "dijon-2018", organiser="<script>alert(1)</script> & fils")
    deployed.elections = folder
    page = tmp_path / "report.html"
    assert deployed.run("report", "--output", page).exit_code == 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; fils" in page.read_text("utf-8")


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "tomorrow"), "--from is not of the form 2018-11-29 or 2018-11-29T08:00"),
        (("--to", "2018-13-40"), "--to is not of the form 2018-11-29 or 2018-11-29T08:00"),
        (("--from", "2018-12-04"), "nothing to report between 2018-12-04T00:00 and 2018-12-03T13:00 (Europe/Paris)"),
    ],
)
def test_a_period_that_is_none(deployed: OperatedStack, history: History, options: tuple[str, ...], told: str) -> None:
    result = deployed.run("report", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"reassort: {told}")
    assert result.stderr.count("\n") == 1


def test_the_period_is_the_reissues_to_the_close_or_to_now() -> None:
    opens, closes = ELECTION.windows.reissue.opens_at, ELECTION.windows.voting.closes_at
    assert period_of(ELECTION, NOW, None, None) == Period(opens, NOW.astimezone(PARIS), PARIS)
    assert period_of(ELECTION, closes + DAY, None, None).end == closes
    whole_day = period_of(ELECTION, NOW, "2018-11-29", "2018-11-29")
    assert (whole_day.start.isoformat(), whole_day.end.isoformat()) == (
        "2018-11-29T00:00:00+01:00",
        "2018-11-30T00:00:00+01:00",
    )
    assert list(whole_day.days) == [date(2018, 11, 29)]
    elsewhere = period_of(ELECTION, NOW, "2018-11-29T08:00+00:00", None)
    assert elsewhere.start == datetime(2018, 11, 29, 9, tzinfo=PARIS)


def test_only_a_report_waits_for_the_library_that_draws() -> None:
    program = "import sys, reassort_ops.cli; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


# ---------------------------------------------------------------- its parts


@given(st.lists(st.integers(0, 40 * 86_400_000), min_size=1, max_size=200), st.integers(1, 100))
def test_percentiles_are_the_nearest_rank_to_three_digits(durations: list[int], percent: int) -> None:
    counted = Durations()
    for duration in durations:
        counted.add(duration)
    exact = sorted(durations)[max(0, -(-len(durations) * percent // 100) - 1)]
    found = counted.percentile(percent)
    assert found is not None
    assert abs(found - exact) <= exact * 0.005
    assert found == exact or exact >= 1000
    assert counted.longest == max(durations)


def test_durations_take_little_memory_however_many_there_are() -> None:
    counted = Durations()
    draw = random.Random(1)  # noqa: S311 - no secret
    for _ in range(200_000):
        counted.add(round(draw.lognormvariate(9, 3)))
    assert len(counted) == 200_000
    assert len(counted._counts) < 10_000


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (None, "–"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1 s"),
        (4230, "4,2 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (200_000, "3 min 20 s"),
        (7_500_000, "2 h 05"),
        (100 * 3_600_000, "4 j 4 h"),
    ],
)
def test_a_duration_in_french(milliseconds: int | None, told: str) -> None:
    assert _plain(french.duration(milliseconds)) == told


def test_numbers_in_french() -> None:
    assert _plain(french.number(1_234_567)) == "1 234 567"
    assert _plain(french.percent(12.34)) == "12,3 %"
    assert _plain(french.dollars(1234.5)) == "1 234,50 $"
    assert _plain(french.day_and_time(datetime(2018, 12, 1, 8, 5, tzinfo=PARIS))) == ("sam. 1er déc. 2018 à 8 h 05")


class _Pages:
    """A table of so many pages that exist only while they are read, each with the same hundred
    deliveries.
    """

    def __init__(self, page: list[dict[str, Any]], pages: int) -> None:
        self._page = page
        self._pages = pages

    def scan(self, *, ExclusiveStartKey: dict[str, int] | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        number = (ExclusiveStartKey or {"page": 0})["page"] + 1
        answer = {"Items": copy.deepcopy(self._page), "ScannedCount": 5 * len(self._page)}
        return {**answer, "LastEvaluatedKey": {"page": number}} if number < self._pages else answer


def test_memory_does_not_grow_with_the_tables(deployed: OperatedStack, history: History) -> None:
    for number in range(100):
        history.reissue(MORNING + number * MINUTE, SMS, DIJON, sent(400 + number, SMS), delivered(2400, SMS))
    history.flush()
    page = deployed.dynamodb.scan(TableName=deployed.stack.deliveries_table)["Items"]
    wanted = Wanted("table", ("kind",), "{kind} = :kind", {":kind": "reissue"})

    def peak(pages: int) -> int:
        tally = DeliveriesTally(Period(MORNING, NOW, PARIS), frozenset(ELECTION.domain_names))
        table: Any = _Pages(page, pages)
        tracemalloc.start()
        looked_at = scan(table, wanted, 1, tally.take, lambda _: None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (looked_at, tally.known) == (500 * pages, 100 * pages)
        return most

    peak(2)
    assert peak(40) <= 1.1 * peak(4)
