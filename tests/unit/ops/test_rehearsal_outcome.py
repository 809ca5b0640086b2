"""What became of a rehearsal: when it is over, and how each reissue is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Message, Status, code_delivery_item, history_step, reissue_delivery_item
from reassort.tables import to_wire
from reassort_ops.rehearsal import outcome
from reassort_ops.rehearsal.morning import Committed, MorningTally
from reassort_ops.rehearsal.outcome import Delivered, judge, settle

from harness.elections import read_election

NOW = datetime(2018, 11, 29, 9, tzinfo=UTC)
AT = epoch_milliseconds(NOW)
RETENTION = read_election("dijon-2018").retention
STACK: Any = SimpleNamespace(outbox=SimpleNamespace(all=("codes", "deliveries")), identifiers_table="identifiers")


class ScannedTables:
    """Tables that can be scanned, a page for each item."""

    def __init__(self, **tables: list[dict[str, Any]]) -> None:
        self._tables = tables

    def get_paginator(self, operation: str) -> ScannedTables:
        """Return what gives pages."""
        assert operation == "scan"
        return self

    def paginate(self, *, TableName: str, ConsistentRead: bool) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Give each page, as a consistent read does; another one may miss the latest."""
        assert ConsistentRead
        for item in self._tables.get(TableName, []):
            yield {"Items": [to_wire(item)]}


def reissue(reference: str, *steps: tuple[Message, Status, int], **members: Any) -> dict[str, Any]:
    """Return the delivery of a reissue whose messages went so; each stands where its last step left
    it.
    """
    item = reissue_delivery_item(
        reference=reference,
        voter_id=f"voter-{reference}",
        generation=2,
        channel=Channel.SMS,
        destinations={Channel.SMS: "•• 01"},
        phone_hash="p",
        address=b"a",
        payload=b"p",
        request_hash="r",
        now=NOW,
        retention=RETENTION,
    )
    for message, status, after in steps:
        item["history"].append(history_step(AT + after, message, status, Channel.SMS))
        item["messages"][message.value] |= {"status": status.value}
    return {**item, **members}


def code(name: str, status: Status, voter: str = "voter-A") -> dict[str, Any]:
    """Return the delivery of a code."""
    item = code_delivery_item(
        delivery_id=name,
        voter_id=voter,
        address=b"a",
        payload=b"p",
        source="s",
        now=NOW,
        lifetime=timedelta(minutes=15),
    )
    item["messages"]["code"] |= {"status": status.value}
    if status is Status.SENT:
        item["history"].append(history_step(AT + 500, Message.CODE, status))
    return item


def confirmed(*steps: tuple[Message, Status, int]) -> tuple[tuple[Message, Status, int], ...]:
    """Return steps with the confirmation sent after 3 seconds."""
    return (*steps, (Message.CONFIRMATION, Status.SENT, 3000))


def judged(
    *deliveries: dict[str, Any],
    codes: tuple[dict[str, Any], ...] = (),
    committed: tuple[str, ...] = (),
    brought: dict[str, str] | None = None,
    issued: tuple[tuple[str, str, int], ...] = (),
    too_late: frozenset[str] = frozenset(),
) -> Delivered:
    """Judge the deliveries of voters A to F since the rehearsal began."""
    tables = ScannedTables(
        deliveries=list(deliveries),
        codes=list(codes),
        identifiers=[
            {"identifier_hash": hashed, "voter_id": voter, "generation": generation}
            for hashed, voter, generation in issued
        ],
    )
    dynamodb: Any = tables
    tally = MorningTally(committed=[Committed(f"voter-{name}", name, 2, "sms") for name in committed])
    voters = frozenset(f"voter-{name}" for name in "ABCDEF")
    return judge(dynamodb, STACK, tally, voters, AT, brought or {}, too_late)


# ---------------------------------------------------------------- when it is over


def seconds_until_settled(
    monkeypatch: pytest.MonkeyPatch, latest: tuple[str, ...], unsettled: int, failure: Exception | None = None
) -> int:
    """Return how long a rehearsal that committed one reissue waits, with a patience of 20 s, after
    its last change.
    """
    clock = [100]

    async def sleep(seconds: float) -> None:
        assert seconds == 1
        clock[0] += 1

    monkeypatch.setattr(outcome, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(outcome, "asyncio", SimpleNamespace(sleep=sleep))
    post: Any = SimpleNamespace(latest=dict.fromkeys(latest), unsettled=unsettled, failure=failure, changed_at=100)
    tally = MorningTally(committed=[Committed("voter-A", "A", 2, "sms")])
    # Playwright keeps a loop running in the thread that plays the site's tests.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, settle(post, tally, 20)).result()
    return clock[0] - 100


@pytest.mark.parametrize(
    ("latest", "unsettled", "seconds"),
    [(("A",), 0, 9), (("A", "B"), 0, 9), (("A",), 1, 21), (("B",), 0, 21), ((), 0, 21)],
)
def test_a_rehearsal_waits_longer_while_something_is_still_to_be_sent(
    monkeypatch: pytest.MonkeyPatch, latest: tuple[str, ...], unsettled: int, seconds: int
) -> None:
    assert seconds_until_settled(monkeypatch, latest, unsettled) == seconds


def test_messages_that_can_no_longer_be_read_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_until_settled(monkeypatch, (), 1, OSError("the stream is gone")) == 0


# ---------------------------------------------------------------- how a reissue is judged

SENT = (Message.IDENTIFIER, Status.SENT, 1000)


@pytest.mark.parametrize(
    ("steps", "members", "counts"),
    [
        (confirmed(SENT), {}, {"handed_over": 1}),
        (confirmed(SENT, (Message.IDENTIFIER, Status.DELIVERED, 2000)), {}, {"handed_over": 1, "arrived": 1}),
        (confirmed(SENT, (Message.IDENTIFIER, Status.FAILED, 2000)), {}, {"failed": 1}),
        (confirmed(SENT), {"fell_back": True}, {"handed_over": 1, "by_fallback": 1}),
        (confirmed(SENT), {"superseded_at": AT + 5000}, {"handed_over": 1}),
        (confirmed(), {"superseded_at": AT + 5000}, {"superseded": 1}),
        (confirmed(SENT), {"disputed_at": AT + 5000}, {"handed_over": 1, "disputed": 1}),
    ],
)
def test_what_became_of_a_reissue_is_counted(
    steps: tuple[tuple[Message, Status, int], ...], members: dict[str, Any], counts: dict[str, int]
) -> None:
    found = judged(reissue("A", *steps, **members), committed=("A",))
    names = ("handed_over", "arrived", "failed", "superseded", "disputed", "by_fallback", "lost", "wrong", "twice")
    assert {name: getattr(found, name) for name in names} == dict.fromkeys(names, 0) | counts
    assert (found.reissues, found.lost_references, found.wrong_references) == (1, [], [])


def test_what_waits_or_is_nowhere_is_lost() -> None:
    found = judged(reissue("A", *confirmed()), reissue("B", SENT), committed=("A", "C"))
    assert (found.reissues, found.lost, found.lost_references, found.handed_over) == (3, 3, ["A", "B", "C"], 0)


def test_reissues_of_others_and_of_before_are_none_of_the_rehearsals() -> None:
    found = judged(
        reissue("A", *confirmed(SENT)),
        reissue("X", *confirmed(SENT)),
        reissue("B", *confirmed(SENT), created_at=AT - 1),
        codes=(code("old", Status.QUEUED, "voter-X"),),
    )
    assert (found.reissues, found.handed_over, found.lost, found.codes) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("brought", "too_late", "wrong"),
    [
        ({}, frozenset(), 0),
        ({"A": "own"}, frozenset(), 0),
        ({"A": "former"}, frozenset(), 1),
        ({"A": "of another"}, frozenset(), 1),
        ({"A": "never issued"}, frozenset(), 1),
        ({"A": "own"}, frozenset({"A"}), 1),
        ({"A": "former"}, frozenset({"A"}), 1),
        ({"B": "former"}, frozenset({"B"}), 0),
    ],
)
def test_an_identifier_is_the_voters_own_and_of_its_generation(
    brought: dict[str, str], too_late: frozenset[str], wrong: int
) -> None:
    issued = (("own", "voter-A", 2), ("former", "voter-A", 1), ("of another", "voter-B", 2))
    found = judged(reissue("A", *confirmed(SENT)), brought=brought, issued=issued, too_late=too_late)
    assert (found.wrong, found.wrong_references) == (wrong, ["A"] * wrong)


@pytest.mark.parametrize(
    ("times", "rounds", "twice"), [(0, 0, 0), (1, 0, 0), (2, 0, 1), (4, 0, 3), (2, 1, 0), (3, 1, 1), (1, 2, 0)]
)
def test_a_message_leaves_once_in_each_round(times: int, rounds: int, twice: int) -> None:
    sent = [(Message.IDENTIFIER, Status.SENT, 1000 * number) for number in range(1, times + 1)]
    item = reissue("A", *confirmed(*sent))
    item["messages"]["identifier"] |= {"status": "delivered", "round": rounds}
    assert judged(item).twice == twice


def test_a_confirmation_that_leaves_again_is_sent_twice_too() -> None:
    assert judged(reissue("A", *confirmed(SENT), (Message.CONFIRMATION, Status.SENT, 4000))).twice == 1


def test_codes_are_counted_by_themselves() -> None:
    found = judged(codes=(code("one", Status.SENT), code("two", Status.QUEUED), code("three", Status.FAILED)))
    assert (found.codes, found.codes_lost, found.reissues) == (3, 1, 0)
    assert found.waits == {"code by email": [0.5]}


def test_a_wait_ends_when_a_message_first_left() -> None:
    first = reissue("A", *confirmed(SENT, (Message.IDENTIFIER, Status.SENT, 2000)))
    found = judged(first, reissue("B", (Message.IDENTIFIER, Status.FAILED, 700)))
    assert found.waits == {"identifier by sms": [1.0], "confirmation by email": [3.0]}
