"""AWS around the functions, in virtual time: what wakes them, how long things take, and providers
on a bad day.

The functions, their AWS clients and the AWS that answers (MiniStack, in process) are real. Modelled
is what an account adds: latency, the event source mappings of `template.yaml` with their
concurrency, SQS delays, the sweeper's schedule, cold starts.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict, deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from zlib import crc32

from reassort.outbox import WAKE

from harness.engines.engine import ACCOUNT, REGION
from harness.engines.quick import Aside, forget_sent
from harness.engines.template import OUTBOX
from harness.load.virtual_time import DeadlineError, Simulation
from harness.service.events import queue_event, ses_event, sms_log_event
from harness.service.world import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from harness.service.wire import Call, SentEmail, SentSms
    from harness.service.world import Worker, World

_FIRST_SEQUENCE_NUMBER = 422300000000017454423009
_NETWORK = {"dynamodb": "dynamodb", "kms": "kms", "sqs": "sqs", "sesv2": "provider", "sns": "provider"}


@dataclass(frozen=True)
class Assumptions:
    """What is modelled and not measured. Spans are drawn evenly, by the seed; times are in
    milliseconds unless named otherwise.
    """

    dynamodb_ms: tuple[float, float] = (5, 15)
    transaction_ms: tuple[float, float] = (10, 30)
    kms_ms: tuple[float, float] = (5, 15)
    sqs_ms: tuple[float, float] = (5, 15)
    provider_ms: tuple[float, float] = (50, 100)
    processor_ms: float = 2
    cold_start_ms: float = 1000
    stream_ms: tuple[float, float] = (200, 500)
    shards: int = 4
    parallelization: int = 10
    batch: int = 10
    function_seconds: float = 60
    queue_jitter_ms: tuple[float, float] = (20, 300)
    queue_pollers: int = 5
    queue_pollers_per_second: float = 5
    visibility_seconds: float = 360
    email_receipt_share: float = 0.3
    sms_receipt_share: float = 0.3
    email_receipt_seconds: tuple[float, float] = (1, 8)
    sms_receipt_seconds: tuple[float, float] = (2, 20)
    bounces: float = 0.01
    sms_failures: float = 0.02

    def lines(self) -> list[str]:
        """Say all of it in words."""
        return [
            f"A DynamoDB call takes {_span(self.dynamodb_ms)} ms, a transaction {_span(self.transaction_ms)}, KMS "
            f"{_span(self.kms_ms)}, SQS {_span(self.sqs_ms)}, SES and SNS {_span(self.provider_ms)}; an effect comes "
            "at the end of its call.",
            f"A function computes {self.processor_ms:g} ms before each call (1,024 MB, 0.58 of a processor) and waits "
            f"{self.cold_start_ms:g} ms for a cold start; one environment serves one invocation at a time.",
            f"The stream has {self.shards} shards (a new on-demand table takes 4,000 writes a second, a partition "
            f"1,000) and shows a record after {_span(self.stream_ms)} ms; of each shard {self.parallelization} "
            f"batches of up to {self.batch} records run at once, records of one delivery in order.",
            f"SQS delays by whole seconds and {_span(self.queue_jitter_ms)} ms more; its mapping runs "
            f"{self.queue_pollers} batches at once and {self.queue_pollers_per_second:g} more each second that "
            "messages wait; the sweeper comes every minute.",
            f"Receipts come for {self.email_receipt_share:.0%} of e-mails after {_span(self.email_receipt_seconds)} "
            f"s, of which {self.bounces:.0%} bounce, and for {self.sms_receipt_share:.0%} of SMS after "
            f"{_span(self.sms_receipt_seconds)} s, of which {self.sms_failures:.0%} "
            "failed and are followed by an e-mail.",
        ]


@dataclass(frozen=True)
class Outage:
    """A provider on a bad day, from `start` to `end` (seconds): calls take `takes` seconds more,
    then `error` is raised.

    `per_second` calls get through all the same, None for none.
    """

    operation: str
    start: float
    end: float
    error: Callable[[], Exception]
    takes: float = 0.0
    per_second: float | None = None


@dataclass
class Bill:
    """What one kind of work cost in all."""

    invocations: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0.0
    write_units: float = 0.0
    refused_writes: int = 0
    function_seconds: float = 0.0


class Cloud:
    """Wakes the functions of a world as AWS would.

    Args:
        on_email, on_sms: are given each message at the moment that its provider takes it.
    """

    def __init__(
        self,
        world: World,
        simulation: Simulation,
        random: Random,
        assumptions: Assumptions,
        aside: Aside,
        outages: tuple[Outage, ...] = (),
        *,
        on_email: Callable[[SentEmail], None],
        on_sms: Callable[[SentSms], None],
    ) -> None:
        self.world = world
        self.simulation = simulation
        self.assumptions = assumptions
        self.accounts: defaultdict[str, Bill] = defaultdict(Bill)
        self.busiest = 0
        self.cold_starts = 0
        self.timed_out = 0
        self.batches: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.busy_until = inf
        self._random = random
        self._aside = aside
        self._outages = outages
        self._passed: dict[int, tuple[float, float]] = {}
        self._on_email = on_email
        self._on_sms = on_sms
        self._environments: list[Worker] = []
        self._in_flight = 0
        self._lanes: defaultdict[tuple[int, int], deque[tuple[float, dict[str, Any]]]] = defaultdict(deque)
        self._busy_lanes: set[tuple[int, int]] = set()
        self._shown_at = [0.0] * assumptions.shards
        self._records = 0
        self._pollers = float(assumptions.queue_pollers)
        self._polling = 0
        self._short_of_pollers = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Stand between the functions and AWS as long as the block lasts."""
        wire, events = self.world.wire, self.world.wire.dynamodb.meta.events
        wire.interceptors.append(self._pass)
        events.register("before-parameter-build.dynamodb.*", _ask_for_units, unique_id="units asked")
        events.register("after-call.dynamodb.*", self._count_units, unique_id="units counted")
        wire.sns.meta.events.register("after-call.sns.Publish", self._report_sms, unique_id="SMS reported")
        self.simulation.after_step = self._look
        with ExitStack() as closing:
            closing.callback(events.unregister, "before-parameter-build.dynamodb.*", unique_id="units asked")
            closing.callback(events.unregister, "after-call.dynamodb.*", unique_id="units counted")
            closing.callback(wire.sns.meta.events.unregister, "after-call.sns.Publish", unique_id="SMS reported")
            closing.callback(wire.interceptors.clear)
            # Pauses between retries are virtual as well.
            closing.enter_context(patch("time.sleep", self.simulation.pause))
            self.simulation.at(60, self._sweep)
            self.simulation.at(1, self._scale)
            yield

    @contextmanager
    def accounted(self, kind: str) -> Iterator[None]:
        """Account for what the running task does as work of a kind."""
        task = self.simulation.running
        assert task is not None
        before, task.kind = task.kind, kind
        start = time.thread_time() - self._aside.seconds
        try:
            yield
        finally:
            account = self.accounts[kind]
            account.invocations += 1
            account.function_seconds += time.thread_time() - self._aside.seconds - start
            task.kind = before

    # ------------------------------------------------------------ between the functions and AWS

    def _pass(self, call: Call) -> None:
        """Let a call take its time. It has its effect when this returns."""
        with self._aside.counting():
            self._take_time(call)

    def _take_time(self, call: Call) -> None:
        self.world.wire.calls.clear()
        task = self.simulation.running
        if task is None:
            return
        account = self.accounts[task.kind]
        account.calls[f"{call.service}.{call.operation}"] += 1
        if call.operation == "BatchGetItem":
            # MiniStack does not say; one unit for each key of less than 4 KB, found or not,
            # strongly consistent.
            account.read_units += sum(len(part["Keys"]) for part in call.parameters["RequestItems"].values())
        span = "transaction" if call.operation == "TransactWriteItems" else _NETWORK[call.service]
        latency = self._random.uniform(*getattr(self.assumptions, f"{span}_ms"))
        self.simulation.sleep((self.assumptions.processor_ms + latency) / 1000)
        for position, outage in enumerate(self._outages):
            if outage.operation == call.operation and outage.start <= self.simulation.now < outage.end:
                if self._lets_through(position, outage):
                    continue
                self.simulation.sleep(outage.takes)
                raise outage.error()
        if call.service == "sqs" and call.operation.startswith("SendMessage"):
            delay = call.parameters.get("DelaySeconds", 0)
            jitter = self._random.uniform(*self.assumptions.queue_jitter_ms) / 1000
            self.simulation.at(self.simulation.now + delay + jitter, self._poll)

    def _lets_through(self, position: int, outage: Outage) -> bool:
        if outage.per_second is None:
            return False
        now = self.simulation.now
        at, left = self._passed.get(position, (now, 1.0))
        left = min(outage.per_second, left + (now - at) * outage.per_second)
        passes = left >= 1
        self._passed[position] = (now, left - passes)
        return passes

    def _count_units(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        task = self.simulation.running
        if task is None:
            return
        account = self.accounts[task.kind]
        if "Error" in parsed:
            account.refused_writes += 1
            return
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(part["CapacityUnits"] for part in (consumed if isinstance(consumed, list) else [consumed]))
        if model.name in {"GetItem", "Query"}:
            account.read_units += units
        else:
            account.write_units += units

    def _look(self) -> None:
        """See what has just been done: messages taken by providers, and changes of the outbox."""
        wire = self.world.wire
        if wire.emails:
            for email in wire.emails:
                self._on_email(email)
                self._report_email(email)
            wire.emails.clear()
            forget_sent()
        if wire.sms:
            for sms in wire.sms:
                self._on_sms(sms)
            wire.sms.clear()
            forget_sent()
        if wire.alerts:
            wire.alerts.clear()
        self.world.responses.clear()
        for table in OUTBOX.all:
            for record in self.world.engine.take_stream_records(table):
                if record["dynamodb"].get("NewImage", {}).get("wake", {}).get("S") == WAKE:
                    self._show(record)

    # ------------------------------------------------------------ Lambda

    def _invoke(self, kind: str, handle: Callable[[Worker], Any]) -> Any:
        """Run delivery in an environment of its own.

        Raises:
            DeadlineError: it took longer than the function's timeout.
        """
        task = self.simulation.running
        assert task is not None
        self._in_flight += 1
        self.busiest = max(self.busiest, self._in_flight)
        try:
            if self._environments:
                environment = self._environments.pop()
            else:
                self.cold_starts += 1
                self.simulation.sleep(self.assumptions.cold_start_ms / 1000)
                environment = self.world.another_worker()
            with self.accounted(kind):
                task.deadline = self.simulation.now + self.assumptions.function_seconds
                answer = handle(environment)
            self._environments.append(environment)
        except DeadlineError:
            self.timed_out += 1
            raise
        finally:
            task.deadline = None
            self._in_flight -= 1
        return answer

    # ------------------------------------------------------------ the stream

    def _show(self, record: dict[str, Any]) -> None:
        record["dynamodb"]["SequenceNumber"] = str(_FIRST_SEQUENCE_NUMBER + self._records)
        self._records += 1
        spread = crc32(record["dynamodb"]["NewImage"]["delivery_id"]["S"].encode())
        shard = spread % self.assumptions.shards
        lane = (shard, spread // self.assumptions.shards % self.assumptions.parallelization)
        latency = self._random.uniform(*self.assumptions.stream_ms) / 1000
        self._shown_at[shard] = max(self._shown_at[shard], self.simulation.now + latency)
        self._lanes[lane].append((self._shown_at[shard], record))
        self.simulation.at(self._shown_at[shard], partial(self._feed, lane))

    def _feed(self, lane: tuple[int, int]) -> None:
        """Start a batch of a lane whose last batch has ended."""
        if lane in self._busy_lanes or not self._visible(lane):
            return
        self._busy_lanes.add(lane)
        self.simulation.start(self.simulation.now, "stream", partial(self._run_batch, lane))

    def _visible(self, lane: tuple[int, int]) -> bool:
        records = self._lanes[lane]
        return bool(records) and records[0][0] <= self.simulation.now

    def _run_batch(self, lane: tuple[int, int]) -> None:
        waiting = self._lanes[lane]
        batch: list[tuple[float, dict[str, Any]]] = []
        while self._visible(lane) and len(batch) < self.assumptions.batch:
            batch.append(waiting.popleft())
        event = self.world.stream_event([record for _, record in batch])
        self.batches[f"stream {len(batch)}"] += 1
        again = batch
        try:
            failures = self._invoke("stream", lambda answer: answer(event))["batchItemFailures"]
        except DeadlineError:
            failures = None
        if failures is not None:
            failed = {failure["itemIdentifier"] for failure in failures}
            first = next(
                (i for i, (_, record) in enumerate(batch) if record["dynamodb"]["SequenceNumber"] in failed), None
            )
            again = batch[first:] if first is not None else []
        if again:
            waiting.extendleft(reversed(again))
            self.simulation.sleep(1)
        self._busy_lanes.discard(lane)
        self._feed(lane)

    # ------------------------------------------------------------ the retry queue

    def _poll(self) -> None:
        """Let a poller look, if one is free."""
        if self._polling >= int(self._pollers):
            self._short_of_pollers = True
            return
        self._polling += 1
        self.simulation.start(self.simulation.now, "queue", self._receive)

    def _receive(self) -> None:
        sqs, url = self.world.wire.operator.sqs, self.world.retry_queue
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
        if messages := received.get("Messages", []):
            self.batches[f"queue {len(messages)}"] += 1
            event = queue_event(messages, f"arn:aws:sqs:{REGION}:{ACCOUNT}:retries")
            try:
                answer = self._invoke("queue", lambda answer: answer(event))
                failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            except DeadlineError:
                failed = {message["MessageId"] for message in messages}
            for message in messages:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if failed:
                self.simulation.at(self.simulation.now + self.assumptions.visibility_seconds + 1, self._poll)
        self._polling -= 1
        if messages and (len(messages) == 10 or self._short_of_pollers):
            self._poll()

    def _scale(self) -> None:
        """Give the queue more pollers as long as messages wait for one, and take them back
        afterwards.
        """
        step = self.assumptions.queue_pollers_per_second
        self._pollers = (
            self._pollers + step
            if self._short_of_pollers
            else max(self.assumptions.queue_pollers, self._pollers - step)
        )
        self._short_of_pollers = False
        if self.simulation.now + 1 < self.busy_until:
            self._poll()
            self.simulation.at(self.simulation.now + 1, self._scale)

    def _sweep(self) -> None:
        self.simulation.start(
            self.simulation.now, "sweeper", lambda: self._invoke("sweeper", lambda answer: answer({}))
        )
        self._forget_logs()
        if self.simulation.now + 60 < self.busy_until:
            self.simulation.at(self.simulation.now + 60, self._sweep)

    # ------------------------------------------------------------ receipts

    def _report_email(self, email: SentEmail) -> None:
        if self._random.random() >= self.assumptions.email_receipt_share:
            return
        kind = "bounce" if self._random.random() < self.assumptions.bounces else "delivery"
        at = self.simulation.now + self._random.uniform(*self.assumptions.email_receipt_seconds)
        tags = email.tags

        def report() -> None:
            event = ses_event(kind, tags["delivery"], tags["message"], int(tags["round"]), email.to, at=self._date(at))
            self._invoke("receipt", lambda answer: answer(event))

        self.simulation.start(at, "receipt", report)

    def _report_sms(self, parsed: dict[str, Any], **_: Any) -> None:
        if "Error" in parsed or self._random.random() >= self.assumptions.sms_receipt_share:
            return
        sms_id = parsed["MessageId"]
        failed = self._random.random() < self.assumptions.sms_failures
        at = self.simulation.now + self._random.uniform(*self.assumptions.sms_receipt_seconds)

        def report() -> None:
            facts = ("FAILURE", "Phone is currently unreachable/unavailable") if failed else ()
            event = sms_log_event(sms_id, *facts, at=self._date(at))
            self._invoke("receipt", lambda answer: answer(event))

        self.simulation.start(at, "receipt", report)

    def _date(self, at: float) -> datetime:
        return START + timedelta(seconds=at)

    def _forget_logs(self) -> None:
        """Count what was worse than news in the log, and forget it."""
        for line in self.world.log_text.splitlines():
            if '"level":"WARNING"' in line or '"level":"ERROR"' in line:
                entry = json.loads(line)
                self.faults[entry["message"]] += 1
        self.world._logs.seek(0)
        self.world._logs.truncate()


def _ask_for_units(params: dict[str, Any], **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"


def _span(span: tuple[float, float]) -> str:
    return f"{span[0]:g}–{span[1]:g}"
