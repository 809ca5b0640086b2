"""A table that is read in segments, and what minutes hold of."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from botocore.exceptions import ClientError
from reassort.tables import PASSING, ContentionError
from reassort_ops.minutes.figures import Minutes, PlatformReconciled
from reassort_ops.report.figures import Figures, Source, SourceName
from reassort_ops.report.segments import Wanted, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = Wanted("t", ("kind", "destinations.email", "kind.of"), "{kind} = :a", {":a": 1})


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


class SegmentsOfTable:
    """A table of two segments: the first has two pages. Raises what it is told to, once each."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.asked: list[dict[str, Any]] = []

    def scan(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.faults:
            raise self.faults.pop(0)
        assert request["TotalSegments"] == 2
        if request["Segment"] == 1:
            return {"Items": [{"n": {"N": "3"}}], "ScannedCount": 30}
        if "ExclusiveStartKey" in request:
            assert request["ExclusiveStartKey"] == {"k": {"S": "1"}}
            return {"Items": [{"n": {"N": "2"}}], "ScannedCount": 20}
        return {
            "Items": [{"n": {"N": "0"}}, {"n": {"N": "1"}}],
            "ScannedCount": 10,
            "LastEvaluatedKey": {"k": {"S": "1"}},
        }


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "Scan")


def read(table: Any) -> tuple[int, list[int], list[int]]:
    taken, advanced = list[int](), list[int]()
    count = scan(table, WANTED, 2, lambda item: taken.append(item["n"]), advanced.append)
    return count, sorted(taken), sorted(advanced)


def test_a_request_has_a_name_for_each_part_of_each_path() -> None:
    assert WANTED.request() == {
        "TableName": "t",
        "ProjectionExpression": "#0, #1.#2, #0.#3",
        "FilterExpression": "#0 = :a",
        "ExpressionAttributeNames": {"#0": "kind", "#1": "destinations", "#2": "email", "#3": "of"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    }


def test_every_page_of_every_segment_is_taken_and_counted() -> None:
    table = SegmentsOfTable()
    assert read(table) == (60, [0, 1, 2, 3], [10, 20, 30])
    assert all(request["TableName"] == "t" for request in table.asked)


@pytest.mark.parametrize("code", sorted(PASSING))
def test_a_page_is_asked_for_again_while_the_table_is_busy(code: str) -> None:
    assert read(SegmentsOfTable(refusal(code), refusal(code)))[0] == 60
    with pytest.raises(ContentionError, match=code):
        read(SegmentsOfTable(*[refusal(code)] * 9))


def test_what_aws_refuses_ends_all_segments() -> None:
    first = SegmentsOfTable(refusal("AccessDenied"))
    with pytest.raises(ClientError, match="AccessDenied"):
        read(first)
    failed, pages = Event(), list[int]()

    class EndlessTable:
        def scan(self, **request: Any) -> dict[str, Any]:
            if request["Segment"] == 0:
                failed.set()
                raise refusal("AccessDenied")
            assert failed.wait(5)
            pages.append(1)
            # It would go on for ever.
            assert len(pages) < 100_000
            return {"Items": [], "ScannedCount": 0, "LastEvaluatedKey": {}}

    with pytest.raises(ClientError, match="AccessDenied"):
        read(EndlessTable())
    assert len(pages) < 100_000


@pytest.mark.parametrize(
    ("balances", "faults", "differences", "votes", "holds"),
    [
        (True, (), None, None, True),
        (True, (), 0, 2, True),
        (True, (), None, 2, True),
        (False, (), None, None, False),
        (True, ("f",), None, None, False),
        (False, ("f",), None, None, False),
        (True, (), 1, None, False),
        (True, (), 1, 2, False),
        (True, (), 0, 3, False),
    ],
)
def test_minutes_hold_when_nothing_that_was_compared_differs(
    balances: bool, faults: tuple[str, ...], differences: int | None, votes: int | None, holds: bool
) -> None:
    minutes = Minutes.__new__(Minutes)
    minutes.__dict__.update(
        identifiers=SimpleNamespace(balances=balances),
        faults=faults,
        votes=2,
        platform=PlatformReconciled(votes=votes, differences=differences),
    )
    assert minutes.holds is holds


def test_a_source_is_found_by_its_name() -> None:
    figures = Figures.__new__(Figures)
    sources = tuple(Source(name, available=True, looked_at=1) for name in SourceName)
    figures.__dict__.update(sources=sources)
    assert [figures.source(name) for name in SourceName] == list(sources)
