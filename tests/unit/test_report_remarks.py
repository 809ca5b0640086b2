"""What a report says of its sources: with each number, and in local time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from reassort_ops.report import remarks
from reassort_ops.report.french import day_and_time, number

if TYPE_CHECKING:
    from collections.abc import Callable

PARIS = ZoneInfo("Europe/Paris")
# It is the next day already in Paris.
LATE = datetime(2018, 11, 29, 23, 30, tzinfo=UTC)
LOCALLY = day_and_time(datetime(2018, 11, 30, 0, 30, tzinfo=PARIS))


@pytest.mark.parametrize(
    ("remark", "given", "parts"),
    [
        (remarks.deliveries_kept, (30, LATE, PARIS), ("30 jours", f"d’avant le {LOCALLY}")),
        (remarks.deliveries_gone, (1, 2000), ("pour 1 réassort sur", f"sur {number(2000)} ")),
        (remarks.deliveries_gone, (3, 4), ("pour 3 réassorts sur 4 ",)),
        (remarks.voters_now, (LATE, PARIS), (f"État du {LOCALLY},",)),
        (remarks.metrics_refused, ("AccessDenied",), ("(AccessDenied)",)),
        (remarks.metrics_kept, (455,), ("455 jours",)),
    ],
)
def test_a_remark_names_its_numbers_and_local_times(
    remark: Callable[..., str], given: tuple[Any, ...], parts: tuple[str, ...]
) -> None:
    told = remark(*given)
    assert [part for part in parts if part not in told] == []
