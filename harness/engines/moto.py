"""moto as a world's AWS.

moto is not atomic under threads and knows neither `ClientRequestToken` nor IAM, TTL or throttling:
what depends on those is shown elsewhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.ses.models import ses_backends
from moto.sqs.models import sqs_backends
from reassort.tables import from_wire, to_wire

from harness.engines.engine import ACCOUNT, REGION, Channels, Stores, create_channels, create_stores
from harness.service.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moto.dynamodb.models.table import Table
    from moto.sqs.models import Queue
    from reassort.tables import Item

# What holds moto's own state of the stores, by the attribute of its backend.
_KEPT: tuple[tuple[Any, str], ...] = (
    (dynamodb_backends, "tables"),
    (kms_backends, "keys"),
    (ses_backends, "email_identities"),
    (ses_backends, "config_sets"),
    (cloudformation_backends, "stacks"),
)


class MadeOnce[T]:
    """What `make` makes through moto's API, made once: each mock after that begins from a copy of
    the state that moto was in, which is several times as quick.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    @property
    def made(self) -> T:
        """Return what `make` returned."""
        return self._first[0]

    def restore(self) -> T:
        """Put the state into the mock that has just begun, and return what `make` returned."""
        made, state = self._first
        for mocks, name, content in state:
            getattr(mocks[ACCOUNT][REGION], name).update(_copied(name, content))
        return made

    @cached_property
    def _first(self) -> tuple[T, tuple[tuple[Any, str, Any], ...]]:
        made = self._make()
        return made, tuple((mocks, name, _copied(name, getattr(mocks[ACCOUNT][REGION], name))) for mocks, name in _KEPT)


class MotoEngine:
    """moto. What a test sets up and looks at goes straight to its tables: through the API it took a
    third of all the time.
    """

    def __init__(self) -> None:
        self.channels: Channels

    @contextmanager
    def started(self) -> Iterator[Wire]:
        """Start moto on a copy of the state it had just after the stores were made, a third quicker
        than to make them again.
        """
        with mock_aws():
            self._wire.reset()
            self._stores.restore()
            self.channels = create_channels(self._wire.operator)
            yield self._wire

    @property
    def stores(self) -> Stores:
        """The tables and keys."""
        return self._stores.made

    def items(self, table: str) -> list[Item]:
        """Return every item of a table."""
        return [from_wire(item.to_json()["Attributes"]) for item in self._table(table).all_items()]

    def get(self, table: str, key: Item) -> Item | None:
        """Return the item of a whole key."""
        return next((item for item in self.items(table) if key.items() <= item.items()), None)

    def put(self, table: str, item: Item) -> None:
        """Write an item."""
        dynamodb_backends[ACCOUNT][REGION].put_item(self.stores.tables[table], to_wire(item))

    def take_stream_records(self, table: str) -> list[dict[str, Any]]:
        """Return what a table's stream holds and empty it: moto makes a deep copy of it for every
        transaction.
        """
        # Straight from moto's table: its stream API does not answer on this region's endpoint.
        shard = self._table(table).stream_shard
        if shard is None:
            raise LookupError(f"{table} has no stream")
        records = [record.to_json() for record in shard.items]
        shard.items.clear()
        return records

    def queued_bodies(self, queue_url: str) -> list[str]:
        """Return the bodies of all messages of a queue."""
        return [message.body for message in self._queue(queue_url)._messages]

    def has_visible(self, queue_url: str) -> bool:
        """Tell whether a queue would hand out a message now."""
        return bool(self._queue(queue_url).messages)

    @cached_property
    def _wire(self) -> Wire:
        # Made inside moto's mock: clients made before it reach the network.
        return Wire()

    @cached_property
    def _stores(self) -> MadeOnce[Stores]:
        return MadeOnce(lambda: create_stores(self._wire.operator))

    def _table(self, table: str) -> Table:
        return dynamodb_backends[ACCOUNT][REGION].get_table(self.stores.tables[table])

    def _queue(self, queue_url: str) -> Queue:
        return sqs_backends[ACCOUNT][REGION].get_queue(queue_url.rsplit("/", 1)[-1])


MOTO = MotoEngine()


def _copied(name: str, content: dict[str, Any]) -> dict[str, Any]:
    # Only tables change in the course of a test; the others, locks inside, cannot be copied whole.
    return deepcopy(content) if name == "tables" else dict(content)
