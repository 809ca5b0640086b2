"""A world at one moment, to which it can be put back as often as there are faults to try, and the
time that heals it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from notify.pacing import Lane, Pace
from pydantic import TypeAdapter
from reassort.election import Canaries
from reassort.table_keys import ERASE_SHARDS, pace_key, sms_day_attribute
from reassort_ops.account.operator import Operator

from harness.engines.ministack import MINISTACK
from harness.service.events import queue_event
from harness.service.operated import stack_of
from harness.service.reading import dispute_token_in
from harness.service.wire import Call, CallFault, ProcessDiedError, aws_error
from harness.service.world import Browser, Enrolled, Response, World
from tests.invariants import Ledger

# More than the longest way that a delivery can go: twelve attempts, five receptions, two channels.
_LONGEST_WAY = 80
# Twelve attempts take an hour at most, five receptions half of one, and both may have to begin
# again.
_LONGEST_TIME = timedelta(hours=3)
# How long Lambda waits before it brings a failed batch of a stream again.
_STREAM_RETRY = timedelta(seconds=1)
_SWEEPS = timedelta(minutes=1)


@dataclass(frozen=True)
class Checkpoint:
    """All that changes while a world runs."""

    engine: bytes
    now: datetime
    log: str
    lists: tuple[tuple[list[Any], list[Any]], ...]
    next_record: int
    browsers: tuple[tuple[Browser, dict[str, Any]], ...]
    sealed: dict[str, list[dict[str, str]]]
    secrets: set[str]
    facts: dict[str, Any]


@dataclass
class Stage:
    """A world with one voter, and what a scenario remembers. What it puts in `facts` is put back as
    well.

    Attributes:
        key: the idempotency key of every reissue form, unless a scenario sends several.
        answer: what the client was told in the end.
    """

    world: World
    facts: dict[str, Any] = field(default_factory=dict)
    key: str = "crash-matrix-key-1"
    answer: Response | None = None

    def __post_init__(self) -> None:
        """Enrol the voter and watch what is sealed and sent."""
        self.ledger = Ledger(self.world)
        self.claire: Enrolled = self.ledger.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        self.ledger.hide("06 12 34 56 78", "612345678")
        self.browsers: list[Browser] = []
        self.browser = self.open_browser(signed_in=True)
        self.stack = stack_of(self.world)
        self.agent = self.world.agent("marie", "agent")
        self.second = self.world.agent("sacha", "supervisor")
        self.operator = Operator(self.world.wire.dynamodb, self.stack, self.world.clock, "operator")

    def open_browser(self, *, signed_in: bool = False) -> Browser:
        """Open a browser whose cookies are put back with the world."""
        browser = self.world.signed_in(self.claire) if signed_in else self.world.browser()
        self.browsers.append(browser)
        return browser

    def helpdesk_record(self) -> list[dict[str, Any]]:
        """Return what the helpdesk's record says that was done, in the order of each agent."""
        kept = [item for item in self.world.items("HelpdeskRecordTable") if "action" in item]
        return sorted(kept, key=lambda item: int(item["sequence"]))

    # ------------------------------------------------------------ back to one moment

    def save(self) -> Checkpoint:
        """Return the state of everything."""
        world, wire = self.world, self.world.wire
        lists = (
            wire.calls,
            wire.emails,
            wire.sms,
            wire.alerts,
            wire.announcements,
            wire.interceptors,
            wire.faults,
            world.responses,
            world._records,
            world._entries,
            world._announced,
            self.ledger.late,
        )
        return Checkpoint(
            engine=MINISTACK.save(),
            now=world.clock.now,
            log=world.log_text,
            lists=tuple((live, list(live)) for live in lists),
            next_record=world._next_record,
            browsers=tuple((browser, dict(browser._cookies)) for browser in self.browsers),
            sealed={delivery: list(payloads) for delivery, payloads in self.ledger.sealed.items()},
            secrets=set(self.ledger.secrets),
            facts=dict(self.facts),
        )

    def restore(self, saved: Checkpoint) -> None:
        """Put everything back, the process of delivery included: what a worker remembers dies with
        it.
        """
        world = self.world
        MINISTACK.restore(saved.engine)
        world.clock.set(saved.now)
        world._logs.seek(0)
        world._logs.truncate()
        world._logs.write(saved.log)
        for live, content in saved.lists:
            # A fault counts down how often it strikes.
            live[:] = [copy(entry) if isinstance(entry, CallFault) else entry for entry in content]
        world._next_record = saved.next_record
        for browser, cookies in saved.browsers:
            browser._cookies = dict(cookies)
        self.ledger.sealed = {delivery: list(payloads) for delivery, payloads in saved.sealed.items()}
        self.ledger.secrets = set(saved.secrets)
        self.facts = dict(saved.facts)
        self.answer = None
        self.start_worker()

    def start_worker(self) -> None:
        """Let a new process of the delivery function take over: it has not seen whether a lane is
        busy.

        All else that a process holds never changes; to compile its templates again each time would
        cost a tenth of the matrix.
        """
        world = self.world
        pace = Pace(world.wire.dynamodb, world.tables["PaceTable"], world.election)
        world.notify = replace(world.notify, pace=pace)

    # ------------------------------------------------------------ what a scenario sets up

    def reissue(self, channel: str = "sms", key: str | None = None) -> str:
        """Reissue and return the reference."""
        answer = self.browser.reissue(self.claire.numen, channel=channel, key=key or self.key)
        reference: str = answer.json["reference"]
        self.facts["reference"] = reference
        return reference

    def provider_says(self, operation: str, error: str | BaseException, times: int = -1) -> None:
        """Let a provider refuse what it is asked, in the scenario itself."""
        fault = aws_error(error) if isinstance(error, str) else error
        self.world.fail(operation, fault, times=times, matches=lambda call: not _is_event(call))

    def fill_lane(self, lane: Lane, **ahead: float) -> None:
        """Let the next turn of a lane be so far ahead (a `timedelta` by its arguments), as if many
        messages waited.
        """
        next_at = (self.world.clock() + timedelta(**ahead)).timestamp()
        self.world.engine.put("PaceTable", {"key": pace_key(lane), "next_at": round(next_at * 1_000_000)})

    def use_up_sms(self) -> None:
        """Let all SMS of this day be sent."""
        today = sms_day_attribute(self.world.clock().astimezone(self.world.election.zone))
        cap = self.world.election.sending.sms_per_day
        self.world.engine.put("PaceTable", {"key": pace_key(Lane.SMS), "next_at": 0, today: cap})

    def watch_with_canaries(self) -> None:
        """Switch canaries on, by e-mail and by SMS, and let time pass until the first are due."""
        target = {"domain": "ac-dijon.fr", "mailbox": "sonde@ac-dijon.fr", "handset": "+33698760001"}
        self.ledger.hide(target["mailbox"], target["handset"][3:])
        plan = TypeAdapter(Canaries).validate_python({"every_minutes": 5, "late_after_minutes": 2, "targets": [target]})
        world = self.world
        election = world.election.replaced(canaries=plan)
        world.notify = replace(world.notify, election=election)
        world.clock.move(seconds=1)
        world.sweep()
        world.clock.set(datetime.fromtimestamp(world.clock().timestamp() // 300 * 300 + 300, UTC))
        world.run_outbox()

    def token_of(self, reference: str) -> str:
        """Return the token of a reissue's confirmation."""
        mails = [mail for mail in self.world.mail_about(reference) if mail.tags["message"] == "confirmation"]
        return dispute_token_in(mails[0])

    # ------------------------------------------------------------ time

    def settle(self) -> None:
        """Let stream, queue and sweeper work, each when its time comes, until nothing is left to
        do.
        """
        clock = self.world.clock
        next_sweep = clock.now
        latest = clock.now + _LONGEST_TIME
        for _ in range(_LONGEST_WAY):
            self.work()
            sweep = self._due()
            if sweep is not None:
                sweep = max(sweep, next_sweep)
            moment = min((at for at in (sweep, self._next_event()) if at is not None), default=None)
            if moment is None:
                return
            assert moment <= latest, f"something settles only at {moment}"
            clock.set(max(moment, clock.now))
            if sweep == moment:
                next_sweep = clock.now + _SWEEPS
                with self.surviving():
                    self.world.sweep()
        raise AssertionError("something never settles")

    def work(self) -> None:
        """Let delivery do all it can at this instant."""
        with self.surviving():
            self.world.run_outbox()

    def surviving(self) -> suppress:
        """Go on after a process died."""
        return suppress(ProcessDiedError)

    def replay_events(self) -> None:
        """Bring every event of the stream and every message of the queue again, as they were."""
        records = [record for record in self.world._records if "wake" in record["dynamodb"].get("NewImage", {})]
        if records:
            answer = self.world.wake("notify", self.world.stream_event(records))
            assert answer == {"batchItemFailures": []}
        bodies = [body for call in self.world.calls for body in _queued(call.parameters)]
        if bodies:
            answer = self.world.wake(
                "notify", queue_event(map(_old_message, bodies), "arn:aws:sqs:eu-west-3:1:retries")
            )
            assert answer == {"batchItemFailures": []}
        entries = list(self.world._announced)
        if entries:
            assert self.world.wake("announce", self.world.stream_event(entries)) == {"batchItemFailures": []}

    def _next_event(self) -> datetime | None:
        """Return when the stream or the queue brings something."""
        if self.world.new_records():
            return self.world.clock.now + _STREAM_RETRY
        return _instant(MINISTACK.next_visible(self.world.retry_queue))

    def _due(self) -> datetime | None:
        """Return the minute in which the sweeper finds something; an erasure counts once it is
        due.
        """
        now = self.world.clock.now.timestamp() * 1000
        due = [
            item["due_at"]
            for item in self.world.deliveries()
            if "due_at" in item and (item["due_shard"] not in ERASE_SHARDS or item["due_at"] <= now)
        ]
        return _instant(math.ceil(min(due) / 60_000) * 60) if due else None


def _is_event(call: Call) -> bool:
    """Tell whether a message is for the voting platform's programs: what goes to people has a
    subject or a number.
    """
    return call.operation == "Publish" and not {"Subject", "PhoneNumber"} & set(call.parameters)


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _queued(parameters: dict[str, Any]) -> list[str]:
    if "MessageBody" in parameters:
        return [parameters["MessageBody"]]
    return [entry["MessageBody"] for entry in parameters.get("Entries", ())]


def _old_message(body: str) -> dict[str, Any]:
    """Return a message that SQS brings a second time: it was sent long ago."""
    attributes = {"SentTimestamp": "0", "ApproximateReceiveCount": "1"}
    return {"MessageId": "again", "ReceiptHandle": "again", "Body": body, "MD5OfBody": "", "Attributes": attributes}
