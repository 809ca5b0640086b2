"""When the operators' record lets a reissue commit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from reassort.clock import epoch_milliseconds
from reassort.reissue_switch import AS_THE_FILE_SAYS, STOPPED, ReissueSwitch, switch_from_item

NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AT = epoch_milliseconds(NOW)


@pytest.mark.req("I1")
@pytest.mark.parametrize(
    ("switch", "lets"),
    [
        (ReissueSwitch(AT, AT + 1), True),
        (ReissueSwitch(AT + 1, AT + 2), False),
        (ReissueSwitch(1, AT), False),
        (AS_THE_FILE_SAYS, True),
        (STOPPED, False),
        (ReissueSwitch(), True),
        (ReissueSwitch(opens_at=AT + 1), True),
        (ReissueSwitch(closes_at=AT), True),
    ],
    ids=["opens now", "opens later", "closes now", "opened", "stopped", "no record", "no end", "no beginning"],
)
def test_a_reissue_commits_from_the_opening_on_and_until_the_close(switch: ReissueSwitch, lets: bool) -> None:
    assert switch.lets(NOW) is lets


@pytest.mark.req("I1")
def test_a_stop_in_the_table_lasts_until_reissues_are_opened() -> None:
    stopped = switch_from_item({"opens_at": 0, "closes_at": 0})
    assert (stopped, stopped.stopped) == (STOPPED, True)
    assert not AS_THE_FILE_SAYS.stopped
    assert not ReissueSwitch(1, AT).stopped
    assert switch_from_item(None) == ReissueSwitch()


@pytest.mark.req("I1")
def test_opened_reissues_are_closed_by_the_election_file_alone() -> None:
    assert AS_THE_FILE_SAYS.lets(datetime(1970, 1, 2, tzinfo=UTC))
    assert AS_THE_FILE_SAYS.lets(datetime(9999, 12, 31, tzinfo=UTC))
