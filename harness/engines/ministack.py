"""MiniStack's services as a world's AWS, called in process: no server, no sockets, about half a
millisecond a call.

The SDK checks and writes every request and reads the answers; nothing is signed, sent or retried.
Calls are answered one at a time, so transactions are atomic under threads as well, and
`ClientRequestToken` is honoured. It enforces no IAM and never throttles. MiniStack's own reaper of
expired items sleeps on the machine's clock and would delete by the world's: tables have no TTL
here.

Where moto reads an update's expression more strictly, its reading holds: no path twice, no clause
twice, no sign that DynamoDB does not know.
"""

from __future__ import annotations

import json
import logging
import pickle
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from copy import deepcopy
from functools import cache, cached_property
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS
from botocore.parsers import ResponseParserFactory
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict, request_scope
from ministack.services import dynamodb, kms, ses, ses_v2, sns, sqs
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import ActionCountValidator, OverlappingPathsValidator
from reassort.tables import from_wire, to_wire

from harness.engines.engine import ACCOUNT, REGION, Channels, Stores, create_channels, create_stores, seeded
from harness.service.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import OperationModel
    from reassort.tables import Item

# MiniStack's modules by the SDK's name of the service. The second version of SES keeps its e-mails
# with the first.
_SERVICES = {"dynamodb": dynamodb, "kms": kms, "ses": ses, "sesv2": ses_v2, "sns": sns, "sqs": sqs}
# What these operations answer is JSON except binaries. The SDK's own reading of it, attribute by
# attribute, takes half of a call.
_ANSWERED_WITH_ITEMS = frozenset(
    {"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactWriteItems", "UpdateItem"}
)
# The key of an item in a table without a sort key.
NO_SORT_KEY = "__no_sort__"


class MiniStackEngine:
    """MiniStack. Its state is the modules' own, so there is one in a process; every world starts
    from a copy of what it was.
    """

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._parsers = ResponseParserFactory()
        self._is_running = False

    @contextmanager
    def started(self) -> Iterator[Wire]:
        """Put MiniStack back to the state it had just after the resources were made."""
        if self._is_running:
            raise RuntimeError("a world runs already in this process")
        self._wire.reset()
        for store, content in self._made[2]:
            store._data.clear()
            store._data.update(deepcopy(content))
        self._is_running = True
        try:
            yield self._wire
        finally:
            self._is_running = False
            for store, _ in self._made[2]:
                store._data.clear()

    @contextmanager
    def tables_for_all(self) -> Iterator[None]:
        """Answer every DynamoDB client whose session begins inside the block, those of boto3's
        default session too.
        """
        handler = ("before-call.dynamodb", self._answer)
        with self.started():
            BUILTIN_HANDLERS.append(handler)
            boto3.DEFAULT_SESSION = None
            try:
                yield
            finally:
                BUILTIN_HANDLERS.remove(handler)
                boto3.DEFAULT_SESSION = None

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
        return [read_stored(item) for item in self.stored(table).values()]

    def stored(self, table: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return a table as MiniStack keeps it, by partition and sort key (`read_stored` gives the
        plain item).

        A write puts another item instead of the former and never changes one, so what was seen
        once stays what it was, and two looks at an unchanged table are compared without reading an
        item.
        """
        return {
            (partition_key, sort_key): item
            for partition_key, partition in self._table(table)["items"].items()
            for sort_key, item in partition.items()
        }

    def get(self, table: str, key: Item) -> Item | None:
        """Return the item of a whole key."""
        description = self._table(table)
        sort_key = description["sk_name"]
        partition = description["items"].get(str(key[description["pk_name"]]), {})
        item = partition.get(str(key[sort_key]) if sort_key else NO_SORT_KEY)
        return read_stored(item) if item is not None else None

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

    def next_visible(self, queue_url: str) -> float | None:
        """Return when a queue will hand out its next message (seconds since 1970), None when it
        holds none.
        """
        return min((message["visible_at"] for message in self._messages(queue_url)), default=None)

    def save(self) -> bytes:
        """Return all that the services hold now, for `restore`; a third of a millisecond, where a
        deep copy takes two.
        """
        return pickle.dumps([store._data for store, _ in self._made[2]], pickle.HIGHEST_PROTOCOL)

    def restore(self, saved: bytes) -> None:
        """Put the services back to what they held when it was saved."""
        # Made by `save` in this very process.
        contents: list[dict[Any, Any]] = pickle.loads(saved)  # noqa: S301
        for (store, _), content in zip(self._made[2], contents, strict=True):
            store._data.clear()
            store._data.update(content)

    @cached_property
    def _wire(self) -> Wire:
        wire = Wire(self._connect)
        clients: tuple[Any, ...] = (wire.dynamodb, wire.kms, wire.ses, wire.sns, wire.sqs)
        for client in clients:
            # The rules that find a call's endpoint are run for every call, and nothing is sent
            # there.
            client._ruleset_resolver = None
        return wire

    @cached_property
    def _made(self) -> tuple[Stores, Channels, list[tuple[Any, dict[Any, Any]]]]:
        """The resources, and each of MiniStack's stores with its content just after they were
        made.
        """
        # The same keys in every process, so that hashes, and all that is sorted by them, are the
        # same too.
        with _quiet(), seeded(0):
            stores, channels = create_stores(self._wire.operator), create_channels(self._wire.operator)
        dynamodb._ttl_settings.clear()
        # Its items are JSON, which this copies in a fifth of the time; an update takes three
        # copies.
        dynamodb.copy = SimpleNamespace(deepcopy=lambda item: pickle.loads(pickle.dumps(item)))  # noqa: S301
        # It reads each expression again for every request.
        tokens = cache(dynamodb._tokenize)
        dynamodb._tokenize = lambda expression: tokens(expression)[:]
        dynamodb._condition_syntax_error = cache(dynamodb._condition_syntax_error)
        state = {
            id(store): store
            for module in _SERVICES.values()
            for store in vars(module).values()
            if isinstance(store, (AccountRegionScopedDict, AccountScopedDict))
        }
        return stores, channels, [(store, deepcopy(store._data)) for store in state.values()]

    def _connect(self, session: Any) -> None:
        # The SDK writes this text again for every call, in a tenth of the time that the call takes.
        session.set_default_client_config(Config(user_agent="tests"))
        session.register("before-call.*", self._answer)

    def _answer(self, model: OperationModel, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        """Answer a request of the SDK with what its endpoint would have made of MiniStack's
        answer.
        """
        service, request = model.service_model.service_name, _body(params["body"])
        fault = _fault_of_updates(request) if service == "dynamodb" else None
        if fault is None:
            sent = {name.lower(): str(value) for name, value in params["headers"].items()}
            status, headers, body = self._handle(service, params["method"], params["url_path"], sent, request)
        else:
            status, headers, body = 400, {}, fault
        response = AWSResponse(params["url"], status, HTTPHeaders.from_dict(headers), None)
        if status < 300 and model.name in _ANSWERED_WITH_ITEMS:
            parsed = json.loads(body, object_hook=_with_binary)
            parsed["ResponseMetadata"] = {"HTTPStatusCode": status, "HTTPHeaders": headers}
            return response, parsed
        return response, self._parse(model, {"status_code": status, "headers": response.headers, "body": body})

    def _parse(self, model: Any, answer: dict[str, Any]) -> dict[str, Any]:
        service = model.service_model
        parser = self._parsers.create_parser(service.resolved_protocol)
        answer["context"] = {"operation_name": model.name}
        parsed: dict[str, Any] = parser.parse(answer, model.output_shape)
        if answer["status_code"] >= 300:
            shape = service.shape_for_error_code(parsed["Error"]["Code"])
            if shape is not None:
                parsed.update(parser.parse(answer, shape))
        return parsed

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
    """Keep MiniStack from logging all it does, each e-mail's addresses too: its first call turns
    that on for the process.
    """
    for module in _SERVICES.values():
        module.logger.setLevel(logging.WARNING)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def read_stored(item: dict[str, dict[str, Any]]) -> Item:
    """Read an item as MiniStack keeps it as plain values."""
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
            return read_stored(value)
        case "L":
            return [_plain(element) for element in value]
        case "B":
            return b64decode(value)
        case _:
            return from_wire({"": _with_binary(attribute)})[""]


def _with_binary(read: dict[str, Any]) -> dict[str, Any]:
    """Read the base64 of an attribute that is a binary; the attributes of a map, which may be named
    so, are no texts.
    """
    if isinstance(read.get("B"), str):
        return {"B": b64decode(read["B"])}
    if isinstance(read.get("BS"), list):
        return {"BS": [b64decode(member) for member in read["BS"]]}
    return read


def _fault_of_updates(request: bytes) -> bytes | None:
    """Return what moto answers to a request with an update's expression that it cannot read."""
    if b'"UpdateExpression"' not in request:
        return None
    read = json.loads(request)
    for update in (read, *(write.get("Update", {}) for write in read.get("TransactItems", ()))):
        if "UpdateExpression" in update:
            names = update.get("ExpressionAttributeNames", {})
            fault = _fault_of_expression(update["UpdateExpression"], tuple(names.items()))
            if fault is not None:
                return json.dumps({"__type": "ValidationException", "message": fault}).encode()
    return None


@cache
def _fault_of_expression(expression: str, names: tuple[tuple[str, str], ...]) -> str | None:
    try:
        parsed = UpdateExpressionParser.make(expression)
        ActionCountValidator().traverse(parsed)
        OverlappingPathsValidator(dict(names)).traverse(parsed)
    except MockValidationException as fault:
        return str(fault.exception_msg)
    return None


def _body(body: Any) -> bytes:
    match body:
        case bytes():
            return body
        case str():
            return body.encode()
        case _:
            # The query protocol's parameters, which the SDK encodes when it sends them.
            return urlencode(body).encode()


def _as_base64(value: Any) -> str:
    # What json.dumps cannot write of an item is a binary, or the SDK's wrapper of one.
    return b64encode(bytes(getattr(value, "value", value))).decode()
