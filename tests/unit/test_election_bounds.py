"""What an election file may say of each number: the smallest and the greatest, and none beyond."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from reassort.election import ElectionFileError
from reassort.election_file import parse_election

from harness.elections import STAFF_CARD, election_content
from local.processes import ROOT

BOUNDS: dict[str, tuple[int, int | None]] = {
    "canaries.every_minutes": (5, 60),
    "canaries.late_after_minutes": (2, 59),
    "extra_proof.max_length": (4, 40),
    "extra_proof.min_length": (4, 40),
    "helpdesk.lookups_per_day": (5, 10_000),
    "helpdesk.lookups_per_hour": (5, 1000),
    "helpdesk.second_person_minutes": (2, 60),
    "identifier.group": (3, 8),
    "identifier.symbols": (13, 31),
    "limits.code.alarm_per_day": (1, None),
    "limits.code.bucket": (1, 20),
    "limits.code.latest_valid": (1, 3),
    "limits.code.lifetime_minutes": (1, 10),
    "limits.code.refill_minutes": (1, 15),
    "limits.code.resend_seconds": (10, 600),
    "limits.code.reserve": (1, 10),
    "limits.code.tries": (1, 10),
    "limits.numen.helpdesk_after": (2, None),
    "limits.numen.lock_after": (1, None),
    "limits.numen.lock_minutes": (1, 15),
    "limits.phone.sms_per_day": (1, 100),
    "limits.phone.voters": (1, 20),
    "limits.redeliveries": (1, 10),
    "limits.reissues.in_all": (1, 50),
    "limits.reissues.per_day": (1, 20),
    "limits.session.absolute_minutes": (5, 720),
    "limits.session.idle_minutes": (2, 60),
    "limits.source.codes": (8, None),
    "limits.source.window_minutes": (1, 15),
    "retention.deliveries_days": (1, 400),
    "retention.redelivery_minutes": (5, 1440),
    "retention.register_days": (1, 1830),
    "retention.roll_days": (1, 400),
    "sending.codes_per_day": (100, 10_000_000),
    "sending.codes_per_second": (1, 1000),
    "sending.emails_per_second": (1, 1000),
    "sending.long_wait_seconds": (10, 900),
    "sending.sms_per_day": (1, None),
    "sending.sms_per_second": (1, 1000),
    "watch.api_faults_per_minute": (1, None),
    "watch.blocked_requests": (1, None),
    "watch.codes_percent": (10, 99),
    "watch.complaints_per_hour": (0, None),
    "watch.disputes_per_hour": (1, None),
    "watch.domain_failure_percent": (1, 99),
    "watch.function_errors": (1, None),
    "watch.numen_locks": (1, None),
    "watch.overdue_minutes": (3, 60),
    "watch.sms_cap_percent": (10, 99),
    "watch.sms_failure_percent": (1, 99),
    "watch.sms_month_usd": (1, None),
    "watch.stream_seconds": (10, 3600),
    "watch.undelivered": (0, None),
    "watch.used_codes.floor": (1, None),
    "watch.used_codes.percent": (1, 99),
    "watch.waiting_minutes": (1, 240),
    "watch.wrong_codes.percent": (1, 99),
    "watch.wrong_numens.percent": (1, 99),
}
# How many characters or entries: the path, what one of them is, the fewest, the most.
SIZES: dict[str, tuple[Any, int, int | None]] = {
    "canaries.targets": ([{"domain": "ac-dijon.fr", "handset": "+33612345678"}], 1, 25),
    "domains": ([{"domain": "ac-dijon.fr", "staff": "s", "example": "a@ac-dijon.fr"}], 1, None),
    "name": ("é", 1, 200),
    "phones.territories": (["FR"], 1, None),
    "site.notice": ("é", 1, 400),
    "site.host.address": ("é", 1, 200),
}


def faults(path: str, value: object) -> list[str]:
    """Return what is said of a member that has this value, and of no other."""
    content = election_content("dijon-2018")
    target = {"domain": "ac-dijon.fr", "handset": "+33612345678"}
    content |= {
        "canaries": {"every_minutes": 15, "late_after_minutes": 5, "targets": [target]},
        "extra_proof": dict(STAFF_CARD),
    }
    part: Any = content
    *parents, member = path.split(".")
    for step in parents:
        part = part[step]
    part[member] = value
    try:
        parse_election(content, "x.yaml")
    except ElectionFileError as refusal:
        said = [line.removeprefix(f"x.yaml: {path}: ") for line in str(refusal).splitlines()]
        return [one for one in said if one.startswith("must ")]
    return []


@pytest.mark.parametrize(("path", "bounds"), BOUNDS.items(), ids=BOUNDS)
def test_a_number_lies_within_its_bounds(path: str, bounds: tuple[int, int | None]) -> None:
    smallest, greatest = bounds
    assert faults(path, smallest) == []
    assert faults(path, smallest - 1) == [f"must be at least {smallest}"]
    if greatest is None:
        assert faults(path, 10**9) == []
    else:
        assert faults(path, greatest) == []
        assert faults(path, greatest + 1) == [f"must be at most {greatest}"]


def told_bounds() -> dict[tuple[str, ...], str]:
    """Return what the tables of docs/elections.md say under `from, to`, by part, group and
    member.
    """
    told: dict[tuple[str, ...], str] = {}
    heading = group = ""
    columns: list[str] = []
    for line in (ROOT / "docs" / "elections.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading, columns = line, []
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if cells[:1] == ["member"]:
            columns = cells
        elif cells and columns[-1:] == ["from, to"]:
            *groups, members = cells[0].split(": ")
            group = groups[-1].strip("`") if groups else group if members.startswith("…") else ""
            for member, bounds in zip(re.findall(r"`(\w+)`", members), cells[-1].split("; "), strict=True):
                told[heading, group, member] = bounds
    return told


def test_the_document_tells_the_bounds_of_every_number() -> None:
    told = told_bounds()
    for path, (smallest, greatest) in BOUNDS.items():
        part, *between, member = path.split(".")
        group = between[-1] if between else part if part == "identifier" else ""
        found = [text for key, text in told.items() if f"`{part}`" in key[0] and key[1:] == (group, member)]
        if part in {"helpdesk", "extra_proof"} or found == ["below"]:
            # In words.
            continue
        assert found == [f"{smallest}" if greatest is None else f"{smallest}, {greatest}"], path


@pytest.mark.parametrize(("path", "size"), SIZES.items(), ids=SIZES)
def test_a_text_or_a_list_is_as_long_as_it_may_be(path: str, size: tuple[Any, int, int | None]) -> None:
    one, fewest, most = size
    kind = "characters" if isinstance(one, str) else "entries"
    assert faults(path, one * fewest) == []
    assert faults(path, one * (fewest - 1)) == [f"must have at least {fewest} {kind}"]
    if most is not None:
        assert faults(path, one * most) == []
        assert faults(path, one * (most + 1)) == [f"must have at most {most} {kind}"]


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("0", "must be more than 0"),
        ("0.01", None),
        ("1", None),
        ("1.01", "must be at most 1"),
        ("-0.10", "must be more than 0"),
    ],
)
def test_an_sms_costs_something_and_at_most_a_dollar(price: str, said: str | None) -> None:
    content = election_content("dijon-2018")
    content["limits"]["sms_max_price_usd"] = price
    if said is None:
        assert parse_election(content, "x.yaml").limits.sms_max_price_usd == Decimal(price)
    else:
        with pytest.raises(ElectionFileError, match=rf"^x\.yaml: limits\.sms_max_price_usd: {said}$"):
            parse_election(content, "x.yaml")
