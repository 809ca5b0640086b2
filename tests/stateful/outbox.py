"""How delivery is woken, what comes too late or twice or not at all, and what fails under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition
from reassort.clock import epoch_milliseconds
from reassort.outbox import SETTLED, Kind, Message, Status, delivery_from_item

from harness.engines.ministack import read_stored
from harness.engines.template import OUTBOX
from harness.service.events import queue_event
from harness.service.wire import ProcessDiedError, aws_error, no_reply
from tests.stateful.machine import SENDING, SOME, WHO, Machine, phone_of, step

if TYPE_CHECKING:
    from collections.abc import Callable

# The moment between a claim and what follows from it is where another request does most harm.
MOMENTS = (*SENDING, "Decrypt", "UpdateItem", "GetItem")
# What a delivery keeps until nobody can ask for it any more.
_ERASED = ("payload", "address", "due_shard", "due_at")


def _has_work(machine: Machine) -> bool:
    return bool(machine.woken_events()) or machine.world.engine.has_visible(machine.world.retry_queue)


def _is_overdue(machine: Machine) -> bool:
    now = epoch_milliseconds(machine.world.clock())
    return any(delivery.due_at is not None and delivery.due_at <= now for delivery in machine.deliveries())


class Outbox(Machine):
    """The stream, the retry queue, the sweeper, the providers, and time."""

    @precondition(_has_work)
    @step()
    def run_outbox(self) -> None:
        self.deliver()

    @precondition(lambda self: self.woken_events())
    @step(which=SOME)
    def run_part_of_the_outbox(self, which: list[int]) -> None:
        """Some events, in any order, maybe twice; the trigger will bring all of them again."""
        with self.surviving():
            self.bring(which, self.woken_events())

    @precondition(_is_overdue)
    @step()
    def sweep(self) -> None:
        self.world.sweep()

    @precondition(lambda self: self.woken_events())
    @step()
    def lose_stream(self) -> None:
        """What the stream holds now reaches nobody, as when its trigger is dead: the sweeper is
        what is left.
        """
        events = self.woken_events()
        self.keep_events(events)
        self.lost += events
        self.world.lose_stream()

    @precondition(lambda self: self.lost)
    @step(which=SOME)
    def lost_events_come_late(self, which: list[int]) -> None:
        """The trigger is alive again, and brings what it should have brought, in any order."""
        with self.surviving():
            self.bring(which, self.lost)

    @precondition(lambda self: self.deliveries())
    @step()
    def sweeper_catches_up(self) -> None:
        """R4: two minutes after whatever went wrong, nothing is left that was never tried and waits
        for no retry.
        """
        self.world.repair()
        self.world.clock.move(minutes=2)
        self.world.sweep()
        self.deliver()
        now = epoch_milliseconds(self.world.clock())
        for delivery in self.deliveries():
            for message, state in delivery.messages.items():
                assert delivery.status_of(message) in SETTLED or state.get("not_before", 0) > now

    @precondition(lambda self: self.events)
    @step(which=SOME)
    def replay_events(self, which: list[int]) -> None:
        """I6: once everything is settled, no event of the past changes or sends anything."""
        self.settle()
        events = list(self.events.values())
        self._changes_nothing(lambda: self.bring(which, events))

    @precondition(lambda self: self.deliveries())
    @step(which=SOME)
    def replay_queue_messages(self, which: list[int]) -> None:
        """I6, for what the retry queue brings once more, for example when dead letters are
        redriven.
        """
        self.settle()
        references = [delivery.delivery_id for delivery in self.deliveries()]
        messages = [_queue_message(references[number % len(references)]) for number in which]
        self._changes_nothing(lambda: self.world.wake("notify", queue_event(messages, "arn:aws:sqs:::retries")))

    @precondition(lambda self: self.woken_events())
    @step(who=WHO, moment=st.sampled_from(MOMENTS), what=st.sampled_from(("reissue", "vote", "worker")))
    def something_slips_in(self, who: int, moment: str, what: str) -> None:
        """While delivery works, another request or another worker does."""
        self.be_signed_in(who)

        def work() -> None:
            if events := self.woken_events():
                self.world.another_worker()(self.world.stream_event(events))

        actions: dict[str, Callable[[], object]] = {
            "reissue": lambda: self.request_reissue(who, phone_of(who), "sms"),
            "vote": lambda: self.cast_vote(self.newest_identifier(who)),
            "worker": work,
        }
        with self.slipping_in(moment, actions[what]):
            self.deliver()

    @step(
        operation=st.sampled_from(SENDING),
        how=st.sampled_from(("refused", "throttled", "down", "no reply", "sent, no reply", "sent, died")),
        times=st.integers(1, 3),
    )
    def provider_fails(self, operation: str, how: str, times: int) -> None:
        match how:
            case "refused":
                self.world.fail(operation, "InvalidParameterException", times=times)
            case "throttled":
                self.world.fail(operation, "ThrottlingException", times=times)
            case "down":
                self.world.fail(operation, "InternalServiceErrorException", times=times)
            case "no reply":
                self.world.fail(operation, no_reply(), times=times)
            case "sent, no reply":
                self.replies_lost = True
                self.world.lose_reply(operation, times=times)
            case "sent, died":
                self.replies_lost = True
                self.world.lose_reply(operation, ProcessDiedError(), times=1)

    @precondition(_has_work)
    @step(
        operation=st.sampled_from(("GetItem", "UpdateItem", "Decrypt", "SendMessage")),
        when=st.sampled_from(("before", "after")),
        how=st.sampled_from(("throttled", "no reply", "died")),
        skip=st.integers(0, 4),
    )
    def delivery_fails(self, operation: str, when: str, how: str, skip: int) -> None:
        """A call of a worker fails, or its answer is lost, or the worker dies there; also just
        after it has sent.
        """
        errors = {
            "throttled": aws_error("ThrottlingException"),
            "no reply": no_reply(),
            "died": ProcessDiedError(),
        }
        self.replies_lost |= operation == "UpdateItem"
        inject = self.world.fail if when == "before" else self.world.lose_reply
        fault = inject(operation, errors[how], skip=skip)
        self.deliver()
        fault.times = 0

    @step(seconds=st.sampled_from((1, 29, 61, 5 * 60, 16 * 60, 3 * 3600)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.move(seconds=seconds)

    def _changes_nothing(self, replay: Callable[[], dict[str, Any]]) -> None:
        """Assert it of a replay. What nobody can ask for any more may be erased at its occasion;
        the next finds nothing.
        """
        before, sent = self._kept(), self.sent_count()
        assert replay() == {"batchItemFailures": []}
        assert self._kept() == before
        assert self.sent_count() == sent
        with self.unchanged():
            assert replay() == {"batchItemFailures": []}

    def _kept(self) -> dict[str, Any]:
        """Return all items without what may be erased of them by now."""
        tables: dict[str, Any] = dict(self.snapshot())
        for table in OUTBOX.all:
            tables[table] = [self._kept_of(read_stored(item)) for item in tables[table].values()]
        return tables

    def _kept_of(self, item: dict[str, Any]) -> dict[str, Any]:
        delivery = delivery_from_item(item)
        of_no_use = (
            delivery.kind is Kind.CODE
            or delivery.superseded_at
            or delivery.disputed_at
            or delivery.status_of(Message.IDENTIFIER) is Status.DELIVERED
        )
        if of_no_use or epoch_milliseconds(self.world.clock()) >= self.erased_at(delivery):
            return {name: value for name, value in item.items() if name not in _ERASED}
        return item


def _queue_message(reference: str) -> dict[str, Any]:
    return {
        "MessageId": reference,
        "ReceiptHandle": reference,
        "Body": f'{{"delivery_id": "{reference}"}}',
        "MD5OfBody": "",
    }
