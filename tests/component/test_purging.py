"""What the purge reads, counts and removes, item by item: what has ended, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from botocore.exceptions import ClientError
from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.tables import ContentionError, to_wire
from reassort_ops.batch_pool import patient_attempts
from reassort_ops.failures import OperatorError
from reassort_ops.purge import Purge, PurgeTally, raise_if_under_way

from harness.service.operated import stack_of
from tests.component.operators import StruckClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from harness.service.world import Browser, Enrolled, World

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# More than two transactions take.
CROWD = 201
KEYS_A_BATCH = 100


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """Let nobody wait before another attempt."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


def counted(
    world: World, now: datetime, client: Any = None, threads: int = 1, looked: list[int] | None = None
) -> Purge:
    """Count what a purge at that instant may remove."""
    purge = Purge(
        dynamodb=client or world.wire.operator.dynamodb,
        stack=stack_of(world),
        election=world.election,
        now=now,
        threads=threads,
    )
    purge.count(([] if looked is None else looked).append)
    return purge


def purged(world: World, now: datetime, client: Any = None, threads: int = 1) -> tuple[Purge, int]:
    """Purge at that instant; return of how many items it was told that they are dealt with, too."""
    dealt: list[int] = []
    purge = counted(world, now, client, threads)
    purge.remove(dealt.append)
    return purge, sum(dealt)


def ending(world: World, table: str, key: dict[str, Any], at: datetime, **more: Any) -> None:
    """Put an item that ends at an instant."""
    world.engine.put(table, {**key, "expires_at": epoch_seconds(at), **more})


def tallies(purge: Purge) -> dict[str, dict[str, tuple[int, int, int, int]]]:
    """Return what was counted, as it stands."""
    return {
        table: {kind: (one.due, one.kept, one.removed, one.renewed) for kind, one in kinds.items()}
        for table, kinds in purge.tallies.items()
        if kinds
    }


@pytest.mark.req("S22")
def test_every_table_is_purged_and_each_kind_is_counted(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    world.agent().look(claire.email)
    world.engine.put("ControlTable", {"key": "control"})
    for key in ("phone#a", "phone#b", "source#a"):
        ending(world, "LimitsTable", {"key": key}, world.clock())
    ending(world, "PaceTable", {"key": "pace#sms"}, world.clock())
    ending(world, "CodeDeliveriesTable", {"delivery_id": "code"}, world.clock(), kind="code")
    kinds = {table: set(kinds) for table, kinds in tallies(counted(world, world.election.roll_ends_at)).items()}
    assert kinds == {
        "sign-in": {"session"},
        "limits": {"phone", "source"},
        "pace": {"pace"},
        "control": {"control"},
        "codes": {"code"},
        "deliveries": {"reissue"},
        "identifiers": {"identifier"},
        "NUMENs": {"NUMEN"},
        "voters": {"voter"},
        "helpdesk's record": {"look or act"},
        "register": {"issued", "reissued"},
    }
    purge, dealt = purged(world, world.election.register_ends_at)
    left = {table for table in world.tables if world.items(table)}
    assert (left, purge.due, purge.removed, purge.renewed) == (set(), dealt, dealt, 0)


@pytest.mark.req("S22", "I7")
def test_nothing_is_read_of_a_voter_but_what_says_when_it_ends(world: World, claire: Enrolled) -> None:
    read: dict[str, set[str]] = {}
    ending(world, "SignInTable", {"voter_id": "a", "key": "codes"}, world.clock())
    with world.recorded() as calls:
        counted(world, world.election.roll_ends_at, world.wire.dynamodb)
    for call in calls:
        assert (call.operation, call.parameters["ConsistentRead"]) == ("Scan", True)
        names = call.parameters["ExpressionAttributeNames"]
        assert call.parameters["ProjectionExpression"].split(", ") == list(names)
        read[call.tables[0]] = set(names.values())
    assert {name: read[world.tables[name]] for name in ("VotersTable", "SignInTable", "DeliveriesTable")} == {
        "VotersTable": {"voter_id", "issued_at"},
        "SignInTable": {"voter_id", "key", "expires_at"},
        "DeliveriesTable": {"delivery_id", "expires_at", "kind"},
    }
    assert read[world.tables["RegisterTable"]] == {"voter_id", "sequence", "change"}
    assert read[world.tables["HelpdeskRecordTable"]] == {"agent", "sequence"}


@pytest.mark.req("S22")
def test_what_has_an_end_of_its_own_ends_then_and_the_rest_with_the_roll(world: World) -> None:
    ends = world.election.roll_ends_at
    ending(world, "LimitsTable", {"key": "phone#a"}, ends + DAY)
    world.engine.put("LimitsTable", {"key": "phone#b"})
    # An end of their own is nothing to items of a table that ends as a whole.
    ending(world, "ControlTable", {"key": "control"}, ends + DAY)
    for at, limits, control in (
        (ends - SECOND, (0, 2), (0, 1)),
        (ends, (1, 1), (1, 0)),
        (ends + DAY - SECOND, (1, 1), (1, 0)),
        (ends + DAY, (2, 0), (1, 0)),
    ):
        found = tallies(counted(world, at))
        assert found["limits"]["phone"][:2] == limits
        assert found["control"]["control"][:2] == control
    purge, dealt = purged(world, ends)
    assert (dealt, purge.due, purge.removed) == (2, 2, 2)
    assert [item["key"] for item in world.items("LimitsTable")] == ["phone#a"]
    assert world.items("ControlTable") == []


@pytest.mark.req("S22")
@pytest.mark.parametrize(
    ("table", "rule", "key"),
    [
        ("SignInTable", "sign-in", {"voter_id": "voter", "key": "codes"}),
        ("PaceTable", "pace", {"key": "sms"}),
        ("CodeDeliveriesTable", "codes", {"delivery_id": "a", "kind": "code"}),
        ("DeliveriesTable", "deliveries", {"delivery_id": "a", "kind": "reissue"}),
    ],
)
def test_an_item_with_an_end_of_its_own_stays_until_then(
    world: World, table: str, rule: str, key: dict[str, str]
) -> None:
    end = world.election.register_ends_at + DAY
    ending(world, table, key, end)
    for at, due in ((end - SECOND, 0), (end, 1)):
        ((kind, found),) = counted(world, at).tallies[rule].items()
        assert (found.due, found.kept) == (due, 1 - due), kind


@pytest.mark.req("S22")
def test_what_is_in_use_again_stays(world: World) -> None:
    now = world.election.roll_ends_at
    for key, at in (("phone#a", now), ("phone#b", now)):
        ending(world, "LimitsTable", {"key": key}, at)
    purge = counted(world, now)
    ending(world, "LimitsTable", {"key": "phone#a"}, now + SECOND)
    # Read as ended, as a scan does that came before.
    for key in ("phone#a", "phone#b"):
        purge._remove_expired(purge.rules[1], [to_wire({"key": key})], lambda _: None)
    assert tallies(purge) == {"limits": {"phone": (2, 0, 1, 1)}}
    assert (purge.due, purge.removed, purge.renewed) == (2, 1, 1)
    assert [item["key"] for item in world.items("LimitsTable")] == ["phone#a"]


@pytest.mark.req("S22")
@pytest.mark.parametrize("threads", [1, 3])
def test_a_crowd_goes_in_whole_transactions(world: World, threads: int) -> None:
    for number in range(CROWD):
        world.engine.put("NumensTable", {"numen_hash": f"{number}", "voter_id": "a"})
    looked: list[int] = []
    assert counted(world, world.election.roll_ends_at, threads=threads, looked=looked).due == CROWD
    assert sum(looked) == CROWD
    with world.recorded() as calls:
        purge, dealt = purged(world, world.election.roll_ends_at, world.wire.dynamodb, threads)
    assert (dealt, purge.removed, world.items("NumensTable")) == (CROWD, CROWD, [])
    sizes = [len(call.parameters["TransactItems"]) for call in calls if call.operation == "TransactWriteItems"]
    assert (sum(sizes), max(sizes) <= KEYS_A_BATCH) == (CROWD, True)
    assert len(sizes) <= CROWD // KEYS_A_BATCH + threads
    segments = {call.parameters["Segment"] for call in calls if call.operation == "Scan"}
    assert segments == set(range(threads))
    # A table of which nothing is due is read once.
    scans = [call.tables for call in calls if call.operation == "Scan"]
    assert scans.count((world.tables["LimitsTable"],)) == threads


class InPages:
    """A client whose AWS gives one item a page."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def scan(self, **request: Any) -> Any:
        """Give a page."""
        return self._client.scan(**request, Limit=1)


@pytest.mark.req("S22")
def test_every_page_is_read(world: World) -> None:
    for number in range(3):
        world.engine.put("NumensTable", {"numen_hash": f"{number}", "voter_id": "a"})
        ending(world, "LimitsTable", {"key": f"phone#{number}"}, world.clock())
    purge, dealt = purged(world, world.election.roll_ends_at, InPages(world.wire.operator.dynamodb))
    assert (purge.due, purge.removed, dealt) == (6, 6, 6)


@pytest.mark.req("S22")
@pytest.mark.parametrize(
    ("window", "member", "by", "is_refused"),
    [
        ("reissue", "opens_at", -SECOND, False),
        ("reissue", "opens_at", 0 * SECOND, True),
        ("voting", "closes_at", -SECOND, True),
        ("voting", "closes_at", 0 * SECOND, False),
    ],
)
def test_nothing_is_purged_from_the_first_opening_to_the_last_close(
    world: World, window: str, member: str, by: timedelta, is_refused: bool
) -> None:
    now = getattr(getattr(world.election.windows, window), member) + by
    if is_refused:
        with pytest.raises(OperatorError, match="under way"):
            raise_if_under_way(world.election, now)
    else:
        raise_if_under_way(world.election, now)


@pytest.mark.req("S22")
@pytest.mark.parametrize("window", ["reissue", "voting"])
def test_either_window_holds_a_purge(world: World, window: str) -> None:
    windows = world.election.windows
    part = getattr(windows, window)
    longer = part.replaced(opens_at=part.opens_at - DAY * 30, closes_at=part.closes_at + DAY * 30)
    election = world.election.replaced(windows=windows.replaced(**{window: longer}))
    for now in (longer.opens_at, longer.closes_at - SECOND):
        with pytest.raises(OperatorError, match="under way"):
            raise_if_under_way(election, now)


@pytest.mark.req("S22")
def test_the_roll_of_a_ballot_that_closed_later_than_the_election_says_is_not_purged(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    closes_at, ends = epoch_milliseconds(world.election.windows.voting.closes_at), world.election.roll_ends_at
    world.change_voter(claire, issued_at=[1, closes_at - 1], generation=2)
    assert counted(world, ends).due > 0
    world.change_voter(claire, issued_at=[1, closes_at], generation=2)
    with pytest.raises(OperatorError, match="deploy the one with the dates of this ballot"):
        counted(world, ends)
    # Before the roll ends there is nothing to fear for it.
    assert counted(world, ends - SECOND)


@pytest.mark.req("S22")
@pytest.mark.parametrize("table", ["NumensTable", "LimitsTable"])
@pytest.mark.parametrize("fault", ["throttled", "timed out", "reply lost"])
def test_a_fault_on_the_way_is_waited_out(world: World, table: str, fault: str) -> None:
    item: dict[str, Any] = {"numen_hash": "a", "voter_id": "a"} if table == "NumensTable" else {"key": "phone#a"}
    world.engine.put(table, item)
    scans = 11
    for call in (1, scans, scans + 1, scans + 2):
        client: Any = StruckClient(world.wire.operator.dynamodb, call, fault)
        client.exceptions = world.wire.operator.dynamodb.exceptions
        world.engine.put(table, item)
        purge, dealt = purged(world, world.election.roll_ends_at, client)
        assert (purge.removed, purge.renewed, dealt, world.items(table)) == (1, 0, 1, [])
        assert client.made >= call


@pytest.mark.req("S22")
def test_a_refusal_of_aws_ends_it(world: World) -> None:
    world.engine.put("NumensTable", {"numen_hash": "a", "voter_id": "a"})

    class Refused:
        """A client who may not read."""

        def scan(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Scan")

    with pytest.raises(ClientError):
        counted(world, world.election.roll_ends_at, Refused())


@pytest.mark.req("S22")
def test_a_purge_that_stops_removes_no_more(world: World) -> None:
    for number in range(CROWD):
        ending(world, "LimitsTable", {"key": f"phone#{number}"}, world.clock())
    purge = counted(world, world.election.roll_ends_at)
    done: list[int] = []

    def stop_after_three(count: int) -> None:
        done.append(count)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        purge.remove(stop_after_three)
    assert (purge.removed, len(world.items("LimitsTable"))) == (3, CROWD - 3)
    with pytest.raises(ContentionError, match="stopped"):
        list(patient_attempts(purge._stopping))
    assert list(purge._pages(purge.rules[1], 0)) == []


def test_a_tally_begins_at_nought() -> None:
    assert PurgeTally() == PurgeTally(due=0, kept=0, removed=0, renewed=0)
