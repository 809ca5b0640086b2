"""How often the functions' clients try, for how long, and what they check before."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError
from notify.claims import LEASE
from reassort.aws import Clients, connect

from harness.engines.template import read_template

RESOURCES = read_template()["Resources"]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Clients as a function makes them, of nobody."""
    for name in ("DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "eu-west-3")
    return Clients()


def _attempts(client: Any) -> int:
    """Return how often a call is sent at most."""
    attempts: int = client.meta.config.retries["total_max_attempts"]
    return attempts


def _longest(client: Any) -> timedelta:
    """Return how long a call lasts to which nobody answers, without the pauses."""
    config = client.meta.config
    return _attempts(client) * timedelta(seconds=config.connect_timeout + config.read_timeout)


@pytest.mark.req("R7")
@pytest.mark.parametrize("name", ["ses", "sns"])
def test_a_message_is_sent_once_and_within_its_lease(clients: Clients, name: str) -> None:
    client = getattr(clients, name)
    assert _attempts(client) == 1
    assert _longest(client) < LEASE < timedelta(seconds=RESOURCES["NotifyFunction"]["Properties"]["Timeout"])


@pytest.mark.req("R15")
@pytest.mark.parametrize("name", ["dynamodb", "kms", "sqs", "topics"])
def test_other_calls_are_tried_three_times_and_a_batch_of_them_ends_in_time(clients: Clients, name: str) -> None:
    client = getattr(clients, name)
    assert _attempts(client) == 3
    announce = RESOURCES["AnnounceFunction"]["Properties"]
    batch = announce["Events"]["Register"]["Properties"]["BatchSize"]
    assert batch * _longest(client) <= timedelta(seconds=announce["Timeout"])


@pytest.mark.req("R7", "R15")
@pytest.mark.parametrize("name", ["dynamodb", "kms", "sqs", "topics", "ses", "sns"])
def test_a_client_gives_up_within_seconds_and_spares_what_no_call_needs(clients: Clients, name: str) -> None:
    config: Any = getattr(clients, name).meta.config
    once = name in ("ses", "sns")
    assert (config.connect_timeout, config.read_timeout) == ((2, 10) if once else (1, 3))
    assert config.retries == {"mode": "standard", "total_max_attempts": 1 if once else 3}
    assert config.disable_request_compression


class CalledError(Exception):
    """A call would be sent now."""


@pytest.mark.req("P3")
@pytest.mark.parametrize(("checked", "expected"), [(None, CalledError), (True, ParamValidationError)])
def test_checked_clients_alone_compare_a_call_with_the_services_model(
    clients: Clients, checked: bool | None, expected: type[Exception]
) -> None:
    client: Any = (clients if checked is None else Clients(checked=checked)).dynamodb

    def called(**_: object) -> None:
        raise CalledError

    client.meta.events.register("before-call.dynamodb", called)
    assert client.meta.config.read_timeout == 3
    with pytest.raises(expected):
        client.get_item(TableName="Voters")


@pytest.mark.req("P3")
def test_a_connection_is_opened_before_the_first_call_and_may_fail() -> None:
    sent = []

    def send(request: Any) -> None:
        sent.append((request.method, request.url))
        raise EndpointConnectionError(endpoint_url=request.url)

    http = SimpleNamespace(http_session=SimpleNamespace(send=send))
    connect(SimpleNamespace(_endpoint=http, meta=SimpleNamespace(endpoint_url="https://kms.example")))
    assert sent == [("GET", "https://kms.example/")]
