"""Messages that the service sends to itself, on the way that voters' take, to see that they arrive.

The sweeper queues one for each mailbox and handset of the election file (`canaries`) whenever it is
due. From the outbox on it is a delivery like any other: claimed, paced, sent by SES or SNS,
reported on. It is about no voter and holds neither code nor identifier. Its id says when it was
due, so each is queued once, however many sweeps overlap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError
from reassort.clock import epoch_milliseconds, epoch_seconds, from_milliseconds
from reassort.election import CanaryTarget
from reassort.outbox import CANARY_VOTER, Channel, Message, Status, canary_delivery_item
from reassort.table_keys import CANARY_PREFIX, pace_key
from reassort.tables import BUSY_OR_UNREACHABLE, ContentionError, Item, from_wire, to_wire

from notify.deps import Deps

_MINUTE = 60_000
# The day before reissues open is the last on which something can be fixed without anybody waiting.
_AHEAD = timedelta(days=1)
# For how long the instant is kept from which on canaries are missed; each sweep prolongs it.
_KEPT_SECONDS = 3 * 86_400


@dataclass(frozen=True)
class Canary:
    """One canary: of which mail domain, by which channel, and when it was due (milliseconds since
    1970).
    """

    domain: str
    channel: Channel
    due_at: int

    @property
    def delivery_id(self) -> str:
        """Return its id in the outbox. SES allows no dot in a tag, and a domain has no
        underscore.
        """
        return f"{CANARY_PREFIX}{self.domain.replace('.', '_')}-{self.channel}-{self.due_at // _MINUTE}"

    @classmethod
    def of(cls, delivery_id: str) -> Self:
        """Return the canary of a delivery's id. Raises ValueError when it is of another form."""
        domain, channel, minute = delivery_id.removeprefix(CANARY_PREFIX).rsplit("-", 2)
        return cls(domain.replace("_", "."), Channel(channel), int(minute) * _MINUTE)


def sweep_canaries(deps: Deps) -> None:
    """Queue what is due and measure what is missing.

    It raises nothing that AWS answers, for what waits must be swept all the same. What cannot be
    looked at counts as missing.
    """
    now = deps.clock()
    if not _watches(now, deps):
        return
    try:
        missing = _sweep(now, deps)
    except BUSY_OR_UNREACHABLE as error:
        deps.event_log.fault("canaries not swept", error)
        missing = {(channel, target.domain): True for target, channel in _destinations(deps)}
    deps.meters.measure_missing_canaries(missing)


def _sweep(now: datetime, deps: Deps) -> dict[tuple[Channel, str], bool]:
    canaries = deps.election.canaries
    assert canaries is not None  # noqa: S101 - for the type: `_watches` says so
    at, every = epoch_milliseconds(now), canaries.every_minutes * _MINUTE
    since = _watched_since(now, deps)
    latest = at // every * every
    # The latest one whose time to arrive is over.
    judged = (at - canaries.late_after_minutes * _MINUTE) // every * every
    stored = _read(
        {
            Canary(target.domain, channel, due_at).delivery_id
            for target, channel in _destinations(deps)
            for due_at in (latest, judged)
        },
        deps,
    )
    missing = {}
    for target, channel in _destinations(deps):
        due, late = (Canary(target.domain, channel, due_at) for due_at in (latest, judged))
        if due.due_at >= since and due.delivery_id not in stored:
            _queue(due, target, now, deps)
        arrived = stored.get(late.delivery_id) is Status.DELIVERED
        missing[channel, target.domain] = late.due_at >= since and not arrived
    return missing


def _watches(now: datetime, deps: Deps) -> bool:
    window = deps.election.windows.reissue
    return deps.election.canaries is not None and window.opens_at - _AHEAD <= now < window.closes_at


def _destinations(deps: Deps) -> Iterator[tuple[CanaryTarget, Channel]]:
    for target in deps.election.canaries.targets if deps.election.canaries else ():
        if target.mailbox:
            yield target, Channel.EMAIL
        if target.handset:
            yield target, Channel.SMS


def _watched_since(now: datetime, deps: Deps) -> int:
    """Return when canaries were switched on (milliseconds since 1970): none that was due before is
    missed.
    """
    answer = deps.dynamodb.update_item(
        TableName=deps.pace_table,
        Key=to_wire({"key": pace_key("canary")}),
        UpdateExpression="SET watched_since = if_not_exists(watched_since, :now), expires_at = :kept",
        ExpressionAttributeValues=to_wire(
            {":now": epoch_milliseconds(now), ":kept": epoch_seconds(now) + _KEPT_SECONDS}
        ),
        ReturnValues="ALL_NEW",
    )
    since: int = from_wire(answer["Attributes"])["watched_since"]
    return since


def _read(delivery_ids: set[str], deps: Deps) -> dict[str, Status]:
    """Return where the canaries stand that are in the outbox, strongly consistent."""
    answer = deps.dynamodb.batch_get_item(
        RequestItems={
            deps.outbox.deliveries: {
                "Keys": [to_wire({"delivery_id": delivery_id}) for delivery_id in sorted(delivery_ids)],
                "ProjectionExpression": "delivery_id, messages",
                "ConsistentRead": True,
            }
        }
    )
    if answer.get("UnprocessedKeys"):
        raise ContentionError("UnprocessedKeys")
    items = [from_wire(item) for item in answer["Responses"].get(deps.outbox.deliveries, [])]
    return {item["delivery_id"]: Status(item["messages"][Message.CANARY]["status"]) for item in items}


def _queue(canary: Canary, target: CanaryTarget, now: datetime, deps: Deps) -> None:
    """Put a canary into the outbox, unless another sweep did. One that cannot be sealed or put must
    not keep the others back.
    """
    try:
        deps.dynamodb.put_item(
            TableName=deps.outbox.deliveries,
            Item=to_wire(_item(canary, target, now, deps)),
            ConditionExpression="attribute_not_exists(delivery_id)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            deps.event_log.fault("canary not queued", error, delivery=canary.delivery_id)
    except BotoCoreError as error:
        deps.event_log.fault("canary not queued", error, delivery=canary.delivery_id)


def _item(canary: Canary, target: CanaryTarget, now: datetime, deps: Deps) -> Item:
    address, payload = None, {}
    if canary.channel is Channel.SMS:
        payload = {"phone": target.handset or ""}
    else:
        address = deps.sealer.seal_address(CANARY_VOTER, target.mailbox or "")
    return canary_delivery_item(
        delivery_id=canary.delivery_id,
        channel=canary.channel,
        address=address,
        # Empty for an e-mail, and sealed all the same: that KMS opens it is a part of the way.
        payload=deps.sealer.seal_payload(canary.delivery_id, payload),
        now=now,
    )


def seconds_on_the_way(delivery_id: str, arrived_at: int) -> tuple[Canary, float]:
    """Return a canary and how long after it was due it arrived, `arrived_at` (milliseconds since
    1970), in seconds.
    """
    canary = Canary.of(delivery_id)
    late_by = from_milliseconds(arrived_at) - from_milliseconds(canary.due_at)
    return canary, max(late_by.total_seconds(), 0.0)
