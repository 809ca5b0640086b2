"""The record of the election: what each act writes, all of it at once; and which acts are none."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort.clock import epoch_milliseconds, iso
from reassort.reissue_switch import AS_THE_FILE_SAYS, STOPPED, ReissueSwitch
from reassort.table_keys import CONTROL_KEY, control_shard_keys
from reassort.tables import ContentionError, to_wire
from reassort_ops.election_control import (
    Standing,
    close_reissues,
    open_reissues,
    prolong_ballot,
    raise_if_not_ahead,
    read_standing,
)
from reassort_ops.failures import OperatorError

from tests.component.operators import BusyClient, StruckClient
from tests.register_chain import broken_links

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election
    from reassort_ops.account.operator import Operator

    from harness.service.world import World

TABLE = "ControlTable"
SECOND, TWO_DAYS = timedelta(seconds=1), timedelta(days=2)
LONGEST_PAUSE = 0.3


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the command would have waited, each time."""
    found: list[float] = []
    monkeypatch.setattr("reassort_ops.election_control.time.sleep", found.append)
    return found


def standing(operator: Operator) -> Standing:
    """Read the record."""
    return read_standing(operator.dynamodb, operator.stack)


def with_windows(election: Election, **moved: timedelta) -> Election:
    """Return the election with other windows: `voting_closes_at` and the like, by how much."""
    windows = election.windows
    for name, by in moved.items():
        part, _, member = name.partition("_")
        window = getattr(windows, part)
        windows = windows.replaced(**{part: window.replaced(**{member: getattr(window, member) + by})})
    return election.replaced(windows=windows)


def prolonged(election: Election, by: timedelta = TWO_DAYS) -> Election:
    """Return the election with both closes later."""
    return with_windows(election, voting_closes_at=by, reissue_closes_at=by)


@pytest.mark.req("S24")
def test_before_the_first_act_there_is_no_record(operator: Operator) -> None:
    assert standing(operator) == Standing(ReissueSwitch(), None, ())


@pytest.mark.req("S24", "I9")
def test_an_act_writes_record_items_and_entry(world: World, operator: Operator) -> None:
    switch = close_reissues(world.election, "leak", operator)
    (entry,) = world.election_chain()
    said = {"opens_at": STOPPED.opens_at, "closes_at": STOPPED.closes_at}
    closes_at = epoch_milliseconds(world.election.windows.voting.closes_at)
    record = {"chain_length": 1, "chain_head": entry["hash"], "ballot_closes_at": closes_at}
    assert {item["key"]: item for item in world.items(TABLE)} == {
        CONTROL_KEY: {"key": CONTROL_KEY, **said, **record},
        **{key: {"key": key, **said} for key in control_shard_keys()},
    }
    assert (entry["generation"], entry["at"]) == (0, epoch_milliseconds(world.clock()))
    found = standing(operator)
    assert (switch, found.switch, found.differing, found.ballot_closes_at) == (STOPPED, STOPPED, (), closes_at)
    assert found.latest is not None
    assert found.latest.to_item() == entry
    assert open_reissues(world.election, "leak stopped", operator) == standing(operator).switch == AS_THE_FILE_SAYS
    assert broken_links(world.election_chain()) == []


@pytest.mark.req("S24")
@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_items_that_say_something_else_than_the_record_are_named(world: World, operator: Operator, harm: str) -> None:
    close_reissues(world.election, "leak", operator)
    for key in (control_shard_keys()[0], control_shard_keys()[-1]):
        if harm == "changed":
            world.engine.put(TABLE, {"key": key, "opens_at": 0, "closes_at": 1})
        else:
            operator.dynamodb.delete_item(TableName=world.tables[TABLE], Key=to_wire({"key": key}))
    assert standing(operator).differing == (control_shard_keys()[0], control_shard_keys()[-1])
    operator.dynamodb.delete_item(
        TableName=world.tables["RegisterTable"], Key=to_wire({"voter_id": "election", "sequence": 1})
    )
    assert standing(operator).latest is None


def test_the_record_is_read_consistently_and_whole(world: World, operator: Operator) -> None:
    close_reissues(world.election, "leak", operator)
    with world.recorded() as calls:
        read_standing(world.wire.dynamodb, operator.stack)
    asked = calls[0].parameters["RequestItems"][world.tables[TABLE]]
    assert asked["ConsistentRead"] is True

    class UnfinishedClient:
        """A client whose AWS leaves what it was asked for."""

        def batch_get_item(self, **request: Any) -> Any:
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    with pytest.raises(ContentionError):
        read_standing(UnfinishedClient(), operator.stack)  # type: ignore[arg-type]


@pytest.mark.req("S24")
def test_reissues_close_early_from_that_instant_on(world: World, operator: Operator) -> None:
    at, window = world.clock() + SECOND, world.election.windows.reissue
    switch = close_reissues(world.election, "bureau", operator, at)
    assert switch == ReissueSwitch(epoch_milliseconds(window.opens_at), epoch_milliseconds(at))
    assert standing(operator).switch == switch
    assert world.election_chain()[-1]["reference"] == f"{iso(at)} bureau"


@pytest.mark.req("S24")
def test_reissues_are_not_closed_at_an_instant_that_has_passed(world: World, operator: Operator) -> None:
    with pytest.raises(OperatorError, match="has passed"):
        close_reissues(world.election, "bureau", operator, world.clock())
    assert (world.items(TABLE), world.election_chain()) == ([], [])


@pytest.mark.req("S24")
def test_reissues_close_early_within_their_window_and_in_the_future(world: World) -> None:
    window = world.election.windows.reissue

    def told(at: datetime, now: datetime) -> str:
        try:
            raise_if_not_ahead(world.election, at, now)
        except OperatorError as error:
            return str(error)
        return ""

    now = world.clock()
    assert "has passed" in told(now, now)
    assert told(now + SECOND, now) == ""
    before = window.opens_at - SECOND
    assert "is not within the window" in told(window.opens_at, before)
    assert told(window.opens_at + SECOND, before) == ""
    assert told(window.closes_at, before) == ""
    assert "is not within the window" in told(window.closes_at + SECOND, before)


@pytest.mark.req("S24", "I9")
@pytest.mark.parametrize("slip", ["another act", "a throttle"])
def test_an_act_that_meets_something_is_made_again(
    world: World, operator: Operator, pauses: list[float], slip: str
) -> None:
    close_reissues(world.election, "leak", operator)
    before = (lambda: close_reissues(world.election, "bureau", operator)) if slip == "another act" else None
    client = StruckClient(operator.dynamodb, 2, "throttled", before)
    open_reissues(world.election, "leak stopped", client.of(operator))
    changes = ["closed", "closed", "opened"] if before else ["closed", "opened"]
    assert [entry["change"] for entry in world.election_chain()] == changes
    assert broken_links(world.election_chain()) == []
    assert len(pauses) == 1


@pytest.mark.req("S24")
def test_an_act_that_meets_reissues_all_the_time_changes_nothing(
    world: World, operator: Operator, pauses: list[float]
) -> None:
    with pytest.raises(OperatorError, match="nothing was changed"):
        close_reissues(world.election, "leak", BusyClient(operator.dynamodb).of(operator))
    assert world.items(TABLE) == []
    assert len(pauses) > 1
    assert all(0 <= pause <= LONGEST_PAUSE for pause in pauses)


# ---------------------------------------------------------------- prolonging


@pytest.mark.req("O3", "I9")
def test_a_prolongation_is_recorded_and_no_later_act_takes_it_back(world: World, operator: Operator) -> None:
    close_reissues(world.election, "bureau", operator, world.clock() + SECOND)
    later = prolonged(world.election)
    closes_at = later.windows.voting.closes_at
    assert prolong_ballot(world.election, later, "outage", operator) == AS_THE_FILE_SAYS
    found, entry = standing(operator), world.election_chain()[-1]
    assert (found.switch, found.ballot_closes_at) == (AS_THE_FILE_SAYS, epoch_milliseconds(closes_at))
    assert (entry["change"], entry["reference"]) == ("prolonged", f"{iso(closes_at)} outage")
    close_reissues(world.election, "leak", operator)
    assert standing(operator).ballot_closes_at == epoch_milliseconds(closes_at)
    assert prolong_ballot(world.election, prolonged(later), "again", operator) == STOPPED
    assert standing(operator).switch == STOPPED


@pytest.mark.req("O3")
def test_a_prolongation_is_recorded_once_and_also_after_its_deploy(world: World, operator: Operator) -> None:
    later = prolonged(world.election)
    open_reissues(world.election, "bureau", operator)
    # Deployed, and nobody has recorded why.
    prolong_ballot(later, later, "outage", operator)
    for deployed in (later, world.election):
        with pytest.raises(OperatorError, match="nothing to prolong"):
            prolong_ballot(deployed, later, "outage", operator)
    assert [entry["change"] for entry in world.election_chain()] == ["opened", "prolonged"]


@pytest.mark.req("O3")
def test_without_a_record_the_deployed_close_is_the_known_one(world: World, operator: Operator) -> None:
    for by in (timedelta(), -SECOND):
        with pytest.raises(OperatorError, match="nothing to prolong"):
            prolong_ballot(world.election, prolonged(world.election, by), "outage", operator)
    assert prolong_ballot(world.election, prolonged(world.election, SECOND), "outage", operator)


@pytest.mark.req("O3")
@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ({}, "windows.reissue.closes_at is not later too"),
        ({"reissue_closes_at": -SECOND}, "windows.reissue.closes_at is not later too"),
        ({"reissue_closes_at": SECOND, "voting_opens_at": SECOND}, "changes more than the two closes"),
        ({"reissue_closes_at": SECOND, "reissue_opens_at": SECOND}, "changes more than the two closes"),
    ],
)
def test_a_file_that_does_not_just_prolong_is_refused(
    world: World, operator: Operator, moved: dict[str, timedelta], told: str
) -> None:
    with pytest.raises(OperatorError, match=told):
        prolong_ballot(world.election, with_windows(world.election, voting_closes_at=SECOND, **moved), "x", operator)
    assert world.items(TABLE) == []


@pytest.mark.req("O3")
def test_a_file_that_changes_something_beside_the_closes_is_refused(world: World, operator: Operator) -> None:
    later = prolonged(world.election).replaced(name="another")
    with pytest.raises(OperatorError, match="changes more than the two closes"):
        prolong_ballot(world.election, later, "outage", operator)


@pytest.mark.req("O3")
def test_a_ballot_is_prolonged_until_it_closes(world: World, operator: Operator) -> None:
    closes_at = world.election.windows.voting.closes_at
    world.clock.set(closes_at)
    with pytest.raises(OperatorError, match="a closed ballot is not prolonged"):
        prolong_ballot(world.election, prolonged(world.election), "outage", operator)
    world.clock.set(closes_at - SECOND)
    assert prolong_ballot(world.election, prolonged(world.election), "outage", operator)
