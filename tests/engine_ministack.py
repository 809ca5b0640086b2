"""MiniStack's services as a world's AWS, called in process: no server, no sockets, about a millisecond a call.

The SDK does all it does before the wire and after it; only the wire is missing. Calls are answered one at a time, so
transactions are atomic under threads as well, and `ClientRequestToken` is honoured. It enforces no IAM and never throttles.
MiniStack's own reaper of expired items sleeps on the machine's clock and would delete by the world's: tables have no TTL here.
"""

from __future__ import annotations

import json
import logging
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict, request_scope
from ministack.services import dynamodb, kms, ses, ses_v2, sns, sqs
from reassort.tables import from_wire, to_wire

from tests.engines import ACCOUNT, REGION, Channels, Stores, create_channels, create_stores
from tests.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3
    from reassort.tables import Item

# MiniStack's modules by the SDK's name of the service. The second version of SES keeps its e-mails with the first.
_SERVICES = {"dynamodb": dynamodb, "kms": kms, "ses": ses, "sesv2": ses_v2, "sns": sns, "sqs": sqs}
# The key of an item in a table without a sort key.
_NO_SORT_KEY = "__no_sort__"


class MiniStackEngine:
    """MiniStack. Its state is the modules' own, so there is one in a process; every world starts from a copy of what it was."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()

    @contextmanager
    def started(self) -> Iterator[Wire]:
        """Put MiniStack back to the state it had just after the resources were made."""
        self._wire.reset()
        for store, content in self._made[2]:
            store._data.clear()
            store._data.update(deepcopy(content))
        try:
            yield self._wire
        finally:
            for store, _ in self._made[2]:
                store._data.clear()

    @property
    def stores(self) -> Stores:
        """The tables and keys."""
        return self._made[0]

    @property
    def channels(self) -> Channels:
        """The topic and queues."""
        return self._made[1]

    def items(self, table: str) -> list[Item]:
        """Return every item of a table."""
        return [_plain_item(item) for partition in self._table(table)["items"].values() for item in partition.values()]

    def get(self, table: str, key: Item) -> Item | None:
        """Return the item of a whole key."""
        description = self._table(table)
        sort_key = description["sk_name"]
        partition = description["items"].get(str(key[description["pk_name"]]), {})
        item = partition.get(str(key[sort_key]) if sort_key else _NO_SORT_KEY)
        return _plain_item(item) if item is not None else None

    def put(self, table: str, item: Item) -> None:
        """Write an item."""
        request = {"TableName": self.stores.tables[table], "Item": to_wire(item)}
        status, _, body = self._handle(
            "dynamodb",
            "POST",
            "/",
            {"x-amz-target": "DynamoDB_20120810.PutItem"},
            json.dumps(request, default=_as_base64).encode(),
        )
        if status != 200:
            raise ValueError(body.decode())

    def take_stream_records(self, table: str) -> list[dict[str, Any]]:
        """Return what a table's stream holds, and empty it."""
        if "StreamSpecification" not in self._table(table):
            raise LookupError(f"{table} has no stream")
        held = dynamodb._stream_records.get_scoped(ACCOUNT, REGION, self.stores.tables[table], [])
        records: list[dict[str, Any]] = held[:]
        held.clear()
        return records

    def queued_bodies(self, queue_url: str) -> list[str]:
        """Return the bodies of all messages of a queue."""
        return [message["body"] for message in self._messages(queue_url)]

    def has_visible(self, queue_url: str) -> bool:
        """Tell whether a queue would hand out a message now."""
        now = time.time()
        return any(message["visible_at"] <= now for message in self._messages(queue_url))

    @cached_property
    def _wire(self) -> Wire:
        return Wire(self._connect)

    @cached_property
    def _made(self) -> tuple[Stores, Channels, list[tuple[Any, dict[Any, Any]]]]:
        """The resources, and each of MiniStack's stores with its content just after they were made."""
        with _quiet():
            stores, channels = create_stores(self._wire.operator), create_channels(self._wire.operator)
        dynamodb._ttl_settings.clear()
        state = {
            id(store): store
            for module in _SERVICES.values()
            for store in vars(module).values()
            if isinstance(store, (AccountRegionScopedDict, AccountScopedDict))
        }
        return stores, channels, [(store, deepcopy(store._data)) for store in state.values()]

    def _connect(self, session: boto3.Session) -> None:
        session.events.register("before-send.*", self._answer)
        # A signature takes longer than most answers, and nobody here would check it.
        session.events.register("choose-signer.*", lambda **_: UNSIGNED)

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        status, headers, body = self._handle(
            event_name.split(".")[1],
            request.method,
            urlsplit(request.url).path,
            {
                name.lower(): value.decode() if isinstance(value, bytes) else value
                for name, value in request.headers.items()
            },
            request.body.encode() if isinstance(request.body, str) else request.body or b"",
        )
        response = AWSResponse(request.url, status, headers, None)
        response._content = body
        return response

    def _handle(
        self, service: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        handling = _SERVICES[service].handle_request(method, path, headers, body, {})
        with self._one_at_a_time, request_scope(ACCOUNT, REGION):
            try:
                handling.send(None)
            except StopIteration as end:
                status, answered, content = end.value
            else:
                raise RuntimeError(f"{service} waits for something outside of the call")
        return status, answered, content if isinstance(content, bytes) else content.encode()

    def _table(self, table: str) -> dict[str, Any]:
        description: dict[str, Any] = dynamodb._tables.get_scoped(ACCOUNT, REGION, self.stores.tables[table])
        return description

    def _messages(self, queue_url: str) -> list[dict[str, Any]]:
        name = queue_url.rsplit("/", 1)[-1]
        url = sqs._queue_name_to_url.get_scoped(ACCOUNT, REGION, name)
        messages: list[dict[str, Any]] = sqs._queues.get_scoped(ACCOUNT, REGION, url)["messages"]
        return messages


MINISTACK = MiniStackEngine()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MiniStack from logging all it does, each e-mail's addresses too: its first call turns that on for the process."""
    for module in _SERVICES.values():
        module.logger.setLevel(logging.WARNING)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def _plain_item(item: dict[str, dict[str, Any]]) -> Item:
    return {name: _plain(attribute) for name, attribute in item.items()}


def _plain(attribute: dict[str, Any]) -> Any:
    """Read an attribute as MiniStack keeps it, which is as JSON: a binary is its base64."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "M":
            return _plain_item(value)
        case "L":
            return [_plain(element) for element in value]
        case "B":
            return b64decode(value)
        case _:
            return from_wire({"": attribute})[""]


def _as_base64(value: object) -> str:
    # What json.dumps cannot write of an item is a binary, or the SDK's wrapper of one.
    return b64encode(bytes(getattr(value, "value", value))).decode()
