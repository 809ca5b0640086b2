"""The transactions of an import: exactly what was asked for, and once, though an answer is lost."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ReadTimeoutError
from reassort.tables import ConditionFailedError, put_if_absent
from reassort_ops.roll.writes import TransactionWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from reassort.tables import Action

TRIES = 3
CANCELLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "CancellationReasons": [{"Code": "ConditionalCheckFailed"}],
}
type Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


class StreamedBody:
    """An answer's body, as a connection gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> list[bytes]:
        """Give all of it."""
        return [self._content]


def writer_to(answer: Answer, threads: int = 1) -> TransactionWriter:
    """Return a writer whose requests are answered here."""
    session = boto3.Session(aws_access_key_id="tests", aws_secret_access_key="tests", region_name="eu-west-3")
    writer = TransactionWriter(session, threads)

    def send(request: Any, **_: object) -> AWSResponse:
        status, content = answer(json.loads(request.body))
        return AWSResponse(request.url, status, HTTPHeaders(), StreamedBody(json.dumps(content).encode()))

    # The types know no handler that answers.
    events: Any = writer._client.meta.events
    events.register("before-send.dynamodb.TransactWriteItems", send)
    return writer


def action(name: str = "a") -> Action:
    """Return a write of one voter."""
    return put_if_absent("voter", "voters", {"voter_id": name, "issued_at": [1]}, "voter_id")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait before another try."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


def test_what_is_sent_is_what_was_asked_for() -> None:
    sent: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        sent.append(body)
        return 200, {}

    writer_to(answer).write([action()], "token")
    assert sent == [{"TransactItems": [{"Put": action().request}], "ClientRequestToken": "token"}]


@pytest.mark.req("I6")
@pytest.mark.parametrize("lost", range(TRIES + 1))
def test_a_lost_answer_is_asked_for_again_under_one_token(lost: int) -> None:
    sent: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        sent.append(body)
        if len(sent) <= lost:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return 200, {}

    writer = writer_to(answer)
    if lost < TRIES:
        writer.write([action()], "token")
    else:
        with pytest.raises(ReadTimeoutError):
            writer.write([action()], "token")
    assert sent == [sent[0]] * min(lost + 1, TRIES)


def test_a_voter_who_is_there_refuses_the_write_and_another_error_is_told() -> None:
    with pytest.raises(ConditionFailedError) as refused:
        writer_to(lambda _: (400, CANCELLED)).write([action()], "token")
    assert refused.value.refused == {"voter"}
    with pytest.raises(ClientError, match="AccessDenied"):
        writer_to(lambda _: (400, {"__type": "AccessDeniedException"})).write([action()], "token")


def test_threads_that_share_it_do_not_send_for_each_other() -> None:
    together, sent = threading.Barrier(4, timeout=30), []

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        sent.append(body["TransactItems"][0]["Put"]["Item"]["voter_id"]["S"])
        return 200, {}

    writer = writer_to(answer, threads=4)
    send = writer._client.transact_write_items

    def wait_first(**request: Any) -> Any:
        together.wait()
        return send(**request)

    writer._client.transact_write_items = wait_first  # type: ignore[method-assign]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: writer.write([action(name)], name), "abcd"))
    assert sorted(sent) == list("abcd")


def test_a_transaction_that_is_still_in_progress_is_tried_again() -> None:
    asked: list[str] = []

    def answer(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        asked.append(request["ClientRequestToken"])
        if len(asked) == 1:
            return 400, {"__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException"}
        return 200, {}

    writer_to(answer).write([action()], "token")
    assert asked == ["token", "token"]
