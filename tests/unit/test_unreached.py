"""Which delivery of a voter has reached nobody, and what settles it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Delivery, delivery_from_item, reissue_delivery_item
from reassort.unreached import never_reached
from reassort.voters import Voter

from harness.elections import read_election

NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AT = epoch_milliseconds(NOW)


def delivery(minute: int, status: str) -> Delivery:
    item = reissue_delivery_item(
        reference=f"{minute} {status}",
        voter_id="claire",
        generation=minute + 2,
        channel=Channel.SMS,
        destinations={Channel.SMS: "•• 78"},
        phone_hash="phone",
        address=b"address",
        payload=b"payload",
        request_hash="request",
        now=NOW + timedelta(minutes=minute),
        retention=read_election("dijon-2018").retention,
    )
    item["messages"]["identifier"]["status"] = status
    return delivery_from_item(item)


@pytest.mark.req("O8")
@pytest.mark.parametrize(
    ("voter", "deliveries", "found"),
    [
        ({}, [], None),
        ({}, [(0, "failed")], "0 failed"),
        ({}, [(5, "failed"), (0, "failed")], "5 failed"),
        ({}, [(5, "delivered"), (0, "failed")], None),
        ({}, [(0, "delivered"), (5, "failed")], "5 failed"),
        ({}, [(0, "failed"), (5, "sent")], "0 failed"),
        ({}, [(0, "sent")], None),
        ({"settled_at": AT - 1}, [(0, "failed")], "0 failed"),
        ({"settled_at": AT}, [(0, "failed")], None),
        ({"settled_at": AT}, [(0, "failed"), (5, "failed")], "5 failed"),
        ({"voted_at": 1}, [(0, "failed")], None),
        ({"left_at": 1}, [(0, "failed")], None),
    ],
)
def test_the_latest_that_failed_counts_until_it_is_settled(
    voter: dict[str, Any], deliveries: list[tuple[int, str]], found: str | None
) -> None:
    claire = Voter("claire", "numen", "Lycée Carnot", None, (10,), 1, "head", **voter)
    one = never_reached(claire, [delivery(minute, status) for minute, status in deliveries])
    assert (one and one.delivery_id) == found
