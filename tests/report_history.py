"""What an election leaves in the tables and in CloudWatch, as a report reads it: put there by hand,
or drawn by a seed.

Everybody in it is fictional. Deliveries and entries are made by the service's own code and then
given the history that a test wants.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import batched, count
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_milliseconds
from reassort.keyed_hash import KeyedHash
from reassort.outbox import (
    Channel,
    Message,
    Status,
    code_delivery_item,
    history_step,
    reissue_delivery_item,
)
from reassort.reasons import Reason
from reassort.register import GENESIS, Change, Entry
from reassort.table_keys import pace_key, sms_day_attribute
from reassort.tables import Item, to_wire
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.election import Election
    from reassort_ops.account.stack import Stack

_ITEMS_A_WRITE = 25
_DATA_A_CALL = 500


@dataclass(frozen=True)
class MessageEvent:
    """Something that became of a message, so many milliseconds after the request."""

    after: int
    status: Status
    channel: Channel | None = None
    reason: Reason | None = None
    message: Message = Message.IDENTIFIER


def sent(after: int, channel: Channel) -> MessageEvent:
    """A provider took the identifier."""
    return MessageEvent(after, Status.SENT, channel)


def delivered(after: int, channel: Channel) -> MessageEvent:
    """The identifier arrived."""
    return MessageEvent(after, Status.DELIVERED, channel)


def failed(after: int, channel: Channel, reason: Reason) -> MessageEvent:
    """The identifier failed."""
    return MessageEvent(after, Status.FAILED, channel, reason)


def queued(after: int, channel: Channel) -> MessageEvent:
    """The identifier was queued again."""
    return MessageEvent(after, Status.QUEUED, channel)


_ENROLLER = Enroller(KeyedHash(bytes(32)), "roll", 0)


@dataclass
class History:
    """Writes items into the tables of a stack, many at once: nothing is there before `flush`."""

    dynamodb: DynamoDBClient
    stack: Stack
    election: Election
    _pending: list[tuple[str, Item]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def voter(
        self,
        *,
        failures: int = 0,
        locked_until: datetime | None = None,
        frozen_at: datetime | None = None,
        voted_at: datetime | None = None,
        establishment: str = "Lycée",
        reissued_at: Iterable[datetime] = (),
    ) -> str:
        """Put a voter on the roll who stands so; return the pseudonym."""
        enrolment = _ENROLLER.enrol(RollRow(1, f"voter{next(self._numbers)}@ac-dijon.fr", establishment=establishment))
        item = enrolment.voter
        item["issued_at"] = [*item["issued_at"], *map(epoch_milliseconds, reissued_at)]
        item["generation"] = len(item["issued_at"])
        item["numen_failures"] = failures
        for name, at in (("numen_locked_until", locked_until), ("frozen_at", frozen_at), ("voted_at", voted_at)):
            if at is not None:
                item[name] = epoch_milliseconds(at)
        self._put(self.stack.voters_table, item)
        self._put(self.stack.register_table, enrolment.entry.to_item())
        return enrolment.voter_id

    def change(self, change: Change, at: datetime, actor: str) -> None:
        """Append an entry to the register, in a chain of its own: a report reads no chain."""
        entry = Entry(f"voter-{next(self._numbers)}", 2, change, 2, epoch_milliseconds(at), actor, "", GENESIS)
        self._put(self.stack.register_table, entry.to_item())

    def code(self, at: datetime) -> None:
        """Queue a one-time code."""
        item = code_delivery_item(
            delivery_id=f"code-{next(self._numbers)}",
            voter_id="voter",
            address=b"sealed",
            payload=b"sealed",
            source="source",
            now=at,
            lifetime=timedelta(minutes=self.election.limits.code.lifetime_minutes),
        )
        self._put(self.stack.code_deliveries_table, item)

    def reissue(
        self,
        at: datetime,
        channel: Channel,
        domain: str,
        *events: MessageEvent,
        actor: str = "voter",
        kept: bool = True,
        disputed: bool = False,
    ) -> None:
        """Reissue an identifier; `kept` is whether its delivery is still there."""
        self.change(Change.REISSUED, at, actor)
        if not kept:
            return
        item = reissue_delivery_item(
            reference=f"R-{next(self._numbers)}",
            voter_id="voter",
            generation=2,
            channel=channel,
            destinations={Channel.SMS: "•• •• •• 56 78", Channel.EMAIL: f"p•••@{domain}"},
            phone_hash="phone",
            address=b"sealed",
            payload=b"sealed",
            # Who helps fills in no form.
            request_hash="request" if actor == "voter" else "",
            now=at,
            retention=self.election.retention,
        )
        begin = epoch_milliseconds(at)
        for event in events:
            step = history_step(begin + event.after, event.message, event.status, event.channel, event.reason)
            item["history"].append(step)
            item["messages"][event.message.value]["status"] = event.status.value
            if event.message is Message.IDENTIFIER and event.status is Status.QUEUED and event.reason is None:
                item["channel"] = event.channel
        reached = {event.status for event in events}
        if {Status.QUEUED, Status.FAILED} <= reached:
            item["fell_back"] = True
        if disputed:
            item["disputed_at"] = begin + 60_000
        self._put(self.stack.deliveries_table, item)

    def sms_of(self, day: date, number: int) -> None:
        """Let so many SMS be counted against the cap of a day."""
        name = sms_day_attribute(datetime(day.year, day.month, day.day, tzinfo=self.election.zone))
        self.dynamodb.update_item(
            TableName=self.stack.pace_table,
            Key=to_wire({"key": pace_key("sms")}),
            UpdateExpression="SET #day = :number",
            ExpressionAttributeNames={"#day": name},
            ExpressionAttributeValues=to_wire({":number": number}),
        )

    def flush(self) -> None:
        """Write what is pending."""
        for some in batched(self._pending, _ITEMS_A_WRITE, strict=False):
            requests: dict[str, Any] = {}
            for table, item in some:
                requests.setdefault(table, []).append({"PutRequest": {"Item": to_wire(item)}})
            self.dynamodb.batch_write_item(RequestItems=requests)
        self._pending.clear()

    def _put(self, table: str, item: Item) -> None:
        self._pending.append((table, item))


def measure(
    cloudwatch: CloudWatchClient, namespace: str, values: Iterable[tuple[str, datetime, float, dict[str, str]]]
) -> None:
    """Write metrics: name, time, value, dimensions."""
    data: Any = [
        {
            "MetricName": name,
            "Timestamp": at,
            "Value": value,
            "Dimensions": [{"Name": key, "Value": told} for key, told in dimensions.items()],
        }
        for name, at, value, dimensions in values
    ]
    for some in batched(data, _DATA_A_CALL, strict=False):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=list(some))


# ---------------------------------------------------------------- a fictional week

WEEK_BEGINS = datetime(2018, 11, 26, tzinfo=UTC) - timedelta(hours=1)
WEEK_ENDS = datetime(2018, 12, 1, 11, 20, tzinfo=UTC)
# How busy each local hour of a working day is, before the ballot opens.
_HOURS = (0, 0, 0, 0, 0, 1, 4, 14, 34, 46, 44, 34, 22, 26, 38, 42, 38, 28, 18, 14, 12, 9, 5, 2)
# On 29 November at 8 h everybody tries to vote.
_RUSH = {8: 9.0, 9: 6.5, 10: 4.0, 11: 3.0, 12: 2.4, 13: 2.2, 14: 2.0, 15: 1.8}
_SMS_FAILURES = (
    (Reason.PHONE_UNREACHABLE, 12),
    (Reason.CARRIER_REFUSED, 6),
    (Reason.UNKNOWN_NUMBER, 5),
    (Reason.OPTED_OUT, 2),
)
# As the user pool numbers them.
_AGENT = "3f9a2c00-6d98-54c5-b812-c6223d414e46"
# Voters who were given an identifier again: three schools have too few to be named.
_SCHOOLS = (
    ("Lycée Carnot, Dijon", 41),
    ("Université de Bourgogne", 36),
    ("Lycée Montchapet, Dijon", 17),
    ("Collège Le Parc, Dijon", 9),
    ("École Ouest, Chenôve", 4),
    ("École Buffon, Dijon", 2),
)
_MAIL_FAILURES = (
    (Reason.MAILBOX_FULL, 14),
    (Reason.MAIL_REFUSED, 4),
    (Reason.NO_SUCH_MAILBOX, 3),
)


def write_week(history: History, cloudwatch: CloudWatchClient, seed: int = 2018, part: float = 1.0) -> None:
    """Write the first days of a fictional ballot: some thousand reissues a day and what goes with
    them, or a `part` of so many.
    """
    draw = random.Random(seed)  # noqa: S311 - fiction
    zone = history.election.zone
    domains = history.election.domain_names
    metrics: Counter[tuple[str, datetime, str | None]] = Counter()
    sms: Counter[date] = Counter()
    hour = WEEK_BEGINS
    while hour < WEEK_ENDS:
        local = hour.astimezone(zone)
        open_share = min(1.0, (WEEK_ENDS - hour) / timedelta(hours=1))
        busy = _HOURS[local.hour] * (0.3 if local.weekday() >= 5 else 1.0)
        rush = _RUSH.get(local.hour, 1.4) if local.date() == date(2018, 11, 29) else 1.0
        number = _poisson(draw, busy * rush * open_share * part)
        waits = max(0.0, number / part - 200) / 12
        for _ in range(number):
            at = hour + timedelta(seconds=draw.uniform(0, 3600 * open_share))
            domain = draw.choices(domains, (86, 11, 3))[0]
            by_sms = draw.random() < 0.72
            events = list(_events(draw, domain, by_sms=by_sms, waits=waits))
            history.reissue(
                at,
                Channel.SMS if by_sms else Channel.EMAIL,
                domain,
                *events,
                actor="voter" if draw.random() < 0.985 else _AGENT,
            )
            sms[at.astimezone(zone).date()] += by_sms
            sign_ins = 1 + (draw.random() < 0.18)
            metrics["SignedIn", hour, None] += sign_ins
            metrics["CodesQueued", hour, None] += sign_ins + (draw.random() < 0.34)
            metrics["WrongNumens", hour, None] += draw.choices((0, 1, 2), (89, 8, 3))[0]
            locked = draw.random() < 0.006
            metrics["NumenLocks", hour, None] += locked
            if locked and 8 <= local.hour < 19 and draw.random() < 0.6:
                history.change(Change.UNLOCKED, at + timedelta(minutes=draw.randrange(5, 50)), _AGENT)
            if draw.random() < 0.003:
                history.change(Change.FROZEN, at + timedelta(minutes=draw.randrange(5, 300)), "dispute")
                history.voter(frozen_at=at)
            for mail in range(2):
                metrics["HandedOverAfter", hour, domain] += 1
                metrics["Delivered", hour, domain] += not (mail and draw.random() < 0.004)
            if by_sms:
                metrics["SmsSpend", hour, None] += 0.0748  # type: ignore[assignment] # a sum, among counts
        hour += timedelta(hours=1)
    for name, voters in _SCHOOLS:
        for number in range(voters):
            history.voter(establishment=name, reissued_at=[WEEK_BEGINS + timedelta(hours=1 + number % 50)])
    for failures, share in ((1, 60), (2, 31), (3, 12)):
        for _ in range(share):
            history.voter(failures=failures)
    for _ in range(3):
        history.voter(failures=5, locked_until=WEEK_ENDS + timedelta(minutes=9))
    for _ in range(2):
        history.voter(failures=10)
    history.flush()
    for day, counted in sms.items():
        history.sms_of(day, counted)
    measure(cloudwatch, history.stack.name, _as_metrics(metrics))
    spent = sum(value for (name, _, _), value in metrics.items() if name == "SmsSpend")
    measure(cloudwatch, "AWS/SNS", [("SMSMonthToDateSpentUSD", WEEK_ENDS - timedelta(minutes=20), 61 + spent, {})])


def _as_metrics(
    metrics: Counter[tuple[str, datetime, str | None]],
) -> Iterator[tuple[str, datetime, float, dict[str, str]]]:
    for (name, hour, domain), value in metrics.items():
        dimensions = {"channel": "email", "domain": domain} if domain else {}
        if name == "HandedOverAfter":
            # Each is a value of its own: how many there are is what a report reads.
            yield from ((name, hour, 400.0, dimensions) for _ in range(value))
        else:
            yield name, hour, value, dimensions


def _events(draw: random.Random, domain: str, *, by_sms: bool, waits: float) -> Iterator[MessageEvent]:
    confirmed = MessageEvent(900, Status.DELIVERED, Channel.EMAIL, None, Message.CONFIRMATION)
    if by_sms:
        taken = round(1000 * (draw.lognormvariate(-0.5, 0.45) + draw.uniform(0, waits)))
        yield sent(taken, Channel.SMS)
        if draw.random() > 0.024:
            yield delivered(taken + round(1000 * draw.lognormvariate(1.5, 0.8)), Channel.SMS)
        else:
            lost_at = taken + round(1000 * draw.lognormvariate(2.5, 1.0))
            yield failed(lost_at, Channel.SMS, _one_of(draw, _SMS_FAILURES))
            yield queued(lost_at, Channel.EMAIL)
            yield sent(lost_at + 700, Channel.EMAIL)
            yield delivered(lost_at + 2400, Channel.EMAIL)
        yield confirmed
        return
    taken = round(1000 * draw.lognormvariate(-0.8, 0.4))
    yield sent(taken, Channel.EMAIL)
    if draw.random() < (0.05 if domain == "crous-dijon.fr" else 0.008):
        reason = _one_of(draw, _MAIL_FAILURES)
        yield failed(taken + 2500, Channel.EMAIL, reason)
        yield MessageEvent(taken + 2600, Status.FAILED, Channel.EMAIL, reason, Message.CONFIRMATION)
    else:
        yield delivered(taken + round(1000 * draw.lognormvariate(0.4, 0.7)), Channel.EMAIL)
        yield confirmed


def _one_of(draw: random.Random, weighted: tuple[tuple[Reason, int], ...]) -> Reason:
    return draw.choices([reason for reason, _ in weighted], [weight for _, weight in weighted])[0]


def _poisson(draw: random.Random, mean: float) -> int:
    """Draw a number of events (Knuth's method, in steps that do not underflow)."""
    drawn = 0
    while mean > 0:
        step, mean = min(mean, 30.0), mean - 30.0
        limit, product = math.exp(-step), draw.random()
        while product > limit:
            drawn += 1
            product *= draw.random()
    return drawn
