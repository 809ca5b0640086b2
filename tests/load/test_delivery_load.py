"""A minute of the load runs of `make bench-delivery`, with fewer voters: nothing is lost, nothing
old is sent, and in time.
"""

from __future__ import annotations

import pytest

from harness.load.crowd import CrowdHabits
from harness.load.scenarios import SCENARIOS, play


@pytest.mark.req("P6", "P9", "I2", "I3", "I4")
def test_below_the_rates_nearly_all_is_handed_over_in_ten_seconds() -> None:
    result = play(SCENARIOS["S2"], minutes=1, per_minute=240)

    assert not result.broken
    assert result.reissues > 200
    assert (result.lost, result.wrong_generation, result.duplicates) == (0, 0, 0)
    assert set(result.sms_parts) == {1}
    assert result.within["10 s"] >= 95
    assert result.within["60 s"] >= 99


@pytest.mark.req("P6", "P9", "R8", "I2", "I3", "I4")
def test_more_sms_than_carriers_take_wait_as_long_as_their_voters_were_told() -> None:
    # Some of those who wait ask for another identifier, and the one that waits must not be sent any
    # more.
    habits = CrowdHabits(sms=0.5, asks_again=0.2)

    result = play(SCENARIOS["S3"], minutes=1, per_minute=240, sms_per_second=1, habits=habits)

    assert not result.broken
    assert (result.lost, result.wrong_generation, result.duplicates) == (0, 0, 0)
    assert result.superseded > 0
    assert result.told["switched"] > 0
    earliest, *_, latest = result.told["real minus told"]
    # A second's worth may go ahead of its turn; the queue delays by whole seconds.
    assert -2.5 <= earliest <= latest <= 2.5
    _, _, _, _, longest = result.by_kind["identifier by email, again"]
    assert longest <= 10
