"""Keys as they are kept: with another one, what an earlier version wrote would not be found."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from reassort import table_keys as keys

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = datetime(2018, 11, 30, 23, 59, tzinfo=UTC)
IDS = [f"id-{number}" for number in range(2000)]
pytestmark = pytest.mark.req("R17")


@pytest.mark.parametrize(
    ("key", "parts", "kept"),
    [
        (keys.codes_day_attribute, [DAY], "codes_20181130"),
        (keys.sms_day_attribute, [DAY], "sms_20181130"),
        (keys.kept_codes_attribute, [DAY], "kept_20181130"),
        (keys.challenge_key, ["h"], "challenge#h"),
        (keys.session_key, ["h"], "session#h"),
        (keys.reserve_key, [7], "reserve#7"),
        (keys.source_partition, ["h"], "source#h"),
        (keys.source_key, [7, 3], "codes#7#3"),
        (keys.phone_key, ["h"], "phone#h"),
        (keys.pace_key, ["sms"], "pace#sms"),
        (keys.share_key, ["h"], "pace#source#h"),
        (keys.control_shard_key, ["claire"], "control#17"),
        (keys.due_shard, ["7K3M9-QWX2T"], "6"),
        (keys.erase_shard, ["7K3M9-QWX2T"], "erase-6"),
    ],
)
def test_a_key_is_the_one_that_is_kept(key: Callable[..., str], parts: list[object], kept: str) -> None:
    assert key(*parts) == kept


def test_reissues_are_conditioned_on_forty_eight_items_alike() -> None:
    assert keys.control_shard_keys() == tuple(f"control#{shard:02}" for shard in range(48))
    assert Counter(map(keys.control_shard_key, IDS)).keys() == set(keys.control_shard_keys())


def test_deliveries_are_spread_over_eight_partitions() -> None:
    assert tuple("01234567") == keys.DUE_SHARDS
    assert tuple(f"erase-{shard}" for shard in "01234567") == keys.ERASE_SHARDS
    assert set(map(keys.due_shard, IDS)) == set(keys.DUE_SHARDS)
    assert set(map(keys.erase_shard, IDS)) == set(keys.ERASE_SHARDS)
