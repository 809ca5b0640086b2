"""Writes to DynamoDB: refusals are distinguished by action and code, never by message text."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st
from reassort.tables import (
    BUSY_OR_UNREACHABLE,
    PASSING,
    ConditionFailedError,
    ContentionError,
    delete_one,
    from_wire,
    put_if_absent,
    read_items,
    read_many,
    read_one,
    read_partition,
    require,
    to_wire,
    update,
    update_one,
    update_request,
    write_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACTIONS = [
    put_if_absent("delivery", "Deliveries", {"id": "1"}, "id"),
    require("voter", "Voters", {"voter_id": "v"}, "a = :a", {":a": 1}),
]


class Refusing:
    """A client whose calls end in one error or answer."""

    def __init__(self, code: str = "", reasons: list[dict[str, str]] | None = None, answer: Any = None) -> None:
        self._error: Any = {"Error": {"Code": code, "Message": "voter delivery ConditionalCheckFailed"}}
        self._reasons = reasons
        self._answer = answer
        self.calls = 0

    def transact_write_items(self, **_: object) -> None:
        response: Any = {**self._error, "CancellationReasons": self._reasons or []}
        raise ClientError(response, "TransactWriteItems")

    def batch_get_item(self, **_: object) -> Any:
        return self._one("BatchGetItem")

    def get_item(self, **_: object) -> Any:
        return self._one("GetItem")

    def update_item(self, **_: object) -> Any:
        return self._one("UpdateItem")

    def query(self, **_: object) -> Any:
        return self._one("Query")

    def delete_item(self, **_: object) -> Any:
        return self._one("DeleteItem")

    def _one(self, operation: str) -> Any:
        self.calls += 1
        if self._error["Error"]["Code"]:
            raise ClientError(self._error, operation)
        return self._answer


def _write(client: Any) -> None:
    write_all(client, ACTIONS)


def test_refused_actions_are_named_by_their_place() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "delivery"}]
    with pytest.raises(ConditionFailedError) as refusal:
        _write(Refusing("TransactionCanceledException", reasons))
    assert refusal.value.refused == {"voter"}
    assert str(refusal.value) == "voter"


def test_refusal_counts_more_than_a_conflict_beside_it() -> None:
    reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "TransactionConflict"}]
    with pytest.raises(ConditionFailedError) as refusal:
        _write(Refusing("TransactionCanceledException", reasons))
    assert refusal.value.refused == {"delivery"}


@pytest.mark.req("R15")
@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("TransactionCanceledException", []),
        ("TransactionCanceledException", [{"Code": "None"}, {"Code": "TransactionConflict"}]),
        ("TransactionCanceledException", [{"Code": "ThrottlingError"}, {"Code": "None"}]),
        ("TransactionCanceledException", [{"Code": "ProvisionedThroughputExceeded"}, {"Code": "None"}]),
        ("ProvisionedThroughputExceededException", []),
        ("ThrottlingException", []),
        ("RequestLimitExceeded", []),
        ("TransactionInProgressException", []),
        ("IdempotentParameterMismatchException", []),
    ],
)
def test_conflicts_and_throttles_can_be_tried_again(code: str, reasons: list[dict[str, str]]) -> None:
    with pytest.raises(ContentionError):
        _write(Refusing(code, reasons))


_ONE = {
    "update": lambda client: update_one(
        client, update_request("Voters", {"voter_id": "v"}, "SET a = :a", "", {":a": 1})
    ),
    "read": lambda client: read_one(client, "Voters", {"voter_id": "v"}),
    "read partition": lambda client: read_partition(client, "Voters", {"voter_id": "v"}),
    "read many": lambda client: read_many(client, {"Voters": {"voter_id": "v"}}),
    "read items": lambda client: read_items(client, "Voters", [{"voter_id": "v"}]),
    "delete": lambda client: delete_one(client, "Voters", {"voter_id": "v"}),
}


@pytest.mark.req("R15")
@pytest.mark.parametrize("code", sorted(PASSING))
@pytest.mark.parametrize("call", _ONE.values(), ids=_ONE)
def test_a_busy_item_is_contention_for_each_call(call: Callable[[Any], Any], code: str) -> None:
    client = Refusing(code)
    with pytest.raises(ContentionError):
        call(client)
    # The SDK has tried a throttle again; of a conflict it thinks that nothing can be done.
    assert client.calls == (3 if code == "TransactionConflictException" else 1)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"])
@pytest.mark.parametrize("call", [*_ONE.values(), lambda client: _write(client)], ids=[*_ONE, "write"])
def test_other_errors_are_not_hidden(call: Callable[[Any], Any], code: str) -> None:
    with pytest.raises(ClientError):
        call(Refusing(code))


@pytest.mark.req("R15")
def test_unread_keys_are_contention_and_not_absence() -> None:
    client: Any = Refusing(answer={"Responses": {}, "UnprocessedKeys": {"Voters": {"Keys": [{}]}}})
    with pytest.raises(ContentionError):
        read_many(client, {"Voters": {"voter_id": "v"}})


class SlowTable:
    """Answers as DynamoDB does: a hundred keys at most, and at most `at_once` of them in one
    answer.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.asked: list[int] = []

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803 - DynamoDB's own
        """Give what it gives at once."""
        ((table, request),) = RequestItems.items()
        keys = request["Keys"]
        self.asked.append(len(keys))
        given, left = keys[: self.at_once], keys[self.at_once :]
        # What is not there is not in the answer.
        found = [key for key in given if key["id"] != {"S": "gone"}]
        unread = {table: {"Keys": left, "ConsistentRead": True}} if left else {}
        return {"Responses": {table: found} if found else {}, "UnprocessedKeys": unread}


def _read_slowly(ids: list[str], table: SlowTable) -> list[str]:
    client: Any = table
    return [item["id"] for item in read_items(client, "table", [{"id": one} for one in ids])]


@pytest.mark.req("H2")
@pytest.mark.parametrize(
    ("many", "at_once", "asked"),
    [(0, 1, []), (100, 100, [100]), (250, 100, [100, 100, 50]), (1250, 100, [*[100] * 12, 50])],
)
def test_items_are_read_a_hundred_at_a_time(many: int, at_once: int, asked: list[int]) -> None:
    table, ids = SlowTable(at_once), [str(number) for number in range(many)]
    assert _read_slowly(ids, table) == ids
    assert table.asked == asked


@pytest.mark.req("H2")
def test_what_a_busy_table_leaves_out_is_asked_for_again() -> None:
    ids = [str(number) for number in range(150)]
    assert sorted(_read_slowly(ids, SlowTable(40))) == sorted(ids)
    assert _read_slowly(["gone"], SlowTable(1)) == []
    assert _read_slowly(["gone", "1", "gone"], SlowTable(2)) == ["1"]


@pytest.mark.req("H2")
def test_a_table_that_gives_nothing_is_busy() -> None:
    with pytest.raises(ContentionError):
        _read_slowly(["1"], SlowTable(0))


class RecordingClient:
    """A client whose every call is kept, and finds one item a page."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def get_item(self, **request: Any) -> Any:
        self.asked.append(request)
        return {"Item": {"a": {"N": "1"}}}

    def batch_get_item(self, **request: Any) -> Any:
        self.asked += request["RequestItems"].values()
        return {"Responses": {"Voters": [{"a": {"N": "1"}}], "Others": []}}

    def query(self, **request: Any) -> Any:
        self.asked.append(dict(request))
        page = len(self.asked)
        return {"Items": [{"a": {"N": str(page)}}], **({"LastEvaluatedKey": {"page": page}} if page < 3 else {})}


@pytest.mark.req("R13")
@pytest.mark.parametrize(
    ("read", "expected"),
    {
        "one": (lambda client: read_one(client, "Voters", {"id": "v"}), {"a": 1}),
        "many": (
            lambda client: read_many(client, {"Voters": {"id": "v"}, "Others": {"id": "o"}}),
            {"Voters": {"a": 1}, "Others": None},
        ),
        "items": (lambda client: read_items(client, "Voters", [{"id": "v"}]), [{"a": 1}]),
        "partition": (lambda client: read_partition(client, "Voters", {"id": "v"}), [{"a": 1}, {"a": 2}, {"a": 3}]),
    }.values(),
    ids=["one", "many", "items", "partition"],
)
def test_every_read_sees_what_was_written_before(read: Callable[[Any], Any], expected: object) -> None:
    client = RecordingClient()
    assert read(client) == expected
    assert [asked["ConsistentRead"] for asked in client.asked] == [True] * len(client.asked)


def test_each_page_of_a_partition_begins_behind_the_last() -> None:
    client: Any = RecordingClient()
    read_partition(client, "Voters", {"id": "v"})
    assert [asked.get("ExclusiveStartKey") for asked in client.asked] == [None, {"page": 1}, {"page": 2}]


def test_a_conflict_is_tried_again_after_longer_and_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[Any] = []
    monkeypatch.setattr("reassort.tables.time.sleep", pauses.append)
    monkeypatch.setattr("reassort.tables.random.uniform", lambda shortest, longest: (shortest, longest))
    client: Any = Refusing("TransactionConflictException")
    with pytest.raises(ContentionError):
        delete_one(client, "Voters", {"voter_id": "v"})
    assert pauses == [(0, 0.04), (0, 0.08)]


@pytest.mark.parametrize("tells", [True, False])
def test_a_refused_update_comes_with_its_item_where_that_is_asked_for(tells: bool) -> None:
    request = update("voter", "Voters", {"voter_id": "v"}, "SET a = :a", "b = :b", {}, tells=tells).request
    assert request.get("ReturnValuesOnConditionCheckFailure") == ("ALL_OLD" if tells else None)
    assert "ReturnValuesOnConditionCheckFailure" not in update("voter", "Voters", {"v": 1}, "", "", {}).request


@pytest.mark.parametrize("item", [{"a": 1}, None])
def test_what_a_refused_write_has_found_is_told(item: dict[str, Any] | None) -> None:
    told: Any = {} if item is None else {"Item": to_wire(item)}
    client: Any = Refusing("TransactionCanceledException", [{"Code": "ConditionalCheckFailed", **told}])
    with pytest.raises(ConditionFailedError) as refusal:
        _write(client)
    assert refusal.value.item == item


plain = st.recursive(
    st.text(max_size=8)
    | st.integers(-(10**30), 10**30)
    | st.booleans()
    | st.none()
    | st.binary(min_size=1, max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), plain, max_size=4))
def test_values_survive_the_wire(values: dict[str, Any]) -> None:
    assert from_wire(to_wire(values)) == values


@given(
    st.dictionaries(st.text(min_size=1, max_size=5), plain | st.frozensets(st.text(max_size=4), min_size=1), max_size=4)
)
def test_values_are_written_as_the_sdk_writes_them(values: dict[str, Any]) -> None:
    sdk: dict[str, Any] = {name: TypeSerializer().serialize(value) for name, value in values.items()}
    for value in sdk.values():
        if "SS" in value:
            value["SS"].sort()
    assert to_wire(values) == sdk


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1.5, "float"), (set(), "set"), ({1, 2}, "set"), (object(), "object")],
    ids=["float", "empty set", "numbers", "object"],
)
def test_what_no_item_holds_is_not_written(value: object, kind: str) -> None:
    with pytest.raises(TypeError, match=f"^DynamoDB holds no {kind} here"):
        to_wire({"value": value})


class _Letter(StrEnum):
    A = "a"


class _Number(IntEnum):
    ONE = 1


def test_members_and_tuples_are_written_as_what_they_are_equal_to() -> None:
    assert to_wire({"text": _Letter.A, "number": _Number.ONE, "list": (1, _Letter.A)}) == {
        "text": {"S": "a"},
        "number": {"N": "1"},
        "list": {"L": [{"N": "1"}, {"S": "a"}]},
    }


@pytest.mark.req("R15")
@pytest.mark.parametrize(
    "error",
    [
        ContentionError("ThrottlingException"),
        ClientError({"Error": {"Code": "InternalServerError"}}, "Query"),
        EndpointConnectionError(endpoint_url="https://dynamodb.eu-west-3.amazonaws.com"),
    ],
    ids=["busy", "refused", "out of reach"],
)
def test_a_call_can_be_made_again_that_finds_its_table_busy_or_out_of_reach(error: Exception) -> None:
    assert isinstance(error, BUSY_OR_UNREACHABLE)
    assert not isinstance(ConditionFailedError(frozenset()), BUSY_OR_UNREACHABLE)


def test_a_kind_that_no_item_holds_is_not_read() -> None:
    with pytest.raises(TypeError, match="NS"):
        from_wire({"value": {"NS": ["1"]}})
