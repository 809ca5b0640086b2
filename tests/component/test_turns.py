"""The turns of lanes and networks, to the millisecond: when a message may go, and whose turn it
waits for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from notify.pacing import CodesUsedUpError, DailyCapError, Lane, Pace, TurnTooLateError
from reassort.clock import epoch_milliseconds
from reassort.outbox import Message
from reassort.table_keys import pace_key, share_key, sms_day_attribute

from harness.elections import read_election, with_rates
from harness.service.wire import Call
from harness.service.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORK, OTHER_NETWORK = "a network", "another network"
# A network's share of 20 codes a second: one in 3.2 s, and four more at once.
SHARE, AT_ONCE = 3200, 4
CODE, SMS = 50, 500
SHORT = 5000


@pytest.fixture
def world() -> Iterator[World]:
    """A service that sends 20 codes, 20 other e-mails and 2 SMS a second."""
    with World(election=with_rates()) as world:
        yield world


def _now(world: World) -> int:
    return epoch_milliseconds(world.clock())


def _fill(world: World, milliseconds: int) -> None:
    """Let the lane of codes be this long."""
    until = (_now(world) + milliseconds) * 1000
    world.engine.put("PaceTable", {"key": pace_key(Lane.CODE), "next_at": until})


# ---------------------------------------------------------------- a network's share


@pytest.mark.req("S31")
def test_a_network_has_some_turns_at_once_and_then_waits_for_itself(world: World) -> None:
    pace, now = world.notify.pace, _now(world)
    latest = now + 60_000
    turns = [pace.take_share(NETWORK, world.clock(), latest) - now for _ in range(AT_ONCE + 4)]
    assert turns == [0] * (AT_ONCE + 1) + [SHARE, 2 * SHARE, 3 * SHARE]
    assert pace.take_share(OTHER_NETWORK, world.clock(), latest) == now
    # What it did not use comes back, and no more than that.
    world.clock.move(minutes=10)
    later = _now(world)
    again = [pace.take_share(NETWORK, world.clock(), later + 60_000) - later for _ in range(AT_ONCE + 2)]
    assert again == [0] * (AT_ONCE + 1) + [SHARE]


@pytest.mark.req("S31")
def test_a_share_beyond_the_life_of_a_code_is_not_taken(world: World) -> None:
    pace, now = world.notify.pace, _now(world)
    for _ in range(AT_ONCE + 1):
        pace.take_share(NETWORK, world.clock(), now)
    for _ in range(2):
        with pytest.raises(TurnTooLateError):
            pace.take_share(NETWORK, world.clock(), now + SHARE - 1)
    assert pace.take_share(NETWORK, world.clock(), now + SHARE) == now + SHARE


@pytest.mark.req("S31")
def test_a_network_of_an_election_that_sends_few_codes_has_two_at_once_and_one_of_the_kept(world: World) -> None:
    few = with_rates(codes_per_second=4, codes_per_day=100)
    pace, now = Pace(world.wire.dynamodb, world.tables["PaceTable"], few), _now(world)
    turns = [pace.take_share(NETWORK, world.clock(), now + 60_000) - now for _ in range(3)]
    assert turns == [0, 0, 5 * SHARE]
    pace.take_kept_code(NETWORK, world.clock())
    with pytest.raises(CodesUsedUpError):
        pace.take_kept_code(NETWORK, world.clock())


@pytest.mark.parametrize(("lane", "apart"), [(Lane.CODE, 20), (Lane.EMAIL, 40), (Lane.SMS, 500)])
def test_the_turns_of_a_lane_are_as_far_apart_as_the_election_says(world: World, lane: Lane, apart: int) -> None:
    rates = with_rates(codes_per_second=50, emails_per_second=25, sms_per_second=2)
    pace = Pace(world.wire.dynamodb, world.tables["PaceTable"], rates)
    first, *others = [pace.take_turn(lane, world.clock()) for _ in range(4)]
    assert [turn - first for turn in others] == [apart, 2 * apart, 3 * apart]


# ---------------------------------------------------------------- the lane of codes


@pytest.mark.req("S31")
@pytest.mark.parametrize("knows", [True, False], ids=["known", "not known"])
def test_a_short_turn_is_one_within_five_seconds(world: World, knows: bool) -> None:
    pace, now = world.notify.pace, _now(world)
    _fill(world, SHORT + 1)
    for _ in range(2 if knows else 1):
        with pytest.raises(TurnTooLateError):
            pace.take_short_turn(NETWORK, world.clock())
    world.clock.move(milliseconds=1)
    assert pace.take_short_turn(NETWORK, world.clock()) == now + SHORT + 1
    world.clock.move(milliseconds=CODE - 1)
    with pytest.raises(TurnTooLateError):
        pace.take_short_turn(NETWORK, world.clock())


@pytest.mark.req("S31")
def test_a_worker_that_knows_of_a_flood_spares_the_lane_a_write(world: World) -> None:
    _fill(world, SHORT + 1)
    for writes in (1, 0):
        with world.recorded() as calls, pytest.raises(TurnTooLateError):
            world.notify.pace.take_short_turn(NETWORK, world.clock())
        assert len(calls) >= writes
        assert bool(calls) is bool(writes)


@pytest.mark.req("S31")
def test_a_turn_of_a_code_up_to_its_end_is_taken_and_none_beyond(world: World) -> None:
    pace, now = world.notify.pace, _now(world)
    _fill(world, 60_000)
    with pytest.raises(TurnTooLateError):
        pace.take_code_turn(NETWORK, world.clock(), now + 59_999)
    assert pace.take_code_turn(NETWORK, world.clock(), now + 60_000) == now + 60_000
    assert pace.take_turn(Lane.CODE, world.clock()) == now + 60_000 + CODE


@pytest.mark.req("S31", "I2")
@pytest.mark.parametrize("waits", [0, 2 * SHARE])
def test_a_code_in_a_flood_waits_for_its_network_and_then_for_the_lane(world: World, waits: int) -> None:
    claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
    world.browser().ask_code(claire.email)
    (item,) = world.items("CodeDeliveriesTable")
    now = _now(world)
    for _ in range(AT_ONCE + waits // SHARE if waits else 0):
        world.notify.pace.take_share(item["source"], world.clock(), now + 60_000)
    _fill(world, 60_000)
    world.run_outbox()
    (item,) = world.items("CodeDeliveriesTable")
    state = item["messages"]["code"]
    if waits:
        assert state["network_turn"] == now + waits
        assert "turn" not in state
        world.clock.move(milliseconds=waits)
        world.drain_retries()
        (item,) = world.items("CodeDeliveriesTable")
        state = item["messages"]["code"]
    assert state["turn"] == now + 60_000
    assert world.emails == []
    assert world.metrics("CodesUsed") == [pytest.approx(100 * 5.76 / (86_400 * 0.8))], "its own alone"
    assert world.metrics("SmsCapUsed") == []
    world.run_for(minutes=1)
    assert len(world.emails) == 1


@pytest.mark.req("S5", "S31")
@pytest.mark.parametrize(
    ("lane", "reason", "used"),
    [
        pytest.param({"next_at": 20}, "code-expired", [], id="its turn would come too late"),
        pytest.param({"next_at": 0, "room_at": 2 * 24 * 60}, "codes-used-up", [100], id="no room is left"),
    ],
)
def test_a_code_that_may_not_go_fails_at_once(
    world: World, lane: dict[str, int], reason: str, used: list[float]
) -> None:
    claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
    world.browser().ask_code(claire.email)
    minutes = {name: (_now(world) + ahead * 60_000) * 1000 for name, ahead in lane.items()}
    world.engine.put("PaceTable", {"key": pace_key(Lane.CODE), **minutes})
    world.run_outbox()
    (item,) = world.items("CodeDeliveriesTable")
    assert (item["messages"]["code"]["status"], item["messages"]["code"]["reason"]) == ("failed", reason)
    assert "payload" not in item
    assert world.emails == []
    assert world.metrics("CodesUsed") == used


# ---------------------------------------------------------------- any lane


@pytest.mark.req("R9")
def test_a_lane_that_is_a_little_behind_is_still_in_use(world: World) -> None:
    pace, start = world.notify.pace, _now(world)
    pace.take_turn(Lane.SMS, world.clock())
    world.clock.move(milliseconds=SMS + 199)
    pace.take_turn(Lane.SMS, world.clock())
    assert pace.take_turn(Lane.SMS, world.clock()) == start + 2 * SMS
    world.clock.move(minutes=1)
    pace.take_turn(Lane.SMS, world.clock())
    world.clock.move(milliseconds=SMS + 200)
    now = _now(world)
    assert [pace.take_turn(Lane.SMS, world.clock()) - now for _ in range(2)] == [0, SMS]


@pytest.mark.req("R9")
def test_a_provider_that_throttles_has_two_seconds_of_rest_and_no_less_than_it_had(world: World) -> None:
    pace, now = world.notify.pace, _now(world)
    pace.slow_down(Lane.SMS, world.clock())
    assert pace.take_turn(Lane.SMS, world.clock()) == now + 2000
    pace.slow_down(Lane.SMS, world.clock())
    assert pace.take_turn(Lane.SMS, world.clock()) == now + 2000 + SMS


@pytest.mark.req("R9")
def test_a_message_goes_at_once_within_a_second_of_its_turn_and_not_before(world: World) -> None:
    claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
    for _ in range(4):
        world.notify.pace.take_turn(Lane.SMS, world.clock())
    reference = world.signed_in(claire).reissue(claire.numen).json["reference"]
    world.deliver_stream()
    assert world.sms == []
    assert world.delivery(reference).turn_of(Message.IDENTIFIER) == _now(world) + 4 * SMS
    world.clock.move(milliseconds=999)
    world.drain_retries()
    assert world.sms == []
    world.clock.move(milliseconds=1)
    world.drain_retries()
    assert len(world.sms) == 1


@pytest.mark.req("R9")
def test_a_message_whose_turn_is_within_a_second_does_not_wait(world: World) -> None:
    claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
    for _ in range(2):
        world.notify.pace.take_turn(Lane.SMS, world.clock())
    world.signed_in(claire).reissue(claire.numen)
    world.deliver_stream()
    assert (len(world.sms), len(world.emails)) == (1, 1)
    assert world.queued_bodies() == []
    assert world.metrics("SmsCapUsed") == [pytest.approx(0.3)]
    assert world.metrics("CodesUsed") == []


@pytest.mark.req("S13")
def test_a_day_has_as_many_sms_as_the_election_says(world: World) -> None:
    pace = world.notify.pace
    used = []
    for _ in range(world.election.sending.sms_per_day):
        pace.take_turn(Lane.SMS, world.clock())
        used.append(pace.sms_cap_used)
    assert used[:10] == [pytest.approx(0.1 * number) for number in range(1, 11)]
    assert used[-1] == 100
    with pytest.raises(DailyCapError):
        pace.take_turn(Lane.SMS, world.clock())


@pytest.mark.req("S13")
def test_the_days_cap_turns_over_at_the_midnight_of_the_election(world: World) -> None:
    """In Nouméa, where a day of UTC begins at 11:00: asked at 10:30, 11:30, 23:30 and 0:30."""
    election = read_election("nouvelle-caledonie-2026")
    pace = Pace(world.wire.dynamodb, world.tables["PaceTable"], election)
    start = datetime(2026, 12, 2, 23, 30, tzinfo=UTC)
    world.engine.put("PaceTable", {"key": pace_key(Lane.SMS), "sms_20261203": election.sending.sms_per_day})
    for hours in (0, 1, 13):
        with pytest.raises(DailyCapError):
            pace.take_turn(Lane.SMS, start + timedelta(hours=hours))
    pace.take_turn(Lane.SMS, start + timedelta(hours=14))


@pytest.mark.req("S13")
def test_an_sms_over_the_days_cap_is_measured_and_goes_by_email(world: World) -> None:
    claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
    day = sms_day_attribute(world.clock().astimezone(world.election.zone))
    world.engine.put("PaceTable", {"key": pace_key(Lane.SMS), day: world.election.sending.sms_per_day})
    world.signed_in(claire).reissue(claire.numen)
    for _ in range(2):
        world.run_outbox()
    assert world.metrics("SmsCapUsed") == [100]
    assert (len(world.sms), len(world.emails)) == (0, 2)


@pytest.mark.req("I7")
def test_what_is_kept_of_a_network_ends_after_three_days(world: World) -> None:
    """As docs/privacy.md says."""
    now, pace = world.clock(), world.notify.pace
    pace.take_share(NETWORK, now, _now(world))
    pace.take_turn(Lane.EMAIL, now)
    for key in (share_key(NETWORK), pace_key(Lane.EMAIL)):
        item = world.engine.get("PaceTable", {"key": key})
        assert item is not None
        assert item["expires_at"] == int((now + timedelta(days=3)).timestamp())


@pytest.mark.req("S31")
def test_a_network_has_a_150th_of_what_is_kept_and_of_a_small_room_one_code(world: World) -> None:
    """Of 30,000 codes a day a fifth of half is kept."""
    pace = world.notify.pace
    for _ in range(20):
        pace.take_kept_code(NETWORK, world.clock())
    with pytest.raises(CodesUsedUpError):
        pace.take_kept_code(NETWORK, world.clock())
    pace.take_kept_code(OTHER_NETWORK, world.clock())
    world.clock.move(days=1)
    pace.take_kept_code(NETWORK, world.clock())


# ---------------------------------------------------------------- what a turn costs


def _writes(world: World, lane: Lane) -> int:
    """Take a turn, and return how many writes were tried for it."""
    with world.recorded() as calls:
        world.notify.pace.take_turn(lane, world.clock())
    return len(calls)


@pytest.mark.req("P3")
@pytest.mark.parametrize(
    ("next_at", "room_at", "writes"),
    [
        pytest.param(-1, -1, 1, id="idle, nothing used"),
        pytest.param(-1, 1, 2, id="idle, some used"),
        pytest.param(1, -1, 2, id="busy, nothing used"),
        pytest.param(1, 0, 2, id="busy, all there again since this moment"),
        pytest.param(1, 1, 3, id="busy, some used"),
    ],
)
def test_each_wrong_guess_of_a_worker_costs_one_write(world: World, next_at: int, room_at: int, writes: int) -> None:
    """It expects an idle lane of which nothing is used."""
    seconds = {"next_at": next_at, "room_at": room_at}
    item = {name: (_now(world) + 1000 * ahead) * 1000 for name, ahead in seconds.items()}
    world.engine.put("PaceTable", {"key": pace_key(Lane.CODE), **item})
    assert _writes(world, Lane.CODE) == writes
    assert _writes(world, Lane.CODE) == 1


@pytest.mark.req("P3")
def test_a_worker_expects_a_lane_that_it_used_to_be_in_use_for_a_second(world: World) -> None:
    writes = []
    for wait in (0, 999, 1000):
        world.clock.move(milliseconds=wait)
        writes.append(_writes(world, Lane.EMAIL))
    assert writes == [1, 2, 1]


@pytest.mark.req("P3")
def test_a_worker_knows_when_all_the_room_is_there_again(world: World) -> None:
    """Of 30,000 codes a day, half at once, one comes back each 5.76 s."""
    writes = []
    for wait in (0, 5760, 5760):
        world.clock.move(milliseconds=wait)
        writes.append(_writes(world, Lane.CODE))
        assert world.notify.pace.codes_used == pytest.approx(100 * 5.76 / (86_400 * 0.8))
    assert writes == [1, 1, 1]


@pytest.mark.req("R9")
def test_a_room_that_changes_before_each_write_is_tried_eight_times(world: World) -> None:
    now, writes = _now(world), 0

    def change(_: Call) -> None:
        nonlocal writes
        room = -60_000 if writes % 2 else 60_000
        item = {"next_at": now - 60_000, "room_at": now + room}
        world.engine.put("PaceTable", {"key": pace_key(Lane.CODE), **{name: at * 1000 for name, at in item.items()}})
        writes += 1

    world.wire.interceptors.append(change)
    assert world.notify.pace.take_turn(Lane.CODE, world.clock()) == now
    assert writes == 8


@pytest.mark.req("R9")
def test_a_lane_whose_item_is_gone_gives_its_turn(world: World) -> None:
    pace, now = world.notify.pace, _now(world)
    pace.take_turn(Lane.EMAIL, world.clock())
    key = {"key": {"S": pace_key(Lane.EMAIL)}}
    world.wire.operator.dynamodb.delete_item(TableName=world.tables["PaceTable"], Key=key)
    assert pace.take_turn(Lane.EMAIL, world.clock()) == now


@pytest.mark.req("S13")
def test_a_lane_that_rests_gives_the_one_sms_of_its_day(world: World) -> None:
    one_a_day = with_rates(sms_per_day=1)
    pace, now = Pace(world.wire.dynamodb, world.tables["PaceTable"], one_a_day), _now(world)
    pace.slow_down(Lane.SMS, world.clock())
    assert pace.take_turn(Lane.SMS, world.clock()) == now + 2000
    with pytest.raises(DailyCapError):
        pace.take_turn(Lane.SMS, world.clock())


@pytest.mark.req("R9")
def test_a_lane_that_changes_before_each_write_is_lightly_used(world: World) -> None:
    now = _now(world)
    expects_idle = [True, False, True, False]

    def change(_: Call) -> None:
        ahead = 60_000 if expects_idle.pop(0) else -60_000
        world.engine.put("PaceTable", {"key": pace_key(Lane.EMAIL), "next_at": (now + ahead) * 1000})

    world.wire.interceptors.append(change)
    assert world.notify.pace.take_turn(Lane.EMAIL, world.clock()) == now
    assert expects_idle == []
