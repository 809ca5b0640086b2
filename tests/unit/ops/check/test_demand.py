"""What a roll of a given size asks of an account, and the reasons that are given for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from reassort_ops.account.demand import demand

from harness.elections import election_content, read_election

ELECTION = read_election("normandie-2026")
# Two mailboxes, four canaries an hour.
CANARIES = 2 * 4 * 24


def test_what_a_roll_asks_for() -> None:
    small = demand(ELECTION, 1000, 100)
    # As many codes as may leave in a day, because nobody knows who will ask for them.
    assert small.emails_a_day == ELECTION.sending.codes_per_day + 1000 + CANARIES
    assert (small.sms_a_month, small.sms_month_usd) == (1000, 100.0)
    large = demand(ELECTION, 1_200_000, 20)
    codes = ELECTION.sending.codes_per_day
    assert large.emails_a_day == codes + 240_000 + (240_000 - ELECTION.sending.sms_per_day) + CANARIES
    # The cap holds each day, and a spend limit each month.
    window = ELECTION.windows.reissue
    assert window.closes_at - window.opens_at > timedelta(days=31)
    assert large.sms_a_month == 31 * ELECTION.sending.sms_per_day
    # bench/first_morning.md: 13.7 functions at once, 207 requests a second in the busiest minute.
    assert large.functions_at_once == pytest.approx(14, abs=1)
    assert large.requests_a_second == pytest.approx(207, abs=2)


def test_codes_and_other_messages_leave_side_by_side() -> None:
    assert demand(ELECTION, 1, 100).emails_a_second == 40 + 40


@pytest.mark.parametrize(("voters", "share", "asking"), [(1000, 100, 1000), (3, 50, 2), (1, 1, 1), (250, 20, 50)])
def test_whoever_asks_is_a_whole_voter(voters: int, share: int, asking: int) -> None:
    assert demand(ELECTION, voters, share).asking == asking


@pytest.mark.parametrize(("asking", "beyond"), [(19_999, 0), (20_000, 0), (20_001, 1)])
def test_whoever_comes_after_the_days_sms_gets_an_email_more(asking: int, beyond: int) -> None:
    assert demand(ELECTION, asking, 100).emails_a_day == 400_000 + asking + beyond + CANARIES


def test_a_voter_may_ask_for_more_codes_than_leave_in_a_day() -> None:
    assert demand(ELECTION, 400_001, 100).emails_a_day == 400_001 + 400_001 + 380_001 + CANARIES


def test_each_reason_is_told_and_no_other() -> None:
    codes = "400,000 codes"
    assert demand(ELECTION, 1000, 100).emails_why == f"{codes} + 1,000 confirmations + 192 canaries"
    assert demand(ELECTION, 21_000, 100).emails_why == (
        f"{codes} + 21,000 confirmations + 1,000 identifiers beyond the day's SMS + 192 canaries"
    )
    alone = read_election("normandie-2026", canaries=None)
    assert demand(alone, 1000, 100).emails_why == f"{codes} + 1,000 confirmations"
    assert demand(alone, 1000, 100).emails_a_day == 401_000
    assert demand(ELECTION, 1000, 100).sms_why == "1,000 SMS × 0.10 USD at most"


@pytest.mark.parametrize(
    ("every", "targets", "canaries"),
    [
        (15, [{"mailbox": "sonde@unicaen.fr"}], 96),
        (60, [{"mailbox": "sonde@unicaen.fr"}], 24),
        (60, [{"mailbox": "sonde@unicaen.fr", "handset": "+33612345678"}], 24),
        (60, [{"handset": "+33612345678"}], 0),
        (20, [{"mailbox": "sonde@unicaen.fr"}, {"domain": "ac-normandie.fr", "handset": "+33612345678"}], 72),
    ],
)
def test_only_canaries_by_email_take_of_its_quota(every: int, targets: list[dict[str, Any]], canaries: int) -> None:
    flown = {**election_content("normandie-2026")["canaries"], "every_minutes": every}
    flown["targets"] = [{"domain": "unicaen.fr", **target} for target in targets]
    election = read_election("normandie-2026", canaries=flown)
    assert demand(election, 1000, 100).emails_a_day == 401_000 + canaries


@pytest.mark.parametrize(
    ("opens_at", "days"),
    [("2026-12-10T08:00", 1), ("2026-12-09T17:00", 1), ("2026-12-09T16:59", 2), ("2026-11-01T08:00", 31)],
)
def test_the_days_of_a_window_are_counted_whole_and_31_at_most(opens_at: str, days: int) -> None:
    windows = election_content("normandie-2026")["windows"]
    windows["reissue"]["opens_at"] = opens_at
    election = read_election("normandie-2026", windows=windows)
    found = demand(election, 1_000_000, 20)
    assert (found.sms_a_month, found.sms_month_usd) == (days * 20_000, days * 2000.0)
