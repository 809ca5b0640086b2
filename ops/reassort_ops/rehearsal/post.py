"""How fictional voters get their messages: the stream of the outbox tells when one left, and the
operator's KMS rights open what it said.

On a stack whose messages go to SES's mailbox simulator nobody else could read them. A voter gets a
message here when `notify` has recorded that a provider took it, so what they wait for is what a
real voter would wait for, less the provider's own time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from reassort.outbox import SETTLED, Delivery, Kind, Message, Status, delivery_from_item
from reassort.sealing import Opener
from reassort.tables import from_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

    from reassort_ops.account.stack import Stack

_TAKEN = frozenset({Status.SENT, Status.DELIVERED})
# A shard takes five reads a second, of which the functions' own trigger needs up to four.
_PAUSE_SECONDS = 1.0
_PAUSE_HERE_SECONDS = 0.25
# Shards split under load; their children are found within so long.
_NEW_SHARDS_SECONDS = 15.0
_OPENERS = 16


@dataclass
class Reading:
    """A voter's mailbox and telephone: codes as they arrive, and what each reissue brought, by its
    reference.
    """

    codes: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    reissues: dict[str, asyncio.Future[dict[str, str]]] = field(default_factory=dict)

    def reissue(self, reference: str) -> asyncio.Future[dict[str, str]]:
        """Return what comes of a reissue: `identifier` and `dispute`, the token of the link « ce
        n’était pas moi ».
        """
        return self.reissues.setdefault(reference, asyncio.get_running_loop().create_future())


class Post:
    """Brings their messages to the voters of a rehearsal, from `__aenter__` to `__aexit__`."""

    def __init__(
        self,
        *,
        dynamodb: DynamoDBClient,
        streams: DynamoDBStreamsClient,
        opener: Opener,
        stack: Stack,
        here: bool,
    ) -> None:
        # Every delivery of the voters as it was last seen, by reference the identifier that a
        # reissue brought, and the reissues whose identifier was handed over after their successor
        # had been issued.
        self.latest: dict[str, Delivery] = {}
        self.identifiers: dict[str, str] = {}
        self.sent_too_late: set[str] = set()
        self.changed_at = time.monotonic()
        self.failure: Exception | None = None
        self._dynamodb = dynamodb
        self._streams = streams
        self._opener = opener
        self._stack = stack
        self._pause = _PAUSE_HERE_SECONDS if here else _PAUSE_SECONDS
        self._readings: dict[str, Reading] = {}
        self._sealed: dict[str, bytes] = {}
        self._brought: set[tuple[str, Message]] = set()
        self._stopping = threading.Event()
        self._openers = ThreadPoolExecutor(_OPENERS, "opener")
        self._opening: set[asyncio.Task[None]] = set()

    def reading(self, voter_id: str) -> Reading:
        """Give a voter's mailbox, and from now on bring messages to it."""
        return self._readings.setdefault(voter_id, Reading())

    @property
    def unsettled(self) -> int:
        """Return how many deliveries of the voters still owe a message, as far as is known."""
        return sum(not is_settled(delivery) for delivery in self.latest.values())

    async def __aenter__(self) -> Post:
        """Stand at the end of both streams, then follow them: nothing that is written after this is
        missed.
        """
        self._loop = asyncio.get_running_loop()
        followers = [
            await asyncio.to_thread(_Follower, self._dynamodb, self._streams, table) for table in self._stack.outbox.all
        ]
        self._thread = threading.Thread(target=self._follow, args=(followers,), name="post", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop following."""
        self._stopping.set()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        await asyncio.to_thread(self._thread.join)
        self._openers.shutdown(wait=False, cancel_futures=True)

    def _follow(self, followers: Sequence[_Follower]) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                for follower in followers:
                    for image in follower.read():
                        self._loop.call_soon_threadsafe(self._take, image)
            except (ClientError, BotoCoreError) as error:
                # A throttled read is made again; anything else would leave all voters waiting
                # without a word.
                code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
                if code not in {"LimitExceededException", "ThrottlingException"}:
                    self.failure = error
                    return
            self._stopping.wait(max(0.0, self._pause - (time.monotonic() - started)))

    def _take(self, image: dict[str, Any]) -> None:
        reading = self._readings.get(image["voter_id"])
        if reading is None or self._stopping.is_set():
            return
        delivery = delivery_from_item(image)
        former = self.latest.get(delivery.delivery_id)
        self.latest[delivery.delivery_id] = delivery
        # The stream brings the changes of one item in their order. Their times do not tell: a
        # reissue is dated when it begins, and what it supersedes may have left before it committed.
        if former is not None and former.superseded_at is not None and _times_sent(delivery) > _times_sent(former):
            self.sent_too_late.add(delivery.delivery_id)
        self.changed_at = time.monotonic()
        if delivery.payload is not None:
            self._sealed[delivery.delivery_id] = delivery.payload
        message = Message.CODE if delivery.kind is Kind.CODE else Message.IDENTIFIER
        key = (delivery.delivery_id, message)
        if key not in self._brought and delivery.status_of(message) in _TAKEN and delivery.delivery_id in self._sealed:
            self._brought.add(key)
            task = self._loop.create_task(self._bring(delivery, reading))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _bring(self, delivery: Delivery, reading: Reading) -> None:
        sealed = self._sealed.pop(delivery.delivery_id)
        try:
            payload = await self._loop.run_in_executor(
                self._openers, self._opener.open_payload, delivery.delivery_id, sealed
            )
        except (ClientError, BotoCoreError) as error:
            self.failure = error
            return
        if delivery.kind is Kind.CODE:
            reading.codes.put_nowait(payload["code"])
        else:
            self.identifiers[delivery.delivery_id] = payload["identifier"]
            future = reading.reissue(delivery.delivery_id)
            if not future.done():
                future.set_result(payload)


def is_settled(delivery: Delivery) -> bool:
    """Tell whether nothing more will be sent of a delivery unless somebody asks; a superseded
    identifier never is.
    """
    return all(
        delivery.status_of(message) in SETTLED
        or (message is Message.IDENTIFIER and (delivery.superseded_at is not None or delivery.disputed_at is not None))
        for message in delivery.messages
    )


def _times_sent(delivery: Delivery) -> int:
    return sum(step.status is Status.SENT for step in delivery.identifier_history())


class _Follower:
    """Reads every shard of a table's stream, from where they end now."""

    def __init__(self, dynamodb: DynamoDBClient, streams: DynamoDBStreamsClient, table: str) -> None:
        self._streams = streams
        self._arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._iterators: dict[str, str | None] = {}
        self._look("LATEST")

    def read(self) -> Iterator[dict[str, Any]]:
        """Return the new images of what was written since the last time."""
        if time.monotonic() > self._looked_at + _NEW_SHARDS_SECONDS:
            self._look("TRIM_HORIZON")
        for shard, iterator in self._iterators.items():
            while iterator is not None:
                answer = self._streams.get_records(ShardIterator=iterator, Limit=1000)
                # A shard that was closed ends without a next iterator.
                iterator = answer.get("NextShardIterator")
                self._iterators[shard] = iterator
                for record in answer["Records"]:
                    image = record.get("dynamodb", {}).get("NewImage")
                    if image:
                        yield from_wire(image)
                if len(answer["Records"]) < 1000:
                    break

    def _look(self, start: Any) -> None:
        self._looked_at = time.monotonic()
        request: dict[str, Any] = {"StreamArn": self._arn}
        while True:
            description = self._streams.describe_stream(**request)["StreamDescription"]
            for shard in description["Shards"]:
                name = shard["ShardId"]
                if name in self._iterators:
                    continue
                self._iterators[name] = self._streams.get_shard_iterator(
                    StreamArn=self._arn, ShardId=name, ShardIteratorType=start
                )["ShardIterator"]
            if "LastEvaluatedShardId" not in description:
                return
            request["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]
