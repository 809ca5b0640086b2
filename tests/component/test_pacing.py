"""Messages leave no faster than the election says, in the order they came, and a voter who has to
wait is told so.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from notify.pacing import DailyCapError, Lane, Pace

from harness.elections import with_rates
from harness.service.wire import no_reply
from harness.service.world import Enrolled, World


def _reissue_many(world: World, number: int, channel: str = "sms") -> list[tuple[Enrolled, str]]:
    """Let voters ask, one after the other, at the same instant."""
    asked = []
    for position in range(number):
        voter = world.enrol(f"agent{position}@ac-dijon.fr", f"09E99{position:05d}ABC")
        phone = f"06 12 34 {position // 100:02d} {position % 100:02d}"
        answer = world.signed_in(voter).reissue(voter.numen, phone, channel)
        asked.append((voter, answer.json["reference"]))
    return asked


@pytest.mark.req("R9")
def test_sms_leave_at_the_rate_and_in_order() -> None:
    with World(election=with_rates()) as world:
        asked = _reissue_many(world, 20)
        start = world.clock()
        for _ in range(30):
            world.run_outbox()
            world.clock.move(seconds=0.5)
        assert len(world.sms) == 20
        assert len({sms.text for sms in world.sms}) == 20
        seconds = Counter(int((sms.at - start) / timedelta(seconds=1)) for sms in world.sms)
        # A second's worth may go ahead at the start.
        assert seconds[0] <= 2 * world.election.sending.sms_per_second
        assert all(count <= world.election.sending.sms_per_second + 1 for second, count in seconds.items() if second)
        order = [next(i for i, (_, ref) in enumerate(asked) if ref in sms.text) for sms in world.sms]
        # Each goes to the number of its own request.
        assert [sms.to for sms in world.sms] == [f"+336123400{position:02d}" for position in order]
        assert (
            max(abs(position - place) for place, position in enumerate(order)) <= world.election.sending.sms_per_second
        )


def test_waiting_for_a_turn_uses_up_no_attempt_and_no_second_message() -> None:
    with World(election=with_rates(sms_per_second=1)) as world:
        asked = _reissue_many(world, 12)
        world.run_for(minutes=2)
        assert len(world.sms) == 12
        assert all(world.delivery_item(reference)["messages"]["identifier"]["attempts"] == 1 for _, reference in asked)
        assert not world.queued_bodies()


@pytest.mark.req("R4")
def test_sweeper_leaves_what_waits_for_its_turn() -> None:
    with World(election=with_rates(sms_per_second=1)) as world:
        _reissue_many(world, 12)
        world.run_outbox()
        waiting = len(world.queued_bodies())
        world.clock.move(seconds=5)
        assert world.sweep() == 0
        assert len(world.queued_bodies()) == waiting


@pytest.mark.req("R9", "I2")
def test_wait_of_more_than_a_quarter_of_an_hour_is_kept() -> None:
    with World(election=with_rates(sms_per_second=1, sms_per_day=5000)) as world:
        for _ in range(1200):
            world.notify.pace.take_turn(Lane.SMS, world.clock())
        ((voter, reference),) = _reissue_many(world, 1)
        world.run_outbox()
        shown = world.signed_in(voter).status(reference).json
        assert 1190 <= shown["expected_wait"] <= 1200
        world.run_for(minutes=19)
        assert not world.sms
        world.run_for(minutes=2)
        assert len(world.sms) == 1


def test_long_wait_is_told_and_email_goes_at_once() -> None:
    with World(election=with_rates(emails_per_second=200)) as world:
        asked = _reissue_many(world, 40)
        world.run_outbox()
        voter, reference = asked[-1]
        browser = world.signed_in(voter)
        shown = browser.status(reference).json
        assert (shown["status"], shown["expected_wait"]) == ("queued", 20)
        middle, middle_reference = asked[19]
        assert world.signed_in(middle).status(middle_reference).json["expected_wait"] == 10
        # The first ones wait too little to be told.
        first, first_reference = asked[8]
        assert "expected_wait" not in world.signed_in(first).status(first_reference).json
        assert browser.redeliver(reference, "email", numen=voter.numen).status == 202
        world.run_outbox()
        shown = browser.status(reference).json
        assert (shown["status"], shown["channel"]) == ("sent", "email")
        assert "expected_wait" not in shown
        world.run_for(minutes=2)
        # Its turn among the SMS passes unused.
        assert len(world.sms) == 39


@pytest.mark.req("R9")
@pytest.mark.parametrize("error", ["Throttling", "InternalError", no_reply()], ids=["throttles", "fails", "is silent"])
def test_provider_that_throttles_or_does_not_answer_slows_the_whole_lane(error: str | Exception) -> None:
    with World(election=with_rates()) as world:
        before = world.notify.pace.take_turn(Lane.SMS, world.clock())
        _reissue_many(world, 1)
        world.fail("Publish", error)
        world.run_outbox()
        after = world.notify.pace.take_turn(Lane.SMS, world.clock())
        assert after - before >= 2000
        # Another lane is not concerned.
        assert world.notify.pace.take_turn(Lane.CODE, world.clock()) - before < 1000


@pytest.mark.req("I2")
def test_silent_provider_is_asked_once_a_batch_and_holds_up_nothing_else() -> None:
    with World(election=with_rates(sms_per_second=20)) as world:
        _reissue_many(world, 10)
        world.fail("Publish", no_reply(), times=100)
        world.deliver_stream()
        assert [call.operation for call in world.calls].count("Publish") == 1
        # Every confirmation went all the same.
        assert len(world.emails) == 10
        world.repair()
        world.run_for(minutes=2)
        assert len(world.sms) == 10


@pytest.mark.req("S15", "S13", "I2")
def test_day_cap_sends_the_rest_by_email() -> None:
    with World(election=with_rates(sms_per_day=3)) as world:
        asked = _reissue_many(world, 5)
        world.run_for(minutes=1)
        assert len(world.sms) == 3
        capped = [
            reference
            for voter, reference in asked
            if world.signed_in(voter).status(reference).json["channel"] == "email"
        ]
        assert len(capped) == 2
        for reference in capped:
            (email,) = [mail for mail in world.mail_about(reference) if mail.tags["message"] == "identifier"]
            assert reference in email.text
            assert email.to == next(voter.email for voter, other in asked if other == reference)
        reasons = {step.get("reason") for reference in capped for step in world.delivery_item(reference)["history"]}
        assert reasons == {None, "sms-cap-reached"}
        assert world.metrics("SmsCapUsed")[-1] == 100
        with pytest.raises(DailyCapError):
            world.notify.pace.take_turn(Lane.SMS, world.clock())
        # Another day, in the election's own time zone.
        world.clock.move(days=1)
        world.notify.pace.take_turn(Lane.SMS, world.clock())


@pytest.mark.req("R5", "I2", "I6")
def test_event_that_comes_again_over_the_cap_stops_no_email() -> None:
    with World(election=with_rates(sms_per_day=1)) as world:
        world.notify.pace.take_turn(Lane.SMS, world.clock())
        ((voter, reference),) = _reissue_many(world, 1)
        event = world.stream_event(world.new_records())
        for _ in range(2):
            # The worker that queued it by e-mail died at once, and the stream brings the SMS again.
            world.wake("notify", event)
        world.run_outbox()
        shown = world.signed_in(voter).status(reference).json
        assert (shown["status"], shown["channel"]) == ("sent", "email")


def test_lane_used_at_less_than_its_rate_refuses_few_writes() -> None:
    with World(election=with_rates(emails_per_second=150)) as world:
        workers = [Pace(world.wire.dynamodb, world.tables["PaceTable"], world.election) for _ in range(8)]
        chance = Random(1)  # noqa: S311 - a test that can be repeated
        for number in range(300):
            # Two thirds of the rate, as unevenly as people come.
            world.clock.move(seconds=chance.expovariate(100))
            workers[number % 8].take_turn(Lane.EMAIL, world.clock())
        # One for each turn, and a few guesses that were wrong.
        assert len(world.calls) < 1.1 * 300


def test_pace_of_many_workers_is_one() -> None:
    with World(election=with_rates()) as world:
        workers = [Pace(world.wire.dynamodb, world.tables["PaceTable"], world.election) for _ in range(4)]
        now = world.clock()
        turns = [workers[number % 4].take_turn(Lane.SMS, now) for number in range(12)]
        assert [turn - turns[0] for turn in turns] == [500 * number for number in range(12)]
        # After a pause the lane is free at once.
        world.clock.move(minutes=1)
        assert workers[0].take_turn(Lane.SMS, world.clock()) == int(world.clock().timestamp() * 1000)
