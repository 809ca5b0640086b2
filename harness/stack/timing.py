"""Pairs of requests for a code, and how well their time tells one kind of address from the
other.
"""

from __future__ import annotations

import random
import re
import time
from bisect import bisect_left, bisect_right
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from math import sqrt
from typing import TYPE_CHECKING

import httpx

from harness.engines.template import OUTBOX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.stack.deployed import DeployedVoter, Deployment

_LOCK_MILLISECONDS = 900_000
# What differs between any two answers: when, which request, which random secret.
_OWN = {
    "apigw-requestid",
    # The local server ends a connection now and then.
    "connection",
    "date",
    "set-cookie",
    "x-amz-apigw-id",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
}
_strangers = count(1)


@dataclass(frozen=True)
class TimedAnswer:
    """An answer: how long it took, all that two answers may not differ in, and the cookie."""

    seconds: float
    shape: str
    cookie: str


@dataclass
class Compared:
    """Latencies in seconds of two kinds of address, and everything else that their answers were."""

    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    shapes: set[str] = field(default_factory=set)

    @property
    def auc(self) -> float:
        """How often the second kind takes longer than the first, ties counted half."""
        return auc(self.first, self.second)

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % interval of the AUC when there is no difference."""
        sizes = len(self.first), len(self.second)
        return 1.96 * sqrt((sum(sizes) + 1) / (12 * sizes[0] * sizes[1]))


def auc(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the share of pairs of both samples in which the second is greater; ties count half."""
    ordered = sorted(first)
    wins = sum((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in second)
    return wins / (len(first) * len(second))


def compare(deployment: Deployment, pairs: int, seed: int = 1) -> dict[str, Compared]:
    """Ask for codes in pairs; return what was seen of first requests, second requests, and locked
    voters.
    """
    order = random.Random(seed)  # noqa: S311 - the order of a measurement
    first, second, lock = Compared(), Compared(), Compared()
    with delivery_held(deployment), httpx.Client(base_url=deployment.stack.api_url, timeout=60) as client:
        for _ in range(20):
            ask(client, _stranger())
        for _ in range(pairs):
            known, unknown = deployment.enrol().email, _stranger()
            cookies = note(first, in_random_order(order, client, (known, None), (unknown, None)))
            note(second, in_random_order(order, client, (known, cookies[0]), (unknown, cookies[1])))
        for _ in range(pairs // 4):
            locked, free = deployment.enrol(), deployment.enrol()
            lock_numen(deployment, locked)
            note(lock, in_random_order(order, client, (locked.email, None), (free.email, None)))
    return {
        "on the roll, or not: first request": first,
        "on the roll, or not: second request, too soon": second,
        "NUMEN locked, or not": lock,
    }


@contextmanager
def delivery_held(deployment: Deployment) -> Iterator[None]:
    """Let the outbox's streams wake nobody: what is queued meanwhile is delivered afterwards."""
    client = deployment.client("lambda")
    tables = [f":table/{deployment.table(table)}/stream/" for table in OUTBOX.all]
    streams = [
        mapping["UUID"]
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]
        if any(table in mapping["EventSourceArn"] for table in tables)
    ]
    for stream in streams:
        client.update_event_source_mapping(UUID=stream, Enabled=False)
    try:
        yield
    finally:
        for stream in streams:
            client.update_event_source_mapping(UUID=stream, Enabled=True)


def ask(client: httpx.Client, address: str, cookie: str | None = None) -> TimedAnswer:
    """Ask for a code once."""
    headers = {"Content-Type": "application/json", **({"Cookie": cookie} if cookie else {})}
    started = time.perf_counter()
    answer = client.post("/api/login", json={"email": address}, headers=headers)
    took = time.perf_counter() - started
    client.cookies.clear()
    set_cookie = answer.headers["set-cookie"]
    shape = [
        str(answer.status_code),
        answer.text,
        *sorted(f"{name}: {value}" for name, value in answer.headers.items() if name not in _OWN),
        re.sub(r"[\w-]+(?=[.;])", lambda secret: "x" * len(secret[0]), set_cookie),
    ]
    return TimedAnswer(took, "\n".join(shape), set_cookie.partition(";")[0])


def in_random_order(order: random.Random, client: httpx.Client, *requests: tuple[str, str | None]) -> list[TimedAnswer]:
    """Make the requests of a pair in random order, and return their answers in the order of the
    pair.
    """
    answers: dict[int, TimedAnswer] = {}
    for number in order.sample(range(len(requests)), len(requests)):
        answers[number] = ask(client, *requests[number])
    return [answers[number] for number in range(len(requests))]


def note(compared: Compared, answers: list[TimedAnswer]) -> list[str]:
    """Add a pair to what was seen, and return the cookies that it was given."""
    compared.first.append(answers[0].seconds)
    compared.second.append(answers[1].seconds)
    compared.shapes |= {answer.shape for answer in answers}
    return [answer.cookie for answer in answers]


def lock_numen(deployment: Deployment, voter: DeployedVoter) -> None:
    """Lock a voter's NUMEN as five wrong ones do."""
    deployment.client("dynamodb").update_item(
        TableName=deployment.table("VotersTable"),
        Key={"voter_id": {"S": voter.voter_id}},
        UpdateExpression="SET numen_failures = :failures, numen_locked_until = :until",
        ExpressionAttributeValues={
            ":failures": {"N": "5"},
            ":until": {"N": str(int(time.time() * 1000) + _LOCK_MILLISECONDS)},
        },
    )


def _stranger() -> str:
    return f"nobody{next(_strangers)}@ac-dijon.fr"
